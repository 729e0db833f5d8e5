//! What the generated cases reached.

use std::collections::BTreeMap;
use std::sync::Mutex;

static REACHED: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

pub(crate) fn note(what: String) {
    *REACHED.lock().unwrap().entry(what).or_default() += 1;
}

pub(crate) fn reached() -> BTreeMap<String, u64> {
    REACHED.lock().unwrap().clone()
}
