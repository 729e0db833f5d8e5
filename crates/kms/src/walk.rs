//! Going through keys, some at a time: they are many, and their policies long.

use daypass_core::kms::Key;
use daypass_core::store::{Prefix, Read, Record as _, StoreError};

/// So many keys are held at once.
const PAGE: usize = 100;

/// Visits every key below a prefix.
///
/// # Errors
/// If the store fails.
pub(crate) fn each(
    read: &impl Read,
    prefix: &Prefix,
    mut visit: impl FnMut(Key) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = read.list::<Key>(prefix, after.as_ref(), PAGE)?;
        let ended = page.len() < PAGE;
        after = page.last().map(|key| key.key());
        page.into_iter().try_for_each(&mut visit)?;
        if ended {
            return Ok(());
        }
    }
}
