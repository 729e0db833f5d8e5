//! `iam:DeleteInstanceProfile`: of a profile without a role.

use daypass_core::model::iam::{DeleteInstanceProfileRequest, ops};
use daypass_core::store::records::{Indexed as _, InstanceProfile};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::delete_conflict;

operation!(DELETE_INSTANCE_PROFILE, ops::DeleteInstanceProfile, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteInstanceProfileRequest) -> Result<Checks, StoreError> {
    Ok(InstanceProfile::check(cx, tx, &input.instance_profile_name)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteInstanceProfileRequest) -> Result<(), Error> {
    let profile = InstanceProfile::load(cx, tx, &input.instance_profile_name)?;
    if profile.role.is_some() {
        let words = "Cannot delete entity, must remove roles from instance profile first.";
        return Err(delete_conflict(words).into());
    }
    Ok(profile.remove(tx)?)
}
