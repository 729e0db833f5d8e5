//! Policies made ready for decisions: read once, shared, never changed.

mod certainty;
mod condition;
mod index;
mod policy;
mod prefix_tree;
mod principal;
mod set;
mod statement;

pub(crate) use certainty::Certainty;
pub(crate) use condition::CompiledCondition;
pub use policy::{Policy, PolicySource};
pub(crate) use principal::{MatchKind, Name, PrincipalMatch};
pub use set::{Guardrails, PolicySet, PrincipalPolicies, PrincipalPoliciesBuilder, TooManyLevels};
pub(crate) use set::{Layered, Scan, principal_layer};
pub(crate) use statement::{ActionMatch, CompiledStatement, ResourceMatch};
