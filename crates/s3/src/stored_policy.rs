//! The policy of a bucket or an access point: how it is read when it is put, and what is made of it for decisions.

use std::sync::Arc;

use daypass_core::Error;
use daypass_core::Fault;
use daypass_core::policy::{Document, DocumentKind, Effect, Policy, PolicySet, PolicySource};
use daypass_core::principals::{self, Unresolved};
use daypass_core::store::Tx;

use crate::fault::malformed_policy;
use crate::policy_action;

/// The largest policy, in bytes (S3 user guide, "Bucket policies", "Access points restrictions and limitations").
const MAX_BYTES: usize = 20 << 10;

/// A policy, ready for decisions.
#[derive(Clone, Debug)]
pub(crate) struct StoredPolicy {
    /// The whole of it.
    pub(crate) policy: Arc<Policy>,
    /// What it denies.
    pub(crate) denials: Arc<Policy>,
    /// The whole of it, as a set.
    pub(crate) set: Arc<PolicySet>,
    /// Whether it lets in the public.
    pub(crate) is_public: bool,
}

impl StoredPolicy {
    /// Of a document that was read when it was put; `name` says whose it is.
    pub(crate) fn compile(text: &str, name: &str, is_public: fn(&Document) -> bool) -> Self {
        let document = Document::load(DocumentKind::Bucket, text);
        let is_public = is_public(&document);
        let mut denials = document.clone();
        denials.statements.retain(|statement| statement.effect.value == Effect::Deny);
        let denials = Policy::compile(PolicySource::named(name), denials);
        let policy = Policy::compile(PolicySource::named(name), document);
        let set = Arc::new(PolicySet::new([Arc::clone(&policy)]));
        Self { policy, denials, set, is_public }
    }
}

/// Reads a policy that a request puts: the document, and what is kept of it, with principals of IAM as unique ids. `owns`
/// says whether its resources are of what it is put on.
///
/// # Errors
/// `MalformedPolicy`, `PolicyTooLarge`, or a failure of the store.
pub(crate) fn read(
    tx: &Tx<'_>,
    text: &str,
    owns: impl Fn(&Document) -> Result<(), Fault>,
) -> Result<(Document, String), Error> {
    if text.len() > MAX_BYTES {
        let words = "Policy exceeds the maximum allowed document size.";
        return Err(Fault::coded("PolicyTooLarge", 400, words).into());
    }
    let document =
        Document::parse(DocumentKind::Bucket, text).map_err(|error| malformed_policy(error.aws_message()))?;
    owns(&document)?;
    policy_action::check(&document)?;
    let kept = principals::to_ids(tx, &document, text).map_err(|error| match error {
        Unresolved::Nobody(name) => malformed_policy("Invalid principal in policy")
            .with("Detail", format!("\"AWS\" : \"{name}\""))
            .into(),
        Unresolved::Store(error) => Error::from(error),
    })?;
    Ok((document, kept))
}
