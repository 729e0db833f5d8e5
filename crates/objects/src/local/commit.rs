//! The committer: one thread that makes all changes, in one order, in groups.
//!
//! A change is a closure over [`Tx`]. The committer takes all that wait, runs them one after the other over the same
//! state, writes and syncs the small blobs they packed, commits the index with its own sync, and only then answers.
//! While it waits for the disk the next group gathers; only where many submit changes does it wait for them besides.

use super::epoch::Readers;
use super::index::view::{self, Overlay, Step, Stored};
use super::index::{Changes, IndexError, Space, View, Writer};
use super::keys::RANDOM_BYTES;
use super::packer::{Packer, Payload};
use super::record::Extent;
use super::segment::Segments;
use super::status::{Numbers, Status};
use crate::outbox::{MAX_NOTE_BYTES, Note, Outcome};
use crate::{Error, Result};
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

const QUEUE: usize = 1024;
const BATCH_CHANGES: usize = 1024;
const BATCH_BYTES: usize = 8 << 20;
/// Where the last group had so many changes, there are more on their way, and the next waits a moment for them,
const CROWD: usize = 8;
/// so long, which is less than a sync takes,
const MOMENT: Duration = Duration::from_micros(150);
/// and as long as each brings some, so often.
const MOMENTS: u32 = 4;
/// Fills a buffer with randomness.
pub type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

/// Randomness for all who need some.
pub(super) type SharedEntropy = Arc<Mutex<Entropy>>;

type Answer = Box<dyn FnOnce(Option<&Failure>) + Send>;
type After = Box<dyn FnOnce() + Send>;

/// A change that waits.
pub(super) trait Change: Send {
    fn run(self: Box<Self>, tx: &mut Tx<'_>) -> Answer;
    fn refuse(self: Box<Self>, failure: &Failure);
}

struct Submitted<F, T> {
    change: F,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Change for Submitted<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T> + Send,
    T: Send + 'static,
{
    fn run(self: Box<Self>, tx: &mut Tx<'_>) -> Answer {
        let result = tx.attempt(self.change);
        let reply = self.reply;
        Box::new(move |failure| {
            // nobody waits any more: the change is made all the same
            let _ = reply.send(match failure {
                None => result,
                Some(failure) => Err(failure.error()),
            });
        })
    }

    fn refuse(self: Box<Self>, failure: &Failure) {
        let _ = self.reply.send(Err(failure.error()));
    }
}

/// Why a whole group failed.
pub(super) enum Failure {
    Full,
    Broken(String),
}

impl Failure {
    fn error(&self) -> Error {
        match self {
            Self::Full => Error::Full,
            Self::Broken(reason) => Error::ReadOnly(reason.clone()),
        }
    }
}

/// The way to the committer.
pub(super) struct Commits {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Change>>>>,
}

impl Commits {
    pub(super) fn channel() -> (Self, mpsc::Receiver<Box<dyn Change>>) {
        let (queue, changes) = mpsc::channel(QUEUE);
        (Self { queue: Mutex::new(Some(queue)) }, changes)
    }

    /// Makes a change, alone or not at all, and returns when it is durable. If the future is dropped, the change may
    /// still be made.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Closed)?;
        let (reply, answer) = oneshot::channel();
        queue.send(Box::new(Submitted { change, reply })).await.map_err(|_| Error::Closed)?;
        drop(queue);
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Takes no more changes; the committer ends after those that wait.
    pub(super) fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// One group of changes in the making.
pub(super) struct Tx<'a> {
    pub(super) index: Overlay<'a>,
    pub(super) readers: &'a Readers,
    packer: &'a mut Packer,
    numbers: &'a Numbers,
    entropy: &'a SharedEntropy,
    stamp: u64,
    has_room: bool,
    after: Vec<After>,
    last_note: Option<u64>,
}

impl Tx<'_> {
    /// Runs one change; all that it did is taken back when it fails.
    fn attempt<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (index, packed, after, note) =
            (self.index.mark(), self.packer.mark(), self.after.len(), self.last_note);
        let result = change(self);
        if result.is_err() {
            self.index.roll_back(index);
            self.packer.roll_back(packed);
            self.after.truncate(after);
            self.last_note = note;
        }
        result
    }

