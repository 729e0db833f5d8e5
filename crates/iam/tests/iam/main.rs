//! Every operation of the service through the whole gate: what it answers, what it refuses in AWS's words, and what
//! nobody may get by it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

mod access_keys;
mod account;
mod answers;
mod attachments;
mod boundaries;
mod concurrency;
mod credential_report;
mod examples;
mod groups;
mod identity_providers;
mod inline_policies;
mod instance_profiles;
mod last_accessed;
mod last_used;
mod lists;
mod mfa;
mod organizations_access_report;
mod organizations_features;
mod paging;
mod passwords;
mod policies;
mod privileges;
mod refusals;
mod roles;
mod root_sessions;
mod server_certificates;
mod service_credentials;
mod service_linked_roles;
mod signing_certificates;
mod simulations;
mod ssh_public_keys;
mod sts_preferences;
mod support;
mod tags;
mod trust;
mod users;
