//! Policies that are asked together.

use super::certainty::Certainty;
use super::index::Index;
use super::policy::Policy;
use super::principal::MatchKind;
use super::statement::CompiledStatement;
use crate::decide::Request;
use crate::document::Effect;
use std::sync::Arc;

/// The layers of a principal's own policies.
pub(crate) mod principal_layer {
    pub(crate) const IDENTITY: u8 = 0;
    pub(crate) const BOUNDARY: u8 = 1;
    pub(crate) const SESSION: u8 = 2;
}

/// Policies in numbered layers under one index.
#[derive(Debug, Default)]
pub(crate) struct Layered {
    index: Index,
    policies: Vec<(u8, Arc<Policy>)>,
}

/// What came of asking: a denial, or what each layer allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) denied: bool,
    /// A bit for each layer that allows.
    pub(crate) allowed: u64,
    /// How the allowances name who asks.
    pub(crate) direct: bool,
    pub(crate) behind: bool,
    pub(crate) account: bool,
}

impl Scan {
    pub(crate) fn allows(&self, layer: u8) -> bool {
        self.allowed & (1 << layer) != 0
    }

    /// Whether all of the first layers allow.
    pub(crate) fn allows_all(&self, layers: u8) -> bool {
        self.allowed.count_ones() >= u32::from(layers)
    }

    fn note(&mut self, layer: u8, kind: MatchKind) {
        self.allowed |= 1 << layer;
        match kind {
            MatchKind::Direct => self.direct = true,
            MatchKind::Behind => self.behind = true,
            MatchKind::Account => self.account = true,
        }
    }
}

impl Layered {
    fn new(policies: Vec<(u8, Arc<Policy>)>) -> Self {
        let statements = policies
            .iter()
            .flat_map(|(layer, policy)| policy.statements().iter().map(|statement| (*layer, statement)));
        Self { index: Index::new(statements), policies }
    }

    /// The policies with their layers.
    pub(crate) fn policies(&self) -> &[(u8, Arc<Policy>)] {
        &self.policies
    }

    /// Which statements can match, told without matching the others.
    pub(crate) fn can_match(&self, request: &Request<'_>) -> impl Fn(&Arc<CompiledStatement>) -> bool {
        let candidates = self.index.candidates(request.action, &request.resource);
        let mut found: Vec<_> = candidates.map(|slot| Arc::as_ptr(&slot.statement)).collect();
        found.sort_unstable();
        move |statement| found.binary_search(&Arc::as_ptr(statement)).is_ok()
    }

    /// Asks the statements that can match. It stops at a denial; and does not ask for an allowance twice, save where the
    /// way in which it names the principal could be better.
    pub(crate) fn scan(&self, request: &Request<'_>, has_boundary: bool) -> Scan {
        let mut scan = Scan::default();
        for slot in self.index.candidates(request.action, &request.resource) {
            if slot.effect == Effect::Allow && scan.allows(slot.layer) && scan.direct {
                continue;
            }
            let statement = &slot.statement;
            let action =
                if slot.check_action { statement.action.matches(request.action) } else { Certainty::Yes };
            let (beside, kind) = match action {
                Certainty::No => continue,
                _ => statement.matches_beside_action(request, has_boundary),
            };
            if action.and(|| beside).counts_for(slot.effect) {
                if slot.effect == Effect::Deny {
                    scan.denied = true;
                    return scan;
                }
                scan.note(slot.layer, kind);
            }
        }
        scan
    }
}

/// Policies of which any may allow: those of a resource, or of a VPC endpoint.
#[derive(Debug)]
pub struct PolicySet(pub(crate) Layered);

impl PolicySet {
    /// A set of policies.
    pub fn new(policies: impl IntoIterator<Item = Arc<Policy>>) -> Self {
        Self(Layered::new(policies.into_iter().map(|policy| (0, policy)).collect()))
    }
}

impl From<Arc<Policy>> for PolicySet {
    fn from(policy: Arc<Policy>) -> Self {
        Self::new([policy])
    }
}

/// An organization with more levels than any has: the root, five levels of organizational units, and the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an organization has at most {MAX_LEVELS} levels of policies")]
pub struct TooManyLevels;

const MAX_LEVELS: u8 = 16;

/// The service control or resource control policies from an organization's root down to an account: at each level, one
/// must allow (`orgs_manage_policies_scps_evaluation`).
#[derive(Debug)]
pub struct Guardrails {
    pub(crate) layered: Layered,
    pub(crate) levels: Box<[Box<str>]>,
}

impl Guardrails {
    /// The levels from the root down, each with its name and what hangs on it. A level with no policies allows nothing.
    ///
    /// # Errors
    /// Where there are more than sixteen.
    pub fn new<P: IntoIterator<Item = Arc<Policy>>>(
        levels: impl IntoIterator<Item = (impl Into<Box<str>>, P)>,
    ) -> Result<Self, TooManyLevels> {
        let mut names = Vec::new();
        let mut policies = Vec::new();
        for (level, (name, own)) in (0..).zip(levels) {
            if level == MAX_LEVELS {
                return Err(TooManyLevels);
            }
            names.push(name.into());
            policies.extend(own.into_iter().map(|policy| (level, policy)));
        }
        Ok(Self { layered: Layered::new(policies), levels: names.into() })
    }

    /// How many levels there are: at most sixteen.
    pub(crate) fn count(&self) -> u8 {
        u8::try_from(self.levels.len()).unwrap_or(MAX_LEVELS)
    }
}

/// All that is attached to a principal, under one index: build it once for a principal, or for a session with its
/// session policies, and keep it until a policy changes.
#[derive(Debug, Default)]
pub struct PrincipalPolicies {
    pub(crate) layered: Layered,
    pub(crate) has_boundary: bool,
    pub(crate) has_session_policies: bool,
}

impl PrincipalPolicies {
    /// Begins with nothing attached.
    pub fn builder() -> PrincipalPoliciesBuilder {
        PrincipalPoliciesBuilder::default()
    }
}

/// Collects what is attached to a principal.
#[derive(Debug, Default)]
pub struct PrincipalPoliciesBuilder {
    policies: Vec<(u8, Arc<Policy>)>,
    has_boundary: bool,
    has_session_policies: bool,
}

impl PrincipalPoliciesBuilder {
    /// Identity-based policies, of the principal and of its groups: any may allow.
    #[must_use]
    pub fn identity(mut self, policies: impl IntoIterator<Item = Arc<Policy>>) -> Self {
        self.policies.extend(policies.into_iter().map(|policy| (principal_layer::IDENTITY, policy)));
        self
    }

    /// The permissions boundary.
    #[must_use]
    pub fn boundary(mut self, policy: Arc<Policy>) -> Self {
        self.policies.push((principal_layer::BOUNDARY, policy));
        self.has_boundary = true;
        self
    }

    /// Session policies, inline and managed: any may allow, and all that the session does one must allow. To give none is
    /// not to have any.
    #[must_use]
    pub fn session(mut self, policies: impl IntoIterator<Item = Arc<Policy>>) -> Self {
        let before = self.policies.len();
        self.policies.extend(policies.into_iter().map(|policy| (principal_layer::SESSION, policy)));
        self.has_session_policies |= self.policies.len() > before;
        self
    }

    /// Builds the index.
    pub fn build(self) -> PrincipalPolicies {
        PrincipalPolicies {
            layered: Layered::new(self.policies),
            has_boundary: self.has_boundary,
            has_session_policies: self.has_session_policies,
        }
    }
}
