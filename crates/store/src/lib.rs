//! Durable state: serializable transactions over typed records, a watch of what changed, and the audit log.
//!
//! A [`Store`] stands on an [`Engine`]; [`Store::open`] takes the embedded one (SQLite, one writer thread with group
//! commit), and [`Store::in_memory`] the same without a file. A transaction reads from a snapshot, keeps its writes to
//! itself, and is committed only if nothing that it read has changed since; otherwise it runs again. What was
//! acknowledged has been synced to disk.
//!
//! Values are encoded once, by the records, as JSON: an operator can read them, and secrets in them are sealed before
//! they come here.

mod audit;
mod engine;
mod error;
mod key;
mod record;
pub mod records;
mod sqlite;
mod store;
mod tx;

pub use audit::{Attribute, AuditQuery, AuditRecord, Order};
pub use engine::{Batch, Change, Condition, Engine, OnCommit, Pending, Row, Snapshot};
pub use error::{Conflict, StoreError, TransactError};
pub use key::{Key, Prefix};
pub use record::Record;
pub use sqlite::{Frozen, Inspected, Sqlite, inspect};
pub use store::{Store, Watch};
pub use tx::{Read, Tx};

/// How many times the state has changed: each committed transaction that writes adds one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);
