//! How much the streams that are under way hold: much where there are few, so that reading, computing and writing go on at
//! the same time, and a block each where there are many.

use super::extent::BLOCK;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most that a stream handles at once.
pub(super) const SLICE: u64 = 8 * BLOCK;
/// What all of them share.
const SHARED: u64 = 64 << 20;

/// The most memory that waits to be used again.
const SPARE: usize = 4 << 20;

/// Counts the streams, and keeps the memory that those who read use one after the other: to have it from the system and cleared for
/// each slice costs a tenth of the reading.
#[derive(Default)]
pub(super) struct Streams {
    count: AtomicU64,
    spare: Mutex<Vec<Vec<u8>>>,
}

/// One of them, for as long as it is under way.
pub(super) struct Stream(Arc<Streams>);

impl Streams {
    pub(super) fn enter(self: &Arc<Self>) -> Stream {
        self.count.fetch_add(1, Ordering::Relaxed);
        Stream(Arc::clone(self))
    }

    /// So many bytes of memory, with anything in them. It comes back when it is dropped.
    pub(super) fn buffer(self: &Arc<Self>, length: usize) -> Buffer {
        // Of another length it is of another number of streams, and goes.
        let spare = self.spare().pop().filter(|spare| spare.len() == length);
        Buffer { bytes: spare.unwrap_or_else(|| vec![0; length]), of: Arc::clone(self) }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// How much it handles at once now: whole blocks.
    pub(super) fn slice(&self) -> u64 {
        let half = self.share() / 2;
        (half - half % BLOCK).clamp(BLOCK, SLICE)
    }

    /// Whether it may take in the next slice while one is handled.
    pub(super) fn goes_ahead(&self) -> bool {
        self.share() >= 2 * BLOCK
    }

    fn share(&self) -> u64 {
        SHARED / self.0.count.load(Ordering::Relaxed).max(1)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::Relaxed) == 1 {
            *self.0.spare() = Vec::new();
        }
    }
}

/// Memory that a slice is read into.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    of: Arc<Streams>,
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut spare = self.of.spare();
        if self.of.count.load(Ordering::Relaxed) > 0 && (spare.len() + 1) * bytes.len() <= SPARE {
            spare.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_share_what_there_is_and_never_get_less_than_a_block() {
        let streams = Arc::new(Streams::default());
        let mut all = vec![streams.enter()];
        for (count, slice, ahead) in [
            (1, SLICE, true),
            (64, SLICE, true),
            (128, 4 * BLOCK, true),
            (170, 3 * BLOCK, true),
            (256, 2 * BLOCK, true),
            (512, BLOCK, true),
            (513, BLOCK, false),
            (5000, BLOCK, false),
        ] {
            all.resize_with(count, || streams.enter());
            assert_eq!((all[0].slice(), all[0].goes_ahead()), (slice, ahead), "{count} streams");
        }
        all.truncate(1);
        assert_eq!(all[0].slice(), SLICE);
    }

    #[test]
    fn memory_is_used_again_and_little_of_it_waits_for_that() {
        let streams = Arc::new(Streams::default());
        let waiting = || streams.spare().iter().map(Vec::len).sum::<usize>();
        let (one, other) = (streams.enter(), streams.enter());
        let mut buffer = streams.buffer(SLICE as usize);
        buffer[7] = 7;
        drop(buffer);
        let buffer = streams.buffer(SLICE as usize);
        assert_eq!((buffer[7], waiting()), (7, 0));
        drop(buffer);
        drop(streams.buffer(BLOCK as usize));
        assert_eq!(waiting(), BLOCK as usize, "one of another length is let go");
        drop((0..100).map(|_| streams.buffer(SLICE as usize)).collect::<Vec<_>>());
        assert_eq!(waiting() / SLICE as usize, SPARE / SLICE as usize);
        let late = streams.buffer(SLICE as usize);
        drop(one);
        assert!(waiting() > 0);
        drop(other);
        assert_eq!(waiting(), 0, "nobody streams");
        drop(late);
        assert_eq!(waiting(), 0);
    }
}
