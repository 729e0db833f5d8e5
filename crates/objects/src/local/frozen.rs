//! One state of the store, held still while it is copied.
//!
//! Segments are only ever written behind what is committed and removed as a whole, and what a reader may need is not
//! removed. So one transaction that reads the index, and one reader that stays, hold a whole state of the store still while
//! writing goes on.

use super::Shared;
use super::epoch::Reading;
use super::index::sqlite::{FrozenIndex, Sqlite};
use super::index::view;
use super::open::all_segments;
use super::packer::PACKING;
use super::record::{PackingRecord, SegmentRecord};
use super::segment::Segments;
use crate::Result;
use std::path::Path;

/// A state of the store. While it lives nothing that it needs goes away.
pub struct Frozen {
    index: FrozenIndex,
    _reading: Reading,
}

/// A segment of a frozen state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenSegment {
    /// The name of its file, in `segments/`.
    pub name: String,
    /// So many bytes of it, from its beginning, are of the state.
    pub bytes: u64,
}

impl Frozen {
    pub(super) fn new(shared: &Shared, index: &Sqlite) -> Result<Self> {
        // first the reader: what is in the state that is found then was not gone before
        let reading = shared.readers.enter();
        Ok(Self { index: index.freeze()?, _reading: reading })
    }

    /// Writes the state's index to a new file, and returns when it is on the disk. Blocks.
    ///
    /// # Errors
    /// What reading or writing fails with.
    pub fn copy_index(&self, to: &Path) -> Result<()> {
        Ok(self.index.copy(to)?)
    }

    /// The segments that hold the bytes of its objects.
    ///
    /// # Errors
    /// What reading the index fails with.
    pub fn segments(&self) -> Result<Vec<FrozenSegment>> {
        let view = self.index.view();
        // the one that is packed into is written on, whether anything lives in it or not
        let packing: Option<PackingRecord> = view::load(view, PACKING)?;
        let needed = |number: u64, record: &SegmentRecord| {
            record.live > 0 || packing.is_some_and(|packing| packing.current == number)
        };
        let all = all_segments(view)?.into_iter().filter(|(number, record)| needed(*number, record));
        Ok(all
            .map(|(number, record)| FrozenSegment { name: Segments::name(number), bytes: record.used })
            .collect())
    }
}
