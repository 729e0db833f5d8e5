//! AWS's policy language: parse, check, compile and decide, with reasons.

mod action;
mod arn;
mod compile;
mod context;
mod decide;
mod document;
mod explain;
mod json;
mod pattern;
mod principal;
mod resource;
mod span;
mod value;

pub use action::{Action, InvalidAction};
pub use arn::{AccountId, Arn, ArnParts, InvalidAccountId, InvalidArn};
pub use compile::{
    Guardrails, Policy, PolicySet, PolicySource, PrincipalPolicies, PrincipalPoliciesBuilder, TooManyLevels,
};
pub use context::{Context, Key, Value, keys};
pub use decide::{Decision, Policies, Request, ResourcePolicy};
pub use document::{
    Clause, Comparison, Condition, Document, DocumentKind, Effect, Malformed, MalformedDocument, Operator,
    PrincipalName, Quantifier, Statement, Version, size, size_without_white_space,
};
pub use explain::{
    Actual, Audience, Decider, Explanation, Failure, LayerKind, LayerReport, Named, NearMiss,
    ObservedCondition, StatementReference, Suggestion, Verdict,
};
pub use principal::{InvalidPrincipal, Principal};
pub use resource::Resource;
pub use span::{Located, Position, Span};
pub use value::Timestamp;
