//! A transaction: a snapshot, what was read of it, and what is to be written.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::record::{decode, encode};
use crate::{AuditRecord, Batch, Condition, Key, Prefix, Record, Revision, Snapshot, StoreError};

/// Reading records, whether in a transaction or not.
pub trait Read {
    /// One record.
    ///
    /// # Errors
    /// If the store fails or the record does not read as its type.
    fn get<R: Record>(&self, key: &Key) -> Result<Option<R>, StoreError>;

    /// The records below a prefix in the order of their keys, after a key, at most `limit`.
    ///
    /// # Errors
    /// If the store fails or a record does not read as its type.
    fn list<R: Record>(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<R>, StoreError>;

    /// The keys below a prefix, likewise.
    ///
    /// # Errors
    /// If the store fails.
    fn keys(&self, prefix: &Prefix, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError>;

    /// Every record below a prefix.
    ///
    /// # Errors
    /// If the store fails or a record does not read as its type.
    fn all<R: Record>(&self, prefix: &Prefix) -> Result<Vec<R>, StoreError> {
        self.list(prefix, None, usize::MAX)
    }

    /// Whether nothing is below a prefix.
    ///
    /// # Errors
    /// If the store fails.
    fn is_empty(&self, prefix: &Prefix) -> Result<bool, StoreError> {
        Ok(self.keys(prefix, None, 1)?.is_empty())
    }
}

/// A transaction under way.
pub struct Tx<'a> {
    snapshot: Box<dyn Snapshot + Send + 'a>,
    /// Behind a cell, since reading also takes note of what was read.
    read: RefCell<ReadSet>,
    writes: BTreeMap<Key, Option<Vec<u8>>>,
    audit: Vec<AuditRecord>,
}

#[derive(Default)]
struct ReadSet {
    keys: BTreeMap<Key, Option<Revision>>,
    ranges: Vec<Range<String>>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(snapshot: Box<dyn Snapshot + Send + 'a>) -> Self {
        Self { snapshot, read: RefCell::default(), writes: BTreeMap::new(), audit: vec![] }
    }

    /// Writes a record, whether it is there or not.
    ///
    /// # Errors
    /// If the record cannot be encoded.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<(), StoreError> {
        self.writes.insert(record.key(), Some(encode(record)?));
        Ok(())
    }

    /// Removes a record, if it is there.
    pub fn delete(&mut self, key: &Key) {
        self.writes.insert(key.clone(), None);
    }

    /// Adds to the audit log, together with what is written.
    pub fn audit(&mut self, record: AuditRecord) {
        self.audit.push(record);
    }

    /// Drops what was to be written, keeping what is to be audited.
    pub fn discard_writes(&mut self) {
        self.writes.clear();
    }

    pub(crate) fn into_batch(self) -> Batch {
        let read = self.read.into_inner();
        // What only read needs no conditions: its snapshot was consistent.
        let conditions = if self.writes.is_empty() {
            vec![]
        } else {
            let keys = read.keys.into_iter().map(|(key, seen)| Condition::Unchanged(key, seen));
            keys.chain(read.ranges.into_iter().map(Condition::RangeUnchanged)).collect()
        };
        Batch {
            snapshot: self.snapshot.revision(),
            conditions,
            writes: self.writes.into_iter().collect(),
            audit: self.audit,
            forget_audit: None,
        }
    }

    /// The bytes under a key, as this transaction sees them.
    fn bytes(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(written) = self.writes.get(key) {
            return Ok(written.clone());
        }
        let row = self.snapshot.get(key)?;
        self.read.borrow_mut().keys.insert(key.clone(), row.as_ref().map(|r| r.modified));
        Ok(row.map(|r| r.value))
    }

    /// What stands in a range, as this transaction sees it.
    fn rows(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        // Nothing stands between a key and the key with a character 0 behind it.
        let start = after.filter(|k| k.as_str() >= prefix.start()).map(|k| format!("{}\0", k.as_str()));
        let (start, end) = (start.unwrap_or_else(|| prefix.start().to_owned()), prefix.end());
        if start >= end {
            return Ok(vec![]);
        }
        let range = Key::from_stored(start.clone())..Key::from_stored(end.clone());
        let gone = self.writes.range(range.clone()).filter(|(_, v)| v.is_none()).count();
        let stored = self.snapshot.range(&start..&end, limit.saturating_add(gone))?;
        let mut merged: BTreeMap<Key, Option<Vec<u8>>> =
            stored.into_iter().map(|row| (row.key, Some(row.value))).collect();
        merged.extend(self.writes.range(range).map(|(k, v)| (k.clone(), v.clone())));
        self.read.borrow_mut().ranges.push(start..end);
        Ok(merged.into_iter().filter_map(|(k, v)| Some((k, v?))).take(limit).collect())
    }
}

impl Read for Tx<'_> {
    fn get<R: Record>(&self, key: &Key) -> Result<Option<R>, StoreError> {
        self.bytes(key)?.map(|bytes| decode(key.as_str(), &bytes)).transpose()
    }

    fn list<R: Record>(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<R>, StoreError> {
        self.rows(prefix, after, limit)?.iter().map(|(key, bytes)| decode(key.as_str(), bytes)).collect()
    }

    fn keys(&self, prefix: &Prefix, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        Ok(self.rows(prefix, after, limit)?.into_iter().map(|(key, _)| key).collect())
    }
}
