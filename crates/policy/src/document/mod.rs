//! Policy documents: what is written in them, where, and whether AWS would store them.

mod bucket;
mod kind;
mod malformed;
mod operator;
mod read;
mod rules;
mod statement;
#[cfg(test)]
mod tests;

pub use kind::{DocumentKind, Version};
pub use malformed::{Malformed, MalformedDocument};
pub use operator::{Comparison, Operator, Quantifier};
pub use statement::{Clause, Condition, Effect, PrincipalName, Statement};

use crate::span::Located;

/// A policy document as it was read.
///
/// There are two ways to get one. [`Document::parse`] is the door: it takes what AWS would store and says, in AWS's
/// words and with the place, why it does not take the rest. [`Document::load`] is for what is stored already: it takes
/// every text, and what it cannot understand fails closed, so that an `Allow` with it never matches and a `Deny` with
/// it always does.
///
/// ```
/// use daypass_policy::{Document, DocumentKind};
/// let text = r#"{
///   "Version": "2012-10-17",
///   "Statement": {"Effect": "Allow", "Action": "s3:GetObject"}
/// }"#;
/// let error = Document::parse(DocumentKind::Managed, text).unwrap_err();
/// assert_eq!(error.aws_message(), "Policy statement must contain resources.");
/// assert_eq!(error.to_string(), "3:16: the statement has neither `Resource` nor `NotResource`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// What kind of policy it was read as.
    pub kind: DocumentKind,
    /// The `Version` element, where there is one.
    pub version: Option<Located<Version>>,
    /// The `Id` element, where there is one.
    pub id: Option<Located<Box<str>>>,
    /// The statements in the order they were written.
    pub statements: Vec<Statement>,
    /// What could not be understood about the document as a whole.
    pub(crate) doubt: Option<MalformedDocument>,
}

impl Document {
    /// Reads a document as AWS does when it is stored.
    ///
    /// # Errors
    /// The first thing that AWS would refuse: [`MalformedDocument`] with its place and AWS's message. Sizes are not
    /// looked at, since they depend on what else is attached: see [`size_without_white_space`].
    pub fn parse(kind: DocumentKind, text: &str) -> Result<Self, MalformedDocument> {
        let (document, problems) = read::read(kind, text);
        // AWS checks in stages, over the whole document each; within a stage the first place counts.
        match problems.into_iter().min_by_key(|problem| problem.stage()) {
            Some(problem) => Err(problem),
            None => Ok(document),
        }
    }

    /// Reads a document whatever is in it. What cannot be understood makes an `Allow` not match and a `Deny` match; a
    /// text that is no policy at all denies everything.
    pub fn load(kind: DocumentKind, text: &str) -> Self {
        read::read(kind, text).0
    }

    /// The version in force: a document without one is of 2008, where `${…}` is plain text
    /// (`reference_policies_elements_version`).
    pub fn effective_version(&self) -> Version {
        self.version.as_ref().map_or(Version::V2008, |version| version.value)
    }
}

/// The size of a document as IAM's quotas count it: characters, without white space (`reference_iam-quotas`). It holds
/// for managed and inline policies; for organization and session policies every character counts ([`size`]).
pub fn size_without_white_space(text: &str) -> usize {
    text.chars().filter(|character| !matches!(character, ' ' | '\t' | '\r' | '\n')).count()
}

/// The size of a document in characters, white space and all.
pub fn size(text: &str) -> usize {
    text.chars().count()
}
