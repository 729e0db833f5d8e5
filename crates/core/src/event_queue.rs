//! Messages that wait for their delivery, by destination: durable from the change that they tell of until somebody has
//! taken them.

use daypass_model::Timestamp;
use daypass_store::{Key, Prefix, Read as _, Record, StoreError, TransactError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroize as _;

use crate::key_ring::{KeyRing, KeyRingError, Purpose};
use crate::state::State;

/// The most messages that wait for one destination. What comes then is let go and counted: changes of objects do not wait
/// for whoever is told of them.
const MAX_WAITING: u64 = 100_000;
/// And their bytes.
const MAX_WAITING_BYTES: u64 = 256 << 20;
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
    // S3 was the first to tell of anything.
    fn key_of(destination: &str) -> Key {
        Key::new(&["s3", "event-queue", destination])
    }
}

impl Record for EventQueue {
    fn key(&self) -> Key {
        Self::key_of(&self.destination)
    }
}

/// A message for a destination.
#[derive(Clone)]
pub struct Message {
    destination: String,
    body: String,
    sealed: bool,
}

impl Message {
    /// One that may be read where it waits.
    #[must_use]
    pub fn new(destination: impl Into<String>, body: impl Into<String>) -> Self {
        Self { destination: destination.into(), body: body.into(), sealed: false }
    }

    /// One that holds a secret: it waits sealed.
    ///
    /// # Errors
    /// If encryption fails.
    pub fn secret(ring: &KeyRing, destination: &str, body: &str) -> Result<Self, KeyRingError> {
        let sealed = ring.seal(Purpose::Record, context(destination).as_bytes(), body.as_bytes())?;
        Ok(Self { destination: destination.to_owned(), body: sealed, sealed: true })
    }

    /// How long its body is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.body.len()
    }
}

fn context(destination: &str) -> String {
    format!("event for {destination}")
}

/// What arrives at a topic's subscriber is SNS's (SNS developer guide, "HTTP/HTTPS notification JSON format"), without the
/// signature, for there is no SNS here whose key could make it.
#[must_use]
pub fn topic_notification(
    topic: &str,
    subject: Option<&str>,
    message: &Value,
    id: &str,
    time: &str,
) -> Value {
    let mut notification = json!({
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": topic,
        "Message": message.to_string(),
        "Timestamp": time,
    });
    if let (Some(subject), Some(notification)) = (subject, notification.as_object_mut()) {
        notification.insert("Subject".to_owned(), subject.into());
    }
    notification
}

/// A message that waits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueuedEvent {
    destination: String,
    /// Its place in the order of the destination's.
    pub number: u64,
    /// Since when.
    pub since: Timestamp,
    /// The message: a JSON document.
    pub body: String,
    /// Whether the body is sealed: it holds a secret, and was not opened.
    #[serde(default)]
    sealed: bool,
}

impl QueuedEvent {
    fn all(destination: &str) -> Prefix {
        Prefix::new(&["s3", "event", destination])
    }

    /// The same with its body as it is to be delivered, if this ring sealed it.
    fn opened(mut self, ring: &KeyRing) -> Self {
        if self.sealed {
            let opened = ring.open(Purpose::Record, context(&self.destination).as_bytes(), &self.body);
            if let Some(body) = opened.ok().and_then(|plain| String::from_utf8(plain.expose().clone()).ok()) {
                self.body = body;
                self.sealed = false;
            }
        }
        self
    }
}

/// The body may hold what lets in somewhere.
impl Drop for QueuedEvent {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

impl Record for QueuedEvent {
    fn key(&self) -> Key {
        Key::new(&["s3", "event", &self.destination, &format!("{:020}", self.number)])
    }
}

/// Puts messages into the queues of their destinations, and says how many found no room there and were let go.
///
/// # Errors
/// If the store fails.
pub fn put(tx: &mut Tx<'_>, messages: Vec<Message>, now: Timestamp) -> Result<usize, StoreError> {
    let (mut queues, mut let_go): (Vec<EventQueue>, usize) = (vec![], 0);
    for Message { destination, body, sealed } in messages {
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
            let_go += 1;
            tracing::error!(destination, "too many events wait for this destination: one was let go");
            continue;
        }
        tx.put(&QueuedEvent { destination, number: queue.next, since: now, body, sealed })?;
        queue.next += 1;
        queue.waiting += 1;
        queue.bytes += bytes;
    }
    queues.iter().try_for_each(|queue| tx.put(queue))?;
    Ok(let_go)
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
    let waiting =
        state.store.read(|tx| tx.list::<QueuedEvent>(&QueuedEvent::all(destination), None, most))?;
    Ok(waiting.into_iter().map(|event| event.opened(&state.ring)).collect())
}

