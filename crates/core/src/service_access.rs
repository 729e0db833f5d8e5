//! What a service of ours may do of itself, on behalf of a resource: log delivery that writes into a bucket.

use daypass_model::AccountId;
use daypass_policy::{
    Action, Context, Policies, PolicySet, PrincipalPolicies, Request, Resource, ResourcePolicy, keys,
};

use crate::caller::{Caller, time};
use crate::organizations::Standing;
use crate::state::State;

/// What a service asks.
#[derive(Debug)]
pub struct ServiceRequest<'a> {
    /// Which service, as `logging.s3.amazonaws.com`.
    pub service: &'a str,
    /// The action.
    pub action: &'a str,
    /// The resource.
    pub resource: &'a str,
    /// Whose it is.
    pub account: &'a AccountId,
    /// The region that it is in.
    pub region: &'a str,
    /// The resource on whose behalf it is asked, and whose that is (`aws:SourceArn`, `aws:SourceAccount`).
    pub source: (&'a str, &'a AccountId),
}

/// Whether the resource's own policy lets the service do it, and no policy of its organization forbids it.
#[must_use]
pub fn service_may(state: &State, asked: &ServiceRequest<'_>, policy: &PolicySet) -> bool {
    let (Ok(action), Ok(resource)) = (Action::new(asked.action), Resource::arn(asked.resource)) else {
        return false;
    };
    let Ok(account) = asked.account.as_str().parse() else { return false };
    let caller = Caller::service(asked.service);
    let now = state.clock.now();
    let mut context = Context::new();
    caller.describe(now, &mut context);
    context.set(keys::CURRENT_TIME, time(now));
    context.set(keys::EPOCH_TIME, now.seconds());
    context.set(keys::SECURE_TRANSPORT, true);
    context.set(keys::VIA_AWS_SERVICE, false);
    context.set(keys::REQUESTED_REGION, asked.region);
    let (source, source_account) = asked.source;
    context.set(keys::SOURCE_ARN, source);
    context.set(keys::SOURCE_ACCOUNT, source_account.as_str());
    context.set(keys::RESOURCE_ACCOUNT, asked.account.as_str());
    let standing = |account| state.organizations.standing(account);
    let (Ok(own), Ok(of_source)) = (standing(asked.account), standing(source_account)) else { return false };
    if let Some(own) = own.as_deref() {
        context.set(keys::RESOURCE_ORG_ID, own.organization.id.as_str());
        context.set_list(keys::RESOURCE_ORG_PATHS, [own.path.as_str()]);
    }
    if let Some(other) = of_source.as_deref() {
        context.set(keys::SOURCE_ORG_ID, other.organization.id.as_str());
        context.set_list(keys::SOURCE_ORG_PATHS, [other.path.as_str()]);
    }
    let nothing = PrincipalPolicies::builder().build();
    let request = Request::new(caller.principal(), &action, resource, &context).in_account(account);
    let mut policies = Policies::of(&nothing).resource(ResourcePolicy::Grants(policy));
    policies.resource_control = own.as_deref().and_then(Standing::resource_control);
    policies.allows(&request)
}
