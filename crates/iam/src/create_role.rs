//! `iam:CreateRole`

use daypass_core::model::iam::{CreateRoleRequest, CreateRoleResponse, Role as ApiRole, ops};
use daypass_core::store::records::{Counted, Indexed as _, Policies, Role};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Quota, operation};

use crate::entity::{self, Entity as _, SERVICE_LINKED_PATH};
use crate::fault::{already_exists, invalid_input};
use crate::policy_arn::bounding;
use crate::{boundary, quota, role, tag};

operation!(CREATE_ROLE, ops::CreateRole, checks, run);

/// One hour (IAM API reference, CreateRole).
const DEFAULT_SESSION_SECONDS: i32 = 3600;

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateRoleRequest) -> Result<Checks, StoreError> {
    let arn = entity::arn(cx, "role", input.path.as_deref().unwrap_or("/"), &input.role_name);
    let check = Check::new("iam:CreateRole", arn.clone())
        .with_some("iam:PermissionsBoundary", input.permissions_boundary.clone());
    Ok(tag::creating(check, "iam:TagRole", &arn, &input.tags))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateRoleRequest) -> Result<CreateRoleResponse, Error> {
    let tags = tag::read(input.tags)?;
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    if path.starts_with(SERVICE_LINKED_PATH) {
        let words = "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles";
        return Err(invalid_input(words).into());
    }
    let trust_policy = role::trust(cx, tx, &input.assume_role_policy_document)?;
    if Role::find(cx, tx, &input.role_name)?.is_some() {
        return Err(already_exists(format!("Role with name {} already exists.", input.role_name)).into());
    }
    if let Some(boundary) = &input.permissions_boundary {
        bounding(cx, tx, boundary)?;
    }
    quota::room_for(cx, &Counted::Roles, Quota::RolesPerAccount)?;
    let role = Role {
        account: cx.account(),
        path,
        name: input.role_name,
        id: cx.ids().unique_id("AROA"),
        created: cx.now().truncated(),
        description: input.description,
        trust_policy,
        max_session_seconds: input.max_session_duration.unwrap_or(DEFAULT_SESSION_SECONDS),
        policies: Policies::default(),
        permissions_boundary: input.permissions_boundary,
        tags,
        instance_profiles: vec![],
    };
    role.save(tx)?;
    Ok(CreateRoleResponse {
        role: ApiRole {
            permissions_boundary: boundary::shown(role.permissions_boundary.as_deref()),
            tags: tag::shown_if_any(&role.tags),
            ..role::brief(tx, &role)?
        },
    })
}
