//! `iam:GetRole`

use daypass_core::model::iam::{GetRoleRequest, GetRoleResponse, ops};
use daypass_core::store::records::Role;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::role;

operation!(GET_ROLE, ops::GetRole, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetRoleRequest) -> Result<Checks, StoreError> {
    Ok(Role::check(cx, tx, &input.role_name)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: GetRoleRequest) -> Result<GetRoleResponse, Error> {
    let role = Role::load(cx, tx, &input.role_name)?;
    Ok(GetRoleResponse { role: role::described(tx, &role)? })
}
