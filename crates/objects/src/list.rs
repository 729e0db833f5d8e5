//! Pages of keys, versions, uploads and parts, in the byte order of the keys.

use crate::{BucketId, DeleteMarker, Key, Part, Upload, UploadAt, UploadId, Version, VersionId};
use bytes::Bytes;

/// The most entries of a page (Amazon S3 API Reference, "ListObjectsV2", `MaxKeys`).
pub const MAX_PAGE: usize = 1000;

/// A page ends early when the descriptions in it come to more than this, in bytes.
pub const MAX_PAGE_BYTES: usize = 8 << 20;

/// Which keys of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The bucket.
    pub bucket: BucketId,
    /// Those that begin with this.
    pub prefix: Bytes,
    /// Fold all that have this after the prefix into one entry; empty folds nothing.
    pub delimiter: Bytes,
    /// At most this many entries, never more than [`MAX_PAGE`].
    pub limit: usize,
}

impl Keys {
    /// The first page of all keys.
    #[must_use]
    pub fn all(bucket: BucketId) -> Self {
        Self { bucket, prefix: Bytes::new(), delimiter: Bytes::new(), limit: MAX_PAGE }
    }
}

/// Where a page of keys begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Behind this key, which need not exist.
    Key(Bytes),
    /// Behind every key that begins with this.
    Prefix(Bytes),
}

/// One entry of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<T> {
    /// A thing.
    One(T),
    /// All that begin with this.
    Prefix(Bytes),
}

/// A page, and where the next begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, N = After> {
    /// In order.
    pub entries: Vec<Entry<T>>,
    /// Absent when this is the last.
    pub next: Option<N>,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// Its key.
    pub key: Key,
    /// What it is.
    pub what: T,
}

/// A version in a listing of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyVersion {
    /// An object.
    Object(Version),
    /// A delete marker.
    Marker(DeleteMarker),
}

/// A page of objects.
pub type ObjectPage = Page<Listed<Version>>;
/// A page of versions.
pub type VersionPage = Page<Listed<AnyVersion>, AfterVersion>;
/// A page of uploads.
pub type UploadPage = Page<Upload, AfterUpload>;

/// Where a page of versions begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterVersion {
    /// Behind all versions of a key, or of a prefix.
    Keys(After),
    /// Behind this version of this key. If it is gone and had no id of its own, at the key's first version.
    Version(Key, VersionId),
}

/// Where a page of uploads begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterUpload {
    /// Behind all uploads of a key, or of a prefix.
    Keys(After),
    /// Behind this upload of this key, which need not exist.
    Upload(Key, UploadId),
}

/// Which parts of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The upload.
    pub upload: UploadAt,
    /// Those with a higher number.
    pub after: u16,
    /// At most this many, never more than [`MAX_PAGE`].
    pub limit: usize,
}

/// A page of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartPage {
    /// The upload they are of.
    pub upload: Upload,
    /// In order.
    pub parts: Vec<Part>,
    /// Whether there are more.
    pub truncated: bool,
}
