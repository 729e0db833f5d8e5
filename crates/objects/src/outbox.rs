//! What commits with a change besides the change: the time, and a note for the outbox.

use crate::{Completed, Deleted, PartWritten, Result, Timestamp, UploadId, Written};
use bytes::Bytes;
use std::fmt;

/// The largest note, in bytes: the audit record of a request that deletes a thousand keys, and what is told of each.
pub const MAX_NOTE_BYTES: usize = 4 << 20;

/// What a change did, for the note that tells of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// A bucket was opened, closed or changed.
    Bucket,
    /// An object was put or copied.
    Written(&'a Written),
    /// Versions were deleted, or not, each for itself.
    Deleted(&'a [Result<Deleted>]),
    /// A version's description was changed; its revision now.
    Updated(u32),
    /// An upload was begun.
    UploadCreated(&'a UploadId),
    /// A part was put or copied.
    Part(&'a PartWritten),
    /// An upload became an object, now or before.
    Completed(&'a Completed),
    /// An upload was aborted.
    Aborted,
}

/// Writes a note, or leaves it out.
pub type WriteNote = Box<dyn FnOnce(&Outcome<'_>) -> Option<Bytes> + Send>;

/// A note that can also tell what is meant, before it is known what will come of it.
pub trait Tell: Send {
    /// What is noted if the outcome never becomes known: another store was asked, and it did not answer.
    fn intent(&self) -> Option<Bytes>;
    /// The note.
    fn write(self: Box<Self>, outcome: &Outcome<'_>) -> Option<Bytes>;
}

/// An opaque record that is durable exactly when the change is: the caller's audit record of it.
pub enum Note {
    /// Known beforehand.
    Fixed(Bytes),
    /// Written once the outcome is known (version id, entity tag …). Runs on the thread that commits: no I/O, no waiting.
    Of(WriteNote),
    /// The same, and it can tell beforehand what is meant.
    Told(Box<dyn Tell>),
}

impl Note {
    /// A note that is written from the outcome, or left out.
    pub fn of(write: impl FnOnce(&Outcome<'_>) -> Option<Bytes> + Send + 'static) -> Self {
        Self::Of(Box::new(write))
    }

    /// The same note, left out unless this holds of the outcome.
    #[must_use]
    pub fn only_if(self, holds: impl Fn(&Outcome<'_>) -> bool + Send + 'static) -> Self {
        Self::Told(Box::new(Conditional { note: self, holds }))
    }

    pub(crate) fn write(self, outcome: &Outcome<'_>) -> Option<Bytes> {
        match self {
            Self::Fixed(bytes) => Some(bytes),
            Self::Of(write) => write(outcome),
            Self::Told(told) => told.write(outcome),
        }
    }

    /// What is noted if the outcome never becomes known.
    pub(crate) fn intent(&self) -> Option<Bytes> {
        match self {
            Self::Fixed(bytes) => Some(bytes.clone()),
            Self::Of(_) => None,
            Self::Told(told) => told.intent(),
        }
    }
}

struct Conditional<F> {
    note: Note,
    holds: F,
}

impl<F: Fn(&Outcome<'_>) -> bool + Send> Tell for Conditional<F> {
    fn intent(&self) -> Option<Bytes> {
        self.note.intent()
    }

    fn write(self: Box<Self>, outcome: &Outcome<'_>) -> Option<Bytes> {
        let Self { note, holds } = *self;
        if holds(outcome) { note.write(outcome) } else { None }
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Note")
    }
}

/// What every change brings along. The note commits if and only if the change is answered with success.
#[derive(Debug, Default)]
pub struct Commit {
    /// The time of the change.
    pub now: Timestamp,
    /// What to leave in the outbox.
    pub note: Option<Note>,
}

impl Commit {
    /// At this time, without a note.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now, note: None }
    }

    /// With this note.
    #[must_use]
    pub fn with_note(self, note: Note) -> Self {
        Self { note: Some(note), ..self }
    }
}

/// Notes in the order of their commits: each has a number that is larger than all before it and never given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteRecord {
    /// Its number.
    pub number: u64,
    /// What was left.
    pub note: Bytes,
}
