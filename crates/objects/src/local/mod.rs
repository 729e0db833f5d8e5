//! The engine that keeps everything in a directory of this machine.
//!
#![doc = include_str!("format.md")]

mod affected;
mod blobs;
mod buckets;
mod check;
mod cipher;
mod collect;
mod commit;
mod copying;
pub mod disk;
mod engine;
mod epoch;
mod extent;
mod frozen;
mod index;
mod inspect;
mod intake;
mod intents;
mod keys;
mod listing;
mod memory;
mod objects;
mod open;
mod packer;
mod pool;
mod reading;
mod reads;
mod record;
mod replicas;
mod scrub;
mod segment;
mod status;
mod stream_writer;
mod streams;
mod uploads;
mod versions;

pub use check::{Affected, Checked, Problem, ProblemKind};
pub use commit::Entropy;
pub use engine::Local;
pub use frozen::{Frozen, FrozenSegment};
pub use inspect::{Progress, inspect};
pub use intents::{Intent, Settlement};
pub use open::Options;

use crate::{Error, KeyId, Keyring, Result, SealKey, UploadAt};
use cipher::BlobCipher;
use commit::{Commits, SharedEntropy};
use epoch::Readers;
use index::sqlite::SqliteReader;
use pool::Pool;
use reads::Reads;
use record::{SealRecord, SegmentKind, SegmentRecord, UploadRecord};
use segment::{Lease, START, Segments};
use status::{Numbers, Status};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, watch};

/// What all parts of an open store share.
struct Shared {
    commits: Commits,
    reads: Reads,
    writes: Pool<()>,
    segments: Arc<Segments>,
    readers: Arc<Readers>,
    numbers: Arc<Numbers>,
    status: Arc<Status>,
    entropy: SharedEntropy,
    keyring: Arc<dyn Keyring>,
    limits: Limits,
    streams: Arc<streams::Streams>,
    memory: Arc<memory::Memory>,
    notes: watch::Receiver<u64>,
    /// Held while a collection runs.
    collecting: AsyncMutex<()>,
    /// What reading everything again and again found.
    scrub: scrub::Scrub,
    /// Segments that could not be emptied.
    stuck: Mutex<HashSet<u64>>,
}

/// Which bytes go where.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Up to here into the index.
    inline: u64,
    /// Up to here into the shared segment.
    packed: u64,
    /// Bytes of a segment of large objects.
    stream_segment: u64,
}

impl Shared {
    /// A new way to seal one blob.
    fn new_seal(&self, key: KeyId, given: Option<&SealKey>) -> Result<intake::Seal> {
        let mut salt = [0; 32];
        commit::fill(&self.entropy, &mut salt);
        let record = SealRecord { key, salt };
        Ok((record, Arc::new(self.cipher(&record, given)?)))
    }

    fn cipher(&self, seal: &SealRecord, given: Option<&SealKey>) -> Result<BlobCipher> {
        let key = if seal.key == KeyId::GIVEN { given.cloned() } else { self.keyring.key(seal.key) };
        BlobCipher::new(&key.ok_or(Error::NoKey(seal.key))?, &seal.salt)
    }

    /// A segment with so much room to stream to; a new one if there is none.
    async fn lease(&self, room: u64) -> Result<Lease> {
        self.lease_from(room, false).await
    }

    /// The same; `reserve` says that what is kept free may be used, for what makes room in the end.
    async fn lease_from(&self, room: u64, reserve: bool) -> Result<Lease> {
        self.status.writable()?;
        if let Some(lease) = self.segments.lease(room)? {
            return Ok(lease);
        }
        let capacity = self.limits.stream_segment.max(START + room);
        let segments = Arc::clone(&self.segments);
        let reserved = self.commits.submit(move |tx| {
            if !reserve {
                tx.needs_room()?;
            }
            let number = tx.number();
            let record =
                SegmentRecord { kind: SegmentKind::Stream, capacity, used: START, live: 0, retired: None };
            tx.store(keys::number(number), &record)?;
            segments.reserve(number).ok_or(Error::Closed)
        });
        let reservation = reserved.await?;
        let segments = Arc::clone(&self.segments);
        let made = self.writes.run(move |()| {
            let file = segments.create(reservation.segment(), 0)?;
            Ok(reservation.lease(file, capacity))
        });
        made.await?
    }

    /// An upload that is under way.
    async fn upload_record(&self, at: UploadAt) -> Result<UploadRecord> {
        let find =
            move |reader: &mut SqliteReader| reading::snapshot(reader, |view| uploads::find(view, &at));
        let (_, record) = self.reads.look(find).await??;
        Ok(record)
    }

    fn stuck(&self) -> HashSet<u64> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_stuck(&self, segment: u64) {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner).insert(segment);
    }
}
