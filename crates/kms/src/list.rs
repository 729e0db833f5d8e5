//! `kms:ListKeys`

use daypass_core::kms::Key;
use daypass_core::model::kms::{KeyListEntry, ListKeysRequest, ListKeysResponse, ops};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};

use crate::paging::{Wanted, page};

operation!(LIST_KEYS, ops::ListKeys, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, _: &ListKeysRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all(cx.operation().action).into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ListKeysRequest) -> Result<ListKeysResponse, Error> {
    let keys = tx.all::<Key>(&Key::all(&cx.account(), cx.region()))?;
    let keys = keys.into_iter().filter(|key| !key.is_gone(cx.now()));
    let shown = keys.map(|key| {
        let entry = KeyListEntry { key_id: Some(key.id.clone()), key_arn: Some(key.arn()) };
        (key.id, entry)
    });
    let wanted = Wanted { marker: input.marker.as_deref(), limit: input.limit, default: 100 };
    let page = page(cx, shown.collect(), &wanted)?;
    Ok(ListKeysResponse { truncated: page.is_truncated(), next_marker: page.next, keys: Some(page.items) })
}
