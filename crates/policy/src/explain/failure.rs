//! The element by which a statement failed.

use crate::compile::{Certainty, Policy, PrincipalMatch};
use crate::context::{Found, Key};
use crate::decide::Request;
use crate::document::{Clause, Condition, Effect, PrincipalName, Statement};
use crate::span::{Located, Position};
use std::fmt;

/// The most entries of a list that are shown.
const MAX_SHOWN: usize = 16;
/// The most characters of a value that are shown.
const MAX_CHARACTERS: usize = 256;

/// An element of a statement that did not match the request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Failure {
    /// `Action` or `NotAction`.
    Action {
        /// What the statement lists.
        listed: Vec<Box<str>>,
        /// Whether it is `NotAction`.
        inverted: bool,
        /// Where the element stands.
        at: Position,
    },
    /// `Resource` or `NotResource`.
    Resource {
        /// What the statement lists.
        listed: Vec<Box<str>>,
        /// Whether it is `NotResource`.
        inverted: bool,
        /// Where the element stands.
        at: Position,
    },
    /// `Principal` or `NotPrincipal`.
    Principal {
        /// Whom the statement lists.
        listed: Vec<Box<str>>,
        /// Whether it is `NotPrincipal`.
        inverted: bool,
        /// Where the element stands.
        at: Position,
    },
    /// A condition.
    Condition(ObservedCondition),
    /// Something that cannot be understood; what.
    NotUnderstood {
        /// What is wrong.
        reason: Box<str>,
        /// Where.
        at: Position,
    },
}

/// A condition beside what the request carries.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ObservedCondition {
    /// The operator as written.
    pub operator: Box<str>,
    /// Whether AWS knows the operator.
    pub known: bool,
    /// The key.
    pub key: Box<str>,
    /// The values that the policy lists.
    pub expected: Vec<Box<str>>,
    /// What the request carries.
    pub actual: Actual,
    /// Where the key stands.
    pub at: Position,
}

/// What a request carries for a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Actual {
    /// Nothing.
    Absent,
    /// One value.
    Value(Box<str>),
    /// A set of values.
    Values(Vec<Box<str>>),
}

/// What kept a statement from allowing the request; `None` where it denies, or does allow.
pub(super) fn failures(
    policy: &Policy,
    index: usize,
    request: &Request<'_>,
    has_boundary: bool,
) -> Option<Vec<Failure>> {
    let (compiled, written) = (policy.statements().get(index)?, policy.document().statements.get(index)?);
    if compiled.effect == Effect::Deny {
        return None;
    }
    let mut failures = Vec::new();
    if compiled.action.matches(request.action) != Certainty::Yes {
        let (listed, inverted, at) = listed(&written.action, written, |text| text.clone());
        failures.push(Failure::Action { listed, inverted, at });
    }
    if compiled.principal.matches(request.principal, Effect::Allow, has_boundary).0 != Certainty::Yes {
        failures.push(principal_failure(&compiled.principal, written));
    }
    if compiled.resource.matches(&request.resource, request.context) != Certainty::Yes {
        let (listed, inverted, at) = listed(&written.resource, written, |text| text.clone());
        failures.push(Failure::Resource { listed, inverted, at });
    }
    for (compiled, written) in compiled.conditions.iter().zip(&written.conditions) {
        if compiled.test(request.context) != Certainty::Yes {
            failures.push(Failure::Condition(ObservedCondition::new(written, request)));
        }
    }
    if compiled.doubt {
        let doubt = written.doubt.as_ref().or(policy.document().doubt.as_ref());
        let (reason, at) = match doubt {
            Some(doubt) => (doubt.reason.to_string(), doubt.span.start),
            None => ("a policy of this kind must not have `Principal`".to_owned(), written.span.start),
        };
        failures.push(Failure::NotUnderstood { reason: reason.into(), at });
    }
    (!failures.is_empty()).then_some(failures)
}

fn principal_failure(compiled: &PrincipalMatch, written: &Statement) -> Failure {
    let (listed, inverted, at) = listed(&written.principal, written, |name| name.to_string().into());
    let listed = if matches!(compiled, PrincipalMatch::Nobody) { Vec::new() } else { listed };
    Failure::Principal { listed, inverted, at }
}

impl ObservedCondition {
    pub(super) fn new(written: &Condition, request: &Request<'_>) -> Self {
        let actual = match request.context.find(&Key::from(&*written.key.value)) {
            Found::Absent => Actual::Absent,
            Found::Single(value) => Actual::Value(shorten(&value.to_string())),
            Found::List(values) => Actual::Values(
                values.iter().take(MAX_SHOWN).map(|value| shorten(&value.to_string())).collect(),
            ),
        };
        Self {
            operator: shorten(&written.operator.value.0),
            known: written.operator.value.1.is_some(),
            key: shorten(&written.key.value),
            expected: written.values.iter().take(MAX_SHOWN).map(|value| shorten(&value.value)).collect(),
            actual,
            at: written.key.span.start,
        }
    }
}

fn listed<T>(
    clause: &Option<Clause<T>>,
    statement: &Statement,
    text: impl Fn(&T) -> Box<str>,
) -> (Vec<Box<str>>, bool, Position) {
    let Some(clause) = clause else { return (Vec::new(), false, statement.span.start) };
    let show = |entry: &Located<T>| shorten(&text(&entry.value));
    (clause.entries.iter().take(MAX_SHOWN).map(show).collect(), clause.inverted, clause.span.start)
}

/// The beginning of a long text.
fn shorten(text: &str) -> Box<str> {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("*"),
            Self::Aws(text) => f.write_str(text),
            Self::Service(text) | Self::Federated(text) | Self::CanonicalUser(text) => f.write_str(text),
            Self::Unknown(kind, text) => write!(f, "{kind}:{text}"),
        }
    }
}
