//! The way of audit records from the object store to the audit log, and of what is told of changes to the store of records.
//!
//! The record of a change of objects is committed with the change, in the object store's outbox. From there it is moved
//! to the audit log, where it is found; a record that is moved twice counts once. What the change is to be told others of
//! ([`Told`]) goes the same way, and may be told twice after a crash.

use bytes::Bytes;
use daypass_objects::Note;
use daypass_store::{AuditRecord, Key, Prefix, Record, StoreError, TransactError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::state::State;

/// So many are moved at once.
const AT_ONCE: usize = 256;
/// Begins a note that holds more than an audit record, which begins otherwise.
const TELLS: u8 = 2;

/// Records could not be moved. They stay where they are.
#[derive(Debug, Error)]
pub enum Undrained {
    /// The object store failed.
    #[error(transparent)]
    Objects(#[from] daypass_objects::Error),
    /// The store of the audit log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who moves records has this: two at once would tell of the same changes twice.
#[derive(Debug, Default)]
pub struct Moving(tokio::sync::Mutex<()>);

/// How far records were moved. Its being written makes the records before it durable, so that they may be forgotten.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Drained {
    up_to: u64,
}

impl Record for Drained {
    fn key(&self) -> Key {
        Key::new(&["outbox", "objects"])
    }
}

/// What others are to be told of a change of objects, in the words of the service that made it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Its place in the order of all changes of objects.
    pub number: u64,
    /// What is told.
    pub what: Value,
}

impl Told {
    /// Where all of them stand, in their order.
    #[must_use]
    pub fn all() -> Prefix {
        Prefix::new(&["outbox", "told"])
    }
}

impl Record for Told {
    fn key(&self) -> Key {
        Key::new(&["outbox", "told", &format!("{:020}", self.number)])
    }
}

/// The record as the outbox holds it, and what is told of the change.
pub(crate) fn write(record: &AuditRecord, told: Option<&Value>) -> Option<Bytes> {
    let bytes = record.to_bytes().map(|record| match told {
        None => record,
        Some(told) => telling(told, &record),
    });
    if let Err(error) = &bytes {
        tracing::error!(%error, "an audit record cannot be written");
    }
    bytes.ok().map(Bytes::from)
}

/// The note of a change that has no audit record, for it was asked for by nobody, and is told of all the same.
#[must_use]
pub fn only_told(tell: impl FnOnce(&daypass_objects::Outcome<'_>) -> Option<Value> + Send + 'static) -> Note {
    Note::of(move |outcome| Some(telling(&tell(outcome)?, &[]).into()))
}

/// Moves all records that wait in the object store's outbox to the audit log, and says how many there were. Whoever comes while
/// another does waits until they are moved.
///
/// # Errors
/// If either store fails. What was not moved stays.
pub async fn drain(state: &State) -> Result<usize, Undrained> {
    let _moving = state.moving.0.lock().await;
    let mut moved = 0;
    loop {
        let notes = state.objects.notes(0, AT_ONCE).await?;
        let Some(last) = notes.last() else { return Ok(moved) };
        let up_to = last.number;
        let (mut records, mut told) = (vec![], vec![]);
        for note in &notes {
            let (record, what) = read(note);
            records.extend(record);
            told.extend(what.map(|what| Told { number: note.number, what }));
        }
        moved += records.len();
        let outcome = state.store.transact(|tx| {
            records.iter().cloned().for_each(|record| tx.audit(record));
            told.iter().try_for_each(|told| tx.put(told))?;
            tx.put(&Drained { up_to })
        });
        outcome.await.map_err(|error| match error {
            TransactError::Aborted(error) | TransactError::Store(error) => error,
        })?;
        state.objects.acknowledge(up_to).await?;
    }
}

/// A note of ours. Nothing else is ever left there; what does not read cannot be helped by trying again.
fn read(note: &daypass_objects::NoteRecord) -> (Option<AuditRecord>, Option<Value>) {
    let (told, record) = match parts(&note.note) {
        Some((told, record)) => (serde_json::from_slice(told).ok(), record),
        None => (None, &note.note[..]),
    };
    if told.is_some() && record.is_empty() {
        return (None, told);
    }
    let record = AuditRecord::from_bytes(record);
    if let Err(error) = &record {
        tracing::error!(%error, number = note.number, "an audit record in the outbox cannot be read");
    }
    (record.ok(), told)
}

/// A note that tells: how long what is told is, that, and the record if there is one.
fn telling(told: &Value, record: &[u8]) -> Vec<u8> {
    let told = told.to_string();
    let length = u32::try_from(told.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[TELLS][..], &length, told.as_bytes(), record].concat()
}

/// What is told, and the record, of a note that tells.
fn parts(note: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = note.strip_prefix(&[TELLS])?.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use daypass_objects::{BucketId, Commit, Note, Timestamp};
    use daypass_store::Read as _;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::testing::TestServer;

    #[tokio::test]
    async fn a_record_reaches_the_log_once_however_often_it_is_moved() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let record = AuditRecord {
            event_id: "e-1".to_owned(),
            request_id: "r-1".to_owned(),
            account: crate::testing::ACCOUNT.to_owned(),
            event: "{}".to_owned(),
            management: true,
            resources: vec![("AWS::S3::Bucket".to_owned(), "b".to_owned())],
            ..AuditRecord::default()
        };
        let noted = |record: &AuditRecord| {
            Commit::at(Timestamp(1)).with_note(Note::Fixed(write(record, None).unwrap()))
        };
        state.objects.open_bucket(BucketId(1), noted(&record)).await.unwrap();
        state.objects.close_bucket(BucketId(1), noted(&record)).await.unwrap();
        state
            .objects
            .open_bucket(BucketId(2), Commit::at(Timestamp(1)).with_note(Note::Fixed("x".into())))
            .await
            .unwrap();
        assert_eq!(drain(state).await.unwrap(), 2, "what does not read is left out");
        assert_eq!(drain(state).await.unwrap(), 0, "they are forgotten where they were");
        let log = server.audit();
        assert_eq!(log.len(), 1);
        assert_eq!(AuditRecord { sequence: 0, ..log[0].clone() }, record);
    }

    #[tokio::test]
    async fn who_moves_records_at_once_with_another_tells_of_nothing_twice() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        let commit = Commit::at(Timestamp(1)).with_note(only_told(|_| Some(Value::from(1))));
        state.objects.open_bucket(BucketId(1), commit).await.unwrap();
        // Takes what it moved, as who makes messages of it does.
        let take = async || {
            drain(state).await.unwrap();
            let take = state.store.transact(|tx| {
                let told = tx.list::<Told>(&Told::all(), None, 10)?;
                told.iter().for_each(|told| tx.delete(&told.key()));
                Ok::<_, StoreError>(told.len())
            });
            take.await.unwrap()
        };
        let (mut first, mut second) = (std::pin::pin!(take()), std::pin::pin!(take()));
        assert!(first.as_mut().now_or_never().is_none(), "it looks what there is to move");
        let mut early = None;
        for _ in 0..50 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            early = second.as_mut().now_or_never();
            if early.is_some() {
                break;
            }
        }
        let taken = first.await
            + match early {
                Some(taken) => taken,
                None => second.await,
            };
        assert_eq!(taken, 1);
    }

    #[tokio::test]
    async fn what_is_told_of_a_change_stands_in_the_order_of_changes() {
        let server = TestServer::new([]).await;
        let state = server.gate.state();
        for number in 1..=3 {
            let note = if number == 2 {
                only_told(|_| Some(Value::from(2)))
            } else {
                Note::Fixed(write(&AuditRecord::default(), Some(&Value::from(number))).unwrap())
            };
            let commit = Commit::at(Timestamp(1)).with_note(note);
            state.objects.open_bucket(BucketId(number), commit).await.unwrap();
        }
        assert_eq!(drain(state).await.unwrap(), 2, "records");
        let told = state.store.read(|tx| tx.all::<Told>(&Told::all())).unwrap();
        let told: Vec<_> = told.into_iter().map(|told| told.what).collect();
        assert_eq!(told, [1, 2, 3]);
    }
}
