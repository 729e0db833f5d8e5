//! `ListUsers`, `ListGroups`, `ListRoles` and `ListInstanceProfiles`.

use daypass_core::model::iam::{
    ListGroupsResponse, ListInstanceProfilesResponse, ListRolesResponse, ListUsersResponse, ops,
};
use daypass_core::store::records::{Group, InstanceProfile, Role, User};
use daypass_core::{Check, Checks, Cx, operation};

use crate::entity;
use crate::paging::{Page, Paging};
use crate::{group, instance_profile, role, user};

/// `list!(entry = operation, record, kind in ARNs, answer with its member, what shows a record);`
macro_rules! list {
    ($entry:ident = $Operation:ident, $record:ident, $kind:literal, $Response:ident { $member:ident }, $show:expr) => {
        operation!(
            $entry,
            ops::$Operation,
            |cx, _, input| Ok(checks(cx, $kind, input.path_prefix.as_deref())),
            |cx, tx, input| {
                let account = cx.account();
                let prefix = input.path_prefix.as_deref().unwrap_or("/");
                let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
                let key_of = |name: &str| $record::key_of(&account, name);
                let page = paging.records(tx, &$record::all(&account), key_of, |record: &$record| {
                    record.path.starts_with(prefix)
                })?;
                let Page { items, is_truncated, marker } = page.try_map(|record| $show(&*tx, &record))?;
                Ok($Response { $member: items, is_truncated, marker })
            }
        );
    };
}

list!(LIST_USERS = ListUsers, User, "user", ListUsersResponse { users }, |_, record| Ok::<
    _,
    daypass_core::Error,
>(user::listed(record)));
list!(LIST_GROUPS = ListGroups, Group, "group", ListGroupsResponse { groups }, |_, record| Ok::<
    _,
    daypass_core::Error,
>(group::listed(
    record
)));
list!(LIST_ROLES = ListRoles, Role, "role", ListRolesResponse { roles }, role::listed);
list!(
    LIST_INSTANCE_PROFILES = ListInstanceProfiles,
    InstanceProfile,
    "instance-profile",
    ListInstanceProfilesResponse { instance_profiles },
    instance_profile::listed
);

/// Lists are asked about by the path that they begin at: `arn:aws:iam::123456789012:role/` (AWS's refusals show it).
pub(crate) fn checks(cx: &Cx, kind: &str, path_prefix: Option<&str>) -> Checks {
    Check::new(cx.operation().action, entity::arn(cx, kind, path_prefix.unwrap_or("/"), "")).into()
}
