//! Roles for those whom identity providers vouch for, through the whole gate: what is taken, what is refused in AWS's words,
//! and what attackers make of tokens.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests may panic")]

mod forged_tokens;
mod outbound;
mod support;
mod web_identity;
