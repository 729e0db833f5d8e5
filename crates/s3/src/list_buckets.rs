//! `s3:ListBuckets`

use daypass_core::model::s3::{Bucket, ListBucketsOutput, ListBucketsRequest, Owner, ops};
use daypass_core::policy::Resource;
use daypass_core::store::{Key, Read as _, Tx};
use daypass_core::{Check, Checks, Cx, Error, Purpose, operation};

use crate::authorize;
use crate::bucket::{OwnedBucket, canonical_id};
use crate::fault::invalid_argument;

operation!(LIST_BUCKETS, ops::ListBuckets, may_refuse: checks, run);

/// The most that a page holds, and what a list without a page size is read by (S3 API reference, ListBuckets).
const MAX_PAGE: usize = 10_000;

fn checks(cx: &Cx, _: &Tx<'_>, _: &ListBucketsRequest) -> Result<Checks, Error> {
    Ok(authorize::common(cx, Check::new("s3:ListAllMyBuckets", Resource::EVERY_BUCKET)).into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ListBucketsRequest) -> Result<ListBucketsOutput, Error> {
    let account = cx.account();
    let limit = input.max_buckets.and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_PAGE);
    // Where the request says anything, the answer says the regions.
    let regions = input.max_buckets.is_some()
        || input.prefix.is_some()
        || input.bucket_region.is_some()
        || input.continuation_token.is_some();
    let after = input.continuation_token.as_deref().map(|token| open(cx, token)).transpose()?;
    let after: Option<Key> = after.map(|name| OwnedBucket::key_of(&account, &name));
    let owned: Vec<OwnedBucket> = tx.list(&OwnedBucket::all(&account), after.as_ref(), usize::MAX)?;
    let mut found = owned.into_iter().filter(|bucket| {
        input.prefix.as_deref().is_none_or(|prefix| bucket.name.starts_with(prefix))
            && input.bucket_region.as_deref().is_none_or(|region| bucket.region == region)
    });
    let page: Vec<OwnedBucket> = found.by_ref().take(limit).collect();
    let continuation_token = match (found.next(), page.last()) {
        (Some(_), Some(last)) => Some(seal(cx, &last.name)?),
        _ => None,
    };
    let shown = page.into_iter().map(|bucket| Bucket {
        name: Some(bucket.name),
        creation_date: Some(bucket.created),
        bucket_region: regions.then_some(bucket.region),
        bucket_arn: None,
    });
    Ok(ListBucketsOutput {
        buckets: Some(shown.collect()),
        owner: Some(Owner { display_name: None, id: Some(canonical_id(cx, &account)?) }),
        continuation_token,
        prefix: input.prefix,
    })
}

/// A token says after what to go on; callers learn nothing from it and cannot make one.
fn seal(cx: &Cx, name: &str) -> Result<String, Error> {
    Ok(cx.state().ring.seal(Purpose::Pagination, context(cx).as_bytes(), name.as_bytes())?)
}

fn open(cx: &Cx, token: &str) -> Result<String, Error> {
    let opened = cx.state().ring.open(Purpose::Pagination, context(cx).as_bytes(), token);
    let name = opened.ok().and_then(|bytes| String::from_utf8(bytes.expose().clone()).ok());
    name.ok_or_else(|| {
        invalid_argument("The continuation token provided is incorrect", "continuation-token", token).into()
    })
}

fn context(cx: &Cx) -> String {
    format!("ListBuckets {}", cx.account())
}
