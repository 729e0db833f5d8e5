//! Users, as requests name and answers show them.

use daypass_core::model::iam::User as ApiUser;
use daypass_core::store::records::User;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{CallerKind, Check, Cx, Error, Who};

use crate::boundary;
use crate::entity::Entity as _;
use crate::fault::validation;
use crate::tag;

/// The user as lists show it.
pub(crate) fn listed(user: &User) -> ApiUser {
    ApiUser {
        path: user.path.clone(),
        user_name: user.name.clone(),
        user_id: user.id.clone(),
        arn: user.arn(),
        create_date: user.created,
        ..ApiUser::default()
    }
}

/// The user with all that there is to show.
pub(crate) fn described(user: &User) -> ApiUser {
    ApiUser {
        permissions_boundary: boundary::shown(user.permissions_boundary.as_deref()),
        tags: tag::shown_if_any(&user.tags),
        ..listed(user)
    }
}

/// The name that a request means: the one that it says, or else the caller's own, if the caller is a user.
fn meant<'a>(cx: &'a Cx, name: Option<&'a str>) -> Option<&'a str> {
    let own = || match (cx.caller().kind(), cx.caller().identity().map(|identity| &identity.who)) {
        (CallerKind::User(..), Some(Who::User(user))) => Some(user.name.as_str()),
        _ => None,
    };
    name.or_else(own)
}

/// Whether a request means the root user, which has no name: it comes from one, and names nobody. Root users are there
/// for the tasks of `AssumeRoot` alone; none has a password, a key, a device or a certificate.
pub(crate) fn is_root(cx: &Cx, name: Option<&str>) -> bool {
    name.is_none() && matches!(cx.caller().kind(), CallerKind::Root(_))
}

/// The question about the user that a request means.
pub(crate) fn check(cx: &Cx, tx: &Tx<'_>, name: Option<&str>) -> Result<Check, StoreError> {
    match meant(cx, name) {
        Some(name) => User::check(cx, tx, name),
        None if is_root(cx, name) => Ok(Check::new(cx.operation().action, cx.caller().arn())),
        // There is no such user; that it has to be named is for the operation to say.
        None => Ok(Check::on_all(cx.operation().action)),
    }
}

/// The user that a request means.
///
/// # Errors
/// If it names none and the caller is none, or if there is none of that name.
pub(crate) fn load(cx: &Cx, tx: &Tx<'_>, name: Option<&str>) -> Result<User, Error> {
    let words = "Must specify userName when calling with non-User credentials";
    User::load(cx, tx, meant(cx, name).ok_or_else(|| validation(words))?)
}
