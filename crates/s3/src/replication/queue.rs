//! Versions that wait to be replicated: durable from their change until they were, or could not be.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::State;
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::objects::VersionId;
use daypass_core::store::{Key, Prefix, Read, Record, StoreError, TransactError, Tx};
use serde::{Deserialize, Serialize};

use super::ending::Original;
use super::intent::{Intents, What};
use crate::bucket::Bucket;

/// The most that wait of one account. What comes then has failed, for changes of objects do not wait for their replicas.
const MAX_WAITING: u64 = 1_000_000;
/// What cannot be done for a passing reason is tried again after so long, then after twice that …
const FIRST_RETRY_MILLIS: i64 = 1_000;
/// … up to this.
const LAST_RETRY_MILLIS: i64 = 300_000;
/// And is given up after so long.
const MAX_AGE_SECONDS: i64 = 24 * 3600;

/// The number of the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    next: u64,
}

impl Numbers {
    fn place() -> Key {
        Key::new(&["s3", "replication", "numbers"])
    }
}

impl Record for Numbers {
    fn key(&self) -> Key {
        Self::place()
    }
}

/// How much waits of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    account: AccountId,
    versions: u64,
}

impl Waiting {
    fn of(tx: &impl Read, account: &AccountId) -> Result<u64, StoreError> {
        Ok(tx.get::<Self>(&Self::place(account))?.map_or(0, |waiting| waiting.versions))
    }

    fn place(account: &AccountId) -> Key {
        Key::new(&["s3", "replication", "waiting", account.as_str()])
    }
}

impl Record for Waiting {
    fn key(&self) -> Key {
        Self::place(&self.account)
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
    account: AccountId,
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
        decoded(&self.key)
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

fn decoded(key: &str) -> String {
    String::from_utf8_lossy(&BASE64.decode(key).unwrap_or_default()).into_owned()
}

impl Record for Task {
    fn key(&self) -> Key {
        let due = self.due.millis().max(0);
        Key::new(&["s3", "replication", "task", &format!("{due:020}-{:020}", self.number)])
    }
}

/// Takes out of what is to be queued what finds no room, and says of it that its replication has failed.
///
/// # Errors
/// If the store fails.
pub(crate) async fn fit(state: &State, all: impl Iterator<Item = &mut Intents>) -> Result<(), StoreError> {
    let mut waiting = HashMap::new();
    for intents in all {
        let waiting = match waiting.entry(intents.account.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let now = state.store.read(|tx| Waiting::of(tx, &intents.account))?;
                new.insert(now)
            }
        };
        let room = usize::try_from(MAX_WAITING.saturating_sub(*waiting)).unwrap_or(usize::MAX);
        let over = intents.of.split_off(room.min(intents.of.len()));
        *waiting += u64::try_from(intents.of.len()).unwrap_or(u64::MAX);
        if !over.is_empty() {
            fail(state, intents, &over).await?;
        }
    }
    Ok(())
}

async fn fail(state: &State, intents: &Intents, over: &[(String, String)]) -> Result<(), StoreError> {
    let Intents { bucket, number, account, what, .. } = intents;
    let versions = over.len();
    tracing::error!(bucket, %account, versions, "not replicated: too much of the account waits to be");
    let found = state.kept.get::<Bucket>(&Bucket::key_of(bucket))?;
    let Some(found) = found.filter(|found| found.number == *number) else { return Ok(()) };
    if *what == What::Marker {
        return Ok(());
    }
    for (key, version) in over {
        let Ok(id) = VersionId::parse(version) else { continue };
        let original = Original { state, bucket: &found, key: &decoded(key) };
        if let Err(why) = original.fail(&id).await {
            tracing::error!(bucket, version, "its replication failed, which could not be said of it: {why}");
        }
    }
    Ok(())
}

/// Puts versions into the queue, for which there is room.
///
/// # Errors
/// If the store fails.
pub(crate) fn put(tx: &mut Tx<'_>, intents: Vec<Intents>, now: Timestamp) -> Result<(), StoreError> {
    if intents.is_empty() {
        return Ok(());
    }
    let mut numbers = tx.get::<Numbers>(&Numbers::place())?.unwrap_or_default();
    for Intents { bucket, number, account, what, of } in intents {
        let waiting = Waiting::of(tx, &account)?;
        let versions = waiting.saturating_add(u64::try_from(of.len()).unwrap_or(u64::MAX));
        tx.put(&Waiting { account: account.clone(), versions })?;
        for (key, version) in of {
            let (bucket, account) = (bucket.clone(), account.clone());
            tx.put(&Task {
                number: numbers.next,
                due: now,
                since: now,
                attempts: 0,
                account,
                bucket,
                bucket_number: number,
                what,
                key,
                version,
            })?;
            numbers.next += 1;
        }
    }
    tx.put(&numbers)
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
        for task in done.iter().chain(again) {
            tx.delete(&task.key());
        }
        again.iter().try_for_each(|task| tx.put(&task.again(now)))?;
        let mut ended: BTreeMap<&str, (&AccountId, u64)> = BTreeMap::new();
        for task in done {
            ended.entry(task.account.as_str()).or_insert((&task.account, 0)).1 += 1;
        }
        for (account, number) in ended.into_values() {
            let versions = Waiting::of(tx, account)?.saturating_sub(number);
            tx.put(&Waiting { account: account.clone(), versions })?;
        }
        Ok(())
    });
    settled.await.map_err(|error| match error {
        TransactError::Aborted(error) | TransactError::Store(error) => error,
    })
}

/// So much less than the most waits of an account.
#[cfg(test)]
pub(super) async fn fill(state: &State, account: &AccountId, but: u64) {
    let full = Waiting { account: account.clone(), versions: MAX_WAITING - but };
    let filled = state.store.transact(|tx| tx.put(&full)).await;
    filled.map_err(|error: TransactError<StoreError>| error).unwrap();
}

#[cfg(test)]
mod tests {
    use daypass_core::testing::{TestServer, account};

    use super::*;

    fn intents(versions: usize) -> Vec<Intents> {
        let of = (0..versions).map(|number| (BASE64.encode("k"), format!("{number:040}"))).collect();
        vec![Intents { bucket: "b".to_owned(), number: 1, account: account(), what: What::Made, of }]
    }

    async fn queue_up(state: &State, versions: usize) {
        let now = state.clock.now();
        let queued = state.store.transact(|tx| put(tx, intents(versions), now));
        let queued: Result<(), TransactError<StoreError>> = queued.await;
        queued.unwrap();
    }

    fn waiting(state: &State) -> u64 {
        state.store.read(|tx| Waiting::of(tx, &account())).unwrap()
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
}
