//! Who is in a group: `AddUserToGroup` and `RemoveUserFromGroup`. Both are content with what is so already (observed on
//! AWS).

use daypass_core::model::iam::{AddUserToGroupRequest, RemoveUserFromGroupRequest, ops};
use daypass_core::store::Tx;
use daypass_core::store::records::{Group, Indexed as _, User};
use daypass_core::{Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::over_quota;
use crate::quota;

operation!(
    ADD_USER_TO_GROUP,
    ops::AddUserToGroup,
    |cx, tx, input| Ok(Group::check(cx, tx, &input.group_name)?.into()),
    add
);
operation!(
    REMOVE_USER_FROM_GROUP,
    ops::RemoveUserFromGroup,
    |cx, tx, input| Ok(Group::check(cx, tx, &input.group_name)?.into()),
    remove
);

fn add(cx: &Cx, tx: &mut Tx<'_>, input: AddUserToGroupRequest) -> Result<(), Error> {
    let group = Group::load(cx, tx, &input.group_name)?;
    let mut user = User::load(cx, tx, &input.user_name)?;
    if user.groups.iter().any(|name| name.eq_ignore_ascii_case(&group.name)) {
        return Ok(());
    }
    if user.groups.len() >= quota::GROUPS_PER_USER {
        return Err(over_quota("GroupsPerUser", quota::GROUPS_PER_USER).into());
    }
    user.groups.push(group.name);
    Ok(user.save(tx)?)
}

fn remove(cx: &Cx, tx: &mut Tx<'_>, input: RemoveUserFromGroupRequest) -> Result<(), Error> {
    let group = Group::load(cx, tx, &input.group_name)?;
    let mut user = User::load(cx, tx, &input.user_name)?;
    user.groups.retain(|name| !name.eq_ignore_ascii_case(&group.name));
    Ok(user.save(tx)?)
}
