//! `iam:ListPolicies`: the account's own, then AWS's.

use daypass_core::model::iam::{
    ListPoliciesRequest, ListPoliciesResponse, Policy as ApiPolicy, PolicyScopeType, PolicyUsageType, ops,
};
use daypass_core::store::records::ManagedPolicy;
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{AwsManagedPolicy, Checks, Cx, Error, operation};

use crate::list_entities;
use crate::managed_policy::{Managed, Usage};
use crate::paging::{Paging, Rows};

operation!(LIST_POLICIES, ops::ListPolicies, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &ListPoliciesRequest) -> Result<Checks, StoreError> {
    Ok(list_entities::checks(cx, "policy", input.path_prefix.as_deref()))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ListPoliciesRequest) -> Result<ListPoliciesResponse, Error> {
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let scope = input.scope.unwrap_or(PolicyScopeType::All);
    let wanted =
        |managed: Managed| -> Result<Option<ApiPolicy>, StoreError> { shown(cx, tx, &input, &managed) };
    let page = paging.sections(2, |section, after, limit| match section {
        0 if scope != PolicyScopeType::AWS => Ok(own(cx, tx, after, limit, wanted)?),
        1 if scope != PolicyScopeType::Local => Ok(aws(after, limit, wanted)?),
        _ => Ok(vec![]),
    })?;
    Ok(ListPoliciesResponse {
        policies: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

fn own(
    cx: &Cx,
    tx: &Tx<'_>,
    after: Option<&str>,
    limit: usize,
    wanted: impl Fn(Managed) -> Result<Option<ApiPolicy>, StoreError>,
) -> Result<Rows<ApiPolicy>, StoreError> {
    let account = cx.account();
    let after = after.map(|name| ManagedPolicy::key_of(&account, name));
    let policies = tx.list::<ManagedPolicy>(&ManagedPolicy::all(&account), after.as_ref(), limit)?;
    policies.into_iter().map(|p| Ok((p.name.clone(), wanted(Managed::Own(p))?))).collect()
}

/// From the catalogue: its place is the ARN.
fn aws(
    after: Option<&str>,
    limit: usize,
    wanted: impl Fn(Managed) -> Result<Option<ApiPolicy>, StoreError>,
) -> Result<Rows<ApiPolicy>, StoreError> {
    let policies = AwsManagedPolicy::after(after).take(limit);
    policies.map(|policy| Ok((policy.arn.clone(), wanted(Managed::Aws(policy))?))).collect()
}

/// The policy as the answer shows it, if the filters let it through.
fn shown(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &ListPoliciesRequest,
    managed: &Managed,
) -> Result<Option<ApiPolicy>, StoreError> {
    let (arn, path) = match managed {
        Managed::Own(policy) => (policy.arn(), policy.path.clone()),
        Managed::Aws(policy) => (policy.arn.clone(), policy.path.clone()),
        Managed::Partner(boundary) => (boundary.arn(), boundary.path()),
    };
    if !path.starts_with(input.path_prefix.as_deref().unwrap_or("/")) {
        return Ok(None);
    }
    let usage = Usage::of(cx, tx, &arn)?;
    let used = match input.policy_usage_filter {
        None => input.only_attached != Some(true) || usage.attached > 0,
        Some(PolicyUsageType::PermissionsPolicy) => usage.attached > 0,
        Some(PolicyUsageType::PermissionsBoundary) => usage.boundary > 0,
    };
    Ok(used.then(|| managed.listed(usage)))
}
