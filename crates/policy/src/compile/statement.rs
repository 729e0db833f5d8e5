//! Statements, ready to match.

use super::certainty::Certainty;
use super::condition::CompiledCondition;
use super::principal::{MatchKind, PrincipalMatch};
use crate::action::{Action, ActionPattern};
use crate::context::{Context, Key};
use crate::decide::Request;
use crate::document::{Document, Effect, Statement, Version};
use crate::pattern::Fit;
use crate::resource::{Resource, ResourcePattern};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct CompiledStatement {
    pub(crate) effect: Effect,
    pub(crate) action: ActionMatch,
    pub(crate) resource: ResourceMatch,
    pub(crate) principal: PrincipalMatch,
    pub(crate) conditions: Box<[CompiledCondition]>,
    /// Whether something about the statement could not be understood.
    pub(crate) doubt: bool,
}

#[derive(Debug)]
pub(crate) enum ActionMatch {
    Unclear,
    Listed { inverted: bool, patterns: Box<[ActionPattern]> },
}

#[derive(Debug)]
pub(crate) enum ResourceMatch {
    Unclear,
    /// The resource that the policy hangs on.
    Own,
    Listed {
        inverted: bool,
        patterns: Box<[ResourcePattern]>,
    },
}

/// Names of keys that were met already, so that each is kept once.
#[derive(Default)]
pub(super) struct Interner<'t>(HashMap<&'t str, Arc<Key<'static>>>);

impl<'t> Interner<'t> {
    fn key(&mut self, text: &'t str) -> Arc<Key<'static>> {
        Arc::clone(self.0.entry(text).or_insert_with(|| Arc::new(Key::from(text).into_owned())))
    }
}

impl CompiledStatement {
    pub(super) fn new<'t>(document: &Document, statement: &'t Statement, keys: &mut Interner<'t>) -> Self {
        let version = document.effective_version();
        let action = statement.action.as_ref().map_or(ActionMatch::Unclear, |clause| ActionMatch::Listed {
            inverted: clause.inverted,
            patterns: clause.entries.iter().map(|entry| ActionPattern::new(&entry.value)).collect(),
        });
        let variables = version == Version::V2012;
        let resource = match &statement.resource {
            Some(clause) => ResourceMatch::Listed {
                inverted: clause.inverted,
                patterns: clause
                    .entries
                    .iter()
                    .map(|entry| ResourcePattern::new(&entry.value, variables))
                    .collect(),
            },
            None if document.kind.resource_is_optional() && statement.doubt.is_none() => ResourceMatch::Own,
            None => ResourceMatch::Unclear,
        };
        let misplaced_principal = statement.principal.is_some() && !document.kind.has_principals();
        let mut condition = |condition: &'t crate::document::Condition| {
            CompiledCondition::new(condition, version, keys.key(&condition.key.value))
        };
        Self {
            effect: statement.effect.value,
            action,
            resource,
            principal: PrincipalMatch::new(document.kind, statement),
            conditions: statement.conditions.iter().map(&mut condition).collect(),
            doubt: statement.doubt.is_some() || document.doubt.is_some() || misplaced_principal,
        }
    }

    /// Whether the statement matches, its action left aside; and how directly it names who asks.
    pub(crate) fn matches_beside_action(
        &self,
        request: &Request<'_>,
        has_boundary: bool,
    ) -> (Certainty, MatchKind) {
        let (named, kind) = self.principal.matches(request.principal, self.effect, has_boundary);
        let certainty = named
            .and(|| self.resource.matches(&request.resource, request.context))
            .and(|| Certainty::all(self.conditions.iter().map(|condition| condition.test(request.context))))
            .and(|| if self.doubt { Certainty::Unclear } else { Certainty::Yes });
        (certainty, kind)
    }
}

impl ActionMatch {
    pub(crate) fn matches(&self, action: &Action<'_>) -> Certainty {
        match self {
            Self::Unclear => Certainty::Unclear,
            Self::Listed { inverted, patterns } => {
                Certainty::any(patterns.iter().map(|pattern| pattern.matches(action).into()))
                    .invert_if(*inverted)
            }
        }
    }
}

impl ResourceMatch {
    pub(crate) fn matches(&self, resource: &Resource<'_>, context: &Context<'_>) -> Certainty {
        match self {
            Self::Unclear => Certainty::Unclear,
            Self::Own => Certainty::Yes,
            Self::Listed { inverted, patterns } => {
                let fits = patterns.iter().map(|pattern| match pattern.fit(resource, context) {
                    Some(Fit::Yes) => Certainty::Yes,
                    Some(Fit::No) => Certainty::No,
                    // A variable without a value: the entry covers no resource. What it was to take out of
                    // `NotResource` is then not known.
                    Some(Fit::Unset) if !inverted => Certainty::No,
                    Some(Fit::Unset) | None => Certainty::Unclear,
                });
                Certainty::any(fits).invert_if(*inverted)
            }
        }
    }
}
