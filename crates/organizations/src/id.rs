//! The identifiers of what organizations have, in AWS's forms.

use daypass_core::model::AccountId;
use daypass_core::store::records::Account;
use daypass_core::store::{Read as _, Tx};
use daypass_core::{Cx, Error};

const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// So many letters that nobody can guess, at most 32.
pub(crate) fn letters(cx: &Cx, count: usize) -> String {
    let letter = |byte: u8| LETTERS.get(usize::from(byte % 36)).copied().map_or('a', char::from);
    cx.ids().id_bytes().into_iter().take(count).map(letter).collect()
}

/// A number that no account has.
///
/// # Errors
/// If the store fails, or if there is none to be found.
pub(crate) fn account(cx: &Cx, tx: &Tx<'_>) -> Result<AccountId, Error> {
    for _ in 0..100 {
        let random = u64::from_be_bytes(cx.ids().id_bytes().first_chunk().copied().unwrap_or_default());
        // None begins with a zero: tables lose those.
        let number = 100_000_000_000 + random % 900_000_000_000;
        let id: AccountId = number.to_string().parse().map_err(|_| cx.internal_failure())?;
        if tx.get::<Account>(&Account::key_of(&id))?.is_none() {
            return Ok(id);
        }
    }
    Err(cx.internal_failure().into())
}
