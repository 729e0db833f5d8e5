//! Messages that wait for their delivery, by destination: durable from the change that they tell of until somebody has
//! taken them.

use daypass_core::State;
use daypass_core::model::Timestamp;
use daypass_core::outbox::Told as Noted;
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, TransactError, Tx};
use serde::{Deserialize, Serialize};

use crate::event::Told;
use crate::event_message::{self, Message};
use crate::replication::{self, Intents};

/// The most messages that wait for one destination. What comes then is let go and counted: changes of objects do not wait
/// for whoever is told of them.
const MAX_WAITING: u64 = 100_000;
/// And their bytes.
const MAX_WAITING_BYTES: u64 = 256 << 20;
/// Of so many changes messages are made at once, unless they came to more bytes than this before.
const AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 4 << 20;
/// A message that nobody took for so long is let go (EventBridge user guide, "How EventBridge retries delivering events": for up
/// to 24 hours).
const MAX_AGE_SECONDS: i64 = 24 * 3600;
/// So many that are too old are let go at once.
const OLD_AT_ONCE: usize = 256;

/// What waits for a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventQueue {
    /// Whose ARN it is.
    pub destination: String,
    /// So many messages wait.
    pub waiting: u64,
    /// Their bytes.
    #[serde(default)]
    pub bytes: u64,
    /// So many were let go undelivered: the queue was full, or nobody took them in time.
    pub dropped: u64,
    /// The number of the next.
    next: u64,
}

impl EventQueue {
    fn key_of(destination: &str) -> Key {
        Key::new(&["s3", "event-queue", destination])
    }
}

impl Record for EventQueue {
    fn key(&self) -> Key {
        Self::key_of(&self.destination)
    }
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueuedEvent {
    destination: String,
    /// Its place in the order of the destination's.
    pub number: u64,
    /// Since when.
    pub since: Timestamp,
    /// The message: a JSON document.
    pub body: String,
}

impl QueuedEvent {
    fn all(destination: &str) -> Prefix {
        Prefix::new(&["s3", "event", destination])
    }
}

impl Record for QueuedEvent {
    fn key(&self) -> Key {
        Key::new(&["s3", "event", &self.destination, &format!("{:020}", self.number)])
    }
}

/// Puts messages into the queues of their destinations.
///
/// # Errors
/// If the store fails.
pub(crate) fn put(tx: &mut Tx<'_>, messages: Vec<Message>, now: Timestamp) -> Result<(), StoreError> {
    let mut queues: Vec<EventQueue> = vec![];
    for Message { destination, body } in messages {
        let place = match queues.iter().position(|queue| queue.destination == destination) {
            Some(place) => place,
            None => {
                let known = tx.get::<EventQueue>(&EventQueue::key_of(&destination))?;
                let new = || EventQueue { destination: destination.clone(), ..EventQueue::default() };
                queues.push(known.unwrap_or_else(new));
                queues.len() - 1
            }
        };
        let Some(queue) = queues.get_mut(place) else { continue };
        let bytes = length(&body);
        if queue.waiting >= MAX_WAITING || queue.bytes + bytes > MAX_WAITING_BYTES {
            queue.dropped += 1;
            tracing::error!(destination, "too many events wait for this destination: one was let go");
            continue;
        }
        tx.put(&QueuedEvent { destination, number: queue.next, since: now, body })?;
        queue.next += 1;
        queue.waiting += 1;
        queue.bytes += bytes;
    }
    queues.iter().try_for_each(|queue| tx.put(queue))
}

/// Makes messages of all changes that are to be told of, queues what is to be replicated of them, and says of how many changes. To be called after
/// [`daypass_core::outbox::drain`].
///
/// # Errors
/// If the store fails. What was not made a message of stays.
pub async fn queue_events(state: &State) -> Result<usize, StoreError> {
    let mut all = 0;
    loop {
        let made = next_told(state)?;
        if made.is_empty() {
            return Ok(all);
        }
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
            put(tx, all, now)?;
            replication::queue(tx, versions, now)?;
            Ok(number)
        });
        all += done.await.map_err(failed)?;
    }
}

