//! Messages of what happens to objects, made ready for their delivery ([`daypass_core::event_queue`]).

use daypass_core::State;
use daypass_core::event_queue::{self, Message};
use daypass_core::outbox::Told as Noted;
use daypass_core::store::{Key, Read as _, Record as _, StoreError, TransactError};
use serde::Deserialize as _;

use crate::event::Told;
use crate::event_message;
use crate::replication::{self, Intents};

/// Of so many changes messages are made at once, unless they came to more bytes than this before, or to more versions that are
/// to be replicated.
const AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 4 << 20;
const VERSIONS_AT_ONCE: usize = 2000;

/// Makes messages of all changes that are to be told of, queues what is to be replicated of them, and says of how many changes. To be called after
/// [`daypass_core::outbox::drain`].
///
/// # Errors
/// If the store fails. What was not made a message of stays.
pub async fn queue_events(state: &State) -> Result<usize, StoreError> {
    let mut all = 0;
    loop {
        let mut made = next_told(state)?;
        if made.is_empty() {
            return Ok(all);
        }
        replication::fit(state, made.iter_mut().filter_map(|(.., intents)| intents.as_mut())).await?;
        let now = state.clock.now();
        let done = state.store.transact(|tx| {
            let (mut number, mut all, mut versions) = (0, vec![], vec![]);
            for (key, messages, intents) in &made {
                // Somebody else may have queued them meanwhile.
                if tx.get::<Noted>(key)?.is_some() {
                    tx.delete(key);
                    all.extend(messages.iter().cloned());
                    versions.extend(intents.clone());
                    number += 1;
                }
            }
            event_queue::put(tx, all, now)?;
            replication::queue(tx, versions, now)?;
            Ok(number)
        });
        all += done.await.map_err(|error| match error {
            TransactError::Aborted(error) | TransactError::Store(error) => error,
        })?;
    }
}

/// The messages of the first changes that are to be told of, what is to be replicated of them, and where these stand.
fn next_told(state: &State) -> Result<Vec<Made>, StoreError> {
    state.store.read(|tx| {
        let mut made: Vec<Made> = vec![];
        let (mut bytes, mut versions) = (0, 0);
        while made.len() < AT_ONCE && bytes < BYTES_AT_ONCE && versions < VERSIONS_AT_ONCE {
            let after = made.last().map(|(key, ..)| key);
            let Some(told) = tx.list::<Noted>(&Noted::all(), after, 1)?.pop() else { break };
            let (messages, intents) = read(&told);
            bytes += messages.iter().map(|message| message.bytes()).sum::<usize>();
            versions += intents.as_ref().map_or(0, Intents::len);
            made.push((told.key(), messages, intents));
        }
        Ok(made)
    })
}

type Made = (Key, Vec<Message>, Option<Intents>);

fn read(noted: &Noted) -> (Vec<Message>, Option<Intents>) {
    let read = Intents::apart(&noted.what).and_then(|(events, intents)| {
        let told = events.map(Told::deserialize).transpose()?;
        Ok((told.map(|told| event_message::of(&told, noted.number)).unwrap_or_default(), intents))
    });
    read.unwrap_or_else(|error| {
        tracing::error!(%error, number = noted.number, "events that were recorded cannot be read");
        (vec![], None)
    })
}

#[cfg(test)]
mod tests {
    use daypass_core::store::TransactError;
    use daypass_core::testing::{ACCOUNT, TestServer};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn changes_of_many_versions_are_taken_a_few_at_a_time() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let versions: Vec<_> = (0..1000).map(|number| json!(["aw==", format!("{number:040}")])).collect();
        let intents =
            json!({ "bucket": "b", "number": 1, "account": ACCOUNT, "what": "marker", "of": versions });
        let put = state.store.transact(|tx| {
            (0..10).try_for_each(|number| {
                tx.put(&Noted { number, what: json!({ "events": null, "replicate": intents }) })
            })
        });
        put.await.map_err(|error: TransactError<StoreError>| error).unwrap();
        assert_eq!(next_told(state).unwrap().len(), 2);
        assert_eq!(queue_events(state).await.unwrap(), 10);
        assert!(next_told(state).unwrap().is_empty());
    }
}
