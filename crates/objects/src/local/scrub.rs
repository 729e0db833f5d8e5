//! Reads everything again and again, a little at a time, so that what rots is known before it is needed.

use super::Shared;
use super::check;
use super::index::View;
use super::index::view::{self, Step};
use super::keys;
use super::reading::snapshot;
use super::record::BlobRecord;
use super::status::Status;
use crate::{Result, Scrubbed};
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
        let (blobs, next) = snapshot(reader, |view| blobs(view, from, most_bytes))?;
        Ok((read(&held, &blobs), next))
    });
    let (Read { bytes, damaged }, next) = step.await??;
    let scrubbed = Scrubbed { bytes, damaged: damaged.len() as u64, more: next.is_some() };
    shared.scrub.went_to(next, damaged);
    Ok(scrubbed)
}

type Blobs = Vec<(u64, BlobRecord)>;

/// The next blobs, and the number of the one after them.
fn blobs(view: &dyn View, from: u64, most_bytes: u64) -> Result<(Blobs, Option<u64>)> {
    let (mut found, mut bytes, mut next) = (Vec::new(), 0, None);
    view::each(view, &keys::number(from), None, &mut |key, record: BlobRecord| {
        let number = keys::to_number(key)?;
        if found.len() == STEP_BLOBS || bytes >= most_bytes {
            next = Some(number);
            return Ok(Step::Stop);
        }
        bytes += record.size;
        found.push((number, record));
        Ok(Step::Next)
    })?;
    Ok((found, next))
}

struct Read {
    bytes: u64,
    damaged: Vec<String>,
}

fn read(shared: &Shared, blobs: &Blobs) -> Read {
    let (mut bytes, mut damaged) = (0, Vec::new());
    for (number, record) in blobs {
        let cipher = check::cipher(&*shared.keyring, record);
        if let Err(error) = check::read_blob(&shared.segments, *number, record, cipher.as_ref()) {
            Status::count(&shared.status.corrupt_blocks, 1);
            tracing::error!(%error, "stored bytes are damaged; `daypass fsck` says whose they are");
            damaged.push(error.to_string());
        }
        bytes += record.size;
    }
    Read { bytes, damaged }
}
