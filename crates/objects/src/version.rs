//! One version of an object, as the engine answers it.

use crate::{Checksums, ETag, Error, Result};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest version id that is looked at, in bytes (Amazon S3 User Guide, "How S3 Versioning works").
pub const MAX_VERSION_ID_BYTES: usize = 1024;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z. Always given by the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub u64);

/// Which version of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionId {
    /// The version that an unversioned or suspended bucket writes, `null` on the wire.
    Null,
    /// A version with an id of its own, made by the engine.
    Named(Box<str>),
}

impl VersionId {
    /// Reads the id that a client sent; `null` is the null version.
    ///
    /// # Errors
    /// [`Error::InvalidVersionId`] when it is empty or longer than [`MAX_VERSION_ID_BYTES`].
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "null" => Ok(Self::Null),
            _ if text.is_empty() || text.len() > MAX_VERSION_ID_BYTES => Err(Error::InvalidVersionId),
            _ => Ok(Self::Named(text.into())),
        }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Named(id) => id,
        })
    }
}

/// How strongly a retention holds (Amazon S3 User Guide, "Locking objects with Object Lock").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetentionMode {
    /// Whoever may bypass it can delete the version.
    Governance,
    /// Nobody can delete the version before its time.
    Compliance,
}

/// What keeps a version from being deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Until when, and how strongly.
    pub retention: Option<(RetentionMode, Timestamp)>,
    /// Until it is taken off.
    pub legal_hold: bool,
}

impl Lock {
    /// Whether the version must stay at `now`, for someone who may or may not bypass governance.
    #[must_use]
    pub fn holds(&self, now: Timestamp, bypass_governance: bool) -> bool {
        let retained = self.retention.is_some_and(|(mode, until)| {
            now < until && !(bypass_governance && mode == RetentionMode::Governance)
        });
        self.legal_hold || retained
    }
}

/// Whether a version's bytes can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Storage {
    /// They can.
    #[default]
    Available,
    /// They are in an archive and must be restored first; reading answers [`Error::Archived`].
    Archived,
}

/// One version that is an object (not a delete marker).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// A number that no other version of this store ever has: names the exact bytes that were seen.
    pub generation: u64,
    /// Counts the changes of [`Version::meta`], [`Version::tags`], [`Version::lock`] and [`Version::storage`], from 0.
    pub revision: u32,
    /// Whether it is the one that a request without a version gets.
    pub is_latest: bool,
    /// Bytes.
    pub size: u64,
    /// Entity tag.
    pub etag: ETag,
    /// When it was written.
    pub modified: Timestamp,
    /// The checksums that were asked for or made.
    pub checksums: Checksums,
    /// How many parts it was uploaded in, when it was a multipart upload.
    pub parts: Option<u32>,
    /// The caller's own description (headers, user metadata, owner …).
    pub meta: Bytes,
    /// The caller's own tag set.
    pub tags: Bytes,
    /// What keeps it from being deleted.
    pub lock: Lock,
    /// Whether its bytes can be read.
    pub storage: Storage,
}

/// A delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteMarker {
    /// Its id.
    pub id: VersionId,
    /// Whether it is the one that a request without a version gets.
    pub is_latest: bool,
    /// When it was written.
    pub modified: Timestamp,
    /// The caller's own description (owner …).
    pub meta: Bytes,
}

#[cfg(test)]
mod tests {
    use super::{Lock, RetentionMode, Timestamp};

    #[test]
    fn only_governance_can_be_bypassed_and_only_retention_ends() {
        let until = |mode| Lock { retention: Some((mode, Timestamp(10))), legal_hold: false };
        let governance = until(RetentionMode::Governance);
        let compliance = until(RetentionMode::Compliance);
        let held = Lock { retention: None, legal_hold: true };
        for (lock, now, bypass, holds) in [
            (Lock::default(), 0, false, false),
            (governance, 9, false, true),
            (governance, 9, true, false),
            (governance, 10, false, false),
            (compliance, 9, true, true),
            (compliance, 10, false, false),
            (held, u64::MAX, true, true),
        ] {
            assert_eq!(lock.holds(Timestamp(now), bypass), holds, "{lock:?} at {now}, bypass {bypass}");
        }
    }
}
