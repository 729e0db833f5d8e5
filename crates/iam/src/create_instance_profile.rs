//! `iam:CreateInstanceProfile`

use daypass_core::model::iam::{CreateInstanceProfileRequest, CreateInstanceProfileResponse, ops};
use daypass_core::store::records::{Counted, Indexed as _, InstanceProfile};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Quota, operation};

use crate::entity::{self, Entity as _};
use crate::fault::already_exists;
use crate::{instance_profile, quota, tag};

operation!(CREATE_INSTANCE_PROFILE, ops::CreateInstanceProfile, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateInstanceProfileRequest) -> Result<Checks, StoreError> {
    let path = input.path.as_deref().unwrap_or("/");
    let arn = entity::arn(cx, "instance-profile", path, &input.instance_profile_name);
    let check = Check::new("iam:CreateInstanceProfile", arn.clone());
    Ok(tag::creating(check, "iam:TagInstanceProfile", &arn, &input.tags))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateInstanceProfileRequest,
) -> Result<CreateInstanceProfileResponse, Error> {
    let tags = tag::read(input.tags)?;
    let name = input.instance_profile_name;
    if InstanceProfile::find(cx, tx, &name)?.is_some() {
        return Err(already_exists(format!("Instance Profile {name} already exists.")).into());
    }
    quota::room_for(cx, &Counted::InstanceProfiles, Quota::InstanceProfilesPerAccount)?;
    let profile = InstanceProfile {
        account: cx.account(),
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        name,
        id: cx.ids().unique_id("AIPA"),
        created: cx.now().truncated(),
        role: None,
        tags,
    };
    profile.save(tx)?;
    let mut shown = instance_profile::listed(tx, &profile)?;
    shown.tags = tag::shown_if_any(&profile.tags);
    Ok(CreateInstanceProfileResponse { instance_profile: shown })
}
