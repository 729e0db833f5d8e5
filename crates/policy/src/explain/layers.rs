//! What each layer said, statement by statement.

use super::failure::ObservedCondition;
use crate::compile::principal_layer::{BOUNDARY, IDENTITY, SESSION};
use crate::compile::{Guardrails, Layered, MatchKind, Policy, PolicySource};
use crate::decide::{Applies, NotAsked, Policies, Request, ResourcePolicy};
use crate::document::Effect;
use crate::span::Position;
use std::fmt;
use std::sync::Arc;

/// The most conditions of a denial, and the most statements of a layer, that are shown.
const MAX_SHOWN: usize = 16;

/// The kinds of layer, in the order in which AWS asks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LayerKind {
    /// Resource control policies.
    ResourceControl,
    /// Service control policies.
    ServiceControl,
    /// The policies of the VPC endpoint.
    Endpoint,
    /// The policy of the resource.
    Resource,
    /// The trust policy of the role.
    Trust,
    /// Identity-based policies.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
}

/// AWS's name of the layer, for one policy of it.
impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ResourceControl => "resource control policy",
            Self::ServiceControl => "service control policy",
            Self::Endpoint => "VPC endpoint policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
        })
    }
}

/// What a layer, or a level of one, said.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LayerReport {
    /// The layer.
    pub kind: LayerKind,
    /// The level of the organization, where the layer has levels.
    pub level: Option<Box<str>>,
    /// What it said.
    pub verdict: Verdict,
    /// The statements that made it say so.
    pub deciders: Vec<Decider>,
}

/// What a layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One of its statements denies.
    Denies,
    /// One of its statements allows, and none denies.
    Allows,
    /// None of its statements is about the request.
    Silent,
    /// It does not apply; why.
    NotAsked(&'static str),
}

/// A statement that decided for its layer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Decider {
    /// The statement.
    pub statement: StatementReference,
    /// In a policy of a resource: how the statement names who asks.
    pub named: Option<Named>,
    /// Of a denial: its conditions, all of which hold. Were one of them otherwise, it would not deny.
    pub conditions: Vec<ObservedCondition>,
}

/// How a statement names who asks; the less directly, the more else must allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// By its account.
    Account,
    /// By the role of the session, or the user who made the federated user.
    Behind,
    /// Itself.
    Itself,
}

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StatementReference {
    /// The policy.
    pub policy: PolicySource,
    /// The statement's `Sid`, where it has one.
    pub sid: Option<Box<str>>,
    /// The statement's place in the document, counted from one.
    pub number: usize,
    /// The statement's place in the text.
    pub at: Position,
}

impl StatementReference {
    pub(crate) fn new(policy: &Policy, index: usize) -> Self {
        let statement = policy.document().statements.get(index);
        Self {
            policy: policy.source().clone(),
            sid: statement
                .and_then(|s| s.sid.as_ref())
                .map(|sid| sid.value.clone())
                .filter(|sid| !sid.is_empty()),
            number: index + 1,
            at: statement.map_or(Position::START, |statement| statement.span.start),
        }
    }
}

/// A layer, or a level of one, by name.
#[derive(Clone, Copy)]
pub(super) struct LayerName<'p> {
    pub(super) kind: LayerKind,
    pub(super) level: Option<&'p str>,
}

struct Part<'p> {
    name: LayerName<'p>,
    layered: &'p Layered,
    number: u8,
    not_asked: Option<NotAsked>,
}

