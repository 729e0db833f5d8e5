//! AWS Systems Manager: public parameters

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[];
