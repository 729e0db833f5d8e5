//! `iam:UpdateAccessKey`: whether the key may be used.

use daypass_core::model::iam::{StatusType, UpdateAccessKeyRequest, ops};
use daypass_core::store::records::AccessKeyStatus;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::fault::validation;
use crate::{access_key, user};

operation!(UPDATE_ACCESS_KEY, ops::UpdateAccessKey, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &UpdateAccessKeyRequest) -> Result<Checks, StoreError> {
    Ok(user::check(cx, tx, input.user_name.as_deref())?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: UpdateAccessKeyRequest) -> Result<(), Error> {
    let status = match input.status {
        StatusType::Active => AccessKeyStatus::Active,
        StatusType::Inactive => AccessKeyStatus::Inactive,
        // The model has it for credentials of another kind.
        StatusType::Expired => {
            let words = "1 validation error detected: Value 'Expired' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]";
            return Err(validation(words).into());
        }
    };
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let mut key = access_key::load(tx, &user, &input.access_key_id)?;
    key.status = status;
    Ok(tx.put(&key)?)
}