/// Every layer that there is.
fn parts<'p>(policies: &Policies<'p>, applies: Option<&Applies>) -> Vec<Part<'p>> {
    let mut parts = Vec::new();
    let mut add = |kind, level, layered, number, applies: Option<Result<(), NotAsked>>| {
        let not_asked = applies.and_then(Result::err);
        parts.push(Part { name: LayerName { kind, level }, layered, number, not_asked });
    };
    let levels = |guardrails: Option<&'p Guardrails>| {
        let named = move |guardrails: &'p Guardrails| {
            (0..).zip(&guardrails.levels).map(move |named| (guardrails, named))
        };
        guardrails.into_iter().flat_map(named)
    };
    for (guardrails, (number, level)) in levels(policies.resource_control) {
        let applies = applies.map(|applies| applies.resource_control);
        add(LayerKind::ResourceControl, Some(&**level), &guardrails.layered, number, applies);
    }
    for (guardrails, (number, level)) in levels(policies.service_control) {
        let applies = applies.map(|applies| applies.service_control);
        add(LayerKind::ServiceControl, Some(&**level), &guardrails.layered, number, applies);
    }
    if let Some(set) = policies.endpoint {
        add(LayerKind::Endpoint, None, &set.0, 0, None);
    }
    if let Some(set) = policies.resource.set() {
        add(resource_kind(&policies.resource), None, &set.0, 0, None);
    }
    let (attached, applies) = (policies.principal, applies.map(|applies| applies.principal));
    add(LayerKind::Identity, None, &attached.layered, IDENTITY, applies);
    if attached.has_boundary {
        add(LayerKind::Boundary, None, &attached.layered, BOUNDARY, applies);
    }
    if attached.has_session_policies {
        add(LayerKind::Session, None, &attached.layered, SESSION, applies);
    }
    parts
}

pub(super) fn resource_kind(policy: &ResourcePolicy<'_>) -> LayerKind {
    if matches!(policy, ResourcePolicy::Trust(_)) { LayerKind::Trust } else { LayerKind::Resource }
}

/// Every policy with its layer.
pub(super) fn policies<'p>(
    policies: &Policies<'p>,
) -> impl Iterator<Item = (LayerName<'p>, &'p Arc<Policy>)> {
    parts(policies, None).into_iter().flat_map(|part| {
        let own = part.layered.policies().iter().filter(move |(number, _)| *number == part.number);
        own.map(move |(_, policy)| (part.name, policy))
    })
}

/// Asks every layer.
pub(super) fn report(policies: &Policies<'_>, request: &Request<'_>, applies: &Applies) -> Vec<LayerReport> {
    let has_boundary = policies.principal.has_boundary;
    let report = |part: Part<'_>| {
        let (verdict, deciders) = match part.not_asked {
            Some(reason) => (Verdict::NotAsked(reason.reason()), Vec::new()),
            None => ask(&part, request, has_boundary),
        };
        LayerReport { kind: part.name.kind, level: part.name.level.map(Into::into), verdict, deciders }
    };
    parts(policies, Some(applies)).into_iter().map(report).collect()
}

fn ask(part: &Part<'_>, request: &Request<'_>, has_boundary: bool) -> (Verdict, Vec<Decider>) {
    let (mut denials, mut allowances) = (Vec::new(), Vec::new());
    let names_principals = matches!(part.name.kind, LayerKind::Resource | LayerKind::Trust);
    let can_match = part.layered.can_match(request);
    for (_, policy) in part.layered.policies().iter().filter(|(number, _)| *number == part.number) {
        for (index, statement) in policy.statements().iter().enumerate() {
            if !can_match(statement) {
                continue;
            }
            let (beside, kind) = statement.matches_beside_action(request, has_boundary);
            if !statement.action.matches(request.action).and(|| beside).counts_for(statement.effect) {
                continue;
            }
            let named = names_principals.then_some(match kind {
                MatchKind::Account => Named::Account,
                MatchKind::Behind => Named::Behind,
                MatchKind::Direct => Named::Itself,
            });
            let written =
                policy.document().statements.get(index).filter(|_| statement.effect == Effect::Deny);
            let conditions = written.map_or(&[][..], |written| &written.conditions).iter().take(MAX_SHOWN);
            let decider = Decider {
                statement: StatementReference::new(policy, index),
                named,
                conditions: conditions.map(|condition| ObservedCondition::new(condition, request)).collect(),
            };
            let list = if statement.effect == Effect::Deny { &mut denials } else { &mut allowances };
            list.push(decider);
        }
    }
    denials.truncate(MAX_SHOWN);
    allowances.truncate(MAX_SHOWN);
    if !denials.is_empty() {
        (Verdict::Denies, denials)
    } else if !allowances.is_empty() {
        (Verdict::Allows, allowances)
    } else {
        (Verdict::Silent, Vec::new())
    }
}
