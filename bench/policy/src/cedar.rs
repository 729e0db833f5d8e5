//! Cedar, for which the policies are translated: a statement becomes a policy.
//!
//! What Cedar has no word for is written out as it would be by hand: a wildcard in an action becomes the workload's actions
//! that it covers, and a variable one alternative for each value that it has in the workload. The resource's ARN is an
//! attribute of the resource, matched with `like`; addresses are of Cedar's own type. An absent key makes a condition false,
//! as it does for the operators that the workloads use (their only one with `Not` is about a key that is always there).

use crate::{Engine, Outcome};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write;

pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    requests: Vec<(Request, Entities)>,
}

impl Cedar {
    pub fn new(workload: &Value) -> Self {
        let words = Words::of(workload);
        let mut text = String::new();
        for policy in workload["policies"].as_array().unwrap() {
            for statement in policy["Statement"].as_array().unwrap() {
                text.push_str(&words.policy(statement));
            }
        }
        let principal = uid("User", workload["principal"].as_str().unwrap());
        let requests = workload["requests"].as_array().unwrap();
        Self {
            authorizer: Authorizer::new(),
            policies: text.parse().unwrap(),
            requests: requests.iter().map(|request| ask(&principal, request)).collect(),
        }
    }
}

impl Engine for Cedar {
    fn decide(&self, request: usize) -> Outcome {
        let (request, entities) = &self.requests[request];
        let response = self.authorizer.is_authorized(request, &self.policies, entities);
        match response.decision() {
            Decision::Allow => Outcome::Allowed,
            Decision::Deny if response.diagnostics().reason().next().is_some() => Outcome::ExplicitlyDenied,
            Decision::Deny => Outcome::ImplicitlyDenied,
        }
    }
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.parse::<EntityTypeName>().unwrap(), id.parse().unwrap())
}

fn ask(principal: &EntityUid, request: &Value) -> (Request, Entities) {
    let arn = request["resource"].as_str().unwrap();
    let resource = uid("Resource", arn);
    let attributes = HashMap::from([("arn".to_owned(), RestrictedExpression::new_string(arn.to_owned()))]);
    let entity = Entity::new(resource.clone(), attributes, HashSet::new()).unwrap();
    let context = request["context"].as_object().unwrap().iter().map(|(key, value)| {
        let text = value.as_str().unwrap().to_owned();
        let value = match key.as_str() {
            "aws:SourceIp" => RestrictedExpression::new_ip(text),
            "aws:SecureTransport" => RestrictedExpression::new_bool(text == "true"),
            "s3:max-keys" => RestrictedExpression::new_long(text.parse().unwrap()),
            _ => RestrictedExpression::new_string(text),
        };
        (key.clone(), value)
    });
    let context = Context::from_pairs(context).unwrap();
    let action = uid("Action", request["action"].as_str().unwrap());
    let request = Request::new(principal.clone(), action, resource, context, None).unwrap();
    (request, Entities::from_entities([entity], None).unwrap())
}

/// The actions and the users' names that occur in a workload.
struct Words {
    actions: BTreeSet<String>,
    user_names: BTreeSet<String>,
}

impl Words {
    fn of(workload: &Value) -> Self {
        let requests = || workload["requests"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            actions: requests().map(|request| text(&request["action"])).collect(),
            user_names: requests().map(|request| text(&request["context"]["aws:username"])).collect(),
        }
    }

    fn policy(&self, statement: &Value) -> String {
        let effect = if statement["Effect"] == "Deny" { "forbid" } else { "permit" };
        let actions: Vec<String> = self
            .covered(&statement["Action"])
            .into_iter()
            .map(|action| format!("Action::{action:?}"))
            .collect();
        let mut policy =
            format!("{effect}(principal, action in [{}], resource)\nwhen {{ ", actions.join(", "));
        policy.push_str(&self.any_like("resource.arn", &statement["Resource"]));
        for (operator, keys) in statement.get("Condition").and_then(Value::as_object).into_iter().flatten() {
            for (key, values) in keys.as_object().unwrap() {
                write!(policy, " && {}", self.condition(operator, key, values)).unwrap();
            }
        }
        policy + " };\n"
    }

    fn covered(&self, patterns: &Value) -> BTreeSet<&String> {
        let patterns = texts(patterns);
        let covers = |pattern: &str, action: &str| {
            let (first, rest) = pattern.split_once('*').unwrap_or((pattern, ""));
            assert!(!rest.contains(['*', '?']) && !first.contains('?'), "`{pattern}` is not translated");
            let whole = !pattern.contains('*') && action != pattern;
            !whole
                && action.len() >= first.len() + rest.len()
                && action.starts_with(first)
                && action.ends_with(rest)
        };
        self.actions.iter().filter(|action| patterns.iter().any(|pattern| covers(pattern, action))).collect()
    }

    fn condition(&self, operator: &str, key: &str, values: &Value) -> String {
        let own = format!("context[{key:?}]");
        let in_range = |value| format!("{own}.isInRange(ip({value:?}))");
        let test = match operator {
            "IpAddress" => any(texts(values).into_iter().map(in_range)),
            "NotIpAddress" => format!("!({})", any(texts(values).into_iter().map(in_range))),
            "Bool" => any(texts(values).into_iter().map(|value| format!("{own} == {value}"))),
            "StringEquals" => any(texts(values).into_iter().map(|value| format!("{own} == {value:?}"))),
            "StringLike" => self.any_like(&own, values),
            "NumericLessThanEquals" => {
                any(texts(values).into_iter().map(|value| format!("{own} <= {value}")))
            }
            other => panic!("`{other}` is not translated"),
        };
        format!("context has {key:?} && {test}")
    }

    fn any_like(&self, own: &str, patterns: &Value) -> String {
        const VARIABLE: &str = "${aws:username}";
        any(texts(patterns).into_iter().flat_map(|pattern| {
            assert!(!pattern.contains('?'), "`{pattern}` is not translated");
            let of_user = |name: &String| {
                let pattern = pattern.replace(VARIABLE, name);
                format!("(context[\"aws:username\"] == {name:?} && {own} like {pattern:?})")
            };
            if pattern.contains(VARIABLE) {
                self.user_names.iter().map(of_user).collect()
            } else if pattern.contains('*') {
                vec![format!("{own} like {pattern:?}")]
            } else {
                vec![format!("{own} == {pattern:?}")]
            }
        }))
    }
}

fn any(alternatives: impl Iterator<Item = String>) -> String {
    format!("({})", alternatives.collect::<Vec<_>>().join(" || "))
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().map(|one| one.as_str().unwrap()).collect(),
        one => vec![one.as_str().unwrap()],
    }
}
