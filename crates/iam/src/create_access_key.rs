//! `iam:CreateAccessKey`: the only time that the secret is told.

use daypass_core::model::iam::{
    AccessKey as ApiAccessKey, CreateAccessKeyRequest, CreateAccessKeyResponse, StatusType, ops,
};
use daypass_core::store::records::{AccessKey, AccessKeyStatus, Indexed as _, Sealed};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Purpose, operation};

use crate::fault::over_quota;
use crate::{quota, user};

operation!(CREATE_ACCESS_KEY, ops::CreateAccessKey, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &CreateAccessKeyRequest) -> Result<Checks, StoreError> {
    Ok(user::check(cx, tx, input.user_name.as_deref())?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateAccessKeyRequest) -> Result<CreateAccessKeyResponse, Error> {
    let mut user = user::load(cx, tx, input.user_name.as_deref())?;
    if user.access_keys.len() >= quota::ACCESS_KEYS_PER_USER {
        return Err(over_quota("AccessKeysPerUser", quota::ACCESS_KEYS_PER_USER).into());
    }
    let id = cx.ids().access_key_id("AKIA", &user.account);
    let secret = cx.ids().secret_access_key();
    let context = AccessKey::seal_context(&id);
    let sealed = cx.state().ring.seal(Purpose::Record, context.as_bytes(), secret.expose().as_bytes())?;
    let key = AccessKey {
        id,
        account: user.account.clone(),
        user_name: user.name.clone(),
        user_id: user.id.clone(),
        secret: Sealed(sealed),
        status: AccessKeyStatus::Active,
        created: cx.now().truncated(),
    };
    tx.put(&key)?;
    user.access_keys.push(key.id.clone());
    user.save(tx)?;
    Ok(CreateAccessKeyResponse {
        access_key: ApiAccessKey {
            user_name: key.user_name,
            access_key_id: key.id,
            status: StatusType::Active,
            secret_access_key: secret.expose().clone(),
            create_date: Some(key.created),
        },
    })
}
