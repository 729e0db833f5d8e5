//! `access-analyzer:CheckNoPublicAccess`: whether the policy of a resource lets the public in.

use daypass_core::model::accessanalyzer::{
    AccessCheckPolicyType, CheckNoPublicAccessRequest, CheckNoPublicAccessResponse,
    CheckNoPublicAccessResult, ops,
};
use daypass_core::policy::compare::public_access;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};

use crate::custom_check::{self, Words, policies};

operation!(CHECK_NO_PUBLIC_ACCESS, ops::CheckNoPublicAccess, checks, run);

const WORDS: Words = Words {
    pass: "The resource policy does not grant public access for the given resource type.",
    fail: "The resource policy grants public access for the given resource type.",
    perhaps: "The resource policy might grant public access for the given resource type.",
    statement: "Public access granted in the following statement with",
};

fn checks(_: &Cx, _: &Tx<'_>, _: &CheckNoPublicAccessRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all("access-analyzer:CheckNoPublicAccess").into())
}

/// The meaning of public is the same for every type of resource; what a policy says of other services counts too.
fn run(
    _: &Cx,
    _: &mut Tx<'_>,
    input: CheckNoPublicAccessRequest,
) -> Result<CheckNoPublicAccessResponse, Error> {
    let policies = policies(&input.policy_document, AccessCheckPolicyType::RESOURCEPOLICY)?;
    let outcome = custom_check::check(&WORDS, || Ok(public_access(&policies)))?;
    let passes = outcome.passes;
    let result = if passes { CheckNoPublicAccessResult::PASS } else { CheckNoPublicAccessResult::FAIL };
    Ok(CheckNoPublicAccessResponse {
        result: Some(result),
        message: outcome.message,
        reasons: outcome.reasons,
    })
}
