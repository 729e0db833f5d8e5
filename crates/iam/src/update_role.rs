//! A role's description and longest session: `UpdateRole` and, older, `UpdateRoleDescription`.

use daypass_core::model::iam::{
    UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse, UpdateRoleRequest, UpdateRoleResponse, ops,
};
use daypass_core::store::Tx;
use daypass_core::store::records::{Indexed as _, Role};
use daypass_core::{Cx, Error, operation};

use crate::entity::{Entity as _, modifiable};
use crate::role;

operation!(
    UPDATE_ROLE,
    ops::UpdateRole,
    |cx, tx, input| Ok(Role::check(cx, tx, &input.role_name)?.into()),
    update
);
operation!(
    UPDATE_ROLE_DESCRIPTION,
    ops::UpdateRoleDescription,
    |cx, tx, input| Ok(Role::check(cx, tx, &input.role_name)?.into()),
    describe
);

/// Of a service-linked role only the description changes (IAM user guide, `using-service-linked-roles`).
fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdateRoleRequest) -> Result<UpdateRoleResponse, Error> {
    let mut role = Role::load(cx, tx, &input.role_name)?;
    if let Some(seconds) = input.max_session_duration {
        modifiable(&role)?;
        role.max_session_seconds = seconds;
    }
    if input.description.is_some() {
        role.description = input.description;
    }
    role.save(tx)?;
    Ok(UpdateRoleResponse {})
}

fn describe(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UpdateRoleDescriptionRequest,
) -> Result<UpdateRoleDescriptionResponse, Error> {
    let mut role = Role::load(cx, tx, &input.role_name)?;
    role.description = Some(input.description);
    role.save(tx)?;
    Ok(UpdateRoleDescriptionResponse { role: Some(role::listed(tx, &role)?) })
}
