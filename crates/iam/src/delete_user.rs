//! `iam:DeleteUser`: of a user that has nothing left.

use daypass_core::model::iam::{DeleteUserRequest, ops};
use daypass_core::store::records::{Indexed as _, User};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::delete_conflict;

operation!(DELETE_USER, ops::DeleteUser, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteUserRequest) -> Result<Checks, StoreError> {
    Ok(User::check(cx, tx, &input.user_name)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteUserRequest) -> Result<(), Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    let conflict = if !user.policies.attached.is_empty() {
        Some("Cannot delete entity, must detach all policies first.")
    } else if !user.policies.inline.is_empty() {
        Some("Cannot delete entity, must delete policies first.")
    } else if !user.groups.is_empty() {
        Some("Cannot delete entity, must remove users from group first.")
    } else if !user.access_keys.is_empty() {
        Some("Cannot delete entity, must delete access keys first.")
    } else {
        None
    };
    match conflict {
        Some(words) => Err(delete_conflict(words).into()),
        None => Ok(user.remove(tx)?),
    }
}
