//! The one thread that writes: it takes the whole queue, writes it as one SQLite transaction, and answers everyone.

use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::{Hooks, audit, schema};
use crate::{Batch, Change, Condition, Conflict, Revision, StoreError};

/// The most transactions of one commit: a bound on how long the last of them waits.
const MAX_GROUP: usize = 512;
/// What was written without a sync is synced after this long.
const SYNC_WITHIN: Duration = Duration::from_millis(900);
/// So many revisions stay in the log.
const KEPT_REVISIONS: u64 = 100_000;
/// The log is trimmed when it holds this many more.
const TRIM_EVERY: u64 = 4096;

/// A commit is tried again this often where something else holds the file,
const BUSY_TRIES: u32 = 2000;
/// and after this long.
const BUSY_WAIT: Duration = Duration::from_millis(5);

type Reply = oneshot::Sender<Result<Result<Revision, Conflict>, StoreError>>;

/// A transaction on its way to the disk.
pub(super) struct Order {
    pub(super) batch: Batch,
    pub(super) reply: Reply,
}

pub(super) struct Writer {
    connection: Connection,
    head: watch::Sender<Revision>,
    hooks: Hooks,
    /// Why nothing can be written any more.
    broken: bool,
    /// Whether something was written without a sync.
    unsynced: bool,
    /// How the connection is set.
    synced: Option<bool>,
}

/// What became of each order of a group, and what changed.
struct Group {
    outcomes: Vec<Result<Revision, Conflict>>,
    changes: Vec<Change>,
    revision: Revision,
}

impl Writer {
    pub(super) fn new(connection: Connection, head: watch::Sender<Revision>, hooks: Hooks) -> Self {
        Self { connection, head, hooks, broken: false, unsynced: false, synced: None }
    }

    pub(super) fn run(mut self, queue: &Receiver<Order>) {
        loop {
            let first = match queue.recv_timeout(SYNC_WITHIN) {
                Ok(order) => order,
                Err(RecvTimeoutError::Timeout) => {
                    self.sync();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut group = vec![first];
            while group.len() < MAX_GROUP
                && let Ok(order) = queue.try_recv()
            {
                group.push(order);
            }
            self.commit(group);
        }
        self.sync();
    }

    fn commit(&mut self, orders: Vec<Order>) {
        let (batches, replies): (Vec<Batch>, Vec<Reply>) =
            orders.into_iter().map(|o| (o.batch, o.reply)).unzip();
        if self.broken {
            for reply in replies {
                let _ = reply.send(Err(StoreError::ReadOnly));
            }
            return;
        }
        match self.write_when_free(&batches) {
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
        self.broken |= self.roll_back().is_err();
        self.broken |= !full;
        tracing::error!(%error, read_only = self.broken, "the state could not be written");
    }

    /// Writes, once nobody else is in the way: on a disk that is another program's lock, in memory a reader that waits for
    /// this very writer to give up its own.
    fn write_when_free(&mut self, batches: &[Batch]) -> rusqlite::Result<Group> {
        let mut outcome = self.write(batches);
        for _ in 0..BUSY_TRIES {
            if !outcome.as_ref().is_err_and(is_busy) {
                break;
            }
            self.roll_back()?;
            std::thread::sleep(BUSY_WAIT);
            outcome = self.write(batches);
        }
        outcome
    }

    /// Gives up what was begun, if anything was.
    fn roll_back(&self) -> rusqlite::Result<()> {
        if self.connection.is_autocommit() { Ok(()) } else { self.connection.execute_batch("ROLLBACK") }
    }

    fn write(&mut self, batches: &[Batch]) -> rusqlite::Result<Group> {
        let changing = batches.iter().any(|b| !b.writes.is_empty());
        self.set_synced(changing)?;
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut group = Group { outcomes: vec![], changes: vec![], revision: self.revision()? };
        let before = group.revision;
        for batch in batches {
            let outcome = apply(&self.connection, batch, &mut group)?;
            group.outcomes.push(outcome);
        }
        if group.revision != before {
            self.connection
                .prepare_cached("UPDATE meta SET value=?1 WHERE key='revision'")?
                .execute([group.revision.0])?;
            self.trim(group.revision)?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.unsynced = !changing;
        Ok(group)
    }

    /// Whether commits from here on are synced.
    fn set_synced(&mut self, synced: bool) -> rusqlite::Result<()> {
        if self.synced != Some(synced) {
            let mode = if synced { "PRAGMA synchronous=FULL" } else { "PRAGMA synchronous=NORMAL" };
            self.connection.execute_batch(mode)?;
            self.synced = Some(synced);
        }
        Ok(())
    }

    fn revision(&self) -> rusqlite::Result<Revision> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM meta WHERE key='revision'")?;
        statement.query_row([], |r| r.get(0)).map(Revision)
    }

    fn trim(&self, head: Revision) -> rusqlite::Result<()> {
        let keep_from = head.0.saturating_sub(KEPT_REVISIONS);
        let trimmed = schema::trimmed(&self.connection).unwrap_or_default();
        if keep_from < trimmed.0 + TRIM_EVERY {
            return Ok(());
        }
        self.connection.prepare_cached("DELETE FROM log WHERE revision<=?1")?.execute([keep_from])?;
        self.connection
            .prepare_cached("UPDATE meta SET value=?1 WHERE key='trimmed'")?
            .execute([keep_from])?;
        Ok(())
    }

    /// Makes what was written without a sync durable: a synced commit syncs all before it.
    fn sync(&mut self) {
        if !self.unsynced || self.broken {
            return;
        }
        let synced = self.set_synced(true).and_then(|()| {
            let sql = "BEGIN IMMEDIATE; UPDATE meta SET value=value WHERE key='revision'; COMMIT";
            self.connection.execute_batch(sql)
        });
        match synced {
            Ok(()) => self.unsynced = false,
            // Somebody is in the way: it is tried again after the next wait.
            Err(error) if is_busy(&error) && self.roll_back().is_ok() => {}
            Err(error) => self.fail(&error),
        }
    }
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
