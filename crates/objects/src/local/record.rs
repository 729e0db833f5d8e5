//! The values of the index. Their fields, in this order, are the on-disk format: a change of any is a new version.

use super::index::Space;
use super::index::view::Stored;
use super::keys::{LocalId, RANDOM_BYTES};
use crate::{
    Checksums, DeleteMarker, Description, ETag, KeyId, Lock, Storage, Timestamp, UploadChecksum, Version,
    VersionId, Versioning, Written,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

macro_rules! stored {
    ($($record:ty => $space:ident),+ $(,)?) => {
        $(impl Stored for $record {
            const SPACE: Space = Space::$space;
        })+
    };
}

stored! {
    StoreRecord => Meta,
    PackingRecord => Meta,
    BucketRecord => Buckets,
    NullRecord => Nulls,
    BlobRecord => Blobs,
    ManifestRecord => Manifests,
    ChunkRecord => Chunks,
    UploadRecord => Uploads,
    PartRecord => Parts,
    CompletedRecord => Completed,
    SegmentRecord => Segments,
    GarbageRecord => Garbage,
    NotedRecord => Notes,
    IntentRecord => Intents,
    CurrentRecord => Current,
    OlderRecord => Older,
}

/// Under `store`: which store this is, and how often it was opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoreRecord {
    pub(crate) id: [u8; 16],
    pub(crate) opens: u64,
}

/// Under `packing`: the segment that small objects go to, and the one after it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct PackingRecord {
    pub(crate) current: u64,
    pub(crate) spare: u64,
}

/// By the bucket's number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BucketRecord {
    pub(crate) closed: bool,
    pub(crate) versioning: Versioning,
    pub(crate) objects: u64,
    pub(crate) noncurrent: u64,
    pub(crate) bytes: u64,
    pub(crate) uploads: u64,
    /// The order of the upload that was begun last.
    pub(crate) last_upload: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StoredId {
    Null,
    Named([u8; RANDOM_BYTES]),
}

/// One version of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VersionRecord {
    pub(crate) id: StoredId,
    /// Grows within a key; also the first half of a named id.
    pub(crate) order: u64,
    pub(crate) generation: u64,
    pub(crate) modified: Timestamp,
    pub(crate) what: What,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum What {
    Marker { meta: Bytes },
    Object(Box<ObjectRecord>),
}

/// What a version that is an object is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ObjectRecord {
    pub(crate) revision: u32,
    pub(crate) size: u64,
    pub(crate) etag: ETag,
    pub(crate) checksums: Checksums,
    pub(crate) parts: Option<u32>,
    pub(crate) meta: Bytes,
    pub(crate) tags: Bytes,
    pub(crate) lock: Lock,
    pub(crate) storage: Storage,
    pub(crate) data: Data,
}

/// By bucket and key: the latest version, where it is an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CurrentRecord(pub(crate) VersionRecord);

/// By bucket, key and order, and by chance too where several are of one order, newest first: the other versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OlderRecord(pub(crate) VersionRecord);

/// By bucket and key: the order of the null version, where it is among the older ones.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct NullRecord(pub(crate) u64);

/// Where the bytes of an object are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Data {
    Fragments(Vec<Fragment>),
    Manifest(u64),
}

/// Some of an object's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fragment {
    Inline(InlineBytes),
    Slice(Slice),
}

impl Fragment {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Inline(inline) => inline.bytes.len() as u64,
            Self::Slice(slice) => slice.length,
        }
    }
}

/// Bytes in the index itself; if sealed, with the tag of their one block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InlineBytes {
    pub(crate) number: u64,
    pub(crate) bytes: Bytes,
    pub(crate) seal: Option<(SealRecord, [u8; 16])>,
}

/// Some bytes of a blob, which counts as one use of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slice {
    pub(crate) blob: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// How bytes are sealed: which key, and the salt that makes the blob's own key of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealRecord {
    pub(crate) key: KeyId,
    pub(crate) salt: [u8; 32],
}

/// By number: bytes that were stored at once, and never change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BlobRecord {
    pub(crate) size: u64,
    pub(crate) uses: u32,
    pub(crate) seal: Option<SealRecord>,
    pub(crate) extents: Vec<Extent>,
}

/// Where some bytes of a blob are. All but the last extent of a blob hold whole blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extent {
    pub(crate) segment: u64,
    /// Of the first byte of data, in the file.
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// By number: an object whose pieces are in chunks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ManifestRecord {
    pub(crate) uses: u32,
    pub(crate) chunks: u32,
}

/// By manifest and place: up to [`CHUNK_PIECES`] pieces.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChunkRecord {
    /// Where in the object the first piece begins.
    pub(crate) start: u64,
    pub(crate) pieces: Vec<Piece>,
}

/// Every chunk but the last has this many.
pub(crate) const CHUNK_PIECES: usize = 128;