/// Forgets messages: they were delivered, or, if `dropped`, are let go.
///
/// # Errors
/// If the store fails. They are delivered again then.
pub async fn forget_events(state: &State, events: &[QueuedEvent], dropped: bool) -> Result<(), StoreError> {
    let done = state.store.transact(|tx| {
        for event in events {
            // As it was counted: what was sealed is shorter open.
            let Some(kept) = tx.get::<QueuedEvent>(&event.key())? else { continue };
            tx.delete(&event.key());
            let known = tx.get::<EventQueue>(&EventQueue::key_of(&event.destination))?;
            if let Some(mut queue) = known {
                queue.waiting = queue.waiting.saturating_sub(1);
                queue.bytes = queue.bytes.saturating_sub(length(&kept.body));
                queue.dropped += u64::from(dropped);
                tx.put(&queue)?;
            }
        }
        Ok(())
    });
    done.await.map_err(failed)
}

/// Lets go of those among messages that nobody took for a day, or that do not open, says so, and gives back the others.
///
/// # Errors
/// If the store fails.
pub async fn without_old(state: &State, events: Vec<QueuedEvent>) -> Result<Vec<QueuedEvent>, StoreError> {
    let oldest = state.clock.now().plus_seconds(-MAX_AGE_SECONDS);
    let (unreadable, events): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| event.sealed);
    if let Some(first) = unreadable.first() {
        let (number, destination) = (unreadable.len(), &first.destination);
        tracing::error!(number, destination, "events that another key ring sealed are let go");
        forget_events(state, &unreadable, true).await?;
    }
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
    use super::*;
    use crate::testing::TestServer;

    #[tokio::test]
    async fn a_full_queue_lets_go_what_comes_and_counts_it() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let message = || vec![Message::new("q", "{}")];
        let (now, next) = (state.clock.now(), 7);
        let almost =
            EventQueue { destination: "q".to_owned(), waiting: MAX_WAITING - 1, bytes: 0, dropped: 0, next };
        state.store.transact(|tx| tx.put(&almost)).await.map_err(failed).unwrap();
        for (waiting, dropped) in [(MAX_WAITING, 0), (MAX_WAITING, 1), (MAX_WAITING, 2)] {
            let let_go = state.store.transact(|tx| put(tx, message(), now)).await.map_err(failed).unwrap();
            assert_eq!(let_go, usize::from(dropped > 0));
            let [queue] = &event_queues(state).unwrap()[..] else { panic!("one queue") };
            assert_eq!((queue.waiting, queue.dropped), (waiting, dropped));
        }
        assert_eq!(waiting_events(state, "q", 10).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_queue_is_full_of_bytes_as_well_and_empties() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let message = || vec![Message::new("q", "x".repeat(1000))];
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
        let known = crate::testing::DESTINATIONS[0];
        let add = async |destination: &str| {
            let message = || vec![Message::new(destination, "{}")];
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

    #[tokio::test]
    async fn what_holds_a_secret_waits_sealed_and_is_delivered_open() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let message = Message::secret(&state.ring, "q", r#"{"token":"hush"}"#).unwrap();
        let now = state.clock.now();
        state.store.transact(|tx| put(tx, vec![message.clone()], now)).await.map_err(failed).unwrap();
        let kept = state.store.read(|tx| tx.all::<QueuedEvent>(&QueuedEvent::all("q"))).unwrap();
        assert!(kept.iter().all(|event| event.sealed && !event.body.contains("hush")));
        let waiting = waiting_events(state, "q", 10).unwrap();
        let [event] = &waiting[..] else { panic!("one event") };
        assert_eq!(event.body, r#"{"token":"hush"}"#);
        let delivered = without_old(state, waiting).await.unwrap();
        assert_eq!(delivered.len(), 1);
        forget_events(state, &delivered, false).await.unwrap();
        let [queue] = &event_queues(state).unwrap()[..] else { panic!("one queue") };
        assert_eq!((queue.waiting, queue.bytes), (0, 0));
        // Sealed for another destination, it is nobody's.
        let mut moved = kept[0].clone();
        moved.destination = "other".to_owned();
        assert!(without_old(state, vec![moved.opened(&state.ring)]).await.unwrap().is_empty());
    }
}
