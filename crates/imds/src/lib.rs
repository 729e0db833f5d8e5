//! The instance metadata service: what answers 169.254.169.254.
//!
//! A [`Metadata`] answers for one instance: the one whose link the listener is bound to. Nothing in a request says who
//! asks: not its address, not a header. What it tells comes from the instance's record at that moment, so a change of
//! its options, profile or tags shows at once.
//!
//! Source: EC2 user guide, "Use instance metadata to manage your EC2 instance" and the pages below it; what SDKs need
//! beyond it was measured with them.

mod credentials;
mod identity_document;
mod paths;
mod serve;
#[cfg(test)]
mod tests;
mod token;

pub use serve::{Metadata, serve};
