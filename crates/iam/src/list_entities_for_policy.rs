//! `iam:ListEntitiesForPolicy`: by the references to the policy, not by looking at every entity.

use daypass_core::model::iam::{
    EntityType, ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse, PolicyGroup, PolicyRole,
    PolicyUsageType, PolicyUser, ops,
};
use daypass_core::store::records::{EntityKind, ManagedPolicy, Reference, Target};
use daypass_core::store::{Read as _, Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::managed_policy::Managed;
use crate::paging::{Paging, Rows};

operation!(LIST_ENTITIES_FOR_POLICY, ops::ListEntitiesForPolicy, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ListEntitiesForPolicyRequest) -> Result<Checks, StoreError> {
    Ok(ManagedPolicy::check(cx, tx, &input.policy_arn)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListEntitiesForPolicyRequest,
) -> Result<ListEntitiesForPolicyResponse, Error> {
    Managed::load(cx, tx, &input.policy_arn)?;
    let sections = sections(&input);
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let page = paging.sections(sections.len(), |section, after, limit| {
        let Some((target, kind)) = sections.get(section) else { return Ok(vec![]) };
        let rows = rows(cx, tx, (target, *kind), after, limit)?;
        let wanted = |reference: &Reference| {
            Ok(reference.path.starts_with(prefix) && !is_told_already(tx, &input, reference)?)
        };
        rows.into_iter()
            .map(|reference| {
                let place = reference.key().last();
                let wanted: Result<bool, StoreError> = wanted(&reference);
                Ok((place, wanted?.then_some(reference)))
            })
            .collect::<Result<Rows<Reference>, Error>>()
    })?;
    let mut answer = ListEntitiesForPolicyResponse {
        policy_groups: Some(vec![]),
        policy_users: Some(vec![]),
        policy_roles: Some(vec![]),
        is_truncated: page.is_truncated,
        marker: page.marker,
    };
    for Reference { kind, name, id, .. } in page.items {
        let (name, id) = (Some(name), Some(id));
        match kind {
            EntityKind::Group => {
                answer
                    .policy_groups
                    .get_or_insert_default()
                    .push(PolicyGroup { group_name: name, group_id: id });
            }
            EntityKind::User => {
                answer.policy_users.get_or_insert_default().push(PolicyUser { user_name: name, user_id: id });
            }
            EntityKind::Role => {
                answer.policy_roles.get_or_insert_default().push(PolicyRole { role_name: name, role_id: id });
            }
        }
    }
    Ok(answer)
}

/// The references that are listed, one section after the other.
fn sections(input: &ListEntitiesForPolicyRequest) -> Vec<(Target, EntityKind)> {
    let (attached, boundary) =
        (Target::Attached(input.policy_arn.clone()), Target::Boundary(input.policy_arn.clone()));
    let targets = match input.policy_usage_filter {
        None => vec![attached, boundary],
        Some(PolicyUsageType::PermissionsPolicy) => vec![attached],
        Some(PolicyUsageType::PermissionsBoundary) => vec![boundary],
    };
    let kinds: &[EntityKind] = match input.entity_filter {
        None => &[EntityKind::Group, EntityKind::User, EntityKind::Role],
        Some(EntityType::Group) => &[EntityKind::Group],
        Some(EntityType::User) => &[EntityKind::User],
        Some(EntityType::Role) => &[EntityKind::Role],
        // No policy has a policy.
        Some(EntityType::LocalManagedPolicy | EntityType::AWSManagedPolicy) => &[],
    };
    let of = |target: Target| kinds.iter().map(move |kind| (target.clone(), *kind));
    targets.into_iter().flat_map(of).collect()
}

fn rows(
    cx: &Cx,
    tx: &Tx<'_>,
    (target, kind): (&Target, EntityKind),
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Reference>, StoreError> {
    let account = cx.account();
    let after = after.map(|name| Reference::key_of(&account, target, kind, name));
    tx.list(&Reference::all_of(&account, target, kind), after.as_ref(), limit)
}

/// An entity that has the policy both ways is listed once.
fn is_told_already(
    tx: &Tx<'_>,
    input: &ListEntitiesForPolicyRequest,
    reference: &Reference,
) -> Result<bool, StoreError> {
    if input.policy_usage_filter.is_some() || !matches!(reference.to, Target::Boundary(_)) {
        return Ok(false);
    }
    let attached = Target::Attached(input.policy_arn.clone());
    let key = Reference::key_of(&reference.account, &attached, reference.kind, &reference.name);
    Ok(tx.get::<Reference>(&key)?.is_some())
}
