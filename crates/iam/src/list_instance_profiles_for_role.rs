//! `iam:ListInstanceProfilesForRole`

use daypass_core::model::iam::{
    ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse, ops,
};
use daypass_core::store::records::{InstanceProfile, Role};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::instance_profile;
use crate::paging::Paging;

operation!(LIST_INSTANCE_PROFILES_FOR_ROLE, ops::ListInstanceProfilesForRole, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ListInstanceProfilesForRoleRequest) -> Result<Checks, StoreError> {
    Ok(Role::check(cx, tx, &input.role_name)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListInstanceProfilesForRoleRequest,
) -> Result<ListInstanceProfilesForRoleResponse, Error> {
    let role = Role::load(cx, tx, &input.role_name)?;
    let page = Paging::new(cx, input.marker.as_deref(), input.max_items)?.list(role.instance_profiles)?;
    let page = page.try_map(|name| {
        instance_profile::listed(tx, &InstanceProfile::load(cx, tx, &name)?).map_err(Error::from)
    })?;
    Ok(ListInstanceProfilesForRoleResponse {
        instance_profiles: page.items,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}
