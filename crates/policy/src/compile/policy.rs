//! One policy, compiled.

use super::statement::{CompiledStatement, Interner};
use crate::arn::Arn;
use crate::document::Document;
use std::fmt;
use std::sync::Arc;

/// What a policy is called in explanations and messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// A policy with an ARN of its own: managed, service control, resource control. AWS names it in messages of denials.
    Arn(Arn),
    /// Any other policy, by what its owner would call it: `inline policy read-only of role web`.
    Named(Box<str>),
}

impl PolicySource {
    /// A policy without an ARN.
    pub fn named(name: impl Into<Box<str>>) -> Self {
        Self::Named(name.into())
    }

    /// The policy's ARN, where it has one.
    pub fn arn(&self) -> Option<&Arn> {
        match self {
            Self::Arn(arn) => Some(arn),
            Self::Named(_) => None,
        }
    }
}

impl From<Arn> for PolicySource {
    fn from(arn: Arn) -> Self {
        Self::Arn(arn)
    }
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arn(arn) => arn.fmt(f),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// A document compiled for decisions. Compile each once, keep it by its ARN and version, and share it: among principals
/// it is only referred to.
#[derive(Debug)]
pub struct Policy {
    source: PolicySource,
    document: Document,
    statements: Box<[Arc<CompiledStatement>]>,
}

impl Policy {
    /// Compiles a document.
    pub fn compile(source: impl Into<PolicySource>, document: Document) -> Arc<Self> {
        let mut keys = Interner::default();
        let statements = document
            .statements
            .iter()
            .map(|statement| Arc::new(CompiledStatement::new(&document, statement, &mut keys)))
            .collect();
        Arc::new(Self { source: source.into(), document, statements })
    }

    /// What the policy is called.
    pub fn source(&self) -> &PolicySource {
        &self.source
    }

    /// The document it was compiled from.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// In the order of the document's statements.
    pub(crate) fn statements(&self) -> &[Arc<CompiledStatement>] {
        &self.statements
    }
}
