//! Tags: `kms:TagResource`, `kms:UntagResource`, `kms:ListResourceTags`.

use daypass_core::model::kms::{
    ListResourceTagsRequest, ListResourceTagsResponse, Tag as ApiTag, TagResourceRequest,
    UntagResourceRequest, errors, ops,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use crate::paging::{Wanted, page};
use crate::subject::{self, Reach, own};

operation!(TAG_RESOURCE, ops::TagResource, tag_checks, tag);
operation!(UNTAG_RESOURCE, ops::UntagResource, untag_checks, untag);
operation!(LIST_RESOURCE_TAGS, ops::ListResourceTags, |cx, tx, input| own(cx, tx, &input.key_id), list);

/// Tags of a key (KMS API reference, TagResource).
const MAX_TAGS: usize = 50;

fn tag_checks(cx: &Cx, tx: &Tx<'_>, input: &TagResourceRequest) -> Result<Checks, StoreError> {
    let check = subject::check(cx, tx, &input.key_id, Reach::Own)?;
    let tags = input.tags.iter().map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str()));
    Ok(check.request_tags(tags).into())
}

fn untag_checks(cx: &Cx, tx: &Tx<'_>, input: &UntagResourceRequest) -> Result<Checks, StoreError> {
    let check = subject::check(cx, tx, &input.key_id, Reach::Own)?;
    Ok(check.with_list("aws:TagKeys", input.tag_keys.clone()).into())
}

fn tag(cx: &Cx, tx: &mut Tx<'_>, input: TagResourceRequest) -> Result<(), Error> {
    let mut key = subject::staying(cx, tx, &input.key_id)?;
    for new in of_new(&input.tags)? {
        key.tags.retain(|tag| tag.key != new.key);
        key.tags.push(new);
    }
    if key.tags.len() > MAX_TAGS {
        return Err(too_many().into());
    }
    Ok(tx.put(&key)?)
}

fn untag(cx: &Cx, tx: &mut Tx<'_>, input: UntagResourceRequest) -> Result<(), Error> {
    let mut key = subject::staying(cx, tx, &input.key_id)?;
    key.tags.retain(|tag| !input.tag_keys.contains(&tag.key));
    Ok(tx.put(&key)?)
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListResourceTagsRequest) -> Result<ListResourceTagsResponse, Error> {
    let key = subject::load_by_id(cx, tx, &input.key_id)?;
    let shown =
        key.tags.into_iter().map(|tag| (tag.key.clone(), ApiTag { tag_key: tag.key, tag_value: tag.value }));
    let wanted = Wanted { marker: input.marker.as_deref(), limit: input.limit, default: 50 };
    let page = page(cx, shown.collect(), &wanted)?;
    Ok(ListResourceTagsResponse {
        truncated: page.is_truncated(),
        next_marker: page.next,
        tags: Some(page.items),
    })
}

/// The tags that a request gives.
///
/// # Errors
/// `TagException`, `LimitExceededException`.
pub(crate) fn of_new(tags: &[ApiTag]) -> Result<Vec<Tag>, Fault> {
    let wrong = |words: &str| Fault::new(&errors::TAG_EXCEPTION, words);
    if tags.len() > MAX_TAGS {
        return Err(too_many());
    }
    let mut read: Vec<Tag> = vec![];
    for tag in tags {
        if tag.tag_key.to_lowercase().starts_with("aws:") {
            return Err(wrong("Tags beginning with aws: are reserved"));
        }
        if read.iter().any(|known| known.key == tag.tag_key) {
            return Err(wrong("Duplicate tag keys"));
        }
        read.push(Tag { key: tag.tag_key.clone(), value: tag.tag_value.clone() });
    }
    Ok(read)
}

fn too_many() -> Fault {
    Fault::new(&errors::TAG_EXCEPTION, "Too many tags")
}
