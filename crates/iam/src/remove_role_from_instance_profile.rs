//! `iam:RemoveRoleFromInstanceProfile`

use daypass_core::model::iam::{RemoveRoleFromInstanceProfileRequest, ops};
use daypass_core::store::records::{Indexed as _, InstanceProfile, Role};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::{Entity as _, modifiable};

operation!(REMOVE_ROLE_FROM_INSTANCE_PROFILE, ops::RemoveRoleFromInstanceProfile, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &RemoveRoleFromInstanceProfileRequest) -> Result<Checks, StoreError> {
    Ok(InstanceProfile::check(cx, tx, &input.instance_profile_name)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: RemoveRoleFromInstanceProfileRequest) -> Result<(), Error> {
    let mut profile = InstanceProfile::load(cx, tx, &input.instance_profile_name)?;
    let mut role = Role::load(cx, tx, &input.role_name)?;
    modifiable(&role)?;
    if profile.role.as_deref() != Some(role.name.as_str()) {
        // Recorded for a role that does not exist; that the same is said of one that is not in the profile is our guess.
        return Err(Role::missing(&input.role_name).into());
    }
    profile.role = None;
    role.instance_profiles.retain(|name| *name != profile.name);
    role.save(tx)?;
    Ok(profile.save(tx)?)
}
