//! `iam:GetInstanceProfile`

use daypass_core::model::iam::{GetInstanceProfileRequest, GetInstanceProfileResponse, ops};
use daypass_core::store::records::InstanceProfile;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::{instance_profile, tag};

operation!(GET_INSTANCE_PROFILE, ops::GetInstanceProfile, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetInstanceProfileRequest) -> Result<Checks, StoreError> {
    Ok(InstanceProfile::check(cx, tx, &input.instance_profile_name)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetInstanceProfileRequest,
) -> Result<GetInstanceProfileResponse, Error> {
    let profile = InstanceProfile::load(cx, tx, &input.instance_profile_name)?;
    let mut shown = instance_profile::listed(tx, &profile)?;
    shown.tags = Some(tag::shown(&profile.tags));
    Ok(GetInstanceProfileResponse { instance_profile: shown })
}
