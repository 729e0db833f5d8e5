//! How much the bodies hold that are small enough to be held as a whole: a block each, and what is beyond it as long as there is
//! memory for it.

use super::extent::BLOCK;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What all of them share beyond their first blocks.
const SHARED: u64 = 64 << 20;

/// Counts what is held.
#[derive(Default)]
pub(super) struct Memory(AtomicU64);

/// What a body holds, for as long as it does.
pub(super) struct Taken {
    all: Arc<Memory>,
    /// Beyond its first block.
    bytes: u64,
}

impl Memory {
    pub(super) fn enter(self: &Arc<Self>) -> Taken {
        Taken { all: Arc::clone(self), bytes: 0 }
    }
}

impl Taken {
    /// Whether there is memory to hold so much in all.
    pub(super) fn grow(&mut self, to: u64) -> bool {
        let more = to.saturating_sub(BLOCK).saturating_sub(self.bytes);
        if more == 0 {
            return true;
        }
        let before = self.all.0.fetch_add(more, Ordering::Relaxed);
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
        self.all.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_beyond_a_block_is_bounded_for_all_together() {
        let memory = Arc::new(Memory::default());
        let mut all: Vec<_> = (0..1000).map(|_| memory.enter()).collect();
        for taken in &mut all {
            assert!(taken.grow(BLOCK), "everybody has a block");
        }
        let size = 17 * BLOCK;
        let whole = all.iter_mut().map(|taken| taken.grow(size)).filter(|whole| *whole).count();
        assert_eq!(whole as u64, SHARED / (size - BLOCK));
        assert!(all[0].grow(size) && !all[0].grow(size + 1), "it has what it has");
        all[0].end();
        assert!(all[999].grow(size) && !all[0].grow(size));
        drop(all);
        assert!(memory.enter().grow(SHARED + BLOCK) && !memory.enter().grow(SHARED + BLOCK + 1));
    }
}
