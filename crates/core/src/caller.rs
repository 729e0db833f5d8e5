//! Who asks. A caller can only be made by those who verified a signature, or by Daypass for a service of its own.

use std::sync::Arc;

use daypass_model::{AccountId, Timestamp};
use daypass_policy::{Context, Key, Policy, Principal, PrincipalPolicies, keys};
use daypass_wire::sigv4::Verified;

use crate::delegation;
use crate::identity::{Identity, Who};
use crate::session::{FederationKey, Session, SessionPrincipal};

/// A verified caller, with everything that decides what it may do.
pub struct Caller {
    kind: CallerKind,
    principal: Principal,
    access_key_id: Option<String>,
    verified: Option<Verified>,
    policies: Arc<PrincipalPolicies>,
    /// What it may at most, where it acts for its principal.
    ceiling: Option<Arc<PrincipalPolicies>>,
}

/// What kind of caller it is.
pub enum CallerKind {
    /// Nobody: a request without a signature.
    Anonymous,
    /// A service of ours, acting for itself: EC2 that gives an instance its role.
    Service,
    /// A user, with its own key or with a session of `GetSessionToken`.
    User(Arc<Identity>, Option<Arc<Session>>),
    /// The root user of a member account, for a task of its organization's.
    Root(Arc<Session>),
    /// A session of a role.
    Role(Arc<Identity>, Arc<Session>),
    /// A federated user, with the user who made it.
    FederatedUser(Arc<Identity>, Arc<Session>),
    /// Somebody of whom a provider of an account says who it is: who asks for a role with a web identity or an assertion.
    Vouched(Box<Vouched>),
}

/// Somebody of whom an identity provider says who it is, in a token or assertion that was verified.
#[derive(Clone, Debug)]
pub struct Vouched {
    /// By what.
    pub by: VouchedBy,
    /// The account whose provider it is.
    pub account: AccountId,
    /// The provider's ARN.
    pub provider: String,
    /// The provider as audit records name it: its ARN, or the SAML name qualifier.
    pub identity_provider: String,
    /// Whom it vouches for, as audit records have it (`principalId`).
    pub principal_id: String,
    /// Its name there (`userName`).
    pub user_name: String,
}

/// What an identity provider vouches with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VouchedBy {
    /// A web identity token.
    WebIdentity,
    /// A SAML assertion.
    Saml,
}

impl Caller {
    pub(crate) fn anonymous() -> Self {
        Self::plain(CallerKind::Anonymous, Principal::anonymous())
    }

