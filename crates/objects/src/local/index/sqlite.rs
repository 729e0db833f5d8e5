//! The index in SQLite: a table for each space, WAL, every commit synced.

use super::{Changes, IndexError, Reader, Space, View, Visit, Writer};
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// "DPob": says whose file this is (SQLite, `PRAGMA application_id`).
const APPLICATION_ID: i32 = 0x4450_6f62;
const FORMAT: i32 = 1;
const PAGE_BYTES: i32 = 4096;
const WRITER_CACHE_KIB: i32 = 65536;
const READER_CACHE_KIB: i32 = 4096;
/// Frames of the log at which its content is moved into the database.
const CHECKPOINT_FRAMES: i32 = 4096;
/// Frames after which it is tried again, when readers were in the way of it.
const AGAIN_FRAMES: i32 = 1024;
/// Pages that are copied at once.
const COPIED_PAGES: i32 = 1024;

#[derive(Clone)]
pub(crate) struct Sqlite {
    path: PathBuf,
    vfs: Option<String>,
}

impl Sqlite {
    /// Opens the file, making it and its tables where they are missing. `vfs` is the one of SQLite's that keeps it.
    pub(crate) fn open(path: &Path, vfs: Option<String>) -> Result<(Self, SqliteWriter), IndexError> {
        let sqlite = Self { path: path.to_owned(), vfs };
        let writer = sqlite.writer()?;
        Ok((sqlite, writer))
    }

    /// Opens a file that is there, to read it and nothing else.
    pub(crate) fn existing(path: &Path) -> Result<SqliteReader, IndexError> {
        let reader = Self { path: path.to_owned(), vfs: None }.reader()?;
        check_identity(&reader.connection)?;
        Ok(reader)
    }

    pub(crate) fn reader(&self) -> Result<SqliteReader, IndexError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = self.connect(flags)?;
        set_up(&connection, READER_CACHE_KIB).map_err(failure)?;
        connection.pragma_update(None, "query_only", true).map_err(failure)?;
        Ok(SqliteReader { connection })
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, IndexError> {
        match &self.vfs {
            None => Connection::open_with_flags(&self.path, flags),
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str()),
        }
        .map_err(failure)
    }

    fn writer(&self) -> Result<SqliteWriter, IndexError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = self.connect(flags)?;
        check_identity(&connection)?;
        set_up(&connection, WRITER_CACHE_KIB).map_err(failure)?;
        make_tables(&mut connection).map_err(failure)?;
        let frames = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&frames);
        let hook = move |_: &mut Wal, pages| {
            seen.store(pages, Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(hook)).map_err(failure)?;
        // If a sync of the log failed before, what follows in the log must not lean on what may be missing in it.
        connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::TRUNCATE).map_err(failure)?;
        Ok(SqliteWriter { connection, frames, moved_at: 0 })
    }
}

fn check_identity(connection: &Connection) -> Result<(), IndexError> {
    let number =
        |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(failure);
    match (number("application_id")?, number("user_version")?) {
        (0, 0) | (APPLICATION_ID, FORMAT) => Ok(()),
        (application, format) => Err(IndexError::Failed(format!(
            "not an index of ours: application {application:x}, format {format}"
        ))),
    }
}

fn set_up(connection: &Connection, cache_kib: i32) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    // checkpoints are ours to make, so that a sync that fails in one is seen
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_prepared_statement_cache_capacity(Space::ALL.len() * 4);
    // nobody else writes; what is waited for is readers, when the log is cut
    connection.busy_timeout(Duration::from_millis(500))
}

fn make_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for space in Space::ALL {
        let table = space.table();
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {table} (k BLOB NOT NULL PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID"
        );
        transaction.execute_batch(&sql)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

fn failure(error: rusqlite::Error) -> IndexError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => IndexError::Full,
        _ => IndexError::Failed(format!("index: {error}")),
    }
}

impl View for Connection {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let sql = format!("SELECT v FROM {} WHERE k = ?1", space.table());
        let mut statement = self.prepare_cached(&sql).map_err(failure)?;
        statement.query_row([key], |row| row.get(0)).optional().map_err(failure)
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), IndexError> {
        let table = space.table();
        let bound = if to.is_some() { " AND k < ?2" } else { "" };
        let sql = format!("SELECT k, v FROM {table} WHERE k >= ?1{bound} ORDER BY k");
        let mut statement = self.prepare_cached(&sql).map_err(failure)?;
        let mut rows = match to {
            Some(to) => statement.query([from, to]),
            None => statement.query([from]),
        }
        .map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            let column = |index| row.get_ref(index).and_then(|value| Ok(value.as_blob()?)).map_err(failure);
            if !visit(column(0)?, column(1)?) {
                break;
            }
        }
        Ok(())
    }
}

