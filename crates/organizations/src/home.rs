//! The caller's organization, and what the caller's account may do in it: the management account everything, a delegated
//! administrator look at everything, any other member what the organization's resource policy grants it.

use std::sync::Arc;

use daypass_core::model::{AccountId, Enumeration};
use daypass_core::organizations::{FULL_ACCESS, policy_arn};
use daypass_core::policy::{Decision, PolicySet};
use daypass_core::store::records::{Membership, Organization, OrganizationNode, OrganizationPolicy};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Guard};

use crate::fault::{not_in_use, not_permitted};
use crate::policy;
use crate::resource_policy::ResourcePolicy;

/// The type of the policies that a request is about (Service Authorization Reference, AWS Organizations, condition keys).
pub(crate) const POLICY_TYPE: &str = "organizations:PolicyType";

/// What a resource policy can let member accounts do beside looking (Organizations user guide,
/// `orgs_delegate_policies`, supported actions).
const DELEGABLE: [&str; 9] = [
    "AttachPolicy",
    "CreatePolicy",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "TagResource",
    "UntagResource",
    "UpdatePolicy",
];

/// The questions of an operation on what has these ids.
pub(crate) fn checks(cx: &Cx, tx: &Tx<'_>, ids: &[&str]) -> Result<Checks, StoreError> {
    checks_with(cx, tx, ids, |check| check)
}

/// The same with more to say of each.
pub(crate) fn checks_with(
    cx: &Cx,
    tx: &Tx<'_>,
    ids: &[&str],
    say: impl Fn(Check) -> Check,
) -> Result<Checks, StoreError> {
    let mut list = questions(cx, tx, ids)?.into_iter();
    let first = list.next().unwrap_or_else(|| Check::on_all(cx.operation().action));
    Ok(Checks::from(say(first)).and_all(list.map(say)))
}

/// The questions of an operation on policies of the type that it names.
pub(crate) fn checks_of_type(
    cx: &Cx,
    tx: &Tx<'_>,
    ids: &[&str],
    kind: impl Enumeration,
) -> Result<Checks, StoreError> {
    checks_with(cx, tx, ids, |check| check.with(POLICY_TYPE, kind.as_str()))
}

/// A question for each of them; one about everything where there is none. Where one of them is a policy, its type is told
/// with all: what it is attached to is asked about with the policy.
fn questions(cx: &Cx, tx: &Tx<'_>, ids: &[&str]) -> Result<Vec<Check>, StoreError> {
    let action = cx.operation().action;
    let Some(organization) = organization_of(tx, &cx.account())?.filter(|_| !ids.is_empty()) else {
        return Ok(vec![Check::on_all(action)]);
    };
    let mut kind = None;
    for id in ids {
        kind = kind.or(policy::kind_of(tx, &organization, id)?);
    }
    let mut list = vec![];
    for id in ids {
        let arn = arn(tx, &organization, id)?;
        let mut check = Check::new(action, arn).with_some(POLICY_TYPE, kind.map(policy::name_of));
        if let Some(node) = tx.get::<OrganizationNode>(&OrganizationNode::key_of(&organization.id, id))? {
            check = check.resource_tags(&node.tags);
        } else if let Some(policy) =
            tx.get::<OrganizationPolicy>(&OrganizationPolicy::key_of(&organization.id, id))?
        {
            check = check.resource_tags(&policy.tags);
        }
        list.push(check);
    }
    Ok(list)
}

/// The ARN of what has this id in an organization, whether it is there or not.
pub(crate) fn arn(tx: &Tx<'_>, organization: &Organization, id: &str) -> Result<String, StoreError> {
    let Organization { id: own, management_account, .. } = organization;
    let kind = match id.split('-').next() {
        Some("r") => "root",
        Some("ou") => "ou",
        Some("rp") => "resourcepolicy",
        Some("h") => "handshake",
        Some("p") => {
            if let Some(full) = FULL_ACCESS.iter().find(|full| full.id == id) {
                return Ok(full.arn.to_owned());
            }
            let policy = tx.get::<OrganizationPolicy>(&OrganizationPolicy::key_of(own, id))?;
            if let Some(policy) = policy {
                return Ok(policy_arn(organization, &policy));
            }
            "policy"
        }
        _ => "account",
    };
    Ok(format!("arn:aws:organizations::{management_account}:{kind}/{own}/{id}"))
}

/// The organization of an account, if it is in one.
pub(crate) fn organization_of(tx: &Tx<'_>, account: &AccountId) -> Result<Option<Organization>, StoreError> {
    let Some(membership) = tx.get::<Membership>(&Membership::key_of(account))? else { return Ok(None) };
    tx.get::<Organization>(&Organization::key_of(&membership.organization))
}

/// The caller's organization, whatever the caller is in it.
///
/// # Errors
/// If it is in none.
pub(crate) fn any(cx: &Cx, tx: &Tx<'_>) -> Result<Organization, Error> {
    organization_of(tx, &cx.account())?.ok_or_else(|| not_in_use().into())
}

/// The organization that the caller's account manages.
///
/// # Errors
/// If it is in none, or manages none.
pub(crate) fn managed(cx: &Cx, tx: &Tx<'_>) -> Result<Organization, Error> {
    let organization = any(cx, tx)?;
    if organization.management_account == cx.account() {
        Ok(organization)
    } else {
        Err(not_permitted().into())
    }
}

/// The caller's organization, where the caller may do in it what the operation asks: as the management account, as a
/// delegated administrator that only looks, or by the resource policy. The questions are the ones that the gate asked, with
/// everything that they say: a condition of the resource policy has to see what one of the caller's own policies sees.
///
/// # Errors
/// If it is in none, or may not.
pub(crate) fn delegated(cx: &Cx, tx: &Tx<'_>, checks: Checks) -> Result<Organization, Error> {
    let (organization, own) = (any(cx, tx)?, cx.account());
    if organization.management_account == own {
        return Ok(organization);
    }
    let name = cx.operation().name;
    let looks = name.starts_with("Describe") || name.starts_with("List");
    let node = tx.get::<OrganizationNode>(&OrganizationNode::key_of(&organization.id, own.as_str()))?;
    let registered = node.and_then(|node| node.account).is_some_and(|account| !account.delegated.is_empty());
    let policy = tx.get::<ResourcePolicy>(&ResourcePolicy::key_of(&organization.id))?;
    let nothing = || Arc::new(PolicySet::new([]));
    let guard = Guard::Grants(policy.map_or_else(nothing, |policy| policy.compiled()));
    let mut questions = checks.into_iter().peekable();
    let asks = questions.peek().is_some();
    let granted = questions.all(|check| {
        let check = check.of_account(organization.management_account.clone()).guarded_by(guard.clone());
        match cx.decide(&check) {
            Decision::Allowed => looks || DELEGABLE.contains(&name),
            // A delegated administrator looks without being let in, unless the policy keeps it out.
            Decision::ImplicitDeny => looks && registered,
            Decision::ExplicitDeny => false,
        }
    });
    if asks && granted { Ok(organization) } else { Err(not_permitted().into()) }
}
