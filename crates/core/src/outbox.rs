//! The way of audit records from the object store to the audit log.
//!
//! The record of a change of objects is committed with the change, in the object store's outbox. From there it is moved
//! to the audit log, where it is found; a record that is moved twice counts once.

use bytes::Bytes;
use daypass_store::{AuditRecord, Key, Record, StoreError, TransactError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::state::State;

/// So many are moved at once.
const AT_ONCE: usize = 1000;

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

/// The record as the outbox holds it.
pub(crate) fn write(record: &AuditRecord) -> Option<Bytes> {
    let bytes = record.to_bytes();
    if let Err(error) = &bytes {
        tracing::error!(%error, "an audit record cannot be written");
    }
    bytes.ok().map(Bytes::from)
}

/// Moves all records that wait in the object store's outbox to the audit log, and says how many there were.
///
/// # Errors
/// If either store fails. What was not moved stays.
pub async fn drain(state: &State) -> Result<usize, Undrained> {
    let mut moved = 0;
    loop {
        let notes = state.objects.notes(0, AT_ONCE).await?;
        let Some(last) = notes.last() else { return Ok(moved) };
        let up_to = last.number;
        let records: Vec<AuditRecord> = notes.iter().filter_map(read).collect();
        moved += records.len();
        let outcome = state.store.transact(|tx| {
            records.iter().cloned().for_each(|record| tx.audit(record));
            tx.put(&Drained { up_to })
        });
        outcome.await.map_err(|error| match error {
            TransactError::Aborted(error) | TransactError::Store(error) => error,
        })?;
        state.objects.acknowledge(up_to).await?;
    }
}

/// A note of ours. Nothing else is ever left there; what does not read cannot be helped by trying again.
fn read(note: &daypass_objects::NoteRecord) -> Option<AuditRecord> {
    let record = AuditRecord::from_bytes(&note.note);
    if let Err(error) = &record {
        tracing::error!(%error, number = note.number, "an audit record in the outbox cannot be read");
    }
    record.ok()
}

#[cfg(test)]
mod tests {
    use daypass_objects::{BucketId, Commit, Note, Timestamp};

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
        let noted =
            |record: &AuditRecord| Commit::at(Timestamp(1)).with_note(Note::Fixed(write(record).unwrap()));
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
}
