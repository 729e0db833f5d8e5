//! `iam:GetUser`: of the caller itself, if it names none.

use daypass_core::model::iam::{GetUserRequest, GetUserResponse, User, ops};
use daypass_core::store::records::Account;
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::user;

operation!(GET_USER, ops::GetUser, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetUserRequest) -> Result<Checks, StoreError> {
    Ok(user::check(cx, tx, input.user_name.as_deref())?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: GetUserRequest) -> Result<GetUserResponse, Error> {
    if user::is_root(cx, input.user_name.as_deref()) {
        return Ok(GetUserResponse { user: root(cx, tx)? });
    }
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    Ok(GetUserResponse { user: user::described(&user) })
}

/// The root user: neither a name nor a path (recorded answers).
fn root(cx: &Cx, tx: &Tx<'_>) -> Result<User, Error> {
    let account = tx.get::<Account>(&Account::key_of(&cx.account()))?.ok_or_else(|| cx.internal_failure())?;
    Ok(User {
        user_id: account.id.as_str().to_owned(),
        arn: cx.caller().arn().to_owned(),
        create_date: account.created,
        ..User::default()
    })
}
