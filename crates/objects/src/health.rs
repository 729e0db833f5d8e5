//! How a store is doing.

/// A store's condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Why no more changes are taken, if so.
    pub read_only: Option<String>,
    /// Bytes free on the disk.
    pub free_bytes: u64,
    /// Bytes of the files that hold objects, as far as they are used.
    pub used_bytes: u64,
    /// Of these, bytes that objects need.
    pub live_bytes: u64,
    /// Files that hold objects.
    pub segments: u64,
    /// Notes that nobody fetched yet; counted up to 10,000.
    pub notes: u64,
    /// Things that are gone and not yet cleared away; counted up to 10,000.
    pub garbage: u64,
    /// Since the store was opened: groups of changes that were committed.
    pub commits: u64,
    /// Since the store was opened: changes in them.
    pub changes: u64,
    /// Since the store was opened: syncs of data files.
    pub data_syncs: u64,
    /// Since the store was opened: blocks that were not what was written.
    pub corrupt_blocks: u64,
    /// Since the store was opened: how often all bytes were read and checked.
    pub scrubs: u64,
    /// What of them is damaged, in words; at most 200.
    pub damaged: Vec<String>,
}

/// What one step of a scrub did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Bytes that were looked at.
    pub bytes: u64,
    /// Things among them that are damaged.
    pub damaged: u64,
    /// Whether the round goes on; the next step begins another one if not.
    pub more: bool,
}

/// What one collection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Rows of gone things that were cleared away.
    pub rows: u64,
    /// Bytes that were moved out of files that are mostly empty.
    pub moved_bytes: u64,
    /// Bytes of files that were removed.
    pub freed_bytes: u64,
    /// Extents that could not be moved because they are corrupt.
    pub corrupt: u64,
    /// Whether there is more to do at once.
    pub more: bool,
}
