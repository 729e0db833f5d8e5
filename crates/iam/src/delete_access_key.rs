//! `iam:DeleteAccessKey`

use daypass_core::model::iam::{DeleteAccessKeyRequest, ops};
use daypass_core::store::records::{AccessKey, AccessKeyLastUsed, Indexed as _};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::fault::no_such_access_key;
use crate::{access_key, user};

operation!(DELETE_ACCESS_KEY, ops::DeleteAccessKey, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteAccessKeyRequest) -> Result<Checks, StoreError> {
    Ok(user::check(cx, tx, input.user_name.as_deref())?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteAccessKeyRequest) -> Result<(), Error> {
    if user::is_root(cx, input.user_name.as_deref()) {
        return Err(no_such_access_key(&input.access_key_id).into());
    }
    let mut user = user::load(cx, tx, input.user_name.as_deref())?;
    let key = access_key::load(tx, &user, &input.access_key_id)?;
    tx.delete(&AccessKey::key_of(&key.id));
    tx.delete(&AccessKeyLastUsed::key_of(&key.id));
    user.access_keys.retain(|id| *id != key.id);
    Ok(user.save(tx)?)
}
