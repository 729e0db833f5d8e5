//! The root and the types of policies that are enabled in it: `ListRoots`, `EnablePolicyType`, `DisablePolicyType`.

use daypass_core::model::organizations::{
    DisablePolicyTypeRequest, DisablePolicyTypeResponse, EnablePolicyTypeRequest, EnablePolicyTypeResponse,
    ListRootsRequest, ListRootsResponse, PolicyType, Root, ops,
};
use daypass_core::organizations::FULL_ACCESS;
use daypass_core::store::records::{Organization, OrganizationPolicy};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::fault::{no_root, type_already_enabled, type_not_available, type_not_enabled};
use crate::node::{self, Kind};
use crate::paging::page;
use crate::{home, policy};

operation!(LIST_ROOTS, ops::ListRoots, |cx, tx, _| home::checks(cx, tx, &[]), list);
operation!(
    ENABLE_POLICY_TYPE,
    ops::EnablePolicyType,
    |cx, tx, input| checks(cx, tx, &input.root_id, input.policy_type),
    enable
);
operation!(
    DISABLE_POLICY_TYPE,
    ops::DisablePolicyType,
    |cx, tx, input| checks(cx, tx, &input.root_id, input.policy_type),
    disable
);

fn checks(cx: &Cx, tx: &Tx<'_>, root: &str, kind: PolicyType) -> Result<Checks, StoreError> {
    home::checks_of_type(cx, tx, &[root], kind)
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListRootsRequest) -> Result<ListRootsResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[])?)?;
    let root = node::load(tx, &organization, &organization.root_id, &[Kind::Root], no_root)?;
    let roots = vec![(root.id.clone(), node::root(&organization, &root))];
    let (roots, next_token) = page(cx, roots, input.next_token.as_deref(), input.max_results)?;
    Ok(ListRootsResponse { roots: Some(roots), next_token })
}

fn enable(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: EnablePolicyTypeRequest,
) -> Result<EnablePolicyTypeResponse, Error> {
    let mut organization = home::delegated(cx, tx, checks(cx, tx, &input.root_id, input.policy_type)?)?;
    node::load(tx, &organization, &input.root_id, &[Kind::Root], no_root)?;
    let kind = policy::known(input.policy_type)?;
    if !organization.all_features {
        return Err(type_not_available().into());
    }
    if organization.enables(kind) {
        return Err(type_already_enabled().into());
    }
    organization.policy_types.push(kind);
    organization.policy_types.sort();
    // What is enabled begins by allowing everything, everywhere.
    let full = FULL_ACCESS.iter().find(|full| full.kind == kind);
    for mut node in node::all(tx, &organization)? {
        node.policies.extend(full.map(|full| full.id.to_owned()));
        tx.put(&node)?;
    }
    tx.put(&organization)?;
    Ok(EnablePolicyTypeResponse { root: Some(shown(tx, &organization)?) })
}

fn shown(tx: &Tx<'_>, organization: &Organization) -> Result<Root, Error> {
    let root = node::load(tx, organization, &organization.root_id, &[Kind::Root], no_root)?;
    Ok(node::root(organization, &root))
}

/// Everything of the type is detached; the policies stay, and are attached to nothing when it is enabled again.
fn disable(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DisablePolicyTypeRequest,
) -> Result<DisablePolicyTypeResponse, Error> {
    let mut organization = home::delegated(cx, tx, checks(cx, tx, &input.root_id, input.policy_type)?)?;
    node::load(tx, &organization, &input.root_id, &[Kind::Root], no_root)?;
    let kind = policy::known(input.policy_type)?;
    if !organization.enables(kind) {
        return Err(type_not_enabled().into());
    }
    organization.policy_types.retain(|enabled| *enabled != kind);
    let policies = tx.all::<OrganizationPolicy>(&OrganizationPolicy::all(&organization.id))?;
    let own = policies.iter().filter(|policy| policy.kind == kind).map(|policy| policy.id.as_str());
    let full = FULL_ACCESS.iter().filter(|full| full.kind == kind).map(|full| full.id);
    let gone: Vec<&str> = own.chain(full).collect();
    for mut node in node::all(tx, &organization)? {
        node.policies.retain(|id| !gone.contains(&id.as_str()));
        tx.put(&node)?;
    }
    tx.put(&organization)?;
    Ok(DisablePolicyTypeResponse { root: Some(shown(tx, &organization)?) })
}
