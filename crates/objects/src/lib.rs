//! The bytes of S3 objects: crash-safe, with versions and parts, engines behind one trait.
//!
//! [`Objects`] speaks of S3's operations, not of blobs, and knows nothing of HTTP, XML, names of buckets or rights: a
//! bucket is a number, a key is bytes, what the caller wants to remember of an object is an opaque description. It knows
//! what must be decided in one order with the change: versions, delete markers, preconditions, locks, parts.
//!
//! Time and randomness are given by the caller. [`local::Local`] keeps everything in a directory; [`upstream`] has buckets in
//! other stores.

mod body;
mod bucket;
mod checksum;
mod error;
mod etag;
mod health;
mod hex;
mod key;
mod list;
pub mod local;
mod multipart;
mod objects;
mod outbox;
mod replica;
mod request;
mod seal;
pub mod upstream;
mod version;

pub use body::{Agree, Body, Contents, MAX_BODY_BYTES, ObjectBody, ObjectPart, Opened};
pub use bucket::{BucketId, BucketInfo, Counts, Versioning};
pub use checksum::{Algorithm, Algorithms, Checksum, ChecksumKind, Checksums, Digests};
pub use error::{CallerError, Error, Result};
pub use etag::ETag;
pub use health::{Collected, Health, Scrubbed};
pub use key::{Key, MAX_KEY_BYTES};
pub use list::{
    After, AfterUpload, AfterVersion, AnyVersion, Entry, Keys, Listed, MAX_PAGE, MAX_PAGE_BYTES, ObjectPage,
    Page, PartPage, Parts, UploadPage, VersionPage,
};
pub use multipart::{
    CompleteUpload, Completed, CopyPart, CreateUpload, ListedPart, MAX_OBJECT_BYTES, MAX_PARTS,
    MAX_UPLOAD_ID_BYTES, Part, PartWritten, PutPart, Upload, UploadAt, UploadChecksum, UploadId,
};
pub use objects::Objects;
pub use outbox::{Commit, MAX_NOTE_BYTES, Note, NoteRecord, Outcome, Tell, WriteNote};
pub use replica::{Original, PutReplica};
pub use request::{
    At, Copy, Delete, Deleted, Description, MAX_META_BYTES, MAX_TAGS_BYTES, Match, Preconditions, Put,
    Source, Update, Written,
};
pub use seal::{KeyId, Keyring, NoKeys, SealKey};
pub use version::{
    DeleteMarker, Lock, MAX_VERSION_ID_BYTES, RetentionMode, Storage, Timestamp, Version, VersionId,
};
