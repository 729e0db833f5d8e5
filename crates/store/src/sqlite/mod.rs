//! The embedded engine: SQLite in WAL mode, one writer thread that commits whole queues at once, readers beside it.
//!
//! A commit is synced before it is acknowledged (`synchronous=FULL`). One that holds only audit records is written to a
//! journal beside the database instead, and is in the database, synced, within a second. A sync or write that fails makes
//! the engine read-only: what the disk then holds is not known, so nothing more is promised. What is read is still recorded in
//! the journal, as long as that can be written and has room.

mod audit;
mod journal;
mod reader;
mod schema;
mod upkeep;
mod wal;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{oneshot, watch};

use crate::engine::{OnCommit, Pending};
use crate::{AuditQuery, AuditRecord, Batch, Change, Conflict, Engine, Revision, Snapshot, StoreError};
use journal::Journal;
use reader::Reader;
pub use upkeep::{Frozen, Inspected, inspect};
use writer::{Order, Task, Writer};

/// So many commits may wait for the writer; the next ones wait to wait.
const QUEUE: usize = 4096;

type Hooks = Arc<RwLock<Vec<OnCommit>>>;

/// SQLite, bundled.
pub struct Sqlite {
    file: File,
    /// `None` once the engine is being closed.
    tasks: Option<mpsc::SyncSender<Task>>,
    threads: Vec<JoinHandle<()>>,
    /// Takes what comes with no change; a database in memory has none.
    journal: Option<Arc<Journal>>,
    broken: Arc<AtomicBool>,
    head: watch::Receiver<Revision>,
    hooks: Hooks,
    /// Readers that nobody uses at the moment.
    idle: Mutex<Vec<Connection>>,
}

/// Where the database is.
#[derive(Clone)]
enum File {
    Disk(PathBuf),
    Memory(String),
}

impl File {
    fn connect(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::Disk(path) => Connection::open_with_flags(path, flags),
            Self::Memory(uri) => Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI),
        };
        let connection = connection.map_err(StoreError::engine)?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(StoreError::engine)?;
        connection.set_prepared_statement_cache_capacity(64);
        // The server is shut into its data directory: there is no place for temporary files.
        connection.pragma_update(None, "temp_store", "MEMORY").map_err(StoreError::engine)?;
        Ok(connection)
    }
}

impl Sqlite {
    /// Opens or makes the database.
    ///
    /// # Errors
    /// If the file cannot be used or has another format.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let broken = Arc::default();
        let journal = Journal::open(path.parent().unwrap_or(Path::new(".")), Arc::clone(&broken))?;
        Self::start(File::Disk(path.to_owned()), Some(Arc::new(journal)), broken)
    }

    /// A database that ends with this value.
    ///
    /// # Errors
    /// If SQLite cannot be started.
    pub fn in_memory() -> Result<Self, StoreError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self::start(File::Memory(format!("file:/daypass-{number}?vfs=memdb")), None, Arc::default())
    }

    fn start(file: File, journal: Option<Arc<Journal>>, broken: Arc<AtomicBool>) -> Result<Self, StoreError> {
        let connection = file.connect()?;
        let revision = schema::prepare(&connection, matches!(file, File::Disk(_)))?;
        let (tell, head) = watch::channel(revision);
        let (tasks, queue) = mpsc::sync_channel(QUEUE);
        let hooks = Hooks::default();
        // The writer waits by itself, with nothing held.
        connection.busy_timeout(std::time::Duration::ZERO).map_err(StoreError::engine)?;
        let mut writer =
            Writer::new(connection, tell, Arc::clone(&hooks), journal.clone(), Arc::clone(&broken));
        if let Some(journal) = &journal {
            match writer.drain() {
                Ok(()) => journal.empty()?,
                Err(error) if broken.load(Ordering::Relaxed) => return Err(error),
                // What was left waits for room with what comes.
                Err(error) => tracing::warn!(%error, "the audit journal waits to be moved"),
            }
        }
        let mut threads = vec![];
        let mut start = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
            thread.map(|thread| threads.push(thread)).map_err(StoreError::engine)
        };
        start("store-writer", Box::new(move || writer.run(&queue)))?;
        if let Some(journal) = journal.clone() {
            let tasks = tasks.clone();
            start(
                "store-journal",
                Box::new(move || while journal.wait() && tasks.send(Task::Drain(None)).is_ok() {}),
            )?;
        }
        Ok(Self { file, tasks: Some(tasks), threads, journal, broken, head, hooks, idle: Mutex::default() })
    }

    /// Has everything in the audit log that was acknowledged.
    fn flush(&self) -> Result<(), StoreError> {
        if self.journal.as_ref().is_none_or(|journal| journal.is_moved()) {
            return Ok(());
        }
        let (reply, done) = mpsc::sync_channel(1);
        let tasks = self.tasks.as_ref().ok_or(StoreError::Closed)?;
        tasks.send(Task::Drain(Some(reply))).map_err(|_| StoreError::Closed)?;
        done.recv().map_err(|_| StoreError::Closed)?
    }

    fn reader(&self) -> Result<Reader<'_>, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| self.file.connect(), Ok)?;
        Reader::begin(connection, &self.idle)
    }
}

impl Engine for Sqlite {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + Send + '_>, StoreError> {
        Ok(Box::new(self.reader()?))
    }

    fn commit(&self, batch: Batch) -> Pending<'_, Result<Result<Revision, Conflict>, StoreError>> {
        Box::pin(async move {
            // What was only read was all of one state, whatever has changed since.
            if let Some(journal) = &self.journal
                && batch.writes.is_empty()
                && batch.forget_audit.is_none()
            {
                return journal.append(batch.audit).map(|()| Ok(batch.snapshot));
            }
            let (reply, done) = oneshot::channel();
            let tasks = self.tasks.as_ref().ok_or(StoreError::Closed)?;
            let mut task = Task::Commit(Order { batch, reply });
            // The queue is full only when the disk is far behind; then commits take turns in asking.
            while let Err(error) = tasks.try_send(task) {
                match error {
                    mpsc::TrySendError::Full(back) => task = back,
                    mpsc::TrySendError::Disconnected(_) => return Err(StoreError::Closed),
                }
                tokio::task::yield_now().await;
            }
            done.await.map_err(|_| StoreError::Closed)?
        })
    }

    fn changes(&self, after: Revision, limit: usize) -> Result<Option<Vec<Change>>, StoreError> {
        self.reader()?.changes(after, limit)
    }

    fn head(&self) -> watch::Receiver<Revision> {
        self.head.clone()
    }

    fn on_commit(&self, tell: OnCommit) {
        self.hooks.write().unwrap_or_else(PoisonError::into_inner).push(tell);
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        self.reader()?.audit(query)
    }

    fn flush(&self) -> Result<(), StoreError> {
        Self::flush(self)
    }

    fn is_read_only(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}

impl Drop for Sqlite {
    /// Everything that was queued is written before the file is closed.
    fn drop(&mut self) {
        if let Some(journal) = &self.journal {
            journal.close();
        }
        drop(self.tasks.take());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
