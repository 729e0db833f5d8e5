//! Versions that wait to be replicated: durable from their change until they were, or could not be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::State;
use daypass_core::model::Timestamp;
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, TransactError, Tx};
use serde::{Deserialize, Serialize};

use super::intent::{Intents, What};

/// The most that wait. What comes then stays pending and is let go, for changes of objects do not wait for their replicas.
const MAX_WAITING: u64 = 1_000_000;
/// What cannot be done for a passing reason is tried again after so long, then after twice that …
const FIRST_RETRY_MILLIS: i64 = 1_000;
/// … up to this.
const LAST_RETRY_MILLIS: i64 = 300_000;
/// And is given up after so long.
const MAX_AGE_SECONDS: i64 = 24 * 3600;

/// How much waits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Queue {
    waiting: u64,
    /// The number of the next.
    next: u64,
}

impl Queue {
    fn place() -> Key {
        Key::new(&["s3", "replication", "queue"])
    }
}

impl Record for Queue {
    fn key(&self) -> Key {
        Self::place()
    }
}

/// A version that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Task {
    number: u64,
    /// It is tried at this time; they stand in this order.
    due: Timestamp,
    since: Timestamp,
    attempts: u32,
    pub(super) bucket: String,
    pub(super) bucket_number: u64,
    pub(super) what: What,
    /// Base64.
    key: String,
    pub(super) version: String,
}

impl Task {
    fn all() -> Prefix {
        Prefix::new(&["s3", "replication", "task"])
    }

    /// The object's key.
    pub(super) fn object_key(&self) -> String {
        String::from_utf8_lossy(&BASE64.decode(&self.key).unwrap_or_default()).into_owned()
    }

    /// Whether it is given up, should it fail once more.
    pub(super) fn is_old(&self, now: Timestamp) -> bool {
        self.since < now.plus_seconds(-MAX_AGE_SECONDS)
    }

    /// The same, to be tried again.
    fn again(&self, now: Timestamp) -> Self {
        let wait = FIRST_RETRY_MILLIS.saturating_mul(1_i64 << self.attempts.min(20)).min(LAST_RETRY_MILLIS);
        let due = Timestamp::from_millis(now.millis().saturating_add(wait));
        Self { due, attempts: self.attempts.saturating_add(1), ..self.clone() }
    }
}

impl Record for Task {
    fn key(&self) -> Key {
        let due = self.due.millis().max(0);
        Key::new(&["s3", "replication", "task", &format!("{due:020}-{:020}", self.number)])
    }
}

/// Puts versions into the queue.
///
/// # Errors
/// If the store fails.
pub(crate) fn put(tx: &mut Tx<'_>, intents: Vec<Intents>, now: Timestamp) -> Result<(), StoreError> {
    if intents.is_empty() {
        return Ok(());
    }
    let mut queue = tx.get::<Queue>(&Queue::place())?.unwrap_or_default();
    for Intents { bucket, number, what, of } in intents {
        for (key, version) in of {
            if queue.waiting >= MAX_WAITING {
                tracing::error!(bucket, key, version, "too much waits to be replicated: this was let go");
                continue;
            }
            let bucket = bucket.clone();
            let (due, since, attempts, bucket_number) = (now, now, 0, number);
            let task =
                Task { number: queue.next, due, since, attempts, bucket, bucket_number, what, key, version };
            tx.put(&task)?;
            queue.next += 1;
            queue.waiting += 1;
        }
    }
    tx.put(&queue)
}

/// The first tasks whose time has come, at most so many.
///
/// # Errors
/// If the store fails.
pub(super) fn due(state: &State, most: usize) -> Result<Vec<Task>, StoreError> {
    let now = state.clock.now();
    let mut tasks = state.store.read(|tx| tx.list::<Task>(&Task::all(), None, most))?;
    tasks.retain(|task| task.due <= now);
    Ok(tasks)
}

/// Takes out those that are done, and puts the others behind.
///
/// # Errors
/// If the store fails. They are done again then, which changes nothing.
pub(super) async fn settle(state: &State, done: &[Task], again: &[Task]) -> Result<(), StoreError> {
    let now = state.clock.now();
    let settled = state.store.transact(|tx| {
        let mut queue = tx.get::<Queue>(&Queue::place())?.unwrap_or_default();
        for task in done.iter().chain(again) {
            tx.delete(&task.key());
        }
        again.iter().try_for_each(|task| tx.put(&task.again(now)))?;
        queue.waiting = queue.waiting.saturating_sub(u64::try_from(done.len()).unwrap_or(u64::MAX));
        tx.put(&queue)
    });
    settled.await.map_err(|error| match error {
        TransactError::Aborted(error) | TransactError::Store(error) => error,
    })
}

#[cfg(test)]
mod tests {
    use daypass_core::testing::TestServer;

    use super::*;

    fn intents(versions: usize) -> Vec<Intents> {
        let of = (0..versions).map(|number| (BASE64.encode("k"), format!("{number:040}"))).collect();
        vec![Intents { bucket: "b".to_owned(), number: 1, what: What::Made, of }]
    }

    async fn queue_up(state: &State, versions: usize) {
        let now = state.clock.now();
        let queued = state.store.transact(|tx| put(tx, intents(versions), now));
        let queued: Result<(), TransactError<StoreError>> = queued.await;
        queued.unwrap();
    }

    fn waiting(state: &State) -> u64 {
        state.store.read(|tx| tx.get::<Queue>(&Queue::place())).unwrap().unwrap().waiting
    }

    #[tokio::test]
    async fn what_is_tried_again_waits_longer_each_time_and_is_given_up_after_a_day() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        queue_up(state, 1).await;
        let mut waited = vec![];
        for _ in 0..12 {
            let mut seconds = 0;
            let task = loop {
                match due(state, 10).unwrap().pop() {
                    Some(task) => break task,
                    None => server.clock.advance(1),
                }
                seconds += 1;
            };
            waited.push(seconds);
            assert!(!task.is_old(state.clock.now()));
            settle(state, &[], &[task]).await.unwrap();
            assert_eq!(waiting(state), 1);
        }
        assert_eq!(waited, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        server.clock.advance(MAX_AGE_SECONDS);
        let task = due(state, 10).unwrap().pop().unwrap();
        assert!(task.is_old(state.clock.now()));
        settle(state, &[task], &[]).await.unwrap();
        assert_eq!((waiting(state), due(state, 10).unwrap().len()), (0, 0));
    }

    #[tokio::test]
    async fn what_comes_when_too_much_waits_is_let_go() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let almost = Queue { waiting: MAX_WAITING - 2, next: 7 };
        let put = state.store.transact(|tx| tx.put(&almost));
        let put: Result<(), TransactError<StoreError>> = put.await;
        put.unwrap();
        queue_up(state, 5).await;
        assert_eq!((waiting(state), due(state, 10).unwrap().len()), (MAX_WAITING, 2));
    }
}
