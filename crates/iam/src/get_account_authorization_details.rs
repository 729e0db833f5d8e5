//! `iam:GetAccountAuthorizationDetails`: everybody, and what everybody may do, in pages.

use daypass_core::model::iam::{
    EntityType, GetAccountAuthorizationDetailsRequest, GetAccountAuthorizationDetailsResponse, GroupDetail,
    ManagedPolicyDetail, PolicyDetail, RoleDetail, UserDetail, ops,
};
use daypass_core::store::records::{Group, InstanceProfile, ManagedPolicy, Policies, Role, User};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{AwsManagedPolicy, Check, Checks, Cx, Error, operation};

use crate::managed_policy::{Managed, Usage};
use crate::paging::{Paging, Rows, rows};
use crate::{attachment, boundary, document, instance_profile, role, tag};

operation!(GET_ACCOUNT_AUTHORIZATION_DETAILS, ops::GetAccountAuthorizationDetails, checks, run);

fn checks(_: &Cx, _: &Tx<'_>, _: &GetAccountAuthorizationDetailsRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all("iam:GetAccountAuthorizationDetails").into())
}

/// What the answer lists, in this order.
const SECTIONS: [EntityType; 5] = [
    EntityType::User,
    EntityType::Group,
    EntityType::Role,
    EntityType::LocalManagedPolicy,
    EntityType::AWSManagedPolicy,
];

