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
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crc_fast::CrcAlgorithm::Crc32Iscsi;

use crate::{AuditRecord, StoreError};

const NAMES: [&str; 2] = ["audit-0.journal", "audit-1.journal"];
/// The longest record that is taken for one.
const MAX_RECORD: usize = 1 << 20;
/// What has gathered is moved after this long,
const MOVED_WITHIN: Duration = Duration::from_millis(900);
/// or when there is this much of it.
const MOVED_AT: usize = 1 << 20;
/// So much may wait; more is refused, for what cannot be audited is not answered.
const MAX_WAITING: usize = 64 << 20;
const HEAD: usize = 8;

pub(super) struct Journal {
    state: Mutex<State>,
    /// Told when there is much to move, and at the end.
    nudge: Condvar,
}

struct State {
    files: [Side; 2],
    /// Which of them is written.
    active: usize,
    /// What the active file holds.
    waiting: Vec<AuditRecord>,
    /// What was taken to be moved, and is not known to have been.
    taken: Arc<Vec<AuditRecord>>,
    /// Why nothing can be written any more.
    broken: bool,
    closed: bool,
}

struct Side {
    file: File,
    length: usize,
}

impl Journal {
    /// Opens the journal of a folder, and says what it holds that was not moved.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<AuditRecord>), StoreError> {
        let mut left = vec![];
        for path in paths(folder) {
            let read = read(&path).map_err(StoreError::engine)?;
            if read.unreadable > 0 {
                let (path, bytes) = (path.display(), read.unreadable);
                tracing::error!("`{path}`: {bytes} bytes of the audit journal do not read");
            }
            left.extend(read.records);
        }
        let [first, second] = paths(folder).map(|path| open(&path).map(|file| Side { file, length: 0 }));
        let files = [first.map_err(StoreError::engine)?, second.map_err(StoreError::engine)?];
        let state =
            State { files, active: 0, waiting: vec![], taken: Arc::default(), broken: false, closed: false };
        Ok((Self { state: Mutex::new(state), nudge: Condvar::new() }, left))
    }

    /// Empties the files, once all that they held when the journal was opened is in the database.
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
        if state.broken {
            return Err(StoreError::ReadOnly);
        }
        let State { files, active, waiting, broken, .. } = &mut *state;
        let [first, second] = files;
        let side = if *active == 0 { first } else { second };
        if side.length + bytes.len() > MAX_WAITING {
            return Err(StoreError::engine(std::io::Error::other("the audit log is too far behind")));
        }
        if let Err(error) = side.append(&bytes) {
            // A full disk refuses this record; after another failure nobody knows what the file holds.
            *broken = error.kind() != std::io::ErrorKind::StorageFull || side.cut().is_err();
            tracing::error!(%error, read_only = *broken, "the audit journal could not be written");
            return Err(StoreError::engine(error));
        }
        waiting.extend(records);
        if side.length >= MOVED_AT {
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
        let State { files: [first, second], active, broken, .. } = &mut *state;
        let moved = if *active == 0 { second } else { first };
        if let Err(error) = moved.empty() {
            // What is left would only be moved again; but what cannot be cut cannot be trusted to be written.
            tracing::error!(%error, "the audit journal could not be emptied");
            *broken = true;
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
    /// Bytes that are no record: the end of one that nobody was told of, or damage.
    pub(super) unreadable: usize,
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

/// One damaged record hides none behind it, as long as its length is right.
fn records(mut bytes: &[u8]) -> Found {
    let mut found = Found::default();
    while let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() {
        let [a, b, c, d, e, f, g, h] = *head;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let Some((record, after)) = rest.split_at_checked(length).filter(|_| length <= MAX_RECORD) else {
            break;
        };
        let sound = crc(record) == u32::from_le_bytes([e, f, g, h]);
        match AuditRecord::from_bytes(record).ok().filter(|_| sound) {
            Some(record) => found.records.push(record),
            None => found.unreadable += HEAD + length,
        }
        bytes = after;
    }
    found.unreadable += bytes.len();
    found
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

    #[test]
    fn what_was_added_is_there_after_an_end_without_goodbye() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, left) = Journal::open(folder.path()).unwrap();
        assert!(left.is_empty() && journal.is_moved());
        journal.append(vec![record(1)]).unwrap();
        let moved: Result<(), &str> = journal.drain(|_| Err("the disk is full"));
        assert!(moved.is_err());
        journal.append(vec![record(2), record(3)]).unwrap();
        drop(journal);
        let (journal, left) = Journal::open(folder.path()).unwrap();
        assert_eq!(ids(&left), ["e-1", "e-2", "e-3"]);
        journal.empty().unwrap();
        assert!(look(folder.path()).unwrap().records.is_empty());
    }

    #[test]
    fn what_could_not_be_moved_comes_first_the_next_time_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(folder.path()).unwrap();
        journal.append(vec![record(1)]).unwrap();
        journal.drain(|_| Err(())).unwrap_err();
        journal.append(vec![record(2)]).unwrap();
        let mut moved = vec![];
        let mut put = |records: &[AuditRecord]| {
            moved.extend(records.iter().map(|r| r.event_id.clone()));
            Ok::<(), ()>(())
        };
        journal.drain(&mut put).unwrap();
        assert!(!journal.is_moved());
        journal.drain(&mut put).unwrap();
        assert!(journal.is_moved());
        assert_eq!(moved, ["e-1", "e-2"]);
        assert!(look(folder.path()).unwrap().records.is_empty());
    }

    #[test]
    fn a_torn_end_hides_nothing_and_a_changed_byte_one_record() {
        let mut bytes = vec![];
        for n in 1..=3 {
            frame(&record(n), &mut bytes).unwrap();
        }
        let each = bytes.len() / 3;
        let torn = records(&bytes[..bytes.len() - 1]);
        assert_eq!((ids(&torn.records), torn.unreadable), (vec!["e-1", "e-2"], each - 1));
        for at in HEAD..each {
            let mut changed = bytes.clone();
            changed[each + at] ^= 1;
            let found = records(&changed);
            assert_eq!((ids(&found.records), found.unreadable), (vec!["e-1", "e-3"], each), "byte {at}");
        }
        for at in 0..each {
            let mut changed = bytes.clone();
            changed[each + at] ^= 0x80;
            assert!(records(&changed).unreadable > 0, "byte {at}");
        }
    }
}
