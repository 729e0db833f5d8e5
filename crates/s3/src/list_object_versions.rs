//! `s3:ListBucketVersions`: ListObjectVersions.

use std::sync::Arc;

use daypass_core::model::s3::{
    CommonPrefix, DeleteMarkerEntry, ListObjectVersionsOutput, ListObjectVersionsRequest, ObjectVersion,
    ObjectVersionStorageClass, ops,
};
use daypass_core::objects::{AfterVersion, AnyVersion, Entry, Error as Engine, VersionId, VersionPage};
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};

use crate::authorize::{self, Conditions as _, bucket_check};
use crate::bucket::Bucket;
use crate::fault::{invalid_argument, no_such_bucket};
use crate::list_objects::filled;
use crate::listing::{self, Encoding, Owners};
use crate::object::{self, quoted, size, time};
use crate::{checksum, engine};

stream_operation!(LIST_OBJECT_VERSIONS, ops::ListObjectVersions, checks, run);

async fn checks(cx: &Cx, input: &ListObjectVersionsRequest) -> Result<(Checks, Arc<Bucket>), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let check = bucket_check(cx, &bucket, "s3:ListBucketVersions").listing(
        input.prefix.as_deref(),
        input.delimiter.as_deref(),
        input.max_keys,
    );
    Ok((check.into(), bucket))
}

async fn run(
    cx: &Cx,
    bucket: Arc<Bucket>,
    input: ListObjectVersionsRequest,
    _: Payload,
) -> Result<Answered<ListObjectVersionsOutput>, Error> {
    let (prefix, delimiter) = (input.prefix.as_deref(), filled(input.delimiter.as_deref()));
    let limit = listing::limit(input.max_keys, "maxKeys")?;
    let after = after(&input, prefix, delimiter)?;
    let keys = listing::keys(&bucket, prefix, delimiter, limit);
    let page = match limit {
        0 => VersionPage { entries: vec![], next: None },
        _ => match cx.state().objects.list_versions(keys, after).await {
            Ok(page) => page,
            Err(Engine::NoSuchBucket) => return Err(no_such_bucket(&bucket.name).into()),
            Err(Engine::InvalidVersionId) => return Err(invalid_marker(&input).into()),
            Err(error) => return Err(engine::failed(cx, error)),
        },
    };
    let encoding = Encoding(input.encoding_type);
    let (next_key, next_id) = match &page.next {
        None => (None, None),
        Some(AfterVersion::Keys(after)) => (Some(listing::marker(after)), None),
        Some(AfterVersion::Version(key, id)) => (Some(listing::text(key.as_bytes())), Some(id.to_string())),
    };
    let is_truncated = page.next.is_some();
    let shown = Shown::of(page, encoding, &Owners::new(cx, &bucket)?);
    Ok(Answered::new(ListObjectVersionsOutput {
        is_truncated: Some(is_truncated),
        key_marker: Some(encoding.of(input.key_marker.as_deref().unwrap_or_default())),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        next_key_marker: encoding.some(next_key.as_deref()),
        next_version_id_marker: next_id,
        versions: Some(shown.versions),
        delete_markers: Some(shown.markers),
        name: Some(input.bucket),
        prefix: Some(encoding.of(prefix.unwrap_or_default())),
        delimiter: encoding.some(delimiter),
        max_keys: listing::shown_limit(limit),
        common_prefixes: Some(shown.prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

/// Where the list goes on.
fn after(
    input: &ListObjectVersionsRequest,
    prefix: Option<&str>,
    delimiter: Option<&str>,
) -> Result<Option<AfterVersion>, Error> {
    let id = filled(input.version_id_marker.as_deref());
    let Some(key) = filled(input.key_marker.as_deref()) else {
        let words = "A version-id marker cannot be specified without a key marker.";
        return match id {
            Some(id) => Err(invalid_argument(words, "version-id-marker", id).into()),
            None => Ok(None),
        };
    };
    let Some(id) = id else {
        return Ok(Some(AfterVersion::Keys(listing::after(key, prefix, delimiter))));
    };
    let version = VersionId::parse(id).map_err(|_| invalid_marker(input))?;
    Ok(Some(AfterVersion::Version(object::key(key)?, version)))
}

fn invalid_marker(input: &ListObjectVersionsRequest) -> daypass_core::Fault {
    let id = input.version_id_marker.as_deref().unwrap_or_default();
    invalid_argument("Invalid version id specified", "version-id-marker", id)
}

#[derive(Default)]
struct Shown {
    versions: Vec<ObjectVersion>,
    markers: Vec<DeleteMarkerEntry>,
    prefixes: Vec<CommonPrefix>,
}

impl Shown {
    fn of(page: VersionPage, encoding: Encoding, owners: &Owners<'_>) -> Self {
        let mut shown = Self::default();
        for entry in page.entries {
            let listed = match entry {
                Entry::Prefix(prefix) => {
                    shown.prefixes.push(encoding.prefix(&prefix));
                    continue;
                }
                Entry::One(listed) => listed,
            };
            let key = Some(encoding.of(&listing::text(listed.key.as_bytes())));
            match listed.what {
                AnyVersion::Object(version) => {
                    let (checksum_algorithm, checksum_type) = checksum::listed(&version.checksums);
                    shown.versions.push(ObjectVersion {
                        e_tag: Some(quoted(&version.etag)),
                        checksum_algorithm,
                        checksum_type,
                        size: Some(size(version.size)),
                        storage_class: Some(ObjectVersionStorageClass::STANDARD),
                        key,
                        version_id: Some(version.id.to_string()),
                        is_latest: Some(version.is_latest),
                        last_modified: Some(time(version.modified)),
                        owner: Some(owners.of(&version.meta)),
                        restore_status: None,
                    });
                }
                AnyVersion::Marker(marker) => shown.markers.push(DeleteMarkerEntry {
                    owner: Some(owners.of_bucket()),
                    key,
                    version_id: Some(marker.id.to_string()),
                    is_latest: Some(marker.is_latest),
                    last_modified: Some(time(marker.modified)),
                }),
            }
        }
        shown
    }
}