pub(crate) struct SqliteReader {
    connection: Connection,
}

/// One state of the index, held by a transaction of its own.
pub(crate) struct FrozenIndex {
    connection: Connection,
}

impl FrozenIndex {
    pub(crate) fn view(&self) -> &dyn View {
        &self.connection
    }

    /// Writes the state to a new file, synced.
    pub(crate) fn copy(&self, to: &Path) -> Result<(), IndexError> {
        let mut copy = Connection::open(to).map_err(failure)?;
        copy.pragma_update(None, "synchronous", "full").map_err(failure)?;
        let backup = rusqlite::backup::Backup::new(&self.connection, &mut copy).map_err(failure)?;
        backup.run_to_completion(COPIED_PAGES, Duration::ZERO, None).map_err(failure)
    }
}

impl SqliteReader {
    /// What is wrong with the structure of the file, in SQLite's words (sqlite.org, "PRAGMA integrity_check").
    pub(crate) fn integrity(&self) -> Result<Vec<String>, IndexError> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check").map_err(failure)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failure)?;
        let found: Vec<String> = rows.collect::<rusqlite::Result<_>>().map_err(failure)?;
        Ok(found.into_iter().filter(|row| row != "ok").collect())
    }
}

impl Sqlite {
    /// Holds the last committed state.
    pub(crate) fn freeze(&self) -> Result<FrozenIndex, IndexError> {
        let SqliteReader { connection } = self.reader()?;
        connection.execute_batch("BEGIN").map_err(failure)?;
        // the state is the one that is seen first
        connection.get(Space::Meta, b"store")?;
        Ok(FrozenIndex { connection })
    }
}

impl Reader for SqliteReader {
    fn snapshot(&mut self, read: &mut dyn FnMut(&dyn View)) -> Result<(), IndexError> {
        let held = HeldState::of(&self.connection).map_err(failure)?;
        read(&self.connection);
        drop(held);
        // A transaction that only read has nothing to fail on.
        if self.connection.is_autocommit() {
            Ok(())
        } else {
            Err(IndexError::Failed("a snapshot does not end".into()))
        }
    }
}

/// The last committed state, for as long as this lives. Every lookup begins and ends one, so its statements are kept.
struct HeldState<'c>(&'c Connection);

impl<'c> HeldState<'c> {
    fn of(connection: &'c Connection) -> rusqlite::Result<Self> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(connection))
    }
}

impl Drop for HeldState<'_> {
    fn drop(&mut self) {
        let ended = self.0.prepare_cached("COMMIT").and_then(|mut statement| statement.execute([]));
        if let Err(error) = ended {
            tracing::error!(%error, "a snapshot of the index does not end");
        }
    }
}

pub(crate) struct SqliteWriter {
    connection: Connection,
    /// Length of the log after the last commit.
    frames: Arc<AtomicI32>,
    /// Its length when it was moved last.
    moved_at: i32,
}

