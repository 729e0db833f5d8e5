//! Amazon EC2: instances and what they stand on

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[];
