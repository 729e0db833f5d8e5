//! Looking at a database from outside, and holding a state of it still to be copied.

use std::path::Path;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::{journal, schema, wal};
use crate::{Key, StoreError};

/// Pages that are copied at once.
const COPIED_PAGES: i32 = 1024;
/// So many things that are wrong are told.
const MOST_PROBLEMS: usize = 1000;

/// What a look at a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspected {
    /// What is wrong, in words; at most 1000.
    pub problems: Vec<String>,
    /// What is wrong with the log that was not yet put into the file, in words: the next server goes on with what is before.
    pub log: Option<String>,
    /// Records that were looked at.
    pub records: u64,
    /// Records of the audit log that were looked at.
    pub audit_records: u64,
}

impl Inspected {
    fn wrong(&mut self, what: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(what);
        }
    }
}

/// Goes through a store that no server has open: the structure of the file, every record, the audit log. Changes nothing.
/// `visit` is told of every record, as it is stored.
///
/// # Errors
/// If there is no store, it cannot be opened at all, or has another format.
pub fn inspect(folder: &Path, visit: &mut dyn FnMut(&Key, &[u8])) -> Result<Inspected, StoreError> {
    let log = wal::damage(&folder.join("state.db-wal")).map_err(StoreError::engine)?;
    let connection = existing(folder)?;
    schema::known(&connection)?;
    let mut found = Inspected { log, ..Inspected::default() };
    structure(&connection, &mut found).map_err(StoreError::engine)?;
    // a table that does not read is one more thing that is wrong, and hides no other
    if let Err(error) = records(&connection, &mut found, visit) {
        found.wrong(format!("the records do not read to their end: {error}"));
    }
    if let Err(error) = audit(&connection, &mut found) {
        found.wrong(format!("the audit log does not read to its end: {error}"));
    }
    match journal::look(folder) {
        Ok(waiting) => {
            found.audit_records += waiting.records.len() as u64;
            if waiting.unreadable > 0 {
                let bytes = waiting.unreadable;
                found.wrong(format!("{bytes} bytes of the audit journal do not read"));
            }
        }
        Err(error) => found.wrong(format!("the audit journal does not read: {error}")),
    }
    Ok(found)
}

/// Opens the database to be read. The log is left as it is in the end too: what cannot be read of it may be all that there
/// is of what was acknowledged.
fn existing(folder: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(folder.join("state.db"), flags).map_err(StoreError::engine)?;
    connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(StoreError::engine)?;
    connection.pragma_update(None, "query_only", true).map_err(StoreError::engine)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(StoreError::engine)?;
    Ok(connection)
}

fn structure(connection: &Connection, found: &mut Inspected) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    for row in rows {
        let row = row?;
        if row != "ok" {
            found.wrong(row);
        }
    }
    Ok(())
}

fn records(
    connection: &Connection,
    found: &mut Inspected,
    visit: &mut dyn FnMut(&Key, &[u8]),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT key, value FROM kv ORDER BY key")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.records += 1;
        let (Ok(key), Ok(value)) = (row.get::<_, String>(0), row.get::<_, Vec<u8>>(1)) else {
            found.wrong(format!("record {} does not read", found.records));
            continue;
        };
        if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&value) {
            found.wrong(format!("the record `{key}` does not read: {error}"));
        }
        visit(&Key::from_stored(key), &value);
    }
    Ok(())
}

fn audit(connection: &Connection, found: &mut Inspected) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT event_id, event FROM audit ORDER BY sequence")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.audit_records += 1;
        let (Ok(id), Ok(event)) = (row.get::<_, String>(0), row.get::<_, String>(1)) else {
            found.wrong(format!("audit record {} does not read", found.audit_records));
            continue;
        };
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&event) {
            found.wrong(format!("the audit record `{id}` does not read: {error}"));
        }
    }
    Ok(())
}

/// A state of a store that is open, held still while it is copied. Writing goes on beside it.
pub struct Frozen {
    connection: Connection,
}

impl Frozen {
    /// Holds the state of the store in this folder as it is now, together with what `beside` makes: between the two nothing
    /// was committed to the store.
    ///
    /// # Errors
    /// What reading fails with, what `beside` fails with, and [`StoreError::Contention`] if something is committed every time
    /// that it is tried.
    pub fn with<T, E: From<StoreError>>(
        folder: &Path,
        mut beside: impl FnMut() -> Result<T, E>,
    ) -> Result<(Self, T), E> {
        let watch = existing(folder)?;
        for _ in 0..MAX_ATTEMPTS {
            let before = commits(&watch)?;
            let connection = existing(folder)?;
            connection.execute_batch("BEGIN").map_err(StoreError::engine)?;
            // the state is the one that is seen first
            let seen = connection.query_row("SELECT value FROM meta LIMIT 1", [], |_| Ok(())).optional();
            seen.map_err(StoreError::engine)?;
            let made = beside()?;
            if commits(&watch)? == before {
                return Ok((Self { connection }, made));
            }
        }
        Err(StoreError::Contention.into())
    }

