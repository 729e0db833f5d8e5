//! How much work a comparison may be.

/// The steps that each direction of a comparison may take: a transition of an automaton, a choice of the search, a test of
/// a value. It stands for a few seconds of a core; the largest of AWS's managed policies need a thirtieth of it.
pub(super) const MAX_STEPS: u64 = 10_000_000;

/// The most states that one automaton may have.
pub(super) const MAX_AUTOMATON_STATES: usize = 40_000;

/// The most places in patterns that the states of one automaton may stand for together: it bounds its memory.
pub(super) const MAX_AUTOMATON_PLACES: usize = 2_000_000;

/// The most states that differ, as the policies see them, which one condition key may have.
pub(super) const MAX_KEY_STATES: usize = 512;

/// The most templates (values or resources with variables) that may bear on one key or one resource.
pub(super) const MAX_TEMPLATES: usize = 6;

/// The most choices of one search that lie within each other: it bounds its memory, of which each takes as much as there
/// are keys.
pub(super) const MAX_CHOICES: usize = 256;

/// The most kinds of principal.
pub(super) const MAX_PRINCIPALS: usize = 4_096;

/// The most candidates for a witness that are tried at one place.
pub(super) const MAX_ATTEMPTS: usize = 400;

/// The most differences that are listed; the rest is counted.
pub(super) const MAX_DIFFERENCES: usize = 1_000;

/// A limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// What is left of the work.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: MAX_STEPS }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        match self.left.checked_sub(steps as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Exhausted)
            }
        }
    }

    pub(super) fn used(&self) -> u64 {
        MAX_STEPS - self.left
    }
}
