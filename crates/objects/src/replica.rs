//! Versions that are written once more, in another bucket, as they are.

use crate::{BucketId, Commit, Description, Key, Source, Timestamp, VersionId};

/// Writes a version of one bucket in another under the same key: with its id, its time, its bytes, its tag, its checksums and
/// its parts. It takes its place among the versions that are there by its id, and is the latest if none is newer.
#[derive(Debug)]
pub struct PutReplica {
    /// Where; the bucket must keep versions.
    pub to: BucketId,
    /// Under which key.
    pub key: Key,
    /// Of what.
    pub of: Original,
    /// When, and what to note. Nothing is noted if it was there already.
    pub commit: Commit,
}

/// What a replica is made of.
#[derive(Debug)]
pub enum Original {
    /// An object: its bytes, sealed as they are, described anew.
    Object {
        /// The exact version.
        source: Source,
        /// What the replica has beside what is the original's.
        description: Description,
    },
    /// A delete marker.
    Marker {
        /// Its id.
        id: VersionId,
        /// When it was written.
        modified: Timestamp,
    },
}
