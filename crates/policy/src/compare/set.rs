//! What is compared: policies, and what they are the policies of.

use crate::arn::AccountId;
use crate::compile::CompiledStatement;
use crate::compile::{Policy, PolicySet, PrincipalPolicies};
use crate::decide::{Policies, Request, ResourcePolicy};
use crate::document::{Effect, Statement, Version};
use crate::explain::{StatementReference, Verdict};
use crate::json::Writer;
use crate::principal::PrincipalKind;
use crate::{Action, Context, Document, DocumentKind, MalformedDocument, PolicySource, Principal, Resource};
use std::sync::Arc;

/// Policies whose access is compared with that of others.
///
/// Those of a principal ([`identity`](Self::identity), also service control policies and whatever else names no
/// principals) allow what one of them allows and none denies, within a [boundary](Self::identity_within) where there is one.
/// Those of a resource ([`resource`](Self::resource), also trust policies) allow it to principals: the comparison asks
/// what a principal may do whose own policies, in an account of its own, allow everything.
#[derive(Debug)]
pub struct ComparedPolicies {
    layers: Vec<Vec<Arc<Policy>>>,
    evaluator: Evaluator,
}

#[derive(Debug)]
enum Evaluator {
    Identity(PrincipalPolicies),
    Resource { policies: PolicySet, limits: PrincipalPolicies },
}

/// Actions on resources, as [`grants`](super::grants) asks for them: as they would be written in a policy. No actions means
/// any, no resources too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access<'t> {
    /// The actions.
    pub actions: &'t [&'t str],
    /// The resources.
    pub resources: &'t [&'t str],
}

/// A policy that allows just this.
pub(super) fn limit<'t>(
    access: impl IntoIterator<Item = Access<'t>>,
) -> Result<Arc<Policy>, MalformedDocument> {
    let mut writer = Writer::default();
    writer.object(|o| {
        o.key("Version").text("2012-10-17");
        o.key("Statement").list(access, |o, access: Access<'t>| {
            let all = |list: &'t [&'t str]| if list.is_empty() { &["*"] } else { list };
            o.object(|o| {
                o.key("Effect").text("Allow");
                o.key("Action").list(all(access.actions), |o, action| o.text(action));
                o.key("Resource").list(all(access.resources), |o, resource| o.text(resource));
            });
        });
    });
    let document = Document::parse(DocumentKind::Managed, &writer.finish())?;
    Ok(Policy::compile(PolicySource::named("the access that is asked for"), document))
}

/// A statement and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) policy: Arc<Policy>,
    /// Its place in the document, from zero.
    pub(super) number: usize,
    /// The layer that it allows in.
    pub(super) layer: usize,
}

impl ComparedPolicies {
    /// Policies of a principal: any may allow.
    pub fn identity(policies: impl IntoIterator<Item = Arc<Policy>>) -> Self {
        let policies: Vec<_> = policies.into_iter().collect();
        let attached = PrincipalPolicies::builder().identity(policies.iter().cloned()).build();
        Self { layers: vec![policies], evaluator: Evaluator::Identity(attached) }
    }

    /// Policies of a resource, or the trust policy of a role.
    pub fn resource(policies: impl IntoIterator<Item = Arc<Policy>>) -> Self {
        let policies: Vec<_> = policies.into_iter().collect();
        let set = PolicySet::new(policies.iter().cloned());
        let limits = PrincipalPolicies::builder().identity([everything()]).build();
        Self { layers: vec![policies], evaluator: Evaluator::Resource { policies: set, limits } }
    }

    /// Policies of a principal within a permissions boundary: both must allow (`access_policies_boundaries`).
    pub fn identity_within(policies: impl IntoIterator<Item = Arc<Policy>>, boundary: Arc<Policy>) -> Self {
        let mut own = Self::identity(policies);
        own.layers.push(vec![boundary]);
        own.evaluator = Evaluator::Identity(own.attached(None));
        own
    }

    /// The same, where another policy must allow too.
    #[must_use]
    pub(super) fn limited(mut self, limit: Arc<Policy>) -> Self {
        let attached = self.attached(Some(&limit));
        self.evaluator = match self.evaluator {
            Evaluator::Identity(_) => Evaluator::Identity(attached),
            Evaluator::Resource { policies, .. } => Evaluator::Resource { policies, limits: attached },
        };
        self.layers.push(vec![limit]);
        self
    }

    /// No policies, of the same kind.
    pub(super) fn nothing(&self) -> Self {
        if self.has_principals() { Self::resource([]) } else { Self::identity([]) }
    }

