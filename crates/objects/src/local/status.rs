//! What the parts of the engine tell each other: numbers that are never given twice, counts, and whether writing ended.

use crate::{Error, Result};
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers of blobs, versions, notes …: they grow, across openings too, and none comes twice.
///
/// The upper 24 bits count the openings of the store, the lower 40 what happened since.
#[derive(Debug)]
pub(super) struct Numbers(AtomicU64);

impl Numbers {
    pub(super) fn since_opening(opens: u64) -> Self {
        Self(AtomicU64::new(opens << 40))
    }

    pub(super) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[derive(Debug, Default)]
pub(super) struct Status {
    broken: OnceLock<String>,
    pub(super) commits: AtomicU64,
    pub(super) changes: AtomicU64,
    pub(super) data_syncs: AtomicU64,
    pub(super) corrupt_blocks: AtomicU64,
}

impl Status {
    /// Ends all writing, for good. What failed is not tried again: after a failed sync nobody knows what is on the disk.
    pub(super) fn fail(&self, reason: &str) {
        if self.broken.set(reason.to_owned()).is_ok() {
            tracing::error!(reason, "the object store is read-only from here on");
        }
    }

    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    pub(super) fn writable(&self) -> Result<()> {
        match self.broken() {
            None => Ok(()),
            Some(reason) => Err(Error::ReadOnly(reason.to_owned())),
        }
    }

    /// Judges a write: a full disk leaves all as it was, any other failure ends writing.
    pub(super) fn written(&self, result: io::Result<()>) -> Result<()> {
        result.map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
            _ => self.failed(&format!("writing failed: {error}")),
        })
    }

    /// Judges a sync of data: any failure ends writing.
    pub(super) fn synced(&self, result: io::Result<()>) -> Result<()> {
        Self::count(&self.data_syncs, 1);
        result.map_err(|error| self.failed(&format!("a sync failed: {error}")))
    }

    fn failed(&self, reason: &str) -> Error {
        self.fail(reason);
        Error::ReadOnly(reason.to_owned())
    }

    pub(super) fn count(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}