    /// Runs a part of a change that may be refused by itself.
    pub(super) fn part<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.attempt(part)
    }

    pub(super) fn load<T: Stored>(&self, key: &[u8]) -> Result<Option<T>> {
        view::load(&self.index, key)
    }

    pub(super) fn store<T: Stored>(&mut self, key: Vec<u8>, value: &T) -> Result<()> {
        self.index.store(key, value)
    }

    pub(super) fn remove(&mut self, space: Space, key: Vec<u8>) {
        self.index.remove(space, key);
    }

    /// The values of a range of keys, at most `limit`.
    pub(super) fn range<T: Stored>(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, T)>> {
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        view::each(&self.index, from, to, &mut |key, value| {
            found.push((key.to_vec(), value));
            Ok(if found.len() < limit { Step::Next } else { Step::Stop })
        })?;
        Ok(found)
    }

    /// Some keys of a range, at most `limit`.
    pub(super) fn rows(&self, space: Space, to: Option<&[u8]>, limit: usize) -> Result<Vec<Vec<u8>>> {
        let mut rows = Vec::new();
        self.index.scan(space, &[], to, &mut |key, _| {
            rows.push(key.to_vec());
            rows.len() < limit
        })?;
        Ok(rows)
    }

    /// A number that was never given before.
    pub(super) fn number(&self) -> u64 {
        self.numbers.next()
    }

    /// The commit that this group becomes.
    pub(super) fn stamp(&self) -> u64 {
        self.stamp
    }

    pub(super) fn random(&mut self) -> [u8; RANDOM_BYTES] {
        let mut random = [0; RANDOM_BYTES];
        fill(self.entropy, &mut random);
        random
    }

    /// Makes room for the next change. Without any, the change is refused if it needs some.
    fn prepare(&mut self) -> bool {
        self.packer.prepare(&mut self.index, self.numbers).unwrap_or(false)
    }

    /// Refuses what makes the store grow when the disk is almost full.
    pub(super) fn needs_room(&self) -> Result<()> {
        if self.has_room { Ok(()) } else { Err(Error::Full) }
    }

    pub(super) fn pack(&mut self, payload: &Payload) -> Result<Extent> {
        self.packer.pack(payload)
    }

    /// The end of what is packed, and in which segment.
    pub(super) fn packed_end(&self) -> (u64, u64) {
        self.packer.end()
    }

    /// Whether small blobs go to this segment, or will.
    pub(super) fn packs_into(&self, segment: u64) -> bool {
        self.packer.owns(segment)
    }

    /// Called once the change is durable; dropped if it is not to be.
    pub(super) fn on_commit(&mut self, call: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(call));
    }

    /// Leaves the note, if there is one, in the outbox.
    pub(super) fn note(&mut self, note: Option<Note>, outcome: &Outcome<'_>) -> Result<()> {
        note.and_then(|note| note.write(outcome)).map_or(Ok(()), |bytes| self.leave(bytes))
    }

    /// Leaves a note in the outbox.
    pub(super) fn leave(&mut self, bytes: Bytes) -> Result<()> {
        crate::request::limit("note", bytes.len(), MAX_NOTE_BYTES)?;
        let number = self.number();
        self.store(super::keys::number(number), &super::record::NotedRecord(bytes))?;
        self.last_note = Some(number);
        Ok(())
    }
}

pub(super) fn fill(entropy: &SharedEntropy, bytes: &mut [u8]) {
    entropy.lock().unwrap_or_else(PoisonError::into_inner)(bytes);
}

/// The thread that makes changes.
pub(super) struct Committer {
    pub(super) changes: mpsc::Receiver<Box<dyn Change>>,
    pub(super) writer: Box<dyn Writer>,
    pub(super) packer: Packer,
    pub(super) segments: Arc<Segments>,
    pub(super) readers: Arc<Readers>,
    pub(super) numbers: Arc<Numbers>,
    pub(super) entropy: SharedEntropy,
    pub(super) status: Arc<Status>,
    /// Whether more than what is kept free is free.
    pub(super) has_room: bool,
    pub(super) notes: watch::Sender<u64>,
    /// How many changes the last group had.
    pub(super) crowd: usize,
}

