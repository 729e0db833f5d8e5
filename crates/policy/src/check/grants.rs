//! `iam:PassRole` and `iam:CreateServiceLinkedRole` for more roles than was probably meant.

use super::PolicyType;
use super::code::Code;
use super::finding::{Place, Report};
use super::glob::covers;
use super::view::Statement;

/// A permission that is dangerous on many roles, and the findings about it.
struct Permission {
    /// The action in lower case.
    action: &'static str,
    /// The key that limits what the roles are for.
    limit: &'static str,
    /// Whether the last part of a resource stands for too many roles.
    is_wide: fn(&str) -> bool,
    /// For the action itself, a pattern, and `NotAction`: with a star in the resource, and with `NotResource`.
    codes: [(Code, Code); 3],
}

const PERMISSIONS: [Permission; 2] = [
    Permission {
        action: "iam:passrole",
        limit: "iam:PassedToService",
        // A name that begins somehow is taken for a service's own convention, as AWS says.
        is_wide: |role| role.starts_with('*'),
        codes: [
            (Code::PassRoleWithStarInResource, Code::PassRoleWithNotResource),
            (Code::PassRoleWithStarInActionAndResource, Code::PassRoleWithStarInActionAndNotResource),
            (Code::PassRoleWithStarInResourceAndNotAction, Code::PassRoleWithNotActionAndNotResource),
        ],
    },
    Permission {
        action: "iam:createservicelinkedrole",
        // AWS's own policies with this key are not among those that its guide lists.
        limit: "iam:AWSServiceName",
        is_wide: |role| role.starts_with('*') || role.starts_with("aws-service-role/*"),
        codes: [
            (Code::CreateSlrWithStarInResource, Code::CreateSlrWithNotResource),
            (Code::CreateSlrWithStarInActionAndResource, Code::CreateSlrWithStarInActionAndNotResource),
            (Code::CreateSlrWithStarInResourceAndNotAction, Code::CreateSlrWithNotActionAndNotResource),
        ],
    },
];

pub(super) fn check(statement: &Statement<'_>, policy: PolicyType, report: &mut Report) {
    // Only what is attached to a principal grants; a control policy with `*` does not.
    if !statement.allows() || policy != PolicyType::Identity {
        return;
    }
    for permission in &PERMISSIONS {
        self::permission(statement, permission, report);
    }
}

fn permission(statement: &Statement<'_>, permission: &Permission, report: &mut Report) {
    let (Some(action), Some(resource)) = (&statement.action, &statement.resource) else { return };
    let covering =
        action.entries.iter().find(|entry| covers(&entry.text.to_ascii_lowercase(), permission.action));
    let (codes, action_place): (usize, Place) = match (action.inverted, covering) {
        (true, None) => (2, action.item.place()),
        (false, Some(entry)) if entry.text.contains(['*', '?']) => (1, entry.item.place()),
        (false, Some(entry)) => (0, entry.item.place()),
        _ => return,
    };
    let Some((with_star, with_not_resource)) = permission.codes.get(codes) else { return };
    if resource.inverted {
        return report.find_at(*with_not_resource, &[], vec![action_place, resource.item.place()]);
    }
    let wide = resource.entries.iter().find(|entry| is_wide(entry.text, permission.is_wide));
    if let Some(entry) = wide
        && !statement.has_key(permission.limit)
    {
        report.find_at(*with_star, &[], vec![action_place, entry.item.place()]);
    }
}

/// Whether a resource takes roles of any name.
fn is_wide(resource: &str, wide: fn(&str) -> bool) -> bool {
    if resource == "*" {
        return true;
    }
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", _, _, role] => role.strip_prefix("role/").map_or(role.starts_with('*'), wide),
        ["arn", .., last] => last.ends_with('*') && parts.len() < 6,
        _ => false,
    }
}
