//! Daypass's own engine.

use crate::{Engine, Outcome, workload};
use daypass_policy::{
    Action, Context, Decision, Document, DocumentKind, Policies, Policy, PolicySource, Principal,
    PrincipalPolicies, Request, Resource,
};
use serde_json::Value;
use std::sync::Arc;

/// The policies of a workload and some that are about other things, compiled.
pub struct Compiled {
    principal: Principal,
    attached: PrincipalPolicies,
}

impl Compiled {
    pub fn new(workload: &Value, unrelated_policies: usize) -> Self {
        let arn = workload["principal"].as_str().unwrap().parse().unwrap();
        let own = workload["policies"].as_array().unwrap().iter().map(compile);
        let unrelated = workload::unrelated(unrelated_policies).map(|document| compile(&document));
        Self {
            principal: Principal::user(&arn, "AIDAEXAMPLE").unwrap(),
            attached: PrincipalPolicies::builder().identity(own).identity(unrelated).build(),
        }
    }
}

fn compile(document: &Value) -> Arc<Policy> {
    let document = Document::load(DocumentKind::Managed, &document.to_string());
    Policy::compile(PolicySource::named("bench"), document)
}

/// A line of the AWS managed policies.
pub fn compile_managed(line: &str) -> Arc<Policy> {
    let policy: Value = serde_json::from_str(line).unwrap();
    let document = Document::load(DocumentKind::Managed, policy["document"].as_str().unwrap());
    Policy::compile(PolicySource::named("managed"), document)
}

/// One principal with all of these policies.
pub fn all_in_one(policies: &[Arc<Policy>]) -> PrincipalPolicies {
    PrincipalPolicies::builder().identity(policies.iter().cloned()).build()
}

/// What a request asks for.
pub struct Asked<'a> {
    action: Action<'a>,
    resource: Resource<'a>,
    context: Context<'a>,
}

impl<'a> Asked<'a> {
    pub fn all(workload: &'a Value) -> Vec<Self> {
        workload["requests"].as_array().unwrap().iter().map(Self::new).collect()
    }

    fn new(request: &'a Value) -> Self {
        let mut context = Context::with_capacity(8);
        for (key, value) in request["context"].as_object().unwrap() {
            context.set(key.as_str(), value.as_str().unwrap());
        }
        Self {
            action: Action::new(request["action"].as_str().unwrap()).unwrap(),
            resource: Resource::arn(request["resource"].as_str().unwrap()).unwrap(),
            context,
        }
    }
}

pub struct Ours<'a> {
    compiled: &'a Compiled,
    asked: &'a [Asked<'a>],
}

impl<'a> Ours<'a> {
    pub fn new(compiled: &'a Compiled, asked: &'a [Asked<'a>]) -> Self {
        Self { compiled, asked }
    }
}

impl Engine for Ours<'_> {
    fn decide(&self, request: usize) -> Outcome {
        let Asked { action, resource, context } = &self.asked[request];
        let request = Request::new(&self.compiled.principal, action, *resource, context);
        match Policies::of(&self.compiled.attached).decide(&request) {
            Decision::Allowed => Outcome::Allowed,
            Decision::ImplicitDeny => Outcome::ImplicitlyDenied,
            Decision::ExplicitDeny => Outcome::ExplicitlyDenied,
        }
    }
}
