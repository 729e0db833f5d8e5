//! The way of audit records that come with no change: appended to a file, and moved to the audit log in the background.
//!
//! Most of what is asked changes nothing, and each of these requests leaves a record before it is answered. To commit it to
//! the database would cost more than the request did. So it is appended to a journal, by whoever asked, with one write and no
//! other thread; what the system was given survives the end of the process. The writer of the database moves what has
//! gathered about every second, in one synced commit, and empties the file. After an end without goodbye the journal is moved
//! when the store is opened; a record that is moved twice counts once, by its `event_id`.
//!
//! There are two files that take turns: one is written while the other is moved. Both are a sequence of frames: the length of
//! the record, its CRC32C (each four bytes, little-endian), the record.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crc_fast::CrcAlgorithm::Crc32Iscsi;

use crate::{AuditRecord, StoreError};

const NAMES: [&str; 2] = ["audit-0.journal", "audit-1.journal"];
/// The longest record.
const MAX_RECORD: usize = 16 << 20;
/// What has gathered is moved after this long,
const MOVED_WITHIN: Duration = Duration::from_millis(900);
/// or when there is this much of it.
const MOVED_AT: usize = 1 << 20;
/// So much may wait in a file; more is refused, for what cannot be audited is not answered.
const MAX_WAITING: usize = 64 << 20;
const HEAD: usize = 8;

pub(super) struct Journal {
    state: Mutex<State>,
    /// Told when there is much to move, and at the end.
    nudge: Condvar,
    /// Set where a file cannot be relied on, for then no change is taken either. A database that cannot be relied on stops
    /// nobody from reading: what is read is recorded here as long as there is room, and moved when the store is opened again.
    broken: Arc<AtomicBool>,
}

struct State {
    files: [Side; 2],
    /// Which of them is written.
    active: usize,
    /// What the active file holds.
    waiting: Vec<AuditRecord>,
    /// What was taken to be moved, and is not known to have been.
    taken: Arc<Vec<AuditRecord>>,
    /// Whether nobody knows what the files hold.
    unreliable: bool,
    closed: bool,
}

struct Side {
    file: File,
    length: usize,
}

impl Journal {
    /// Opens the journal of a folder. What it holds that was not moved comes first when it is drained.
    pub(super) fn open(folder: &Path, broken: Arc<AtomicBool>) -> Result<Self, StoreError> {
        let mut left = vec![];
        let mut side = |path: PathBuf| -> Result<Side, StoreError> {
            let found = read(&path).map_err(StoreError::engine)?;
            if found.unreadable > 0 {
                let (path, bytes) = (path.display(), found.unreadable);
                tracing::error!("`{path}`: {bytes} bytes of the audit journal do not read");
            }
            left.extend(found.records);
            let side = Side { file: open(&path).map_err(StoreError::engine)?, length: found.end };
            // What comes next does not stand behind half a record.
            side.cut().map_err(StoreError::engine)?;
            Ok(side)
        };
        let [first, second] = paths(folder);
        let files = [side(first)?, side(second)?];
        let state = State {
            files,
            active: 0,
            waiting: vec![],
            taken: Arc::new(left),
            unreliable: false,
            closed: false,
        };
        Ok(Self { state: Mutex::new(state), nudge: Condvar::new(), broken })
    }

    /// Empties the files, once the database holds all that they held when the journal was opened.
    pub(super) fn empty(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        state.files.iter_mut().try_for_each(Side::empty).map_err(StoreError::engine)
    }

    /// Adds records. They survive the end of the process when this returns, and that of the machine about a second later.
    pub(super) fn append(&self, records: Vec<AuditRecord>) -> Result<(), StoreError> {
        let mut bytes = vec![];
        for record in &records {
            frame(record, &mut bytes)?;
        }
        let mut state = self.state();
        if state.closed {
            return Err(StoreError::Closed);
        }
        if state.unreliable {
            return Err(StoreError::ReadOnly);
        }
        let State { files: [first, second], active, waiting, taken, unreliable, .. } = &mut *state;
        let side = if *active == 0 { first } else { second };
        let before = side.length;
        if before + bytes.len() > MAX_WAITING {
            return Err(StoreError::engine(std::io::Error::other("the audit log is too far behind")));
        }
        if let Err(error) = side.append(&bytes) {
            // A full disk refuses this record; after another failure nobody knows what the file holds.
            *unreliable = error.kind() != std::io::ErrorKind::StorageFull || side.cut().is_err();
            self.broken.fetch_or(*unreliable, Ordering::Relaxed);
            tracing::error!(%error, read_only = *unreliable, "the audit journal could not be written");
            return Err(StoreError::engine(error));
        }
        waiting.extend(records);
        // Once; where moving fails it is tried again after the usual wait.
        if before < MOVED_AT && side.length >= MOVED_AT && taken.is_empty() {
            self.nudge.notify_one();
        }
        Ok(())
    }

