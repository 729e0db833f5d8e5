//! Small blobs, packed one after the other into a segment that was written beforehand.

use super::cipher::BlobCipher;
use super::disk::DiskFile;
use super::extent::{self, Header};
use super::index::view::Overlay;
use super::keys;
use super::record::{Extent, PackingRecord, SealRecord, SegmentKind, SegmentRecord};
use super::segment::{START, Segments};
use super::status::{Numbers, Status};
use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

pub(super) const PACKING: &[u8] = b"packing";

/// Bytes to be packed, ready but for their place.
pub(super) struct Payload {
    pub(super) blob: u64,
    pub(super) seal: Option<SealRecord>,
    data: Bytes,
    table: Vec<u8>,
}

impl Payload {
    pub(super) fn new(blob: u64, data: Bytes, seal: Option<(SealRecord, &BlobCipher)>) -> Result<Self> {
        let mut table = Vec::new();
        let data = match seal {
            None => {
                extent::protect_plain(blob, 0, &data, &mut table);
                data
            }
            Some((_, cipher)) => {
                let mut sealed = BytesMut::from(data);
                extent::protect(blob, 0, &mut sealed, Some(cipher), &mut table)?;
                sealed.freeze()
            }
        };
        Ok(Self { blob, seal: seal.map(|(record, _)| record), data, table })
    }

    pub(super) fn length(&self) -> u64 {
        self.data.len() as u64
    }
}

/// Where the next small blob goes.
pub(super) struct Packer {
    segments: Arc<Segments>,
    /// Bytes of a segment.
    capacity: u64,
    /// Room that every change must find.
    most: u64,
    packing: PackingRecord,
    pen: Pen,
    spare: Spare,
    before: (PackingRecord, Pen),
    pending: Vec<Pending>,
}

#[derive(Clone)]
struct Pen {
    file: Arc<dyn DiskFile>,
    at: u64,
    capacity: u64,
}

enum Spare {
    None,
    Making(JoinHandle<Result<Arc<dyn DiskFile>>>),
    Ready(Arc<dyn DiskFile>),
}

struct Pending {
    file: Arc<dyn DiskFile>,
    offset: u64,
    bytes: Vec<u8>,
}

impl Pending {
    fn ends_at(&self, offset: u64, file: &Arc<dyn DiskFile>) -> bool {
        self.offset + self.bytes.len() as u64 == offset && Arc::ptr_eq(&self.file, file)
    }
}

impl Packer {
    /// `current` is the segment that `packing` names, with what is committed of it.
    pub(super) fn new(
        segments: Arc<Segments>,
        capacity: u64,
        largest: u64,
        packing: PackingRecord,
        current: &SegmentRecord,
    ) -> Result<Self> {
        let pen = Pen { file: segments.file(packing.current)?, at: current.used, capacity: current.capacity };
        let most = extent::footprint(largest, true);
        let before = (packing, pen.clone());
        let mut packer =
            Self { segments, capacity, most, packing, pen, spare: Spare::None, before, pending: Vec::new() };
        packer.make_spare();
        Ok(packer)
    }

    /// The record of a segment that is yet to be made.
    pub(super) fn fresh(capacity: u64) -> SegmentRecord {
        SegmentRecord { kind: SegmentKind::Packed, capacity, used: START, live: 0, retired: None }
    }

    fn make_spare(&mut self) {
        if !matches!(self.spare, Spare::None) {
            return;
        }
        let (segments, segment, capacity) = (Arc::clone(&self.segments), self.packing.spare, self.capacity);
        let make = move || {
            if !segments.has_room_for(capacity) {
                return Err(Error::Full);
            }
            segments.create(segment, capacity)
        };
        if let Ok(thread) = Builder::new().name("objects-spare".into()).spawn(make) {
            self.spare = Spare::Making(thread);
        }
    }

