//! What a record is.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Key, StoreError};

/// A thing that is kept: it knows where it stands and how it is written.
///
/// Fields that come later carry a default, so that what an older version wrote still reads.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it stands.
    fn key(&self) -> Key;
}

pub(crate) fn encode<R: Record>(record: &R) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(|source| StoreError::Record {
        key: record.key().as_str().to_owned(),
        source: Arc::new(source),
    })
}

pub(crate) fn decode<R: Record>(key: &str, bytes: &[u8]) -> Result<R, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|source| StoreError::Record { key: key.to_owned(), source: Arc::new(source) })
}
