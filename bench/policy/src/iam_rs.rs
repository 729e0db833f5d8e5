//! iam-rs, which reads AWS's documents as they are.

use crate::{Engine, Outcome};
use iam_rs::{
    Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId,
};
use serde_json::Value;

pub struct IamRs {
    evaluator: PolicyEvaluator,
    requests: Vec<IAMRequest>,
}

impl IamRs {
    pub fn new(workload: &Value) -> Self {
        let policies = workload["policies"].as_array().unwrap();
        let policies: Vec<IAMPolicy> =
            policies.iter().map(|policy| serde_json::from_value(policy.clone()).unwrap()).collect();
        let principal = workload["principal"].as_str().unwrap();
        let requests = workload["requests"].as_array().unwrap();
        Self {
            evaluator: PolicyEvaluator::with_policies(policies),
            requests: requests.iter().map(|request| ask(principal, request)).collect(),
        }
    }
}

fn ask(principal: &str, request: &Value) -> IAMRequest {
    let mut context = Context::new();
    for (key, value) in request["context"].as_object().unwrap() {
        context.insert(key.clone(), ContextValue::String(value.as_str().unwrap().to_owned()));
    }
    IAMRequest::new_with_context(
        Principal::Aws(PrincipalId::String(principal.to_owned())),
        request["action"].as_str().unwrap(),
        Arn::parse(request["resource"].as_str().unwrap()).unwrap(),
        context,
    )
}

impl Engine for IamRs {
    fn decide(&self, request: usize) -> Outcome {
        match self.evaluator.evaluate(&self.requests[request]).unwrap().decision {
            Decision::Allow => Outcome::Allowed,
            Decision::Deny => Outcome::ExplicitlyDenied,
            Decision::NotApplicable => Outcome::ImplicitlyDenied,
        }
    }
}
