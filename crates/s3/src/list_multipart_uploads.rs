//! `s3:ListBucketMultipartUploads`: ListMultipartUploads.

use std::sync::Arc;

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    CommonPrefix, ListMultipartUploadsOutput, ListMultipartUploadsRequest, MultipartUpload, StorageClass, ops,
};
use daypass_core::objects::{AfterUpload, Entry, Error as Engine, Upload, UploadId, UploadPage};
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};

use crate::authorize::{self, bucket_check};
use crate::bucket::Bucket;
use crate::description::Description;
use crate::engine;
use crate::fault::{invalid_argument, no_such_bucket};
use crate::list_objects::filled;
use crate::listing::{self, Encoding, Owners};
use crate::object::{self, time};
use crate::upload::Begun;

stream_operation!(LIST_MULTIPART_UPLOADS, ops::ListMultipartUploads, checks, run);

async fn checks(cx: &Cx, input: &ListMultipartUploadsRequest) -> Result<(Checks, Arc<Bucket>), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    Ok((bucket_check(cx, &bucket, "s3:ListBucketMultipartUploads").into(), bucket))
}

async fn run(
    cx: &Cx,
    bucket: Arc<Bucket>,
    input: ListMultipartUploadsRequest,
    _: Payload,
) -> Result<Answered<ListMultipartUploadsOutput>, Error> {
    let (prefix, delimiter) = (input.prefix.as_deref(), filled(input.delimiter.as_deref()));
    let limit = listing::limit(input.max_uploads, "max-uploads")?;
    let after = after(&input, prefix, delimiter)?;
    let keys = listing::keys(&bucket, prefix, delimiter, limit);
    let page = match limit {
        0 => UploadPage { entries: vec![], next: None },
        _ => match cx.state().objects.list_uploads(keys, after).await {
            Ok(page) => page,
            Err(Engine::NoSuchBucket) => return Err(no_such_bucket(&bucket.name).into()),
            Err(error) => return Err(engine::failed(cx, error)),
        },
    };
    let encoding = Encoding(input.encoding_type);
    let (next_key, next_id) = match &page.next {
        None => (None, None),
        Some(AfterUpload::Keys(after)) => (Some(listing::marker(after)), None),
        Some(AfterUpload::Upload(key, id)) => (Some(listing::text(key.as_bytes())), Some(id.to_string())),
    };
    let is_truncated = page.next.is_some();
    let (uploads, common_prefixes) = shown(page, encoding, &Owners::new(cx, &bucket)?)?;
    Ok(Answered::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        key_marker: Some(encoding.of(input.key_marker.as_deref().unwrap_or_default())),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        next_key_marker: encoding.some(next_key.as_deref()),
        next_upload_id_marker: next_id,
        prefix: Some(encoding.of(prefix.unwrap_or_default())),
        delimiter: encoding.some(delimiter),
        max_uploads: listing::shown_limit(limit),
        is_truncated: Some(is_truncated),
        uploads: Some(uploads),
        common_prefixes: Some(common_prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

/// Where the list goes on. An upload's id alone says nothing (S3 API reference, ListMultipartUploads,
/// `upload-id-marker`).
fn after(
    input: &ListMultipartUploadsRequest,
    prefix: Option<&str>,
    delimiter: Option<&str>,
) -> Result<Option<AfterUpload>, Error> {
    let Some(key) = filled(input.key_marker.as_deref()) else { return Ok(None) };
    let Some(id) = filled(input.upload_id_marker.as_deref()) else {
        return Ok(Some(AfterUpload::Keys(listing::after(key, prefix, delimiter))));
    };
    let parsed = UploadId::parse(id)
        .map_err(|_| invalid_argument("Invalid uploadId marker", "upload-id-marker", id))?;
    Ok(Some(AfterUpload::Upload(object::key(key)?, parsed)))
}

fn shown(
    page: UploadPage,
    encoding: Encoding,
    owners: &Owners<'_>,
) -> Result<(Vec<MultipartUpload>, Vec<CommonPrefix>), Error> {
    let (mut uploads, mut prefixes) = (vec![], vec![]);
    for entry in page.entries {
        match entry {
            Entry::One(upload) => uploads.push(shown_upload(upload, encoding, owners)?),
            Entry::Prefix(prefix) => prefixes.push(encoding.prefix(&prefix)),
        }
    }
    Ok((uploads, prefixes))
}

fn shown_upload(upload: Upload, encoding: Encoding, owners: &Owners<'_>) -> Result<MultipartUpload, Error> {
    let begun = Begun::of(upload)?;
    let (checksum_algorithm, checksum_type) = begun.shown_checksum();
    Ok(MultipartUpload {
        upload_id: Some(begun.upload.id.to_string()),
        key: Some(encoding.of(&listing::text(begun.upload.key.as_bytes()))),
        initiated: begun.upload.initiated.map(time),
        storage_class: StorageClass::parse(&Description::storage_class(&begun.upload.meta)),
        owner: Some(owners.of(&begun.upload.meta)),
        initiator: begun.initiator(),
        checksum_algorithm,
        checksum_type,
    })
}
