//! What can go wrong with the state.

use std::sync::Arc;

use thiserror::Error;

use crate::Key;

/// The state cannot be read or written.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The engine failed: a full disk, an I/O error, a damaged file.
    #[error("the store failed")]
    Engine(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// An earlier write could not be made durable; nothing is written any more until the server starts again.
    #[error("the store is read-only since a write could not be synced")]
    ReadOnly,
    /// The file was written by another version.
    #[error("the store has format {found}, and this version reads format {known}")]
    Format {
        /// What the file says.
        found: String,
        /// What this version writes.
        known: String,
    },
    /// A record does not read as its type: the file is damaged or from a later version.
    #[error("the record `{key}` cannot be read")]
    Record {
        /// Its key.
        key: String,
        /// Why.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// A record is not there, or does not fit what refers to it.
    #[error("the record `{key}` is missing or does not fit the records that refer to it")]
    Torn {
        /// Its key.
        key: String,
    },
    /// The transaction conflicted with others too many times in a row.
    #[error("too many transactions wanted the same records at once")]
    Contention,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// A record that others rely on is not there, or not as they need it.
    #[must_use]
    pub fn torn(key: &Key) -> Self {
        Self::Torn { key: key.as_str().to_owned() }
    }

    pub(crate) fn engine(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Engine(Arc::new(error))
    }
}

/// Something that the transaction had read has changed; it may run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a record that was read has changed")]
pub struct Conflict;

/// A transaction did not commit: its own decision, or the store's.
#[derive(Debug, Error)]
pub enum TransactError<E> {
    /// The closure returned an error; nothing was written.
    #[error("the transaction gave up")]
    Aborted(E),
    /// The store failed; nothing was written unless the error says otherwise.
    #[error(transparent)]
    Store(#[from] StoreError),
}
