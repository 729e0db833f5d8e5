//! Transactions and the watch, over any engine.

use std::path::Path;
use std::sync::Arc;

use daypass_model::{AccountId, Timestamp};

use crate::{
    AuditQuery, AuditRecord, Batch, Change, Conflict, Engine, Order, Revision, Sqlite, StoreError,
    TransactError, Tx,
};

/// A transaction that conflicts this often in a row gives up.
const MAX_ATTEMPTS: u32 = 64;
/// A transaction that conflicts this often in a row waits for its turn with the others that do, so that however many want
/// the same record at once, each of them gets it.
const FREE_ATTEMPTS: u32 = 3;
/// So many changes are read at once.
const WATCH_PAGE: usize = 512;

/// The state. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Store {
    /// Opens or makes the embedded store in a folder.
    ///
    /// # Errors
    /// If the folder cannot be used or holds another format.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self::on(Sqlite::open(&folder.join("state.db"))?))
    }

    /// A store without a file, for tests.
    ///
    /// # Errors
    /// If SQLite cannot be started.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self::on(Sqlite::in_memory()?))
    }

    /// A store on any engine.
    #[must_use]
    pub fn on(engine: impl Engine) -> Self {
        Self { engine: Arc::new(engine), turn: Arc::default() }
    }

    /// Runs a transaction: `body` reads and writes, and runs again if what it read has changed meanwhile; so it must
    /// be deterministic but for what it reads. An error of `body` writes nothing.
    ///
    /// # Errors
    /// The error of `body`, or the store's.
    pub async fn transact<T, E>(
        &self,
        mut body: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, TransactError<E>> {
        let mut turn = None;
        for attempt in 0..MAX_ATTEMPTS {
            if attempt == FREE_ATTEMPTS {
                turn = Some(self.turn.lock().await);
            }
            let (value, batch) = self.attempt(&mut body)?;
            if batch.writes.is_empty() && batch.audit.is_empty() {
                return Ok(value);
            }
            if self.engine.commit(batch).await?.is_ok() {
                return Ok(value);
            }
        }
        drop(turn);
        Err(TransactError::Store(StoreError::Contention))
    }

    /// Apart from `transact`, so that no snapshot lives across its wait.
    fn attempt<T, E>(
        &self,
        body: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<(T, Batch), TransactError<E>> {
        let mut tx = Tx::new(self.engine.snapshot()?);
        let value = body(&mut tx).map_err(TransactError::Aborted)?;
        Ok((value, tx.into_batch()))
    }

    /// Reads, consistently, without writing.
    ///
    /// # Errors
    /// The error of `body`, or the store's.
    pub fn read<T, E: From<StoreError>>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        body(&Tx::new(self.engine.snapshot()?))
    }

    /// Adds to the audit log what changed nothing. It survives the end of the process when this returns.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn record(&self, record: AuditRecord) -> Result<(), StoreError> {
        let batch = Batch { audit: vec![record], ..Batch::default() };
        self.engine.commit(batch).await?.map(|_| ()).map_err(|Conflict| StoreError::Contention)
    }

    /// Whether nothing is written any more, since a write or a sync failed: until the store is opened again.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.engine.is_read_only()
    }

    /// Reads the audit log, with all that was acknowledged; where that cannot be written now, what is there.
    ///
    /// # Errors
    /// If the store fails.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        self.gather();
        self.engine.audit(query)
    }

    /// Has the newest records in the log, if that can be.
    fn gather(&self) {
        if let Err(error) = self.engine.flush() {
            tracing::warn!(%error, "the newest audit records cannot be moved to the log");
        }
    }

    /// Has everything in the audit log that was acknowledged, durably, for whoever copies the files. Blocks.
    ///
    /// # Errors
    /// If the store fails.
    pub fn flush_audit(&self) -> Result<(), StoreError> {
        self.engine.flush()
    }

    /// Removes an account's audit records from before a time, oldest first and some thousands at once, so that others are
    /// not kept waiting.
    ///
    /// # Errors
    /// If the store fails. What was removed by then stays removed.
    pub async fn forget_audit(&self, account: &AccountId, before: Timestamp) -> Result<(), StoreError> {
        let account = account.as_str().to_owned();
        let oldest = AuditQuery {
            account: Some(account.clone()),
            order: Order::OldestFirst,
            limit: 1,
            ..AuditQuery::default()
        };
        self.gather();
        while self.engine.audit(&oldest)?.first().is_some_and(|record| record.time < before) {
            let batch = Batch { forget_audit: Some((account.clone(), before)), ..Batch::default() };
            self.engine.commit(batch).await?.map_err(|Conflict| StoreError::Contention)?;
        }
        Ok(())
    }

    /// The newest revision.
    #[must_use]
    pub fn revision(&self) -> Revision {
        *self.engine.head().borrow()
    }

    /// Every change after a revision, as it comes.
    #[must_use]
    pub fn watch(&self, after: Revision) -> Watch {
        Watch { engine: Arc::clone(&self.engine), head: self.engine.head(), seen: after }
    }

    /// Has every commit of this node tell its changes before it is acknowledged: what is derived from the state is
    /// never behind it here. The function must be quick.
    pub fn on_commit(&self, tell: impl Fn(&[Change]) + Send + Sync + 'static) {
        self.engine.on_commit(Box::new(tell));
    }
}

/// Follows the changes of the state.
pub struct Watch {
    engine: Arc<dyn Engine>,
    head: tokio::sync::watch::Receiver<Revision>,
    seen: Revision,
}

impl Watch {
    /// The next changes, oldest first; waits until there are any. `None` means that changes were missed (they are kept
    /// for a while only): the reader starts over from the state itself.
    ///
    /// # Errors
    /// If the store fails or is closed.
    pub async fn next(&mut self) -> Result<Option<Vec<Change>>, StoreError> {
        loop {
            let head = *self.head.borrow_and_update();
            if head > self.seen {
                let Some(changes) = self.engine.changes(self.seen, WATCH_PAGE)? else {
                    self.seen = head;
                    return Ok(None);
                };
                if let Some(last) = changes.last() {
                    self.seen = last.revision;
                    return Ok(Some(changes));
                }
                self.seen = head;
            }
            self.head.changed().await.map_err(|_| StoreError::Closed)?;
        }
    }
}
