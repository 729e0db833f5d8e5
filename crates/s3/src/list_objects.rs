//! `s3:ListBucket`: ListObjects and ListObjectsV2.

use std::sync::Arc;

use daypass_core::model::s3::{
    CommonPrefix, ListObjectsOutput, ListObjectsRequest, ListObjectsV2Output, ListObjectsV2Request, Object,
    ops,
};
use daypass_core::objects::{After, Entry, Error as Engine, ObjectPage};
use daypass_core::{Answered, Checks, Cx, Error, Payload, Purpose, stream_operation};

use crate::authorize::{self, Conditions as _, bucket_check};
use crate::bucket::Bucket;
use crate::engine;
use crate::fault::{invalid_argument, no_such_bucket};
use crate::listing::{self, Encoding, Owners};

stream_operation!(LIST_OBJECTS, ops::ListObjects, checks, list);
stream_operation!(LIST_OBJECTS_V2, ops::ListObjectsV2, checks_v2, list_v2);

async fn checks(cx: &Cx, input: &ListObjectsRequest) -> Result<(Checks, Arc<Bucket>), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let check = bucket_check(cx, &bucket, "s3:ListBucket").listing(
        input.prefix.as_deref(),
        input.delimiter.as_deref(),
        input.max_keys,
    );
    Ok((check.into(), bucket))
}

async fn checks_v2(cx: &Cx, input: &ListObjectsV2Request) -> Result<(Checks, Arc<Bucket>), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let check = bucket_check(cx, &bucket, "s3:ListBucket").listing(
        input.prefix.as_deref(),
        input.delimiter.as_deref(),
        input.max_keys,
    );
    Ok((check.into(), bucket))
}

async fn list(
    cx: &Cx,
    bucket: Arc<Bucket>,
    input: ListObjectsRequest,
    _: Payload,
) -> Result<Answered<ListObjectsOutput>, Error> {
    let (prefix, delimiter) = (input.prefix.as_deref(), filled(input.delimiter.as_deref()));
    let limit = listing::limit(input.max_keys, "maxKeys")?;
    let after = filled(input.marker.as_deref()).map(|marker| listing::after(marker, prefix, delimiter));
    let page = page(cx, &bucket, listing::keys(&bucket, prefix, delimiter, limit), after).await?;
    let encoding = Encoding(input.encoding_type);
    // Where nothing is folded, the last key is the marker of the next page.
    let next_marker = page.next.as_ref().filter(|_| delimiter.is_some()).map(listing::marker);
    let is_truncated = page.next.is_some();
    let (contents, common_prefixes) = shown(page, encoding, Some(&Owners::new(cx, &bucket)?));
    Ok(Answered::new(ListObjectsOutput {
        is_truncated: Some(is_truncated),
        marker: Some(encoding.of(input.marker.as_deref().unwrap_or_default())),
        next_marker: encoding.some(next_marker.as_deref()),
        contents: Some(contents),
        name: Some(input.bucket),
        prefix: Some(encoding.of(prefix.unwrap_or_default())),
        delimiter: encoding.some(delimiter),
        max_keys: listing::shown_limit(limit),
        common_prefixes: Some(common_prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

async fn list_v2(
    cx: &Cx,
    bucket: Arc<Bucket>,
    input: ListObjectsV2Request,
    _: Payload,
) -> Result<Answered<ListObjectsV2Output>, Error> {
    let (prefix, delimiter) = (input.prefix.as_deref(), filled(input.delimiter.as_deref()));
    let limit = listing::limit(input.max_keys, "maxKeys")?;
    let after = match (input.continuation_token.as_deref(), filled(input.start_after.as_deref())) {
        (Some(token), _) => Some(open(cx, &bucket, token)?),
        (None, Some(start)) => Some(listing::after(start, prefix, delimiter)),
        (None, None) => None,
    };
    let page = page(cx, &bucket, listing::keys(&bucket, prefix, delimiter, limit), after).await?;
    let encoding = Encoding(input.encoding_type);
    let next = page.next.as_ref().map(|next| seal(cx, &bucket, next)).transpose()?;
    let owners = Owners::new(cx, &bucket)?;
    let owners = (input.fetch_owner == Some(true)).then_some(&owners);
    let (contents, common_prefixes) = shown(page, encoding, owners);
    Ok(Answered::new(ListObjectsV2Output {
        is_truncated: Some(next.is_some()),
        key_count: listing::shown_limit(contents.len() + common_prefixes.len()),
        contents: Some(contents),
        name: Some(input.bucket),
        prefix: Some(encoding.of(prefix.unwrap_or_default())),
        delimiter: encoding.some(delimiter),
        max_keys: listing::shown_limit(limit),
        common_prefixes: Some(common_prefixes),
        encoding_type: input.encoding_type,
        continuation_token: input.continuation_token,
        next_continuation_token: next,
        start_after: encoding.some(input.start_after.as_deref()),
        request_charged: None,
    }))
}

/// A text, where it is not empty.
pub(crate) fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

async fn page(
    cx: &Cx,
    bucket: &Bucket,
    keys: daypass_core::objects::Keys,
    after: Option<After>,
) -> Result<ObjectPage, Error> {
    if keys.limit == 0 {
        return Ok(ObjectPage { entries: vec![], next: None });
    }
    match cx.state().objects.list(keys, after).await {
        Ok(page) => Ok(page),
        Err(Engine::NoSuchBucket) => Err(no_such_bucket(&bucket.name).into()),
        Err(error) => Err(engine::failed(cx, error)),
    }
}

fn shown(
    page: ObjectPage,
    encoding: Encoding,
    owners: Option<&Owners<'_>>,
) -> (Vec<Object>, Vec<CommonPrefix>) {
    let (mut objects, mut prefixes) = (vec![], vec![]);
    for entry in page.entries {
        match entry {
            Entry::One(listed) => {
                let owner = owners.map(|owners| owners.of(&listed.what.meta));
                objects.push(listing::object(&listed, encoding, owner));
            }
            Entry::Prefix(prefix) => prefixes.push(encoding.prefix(&prefix)),
        }
    }
    (objects, prefixes)
}

/// A token says after what to go on; callers learn nothing from it and cannot make one.
fn seal(cx: &Cx, bucket: &Bucket, after: &After) -> Result<String, Error> {
    let (kind, bytes) = match after {
        After::Key(bytes) => (b'k', bytes),
        After::Prefix(bytes) => (b'p', bytes),
    };
    let token = [&[kind], bytes.as_ref()].concat();
    Ok(cx.state().ring.seal(Purpose::Pagination, context(bucket).as_bytes(), &token)?)
}

fn open(cx: &Cx, bucket: &Bucket, token: &str) -> Result<After, Error> {
    let opened = cx.state().ring.open(Purpose::Pagination, context(bucket).as_bytes(), token);
    let after = opened.ok().and_then(|opened| match opened.expose().split_first()? {
        (b'k', bytes) => Some(After::Key(bytes.to_vec().into())),
        (b'p', bytes) => Some(After::Prefix(bytes.to_vec().into())),
        _ => None,
    });
    after.ok_or_else(|| {
        invalid_argument("The continuation token provided is incorrect", "continuation-token", token).into()
    })
}

fn context(bucket: &Bucket) -> String {
    format!("ListObjectsV2 {}", bucket.number)
}
