//! AWS CloudTrail, over the real audit log.

mod lookup_events;

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[&lookup_events::LOOKUP_EVENTS];