/// The messages of the first changes that are to be told of, what is to be replicated of them, and where these stand.
fn next_told(state: &State) -> Result<Vec<Made>, StoreError> {
    state.store.read(|tx| {
        let (mut made, mut bytes): (Vec<Made>, usize) = (vec![], 0);
        while made.len() < AT_ONCE && bytes < BYTES_AT_ONCE {
            let after = made.last().map(|(key, ..)| key);
            let Some(told) = tx.list::<Noted>(&Noted::all(), after, 1)?.pop() else { break };
            let (messages, intents) = read(&told);
            bytes += messages.iter().map(|message| message.body.len()).sum::<usize>();
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

/// The queues of all destinations that ever had a message.
///
/// # Errors
/// If the store fails.
pub fn event_queues(state: &State) -> Result<Vec<EventQueue>, StoreError> {
    state.store.read(|tx| tx.all::<EventQueue>(&Prefix::new(&["s3", "event-queue"])))
}

/// The first messages that wait for a destination, at most so many.
///
/// # Errors
/// If the store fails.
pub fn waiting_events(state: &State, destination: &str, most: usize) -> Result<Vec<QueuedEvent>, StoreError> {
    state.store.read(|tx| tx.list::<QueuedEvent>(&QueuedEvent::all(destination), None, most))
}

/// Forgets messages: they were delivered, or, if `dropped`, are let go.
///
/// # Errors
/// If the store fails. They are delivered again then.
pub async fn forget_events(state: &State, events: &[QueuedEvent], dropped: bool) -> Result<(), StoreError> {
    let done = state.store.transact(|tx| {
        for event in events {
            if tx.get::<QueuedEvent>(&event.key())?.is_none() {
                continue;
            }
            tx.delete(&event.key());
            let known = tx.get::<EventQueue>(&EventQueue::key_of(&event.destination))?;
            if let Some(mut queue) = known {
                queue.waiting = queue.waiting.saturating_sub(1);
                queue.bytes = queue.bytes.saturating_sub(length(&event.body));
                queue.dropped += u64::from(dropped);
                tx.put(&queue)?;
            }
        }
        Ok(())
    });
    done.await.map_err(failed)
}

/// Lets go of those among messages that nobody took for a day, says so, and gives back the others.
///
/// # Errors
/// If the store fails.
pub async fn without_old(state: &State, events: Vec<QueuedEvent>) -> Result<Vec<QueuedEvent>, StoreError> {
    let oldest = state.clock.now().plus_seconds(-MAX_AGE_SECONDS);
    let (old, events): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| event.since < oldest);
    if let Some(first) = old.first() {
        let (number, destination) = (old.len(), &first.destination);
        tracing::error!(number, destination, "events that nobody took for a day are let go");
        forget_events(state, &old, true).await?;
    }
    Ok(events)
}

/// Lets go of what waited too long for destinations that have no place any more, and forgets those for which nothing waits. To
/// be called from time to time; the others are looked after by who delivers.
///
/// # Errors
/// If the store fails.
pub async fn forget_lost_destinations(state: &State) -> Result<(), StoreError> {
    for EventQueue { destination, .. } in event_queues(state)? {
        if state.destinations.has(&destination) {
            continue;
        }
        loop {
            let first = waiting_events(state, &destination, OLD_AT_ONCE)?;
            let found = first.len();
            if found == 0 || without_old(state, first).await?.len() == found {
                break;
            }
        }
        let done = state.store.transact(|tx| {
            if tx.keys(&QueuedEvent::all(&destination), None, 1)?.is_empty() {
                tx.delete(&EventQueue::key_of(&destination));
            }
            Ok(())
        });
        done.await.map_err(failed)?;
    }
    Ok(())
}

fn length(body: &str) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

fn failed(error: TransactError<StoreError>) -> StoreError {
    match error {
        TransactError::Aborted(error) | TransactError::Store(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use daypass_core::testing::TestServer;

    use super::*;

    #[tokio::test]
    async fn a_full_queue_lets_go_what_comes_and_counts_it() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let message = || vec![Message { destination: "q".to_owned(), body: "{}".to_owned() }];
        let (now, next) = (state.clock.now(), 7);
        let almost =
            EventQueue { destination: "q".to_owned(), waiting: MAX_WAITING - 1, bytes: 0, dropped: 0, next };
        state.store.transact(|tx| tx.put(&almost)).await.map_err(failed).unwrap();
        for (waiting, dropped) in [(MAX_WAITING, 0), (MAX_WAITING, 1), (MAX_WAITING, 2)] {
            state.store.transact(|tx| put(tx, message(), now)).await.map_err(failed).unwrap();
            let [queue] = &event_queues(state).unwrap()[..] else { panic!("one queue") };
            assert_eq!((queue.waiting, queue.dropped), (waiting, dropped));
        }
        assert_eq!(waiting_events(state, "q", 10).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_queue_is_full_of_bytes_as_well_and_empties() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let message = || vec![Message { destination: "q".to_owned(), body: "x".repeat(1000) }];
        let (now, bytes) = (state.clock.now(), MAX_WAITING_BYTES - 1500);
        let almost = EventQueue { destination: "q".to_owned(), waiting: 9, bytes, dropped: 0, next: 7 };
        state.store.transact(|tx| tx.put(&almost)).await.map_err(failed).unwrap();
        for (waiting, dropped) in [(10, 0), (10, 1)] {
            state.store.transact(|tx| put(tx, message(), now)).await.map_err(failed).unwrap();
            let [queue] = &event_queues(state).unwrap()[..] else { panic!("one queue") };
            assert_eq!((queue.waiting, queue.dropped, queue.bytes), (waiting, dropped, bytes + 1000));
        }
        let first = waiting_events(state, "q", 10).unwrap();
        forget_events(state, &first, false).await.unwrap();
        assert_eq!(event_queues(state).unwrap()[0].bytes, bytes);
    }

    #[tokio::test]
    async fn what_waits_for_a_destination_without_a_place_goes_after_a_day() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let known = daypass_core::testing::DESTINATIONS[0];
        let add = async |destination: &str| {
            let message = || vec![Message { destination: destination.to_owned(), body: "{}".to_owned() }];
            let now = state.clock.now();
            state.store.transact(|tx| put(tx, message(), now)).await.map_err(failed).unwrap();
        };
        let left = async || {
            forget_lost_destinations(state).await.unwrap();
            let queues = event_queues(state).unwrap();
            let left: Vec<_> = queues.into_iter().map(|queue| (queue.destination, queue.waiting)).collect();
            left
        };
        for _ in 0..=OLD_AT_ONCE {
            add("lost").await;
        }
        add(known).await;
        server.clock.advance(MAX_AGE_SECONDS - 10);
        add("lost").await;
        let both = |number| vec![(known.to_owned(), 1), ("lost".to_owned(), number)];
        assert_eq!(left().await, both(OLD_AT_ONCE as u64 + 2));
        server.clock.advance(20);
        assert_eq!(left().await, both(1), "who has a place is left to who delivers");
        server.clock.advance(MAX_AGE_SECONDS);
        assert_eq!(left().await, [(known.to_owned(), 1)]);
    }
}
