//! `iam:CreateUser`

use daypass_core::model::iam::{CreateUserRequest, CreateUserResponse, ops};
use daypass_core::store::records::{Counted, Indexed as _, Policies, User};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Quota, operation};

use crate::entity::{self, Entity as _};
use crate::fault::already_exists;
use crate::policy_arn::bounding;
use crate::{quota, tag, user};

operation!(CREATE_USER, ops::CreateUser, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateUserRequest) -> Result<Checks, StoreError> {
    let arn = entity::arn(cx, "user", input.path.as_deref().unwrap_or("/"), &input.user_name);
    let check = Check::new("iam:CreateUser", arn.clone())
        .with_some("iam:PermissionsBoundary", input.permissions_boundary.clone());
    Ok(tag::creating(check, "iam:TagUser", &arn, &input.tags))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateUserRequest) -> Result<CreateUserResponse, Error> {
    let tags = tag::read(input.tags)?;
    if User::find(cx, tx, &input.user_name)?.is_some() {
        return Err(already_exists(format!("User with name {} already exists.", input.user_name)).into());
    }
    if let Some(boundary) = &input.permissions_boundary {
        bounding(cx, tx, boundary)?;
    }
    quota::room_for(cx, &Counted::Users, Quota::UsersPerAccount)?;
    let user = User {
        account: cx.account(),
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        name: input.user_name,
        id: cx.ids().unique_id("AIDA"),
        created: cx.now().truncated(),
        policies: Policies::default(),
        permissions_boundary: input.permissions_boundary,
        tags,
        groups: vec![],
        access_keys: vec![],
    };
    user.save(tx)?;
    Ok(CreateUserResponse { user: Some(user::described(&user)) })
}
