//! `iam:DeleteRole`: of a role that has nothing left.

use daypass_core::model::iam::{DeleteRoleRequest, ops};
use daypass_core::store::records::{Indexed as _, Role, RoleLastUsed, ServiceLastUsed};
use daypass_core::store::{Read as _, Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::{Entity as _, modifiable};
use crate::fault::delete_conflict;

operation!(DELETE_ROLE, ops::DeleteRole, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteRoleRequest) -> Result<Checks, StoreError> {
    Ok(Role::check(cx, tx, &input.role_name)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteRoleRequest) -> Result<(), Error> {
    let role = Role::load(cx, tx, &input.role_name)?;
    modifiable(&role)?;
    let conflict = if !role.instance_profiles.is_empty() {
        Some("Cannot delete entity, must remove roles from instance profile first.")
    } else if !role.policies.attached.is_empty() {
        Some("Cannot delete entity, must detach all policies first.")
    } else if !role.policies.inline.is_empty() {
        Some("Cannot delete entity, must delete policies first.")
    } else {
        None
    };
    if let Some(words) = conflict {
        return Err(delete_conflict(words).into());
    }
    forget_use(tx, &role)?;
    Ok(role.remove(tx)?)
}

/// What was deleted leaves no last use behind.
pub(crate) fn forget_use(tx: &mut Tx<'_>, role: &Role) -> Result<(), StoreError> {
    tx.delete(&RoleLastUsed::key_of(&role.account, &role.id));
    let uses: Vec<ServiceLastUsed> = tx.all(&ServiceLastUsed::all_of(&role.account, &role.id))?;
    for used in uses {
        tx.delete(&used.key());
    }
    Ok(())
}