/// A part of a finished object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) number: u16,
    pub(crate) size: u64,
    pub(crate) checksums: Checksums,
    pub(crate) fragments: Vec<Fragment>,
}

/// By bucket, key, order and chance: an upload under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UploadRecord {
    pub(crate) number: u64,
    pub(crate) initiated: Timestamp,
    pub(crate) meta: Bytes,
    pub(crate) tags: Bytes,
    pub(crate) lock: Lock,
    pub(crate) storage: Storage,
    pub(crate) checksum: Option<UploadChecksum>,
    pub(crate) seal: Option<KeyId>,
}

/// By the upload's number and the part's: a part that was stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) checksums: Checksums,
    pub(crate) modified: Timestamp,
    pub(crate) fragments: Vec<Fragment>,
}

/// By what the upload was under: what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CompletedRecord {
    pub(crate) id: StoredId,
    pub(crate) order: u64,
    pub(crate) generation: u64,
    pub(crate) size: u64,
    pub(crate) etag: ETag,
    pub(crate) checksums: Checksums,
    pub(crate) modified: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SegmentKind {
    /// Small blobs, one after the other, written by the committer.
    Packed,
    /// Large blobs, one after the other, each streamed by its own writer.
    Stream,
}

/// By number: a file that holds extents.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct SegmentRecord {
    pub(crate) kind: SegmentKind,
    pub(crate) capacity: u64,
    /// The end of what is committed; what is behind it is nothing.
    pub(crate) used: u64,
    /// Bytes of the extents that are in use.
    pub(crate) live: u64,
    /// The commit since which nothing can come to live in it again.
    pub(crate) retired: Option<u64>,
}

/// By due time and number: something to clear away.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum GarbageRecord {
    /// The parts of an upload. The parts in the bit map have given their fragments to an object.
    Upload { upload: u64, given: Bytes },
    /// A manifest that nothing uses since this commit.
    Manifest { manifest: u64, since: u64 },
    /// The uploads of a closed bucket, and the bucket.
    Bucket { bucket: u64 },
    /// The memory of a completed upload.
    Completed { row: Bytes },
}

/// By number: a note in the outbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NotedRecord(pub(crate) Bytes);

/// By number: what is noted if another store's answer never becomes known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IntentRecord(pub(crate) Bytes);

impl StoredId {
    /// Where a version with this id and order stands among those of its key.
    pub(crate) fn place(self, order: u64) -> LocalId {
        match self {
            Self::Null => LocalId { order, random: [0; RANDOM_BYTES] },
            Self::Named(random) => LocalId { order, random },
        }
    }

    pub(crate) fn public(self, order: u64) -> VersionId {
        match self {
            Self::Null => VersionId::Null,
            Self::Named(random) => VersionId::Named(LocalId { order, random }.text().into()),
        }
    }
}

impl VersionRecord {
    /// Where it stands among the versions of its key. Only replicas are ever of the same moment as others.
    pub(crate) fn place(&self) -> LocalId {
        self.id.place(self.order)
    }

    pub(crate) fn public_id(&self) -> VersionId {
        self.id.public(self.order)
    }

    pub(crate) fn object(&self) -> Option<&ObjectRecord> {
        match &self.what {
            What::Object(object) => Some(object),
            What::Marker { .. } => None,
        }
    }

    /// Bytes that the version counts for.
    pub(crate) fn size(&self) -> u64 {
        self.object().map_or(0, |object| object.size)
    }

    pub(crate) fn public_object(&self, object: &ObjectRecord, is_latest: bool) -> Version {
        Version {
            id: self.public_id(),
            generation: self.generation,
            revision: object.revision,
            is_latest,
            size: object.size,
            etag: object.etag.clone(),
            modified: self.modified,
            checksums: object.checksums.clone(),
            parts: object.parts,
            meta: object.meta.clone(),
            tags: object.tags.clone(),
            lock: object.lock,
            storage: object.storage,
        }
    }

    pub(crate) fn public_marker(&self, meta: &Bytes, is_latest: bool) -> DeleteMarker {
        DeleteMarker { id: self.public_id(), is_latest, modified: self.modified, meta: meta.clone() }
    }
}

impl ObjectRecord {
    /// An object that is new, described so.
    pub(crate) fn new(
        description: Description,
        size: u64,
        etag: ETag,
        checksums: Checksums,
        data: Data,
    ) -> Self {
        Self {
            revision: 0,
            size,
            etag,
            checksums,
            parts: None,
            meta: description.meta,
            tags: description.tags,
            lock: description.lock,
            storage: description.storage,
            data,
        }
    }
}

impl CompletedRecord {
    pub(crate) fn public(self) -> Written {
        Written {
            id: self.id.public(self.order),
            generation: self.generation,
            size: self.size,
            etag: self.etag,
            checksums: self.checksums,
            modified: self.modified,
        }
    }
}
