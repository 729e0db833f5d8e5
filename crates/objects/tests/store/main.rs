//! The store from outside: the suite that every engine passes, a model that it is compared with, and what a disk can do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect"
)]

mod collection;
mod damage;
mod directory;
mod faults;
mod full_disk;
mod given;
mod inspection;
mod intents;
mod model;
mod random;
mod replicas;
mod sealed;
mod slow_bodies;
mod suite;
mod support;

use std::sync::Arc;

/// Makes a test of every case, on the local engine.
macro_rules! on_local {
    ($($module:ident: $($case:ident),+ $(,)?;)+) => {
        $(mod $module {
            $(#[test]
            fn $case() {
                crate::on_local(crate::suite::$module::$case);
            })+
        })+
    };
}

mod local {
    crate::suite::every_case!(on_local);
}

/// Runs a case on a store of its own, and checks its books afterwards.
fn on_local<F: Future<Output = ()>>(case: impl FnOnce(suite::Store) -> F) {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let local = Arc::new(support::open(directory.path()));
        let store: suite::Store = Arc::clone(&local) as _;
        store.open_bucket(support::BUCKET, support::second(0)).await.unwrap();
        case(store).await;
        let checked = local.check(true).await.unwrap();
        assert_eq!(checked.problems, Vec::new());
    });
}
