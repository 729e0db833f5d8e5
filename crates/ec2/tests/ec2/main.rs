//! Every operation of the service through the whole gate: what it answers, what it refuses in AWS's words, and what
//! nobody may get by it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod attributes;
mod describe;
mod launch;
mod lifecycle;
mod machines;
mod network;
mod privileges;
mod profiles;
mod reconcile;
mod refusals;
mod support;
mod templates;
