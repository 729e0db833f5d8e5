//! KMS's refusals in its own words. Where AWS was not recorded to say anything, the code speaks and the words are ours.

use daypass_core::Fault;
use daypass_core::kms::{Missing, Unusable};
use daypass_core::model::kms::errors;

pub(crate) fn not_found(missing: &Missing) -> Fault {
    Fault::new(&errors::NOT_FOUND_EXCEPTION, missing.words())
}

pub(crate) fn unusable(arn: &str, why: Unusable) -> Fault {
    let shape = match why {
        Unusable::Disabled => &errors::DISABLED_EXCEPTION,
        Unusable::PendingDeletion => &errors::KMS_INVALID_STATE_EXCEPTION,
    };
    Fault::new(shape, why.of(arn))
}

pub(crate) fn invalid(words: impl Into<String>) -> Fault {
    Fault::coded("ValidationException", 400, words)
}

/// What is not built, by its name.
pub(crate) fn unsupported(what: &str) -> Fault {
    Fault::new(&errors::UNSUPPORTED_OPERATION_EXCEPTION, format!("{what} is not implemented by Daypass."))
}

pub(crate) fn limit_exceeded(words: impl Into<String>) -> Fault {
    Fault::new(&errors::LIMIT_EXCEEDED_EXCEPTION, words)
}

/// The end of a request that is to be tried only.
///
/// # Errors
/// If it is one.
pub(crate) fn dry_run(asked: Option<bool>) -> Result<(), Fault> {
    if asked != Some(true) {
        return Ok(());
    }
    let words = "The request would have succeeded, but the DryRun option is set.";
    Err(Fault::new(&errors::DRY_RUN_OPERATION_EXCEPTION, words))
}
