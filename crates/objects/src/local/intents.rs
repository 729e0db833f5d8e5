//! What other stores are asked, from before the question until after the answer.

use super::commit::Tx;
use super::index::Space;
use super::keys;
use super::record::IntentRecord;
use crate::Result;
use crate::outbox::MAX_NOTE_BYTES;
use bytes::Bytes;

/// Something that another store is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent(u64);

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It was done, and this is the note of it.
    Done(Option<Bytes>),
    /// It was not done.
    Refused,
    /// It is not known whether it was done: what was intended is noted.
    Unknown,
}

pub(super) fn begin(tx: &mut Tx<'_>, unknown: Bytes) -> Result<Intent> {
    crate::request::limit("note", unknown.len(), MAX_NOTE_BYTES)?;
    let number = tx.number();
    tx.store(keys::number(number), &IntentRecord(unknown))?;
    Ok(Intent(number))
}

pub(super) fn settle(tx: &mut Tx<'_>, intent: Option<Intent>, how: Settlement) -> Result<()> {
    let intended = intent.map(|Intent(number)| tx.load::<IntentRecord>(&keys::number(number))).transpose()?;
    let note = match how {
        Settlement::Done(note) => note,
        Settlement::Refused => None,
        Settlement::Unknown => intended.flatten().map(|IntentRecord(note)| note),
    };
    if let Some(Intent(number)) = intent {
        tx.remove(Space::Intents, keys::number(number));
    }
    note.map_or(Ok(()), |note| tx.leave(note))
}

pub(super) fn note_all(tx: &mut Tx<'_>) -> Result<usize> {
    let lost = tx.range::<IntentRecord>(&[], None, usize::MAX)?;
    let count = lost.len();
    for (row, IntentRecord(note)) in lost {
        tx.remove(Space::Intents, row);
        tx.leave(note)?;
    }
    Ok(count)
}
