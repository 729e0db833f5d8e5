//! What stands below a [`Store`](crate::Store): bytes by keys, with revisions.

use std::ops::Range;
use std::pin::Pin;

use daypass_model::Timestamp;

use crate::{AuditQuery, AuditRecord, Conflict, Key, Revision, StoreError};

/// A value and the revision that last changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub key: Key,
    /// What it holds.
    pub value: Vec<u8>,
    /// When it last changed.
    pub modified: Revision,
}

/// The state as it was at one revision.
pub trait Snapshot {
    /// Which revision it is of.
    fn revision(&self) -> Revision;

    /// One row.
    ///
    /// # Errors
    /// If the engine fails.
    fn get(&self, key: &Key) -> Result<Option<Row>, StoreError>;

    /// The first rows of a range of keys, in order; `start` is included, `end` is not.
    ///
    /// # Errors
    /// If the engine fails.
    fn range(&self, range: Range<&str>, limit: usize) -> Result<Vec<Row>, StoreError>;
}

/// What must still hold for a batch to be written.
#[derive(Clone, Debug)]
pub enum Condition {
    /// The row has not changed since that revision (`None`: there still is none).
    Unchanged(Key, Option<Revision>),
    /// No row of the range has come, gone or changed since the batch's snapshot.
    RangeUnchanged(Range<String>),
}

/// One transaction's effect.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The revision that it read.
    pub snapshot: Revision,
    /// What must still hold.
    pub conditions: Vec<Condition>,
    /// What it writes; `None` removes the row.
    pub writes: Vec<(Key, Option<Vec<u8>>)>,
    /// What is to be known of it, committed with it.
    pub audit: Vec<AuditRecord>,
    /// Has some of the oldest audit records of this account, from before this time, removed.
    pub forget_audit: Option<(String, Timestamp)>,
}

/// One change of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which row.
    pub key: Key,
    /// What it holds now; `None` if it is gone.
    pub value: Option<Vec<u8>>,
    /// The revision that changed it.
    pub revision: Revision,
}

/// A future that a trait object can return.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is told of each commit.
pub type OnCommit = Box<dyn Fn(&[Change]) + Send + Sync>;

/// Keeps bytes.
pub trait Engine: Send + Sync + 'static {
    /// The newest state.
    ///
    /// # Errors
    /// If the engine fails.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + Send + '_>, StoreError>;

    /// Writes a batch if its conditions hold. A batch with writes is durable when this resolves; one that only adds
    /// to the audit log survives the end of the process at once, and of the machine within a second.
    fn commit(&self, batch: Batch) -> Pending<'_, Result<Result<Revision, Conflict>, StoreError>>;

    /// The changes after a revision, oldest first, at most `limit`; `None` if they are no longer kept.
    ///
    /// # Errors
    /// If the engine fails.
    fn changes(&self, after: Revision, limit: usize) -> Result<Option<Vec<Change>>, StoreError>;

    /// Tells of each new revision.
    fn head(&self) -> tokio::sync::watch::Receiver<Revision>;

    /// Has every commit of this node tell its changes before it is acknowledged. The function must be quick.
    fn on_commit(&self, tell: OnCommit);

    /// Reads the audit log; what was acknowledged within the last second may be missing before [`Engine::flush`].
    ///
    /// # Errors
    /// If the engine fails.
    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError>;

    /// Has everything in the audit log that was acknowledged, durably. Blocks.
    ///
    /// # Errors
    /// If the engine fails.
    fn flush(&self) -> Result<(), StoreError>;

    /// Whether nothing is written any more, since a write or a sync failed.
    fn is_read_only(&self) -> bool;
}
