//! How much the streams that are under way hold: much where there are few, so that reading, computing and writing go on at
//! the same time, and a block each where there are many.

use super::extent::BLOCK;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The most that a stream handles at once.
pub(super) const SLICE: u64 = 4 * BLOCK;
/// What all of them share.
const SHARED: u64 = 64 << 20;

/// Counts the streams.
#[derive(Default)]
pub(super) struct Streams(AtomicU64);

/// One of them, for as long as it is under way.
pub(super) struct Stream(Arc<Streams>);

impl Streams {
    pub(super) fn enter(self: &Arc<Self>) -> Stream {
        self.0.fetch_add(1, Ordering::Relaxed);
        Stream(Arc::clone(self))
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
        SHARED / self.0.0.load(Ordering::Relaxed).max(1)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
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
}
