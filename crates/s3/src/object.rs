//! Objects, as requests name them and as they are found.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use daypass_core::model::{AccountId, Timestamp, s3::errors};
use daypass_core::objects::{
    self, At, BucketInfo, Error as Engine, Key, MAX_KEY_BYTES, Opened, Version, VersionId, Versioning,
    Written,
};
use daypass_core::store::records::Tag;
use daypass_core::{Check, Cx, Error, Fault};

use crate::acl::{self, Acl, Grant};
use crate::authorize::{self, Conditions as _};
use crate::bucket::Bucket;
use crate::description::Description;
use crate::encryption::opening_check;
use crate::event::Event;
use crate::fault::{invalid_argument, no_such_bucket};
use crate::lifetime::{self, Day};
use crate::{engine, tag};

/// The key that a request names.
///
/// # Errors
/// `KeyTooLongError` (S3 user guide, "Naming Amazon S3 objects"); `InvalidURI` for a NUL, which XML has no way to write:
/// a list could not tell such a key from another one.
pub(crate) fn key(text: &str) -> Result<Key, Fault> {
    if text.contains('\0') {
        return Err(Fault::new(&errors::INVALID_URI, "Couldn't parse the specified URI."));
    }
    Key::new(text.as_bytes().to_vec()).map_err(|_| {
        Fault::new(&errors::KEY_TOO_LONG_ERROR, "Your key is too long")
            .with("Size", text.len().to_string())
            .with("MaxSizeAllowed", MAX_KEY_BYTES.to_string())
    })
}

/// Which object a request names.
///
/// # Errors
/// A key or a version id that cannot be one.
pub(crate) fn at(bucket: &Bucket, name: &str, version_id: Option<&str>) -> Result<At, Fault> {
    let version = version_id.map(version).transpose()?;
    Ok(At { bucket: bucket.id(), key: key(name)?, version })
}

fn version(text: &str) -> Result<VersionId, Fault> {
    if text.is_empty() {
        return Err(invalid_argument("Version id cannot be the empty string", "versionId", ""));
    }
    VersionId::parse(text).map_err(|_| invalid_version_id(text))
}

pub(crate) fn invalid_version_id(text: &str) -> Fault {
    invalid_argument("Invalid version id specified", "versionId", text)
}

/// An object that is there already, as it was found when the question about it was asked. What is missing is not said
/// before the question was answered.
pub(crate) struct Subject {
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) at: At,
    name: String,
    version_id: Option<String>,
    found: Result<Opened, Engine>,
    tags: Vec<Tag>,
    owner: AccountId,
    acl: Option<Acl>,
}

impl Subject {
    /// Looks for it.
    ///
    /// # Errors
    /// A key or a version id that cannot be one, or a failure of the object store.
    pub(crate) async fn find(
        cx: &Cx,
        bucket: Arc<Bucket>,
        name: &str,
        version_id: Option<&str>,
    ) -> Result<Self, Error> {
        let at = at(&bucket, name, version_id)?;
        let found = cx.state().objects.get(at.clone()).await;
        let tags = match &found {
            Ok(opened) => tags_of(&opened.version)?,
            Err(
                Engine::NoSuchKey { .. }
                | Engine::NoSuchVersion
                | Engine::InvalidVersionId
                | Engine::IsDeleteMarker { .. }
                | Engine::NoSuchBucket,
            ) => vec![],
            Err(_) => {
                return Err(
                    found.map_or_else(|error| engine::failed(cx, error), |_| cx.internal_failure().into())
                );
            }
        };
        let version_id = version_id.map(str::to_owned);
        let Description { owner, acl, .. } = match &found {
            Ok(opened) if !bucket.is_enforced() => Description::decode(&opened.version.meta)?,
            _ => Description::default(),
        };
        let owner = owner.unwrap_or_else(|| bucket.account.clone());
        let acl = if found.is_ok() { acl } else { Some(acl::of_missing(&bucket)) };
        Ok(Self { bucket, at, name: name.to_owned(), version_id, found, tags, owner, acl })
    }

    /// May the caller do this to it?
    pub(crate) fn check(&self, cx: &Cx, action: &'static str) -> Check {
        authorize::existing_check(cx, &self.bucket, action, &self.name, &self.owner, &self.acl())
            .version(self.version_id.as_deref())
            .existing_object_tags(pairs(&self.tags))
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> &AccountId {
        &self.owner
    }

    /// Its ACL, as it counts.
    pub(crate) fn acl(&self) -> Cow<'_, [Grant]> {
        match &self.acl {
            Some(acl) => Cow::Borrowed(acl),
            None => Cow::Owned(acl::private(&self.owner)),
        }
    }

    /// Its key.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// When it expires, as `x-amz-expiration` says. A version that is asked for by its id need not be the current one,
    /// which alone expires.
    pub(crate) fn expiration(&self, cx: &Cx, version: &Version) -> Result<Option<String>, Error> {
        match self.version_id {
            Some(_) => Ok(None),
            None => lifetime::expiration(&self.bucket, &key(&self.name)?, version, Day::of(cx.state())),
        }
    }

    /// What happened to it, where its bytes stay.
    pub(crate) fn event(&self, name: &str, version: &Version) -> Event {
        Event::of_version(name, &self.name, version)
    }

    /// Its tags; none if it is not there.
    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// May the caller open it, as far as that is another's to say: the key of KMS that it is sealed with?
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn opening_check(&self, cx: &Cx) -> Result<Option<Check>, Error> {
        let Some(description) = self.description()? else { return Ok(None) };
        opening_check(cx, description.sealing.as_ref())
    }

