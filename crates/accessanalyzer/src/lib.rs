//! AWS IAM Access Analyzer, as far as it checks policies. One file an operation; [`OPERATIONS`] is the service.

mod check_access_not_granted;
mod check_no_new_access;
mod check_no_public_access;
mod custom_check;
mod validate_policy;

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &check_access_not_granted::CHECK_ACCESS_NOT_GRANTED,
    &check_no_new_access::CHECK_NO_NEW_ACCESS,
    &check_no_public_access::CHECK_NO_PUBLIC_ACCESS,
    &validate_policy::VALIDATE_POLICY,
];
