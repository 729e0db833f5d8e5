//! The one thread that writes: it takes the whole queue, writes it as one SQLite transaction, and answers everyone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::journal::Journal;
use super::{Hooks, audit, schema};
use crate::{AuditRecord, Batch, Change, Condition, Conflict, Revision, StoreError};

/// The most transactions of one commit: a bound on how long the last of them waits.
const MAX_GROUP: usize = 512;
/// So many revisions stay in the log.
const KEPT_REVISIONS: u64 = 100_000;
/// The log is trimmed when it holds this many more.
const TRIM_EVERY: u64 = 4096;

/// A commit is tried again this often where something else holds the file,
const BUSY_TRIES: u32 = 2000;
/// and after this long.
const BUSY_WAIT: Duration = Duration::from_millis(5);

type Reply = oneshot::Sender<Result<Result<Revision, Conflict>, StoreError>>;

/// What the writer is asked to do.
pub(super) enum Task {
    /// To write a transaction.
    Commit(Order),
    /// To move the journal to the audit log, and say so.
    Drain(Option<SyncSender<Result<(), StoreError>>>),
}

/// A transaction on its way to the disk.
pub(super) struct Order {
    pub(super) batch: Batch,
    pub(super) reply: Reply,
}

pub(super) struct Writer {
    connection: Connection,
    head: watch::Sender<Revision>,
    hooks: Hooks,
    /// Where records that come with no change wait; a database in memory has none.
    journal: Option<Arc<Journal>>,
    /// Whether nothing can be written any more.
    broken: Arc<AtomicBool>,
}