    /// Waits until what has gathered should be moved; `false` when the journal was closed.
    pub(super) fn wait(&self) -> bool {
        let state = self.state();
        if state.closed {
            return false;
        }
        let waited = self.nudge.wait_timeout(state, MOVED_WITHIN);
        !waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Takes nothing more, and has [`Journal::wait`] end.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.nudge.notify_all();
    }

    /// Whether the database holds all that was added.
    pub(super) fn is_moved(&self) -> bool {
        let state = self.state();
        state.waiting.is_empty() && state.taken.is_empty()
    }

    /// Has `put` write what has gathered to the database, durably, and forgets it then. If that fails it is kept, and comes
    /// first the next time.
    pub(super) fn drain<E>(&self, put: impl FnOnce(&[AuditRecord]) -> Result<(), E>) -> Result<(), E> {
        let records = {
            let mut state = self.state();
            if state.taken.is_empty() {
                state.taken = Arc::new(std::mem::take(&mut state.waiting));
                state.active = 1 - state.active;
            }
            Arc::clone(&state.taken)
        };
        if !records.is_empty() {
            put(&records)?;
        }
        let mut state = self.state();
        state.taken = Arc::default();
        let State { files: [first, second], active, unreliable, .. } = &mut *state;
        let moved = if *active == 0 { second } else { first };
        if let Err(error) = moved.empty() {
            // What is left would only be moved again; but what cannot be cut cannot be trusted to be written.
            tracing::error!(%error, "the audit journal could not be emptied");
            *unreliable = true;
            self.broken.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Side {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += bytes.len();
        Ok(())
    }

    /// Takes back what was written in part.
    fn cut(&self) -> std::io::Result<()> {
        self.file.set_len(self.length as u64)
    }

    fn empty(&mut self) -> std::io::Result<()> {
        self.length = 0;
        self.file.set_len(0)
    }
}

fn paths(folder: &Path) -> [PathBuf; 2] {
    NAMES.map(|name| folder.join(name))
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn frame(record: &AuditRecord, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
    let record = record.to_bytes()?;
    if record.len() > MAX_RECORD {
        return Err(StoreError::engine(std::io::Error::other("an audit record is too long")));
    }
    let length = u32::try_from(record.len()).map_err(StoreError::engine)?;
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc(&record).to_le_bytes());
    bytes.extend_from_slice(&record);
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "a checksum of 32 bits")]
fn crc(bytes: &[u8]) -> u32 {
    crc_fast::checksum(Crc32Iscsi, bytes) as u32
}

/// What a file of a journal holds.
#[derive(Default)]
pub(super) struct Found {
    pub(super) records: Vec<AuditRecord>,
    /// Bytes between records that are none.
    pub(super) unreadable: usize,
    /// Where the last record ends.
    end: usize,
}

/// What the files of a folder hold, without opening it as a journal.
pub(super) fn look(folder: &Path) -> std::io::Result<Found> {
    let mut found = Found::default();
    for path in paths(folder) {
        let one = read(&path)?;
        found.records.extend(one.records);
        found.unreadable += one.unreadable;
    }
    Ok(found)
}

fn read(path: &Path) -> std::io::Result<Found> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(records(&bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Found::default()),
        Err(error) => Err(error),
    }
}

/// Damage hides none of the records behind it. What is no record at the end of a file is the beginning of one that nobody was
/// told of: its writer was ended in the midst of it.
fn records(whole: &[u8]) -> Found {
    let (mut found, mut bytes) = (Found::default(), whole);
    while !bytes.is_empty() {
        if let Some((record, after)) = first(bytes) {
            found.records.push(record);
            found.end = whole.len() - after.len();
            bytes = after;
            continue;
        }
        let next = (1..bytes.len()).find_map(|at| bytes.get(at..).filter(|rest| first(rest).is_some()));
        let Some(next) = next else { break };
        found.unreadable += bytes.len() - next.len();
        bytes = next;
    }
    found
}

