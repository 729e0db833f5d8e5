//! `iam:ListAccessKeys`

use daypass_core::model::iam::{ListAccessKeysRequest, ListAccessKeysResponse, ops};
use daypass_core::store::records::AccessKey;
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::paging::Paging;
use crate::{access_key, user};

operation!(LIST_ACCESS_KEYS, ops::ListAccessKeys, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ListAccessKeysRequest) -> Result<Checks, StoreError> {
    Ok(user::check(cx, tx, input.user_name.as_deref())?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ListAccessKeysRequest) -> Result<ListAccessKeysResponse, Error> {
    let ids = match user::is_root(cx, input.user_name.as_deref()) {
        true => vec![],
        false => user::load(cx, tx, input.user_name.as_deref())?.access_keys,
    };
    let mut keys = vec![];
    for id in &ids {
        keys.extend(tx.get::<AccessKey>(&AccessKey::key_of(id))?);
    }
    let page = Paging::new(cx, input.marker.as_deref(), input.max_items)?.list(keys)?.map(access_key::listed);
    Ok(ListAccessKeysResponse {
        access_key_metadata: page.items,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}
