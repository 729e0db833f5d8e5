//! Buckets, as far as the bytes are concerned: an opaque number and how versions are kept.

use serde::{Deserialize, Serialize};

/// A bucket's number, drawn by the caller and never used again after the bucket is closed.
///
/// Its name, owner and configuration are the caller's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketId(pub u64);

/// How a bucket keeps versions.
///
/// A bucket begins unversioned and, once it left that state, can only be enabled or suspended
/// (Amazon S3 User Guide, "Retaining multiple versions of objects with S3 Versioning").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// A write replaces the object; its version is [`crate::VersionId::Null`].
    #[default]
    Unversioned,
    /// A write adds a version; a delete without a version adds a delete marker.
    Enabled,
    /// A write replaces the null version and leaves the others.
    Suspended,
}

/// What the engine knows of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketInfo {
    /// How versions are kept.
    pub versioning: Versioning,
    /// What is in it, where that is known: exact, at the cost of one lookup.
    pub counts: Option<Counts>,
}

/// What is in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Keys that a listing shows: those whose latest version is an object.
    pub objects: u64,
    /// Versions that a listing does not show: noncurrent ones and delete markers.
    pub noncurrent: u64,
    /// Bytes of all versions, current and noncurrent.
    pub bytes: u64,
    /// Multipart uploads under way.
    pub uploads: u64,
}
