//! The key that a request names: whether the caller may do this with it, and then the key.

use daypass_core::kms::{EncryptionContext, Key, Missing, Name};
use daypass_core::store::{Key as Place, Record as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error};

use crate::fault;

/// What of a key a request asks for.
#[derive(Clone, Copy)]
pub(crate) enum Reach<'a> {
    /// The key itself, which only its own account has ("Cross-account use: No" in the API reference).
    Own,
    /// The key itself, of whatever account.
    Any,
    /// What seals or opens under a context, of whatever account.
    Under(&'a EncryptionContext),
}

/// May the caller do the request's operation to the key of that name?
pub(crate) fn check(cx: &Cx, tx: &Tx<'_>, key_id: &str, reach: Reach<'_>) -> Result<Check, StoreError> {
    check_for(cx, tx, key_id, cx.operation().action, reach)
}

/// The same of another action.
pub(crate) fn check_for(
    cx: &Cx,
    tx: &Tx<'_>,
    key_id: &str,
    action: &'static str,
    reach: Reach<'_>,
) -> Result<Check, StoreError> {
    // What names nothing is told to those who may do this to any key.
    let Ok(name) = Name::parse(cx, key_id) else { return Ok(Check::on_all(action)) };
    let missing = || Check::new(action, name.arn()).of_account(name.account().clone());
    let Ok(key) = name.find(tx, cx.now())? else { return Ok(missing()) };
    if let Some(kept) = cx.state().kept.get::<Key>(&key.key())? {
        key.compile_like(&kept);
    }
    let check = match reach {
        Reach::Own if key.account != cx.account() => return Ok(missing()),
        Reach::Own | Reach::Any => key.check(cx, action),
        Reach::Under(context) => key.check_under(cx, action, context),
    };
    Ok(check.with_some("kms:RequestAlias", name.alias()))
}

/// Where the key of that name stands, if there is one: to know whether two names are of one key.
pub(crate) fn place(cx: &Cx, tx: &Tx<'_>, key_id: &str) -> Result<Option<Place>, StoreError> {
    let Ok(name) = Name::parse(cx, key_id) else { return Ok(None) };
    Ok(name.find(tx, cx.now())?.ok().map(|key| key.key()))
}

/// The questions of an operation about a key of the caller's account.
pub(crate) fn own(cx: &Cx, tx: &Tx<'_>, key_id: &str) -> Result<Checks, StoreError> {
    Ok(check(cx, tx, key_id, Reach::Own)?.into())
}

/// The key of that name.
///
/// # Errors
/// `NotFoundException`, or a failure of the store.
pub(crate) fn load(cx: &Cx, tx: &Tx<'_>, key_id: &str) -> Result<Key, Error> {
    let found = match Name::parse(cx, key_id) {
        Ok(name) => name.find(tx, cx.now())?,
        Err(missing) => Err(missing),
    };
    found.map_err(|missing| fault::not_found(&missing).into())
}

/// The same, named as itself: operations that change a key take no alias.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_by_id(cx: &Cx, tx: &Tx<'_>, key_id: &str) -> Result<Key, Error> {
    if Name::parse(cx, key_id).is_ok_and(|name| name.alias().is_some()) {
        return Err(fault::not_found(&Missing::Name(key_id.to_owned())).into());
    }
    load(cx, tx, key_id)
}

/// The key of that name, if it can be used.
///
/// # Errors
/// As [`load`]; `DisabledException` or `KMSInvalidStateException`.
pub(crate) fn usable(cx: &Cx, tx: &Tx<'_>, key_id: &str) -> Result<Key, Error> {
    let key = load(cx, tx, key_id)?;
    key.usable().map_err(|why| fault::unusable(&key.arn(), why))?;
    Ok(key)
}

/// The key of that name, if it does not wait to be deleted.
///
/// # Errors
/// As [`load_by_id`], or `KMSInvalidStateException`.
pub(crate) fn staying(cx: &Cx, tx: &Tx<'_>, key_id: &str) -> Result<Key, Error> {
    let key = load_by_id(cx, tx, key_id)?;
    match key.deletion {
        None => Ok(key),
        Some(_) => Err(fault::unusable(&key.arn(), daypass_core::kms::Unusable::PendingDeletion).into()),
    }
}
