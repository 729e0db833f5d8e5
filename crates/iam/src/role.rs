//! Roles, as requests give and answers show them.

use daypass_core::model::iam::{Role as ApiRole, RoleLastUsed as ApiRoleLastUsed};
use daypass_core::policy::{DocumentKind, size_without_white_space};
use daypass_core::principals::{self, Unresolved};
use daypass_core::store::records::{Role, RoleLastUsed};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Cx, Error, Fault, Quota};

use crate::boundary;
use crate::document;
use crate::fault::malformed_policy;
use crate::quota;
use crate::tag;

/// The role as an instance profile shows it, and as it is when it has just been made: no session length, description or
/// last use (recorded answers of CreateRole and GetInstanceProfile).
pub(crate) fn brief(tx: &Tx<'_>, role: &Role) -> Result<ApiRole, StoreError> {
    Ok(ApiRole {
        path: role.path.clone(),
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        arn: role.arn(),
        create_date: role.created,
        assume_role_policy_document: Some(shown_trust(tx, role)?),
        ..ApiRole::default()
    })
}

/// The role as lists show it: without tags, boundary and last use (IAM API reference, ListRoles).
pub(crate) fn listed(tx: &Tx<'_>, role: &Role) -> Result<ApiRole, StoreError> {
    Ok(ApiRole {
        description: role.description.clone(),
        max_session_duration: Some(role.max_session_seconds),
        ..brief(tx, role)?
    })
}

/// The role with all that there is to show.
pub(crate) fn described(tx: &Tx<'_>, role: &Role) -> Result<ApiRole, StoreError> {
    Ok(ApiRole {
        permissions_boundary: boundary::shown(role.permissions_boundary.as_deref()),
        tags: tag::shown_if_any(&role.tags),
        role_last_used: Some(last_used(tx, role)?),
        ..listed(tx, role)?
    })
}

/// When the role was last used; of a role that never was, an element with nothing in it.
pub(crate) fn last_used(tx: &Tx<'_>, role: &Role) -> Result<ApiRoleLastUsed, StoreError> {
    let known = tx.get::<RoleLastUsed>(&RoleLastUsed::key_of(&role.account, &role.id))?;
    Ok(known.map_or_else(ApiRoleLastUsed::default, |used| ApiRoleLastUsed {
        last_used_date: Some(used.time.truncated()),
        region: Some(used.region),
    }))
}

/// The trust policy as answers have it.
pub(crate) fn shown_trust(tx: &Tx<'_>, role: &Role) -> Result<String, StoreError> {
    let text = principals::to_arns(tx, DocumentKind::Trust, &role.trust_policy)?;
    Ok(document::encoded(&text))
}

/// A trust policy as it is kept.
///
/// # Errors
/// If it is malformed, too long, or trusts somebody who does not exist.
pub(crate) fn trust(cx: &Cx, tx: &Tx<'_>, text: &str) -> Result<String, Error> {
    let document = document::parse(DocumentKind::Trust, text)?;
    quota::within(cx, Quota::ACLSizePerRole, size_without_white_space(text))?;
    principals::to_ids(tx, &document, text).map_err(|error| match error {
        Unresolved::Nobody(name) => nobody(&name).into(),
        Unresolved::Store(error) => error.into(),
    })
}

fn nobody(name: &str) -> Fault {
    malformed_policy(format!("Invalid principal in policy: \"AWS\":\"{name}\""))
}
