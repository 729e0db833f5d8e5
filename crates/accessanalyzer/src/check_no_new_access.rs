//! `access-analyzer:CheckNoNewAccess`: whether a policy allows anything that the one before did not.

use daypass_core::model::accessanalyzer::{
    CheckNoNewAccessRequest, CheckNoNewAccessResponse, CheckNoNewAccessResult, ops,
};
use daypass_core::policy::compare::new_access;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};

use crate::custom_check::{self, Words, policies};

operation!(CHECK_NO_NEW_ACCESS, ops::CheckNoNewAccess, checks, run);

const WORDS: Words = Words {
    pass: "The modified permissions do not grant new access compared to your existing policy.",
    fail: "The modified permissions grant new access compared to your existing policy.",
    perhaps: "The modified permissions might grant new access compared to your existing policy.",
    statement: "New access in the statement with",
};

fn checks(_: &Cx, _: &Tx<'_>, _: &CheckNoNewAccessRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all("access-analyzer:CheckNoNewAccess").into())
}

fn run(_: &Cx, _: &mut Tx<'_>, input: CheckNoNewAccessRequest) -> Result<CheckNoNewAccessResponse, Error> {
    let existing = policies(&input.existing_policy_document, input.policy_type)?;
    let new = policies(&input.new_policy_document, input.policy_type)?;
    let outcome = custom_check::check(&WORDS, || Ok(new_access(&existing, &new)))?;
    let passes = outcome.passes;
    let result = if passes { CheckNoNewAccessResult::PASS } else { CheckNoNewAccessResult::FAIL };
    Ok(CheckNoNewAccessResponse { result: Some(result), message: outcome.message, reasons: outcome.reasons })
}
