//! Writes a large blob into extents of its own, slice by slice.

use super::blobs::Streamed;
use super::extent::{self, BLOCK, Header};
use super::intake::Seal;
use super::record::Extent;
use super::segment::Lease;
use super::status::Status;
use crate::{Error, Result};
use bytes::{Buf, Bytes, BytesMut};
use std::sync::Arc;

pub(super) struct StreamWriter {
    blob: u64,
    seal: Option<Seal>,
    status: Arc<Status>,
    /// The last one is written to, the others are full.
    leases: Vec<Lease>,
    extents: Vec<Extent>,
    open: Option<OpenExtent>,
    size: u64,
}

/// The extent that grows.
struct OpenExtent {
    start: u64,
    first_block: u64,
    length: u64,
    most: u64,
    table: Vec<u8>,
}

impl StreamWriter {
    pub(super) fn new(blob: u64, seal: Option<Seal>, status: Arc<Status>) -> Self {
        Self { blob, seal, status, leases: Vec::new(), extents: Vec::new(), open: None, size: 0 }
    }

    /// Whether the next block has a place.
    pub(super) fn has_room(&self) -> bool {
        self.open.is_some()
    }

    /// Goes on in this segment. It may turn out to be too small for even a block; then there is still no room.
    pub(super) fn take(&mut self, lease: Lease) {
        let most = extent::blocks_within(lease.left(), self.seal.is_some()) * BLOCK;
        if most > 0 {
            let first_block = extent::blocks(self.size);
            self.open =
                Some(OpenExtent { start: lease.at(), first_block, length: 0, most, table: Vec::new() });
        }
        self.leases.push(lease);
    }

    /// Writes as much as there is room for, and answers the rest. All slices but the last are whole blocks.
    pub(super) fn write(&mut self, mut slice: Bytes) -> Result<Bytes> {
        let (Some(open), Some(lease)) = (&mut self.open, self.leases.last()) else { return Ok(slice) };
        let room = usize::try_from(open.most - open.length).unwrap_or(usize::MAX);
        let part = slice.split_to(slice.len().min(room));
        let block = open.first_block + extent::blocks(open.length);
        let at = open.start + extent::HEADER + open.length;
        let length = part.len() as u64;
        let stored = match &self.seal {
            None => {
                extent::protect_plain(self.blob, block, &part, &mut open.table);
                part
            }
            Some((_, cipher)) => {
                let mut sealed = BytesMut::from(part.chunk());
                extent::protect(self.blob, block, &mut sealed, Some(cipher), &mut open.table)?;
                sealed.freeze()
            }
        };
        self.status.written(lease.file.write_at(&stored, at))?;
        open.length += length;
        self.size += length;
        if open.length == open.most {
            self.close_extent()?;
        }
        Ok(slice)
    }

    /// Writes table and header, and returns when the extent is on the disk.
    fn close_extent(&mut self) -> Result<()> {
        let (Some(open), Some(lease)) = (self.open.take(), self.leases.last_mut()) else { return Ok(()) };
        let sealed = self.seal.is_some();
        let header = Header { sealed, blob: self.blob, first_block: open.first_block, length: open.length };
        let offset = open.start + extent::HEADER;
        self.status.written(lease.file.write_at(&open.table, offset + open.length))?;
        self.status.written(lease.file.write_at(&header.encode(), open.start))?;
        self.status.synced(lease.file.sync())?;
        lease.advance(extent::footprint(open.length, sealed));
        self.extents.push(Extent { segment: lease.segment(), offset, length: open.length });
        Ok(())
    }

    /// Ends the blob. It is on the disk then, and in no books.
    pub(super) fn finish(mut self) -> Result<Streamed> {
        self.close_extent()?;
        if self.extents.is_empty() {
            return Err(Error::Io("a streamed blob of no bytes".into()));
        }
        let Self { blob, seal, leases, extents, size, .. } = self;
        Ok(Streamed { blob, size, seal: seal.map(|(record, _)| record), extents, leases })
    }
}