/// The record that bytes begin with, and what follows it.
fn first(bytes: &[u8]) -> Option<(AuditRecord, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let [a, b, c, d, e, f, g, h] = *head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    let (record, after) = rest.split_at_checked(length).filter(|_| length <= MAX_RECORD)?;
    let sound = crc(record) == u32::from_le_bytes([e, f, g, h]);
    Some((AuditRecord::from_bytes(record).ok().filter(|_| sound)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: u32) -> AuditRecord {
        AuditRecord { event_id: format!("e-{n}"), event: "{}".into(), ..AuditRecord::default() }
    }

    fn ids(records: &[AuditRecord]) -> Vec<&str> {
        records.iter().map(|r| r.event_id.as_str()).collect()
    }

    fn open(folder: &Path) -> Journal {
        Journal::open(folder, Arc::default()).unwrap()
    }

    fn moved(journal: &Journal) -> Vec<String> {
        let mut moved = vec![];
        let put = |records: &[AuditRecord]| {
            moved.extend(records.iter().map(|r| r.event_id.clone()));
            Ok::<(), ()>(())
        };
        journal.drain(put).unwrap();
        moved
    }

    #[test]
    fn what_was_added_is_there_after_an_end_without_goodbye() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path());
        assert!(journal.is_moved());
        journal.append(vec![record(1)]).unwrap();
        journal.drain(|_| Err("the disk is full")).unwrap_err();
        journal.append(vec![record(2), record(3)]).unwrap();
        drop(journal);
        // The beginning of a record that nobody was told of.
        let torn = folder.path().join(NAMES[0]);
        let mut bytes = std::fs::read(&torn).unwrap();
        bytes.extend([9, 0, 0, 0, 1]);
        std::fs::write(&torn, bytes).unwrap();
        let journal = open(folder.path());
        // The disk is still full, and what comes is taken all the same.
        journal.drain(|_| Err("the disk is full")).unwrap_err();
        journal.append(vec![record(4)]).unwrap();
        let found = look(folder.path()).unwrap();
        assert_eq!((found.records.len(), found.unreadable), (4, 0));
        let mut first = moved(&journal);
        first.sort();
        assert_eq!(first, ["e-1", "e-2", "e-3"]);
        assert_eq!(moved(&journal), ["e-4"]);
        journal.empty().unwrap();
        assert!(look(folder.path()).unwrap().records.is_empty());
    }

    #[test]
    fn what_is_read_is_recorded_where_the_database_takes_nothing_until_there_is_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let broken = Arc::new(AtomicBool::new(true));
        let journal = Journal::open(folder.path(), Arc::clone(&broken)).unwrap();
        journal.append(vec![record(1)]).unwrap();
        journal.drain(|_| Err(StoreError::ReadOnly)).unwrap_err();
        journal.append(vec![record(2)]).unwrap();
        assert_eq!(ids(&look(folder.path()).unwrap().records), ["e-1", "e-2"]);
        let long = AuditRecord { explanation: Some("x".repeat(MAX_RECORD / 2)), ..record(3) };
        let taken = (0..).take_while(|_| journal.append(vec![long.clone()]).is_ok()).count();
        assert_eq!(taken, 7);
        // That was refused whole, and a shorter record has room.
        journal.append(vec![record(4)]).unwrap();
        assert_eq!(look(folder.path()).unwrap().records.len(), 10);
    }

    #[test]
    fn nothing_is_taken_or_changed_once_a_file_cannot_be_relied_on() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path());
        journal.append(vec![record(1)]).unwrap();
        // A file that is open for reading takes no record, for another reason than a full disk.
        let read = File::open(folder.path().join(NAMES[0])).unwrap();
        let write = std::mem::replace(&mut journal.state().files[0].file, read);
        journal.append(vec![record(2)]).unwrap_err();
        assert!(journal.broken.load(Ordering::Relaxed));
        journal.state().files[0].file = write;
        assert!(matches!(journal.append(vec![record(3)]), Err(StoreError::ReadOnly)));
        assert_eq!(ids(&look(folder.path()).unwrap().records), ["e-1"]);
    }

    #[test]
    fn what_is_taken_can_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path());
        let long = |length| AuditRecord { explanation: Some("x".repeat(length)), ..record(1) };
        journal.append(vec![long(MAX_RECORD - 100)]).unwrap();
        journal.append(vec![long(MAX_RECORD)]).unwrap_err();
        let found = look(folder.path()).unwrap();
        assert_eq!((found.records.len(), found.unreadable), (1, 0));
    }

    #[test]
    fn what_could_not_be_moved_comes_first_the_next_time_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path());
        journal.append(vec![record(1)]).unwrap();
        journal.drain(|_| Err(())).unwrap_err();
        journal.append(vec![record(2)]).unwrap();
        assert_eq!(moved(&journal), ["e-1"]);
        assert!(!journal.is_moved());
        assert_eq!(moved(&journal), ["e-2"]);
        assert!(journal.is_moved());
        assert!(look(folder.path()).unwrap().records.is_empty());
    }

    #[test]
    fn a_torn_end_is_no_damage_and_a_changed_byte_hides_one_record() {
        let mut bytes = vec![];
        for n in 1..=3 {
            frame(&record(n), &mut bytes).unwrap();
        }
        let each = bytes.len() / 3;
        for torn in 1..each {
            let found = records(&bytes[..bytes.len() - torn]);
            assert_eq!((ids(&found.records), found.unreadable), (vec!["e-1", "e-2"], 0), "{torn} bytes");
        }
        for (at, bit) in (0..each).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = bytes.clone();
            changed[each + at] ^= 1 << bit;
            let found = records(&changed);
            assert_eq!((ids(&found.records), found.unreadable), (vec!["e-1", "e-3"], each), "byte {at}");
        }
    }
}