/// What became of each order of a group, and what changed.
struct Group {
    outcomes: Vec<Result<Revision, Conflict>>,
    changes: Vec<Change>,
    revision: Revision,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        head: watch::Sender<Revision>,
        hooks: Hooks,
        journal: Option<Arc<Journal>>,
        broken: Arc<AtomicBool>,
    ) -> Self {
        Self { connection, head, hooks, journal, broken }
    }

    pub(super) fn run(mut self, queue: &Receiver<Task>) {
        while let Ok(first) = queue.recv() {
            let (mut group, mut drains) = (vec![], vec![]);
            let mut next = Some(first);
            while let Some(task) = next.take() {
                match task {
                    Task::Commit(order) => group.push(order),
                    Task::Drain(reply) => drains.push(reply),
                }
                if group.len() < MAX_GROUP {
                    next = queue.try_recv().ok();
                }
            }
            if !group.is_empty() {
                self.commit(group);
            }
            if !drains.is_empty() {
                let outcome = self.drain();
                for reply in drains.into_iter().flatten() {
                    let _ = reply.send(outcome.clone());
                }
            }
        }
        // Whoever closes the store closed the journal before.
        let _ = self.drain();
    }

    /// Moves the journal to the audit log: all that was there when this began. What comes meanwhile waits for the next time, so
    /// that whoever only reads keeps nobody from writing.
    pub(super) fn drain(&mut self) -> Result<(), StoreError> {
        let Some(journal) = self.journal.clone() else { return Ok(()) };
        // Once for what an earlier attempt left, once for what has gathered since.
        for _ in 0..2 {
            if journal.is_moved() {
                break;
            }
            if self.is_broken() {
                return Err(StoreError::ReadOnly);
            }
            journal.drain(|records| self.keep(records))?;
        }
        Ok(())
    }

    /// Writes records to the audit log that were acknowledged before.
    fn keep(&mut self, records: &[AuditRecord]) -> Result<(), StoreError> {
        let insert = |connection: &Connection| records.iter().try_for_each(|r| audit::insert(connection, r));
        self.when_free(insert).map_err(|error| {
            self.fail(&error);
            StoreError::engine(error)
        })
    }

    fn commit(&mut self, orders: Vec<Order>) {
        let (batches, replies): (Vec<Batch>, Vec<Reply>) =
            orders.into_iter().map(|o| (o.batch, o.reply)).unzip();
        if self.is_broken() {
            for reply in replies {
                let _ = reply.send(Err(StoreError::ReadOnly));
            }
            return;
        }
        match self.when_free(|connection| write(connection, &batches)) {
            Ok(group) => {
                if !group.changes.is_empty() {
                    for tell in self.hooks.read().unwrap_or_else(PoisonError::into_inner).iter() {
                        tell(&group.changes);
                    }
                    self.head.send_replace(group.revision);
                }
                for (reply, outcome) in replies.into_iter().zip(group.outcomes) {
                    let _ = reply.send(Ok(outcome));
                }
            }
            Err(error) => {
                self.fail(&error);
                let error = StoreError::engine(error);
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// A full disk refuses this commit and leaves the file as it was. After any other failure nobody knows what the
    /// disk holds, and trying again would only seem to help.
    fn fail(&mut self, error: &rusqlite::Error) {
        let full = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        // Nor is there anything unknown where somebody else held the file all the time.
        let broken = self.roll_back().is_err() || !(full || is_busy(error));
        self.broken.fetch_or(broken, Ordering::Relaxed);
        tracing::error!(%error, read_only = self.is_broken(), "the state could not be written");
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Writes in one commit, once nobody else is in the way: on a disk that is another program's lock, in memory a reader that
    /// waits for this very writer to give up its own.
    fn when_free<T>(&self, write: impl Fn(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let mut outcome = self.commit_of(&write);
        for _ in 0..BUSY_TRIES {
            if !outcome.as_ref().is_err_and(is_busy) {
                break;
            }
            self.roll_back()?;
            std::thread::sleep(BUSY_WAIT);
            outcome = self.commit_of(&write);
        }
        outcome
    }

    fn commit_of<T>(&self, write: &impl Fn(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let written = write(&self.connection)?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(written)
    }

    /// Gives up what was begun, if anything was.
    fn roll_back(&self) -> rusqlite::Result<()> {
        if self.connection.is_autocommit() { Ok(()) } else { self.connection.execute_batch("ROLLBACK") }
    }
}

fn write(connection: &Connection, batches: &[Batch]) -> rusqlite::Result<Group> {
    let mut group = Group { outcomes: vec![], changes: vec![], revision: revision(connection)? };
    let before = group.revision;
    for batch in batches {
        let outcome = apply(connection, batch, &mut group)?;
        group.outcomes.push(outcome);
    }
    if group.revision != before {
        connection
            .prepare_cached("UPDATE meta SET value=?1 WHERE key='revision'")?
            .execute([group.revision.0])?;
        trim(connection, group.revision)?;
    }
    Ok(group)
}

fn revision(connection: &Connection) -> rusqlite::Result<Revision> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key='revision'")?;
    statement.query_row([], |r| r.get(0)).map(Revision)
}

fn trim(connection: &Connection, head: Revision) -> rusqlite::Result<()> {
    let keep_from = head.0.saturating_sub(KEPT_REVISIONS);
    let trimmed = schema::trimmed(connection).unwrap_or_default();
    if keep_from < trimmed.0 + TRIM_EVERY {
        return Ok(());
    }
    connection.prepare_cached("DELETE FROM log WHERE revision<=?1")?.execute([keep_from])?;
    connection.prepare_cached("UPDATE meta SET value=?1 WHERE key='trimmed'")?.execute([keep_from])?;
    Ok(())
}

/// Whether something else holds the file.
fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}

/// Checks one batch against the state as the batches before it left it, and writes it if it holds.
fn apply(
    connection: &Connection,
    batch: &Batch,
    group: &mut Group,
) -> rusqlite::Result<Result<Revision, Conflict>> {
    // Nothing has changed since the snapshot, so nothing that it read has.
    if batch.snapshot != group.revision {
        for condition in &batch.conditions {
            if !holds(connection, condition, batch.snapshot)? {
                return Ok(Err(Conflict));
            }
        }
    }
    if !batch.writes.is_empty() {
        group.revision = Revision(group.revision.0 + 1);
        for (key, value) in &batch.writes {
            match value {
                Some(value) => connection
                    .prepare_cached(
                        "INSERT INTO kv (key, value, modified) VALUES (?1, ?2, ?3)
                         ON CONFLICT (key) DO UPDATE SET value=excluded.value, modified=excluded.modified",
                    )?
                    .execute((key.as_str(), value, group.revision.0))?,
                None => connection.prepare_cached("DELETE FROM kv WHERE key=?1")?.execute([key.as_str()])?,
            };
            connection
                .prepare_cached("INSERT INTO log (revision, key, value) VALUES (?1, ?2, ?3)")?
                .execute((group.revision.0, key.as_str(), value))?;
            group.changes.push(Change { key: key.clone(), value: value.clone(), revision: group.revision });
        }
    }
    for record in &batch.audit {
        audit::insert(connection, record)?;
    }
    if let Some((account, before)) = &batch.forget_audit {
        audit::forget(connection, account, *before)?;
    }
    Ok(Ok(group.revision))
}

fn holds(connection: &Connection, condition: &Condition, snapshot: Revision) -> rusqlite::Result<bool> {
    use rusqlite::OptionalExtension as _;
    match condition {
        Condition::Unchanged(key, seen) => {
            let mut statement = connection.prepare_cached("SELECT modified FROM kv WHERE key=?1")?;
            let now: Option<u64> = statement.query_row([key.as_str()], |r| r.get(0)).optional()?;
            Ok(now.map(Revision) == *seen)
        }
        Condition::RangeUnchanged(range) => {
            // Removals leave no row, but they are in the log; a snapshot from before the log's start is too old to say.
            if snapshot < schema::trimmed(connection).unwrap_or(Revision(u64::MAX)) {
                return Ok(false);
            }
            let sql = "SELECT 1 FROM log WHERE revision>?1 AND key>=?2 AND key<?3 LIMIT 1";
            let mut statement = connection.prepare_cached(sql)?;
            let changed =
                statement.query_row((snapshot.0, &range.start, &range.end), |_| Ok(())).optional()?;
            Ok(changed.is_none())
        }
    }
}
