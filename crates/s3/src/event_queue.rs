//! Messages of what happens to objects, made ready for their delivery ([`daypass_core::event_queue`]).

use daypass_core::State;
use daypass_core::event_queue::{self, Message};
use daypass_core::outbox::Told as Noted;
use daypass_core::store::{Key, Read as _, Record as _, StoreError, TransactError};
use serde::Deserialize as _;

use crate::event::Told;
use crate::event_message;

/// Of so many changes messages are made at once, unless they came to more bytes than this before.
const AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 4 << 20;

/// Makes messages of all changes that are to be told of, and says of how many changes. To be called after
/// [`daypass_core::outbox::drain`].
///
/// # Errors
/// If the store fails. What was not made a message of stays.
pub async fn queue_events(state: &State) -> Result<usize, StoreError> {
    let mut all = 0;
    loop {
        let made = next_messages(state)?;
        if made.is_empty() {
            return Ok(all);
        }
        let now = state.clock.now();
        let done = state.store.transact(|tx| {
            let (mut number, mut all) = (0, vec![]);
            for (key, messages) in &made {
                // Somebody else may have queued them meanwhile.
                if tx.get::<Noted>(key)?.is_some() {
                    tx.delete(key);
                    all.extend(messages.iter().cloned());
                    number += 1;
                }
            }
            event_queue::put(tx, all, now)?;
            Ok(number)
        });
        all += done.await.map_err(|error| match error {
            TransactError::Aborted(error) | TransactError::Store(error) => error,
        })?;
    }
}

/// The messages of the first changes that are to be told of, and where these stand.
fn next_messages(state: &State) -> Result<Vec<(Key, Vec<Message>)>, StoreError> {
    state.store.read(|tx| {
        let (mut made, mut bytes): (Vec<(Key, Vec<Message>)>, usize) = (vec![], 0);
        while made.len() < AT_ONCE && bytes < BYTES_AT_ONCE {
            let after = made.last().map(|(key, _)| key);
            let Some(told) = tx.list::<Noted>(&Noted::all(), after, 1)?.pop() else { break };
            let messages = messages(&told);
            bytes += messages.iter().map(|message| message.bytes()).sum::<usize>();
            made.push((told.key(), messages));
        }
        Ok(made)
    })
}

fn messages(noted: &Noted) -> Vec<Message> {
    match Told::deserialize(&noted.what) {
        Ok(told) => event_message::of(&told, noted.number),
        Err(error) => {
            tracing::error!(%error, number = noted.number, "events that were recorded cannot be read");
            vec![]
        }
    }
}
