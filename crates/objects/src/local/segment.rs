//! The files that hold extents: which are open, which have room, who writes at the end of which.
//!
//! A segment is only ever written at its end, behind what is committed, by the one who leases it, and is removed as a
//! whole. So a reader that has the file open reads on, whatever happens to the names.
//!
//! Its first 4096 bytes: `daypass segment\n`, the version of the format (4 bytes), the number of the segment (8), the id
//! of the store (16), CRC32C of these (4), zeros. Numbers have the least significant byte first.

use super::disk::{Disk, DiskFile};
use super::status::Status;
use crate::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) const START: u64 = 4096;
const MAGIC: &[u8; 16] = b"daypass segment\n";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 48;
/// A segment with less room than this is full.
pub(super) const LEAST_ROOM: u64 = 256 * 1024;
const OPEN_FILES: usize = 512;
const FILL_BYTES: usize = 256 << 10;

pub(super) struct Segments {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    store: [u8; 16],
    status: Arc<Status>,
    reserve_bytes: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: HashMap<u64, Arc<dyn DiskFile>>,
    /// With room, and nobody writes to them.
    idle: Vec<Room>,
    /// Somebody writes to them, or is about to.
    busy: HashSet<u64>,
    closed: bool,
}

/// The rest of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) segment: u64,
    pub(super) used: u64,
    pub(super) capacity: u64,
}

impl Room {
    fn left(&self) -> u64 {
        self.capacity.saturating_sub(self.used)
    }

    /// Whether there is enough of it to go on writing there.
    pub(super) fn serves(&self) -> bool {
        self.left() >= LEAST_ROOM
    }
}

impl Segments {
    pub(super) fn new(
        directory: PathBuf,
        disk: Arc<dyn Disk>,
        store: [u8; 16],
        status: Arc<Status>,
        reserve_bytes: u64,
    ) -> Arc<Self> {
        Arc::new(Self { directory, disk, store, status, reserve_bytes, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the file of a segment is called.
    pub(super) fn name(segment: u64) -> String {
        format!("{segment:016x}.segment")
    }

    fn path(&self, segment: u64) -> PathBuf {
        self.directory.join(Self::name(segment))
    }

    pub(super) fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes(&self.directory)
    }

    /// Whether so much can be written and leave on the disk what is kept free. Everything asks that adds to the store; what
    /// only makes room does not, for it is what the reserve is for.
    pub(super) fn has_room_for(&self, bytes: u64) -> bool {
        self.free_bytes().is_ok_and(|free| free >= self.reserve_bytes.saturating_add(bytes))
    }

    /// Makes the file, durably; filled with zeros up to `fill`, so that a later sync has no block to allocate.
    pub(super) fn create(&self, segment: u64, fill: u64) -> Result<Arc<dyn DiskFile>> {
        let made = self.try_create(segment, fill);
        if matches!(made, Err(Error::Full)) {
            // a file half made is in the way of what might still fit
            let _ = self.disk.remove(&self.path(segment));
        }
        made
    }

    fn try_create(&self, segment: u64, fill: u64) -> Result<Arc<dyn DiskFile>> {
        let file = self.disk.create(&self.path(segment)).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
            _ => Error::Io(format!("segment {segment} cannot be made: {error}")),
        })?;
        let mut head = self.head(segment);
        head.resize(START as usize, 0);
        self.status.written(file.write_at(&head, 0))?;
        let zeros = vec![0; FILL_BYTES];
        let mut at = START;
        while at < fill {
            let length = (fill - at).min(FILL_BYTES as u64);
            self.status.written(file.write_at(zeros.get(..length as usize).unwrap_or_default(), at))?;
            at += length;
        }
        self.status.synced(file.sync())?;
        self.status.synced(self.disk.sync_directory(&self.directory))?;
        self.keep_open(segment, &file);
        Ok(file)
    }

