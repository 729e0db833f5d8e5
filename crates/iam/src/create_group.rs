//! `iam:CreateGroup`

use daypass_core::model::iam::{CreateGroupRequest, CreateGroupResponse, ops};
use daypass_core::store::records::{Counted, Group, Indexed as _, Policies};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Quota, operation};

use crate::entity::{self, Entity as _};
use crate::fault::already_exists;
use crate::{group, quota};

operation!(CREATE_GROUP, ops::CreateGroup, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateGroupRequest) -> Result<Checks, StoreError> {
    let path = input.path.as_deref().unwrap_or("/");
    Ok(Check::new("iam:CreateGroup", entity::arn(cx, "group", path, &input.group_name)).into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateGroupRequest) -> Result<CreateGroupResponse, Error> {
    if Group::find(cx, tx, &input.group_name)?.is_some() {
        return Err(already_exists(format!("Group with name {} already exists.", input.group_name)).into());
    }
    quota::room_for(cx, &Counted::Groups, Quota::GroupsPerAccount)?;
    let group = Group {
        account: cx.account(),
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        name: input.group_name,
        id: cx.ids().unique_id("AGPA"),
        created: cx.now().truncated(),
        policies: Policies::default(),
    };
    group.save(tx)?;
    Ok(CreateGroupResponse { group: group::listed(&group) })
}
