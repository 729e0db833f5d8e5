//! `iam:GetUser`: of the caller itself, if it names none.

use daypass_core::model::iam::{GetUserRequest, GetUserResponse, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::user;

operation!(GET_USER, ops::GetUser, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetUserRequest) -> Result<Checks, StoreError> {
    Ok(user::check(cx, tx, input.user_name.as_deref())?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: GetUserRequest) -> Result<GetUserResponse, Error> {
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    Ok(GetUserResponse { user: user::described(&user) })
}
