//! Decisions: one request, every layer of policies that applies to it.

mod conclude;
mod exceptions;
mod findings;

pub(crate) use conclude::{Cause, Conclusion, conclude};
pub(crate) use exceptions::Exception;
pub(crate) use findings::{Applies, Findings, NotAsked};

use crate::action::Action;
use crate::arn::AccountId;
use crate::compile::{Guardrails, PolicySet, PrincipalPolicies};
use crate::context::Context;
use crate::principal::Principal;
use crate::resource::Resource;

/// One question: may this principal do this to that, under these circumstances?
///
/// A call that touches several resources is several requests, each with the keys of its own resource:
/// [`Policies::decide_all`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// For what.
    pub action: &'a Action<'a>,
    /// On what.
    pub resource: Resource<'a>,
    /// Whose resource that is.
    pub resource_account: Option<AccountId>,
    /// Under which circumstances.
    pub context: &'a Context<'a>,
}

impl<'a> Request<'a> {
    /// A request on a resource of the principal's own account.
    pub fn new(
        principal: &'a Principal,
        action: &'a Action<'a>,
        resource: Resource<'a>,
        context: &'a Context<'a>,
    ) -> Self {
        Self { principal, action, resource, resource_account: principal.account().copied(), context }
    }

    /// The same on a resource of this account.
    #[must_use]
    pub fn in_account(mut self, account: AccountId) -> Self {
        self.resource_account = Some(account);
        self
    }

    /// Whether the resource belongs to the principal's account.
    pub(crate) fn is_same_account(&self) -> bool {
        self.resource_account.as_ref() == self.principal.account()
    }
}

/// The policy of the resource, and what it counts for.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum ResourcePolicy<'a> {
    /// The resource has none.
    #[default]
    None,
    /// It grants on its own, as that of a bucket or a queue.
    Grants(&'a PolicySet),
    /// Nobody has access without it, not even the account's own principals: that of a KMS key. `None` is a resource that
    /// lacks the policy it needs.
    Required(Option<&'a PolicySet>),
    /// The trust policy of a role, required likewise.
    Trust(&'a PolicySet),
}

impl<'a> ResourcePolicy<'a> {
    pub(crate) fn set(&self) -> Option<&'a PolicySet> {
        match *self {
            Self::None => None,
            Self::Grants(set) | Self::Trust(set) => Some(set),
            Self::Required(set) => set,
        }
    }

    pub(crate) fn is_required(&self) -> bool {
        matches!(self, Self::Required(_) | Self::Trust(_))
    }
}

/// Every layer of policies that a request meets.
///
/// ```
/// use daypass_policy::{Action, Context, Document, DocumentKind, Policies, Policy, PolicySource, Principal, PrincipalPolicies,
///     Request, Resource};
///
/// let document = Document::parse(DocumentKind::Inline, r#"{
///     "Version": "2012-10-17",
///     "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/${aws:username}/*"}
/// }"#).unwrap();
/// let attached = PrincipalPolicies::builder()
///     .identity([Policy::compile(PolicySource::named("inline policy home of user alice"), document)])
///     .build();
///
/// let alice = Principal::user(&"arn:aws:iam::111122223333:user/alice".parse().unwrap(), "AIDAEXAMPLE").unwrap();
/// let mut context = Context::new();
/// alice.describe(&mut context);
/// let action = Action::new("s3:GetObject").unwrap();
/// let own = Resource::arn("arn:aws:s3:::b/alice/letter").unwrap();
/// let other = Resource::arn("arn:aws:s3:::b/bob/letter").unwrap();
///
/// let policies = Policies::of(&attached);
/// assert!(policies.allows(&Request::new(&alice, &action, own, &context)));
/// assert!(!policies.allows(&Request::new(&alice, &action, other, &context)));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Policies<'a> {
    /// What is attached to the principal.
    pub principal: &'a PrincipalPolicies,
    /// The resource's policy.
    pub resource: ResourcePolicy<'a>,
    /// The service control policies of the principal's account; none for an account outside an organization, and none for
    /// the organization's management account.
    pub service_control: Option<&'a Guardrails>,
    /// The resource control policies of the resource's account; none likewise, and none for keys that AWS manages.
    pub resource_control: Option<&'a Guardrails>,
    /// The policies of the VPC endpoint that the request came through.
    pub endpoint: Option<&'a PolicySet>,
}

/// What comes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It may be done.
    Allowed,
    /// Nothing allows it, or a layer that must does not.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

impl Decision {
    /// Whether it may be done.
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }

    /// As AWS's simulator spells it: `allowed`, `implicitDeny`, `explicitDeny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ImplicitDeny => "implicitDeny",
            Self::ExplicitDeny => "explicitDeny",
        }
    }
}

impl<'a> Policies<'a> {
    /// Only what is attached to the principal; the other layers are set on the result.
    pub fn of(principal: &'a PrincipalPolicies) -> Self {
        Self {
            principal,
            resource: ResourcePolicy::None,
            service_control: None,
            resource_control: None,
            endpoint: None,
        }
    }

    /// With the resource's policy.
    #[must_use]
    pub fn resource(mut self, policy: ResourcePolicy<'a>) -> Self {
        self.resource = policy;
        self
    }

    /// With the service control policies of the principal's account.
    #[must_use]
    pub fn service_control(mut self, levels: &'a Guardrails) -> Self {
        self.service_control = Some(levels);
        self
    }

    /// With the resource control policies of the resource's account.
    #[must_use]
    pub fn resource_control(mut self, levels: &'a Guardrails) -> Self {
        self.resource_control = Some(levels);
        self
    }

    /// With the policies of the VPC endpoint that the request came through.
    #[must_use]
    pub fn endpoint(mut self, policies: &'a PolicySet) -> Self {
        self.endpoint = Some(policies);
        self
    }

    /// Decides. It allocates nothing, save where a pattern of more than 64 bytes between two `*` holds `?` or a variable.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let applies = Applies::to(self, request);
        let exception = Exception::of(request);
        if exception == Some(Exception::AlwaysAllowed) {
            return Decision::Allowed;
        }
        match Findings::until_denied(self, request, &applies) {
            Some(findings) => conclude(self, request, &applies, exception, &findings).decision,
            None => Decision::ExplicitDeny,
        }
    }

    /// Whether the request is allowed.
    pub fn allows(&self, request: &Request<'_>) -> bool {
        self.decide(request).is_allowed()
    }

    /// Decides a call that touches several resources: all must be allowed. The index is that of the request that decided:
    /// the first explicit denial, else the first that nothing allows. (`reference_policies_elements_condition_operators`,
    /// IfExists, RunInstances)
    ///
    /// # Errors
    /// The first request that is not allowed, by its place in the list, and the decision.
    pub fn decide_all(&self, requests: &[Request<'_>]) -> Result<(), (usize, Decision)> {
        let mut lacking = None;
        for (index, request) in requests.iter().enumerate() {
            match self.decide(request) {
                Decision::Allowed => (),
                Decision::ExplicitDeny => return Err((index, Decision::ExplicitDeny)),
                Decision::ImplicitDeny => lacking = lacking.or(Some(index)),
            }
        }
        lacking.map_or(Ok(()), |index| Err((index, Decision::ImplicitDeny)))
    }
}