    /// What it is described with; none if it is not there.
    ///
    /// # Errors
    /// If what is kept is not what was written.
    pub(crate) fn description(&self) -> Result<Option<Description>, Error> {
        self.found.as_ref().ok().map(|opened| Description::decode(&opened.version.meta)).transpose()
    }

    /// The object, once the caller was allowed to know of it.
    ///
    /// # Errors
    /// In which way it is not there.
    pub(crate) fn opened(&self, cx: &Cx) -> Result<&Opened, Error> {
        self.found.as_ref().map_err(|missing| self.missing(cx, missing))
    }

    fn missing(&self, cx: &Cx, missing: &Engine) -> Error {
        match missing {
            Engine::NoSuchKey { marker } => {
                let mut fault = no_such_key(&self.name);
                if let Some(marker) = marker {
                    fault = fault
                        .with_header("x-amz-delete-marker", "true")
                        .with_header("x-amz-version-id", marker.to_string());
                }
                authorize::missing_key(cx, &self.bucket, fault)
            }
            Engine::NoSuchVersion => {
                let version_id = self.version_id.as_deref().unwrap_or_default();
                authorize::missing_key(cx, &self.bucket, no_such_version(&self.name, version_id))
            }
            Engine::IsDeleteMarker { id, modified, .. } => {
                let words = "The specified method is not allowed against this resource.";
                Fault::new(&errors::METHOD_NOT_ALLOWED, words)
                    .with("Method", cx.operation().http.method)
                    .with("ResourceType", "DeleteMarker")
                    .with_header("x-amz-delete-marker", "true")
                    .with_header("x-amz-version-id", id.to_string())
                    .with_header("allow", "DELETE")
                    .with_header("last-modified", time(*modified).rfc822())
                    .into()
            }
            Engine::InvalidVersionId => {
                invalid_version_id(self.version_id.as_deref().unwrap_or_default()).into()
            }
            _ => no_such_bucket(&self.bucket.name).into(),
        }
    }
}

/// The tags of a version.
///
/// # Errors
/// If what is kept is not what was written.
pub(crate) fn tags_of(version: &Version) -> Result<Vec<Tag>, Error> {
    tag::decode(&version.tags).map_err(|error| Error::Internal(Box::new(error)))
}

/// Tags as conditions take them.
pub(crate) fn pairs(tags: &[Tag]) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))
}

pub(crate) fn no_such_key(key: &str) -> Fault {
    Fault::new(&errors::NO_SUCH_KEY, "The specified key does not exist.").with("Key", key)
}

pub(crate) fn no_such_version(key: &str, version_id: &str) -> Fault {
    Fault::new(&errors::NO_SUCH_VERSION, "The specified version does not exist.")
        .with("Key", key)
        .with("VersionId", version_id)
}

/// Whether answers about objects of this bucket name versions: it keeps them, or has kept them once.
///
/// # Errors
/// If the bucket is gone by now, or the object store fails.
pub(crate) async fn names_versions(cx: &Cx, bucket: &Bucket) -> Result<bool, Error> {
    Ok(bucket_info(cx, bucket).await?.versioning != Versioning::Unversioned)
}

/// What the object store knows of a bucket.
///
/// # Errors
/// As [`names_versions`].
pub(crate) async fn bucket_info(cx: &Cx, bucket: &Bucket) -> Result<BucketInfo, Error> {
    match cx.state().objects.bucket(bucket.id()).await {
        Ok(info) => Ok(info),
        Err(Engine::NoSuchBucket) => Err(no_such_bucket(&bucket.name).into()),
        Err(error) => Err(engine::failed(cx, error)),
    }
}

/// A version's id, as answers name it.
///
/// # Errors
/// As [`names_versions`].
pub(crate) async fn shown_id(cx: &Cx, bucket: &Bucket, opened: &Opened) -> Result<Option<String>, Error> {
    let id = &opened.version.id;
    let shown = *id != VersionId::Null
        || match opened.versioning {
            Some(versioning) => versioning != Versioning::Unversioned,
            None => names_versions(cx, bucket).await?,
        };
    Ok(shown.then(|| id.to_string()))
}

/// When what was just written expires, as `x-amz-expiration` says.
pub(crate) fn expiration_of_written(
    bucket: &Bucket,
    key: &Key,
    tags: Bytes,
    written: &Written,
    day: Day,
) -> Option<String> {
    let version = Version {
        id: written.id.clone(),
        generation: written.generation,
        revision: 0,
        is_latest: true,
        size: written.size,
        etag: written.etag.clone(),
        modified: written.modified,
        checksums: written.checksums.clone(),
        parts: None,
        meta: Bytes::new(),
        tags,
        lock: objects::Lock::default(),
        storage: objects::Storage::Available,
    };
    // The object is there: a lifecycle that does not read is told where it is asked for.
    lifetime::expiration(bucket, key, &version, day).ok().flatten()
}

/// An entity tag, as answers have it.
pub(crate) fn quoted(etag: &objects::ETag) -> String {
    format!("\"{etag}\"")
}

/// A time of the object store's; S3 keeps seconds.
pub(crate) fn time(at: objects::Timestamp) -> Timestamp {
    moment(at).truncated()
}

/// A moment to come, as answers have it: to the millisecond, for whoever waits until then.
pub(crate) fn moment(at: objects::Timestamp) -> Timestamp {
    Timestamp::from_millis(i64::try_from(at.0).unwrap_or(i64::MAX))
}

/// A size, as answers have it.
pub(crate) fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
