//! Where events can be delivered.

use std::collections::BTreeSet;

/// The destinations of events that the operator gave a place: ARNs of queues, topics, functions and event buses. Nobody else
/// can name one, so a request never makes the server talk to an address of its sender's choice.
#[derive(Clone, Debug, Default)]
pub struct Destinations(BTreeSet<String>);

impl Destinations {
    /// These.
    #[must_use]
    pub fn new(arns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(arns.into_iter().map(Into::into).collect())
    }

    /// Whether the destination has a place.
    #[must_use]
    pub fn has(&self, arn: &str) -> bool {
        self.0.contains(arn)
    }
}