    fn head(&self, segment: u64) -> Vec<u8> {
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&segment.to_le_bytes());
        head.extend_from_slice(&self.store);
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &head);
        head.extend_from_slice(&u32::try_from(crc).unwrap_or(0).to_le_bytes());
        head
    }

    /// The segment's file.
    pub(super) fn file(&self, segment: u64) -> Result<Arc<dyn DiskFile>> {
        if let Some(file) = self.state().open.get(&segment) {
            return Ok(Arc::clone(file));
        }
        let unreadable =
            |error: io::Error| Error::Corrupt(format!("segment {segment} cannot be opened: {error}"));
        let file = self.disk.open(&self.path(segment)).map_err(unreadable)?;
        let mut head = [0; HEAD_BYTES];
        file.read_at(&mut head, 0).map_err(unreadable)?;
        if head.as_slice() != self.head(segment) {
            return Err(Error::Corrupt(format!("segment {segment} is not what its name says")));
        }
        self.keep_open(segment, &file);
        Ok(file)
    }

    fn keep_open(&self, segment: u64, file: &Arc<dyn DiskFile>) {
        let mut state = self.state();
        if state.open.len() >= OPEN_FILES {
            // whoever reads from one holds it itself
            state.open.clear();
        }
        state.open.insert(segment, Arc::clone(file));
    }

    /// Takes the file away.
    pub(super) fn remove(&self, segment: u64) -> io::Result<()> {
        self.state().open.remove(&segment);
        self.disk.remove(&self.path(segment))
    }

    pub(super) fn sync_directory(&self) -> io::Result<()> {
        self.disk.sync_directory(&self.directory)
    }

    /// Offers a segment to those who write.
    pub(super) fn offer(&self, room: Room) {
        self.state().idle.push(room);
    }

    /// Marks a segment as written to; none if it is already.
    pub(super) fn reserve(self: &Arc<Self>, segment: u64) -> Option<Reservation> {
        let fresh = self.state().busy.insert(segment);
        fresh.then(|| Reservation { segment, home: Arc::clone(self) })
    }

    /// A segment with so much room, to write to.
    pub(super) fn lease(self: &Arc<Self>, room: u64) -> Result<Option<Lease>> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Closed);
        }
        let serves = |idle: &Room| idle.left() >= room && !state.busy.contains(&idle.segment);
        let Some(at) = state.idle.iter().rposition(serves) else { return Ok(None) };
        let room = state.idle.swap_remove(at);
        state.busy.insert(room.segment);
        drop(state);
        let reservation = Reservation { segment: room.segment, home: Arc::clone(self) };
        Ok(Some(Lease { file: self.file(room.segment)?, room, at: room.used, reservation }))
    }

    /// Takes a segment out of use, so that it can be emptied: nobody writes to it while this is held, or after.
    pub(super) fn withdraw(self: &Arc<Self>, segment: u64) -> Option<Reservation> {
        let reservation = self.reserve(segment)?;
        self.state().idle.retain(|room| room.segment != segment);
        Some(reservation)
    }

    pub(super) fn is_busy(&self, segment: u64) -> bool {
        self.state().busy.contains(&segment)
    }

    /// Ends all writing.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.idle.clear();
    }
}

/// While it lives, nobody else writes to the segment, and it is not cleared away.
pub(super) struct Reservation {
    segment: u64,
    home: Arc<Segments>,
}

impl Reservation {
    pub(super) fn segment(&self) -> u64 {
        self.segment
    }

    /// Begins to write to a segment that was made.
    pub(super) fn lease(self, file: Arc<dyn DiskFile>, capacity: u64) -> Lease {
        let room = Room { segment: self.segment, used: START, capacity };
        Lease { file, room, at: START, reservation: self }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.home.state().busy.remove(&self.segment);
    }
}

/// The right to write at the end of a segment. What is not published is overwritten by the next to lease it.
pub(super) struct Lease {
    pub(super) file: Arc<dyn DiskFile>,
    room: Room,
    at: u64,
    reservation: Reservation,
}

impl Lease {
    pub(super) fn segment(&self) -> u64 {
        self.room.segment
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn left(&self) -> u64 {
        self.room.capacity.saturating_sub(self.at)
    }

    pub(super) fn advance(&mut self, bytes: u64) {
        self.at += bytes;
    }

    /// What was written is committed: the next writes behind it.
    pub(super) fn publish(mut self) {
        self.room.used = self.at;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.reservation.home.state();
        // after a panic nobody knows whether what was written is committed: better not to write there again
        if self.room.serves() && !state.closed && !std::thread::panicking() {
            state.idle.push(self.room);
        }
    }
}
