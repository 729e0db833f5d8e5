//! Reads everything again and again, a little at a time, so that what rots is known before it is needed.

use super::Shared;
use super::check;
use super::index::View;
use super::index::view::{self, Stored as _};
use super::keys;
use super::reading::snapshot;
use super::record::BlobRecord;
use super::status::Status;
use crate::{Error, Result, Scrubbed};
use std::sync::{Arc, Mutex, PoisonError};

/// So many damaged blobs are remembered.
const MOST_DAMAGED: usize = 100;
/// So many blobs are looked up at once.
const STEP_BLOBS: usize = 256;

/// Where the scrub is, and what it found.
#[derive(Default)]
pub(super) struct Scrub(Mutex<State>);

#[derive(Default)]
struct State {
    /// The number of the next blob.
    next: u64,
    rounds: u64,
    /// What this round found, and the one before it.
    damaged: Vec<String>,
    before: Vec<String>,
}

impl Scrub {
    /// Rounds that were ended, and what is damaged as far as is known.
    pub(super) fn report(&self) -> (u64, Vec<String>) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut damaged = state.before.clone();
        damaged.extend(state.damaged.iter().filter(|one| !state.before.contains(one)).cloned());
        (state.rounds, damaged)
    }

    fn next(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next
    }

    fn went_to(&self, next: Option<u64>, damaged: Vec<String>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_DAMAGED.saturating_sub(state.damaged.len());
        state.damaged.extend(damaged.into_iter().take(room));
        state.next = next.unwrap_or(0);
        if next.is_none() {
            state.rounds += 1;
            state.before = std::mem::take(&mut state.damaged);
        }
    }
}

/// Reads and checks some blobs, about so many bytes of them.
pub(super) async fn scrub(shared: &Arc<Shared>, most_bytes: u64) -> Result<Scrubbed> {
    let (held, from) = (Arc::clone(shared), shared.scrub.next());
    let step = shared.reads.run(move |reader| -> Result<(Read, Option<u64>)> {
        // what is looked up here stays on the disk until it is read
        let _reading = held.readers.enter();
        let found = snapshot(reader, |view| blobs(view, from, most_bytes))?;
        Ok((read(&held, found.blobs, found.undecodable), found.next))
    });
    let (Read { bytes, damaged }, next) = step.await??;
    let scrubbed = Scrubbed { bytes, damaged: damaged.len() as u64, more: next.is_some() };
    shared.scrub.went_to(next, damaged);
    Ok(scrubbed)
}

/// Blobs as the books name them.
#[derive(Default)]
struct Found {
    blobs: Vec<(u64, BlobRecord)>,
    /// Rows that do not read: nothing can be said of their bytes, and they keep nothing else from being read.
    undecodable: Vec<Error>,
    /// The number of the blob after them.
    next: Option<u64>,
}

fn blobs(view: &dyn View, from: u64, most_bytes: u64) -> Result<Found> {
    let (mut found, mut bytes) = (Found::default(), 0);
    view.scan(BlobRecord::SPACE, &keys::number(from), None, &mut |key, row| {
        let number = keys::to_number(key);
        let full = found.blobs.len() + found.undecodable.len() >= STEP_BLOBS || bytes >= most_bytes;
        if let (true, Ok(number)) = (full, &number) {
            found.next = Some(*number);
            return false;
        }
        match number.and_then(|number| Ok((number, view::decode::<BlobRecord>(key, row)?))) {
            Ok((number, record)) => {
                bytes += record.size;
                found.blobs.push((number, record));
            }
            Err(error) if found.undecodable.len() < MOST_DAMAGED => found.undecodable.push(error),
            Err(_) => {}
        }
        true
    })?;
    Ok(found)
}

struct Read {
    bytes: u64,
    damaged: Vec<String>,
}

fn read(shared: &Shared, blobs: Vec<(u64, BlobRecord)>, undecodable: Vec<Error>) -> Read {
    let (mut bytes, mut damaged) = (0, Vec::new());
    let mut tell = |error: Error| {
        Status::count(&shared.status.corrupt_blocks, 1);
        tracing::error!(%error, "stored bytes are damaged; `daypass fsck` says whose they are");
        damaged.push(error.to_string());
    };
    undecodable.into_iter().for_each(&mut tell);
    for (number, record) in blobs {
        let cipher = check::cipher(&*shared.keyring, &record);
        if let Err(error) = check::read_blob(&shared.segments, number, &record, cipher.as_ref()) {
            tell(error);
        }
        bytes += record.size;
    }
    Read { bytes, damaged }
}
