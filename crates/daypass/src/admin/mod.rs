//! How the owner's commands reach a running server: a Unix socket in the data directory, trusted by the uid at its other
//! end. There is no key that could be stolen.

mod attachments;
pub(crate) mod backup;
pub(crate) mod client;
mod descriptors;
mod exec;
mod partners;
pub(crate) mod protocol;
mod run;
pub(crate) mod server;
