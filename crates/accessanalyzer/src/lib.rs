//! AWS IAM Access Analyzer, as far as it checks policies. One file an operation; [`OPERATIONS`] is the service.

mod validate_policy;

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[&validate_policy::VALIDATE_POLICY];
