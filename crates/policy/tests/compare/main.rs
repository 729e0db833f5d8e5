//! Comparisons of policies: what they say, that every witness holds, and that nothing is missed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod cases;
mod dice;
mod hostile;
mod managed;
mod near;
mod public;
mod random;
mod shown;

use daypass_policy::compare::{ComparedPolicies, Differences, Witness};
use daypass_policy::{
    Action, Context, Document, DocumentKind, Policies, Policy, PolicySet, PolicySource, Principal,
    PrincipalPolicies, Request, Resource, ResourcePolicy,
};
use std::sync::Arc;

/// A policy with these statements.
pub(crate) fn policy(kind: DocumentKind, statements: &str) -> Arc<Policy> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Policy::compile(PolicySource::named("policy"), Document::load(kind, &text))
}

pub(crate) fn identity(statements: &str) -> ComparedPolicies {
    ComparedPolicies::identity([policy(DocumentKind::Managed, statements)])
}

pub(crate) fn of_resource(statements: &str) -> ComparedPolicies {
    ComparedPolicies::resource([policy(DocumentKind::Resource, statements)])
}

fn target(text: &str) -> Resource<'_> {
    if text == "*" { Resource::NONE } else { Resource::arn(text).unwrap() }
}

/// A policy of a principal who may do everything.
pub(crate) fn everything() -> Arc<Policy> {
    policy(DocumentKind::Managed, r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#)
}

/// What the evaluator says of a request to a principal with one policy.
pub(crate) fn allows(policy: &Arc<Policy>, witness: &Witness) -> bool {
    let attached = PrincipalPolicies::builder().identity([Arc::clone(policy)]).build();
    let action = Action::new(&witness.action).unwrap();
    let request = Request::new(&witness.principal, &action, target(&witness.resource), &witness.context);
    Policies::of(&attached).allows(&request)
}

/// What it says of a request to a resource with one policy, from a principal of another account who may do everything.
pub(crate) fn resource_allows(
    policy: &Arc<Policy>,
    principal: &Principal,
    action: &str,
    resource: &str,
    context: &Context<'_>,
) -> bool {
    let attached = PrincipalPolicies::builder().identity([everything()]).build();
    let set = PolicySet::new([Arc::clone(policy)]);
    let action = Action::new(action).unwrap();
    let request = Request::new(principal, &action, target(resource), context)
        .in_account("999999999999".parse().unwrap());
    Policies::of(&attached).resource(ResourcePolicy::Grants(&set)).allows(&request)
}

/// Every witness of a comparison holds.
pub(crate) fn confirm(differences: &Differences, new: &Arc<Policy>, old: &Arc<Policy>) {
    for difference in &differences.list {
        assert!(allows(new, &difference.witness), "{difference}");
        assert!(!allows(old, &difference.witness), "{difference}");
    }
}