    /// A service acting for itself, as `ec2.amazonaws.com`.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self::plain(CallerKind::Service, Principal::service(name))
    }

    /// Whom an identity provider vouches for. Only who verified the token or assertion may say so.
    #[must_use]
    pub fn vouched(identity: Vouched) -> Self {
        let principal = Principal::identity_provider(&identity.provider);
        Self::plain(CallerKind::Vouched(Box::new(identity)), principal)
    }

    fn plain(kind: CallerKind, principal: Principal) -> Self {
        let policies = Arc::new(PrincipalPolicies::builder().build());
        Self { kind, principal, access_key_id: None, verified: None, policies, ceiling: None }
    }

    /// A user or role whose request was verified. `None` if the identity is not what the session says.
    pub(crate) fn verified(
        identity: Arc<Identity>,
        session: Option<Arc<Session>>,
        session_policies: Option<Vec<Arc<Policy>>>,
        verified: Verified,
    ) -> Option<Self> {
        let ceiling = delegation::ceiling_of(session.as_deref());
        let policies = match session_policies {
            Some(session) => Arc::new(identity.with_session(session)),
            None => Arc::clone(&identity.policies),
        };
        let principal = match (&identity.who, session.as_deref().map(|s| &s.principal)) {
            (Who::User(user), None) => Principal::user(&user.arn().parse().ok()?, &user.id).ok()?,
            // What such credentials cannot call, a partner's can: it makes the roles that the user let it make.
            (Who::User(user), Some(SessionPrincipal::User { .. })) if ceiling.is_some() => {
                Principal::user(&user.arn().parse().ok()?, &user.id).ok()?
            }
            (Who::User(user), Some(SessionPrincipal::User { .. })) => {
                Principal::user(&user.arn().parse().ok()?, &user.id).ok()?.with_session_token()
            }
            (Who::User(user), Some(SessionPrincipal::FederatedUser { name, .. })) => {
                let federator = Principal::user(&user.arn().parse().ok()?, &user.id).ok()?;
                Principal::federated_user(&federator, name).ok()?
            }
            (Who::Role(role), Some(SessionPrincipal::AssumedRole { session_name, .. })) => {
                Principal::role_session(&role.arn().parse().ok()?, &role.id, session_name).ok()?
            }
            _ => return None,
        };
        let federated = |s: &Session| matches!(s.principal, SessionPrincipal::FederatedUser { .. });
        let kind = match (&identity.who, session) {
            (Who::User(_), Some(session)) if federated(&session) => {
                CallerKind::FederatedUser(identity, session)
            }
            (Who::User(_), session) => CallerKind::User(identity, session),
            (Who::Role(_), Some(session)) => CallerKind::Role(identity, session),
            (Who::Role(_), None) => return None,
        };
        let access_key_id = Some(verified.access_key_id().to_owned());
        Some(Self { kind, principal, access_key_id, verified: Some(verified), policies, ceiling })
    }

    /// A session of a role that a service of ours assumed for itself. `None` if the identity is not what the session says.
    pub(crate) fn assumed_by_service(
        identity: Arc<Identity>,
        session: Arc<Session>,
        access_key_id: &str,
    ) -> Option<Self> {
        let (Who::Role(role), SessionPrincipal::AssumedRole { session_name, .. }) =
            (&identity.who, &session.principal)
        else {
            return None;
        };
        let principal = Principal::role_session(&role.arn().parse().ok()?, &role.id, session_name).ok()?;
        let policies = Arc::clone(&identity.policies);
        let access_key_id = Some(access_key_id.to_owned());
        let kind = CallerKind::Role(identity, session);
        Some(Self { kind, principal, access_key_id, verified: None, policies, ceiling: None })
    }

    /// The root user, whose session's request was verified.
    pub(crate) fn verified_root(
        session: Arc<Session>,
        task: Vec<Arc<Policy>>,
        verified: Verified,
    ) -> Option<Self> {
        let principal = Principal::root(session.account.as_str().parse().ok()?);
        let access_key_id = Some(verified.access_key_id().to_owned());
        let policies = Arc::new(PrincipalPolicies::builder().session(task).build());
        let kind = CallerKind::Root(session);
        Some(Self { kind, principal, access_key_id, verified: Some(verified), policies, ceiling: None })
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> &CallerKind {
        &self.kind
    }

    /// The principal, as policies see it.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What it may do.
    #[must_use]
    pub fn policies(&self) -> &PrincipalPolicies {
        &self.policies
    }

    /// What it may at most, whoever lets it: what a customer granted the partner that acts here.
    pub(crate) fn ceiling(&self) -> Option<&PrincipalPolicies> {
        self.ceiling.as_deref()
    }

    /// Its ARN: the user's, or the session's. Of an anonymous caller, `anonymous`.
    #[must_use]
    pub fn arn(&self) -> &str {
        self.principal.arn()
    }

    /// Its unique id, as `aws:userid` has it.
    #[must_use]
    pub fn user_id(&self) -> &str {
        self.principal.user_id()
    }

    /// Its account, if it has one.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match &self.kind {
            CallerKind::Vouched(identity) => Some(identity.account.clone()),
            _ => self.principal.account().and_then(|a| a.as_str().parse().ok()),
        }
    }

    /// The key that signed the request.
    #[must_use]
    pub fn access_key_id(&self) -> Option<&str> {
        self.access_key_id.as_deref()
    }

    /// What was verified.
    #[must_use]
    pub fn proof(&self) -> Option<&Verified> {
        self.verified.as_ref()
    }

    /// Its session, if it has one.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match &self.kind {
            CallerKind::User(_, session) => session.as_deref(),
            CallerKind::Role(_, session)
            | CallerKind::FederatedUser(_, session)
            | CallerKind::Root(session) => Some(session),
            CallerKind::Anonymous | CallerKind::Service | CallerKind::Vouched(_) => None,
        }
    }

    /// The user or role behind it.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match &self.kind {
            CallerKind::User(identity, _)
            | CallerKind::Role(identity, _)
            | CallerKind::FederatedUser(identity, _) => Some(identity),
            CallerKind::Anonymous | CallerKind::Service | CallerKind::Root(_) | CallerKind::Vouched(_) => {
                None
            }
        }
    }

    /// The name by which `LookupEvents` finds it: a user's name, or a session's.
    #[must_use]
    pub fn username(&self) -> &str {
        match (&self.kind, self.session().map(|s| &s.principal)) {
            (_, Some(SessionPrincipal::AssumedRole { session_name, .. })) => session_name,
            (_, Some(SessionPrincipal::Root { .. })) => "root",
            (_, Some(SessionPrincipal::FederatedUser { name, .. })) => name,
            (CallerKind::Vouched(identity), _) => &identity.user_name,
            (CallerKind::User(identity, _), _) => match &identity.who {
                Who::User(user) => &user.name,
                Who::Role(role) => &role.name,
            },
            _ => "",
        }
    }

    /// Sets the condition keys that follow from who asks and how it was authenticated
    /// (`reference_policies_condition-keys`, properties of the principal and of the role session).
    pub(crate) fn describe<'a>(&'a self, now: Timestamp, context: &mut Context<'a>) {
        self.principal.describe(context);
        let session = self.session();
        let own_tags = self.identity().map_or(&[][..], |identity| identity.who.tags());
        let session_tags = session.map_or(&[][..], |s| &s.tags);
        // Session tags stand over the role's own.
        let own = own_tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
        for (key, value) in own.chain(session_tags.iter().map(|(k, v)| (k.as_str(), v.as_str()))) {
            context.set(Key::tagged("aws:PrincipalTag", key), value);
        }
        if let CallerKind::Vouched(identity) = &self.kind {
            context.set(keys::FEDERATED_PROVIDER, identity.provider.as_str());
        }
        let Some(session) = session else { return };
        if matches!(session.principal, SessionPrincipal::Root { .. }) {
            context.set(keys::ASSUMED_ROOT, true);
        }
        context.set(keys::TOKEN_ISSUE_TIME, time(session.issued));
        context.set(keys::MULTI_FACTOR_AUTH_PRESENT, session.mfa.is_some());
        if let Some(mfa) = session.mfa {
            context.set(keys::MULTI_FACTOR_AUTH_AGE, now.seconds() - mfa.seconds());
        }
        if let Some(identity) = &session.source_identity {
            context.set(keys::SOURCE_IDENTITY, identity.as_str());
        }
        if let Some(federation) = &session.federation {
            context.set(keys::FEDERATED_PROVIDER, federation.provider.as_str());
            for (key, value) in &federation.keys {
                match value {
                    FederationKey::Text(text) => context.set(key.as_str(), text.as_str()),
                    FederationKey::List(list) => {
                        context.set_list(key.as_str(), list.iter().map(String::as_str));
                    }
                }
            }
        }
        if let Some(instance) = &session.instance {
            context.set(keys::EC2_SOURCE_INSTANCE_ARN, instance.arn.as_str());
            context.set(keys::EC2_ROLE_DELIVERY, instance.role_delivery.as_str());
            context.set(keys::EC2_INSTANCE_SOURCE_VPC, instance.vpc_id.as_str());
            context.set(keys::EC2_INSTANCE_SOURCE_PRIVATE_IPV4, std::net::IpAddr::V4(instance.private_ip));
        }
    }
}

/// A point in time, as policies compare it.
pub(crate) fn time(t: Timestamp) -> daypass_policy::Timestamp {
    daypass_policy::Timestamp::from_seconds(t.seconds())
}