    /// The layers as the evaluator knows them. A limit is a session policy there: it must allow, and is nothing else.
    fn attached(&self, limit: Option<&Arc<Policy>>) -> PrincipalPolicies {
        let mut layers = self.layers.iter();
        let identity = layers.next().cloned().unwrap_or_default();
        let is_resource = matches!(self.evaluator, Evaluator::Resource { .. });
        let mut attached =
            PrincipalPolicies::builder().identity(if is_resource { vec![everything()] } else { identity });
        for boundary in layers.flatten() {
            attached = attached.boundary(Arc::clone(boundary));
        }
        attached.session(limit.cloned()).build()
    }

    pub(super) fn has_principals(&self) -> bool {
        matches!(self.evaluator, Evaluator::Resource { .. })
    }

    pub(super) fn layers(&self) -> usize {
        self.layers.len()
    }

    pub(super) fn statements(&self) -> impl Iterator<Item = Source> + '_ {
        self.layers.iter().enumerate().flat_map(|(layer, policies)| {
            policies.iter().flat_map(move |policy| {
                let numbers = 0..policy.statements().len();
                numbers.map(move |number| Source { policy: Arc::clone(policy), number, layer })
            })
        })
    }

    /// What the evaluator of requests says.
    pub(super) fn allows(
        &self,
        principal: &Principal,
        action: &Action<'_>,
        resource: Resource<'_>,
        context: &Context<'_>,
    ) -> bool {
        let request = Request::new(principal, action, resource, context);
        let granted = self.ask(request, |policies, request| policies.allows(request));
        let is_resource = self.has_principals();
        granted && (!is_resource || self.limited_allows(principal, action, resource, context))
    }

    /// The statements that deny a request.
    pub(super) fn denials(&self, request: Request<'_>) -> Vec<StatementReference> {
        let explanation = self.ask(request, |policies, request| policies.explain(request));
        let denies = explanation.layers.into_iter().filter(|layer| layer.verdict == Verdict::Denies);
        denies.flat_map(|layer| layer.deciders).map(|decider| decider.statement).collect()
    }

    fn ask<T>(&self, request: Request<'_>, answer: impl FnOnce(&Policies<'_>, &Request<'_>) -> T) -> T {
        match &self.evaluator {
            Evaluator::Identity(attached) => answer(&Policies::of(attached), &request),
            Evaluator::Resource { policies, limits } => {
                let owner = other_account(request.principal);
                let request = owner.map_or(request, |owner| request.in_account(owner));
                answer(&Policies::of(limits).resource(ResourcePolicy::Grants(policies)), &request)
            }
        }
    }

    /// Root users and principals of no account have no policies, so that the evaluator does not ask the limits.
    fn limited_allows(
        &self,
        principal: &Principal,
        action: &Action<'_>,
        resource: Resource<'_>,
        context: &Context<'_>,
    ) -> bool {
        if principal.is_of_account() && principal.kind != PrincipalKind::Root {
            return true;
        }
        let limits = self.layers.get(1..).unwrap_or_default();
        let stand_in = Principal::identity_provider("limits");
        limits.iter().all(|layer| {
            let layer = PolicySet::new(layer.iter().map(as_resource_policy));
            let nobody = PrincipalPolicies::default();
            let request = Request::new(&stand_in, action, resource, context);
            Policies::of(&nobody).resource(ResourcePolicy::Grants(&layer)).allows(&request)
        })
    }
}

/// The same policy, taken for one of a resource: its statements are about everyone.
fn as_resource_policy(policy: &Arc<Policy>) -> Arc<Policy> {
    let mut document = policy.document().clone();
    document.kind = DocumentKind::VpcEndpoint;
    Policy::compile(policy.source().clone(), document)
}

/// An account that the principal is not of.
fn other_account(principal: &Principal) -> Option<AccountId> {
    let accounts = ["000000000000", "000000000001"];
    let other = |account: &&str| principal.account().is_none_or(|own| own.as_str() != *account);
    accounts.iter().find(|account| other(account)).and_then(|account| account.parse().ok())
}

fn everything() -> Arc<Policy> {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    Policy::compile(PolicySource::named("everything"), Document::load(DocumentKind::Managed, text))
}

impl Source {
    pub(super) fn compiled(&self) -> Option<&CompiledStatement> {
        self.policy.statements().get(self.number).map(|statement| &**statement)
    }

    pub(super) fn written(&self) -> Option<&Statement> {
        self.policy.document().statements.get(self.number)
    }

    pub(super) fn effect(&self) -> Effect {
        self.compiled().map_or(Effect::Deny, |statement| statement.effect)
    }

    /// Whether `${…}` is a variable in it.
    pub(super) fn has_variables(&self) -> bool {
        self.policy.document().effective_version() == Version::V2012
    }
}
