//! What is asked of one object, and what is answered.

use crate::{
    Algorithms, BucketId, Checksums, Commit, ETag, Error, Key, KeyId, Lock, Result, Storage, Timestamp,
    VersionId,
};
use bytes::Bytes;

/// The largest description of a version, in bytes.
pub const MAX_META_BYTES: usize = 32 * 1024;
/// The largest tag set, in bytes as the caller encodes it.
pub const MAX_TAGS_BYTES: usize = 16 * 1024;

/// Which object: the latest version of a key, or one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// Its bucket.
    pub bucket: BucketId,
    /// Its key.
    pub key: Key,
    /// The version, if not the latest.
    pub version: Option<VersionId>,
}

impl At {
    /// The latest version.
    #[must_use]
    pub fn latest(bucket: BucketId, key: Key) -> Self {
        Self { bucket, key, version: None }
    }

    /// One version.
    #[must_use]
    pub fn version(bucket: BucketId, key: Key, version: VersionId) -> Self {
        Self { bucket, key, version: Some(version) }
    }
}

/// What must hold of the key's current object at the instant of the change. A delete marker is no object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// There is none (`If-None-Match: *`).
    pub none: bool,
    /// There is one, with this tag if one is given (`If-Match`). A missing one is [`Error::NoSuchKey`].
    pub matches: Option<Match>,
    /// Its size, if there is one (`x-amz-if-match-size`).
    pub size: Option<u64>,
    /// When it was written, if there is one, compared in whole seconds (`x-amz-if-match-last-modified-time`).
    pub modified: Option<Timestamp>,
}

/// What an object must be to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Anything (`*`).
    Any,
    /// The one with this tag.
    ETag(ETag),
}

/// How a version that is written describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// At most [`MAX_META_BYTES`], opaque.
    pub meta: Bytes,
    /// At most [`MAX_TAGS_BYTES`], opaque.
    pub tags: Bytes,
    /// Its lock from the start.
    pub lock: Lock,
    /// Its storage state from the start.
    pub storage: Storage,
}

impl Description {
    pub(crate) fn check(&self) -> Result<()> {
        limit("description", self.meta.len(), MAX_META_BYTES)?;
        limit("tag set", self.tags.len(), MAX_TAGS_BYTES)
    }
}

pub(crate) fn limit(what: &'static str, length: usize, limit: usize) -> Result<()> {
    if length <= limit { Ok(()) } else { Err(Error::TooLarge { what, limit: limit as u64 }) }
}

/// Writes an object.
#[derive(Debug)]
pub struct Put {
    /// Where.
    pub bucket: BucketId,
    /// Under which key.
    pub key: Key,
    /// On what condition.
    pub only_if: Preconditions,
    /// With what beside the bytes.
    pub description: Description,
    /// Checksums to compute and keep; MD5 is computed anyway, for the tag.
    pub checksums: Algorithms,
    /// The key that seals the bytes at rest; [`KeyId::GIVEN`] says that it comes with the body.
    pub seal: Option<KeyId>,
    /// When, and what to note.
    pub commit: Commit,
}

impl Put {
    /// An object without conditions, description or checksums.
    #[must_use]
    pub fn new(bucket: BucketId, key: Key, commit: Commit) -> Self {
        Self {
            bucket,
            key,
            only_if: Preconditions::default(),
            description: Description::default(),
            checksums: Algorithms::NONE,
            seal: None,
            commit,
        }
    }
}

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its version.
    pub id: VersionId,
    /// See [`crate::Version::generation`].
    pub generation: u64,
    /// Bytes.
    pub size: u64,
    /// Its tag.
    pub etag: ETag,
    /// Its checksums.
    pub checksums: Checksums,
    /// When.
    pub modified: Timestamp,
}

/// Deletes a version, or the latest in the way of the bucket's versioning.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The key.
    pub key: Key,
    /// This version for good; without it the object, or a delete marker is put above it.
    pub version: Option<VersionId>,
    /// On what condition of the current object.
    pub only_if: Preconditions,
    /// Whether the caller may and wants to bypass a governance retention.
    pub bypass_governance: bool,
    /// The description of a delete marker, if one is made; at most [`MAX_META_BYTES`].
    pub marker_meta: Bytes,
}

impl Delete {
    /// The latest version.
    #[must_use]
    pub fn latest(key: Key) -> Self {
        Self {
            key,
            version: None,
            only_if: Preconditions::default(),
            bypass_governance: false,
            marker_meta: Bytes::new(),
        }
    }

    /// One version, for good.
    #[must_use]
    pub fn version(key: Key, version: VersionId) -> Self {
        Self { version: Some(version), ..Self::latest(key) }
    }
}

/// What a delete did. To delete what is not there is no error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The delete marker that was made.
    pub marker: Option<VersionId>,
    /// The version that is gone for good.
    pub removed: Option<VersionId>,
    /// Whether what is gone was a delete marker.
    pub removed_marker: bool,
}

/// Changes what is said of a version; its bytes stay.
#[derive(Debug)]
pub struct Update {
    /// Which.
    pub at: At,
    /// Only if it is still at this revision of this generation.
    pub only_if: Option<(u64, u32)>,
    /// A new description.
    pub meta: Option<Bytes>,
    /// A new tag set.
    pub tags: Option<Bytes>,
    /// A new lock. What may follow what is for the caller to judge, with [`Update::only_if`].
    pub lock: Option<Lock>,
    /// Whether the caller may and wants to bypass a governance retention, for a store that judges that too.
    pub bypass_governance: bool,
    /// A new storage state.
    pub storage: Option<Storage>,
    /// When, and what to note.
    pub commit: Commit,
}

impl Update {
    /// Changes nothing yet.
    #[must_use]
    pub fn new(at: At, commit: Commit) -> Self {
        Self {
            at,
            only_if: None,
            meta: None,
            tags: None,
            lock: None,
            bypass_governance: false,
            storage: None,
            commit,
        }
    }
}

/// The exact version that a copy is made of: what [`crate::Objects::head`] showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it was found.
    pub at: At,
    /// Its [`crate::Version::generation`].
    pub generation: u64,
}

/// Writes an object with the bytes of another.
#[derive(Debug)]
pub struct Copy {
    /// Whose bytes.
    pub source: Source,
    /// Where to, on what condition, described how, with which checksums.
    pub to: Put,
}
