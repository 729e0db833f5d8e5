//! `iam:AddRoleToInstanceProfile`: who puts a role on instances passes it to EC2.

use daypass_core::model::iam::{AddRoleToInstanceProfileRequest, ops};
use daypass_core::store::records::{Indexed as _, InstanceProfile, Role};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};

use crate::entity::{Entity as _, modifiable};
use crate::fault::over_quota;
use crate::quota;

operation!(ADD_ROLE_TO_INSTANCE_PROFILE, ops::AddRoleToInstanceProfile, checks, run);

/// To whom the role is passed (`iam:PassedToService`).
const EC2: &str = "ec2.amazonaws.com";

fn checks(cx: &Cx, tx: &Tx<'_>, input: &AddRoleToInstanceProfileRequest) -> Result<Checks, StoreError> {
    let profile = InstanceProfile::check(cx, tx, &input.instance_profile_name)?;
    let pass = match Role::find(cx, tx, &input.role_name)? {
        Some(role) => Check::new("iam:PassRole", role.arn()).resource_tags(&role.tags),
        None => Check::new("iam:PassRole", Role::arn_of(cx, &input.role_name)),
    };
    Ok(Checks::from(profile).and(pass.with("iam:PassedToService", EC2)))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: AddRoleToInstanceProfileRequest) -> Result<(), Error> {
    let mut profile = InstanceProfile::load(cx, tx, &input.instance_profile_name)?;
    let mut role = Role::load(cx, tx, &input.role_name)?;
    modifiable(&role)?;
    if profile.role.is_some() {
        let limit = quota::ROLES_PER_INSTANCE_PROFILE;
        return Err(over_quota("InstanceSessionsPerInstanceProfile", limit).into());
    }
    if role.instance_profiles.len() >= quota::INSTANCE_PROFILES_PER_ROLE {
        return Err(over_quota("InstanceProfilesPerRole", quota::INSTANCE_PROFILES_PER_ROLE).into());
    }
    role.instance_profiles.push(profile.name.clone());
    profile.role = Some(role.name.clone());
    role.save(tx)?;
    Ok(profile.save(tx)?)
}
