//! The power is cut at some moment, again and again, on a disk that then keeps, loses, tears and reorders what was not
//! synced; or a sync fails and loses its pages. After each time: what was acknowledged is there, what was not is there wholly or
//! not at all, each change has exactly one note, and nothing is left over.
//!
//! `DAYPASS_POWER_CUTS` says how many seeds are tried, 1000 if it does not; `DAYPASS_POWER_CUT_SEED` says which is the first, to
//! see one of them again. Each seed cuts the power three times in a row.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect"
)]

mod disk;
#[path = "../store/random.rs"]
mod random;
mod vfs;
mod workload;

use libtest_mimic::{Arguments, Trial};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

const THREADS: u64 = 2;

fn number(name: &str, default: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the knob of the test")]
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn main() {
    let (seeds, first) = (number("DAYPASS_POWER_CUTS", 1000), number("DAYPASS_POWER_CUT_SEED", 1));
    let trial = Trial::test("what_was_acknowledged_survives_a_power_cut", move || {
        let (passed, failed) = try_all(first, seeds);
        let line =
            format!("power cuts, seeds {first} to {}: {passed} passed, {failed} failed\n", first + seeds - 1);
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        if failed == 0 { Ok(()) } else { Err(format!("{failed} seeds failed").into()) }
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit();
}

/// Tries every seed; those that fail are named with what went wrong.
fn try_all(first: u64, seeds: u64) -> (u64, u64) {
    let (next, passed, failed, cuts) =
        (AtomicU64::new(first), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::SeqCst);
        if seed >= first + seeds {
            return;
        }
        let tried = std::panic::catch_unwind(|| workload::lives(seed));
        match tried {
            Ok(seen) => {
                cuts.fetch_add(seen, Ordering::SeqCst);
                passed.fetch_add(1, Ordering::SeqCst);
            }
            Err(_) => {
                let line = format!(
                    "seed {seed} failed: DAYPASS_POWER_CUTS=1 DAYPASS_POWER_CUT_SEED={seed} shows it\n"
                );
                std::io::stderr().write_all(line.as_bytes()).unwrap();
                failed.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(work);
        }
    });
    let (passed, failed) = (passed.into_inner(), failed.into_inner());
    assert!(
        passed < 50 || cuts.into_inner() > passed,
        "the power was hardly ever cut in the middle of something"
    );
    (passed, failed)
}
