//! Passwords of users: `CreateLoginProfile`, `GetLoginProfile`, `UpdateLoginProfile`, `DeleteLoginProfile` and
//! `ChangePassword`.

use daypass_core::model::iam::{
    ChangePasswordRequest, CreateLoginProfileRequest, CreateLoginProfileResponse, DeleteLoginProfileRequest,
    GetLoginProfileRequest, GetLoginProfileResponse, LoginProfile as ApiLoginProfile,
    UpdateLoginProfileRequest, ops,
};
use daypass_core::store::records::{LoginProfile, User};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{CallerKind, Check, Checks, Cx, Error, Fault, Who, operation};

use crate::entity::Entity as _;
use crate::fault::{access_denied, already_exists, invalid_user_type, no_such_entity, validation};
use crate::{password, password_policy, user};

operation!(
    CREATE_LOGIN_PROFILE,
    ops::CreateLoginProfile,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    create
);
operation!(
    GET_LOGIN_PROFILE,
    ops::GetLoginProfile,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    get
);
operation!(
    UPDATE_LOGIN_PROFILE,
    ops::UpdateLoginProfile,
    |cx, tx, input| Ok(User::check(cx, tx, &input.user_name)?.into()),
    update
);
operation!(
    DELETE_LOGIN_PROFILE,
    ops::DeleteLoginProfile,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    delete
);
operation!(CHANGE_PASSWORD, ops::ChangePassword, change_checks, change);

/// What a root user is called where it needs a name. What AWS says was not seen recorded.
const ROOT: &str = "root";

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateLoginProfileRequest,
) -> Result<CreateLoginProfileResponse, Error> {
    if user::is_root(cx, input.user_name.as_deref()) {
        let words = "iam:CreateLoginProfile for a root user is not implemented by Daypass.";
        return Err(Fault::coded("NotImplemented", 501, words).into());
    }
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    if find(tx, &user)?.is_some() {
        return Err(already_exists(format!("Login Profile for User {} already exists.", user.name)).into());
    }
    // Without a password the API makes a profile for sessions of the centralised root access, which a user has none of.
    let given = input.password.ok_or_else(|| validation("Password is required"))?;
    password::check(password::policy(cx, tx)?.as_ref(), &given)?;
    let now = cx.now().truncated();
    let profile = LoginProfile {
        account: user.account.clone(),
        user_id: user.id.clone(),
        created: now,
        password: password::sealed(cx, &user, &given)?,
        changed: now,
        reset_required: input.password_reset_required.unwrap_or(false),
        earlier: vec![],
    };
    tx.put(&profile)?;
    Ok(CreateLoginProfileResponse { login_profile: shown(&user, &profile) })
}

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetLoginProfileRequest) -> Result<GetLoginProfileResponse, Error> {
    if user::is_root(cx, input.user_name.as_deref()) {
        return Err(missing(ROOT).into());
    }
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    Ok(GetLoginProfileResponse { login_profile: shown(&user, &load(tx, &user)?) })
}

fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdateLoginProfileRequest) -> Result<(), Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    let mut profile = load(tx, &user)?;
    if let Some(given) = &input.password {
        password::set(cx, password::policy(cx, tx)?.as_ref(), &mut profile, &user, given)?;
    }
    if let Some(required) = input.password_reset_required {
        profile.reset_required = required;
    }
    Ok(tx.put(&profile)?)
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteLoginProfileRequest) -> Result<(), Error> {
    if user::is_root(cx, input.user_name.as_deref()) {
        return Err(missing(ROOT).into());
    }
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    load(tx, &user)?;
    tx.delete(&LoginProfile::key_of(&user.account, &user.id));
    Ok(())
}

/// The caller's own, whether it comes with its key or with a session of it.
fn own(cx: &Cx) -> Option<&User> {
    match (cx.caller().kind(), cx.caller().identity().map(|identity| &identity.who)) {
        (CallerKind::User(..), Some(Who::User(user))) => Some(user),
        _ => None,
    }
}

fn change_checks(cx: &Cx, tx: &Tx<'_>, _: &ChangePasswordRequest) -> Result<Checks, StoreError> {
    let Some(user) = own(cx) else { return Ok(Check::on_all(cx.operation().action).into()) };
    let check = User::check(cx, tx, &user.name)?;
    Ok(password_policy::granted(cx, tx, check)?.into())
}

fn change(cx: &Cx, tx: &mut Tx<'_>, input: ChangePasswordRequest) -> Result<(), Error> {
    let own = own(cx).ok_or_else(|| invalid_user_type("Only IAM Users can change their own password"))?;
    let user = User::load(cx, tx, &own.name)?;
    let mut profile = load(tx, &user)?;
    let wrong = || access_denied("The old password was incorrect.");
    let guessed = format!("password {}", user.id);
    let attempts = &cx.state().attempts;
    if !attempts.may_guess(&guessed, cx.now(), cx.request_id())
        || !password::is(cx, &profile, &profile.password, &input.old_password)
    {
        return Err(wrong().into());
    }
    attempts.right(&guessed);
    let policy = password::policy(cx, tx)?;
    password::set(cx, policy.as_ref(), &mut profile, &user, &input.new_password)?;
    profile.reset_required = false;
    Ok(tx.put(&profile)?)
}

/// The user's login profile, if it has one.
pub(crate) fn find(tx: &Tx<'_>, user: &User) -> Result<Option<LoginProfile>, StoreError> {
    tx.get(&LoginProfile::key_of(&user.account, &user.id))
}

fn load(tx: &Tx<'_>, user: &User) -> Result<LoginProfile, Error> {
    find(tx, user)?.ok_or_else(|| missing(&user.name).into())
}

fn missing(name: &str) -> Fault {
    no_such_entity(format!("Login Profile for User {name} cannot be found."))
}

fn shown(user: &User, profile: &LoginProfile) -> ApiLoginProfile {
    ApiLoginProfile {
        user_name: user.name.clone(),
        create_date: profile.created,
        password_reset_required: Some(profile.reset_required),
    }
}
