//! `iam:ListPolicyVersions`

use daypass_core::model::iam::{ListPolicyVersionsRequest, ListPolicyVersionsResponse, ops};
use daypass_core::store::records::ManagedPolicy;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::managed_policy::Managed;
use crate::paging::Paging;

operation!(LIST_POLICY_VERSIONS, ops::ListPolicyVersions, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ListPolicyVersionsRequest) -> Result<Checks, StoreError> {
    Ok(ManagedPolicy::check(cx, tx, &input.policy_arn)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListPolicyVersionsRequest,
) -> Result<ListPolicyVersionsResponse, Error> {
    let mut versions = Managed::load(cx, tx, &input.policy_arn)?.versions();
    for version in &mut versions {
        version.document = None;
    }
    let page = Paging::new(cx, input.marker.as_deref(), input.max_items)?.list(versions)?;
    Ok(ListPolicyVersionsResponse {
        versions: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}
