//! AWS Organizations, through the whole gate.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

mod accounts;
mod control;
mod delegation;
mod examples;
mod handshakes;
mod organization;
mod paging;
mod policies;
mod refusals;
mod support;
mod tags;
mod units;
