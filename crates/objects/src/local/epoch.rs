//! Who may still be reading what is gone.
//!
//! A reader enters before it takes its view of the index and leaves when it has all it needs: the open files of a blob,
//! or, for an object of many blobs, a hold on its manifest. What died in a commit is cleared away only when nobody is
//! left who entered before that commit and may have seen it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) struct Readers(Mutex<State>);

struct State {
    committed: u64,
    next: u64,
    active: HashMap<u64, Active>,
}

struct Active {
    entered: u64,
    /// What the reader holds; everything while it still looks.
    manifest: Option<u64>,
}

impl Readers {
    pub(super) fn new(committed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { committed, next: 0, active: HashMap::new() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last commit.
    pub(super) fn committed(&self) -> u64 {
        self.state().committed
    }

    pub(super) fn commit(&self, stamp: u64) {
        self.state().committed = stamp;
    }

    /// To be called before the index is looked at.
    pub(super) fn enter(self: &Arc<Self>) -> Reading {
        let mut state = self.state();
        let token = state.next;
        state.next += 1;
        let entered = state.committed;
        state.active.insert(token, Active { entered, manifest: None });
        Reading { readers: Arc::clone(self), token }
    }

    /// Whether nobody can still come to a thing that died in this commit by looking.
    pub(super) fn have_left(&self, since: u64) -> bool {
        let state = self.state();
        since <= state.committed
            && state.active.values().all(|active| active.entered >= since || active.manifest.is_some())
    }

    /// Whether nobody can still need this manifest, which died in this commit.
    pub(super) fn have_left_manifest(&self, manifest: u64, since: u64) -> bool {
        let state = self.state();
        since <= state.committed
            && state
                .active
                .values()
                .all(|active| active.entered >= since || active.manifest.is_some_and(|held| held != manifest))
    }
}

/// A reader that has entered.
pub(super) struct Reading {
    readers: Arc<Readers>,
    token: u64,
}

impl Reading {
    /// From here on only this manifest is needed.
    pub(super) fn narrow(&self, manifest: u64) {
        if let Some(active) = self.readers.state().active.get_mut(&self.token) {
            active.manifest = Some(manifest);
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.readers.state().active.remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::Readers;

    #[test]
    fn what_died_waits_for_those_who_may_have_seen_it() {
        let readers = Readers::new(10);
        assert!(!readers.have_left(11), "a commit that is not yet made frees nothing");
        let before = readers.enter();
        readers.commit(11);
        let after = readers.enter();
        assert!(!readers.have_left(11) && !readers.have_left_manifest(5, 11));
        before.narrow(5);
        assert!(readers.have_left(11) && readers.have_left_manifest(6, 11));
        assert!(!readers.have_left_manifest(5, 11));
        drop(before);
        assert!(readers.have_left_manifest(5, 11));
        drop(after);
    }
}
