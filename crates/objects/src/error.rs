//! What can go wrong, in the engine's own terms.

use crate::{Algorithm, KeyId, Timestamp, VersionId};

/// Whatever the caller's stream or closure failed with; handed back as it came.
pub type CallerError = Box<dyn std::error::Error + Send + Sync>;

/// The result of every operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation was refused or failed. Nothing of a refused change remains.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bucket was never opened, or is closed.
    #[error("no such bucket")]
    NoSuchBucket,
    /// The bucket's number was used before.
    #[error("the bucket is open already, or being emptied")]
    BucketExists,
    /// Objects, versions or delete markers remain.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// Versioning can be suspended, not undone.
    #[error("a bucket with versions cannot become unversioned")]
    VersioningStays,
    /// A key of no bytes.
    #[error("a key has at least one byte")]
    EmptyKey,
    /// Something is beyond its limit, in bytes unless it is a number of things.
    #[error("{what} beyond its limit of {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The key has no object; perhaps because its latest version is a delete marker.
    #[error("no such key")]
    NoSuchKey {
        /// The delete marker that hides it.
        marker: Option<VersionId>,
    },
    /// The key has no such version.
    #[error("no such version")]
    NoSuchVersion,
    /// No version ever has this id.
    #[error("not a version id")]
    InvalidVersionId,
    /// The version that was named is a delete marker.
    #[error("the version is a delete marker")]
    IsDeleteMarker {
        /// Its id.
        id: VersionId,
        /// When it was written.
        modified: Timestamp,
        /// Whether it is the latest version.
        is_latest: bool,
    },
    /// A precondition does not hold.
    #[error("precondition `{0}` failed")]
    PreconditionFailed(&'static str),
    /// A retention or a legal hold keeps the version.
    #[error("the version is locked")]
    Locked,
    /// The version was changed since it was looked at.
    #[error("the version is at revision {current}")]
    RevisionChanged {
        /// Its revision now.
        current: u32,
    },
    /// The bucket does not keep versions, or no more.
    #[error("the bucket does not keep versions")]
    NotVersioned,
    /// The source of a copy is not what was looked at any more.
    #[error("the source of the copy has changed")]
    SourceChanged,
    /// The version must be restored before its bytes can be read.
    #[error("the version is archived")]
    Archived,
    /// A range outside the object.
    #[error("the range is outside the object")]
    InvalidRange,
    /// The upload was never begun, or is completed or aborted.
    #[error("no such upload")]
    NoSuchUpload,
    /// A part that was listed is not there, or is not the one meant.
    #[error("part {number} is missing or differs")]
    InvalidPart {
        /// Its number.
        number: u16,
    },
    /// A part number outside 1 to 10,000, or a list that does not ascend.
    #[error("part numbers do not ascend from 1 to 10000")]
    InvalidPartOrder,
    /// A part that is not the last is too small.
    #[error("part {number} has only {size} bytes")]
    PartTooSmall {
        /// Its number.
        number: u16,
        /// Its size in bytes.
        size: u64,
    },
    /// The parts lack a checksum that the object is to have.
    #[error("a part has no {0:?} checksum that serves")]
    PartChecksumMissing(Algorithm),
    /// The object's checksum or size is not what was expected.
    #[error("the object's {0} is not the expected one")]
    Mismatch(&'static str),
    /// The body ended early or late.
    #[error("the body has {got} bytes instead of {expected}")]
    WrongLength {
        /// What was said.
        expected: u64,
        /// What came, or as much of it as was looked at.
        got: u64,
    },
    /// The caller's stream failed.
    #[error("the body failed")]
    Body(#[source] CallerError),
    /// The caller's closure did not agree with what came.
    #[error("the body was refused")]
    Refused(#[source] CallerError),
    /// The key that seals the bytes is not at hand.
    #[error("no key `{0:?}`")]
    NoKey(KeyId),
    /// No room for more bytes. Reading and deleting go on.
    #[error("the disk is full")]
    Full,
    /// The store takes no more changes until it is opened anew. Reading goes on.
    #[error("the store is read-only: {0}")]
    ReadOnly(String),
    /// Stored bytes are not what was written. They are not given out.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// Reading failed.
    #[error("input or output failed: {0}")]
    Io(String),
    /// The directory holds another version of the format.
    #[error("the store has format `{found}`, this program reads {known}")]
    UnknownFormat {
        /// What the directory says.
        found: String,
        /// What this program knows.
        known: &'static str,
    },
    /// Another process has the directory open.
    #[error("the store is in use by another process")]
    InUse,
    /// A setting that cannot work.
    #[error("bad option: {0}")]
    BadOption(&'static str),
    /// The store that keeps the bucket cannot do this, so it is not done in a weaker way either.
    #[error("the store of this bucket has no {0}")]
    Unsupported(&'static str),
    /// The store that keeps the bucket could not be reached, or says that it is overloaded. Nothing was done.
    #[error("the store of this bucket is unavailable: {0}")]
    Unavailable(String),
    /// The store that keeps the bucket was asked for a change, and whether it was made is not known.
    #[error("the store of this bucket did not answer: {0}")]
    Unanswered(String),
    /// The store that keeps the bucket refuses us, or answers what makes no sense: its operator or ours must see to it.
    #[error("the store of this bucket: {0}")]
    Upstream(String),
    /// The engine was shut down.
    #[error("the store is closed")]
    Closed,
}
