//! Who reads the index: short lookups whoever asks, everything else threads of our own.
//!
//! A lookup costs a few microseconds where what it reads is in memory, and handing it to another thread more than that. Where
//! it is not in memory the disk is waited for, and who waits cannot do anything else: so only few may look by themselves at
//! once, and the others have it done.

use super::index::sqlite::SqliteReader;
use super::pool::Pool;
use crate::{Error, Result};
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

pub(super) struct Reads {
    pool: Pool<SqliteReader>,
    /// For those who look by themselves.
    near: Mutex<Vec<SqliteReader>>,
}

impl Reads {
    pub(super) fn new(pool: Pool<SqliteReader>, near: Vec<SqliteReader>) -> Self {
        Self { pool, near: Mutex::new(near) }
    }

    /// Does a short lookup, here if not too many do that already. If the future is dropped, work that began goes on.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut SqliteReader) -> T + Send + 'static,
    ) -> Result<T> {
        match self.borrow() {
            Some(mut borrowed) => match &mut borrowed.reader {
                Some(reader) => Ok(look(reader)),
                None => Err(Error::Closed),
            },
            None => self.pool.run(look).await,
        }
    }

    /// Does what may take long, on one of the threads.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteReader) -> T + Send + 'static,
    ) -> Result<T> {
        self.pool.run(work).await
    }

    /// Queues work for the threads at once; its result comes through the channel.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteReader) -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        self.pool.begin(work)
    }

    /// Lets the threads end; nothing is read any more.
    pub(super) fn close(&self) {
        self.pool.close();
        self.near.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn borrow(&self) -> Option<Borrowed<'_>> {
        let reader = self.near.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(Borrowed { reader: Some(reader), from: self })
    }
}

/// A reader that goes back when this ends.
struct Borrowed<'a> {
    /// `None` only while it is being given back.
    reader: Option<SqliteReader>,
    from: &'a Reads,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.from.near.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
    }
}