enum Detail {
    User(UserDetail),
    Group(GroupDetail),
    Role(RoleDetail),
    Policy(ManagedPolicyDetail),
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetAccountAuthorizationDetailsRequest,
) -> Result<GetAccountAuthorizationDetailsResponse, Error> {
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let wanted = |section: &&EntityType| input.filter.is_empty() || input.filter.contains(section);
    let page = paging.sections(SECTIONS.len(), |section, after, limit| {
        match SECTIONS.get(section).filter(wanted) {
            Some(section) => Ok(fetch(cx, tx, *section, after, limit)?),
            None => Ok(vec![]),
        }
    })?;
    let (mut users, mut groups, mut roles, mut policies) = (vec![], vec![], vec![], vec![]);
    for detail in page.items {
        match detail {
            Detail::User(detail) => users.push(detail),
            Detail::Group(detail) => groups.push(detail),
            Detail::Role(detail) => roles.push(detail),
            Detail::Policy(detail) => policies.push(detail),
        }
    }
    Ok(GetAccountAuthorizationDetailsResponse {
        user_detail_list: Some(users),
        group_detail_list: Some(groups),
        role_detail_list: Some(roles),
        policies: Some(policies),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// The rows of one kind of entity after a place.
fn fetch(
    cx: &Cx,
    tx: &Tx<'_>,
    section: EntityType,
    after: Option<&str>,
    limit: usize,
) -> Result<Rows<Detail>, StoreError> {
    let account = cx.account();
    match section {
        EntityType::User => {
            let after = after.map(|name| User::key_of(&account, name));
            let users = rows(tx, &User::all(&account), after.as_ref(), limit, |_: &User| true)?;
            each(users, |user| Ok(Some(Detail::User(user_detail(&user)))))
        }
        EntityType::Group => {
            let after = after.map(|name| Group::key_of(&account, name));
            let groups = rows(tx, &Group::all(&account), after.as_ref(), limit, |_: &Group| true)?;
            each(groups, |group| Ok(Some(Detail::Group(group_detail(&group)))))
        }
        EntityType::Role => {
            let after = after.map(|name| Role::key_of(&account, name));
            let roles = rows(tx, &Role::all(&account), after.as_ref(), limit, |_: &Role| true)?;
            each(roles, |role| Ok(Some(Detail::Role(role_detail(tx, &role)?))))
        }
        EntityType::LocalManagedPolicy => {
            let after = after.map(|name| ManagedPolicy::key_of(&account, name));
            let all = ManagedPolicy::all(&account);
            let policies = rows(tx, &all, after.as_ref(), limit, |_: &ManagedPolicy| true)?;
            each(policies, |policy| {
                let usage = Usage::of(cx, tx, &policy.arn())?;
                Ok(Some(Detail::Policy(policy_detail(&Managed::Own(policy), usage))))
            })
        }
        // Of AWS's own policies, those that the account uses.
        EntityType::AWSManagedPolicy => {
            let policies = AwsManagedPolicy::after(after).take(limit).map(|p| (p.arn.clone(), Some(p)));
            each(policies.collect(), |policy| {
                let usage = Usage::of(cx, tx, &policy.arn)?;
                Ok((!usage.is_none()).then(|| Detail::Policy(policy_detail(&Managed::Aws(policy), usage))))
            })
        }
    }
}

/// Shows the item of each row.
fn each<T>(
    rows: Rows<T>,
    show: impl Fn(T) -> Result<Option<Detail>, StoreError>,
) -> Result<Rows<Detail>, StoreError> {
    let show = |(place, item): (String, Option<T>)| Ok((place, item.map(&show).transpose()?.flatten()));
    rows.into_iter().map(show).collect()
}

fn inline(policies: &Policies) -> Option<Vec<PolicyDetail>> {
    let shown = |(name, text): (&String, &String)| PolicyDetail {
        policy_name: Some(name.clone()),
        policy_document: Some(document::encoded(text)),
    };
    Some(policies.inline.iter().map(shown).collect())
}

fn user_detail(user: &User) -> UserDetail {
    UserDetail {
        path: Some(user.path.clone()),
        user_name: Some(user.name.clone()),
        user_id: Some(user.id.clone()),
        arn: Some(user.arn()),
        create_date: Some(user.created),
        user_policy_list: inline(&user.policies),
        group_list: Some(user.groups.clone()),
        attached_managed_policies: Some(attachment::shown(user, "/")),
        permissions_boundary: boundary::shown(user.permissions_boundary.as_deref()),
        tags: Some(tag::shown(&user.tags)),
    }
}

fn group_detail(group: &Group) -> GroupDetail {
    GroupDetail {
        path: Some(group.path.clone()),
        group_name: Some(group.name.clone()),
        group_id: Some(group.id.clone()),
        arn: Some(group.arn()),
        create_date: Some(group.created),
        group_policy_list: inline(&group.policies),
        attached_managed_policies: Some(attachment::shown(group, "/")),
    }
}

fn role_detail(tx: &Tx<'_>, role: &Role) -> Result<RoleDetail, StoreError> {
    let mut profiles = vec![];
    for name in &role.instance_profiles {
        let profile = tx.get::<InstanceProfile>(&InstanceProfile::key_of(&role.account, name))?;
        profiles.extend(profile.map(|profile| instance_profile::listed(tx, &profile)).transpose()?);
    }
    Ok(RoleDetail {
        path: Some(role.path.clone()),
        role_name: Some(role.name.clone()),
        role_id: Some(role.id.clone()),
        arn: Some(role.arn()),
        create_date: Some(role.created),
        assume_role_policy_document: Some(role::shown_trust(tx, role)?),
        instance_profile_list: Some(profiles),
        role_policy_list: inline(&role.policies),
        attached_managed_policies: Some(attachment::shown(role, "/")),
        permissions_boundary: boundary::shown(role.permissions_boundary.as_deref()),
        tags: Some(tag::shown(&role.tags)),
        role_last_used: Some(role::last_used(tx, role)?),
    })
}

fn policy_detail(policy: &Managed, usage: Usage) -> ManagedPolicyDetail {
    let shown = policy.listed(usage);
    ManagedPolicyDetail {
        policy_name: shown.policy_name,
        policy_id: shown.policy_id,
        arn: shown.arn,
        path: shown.path,
        default_version_id: shown.default_version_id,
        attachment_count: shown.attachment_count,
        permissions_boundary_usage_count: shown.permissions_boundary_usage_count,
        is_attachable: shown.is_attachable,
        description: match policy {
            Managed::Own(policy) => policy.description.clone(),
            Managed::Aws(_) | Managed::Partner(_) => None,
        },
        create_date: shown.create_date,
        update_date: shown.update_date,
        policy_version_list: Some(policy.versions()),
    }
}