impl SqliteWriter {
    fn write(&self, changes: &Changes) -> rusqlite::Result<()> {
        for ((space, key), value) in changes {
            let table = space.table();
            match value {
                Some(value) => {
                    let sql = format!("INSERT OR REPLACE INTO {table} (k, v) VALUES (?1, ?2)");
                    self.connection.prepare_cached(&sql)?.execute(params![key, value])?;
                }
                None => {
                    let sql = format!("DELETE FROM {table} WHERE k = ?1");
                    self.connection.prepare_cached(&sql)?.execute([key])?;
                }
            }
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Moves the log into the database once it is long. Room that lacks is waited for; any other failure may mean that
    /// a page is lost, and must end all writing.
    fn checkpoint(&mut self) -> Result<(), IndexError> {
        let frames = self.frames.load(Ordering::Relaxed);
        if frames < self.moved_at {
            // the log began anew
            self.moved_at = 0;
        }
        if frames < CHECKPOINT_FRAMES.max(self.moved_at.saturating_add(AGAIN_FRAMES)) {
            return Ok(());
        }
        self.moved_at = frames;
        self.move_log(CheckpointMode::PASSIVE)
    }

    fn move_log(&self, mode: CheckpointMode) -> Result<(), IndexError> {
        match self.connection.wal_checkpoint_v2(None::<&str>, mode) {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
            Err(error) => match failure(error) {
                IndexError::Full => Ok(()),
                failed => Err(failed),
            },
        }
    }
}

impl Writer for SqliteWriter {
    fn begin(&mut self) -> Result<(), IndexError> {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .map_err(failure)?;
        Ok(())
    }

    fn view(&self) -> &dyn View {
        &self.connection
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), IndexError> {
        let written = self.write(changes).map_err(failure);
        if written.is_err() {
            self.abandon();
        }
        written?;
        self.checkpoint()
    }

    fn give_back(&mut self) -> Result<(), IndexError> {
        if self.frames.swap(0, Ordering::Relaxed) == 0 {
            return Ok(());
        }
        self.move_log(CheckpointMode::TRUNCATE)
    }

    fn settle(&mut self) {
        // what stays in the log is read from there
        let _ = self.move_log(CheckpointMode::TRUNCATE);
    }

    fn abandon(&mut self) {
        if !self.connection.is_autocommit() {
            // it fails only where SQLite has rolled back by itself
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sqlite;
    use crate::local::index::view::Overlay;
    use crate::local::index::{Changes, Reader, Space, View, Writer};

    fn keys(view: &dyn View, from: &[u8], to: Option<&[u8]>) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        view.scan(Space::Meta, from, to, &mut |key, _| {
            keys.push(key.to_vec());
            true
        })
        .unwrap();
        keys
    }

    fn put(key: &[u8], value: &[u8]) -> ((Space, Vec<u8>), Option<Vec<u8>>) {
        ((Space::Meta, key.to_vec()), Some(value.to_vec()))
    }

    #[test]
    fn what_is_committed_is_read_in_order_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index");
        {
            let (sqlite, mut writer) = Sqlite::open(&path, None).unwrap();
            writer.begin().unwrap();
            writer.commit(&Changes::from([put(b"b", b"1"), put(b"a\xff", b"2"), put(b"a", b"3")])).unwrap();
            let mut reader = sqlite.reader().unwrap();
            reader
                .snapshot(&mut |view| {
                    assert_eq!(view.get(Space::Meta, b"b").unwrap(), Some(b"1".to_vec()));
                    writer.begin().unwrap();
                    writer
                        .commit(&Changes::from([put(b"c", b"4"), ((Space::Meta, b"b".to_vec()), None)]))
                        .unwrap();
                    assert_eq!(keys(view, b"", None), [b"a".to_vec(), b"a\xff".to_vec(), b"b".to_vec()]);
                })
                .unwrap();
        }
        let (sqlite, _writer) = Sqlite::open(&path, None).unwrap();
        let mut reader = sqlite.reader().unwrap();
        reader
            .snapshot(&mut |view| {
                assert_eq!(keys(view, b"a\0", Some(b"c")), [b"a\xff".to_vec()]);
                assert_eq!(view.get(Space::Meta, b"c").unwrap(), Some(b"4".to_vec()));
                assert_eq!(view.get(Space::Notes, b"c").unwrap(), None);
            })
            .unwrap();
    }

    #[test]
    fn an_overlay_shows_its_changes_among_what_is_below_and_takes_them_back() {
        let directory = tempfile::tempdir().unwrap();
        let (_sqlite, mut writer) = Sqlite::open(&directory.path().join("index"), None).unwrap();
        writer.begin().unwrap();
        writer.commit(&Changes::from([put(b"b", b""), put(b"d", b""), put(b"f", b"")])).unwrap();
        writer.begin().unwrap();
        let mut overlay = Overlay::new(writer.view());
        let note =
            |overlay: &mut Overlay<'_>, key: &[u8]| overlay.set(Space::Meta, key.to_vec(), Some(Vec::new()));
        note(&mut overlay, b"a");
        let mark = overlay.mark();
        note(&mut overlay, b"c");
        note(&mut overlay, b"d");
        note(&mut overlay, b"g");
        overlay.remove(Space::Meta, b"b".to_vec());
        overlay.remove(Space::Meta, b"a".to_vec());
        let all = |overlay: &Overlay<'_>, to: Option<&[u8]>| {
            keys(overlay, b"", to).concat().iter().copied().map(char::from).collect::<String>()
        };
        assert_eq!(all(&overlay, None), "cdfg");
        assert_eq!(all(&overlay, Some(b"f")), "cd");
        let mut seen = Vec::new();
        overlay
            .scan(Space::Meta, b"", None, &mut |key, _| {
                seen.extend_from_slice(key);
                key < b"d".as_slice()
            })
            .unwrap();
        assert_eq!(seen, b"cd", "a scan stops where it is told to");
        overlay.roll_back(mark);
        assert_eq!(all(&overlay, None), "abdf");
    }
}
