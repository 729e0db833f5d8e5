//! Assuming roles: what STS does for callers, and EC2 for instances.

use std::sync::Arc;

use daypass_model::{AccountId, Timestamp};
use daypass_policy::{
    Action, Context, Document, DocumentKind, Policies, Policy, PolicySet, PolicySource, PrincipalPolicies,
    Request, Resource, ResourcePolicy, keys,
};
use daypass_store::records::{Instance, Role, RootFeature};

use crate::caller::{Caller, time};
use crate::check::Guard;
use crate::ids::Ids;
use crate::organizations::Standing;
use crate::session::{Credentials, NotIssued, Session, SessionPrincipal, SourceInstance};
use crate::state::State;
use crate::surroundings::random;

/// The service that gives instances their roles.
const EC2: &str = "ec2.amazonaws.com";
/// The service that gives sessions of root users.
pub(crate) const IAM: &str = "iam.amazonaws.com";
/// Credentials of an instance live this long: AWS's do too, and are replaced well before.
pub const INSTANCE_SESSION_SECONDS: i64 = 6 * 3600;

/// The trust policy of a role, as a check asks it; of a role that is not there, one that trusts nobody: who may not
/// assume it does not learn whether it exists.
#[must_use]
pub fn trust_of(state: &State, role: Option<&Role>) -> Guard {
    Guard::Trust(match role {
        Some(role) => state.identities.trust_policy(role),
        None => Arc::new(PolicySet::new([])),
    })
}

/// What lets the caller's account have sessions of another account's root user: nothing but the organization of both,
/// where it gives such sessions (`EnableOrganizationsRootSessions`), to its management account and to the account that
/// administers IAM for it. There is no policy to write it in; it is asked as one, so that it needs both sides.
#[must_use]
pub fn root_sessions(state: &State, from: &AccountId, target: &AccountId) -> Guard {
    let standing = |account| state.organizations.standing(account).ok().flatten();
    let organization = match (standing(from), standing(target)) {
        (Some(own), Some(other)) if own.organization.id == other.organization.id => &own.organization.clone(),
        _ => return Guard::Grants(Arc::new(PolicySet::new([]))),
    };
    let management = organization.management_account == *from;
    let delegated = standing(from).is_some_and(|own| own.delegated.iter().any(|service| service == IAM));
    let gives = organization.root_features.contains(&RootFeature::Sessions) && organization.trusts(IAM);
    if !gives || !(management || delegated) || organization.management_account == *target {
        return Guard::Grants(Arc::new(PolicySet::new([])));
    }
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{from}"}},"Action":"sts:AssumeRoot","Resource":"arn:aws:iam::{target}:root"}}]}}"#
    );
    let source = PolicySource::named(format!("centralized root access of organization {}", organization.id));
    Guard::Grants(Arc::new(PolicySet::new([Policy::compile(
        source,
        Document::load(DocumentKind::Resource, &text),
    )])))
}

/// A service that asks for a role, and on behalf of what (`aws:SourceArn`, `aws:SourceAccount`), so that a trust policy can name
/// the resources that it means. What it asks for is of the role's own account.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The service, as `s3.amazonaws.com`.
    pub service: &'static str,
    /// The session's name.
    pub session_name: &'a str,
    /// Where that is on whose behalf it asks.
    pub region: &'a str,
    /// Its ARN, and whose it is.
    pub source: (&'a str, &'a AccountId),
}

impl<'a> Asking<'a> {
    pub(crate) fn for_instance(instance: &'a Instance, arn: &'a str) -> Self {
        Self {
            service: EC2,
            session_name: &instance.id,
            region: &instance.region,
            source: (arn, &instance.account),
        }
    }
}

/// Whether the role's trust policy lets EC2 assume it for an instance.
#[must_use]
pub fn ec2_may_assume(state: &State, role: &Role, instance: &Instance) -> bool {
    may_assume(state, role, &Asking::for_instance(instance, &instance.arn())).is_ok()
}