    /// Writes the state to a new file, and returns when it is on the disk. Blocks.
    ///
    /// # Errors
    /// What reading or writing fails with.
    pub fn copy(&self, to: &Path) -> Result<(), StoreError> {
        let mut copy = Connection::open(to).map_err(StoreError::engine)?;
        copy.pragma_update(None, "synchronous", "full").map_err(StoreError::engine)?;
        let backup = Backup::new(&self.connection, &mut copy).map_err(StoreError::engine)?;
        backup.run_to_completion(COPIED_PAGES, std::time::Duration::ZERO, None).map_err(StoreError::engine)
    }
}

/// Both states are taken within microseconds of each other: this often in a row somebody commits in between only if
/// something is wrong.
const MAX_ATTEMPTS: u32 = 1000;

/// Changes whenever another connection has committed (sqlite.org, "PRAGMA data_version").
fn commits(connection: &Connection) -> Result<i64, StoreError> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0)).map_err(StoreError::engine)
}

#[cfg(test)]
mod tests {
    use super::{Frozen, inspect, wal};
    use crate::{AuditRecord, Key, Store, StoreError};

    async fn store(folder: &std::path::Path) -> Store {
        let store = Store::open(folder).unwrap();
        let record = AuditRecord { event_id: "e".into(), event: "{}".into(), ..AuditRecord::default() };
        store.record(record).await.unwrap();
        store.flush_audit().unwrap();
        put(&store, 1).await;
        store
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Number(u64);

    impl crate::Record for Number {
        fn key(&self) -> Key {
            Key::new(&["number", &self.0.to_string()])
        }
    }

    async fn put(store: &Store, number: u64) {
        store.transact(|tx| tx.put(&Number(number))).await.unwrap();
    }

    #[tokio::test]
    async fn a_frozen_state_stays_while_the_store_goes_on() {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = store(folder.path()).await;
        let mut tries = 0;
        let frozen = Frozen::with(folder.path(), || {
            tries += 1;
            if tries < 3 {
                // somebody commits in between
                let other = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
                other.execute("UPDATE meta SET value = value + 1 WHERE key = 'trimmed'", []).unwrap();
            }
            Ok::<_, StoreError>(tries)
        });
        let (frozen, made) = frozen.unwrap();
        assert_eq!(made, 3, "what was made while somebody committed is not of the same moment");
        put(&store, 2).await;
        frozen.copy(&copy.path().join("state.db")).unwrap();
        let mut keys = vec![];
        let inspected = inspect(copy.path(), &mut |key, _| keys.push(key.as_str().to_owned())).unwrap();
        assert_eq!((inspected.problems, inspected.audit_records), (vec![], 1));
        assert_eq!(keys, ["number/1"]);
    }

    #[tokio::test]
    async fn what_does_not_read_is_told_and_hides_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        assert!(inspect(folder.path(), &mut |_, _| ()).is_err(), "there is none");
        drop(store(folder.path()).await);
        let other = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
        other.execute("UPDATE kv SET value = x'7b'", []).unwrap();
        other.execute("UPDATE audit SET event = '{'", []).unwrap();
        drop(other);
        let problems = inspect(folder.path(), &mut |_, _| ()).unwrap().problems;
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("`number/1`") && problems[1].contains("`e`"), "{problems:?}");
    }

    #[tokio::test]
    async fn a_look_leaves_the_log_as_it_is_and_tells_where_it_breaks_off() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        for number in 2..10 {
            put(&store, number).await;
        }
        // what is on the disk when the server is killed
        let whole = std::fs::read(folder.path().join("state.db-wal")).unwrap();
        let frame = 24 + u32::from_be_bytes(whole[8..12].try_into().unwrap()) as usize;
        assert_eq!((whole.len() - 32) % frame, 0);
        let looked_at = |log: &[u8]| {
            let killed = tempfile::tempdir().unwrap();
            std::fs::copy(folder.path().join("state.db"), killed.path().join("state.db")).unwrap();
            std::fs::write(killed.path().join("state.db-wal"), log).unwrap();
            let found = inspect(killed.path(), &mut |_, _| ()).unwrap();
            assert!(std::fs::read(killed.path().join("state.db-wal")).unwrap() == log, "the log was changed");
            assert_eq!(found.problems, [""; 0]);
            (found.records, found.log.is_some())
        };
        let flipped = |at: usize| {
            let mut log = whole.clone();
            log[at] ^= 1;
            log
        };
        assert_eq!(looked_at(&whole), (9, false));
        let middle = 32 + (whole.len() - 32) / frame / 2 * frame;
        let (records, tells) = looked_at(&flipped(middle + 100));
        assert!(records < 9 && tells, "{records}");
        // what a commit that was under way leaves when the power fails
        let (records, tells) = looked_at(&flipped(whole.len() - 100));
        assert!(records == 8 && !tells, "{records}");
        let (records, tells) = looked_at(&whole[..middle + 100]);
        assert!(records < 9 && !tells, "{records}");
        assert!(wal::damage(&folder.path().join("no-log")).unwrap().is_none());
        let header = tempfile::NamedTempFile::new().unwrap();
        let no_header = [&[0; 32], &whole[32..]].concat();
        for (log, is_damaged) in
            [(flipped(20), true), (no_header, true), (vec![0; 32], false), (vec![], false)]
        {
            std::fs::write(header.path(), log).unwrap();
            assert_eq!(wal::damage(header.path()).unwrap().is_some(), is_damaged);
        }
    }
}
