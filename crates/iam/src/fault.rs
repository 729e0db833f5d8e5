//! IAM's refusals in its own words. Each text is one that AWS was recorded to say, in tools' test data or in reports of
//! its users, unless a comment says otherwise.

use daypass_core::Fault;
use daypass_core::model::iam::errors;

pub(crate) fn no_such_entity(words: impl Into<String>) -> Fault {
    Fault::new(&errors::NO_SUCH_ENTITY, words)
}

pub(crate) fn already_exists(words: impl Into<String>) -> Fault {
    Fault::new(&errors::ENTITY_ALREADY_EXISTS, words)
}

pub(crate) fn delete_conflict(words: &str) -> Fault {
    Fault::new(&errors::DELETE_CONFLICT, words)
}

pub(crate) fn invalid_input(words: impl Into<String>) -> Fault {
    Fault::new(&errors::INVALID_INPUT, words)
}

pub(crate) fn validation(words: impl Into<String>) -> Fault {
    Fault::new(&errors::VALIDATION_ERROR, words)
}

pub(crate) fn malformed_policy(words: impl Into<String>) -> Fault {
    Fault::new(&errors::MALFORMED_POLICY_DOCUMENT, words)
}

pub(crate) fn not_attachable(words: impl Into<String>) -> Fault {
    Fault::new(&errors::POLICY_NOT_ATTACHABLE, words)
}

pub(crate) fn access_denied(words: &str) -> Fault {
    Fault::new(&errors::ACCESS_DENIED, words)
}

pub(crate) fn invalid_user_type(words: &str) -> Fault {
    Fault::new(&errors::INVALID_USER_TYPE, words)
}

pub(crate) fn password_violation(words: impl Into<String>) -> Fault {
    Fault::new(&errors::PASSWORD_POLICY_VIOLATION, words)
}

/// Codes that do not follow each other on the device at this time.
pub(crate) fn invalid_code() -> Fault {
    Fault::new(&errors::INVALID_AUTHENTICATION_CODE, "Authentication code for device is not valid.")
}

/// A role that only AWS changes.
pub(crate) fn protected_role(name: &str) -> Fault {
    Fault::new(
        &errors::UNMODIFIABLE_ENTITY,
        format!(
            "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
        ),
    )
}

/// More than a quota allows.
pub(crate) fn over_quota(quota: &str, limit: usize) -> Fault {
    limit_exceeded(format!("Cannot exceed quota for {quota}: {limit}"))
}

pub(crate) fn limit_exceeded(words: impl Into<String>) -> Fault {
    Fault::new(&errors::LIMIT_EXCEEDED, words)
}

/// No policy of that ARN, where one is read or changed.
pub(crate) fn no_such_policy(arn: &str) -> Fault {
    no_such_entity(format!("Policy {arn} was not found."))
}

/// No policy of that ARN, where one is attached or set as a boundary.
pub(crate) fn no_attachable_policy(arn: &str) -> Fault {
    no_such_entity(format!("Policy {arn} does not exist or is not attachable."))
}

/// No such version of a policy.
pub(crate) fn no_such_version(arn: &str, version: &str) -> Fault {
    no_such_entity(format!("Policy {arn} version {version} does not exist or is not attachable."))
}

pub(crate) fn no_such_access_key(id: &str) -> Fault {
    no_such_entity(format!("The Access Key with id {id} cannot be found"))
}
