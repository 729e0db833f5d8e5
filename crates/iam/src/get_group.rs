//! `iam:GetGroup`: the group and its members, in pages.

use daypass_core::model::iam::{GetGroupRequest, GetGroupResponse, ops};
use daypass_core::store::records::{EntityKind, Group, Reference, Target, User};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::paging::Paging;
use crate::{group, user};

operation!(GET_GROUP, ops::GetGroup, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetGroupRequest) -> Result<Checks, StoreError> {
    Ok(Group::check(cx, tx, &input.group_name)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: GetGroupRequest) -> Result<GetGroupResponse, Error> {
    let group = Group::load(cx, tx, &input.group_name)?;
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let (account, members) = (cx.account(), Target::Group(group.name.clone()));
    let prefix = Reference::all_of(&account, &members, EntityKind::User);
    let key_of = |name: &str| Reference::key_of(&account, &members, EntityKind::User, name);
    let page = paging.records(tx, &prefix, key_of, |_: &Reference| true)?;
    let mut users = vec![];
    for member in page.items {
        let member = tx.get::<User>(&User::key_of(&account, &member.name))?;
        users.extend(member.as_ref().map(user::listed));
    }
    Ok(GetGroupResponse {
        group: group::listed(&group),
        users,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}