/// Whether the role's trust policy lets a service assume it.
///
/// # Errors
/// Why not, as far as policies say; nothing where it could not be asked.
pub(crate) fn may_assume(state: &State, role: &Role, asking: &Asking<'_>) -> Result<(), Option<String>> {
    let Ok(action) = Action::new("sts:AssumeRole") else { return Err(None) };
    let arn = role.arn();
    let Ok(resource) = Resource::arn(&arn) else { return Err(None) };
    let Ok(account) = role.account.as_str().parse() else { return Err(None) };
    let caller = Caller::service(asking.service);
    let ((source_arn, source_account), now) = (asking.source, state.clock.now());
    let mut context = Context::new();
    caller.describe(now, &mut context);
    context.set(keys::CURRENT_TIME, time(now));
    context.set(keys::EPOCH_TIME, now.seconds());
    context.set(keys::SECURE_TRANSPORT, true);
    context.set(keys::VIA_AWS_SERVICE, false);
    context.set(keys::REQUESTED_REGION, asking.region);
    context.set(keys::SOURCE_ARN, source_arn);
    context.set(keys::SOURCE_ACCOUNT, source_account.as_str());
    context.set(keys::RESOURCE_ACCOUNT, role.account.as_str());
    context.set("sts:RoleSessionName", asking.session_name);
    for tag in &role.tags {
        context.set(daypass_policy::Key::tagged("aws:ResourceTag", &tag.key), tag.value.as_str());
    }
    let Ok(standing) = state.organizations.standing(&role.account) else { return Err(None) };
    if let Some(standing) = standing.as_deref() {
        if standing.closed {
            return Err(None);
        }
        context.set(keys::RESOURCE_ORG_ID, standing.organization.id.as_str());
        context.set_list(keys::RESOURCE_ORG_PATHS, [standing.path.as_str()]);
        // What it is asked for and the role are of one account.
        context.set(keys::SOURCE_ORG_ID, standing.organization.id.as_str());
        context.set_list(keys::SOURCE_ORG_PATHS, [standing.path.as_str()]);
    }
    let trust = state.identities.trust_policy(role);
    let nothing = PrincipalPolicies::builder().build();
    let request = Request::new(caller.principal(), &action, resource, &context).in_account(account);
    let mut policies = Policies::of(&nothing).resource(ResourcePolicy::Trust(&trust));
    policies.resource_control = standing.as_deref().and_then(Standing::resource_control);
    if policies.allows(&request) { Ok(()) } else { Err(Some(policies.explain(&request).to_json())) }
}

/// Credentials of an instance for the role of its profile: its own session, named by its id, with its origin sealed
/// into it. Whether EC2 may assume the role is asked before.
///
/// After a change of the role they are issued from the next second on: a revocation denies what was issued before its
/// moment, and issue times have no fractions.
///
/// # Errors
/// If the session cannot be sealed into a token.
pub fn instance_credentials(
    state: &State,
    role: &Role,
    instance: &Instance,
    role_delivery: &str,
    after_a_change: bool,
) -> Result<(Credentials, Timestamp), NotIssued> {
    let now = state.clock.now().truncated();
    let issued = if after_a_change { now.plus_seconds(1) } else { now };
    let principal = SessionPrincipal::AssumedRole {
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        session_name: instance.id.clone(),
    };
    let expires = issued.plus_seconds(INSTANCE_SESSION_SECONDS);
    let session = Session {
        instance: Some(SourceInstance {
            arn: instance.arn(),
            vpc_id: instance.network.vpc_id.clone(),
            private_ip: instance.network.private_ip,
            role_delivery: role_delivery.to_owned(),
        }),
        ..Session::plain(role.account.clone(), principal, issued, expires)
    };
    let ids = Ids::new(random(&*state.entropy));
    Ok((session.issue(&state.ring, ids.access_key_id("ASIA", &role.account))?, issued))
}
