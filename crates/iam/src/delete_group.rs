//! `iam:DeleteGroup`: of a group that has nothing left.

use daypass_core::model::iam::{DeleteGroupRequest, ops};
use daypass_core::store::records::{Group, Indexed as _, Reference, Target};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::delete_conflict;

operation!(DELETE_GROUP, ops::DeleteGroup, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteGroupRequest) -> Result<Checks, StoreError> {
    Ok(Group::check(cx, tx, &input.group_name)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteGroupRequest) -> Result<(), Error> {
    let group = Group::load(cx, tx, &input.group_name)?;
    let members = Reference::all(&group.account, &Target::Group(group.name.clone()));
    let conflict = if !tx.is_empty(&members)? {
        Some("Cannot delete entity, must remove users from group first.")
    } else if !group.policies.attached.is_empty() {
        Some("Cannot delete entity, must detach all policies first.")
    } else if !group.policies.inline.is_empty() {
        Some("Cannot delete entity, must delete policies first.")
    } else {
        None
    };
    match conflict {
        Some(words) => Err(delete_conflict(words).into()),
        None => Ok(group.remove(tx)?),
    }
}
