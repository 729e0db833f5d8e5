//! `iam:GetAccessKeyLastUsed`

use daypass_core::model::iam::{
    AccessKeyLastUsed as ApiLastUsed, GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse, ops,
};
use daypass_core::store::records::{AccessKey, AccessKeyLastUsed, User};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::no_such_access_key;

operation!(GET_ACCESS_KEY_LAST_USED, ops::GetAccessKeyLastUsed, checks, run);

/// What is said of a key that was never used (IAM API reference, AccessKeyLastUsed).
const NEVER: &str = "N/A";

/// The key, if it is one of the caller's account: of others' there is nothing to tell.
fn find(cx: &Cx, tx: &Tx<'_>, id: &str) -> Result<Option<AccessKey>, StoreError> {
    let key = tx.get::<AccessKey>(&AccessKey::key_of(id))?;
    Ok(key.filter(|key| key.account == cx.account()))
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetAccessKeyLastUsedRequest) -> Result<Checks, StoreError> {
    Ok(match find(cx, tx, &input.access_key_id)? {
        Some(key) => User::check(cx, tx, &key.user_name)?.into(),
        None => Check::on_all("iam:GetAccessKeyLastUsed").into(),
    })
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetAccessKeyLastUsedRequest,
) -> Result<GetAccessKeyLastUsedResponse, Error> {
    let id = &input.access_key_id;
    let key = find(cx, tx, id)?.ok_or_else(|| no_such_access_key(id))?;
    let used = tx.get::<AccessKeyLastUsed>(&AccessKeyLastUsed::key_of(id))?;
    let last_used = match used {
        Some(used) => ApiLastUsed {
            last_used_date: Some(used.time.truncated()),
            service_name: used.service,
            region: used.region,
        },
        None => {
            ApiLastUsed { last_used_date: None, service_name: NEVER.to_owned(), region: NEVER.to_owned() }
        }
    };
    Ok(GetAccessKeyLastUsedResponse { user_name: Some(key.user_name), access_key_last_used: Some(last_used) })
}
