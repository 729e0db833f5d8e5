//! Work that takes seconds, among requests that take milliseconds.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does work that may take seconds without keeping other requests of this thread waiting for it.
pub fn at_length<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // Nobody else to wait for it, or no way not to.
        _ => work(),
    }
}
