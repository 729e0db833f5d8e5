//! Instance profiles, as answers show them.

use daypass_core::model::iam::InstanceProfile as ApiInstanceProfile;
use daypass_core::store::records::{InstanceProfile, Role};
use daypass_core::store::{Read as _, StoreError, Tx};

use crate::role;

/// The profile with its role; tags are for who asks for this one profile.
pub(crate) fn listed(tx: &Tx<'_>, profile: &InstanceProfile) -> Result<ApiInstanceProfile, StoreError> {
    let role = match &profile.role {
        Some(name) => tx.get::<Role>(&Role::key_of(&profile.account, name))?,
        None => None,
    };
    Ok(ApiInstanceProfile {
        path: profile.path.clone(),
        instance_profile_name: profile.name.clone(),
        instance_profile_id: profile.id.clone(),
        arn: profile.arn(),
        create_date: profile.created,
        roles: role.iter().map(|role| role::brief(tx, role)).collect::<Result<_, _>>()?,
        tags: None,
    })
}
