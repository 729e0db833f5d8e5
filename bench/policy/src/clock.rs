//! Time that this thread spent computing.

use rustix::time::{ClockId, clock_gettime};

/// The CPU time that some work takes, in seconds.
pub fn cpu_seconds(work: impl FnOnce()) -> f64 {
    let before = clock_gettime(ClockId::ThreadCPUTime);
    work();
    let after = clock_gettime(ClockId::ThreadCPUTime);
    (after.tv_sec - before.tv_sec) as f64 + (after.tv_nsec - before.tv_nsec) as f64 / 1e9
}
