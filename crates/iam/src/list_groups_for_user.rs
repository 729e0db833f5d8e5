//! `iam:ListGroupsForUser`

use daypass_core::model::iam::{ListGroupsForUserRequest, ListGroupsForUserResponse, ops};
use daypass_core::store::records::{Group, User};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::group;
use crate::paging::Paging;

operation!(LIST_GROUPS_FOR_USER, ops::ListGroupsForUser, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ListGroupsForUserRequest) -> Result<Checks, StoreError> {
    Ok(User::check(cx, tx, &input.user_name)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListGroupsForUserRequest,
) -> Result<ListGroupsForUserResponse, Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    let mut groups = vec![];
    for name in &user.groups {
        groups.extend(Group::find(cx, tx, name)?.as_ref().map(group::listed));
    }
    let page = Paging::new(cx, input.marker.as_deref(), input.max_items)?.list(groups)?;
    Ok(ListGroupsForUserResponse { groups: page.items, is_truncated: page.is_truncated, marker: page.marker })
}