impl Committer {
    /// Works until nobody is left who could submit a change.
    pub(super) fn work(mut self) {
        let _end = EndOfWriting(Arc::clone(&self.segments));
        while let Some(first) = self.changes.blocking_recv() {
            if let Err(failure) = self.begin() {
                self.end_writing(&failure);
                first.refuse(&failure);
                continue;
            }
            let mut answers = Vec::new();
            let failure = self.group(first, &mut answers).err();
            if failure.is_some() {
                self.writer.abandon();
                self.packer.abandoned();
                self.give_back();
            }
            for answer in answers {
                answer(failure.as_ref());
            }
        }
        // a log that is empty cannot rot
        if self.status.broken().is_none() {
            self.writer.settle();
        }
    }

    fn begin(&mut self) -> Result<(), Failure> {
        if let Some(reason) = self.status.broken() {
            return Err(Failure::Broken(reason.to_owned()));
        }
        self.has_room = self.segments.has_room_for(0);
        if !self.has_room {
            self.give_back();
        }
        self.writer.begin().map_err(|error| error.into())
    }

    /// On a full disk, makes what room there is to make. A failure of it is no full disk.
    fn give_back(&mut self) {
        if self.status.broken().is_none()
            && let Err(error) = self.writer.give_back()
        {
            self.end_writing(&error.into());
        }
    }

    /// A failure that is not a full disk is the last.
    fn end_writing(&self, failure: &Failure) {
        if let Failure::Broken(reason) = failure {
            self.status.fail(reason);
            self.segments.close();
        }
    }

    /// Runs the changes that wait, as far as a group reaches, and commits them.
    fn group(&mut self, first: Box<dyn Change>, answers: &mut Vec<Answer>) -> Result<(), Failure> {
        let stamp = self.readers.committed() + 1;
        let mut tx = Tx {
            index: Overlay::new(self.writer.view()),
            readers: &self.readers,
            packer: &mut self.packer,
            numbers: &self.numbers,
            entropy: &self.entropy,
            stamp,
            has_room: self.has_room,
            after: Vec::new(),
            last_note: None,
        };
        let mut next = Some(first);
        let mut prepared = tx.prepare();
        let mut moments = 0;
        while let Some(change) = next.take() {
            answers.push(change.run(&mut tx));
            if answers.len() < BATCH_CHANGES && tx.packer.pending_bytes() < BATCH_BYTES && prepared {
                prepared = tx.prepare();
            } else {
                prepared = false;
            }
            if prepared {
                next = self.changes.try_recv().ok();
                if next.is_none() && self.crowd >= CROWD && moments < MOMENTS {
                    moments += 1;
                    std::thread::sleep(MOMENT);
                    next = self.changes.try_recv().ok();
                }
            }
        }
        let Tx { index, after, last_note, .. } = tx;
        self.crowd = answers.len();
        let changes = index.into_changes();
        let settled = self.settle(&changes, stamp);
        if let Err(failure) = settled {
            // before the leases are given back with `after`: nobody may write where something may be committed
            self.end_writing(&failure);
            drop(after);
            return Err(failure);
        }
        Status::count(&self.status.changes, answers.len() as u64);
        after.into_iter().for_each(|call| call());
        if let Some(number) = last_note {
            self.notes.send_replace(number);
        }
        Ok(())
    }

    fn settle(&mut self, changes: &Changes, stamp: u64) -> Result<(), Failure> {
        if changes.is_empty() {
            self.writer.abandon();
            return Ok(());
        }
        self.packer.write(&self.status)?;
        self.writer.commit(changes)?;
        self.packer.committed();
        self.readers.commit(stamp);
        Status::count(&self.status.commits, 1);
        Ok(())
    }
}

/// However the committer ends, nobody streams any more after it.
struct EndOfWriting(Arc<Segments>);

impl Drop for EndOfWriting {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Full => Self::Full,
            Error::ReadOnly(reason) => Self::Broken(reason),
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Full => Self::Full,
            IndexError::Failed(reason) => Self::Broken(reason),
        }
    }
}