    /// Makes sure, as far as it can, that the next change finds room. Answers false when this batch should end first.
    pub(super) fn prepare(&mut self, index: &mut Overlay<'_>, numbers: &Numbers) -> Result<bool> {
        if self.pen.at + self.most <= self.pen.capacity {
            return Ok(true);
        }
        if self.packing.current != self.before.0.current {
            return Ok(false);
        }
        let Some(file) = self.take_spare() else { return Ok(true) };
        let next = PackingRecord { current: self.packing.spare, spare: numbers.next() };
        index.store(PACKING.to_vec(), &next)?;
        index.store(keys::number(next.spare), &Self::fresh(self.capacity))?;
        self.packing = next;
        self.pen = Pen { file, at: START, capacity: self.capacity };
        Ok(true)
    }

    fn take_spare(&mut self) -> Option<Arc<dyn DiskFile>> {
        if let Spare::None = self.spare {
            self.make_spare();
        }
        match std::mem::replace(&mut self.spare, Spare::None) {
            Spare::Ready(file) => Some(file),
            Spare::Making(thread) => match thread.join() {
                Ok(Ok(file)) => Some(file),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "no new segment for small objects");
                    None
                }
                Err(_) => None,
            },
            Spare::None => None,
        }
    }

    /// Gives the payload a place, which is written by [`Packer::write`].
    pub(super) fn pack(&mut self, payload: &Payload) -> Result<Extent> {
        let sealed = payload.seal.is_some();
        let length = payload.length();
        let footprint = extent::footprint(length, sealed);
        if self.pen.at + footprint > self.pen.capacity {
            return Err(Error::Full);
        }
        let start = self.pen.at;
        let mut pending = match self.pending.pop() {
            Some(last) if last.ends_at(start, &self.pen.file) => last,
            other => {
                self.pending.extend(other);
                Pending { file: Arc::clone(&self.pen.file), offset: start, bytes: Vec::new() }
            }
        };
        let end = pending.bytes.len() + footprint as usize;
        pending
            .bytes
            .extend_from_slice(&Header { sealed, blob: payload.blob, first_block: 0, length }.encode());
        pending.bytes.extend_from_slice(&payload.data);
        pending.bytes.extend_from_slice(&payload.table);
        pending.bytes.resize(end, 0);
        self.pending.push(pending);
        self.pen.at += footprint;
        Ok(Extent { segment: self.packing.current, offset: start + extent::HEADER, length })
    }

    /// A place to come back to.
    pub(super) fn mark(&self) -> u64 {
        self.pen.at
    }

    /// Takes back what was packed since the mark.
    pub(super) fn roll_back(&mut self, mark: u64) {
        if let Some(last) = self.pending.last_mut()
            && last.ends_at(self.pen.at, &self.pen.file)
        {
            last.bytes.truncate(usize::try_from(mark.saturating_sub(last.offset)).unwrap_or(0));
        }
        self.pen.at = mark;
    }

    pub(super) fn pending_bytes(&self) -> usize {
        self.pending.iter().map(|pending| pending.bytes.len()).sum()
    }

    /// The segment that is written to, and the end of what is packed in it.
    pub(super) fn end(&self) -> (u64, u64) {
        (self.packing.current, self.pen.at)
    }

    /// Whether the segment is one of the packer's own.
    pub(super) fn owns(&self, segment: u64) -> bool {
        segment == self.packing.current || segment == self.packing.spare
    }

    /// Writes what is pending and returns when it is on the disk.
    pub(super) fn write(&mut self, status: &Status) -> Result<()> {
        for pending in &self.pending {
            status.written(pending.file.write_at(&pending.bytes, pending.offset))?;
        }
        for pending in &self.pending {
            status.synced(pending.file.sync())?;
        }
        Ok(())
    }

    /// What was packed is committed.
    pub(super) fn committed(&mut self) {
        self.pending.clear();
        self.before = (self.packing, self.pen.clone());
        self.make_spare();
    }

    /// What was packed is not committed and never was: its place is free again.
    pub(super) fn abandoned(&mut self) {
        self.pending.clear();
        let (packing, pen) = self.before.clone();
        if packing.current != self.packing.current {
            self.spare = Spare::Ready(Arc::clone(&self.pen.file));
        }
        (self.packing, self.pen) = (packing, pen);
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        if let Spare::Making(thread) = std::mem::replace(&mut self.spare, Spare::None) {
            let _ = thread.join();
        }
    }
}
