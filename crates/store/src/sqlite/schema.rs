//! The file's format, version 1.
//!
//! | table | what |
//! |---|---|
//! | `meta` | `format`, `revision`, `trimmed` (the newest revision that is no longer in `log`) |
//! | `kv` | the records: key, value, the revision that last changed it |
//! | `log` | every change, for the watch and for conflicts; trimmed |
//! | `audit` | the audit log |
//! | `audit_resource` | what management events are about |

use rusqlite::{Connection, OptionalExtension as _};

use crate::{Revision, StoreError};

const FORMAT: &str = "1";

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kv (key TEXT NOT NULL UNIQUE, value BLOB NOT NULL, modified INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS log (revision INTEGER NOT NULL, key TEXT NOT NULL, value BLOB, PRIMARY KEY (revision, key))
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS log_key ON log (key, revision);
CREATE TABLE IF NOT EXISTS audit (
  sequence INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, request_id TEXT NOT NULL, time INTEGER NOT NULL,
  account TEXT NOT NULL, region TEXT NOT NULL, event_name TEXT NOT NULL, event_source TEXT NOT NULL,
  username TEXT NOT NULL, access_key_id TEXT NOT NULL, read_only INTEGER NOT NULL, management INTEGER NOT NULL,
  event TEXT NOT NULL, explanation TEXT);
CREATE INDEX IF NOT EXISTS audit_time ON audit (account, time);
CREATE INDEX IF NOT EXISTS audit_request ON audit (request_id);
CREATE INDEX IF NOT EXISTS audit_name ON audit (account, event_name, time) WHERE management;
CREATE INDEX IF NOT EXISTS audit_user ON audit (account, username, time) WHERE management;
CREATE INDEX IF NOT EXISTS audit_key ON audit (account, access_key_id, time) WHERE management;
CREATE TABLE IF NOT EXISTS audit_resource (
  name TEXT NOT NULL, type TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (name, type, sequence)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS audit_resource_sequence ON audit_resource (sequence);
";

/// Sets the connection up, makes the tables if there are none, and says how far the state has come.
pub(super) fn prepare(connection: &Connection, on_disk: bool) -> Result<Revision, StoreError> {
    let engine = StoreError::engine;
    if on_disk {
        // Answers with the mode that it really took: a file system without shared memory cannot do WAL.
        let mode: String =
            connection.query_row("PRAGMA journal_mode=WAL", [], |r| r.get(0)).map_err(engine)?;
        if mode != "wal" {
            return Err(StoreError::engine(std::io::Error::other(format!(
                "the file system cannot do WAL (`{mode}`)"
            ))));
        }
    }
    connection
        .execute_batch("PRAGMA synchronous=FULL; PRAGMA cache_size=-8192; PRAGMA mmap_size=0;")
        .map_err(engine)?;
    known(connection)?;
    let tx = connection.unchecked_transaction().map_err(engine)?;
    tx.execute_batch(TABLES).map_err(engine)?;
    tx.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?1), ('revision', 0), ('trimmed', 0)", [FORMAT])
        .map_err(engine)?;
    tx.commit().map_err(engine)?;
    revision(connection)
}

/// Refuses a file of another version.
pub(super) fn known(connection: &Connection) -> Result<(), StoreError> {
    if !has_meta(connection)? {
        return Ok(());
    }
    let found: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE key='format'", [], |r| r.get(0))
        .optional()
        .map_err(StoreError::engine)?;
    match found {
        Some(found) if found != FORMAT => Err(StoreError::Format { found, known: FORMAT.to_owned() }),
        _ => Ok(()),
    }
}

fn has_meta(connection: &Connection) -> Result<bool, StoreError> {
    connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name='meta'", [], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
        .map_err(StoreError::engine)
}

pub(super) fn revision(connection: &Connection) -> Result<Revision, StoreError> {
    number(connection, "revision").map(Revision)
}

/// The newest revision whose changes are no longer kept.
pub(super) fn trimmed(connection: &Connection) -> Result<Revision, StoreError> {
    number(connection, "trimmed").map(Revision)
}

fn number(connection: &Connection, key: &str) -> Result<u64, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT value FROM meta WHERE key=?1").map_err(StoreError::engine)?;
    statement.query_row([key], |r| r.get(0)).map_err(StoreError::engine)
}
