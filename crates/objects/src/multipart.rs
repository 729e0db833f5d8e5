//! Objects that arrive in parts.

use crate::{
    Algorithm, Algorithms, BucketId, Checksums, Commit, Description, ETag, Error, Key, KeyId, Preconditions,
    Result, Source, Timestamp, Written,
};
use bytes::Bytes;
use std::fmt;
use std::ops::Range;

/// The highest part number (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
pub const MAX_PARTS: u16 = 10_000;
/// The largest object, in bytes: 50 TB as AWS counts it, 48.8 TiB (same place).
pub const MAX_OBJECT_BYTES: u64 = MAX_PARTS as u64 * crate::MAX_BODY_BYTES;
/// The longest upload id that is looked at, in bytes.
pub const MAX_UPLOAD_ID_BYTES: usize = 1024;

/// Names an upload within its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(Box<str>);

impl UploadId {
    /// Takes what a client sent.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`] when no upload can have this id.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > MAX_UPLOAD_ID_BYTES {
            return Err(Error::NoSuchUpload);
        }
        Ok(Self(text.into()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadAt {
    /// Its bucket.
    pub bucket: BucketId,
    /// Its key.
    pub key: Key,
    /// Its id.
    pub id: UploadId,
}

/// The checksum that an upload's object is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UploadChecksum {
    /// Computed for every part.
    pub algorithm: Algorithm,
    /// Over all the bytes, or over the parts' checksums.
    pub full_object: bool,
}

/// Begins an upload.
#[derive(Debug)]
pub struct CreateUpload {
    /// Where.
    pub bucket: BucketId,
    /// Under which key.
    pub key: Key,
    /// What the object will have beside its bytes.
    pub description: Description,
    /// The checksum it will have.
    pub checksum: Option<UploadChecksum>,
    /// The key that seals the bytes of all its parts; [`KeyId::GIVEN`] says that it comes with each.
    pub seal: Option<KeyId>,
    /// When, and what to note.
    pub commit: Commit,
}

/// An upload under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its key.
    pub key: Key,
    /// Its id.
    pub id: UploadId,
    /// When it began. A list always tells it; a single upload may be found without.
    pub initiated: Option<Timestamp>,
    /// The [`Description::meta`] of what it will be.
    pub meta: Bytes,
    /// The checksum it will have.
    pub checksum: Option<UploadChecksum>,
}

/// Stores a part; one of the same number is replaced.
#[derive(Debug)]
pub struct PutPart {
    /// Of which upload.
    pub upload: UploadAt,
    /// 1 to [`MAX_PARTS`].
    pub number: u16,
    /// Checksums to compute and keep beside the upload's own.
    pub checksums: Algorithms,
    /// When, and what to note.
    pub commit: Commit,
}

/// Stores a part with the bytes of another object.
#[derive(Debug)]
pub struct CopyPart {
    /// Whose bytes.
    pub source: Source,
    /// Which of them, if not all.
    pub range: Option<Range<u64>>,
    /// As what.
    pub to: PutPart,
}

/// A part that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartWritten {
    /// MD5 of its bytes.
    pub etag: ETag,
    /// Bytes.
    pub size: u64,
    /// Its checksums.
    pub checksums: Checksums,
    /// When.
    pub modified: Timestamp,
}

/// A part of an upload under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub number: u16,
    /// What it is.
    pub written: PartWritten,
}

/// A part that the finished object is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPart {
    /// Its number.
    pub number: u16,
    /// The tag it must have.
    pub etag: ETag,
    /// Checksums it must have.
    pub checksums: Checksums,
}

/// Makes the object of its parts, without moving a byte.
#[derive(Debug)]
pub struct CompleteUpload {
    /// Which upload.
    pub upload: UploadAt,
    /// Its parts, ascending.
    pub parts: Vec<ListedPart>,
    /// On what condition of the key.
    pub only_if: Preconditions,
    /// What every part but the last must have at least, in bytes.
    pub min_part_bytes: u64,
    /// The checksum that the object must come to.
    pub expected: Option<(Algorithm, Bytes)>,
    /// The size that the object must come to.
    pub expected_size: Option<u64>,
    /// When, and what to note.
    pub commit: Commit,
}

/// An upload that became an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The object, as it was when it was made.
    pub written: Written,
    /// Whether an earlier request made it, and this one is its retry.
    pub repeated: bool,
}
