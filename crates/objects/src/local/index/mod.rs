//! The index: ordered bytes to bytes in a few spaces, changed by one writer in durable batches, read in snapshots.
//!
//! Narrow on purpose, so that another engine can stand here.

pub(super) mod sqlite;
pub(super) mod view;
pub(super) mod wal;

use std::collections::BTreeMap;

/// A part of the index with keys of one kind. Names and numbers are part of the on-disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Space {
    /// What the store knows of itself.
    Meta = 0,
    /// Buckets.
    Buckets = 1,
    /// The latest version of each key, where it is an object.
    Current = 2,
    /// All other versions.
    Older = 3,
    /// Where among the older versions of a key its null version is.
    Nulls = 4,
    /// Stored bytes: where they are, and how often they are used.
    Blobs = 5,
    /// Objects made of many blobs.
    Manifests = 6,
    /// The pieces of such objects.
    Chunks = 7,
    /// Uploads under way.
    Uploads = 8,
    /// Their parts.
    Parts = 9,
    /// Uploads that became objects, for the sake of retries.
    Completed = 10,
    /// The files that hold bytes.
    Segments = 11,
    /// What is gone and must be cleared away.
    Garbage = 12,
    /// The outbox.
    Notes = 13,
    /// What was asked of other stores and not yet answered.
    Intents = 14,
}

impl Space {
    pub(crate) const ALL: [Self; 15] = [
        Self::Meta,
        Self::Buckets,
        Self::Current,
        Self::Older,
        Self::Nulls,
        Self::Blobs,
        Self::Manifests,
        Self::Chunks,
        Self::Uploads,
        Self::Parts,
        Self::Completed,
        Self::Segments,
        Self::Garbage,
        Self::Notes,
        Self::Intents,
    ];

    fn table(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Buckets => "buckets",
            Self::Current => "current",
            Self::Older => "older",
            Self::Nulls => "nulls",
            Self::Blobs => "blobs",
            Self::Manifests => "manifests",
            Self::Chunks => "chunks",
            Self::Uploads => "uploads",
            Self::Parts => "parts",
            Self::Completed => "completed",
            Self::Segments => "segments",
            Self::Garbage => "garbage",
            Self::Notes => "notes",
            Self::Intents => "intents",
        }
    }
}

/// Why the index failed.
#[derive(Clone, Debug)]
pub(crate) enum IndexError {
    /// No room; nothing was changed.
    Full,
    /// Anything else. After a commit it is not known whether the change is there.
    Failed(String),
}

/// Keys in order, each with its new value or its removal.
pub(crate) type Changes = BTreeMap<(Space, Vec<u8>), Option<Vec<u8>>>;

/// Called with each key and value; says whether to go on.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> bool + 'a;

/// One consistent state of the index.
pub(crate) trait View {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;
    /// Visits the keys from `from` on, up to but not including `to`, in order.
    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), IndexError>;
}

/// Reads committed states; one for each thread that reads.
pub(crate) trait Reader: Send {
    /// Runs the closure over one state.
    fn snapshot(&mut self, read: &mut dyn FnMut(&dyn View)) -> Result<(), IndexError>;
}

/// Reads the last committed state and makes the next; there is only one.
pub(crate) trait Writer: Send {
    /// Makes a state ready to be read.
    fn begin(&mut self) -> Result<(), IndexError>;
    /// The state that was begun.
    fn view(&self) -> &dyn View;
    /// Makes the changes and returns when they are on the disk.
    fn commit(&mut self, changes: &Changes) -> Result<(), IndexError>;
    /// Gives room back to the disk where that is possible. Not while a state is begun.
    fn give_back(&mut self) -> Result<(), IndexError>;
    /// Leaves the state as it is.
    fn abandon(&mut self);
    /// Puts what is committed where it stays, as far as that can be done, before the index is closed.
    fn settle(&mut self);
}
