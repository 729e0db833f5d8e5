//! How much the bodies that are under way hold. Those that are streamed: much where there are few, so that reading, computing
//! and writing go on at the same time, and a block each where there are many. Those that are small enough to be held as a
//! whole: a block each, and what is beyond it as long as there is memory for it.

use super::extent::BLOCK;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The most that a stream handles at once.
pub(super) const SLICE: u64 = 4 * BLOCK;
/// What all that are streamed share, and what all others do.
const SHARED: u64 = 64 << 20;

/// Counts the streams, and what the other bodies hold.
#[derive(Default)]
pub(super) struct Streams {
    streams: AtomicU64,
    held: AtomicU64,
}

/// What a body holds that is not streamed, for as long as it does.
pub(super) struct Held {
    all: Arc<Streams>,
    /// Beyond its first block.
    bytes: u64,
}

/// One of them, for as long as it is under way.
pub(super) struct Stream(Arc<Streams>);

impl Streams {
    pub(super) fn enter(self: &Arc<Self>) -> Stream {
        self.streams.fetch_add(1, Ordering::Relaxed);
        Stream(Arc::clone(self))
    }

    pub(super) fn hold(self: &Arc<Self>) -> Held {
        Held { all: Arc::clone(self), bytes: 0 }
    }
}

impl Held {
    /// Whether there is memory to hold so much in all.
    pub(super) fn grow(&mut self, to: u64) -> bool {
        let more = to.saturating_sub(BLOCK).saturating_sub(self.bytes);
        if more == 0 {
            return true;
        }
        let before = self.all.held.fetch_add(more, Ordering::Relaxed);
        self.bytes += more;
        let has_room = before.saturating_add(more) <= SHARED;
        if !has_room {
            self.give_back(more);
        }
        has_room
    }

    /// Nothing is held any more.
    pub(super) fn end(&mut self) {
        self.give_back(self.bytes);
    }

    fn give_back(&mut self, bytes: u64) {
        self.bytes -= bytes;
        self.all.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.end();
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
        SHARED / self.0.streams.load(Ordering::Relaxed).max(1)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
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
            (128, SLICE, true),
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
    fn what_is_held_beyond_a_block_is_bounded_for_all_together() {
        let streams = Arc::new(Streams::default());
        let mut all: Vec<_> = (0..1000).map(|_| streams.hold()).collect();
        for held in &mut all {
            assert!(held.grow(BLOCK), "everybody has a block");
        }
        let size = 17 * BLOCK;
        let whole = all.iter_mut().map(|held| held.grow(size)).filter(|whole| *whole).count();
        assert_eq!(whole as u64, SHARED / (size - BLOCK));
        assert!(all[0].grow(size) && !all[0].grow(size + 1), "it has what it has");
        all[0].end();
        assert!(all[999].grow(size) && !all[0].grow(size));
        drop(all);
        assert!(streams.hold().grow(SHARED + BLOCK) && !streams.hold().grow(SHARED + BLOCK + 1));
    }
}
