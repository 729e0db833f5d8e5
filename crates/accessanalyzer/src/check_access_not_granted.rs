//! `access-analyzer:CheckAccessNotGranted`: whether a policy grants what it must not.

use daypass_core::model::accessanalyzer::{
    CheckAccessNotGrantedRequest, CheckAccessNotGrantedResponse, CheckAccessNotGrantedResult, ops,
};
use daypass_core::policy::compare::{Access, grants};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use crate::custom_check::{self, Words, invalid, malformed, policies};

operation!(CHECK_ACCESS_NOT_GRANTED, ops::CheckAccessNotGranted, checks, run);

const WORDS: Words = Words {
    pass: "The policy document does not grant access to perform the listed actions or resources.",
    fail: "The policy document grants access to perform one or more of the listed actions or resources.",
    perhaps: "The policy document might grant access to perform one or more of the listed actions or resources.",
    statement: "One or more of the listed actions or resources in the statement with",
};

fn checks(_: &Cx, _: &Tx<'_>, _: &CheckAccessNotGrantedRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all("access-analyzer:CheckAccessNotGranted").into())
}

fn run(
    _: &Cx,
    _: &mut Tx<'_>,
    input: CheckAccessNotGrantedRequest,
) -> Result<CheckAccessNotGrantedResponse, Error> {
    let policies = policies(&input.policy_document, input.policy_type)?;
    // The model takes one at most.
    let (actions, resources) = match input.access.as_slice() {
        [access, ..] => (texts(&access.actions), texts(&access.resources)),
        [] => (vec![], vec![]),
    };
    if actions.is_empty() && resources.is_empty() {
        return Err(invalid("The access must contain at least one action or resource.").into());
    }
    resources.iter().try_for_each(|resource| wildcards_are_at_the_end(resource))?;
    let access = [Access { actions: &actions, resources: &resources }];
    let look = || grants(policies, access).map_err(|error| malformed(&error));
    let outcome = custom_check::check(&WORDS, look)?;
    let passes = outcome.passes;
    let result = if passes { CheckAccessNotGrantedResult::PASS } else { CheckAccessNotGrantedResult::FAIL };
    Ok(CheckAccessNotGrantedResponse {
        result: Some(result),
        message: outcome.message,
        reasons: outcome.reasons,
    })
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// "You can only use a wildcard in the portion of the ARN that specifies the resource ID" (Access Analyzer API Reference,
/// Access).
fn wildcards_are_at_the_end(resource: &str) -> Result<(), Fault> {
    let is_wild = |part: &str| part.contains(['*', '?']);
    if resource != "*" && resource.splitn(6, ':').take(5).any(is_wild) {
        let words = "A wildcard is only supported in the portion of the ARN that specifies the resource ID.";
        return Err(invalid(format!("{words} Resource: {resource}")));
    }
    Ok(())
}
