//! One consistent look at the state.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};

use super::{audit, schema};
use crate::{AuditQuery, AuditRecord, Change, Key, Revision, Row, Snapshot, StoreError};

/// So many connections are kept for later.
const MAX_IDLE: usize = 16;

/// A read transaction; its connection goes back when it ends.
pub(super) struct Reader<'a> {
    /// `None` only while it is being given back.
    connection: Option<Connection>,
    idle: &'a Mutex<Vec<Connection>>,
    revision: Revision,
}

impl<'a> Reader<'a> {
    pub(super) fn begin(
        connection: Connection,
        idle: &'a Mutex<Vec<Connection>>,
    ) -> Result<Self, StoreError> {
        run(&connection, "BEGIN")?;
        // The first read is what fixes the snapshot.
        let revision = schema::revision(&connection)?;
        Ok(Self { connection: Some(connection), idle, revision })
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or(StoreError::Closed)
    }

    pub(super) fn changes(&self, after: Revision, limit: usize) -> Result<Option<Vec<Change>>, StoreError> {
        let connection = self.connection()?;
        if after < schema::trimmed(connection)? {
            return Ok(None);
        }
        // Whole revisions only: a reader never sees half a transaction.
        let last = after.0.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX)).min(i64::MAX as u64);
        let mut statement = connection
            .prepare_cached("SELECT key, value, revision FROM log WHERE revision>?1 AND revision<=?2 ORDER BY revision, key")
            .map_err(StoreError::engine)?;
        let read = |r: &SqlRow<'_>| {
            Ok(Change { key: Key::from_stored(r.get(0)?), value: r.get(1)?, revision: Revision(r.get(2)?) })
        };
        let changes = statement.query_map([after.0, last], read).map_err(StoreError::engine)?;
        changes.collect::<Result<_, _>>().map(Some).map_err(StoreError::engine)
    }

    pub(super) fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        audit::select(self.connection()?, query).map_err(StoreError::engine)
    }
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(StoreError::engine)?;
    statement.execute([]).map(|_| ()).map_err(StoreError::engine)
}

fn row(r: &SqlRow<'_>) -> rusqlite::Result<Row> {
    Ok(Row { key: Key::from_stored(r.get(0)?), value: r.get(1)?, modified: Revision(r.get(2)?) })
}

impl Snapshot for Reader<'_> {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        let sql = "SELECT key, value, modified FROM kv WHERE key=?1";
        let mut statement = self.connection()?.prepare_cached(sql).map_err(StoreError::engine)?;
        statement.query_row([key.as_str()], row).optional().map_err(StoreError::engine)
    }

    fn range(&self, range: Range<&str>, limit: usize) -> Result<Vec<Row>, StoreError> {
        let sql = "SELECT key, value, modified FROM kv WHERE key>=?1 AND key<?2 ORDER BY key LIMIT ?3";
        let mut statement = self.connection()?.prepare_cached(sql).map_err(StoreError::engine)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map((range.start, range.end, limit), row).map_err(StoreError::engine)?;
        rows.collect::<Result<_, _>>().map_err(StoreError::engine)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // A connection that cannot end its transaction is closed instead.
        if run(&connection, "ROLLBACK").is_ok() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < MAX_IDLE {
                idle.push(connection);
            }
        }
    }
}
