//! The engine: the trait over the parts.

use super::frozen::Frozen;
use super::index::View;
use super::index::sqlite::{Sqlite, SqliteReader};
use super::index::view::{self, Step, Stored};
use super::open::{self, Options};
use super::reading::{self, snapshot};
use super::record::{GarbageRecord, NotedRecord};
use super::{
    Shared, buckets, check, collect, copying, intake, keys, listing, objects, replicas, scrub, uploads,
};
use crate::checksum::Algorithms;
use crate::multipart::MAX_PARTS;
use crate::request::{MAX_META_BYTES, MAX_TAGS_BYTES, limit};
use crate::{
    After, AfterUpload, AfterVersion, At, Body, BucketId, BucketInfo, Collected, Commit, CompleteUpload,
    Completed, Copy, CopyPart, CreateUpload, Delete, Deleted, Error, Health, Keys, MAX_PAGE, NoteRecord,
    ObjectPage, Objects, Opened, PartPage, PartWritten, Parts, Put, PutPart, PutReplica, Result, Scrubbed,
    Timestamp, Update, Upload, UploadAt, UploadId, UploadPage, Version, VersionPage, Versioning, Written,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use tokio::sync::watch;

/// The most deletes of one change (Amazon S3 API Reference, "DeleteObjects").
const MOST_DELETES: usize = 1000;
/// Notes are given out up to this many bytes at once, and one more.
const MOST_NOTE_BYTES: usize = 8 << 20;
/// Things are counted up to here.
const COUNTED: u64 = 10_000;

/// A store in a directory of its own.
///
/// Dropping it waits for the changes that were submitted, and gives the directory free.
pub struct Local {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    index: Sqlite,
    _lock: File,
}

impl Local {
    /// Opens a directory, making the store if there is none. Blocks: it reads, syncs, and may write a new segment.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::UnknownFormat`], [`Error::BadOption`], [`Error::Full`], and what the disk fails with.
    pub fn open(directory: &Path, options: Options) -> Result<Self> {
        let opened = open::open(directory, options)?;
        Ok(Self { shared: opened.shared, threads: opened.threads, index: opened.index, _lock: opened.lock })
    }

    /// The number of the last note, whenever there is a new one; 0 before the first since the store was opened.
    #[must_use]
    pub fn last_note(&self) -> watch::Receiver<u64> {
        self.shared.notes.clone()
    }

    /// Goes through all the books and, if `deep`, all bytes, and says what is wrong with them. Changes nothing, and sees
    /// one state of the store.
    ///
    /// # Errors
    /// What reading the index fails with.
    pub async fn check(&self, deep: bool) -> Result<check::Checked> {
        let shared = Arc::clone(&self.shared);
        let check = move |reader: &mut SqliteReader| {
            let _reading = shared.readers.enter();
            let progress = &mut |_| {};
            let mut sight = check::Sight { segments: &shared.segments, keyring: &*shared.keyring, progress };
            snapshot(reader, |view| check::check(view, &mut sight, deep))
        };
        self.shared.reads.run(check).await?
    }

    /// Holds the state as it is now, so that it can be copied while writing goes on. Blocks for a moment.
    ///
    /// # Errors
    /// What reading the index fails with.
    pub fn freeze(&self) -> Result<Frozen> {
        Frozen::new(&self.shared, &self.index)
    }

    /// Records what another store is about to be asked; it is durable when this returns.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`crate::MAX_NOTE_BYTES`], and what writing fails with.
    pub async fn intend(&self, unknown: bytes::Bytes) -> Result<super::intents::Intent> {
        self.shared.commits.submit(move |tx| super::intents::begin(tx, unknown)).await
    }

    /// Puts what came of it in the place of what was intended: a note, or nothing.
    ///
    /// # Errors
    /// What writing fails with. The intent stays then.
    pub async fn settle(
        &self,
        intent: Option<super::intents::Intent>,
        how: super::intents::Settlement,
    ) -> Result<()> {
        self.shared.commits.submit(move |tx| super::intents::settle(tx, intent, how)).await
    }

    /// Makes notes of all intents: of what became of them before the store was opened nothing will be heard any more. Says
    /// how many there were. To be called before anything is intended.
    ///
    /// # Errors
    /// What writing fails with.
    pub async fn note_lost_intents(&self) -> Result<usize> {
        self.shared.commits.submit(super::intents::note_all).await
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn View) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.shared.reads.run(move |reader: &mut SqliteReader| snapshot(reader, look)).await?
    }

    /// The same of what is soon done.
    async fn find<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn View) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.shared.reads.look(move |reader: &mut SqliteReader| snapshot(reader, look)).await?
    }

    async fn put_now(&self, put: Put, body: Body) -> Result<Written> {
        put.description.check()?;
        let (digests, content) = intake::take_in(&self.shared, body, put.checksums, put.seal).await?;
        self.shared.commits.submit(move |tx| objects::put(tx, put, digests, content)).await
    }

    async fn put_part_now(&self, mut part: PutPart, body: Body) -> Result<PartWritten> {
        check_number(part.number)?;
        let upload = self.shared.upload_record(part.upload.clone()).await?;
        part.checksums = uploads::of_upload(&upload).into_iter().fold(part.checksums, Algorithms::with);
        let (digests, content) = intake::take_in(&self.shared, body, part.checksums, upload.seal).await?;
        self.shared.commits.submit(move |tx| uploads::put_part(tx, part, digests, content)).await
    }

    async fn health_now(&self) -> Result<Health> {
        let status = &self.shared.status;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let mut health = Health {
            read_only: status.broken().map(str::to_owned),
            free_bytes: self.shared.segments.free_bytes().unwrap_or(0),
            commits: count(&status.commits),
            changes: count(&status.changes),
            data_syncs: count(&status.data_syncs),
            corrupt_blocks: count(&status.corrupt_blocks),
            ..Health::default()
        };
        let books = |view: &dyn View| {
            Ok((open::all_segments(view)?, counted::<NotedRecord>(view)?, counted::<GarbageRecord>(view)?))
        };
        let (segments, notes, garbage) = self.look(books).await?;
        health.used_bytes = segments.iter().map(|(_, record)| record.used).sum();
        health.live_bytes = segments.iter().map(|(_, record)| record.live).sum();
        health.segments = segments.len() as u64;
        (health.notes, health.garbage) = (notes, garbage);
        (health.scrubs, health.damaged) = self.shared.scrub.report();
        Ok(health)
    }
}

fn counted<T: Stored>(view: &dyn View) -> Result<u64> {
    let mut count = 0;
    view.scan(T::SPACE, &[], None, &mut |_, _| {
        count += 1;
        count < COUNTED
    })?;
    Ok(count)
}

fn check_number(number: u16) -> Result<()> {
    if (1..=MAX_PARTS).contains(&number) { Ok(()) } else { Err(Error::InvalidPartOrder) }
}

fn notes(view: &dyn View, after: u64, limit: usize) -> Result<Vec<NoteRecord>> {
    let mut notes = Vec::new();
    let Some(first) = after.checked_add(1) else { return Ok(notes) };
    let mut bytes = 0;
    view::each(view, &keys::number(first), None, &mut |key, NotedRecord(note)| {
        if notes.len() == limit || bytes > MOST_NOTE_BYTES {
            return Ok(Step::Stop);
        }
        bytes += note.len();
        notes.push(NoteRecord { number: keys::to_number(key)?, note });
        Ok(Step::Next)
    })?;
    Ok(notes)
}

impl Drop for Local {
    fn drop(&mut self) {
        self.shared.commits.close();
        self.shared.reads.close();
        self.shared.writes.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.shared.segments.close();
    }
}

impl Objects for Local {
    fn open_bucket(&self, bucket: BucketId, commit: Commit) -> BoxFuture<'_, Result<()>> {
        self.shared.commits.submit(move |tx| buckets::open(tx, bucket, commit)).boxed()
    }

    fn close_bucket(&self, bucket: BucketId, commit: Commit) -> BoxFuture<'_, Result<()>> {
        self.shared.commits.submit(move |tx| buckets::close(tx, bucket, commit)).boxed()
    }

    fn set_versioning(&self, bucket: BucketId, to: Versioning, commit: Commit) -> BoxFuture<'_, Result<()>> {
        self.shared.commits.submit(move |tx| buckets::set_versioning(tx, bucket, to, commit)).boxed()
    }

    fn bucket(&self, bucket: BucketId) -> BoxFuture<'_, Result<BucketInfo>> {
        self.find(move |view| buckets::info(view, bucket)).boxed()
    }

    fn put(&self, put: Put, body: Body) -> BoxFuture<'_, Result<Written>> {
        self.put_now(put, body).boxed()
    }

    fn get(&self, at: At) -> BoxFuture<'_, Result<Opened>> {
        let shared = Arc::clone(&self.shared);
        async move { self.shared.reads.look(move |reader| reading::open(&shared, reader, &at)).await? }
            .boxed()
    }

    fn head(&self, at: At) -> BoxFuture<'_, Result<Version>> {
        self.find(move |view| reading::head(view, &at)).boxed()
    }

    fn delete(
        &self,
        bucket: BucketId,
        what: Vec<Delete>,
        commit: Commit,
    ) -> BoxFuture<'_, Result<Vec<Result<Deleted>>>> {
        async move {
            limit("number of deletes", what.len(), MOST_DELETES)?;
            what.iter().try_for_each(|one| limit("description", one.marker_meta.len(), MAX_META_BYTES))?;
            self.shared.commits.submit(move |tx| objects::delete(tx, bucket, what, commit)).await
        }
        .boxed()
    }

    fn update(&self, update: Update) -> BoxFuture<'_, Result<u32>> {
        async move {
            limit("description", update.meta.as_ref().map_or(0, bytes::Bytes::len), MAX_META_BYTES)?;
            limit("tag set", update.tags.as_ref().map_or(0, bytes::Bytes::len), MAX_TAGS_BYTES)?;
            self.shared.commits.submit(move |tx| objects::update(tx, update)).await
        }
        .boxed()
    }

    fn copy(&self, copy: Copy) -> BoxFuture<'_, Result<Written>> {
        copying::copy(&self.shared, copy).boxed()
    }

    fn put_replica(&self, replica: PutReplica) -> BoxFuture<'_, Result<bool>> {
        replicas::put(&self.shared, replica).boxed()
    }

    fn list(&self, keys: Keys, after: Option<After>) -> BoxFuture<'_, Result<ObjectPage>> {
        self.look(move |view| listing::objects(view, &keys, after.as_ref())).boxed()
    }

    fn list_versions(&self, keys: Keys, after: Option<AfterVersion>) -> BoxFuture<'_, Result<VersionPage>> {
        self.look(move |view| listing::versions(view, &keys, after.as_ref())).boxed()
    }

    fn create_upload(&self, create: CreateUpload) -> BoxFuture<'_, Result<UploadId>> {
        async move {
            create.description.check()?;
            uploads::check_promise(create.checksum)?;
            self.shared.commits.submit(move |tx| uploads::create(tx, create)).await
        }
        .boxed()
    }

    fn upload(&self, at: UploadAt) -> BoxFuture<'_, Result<Upload>> {
        self.find(move |view| {
            let (row, record) = uploads::find(view, &at)?;
            uploads::public(&row, record)
        })
        .boxed()
    }

    fn put_part(&self, part: PutPart, body: Body) -> BoxFuture<'_, Result<PartWritten>> {
        self.put_part_now(part, body).boxed()
    }

    fn copy_part(&self, part: CopyPart) -> BoxFuture<'_, Result<PartWritten>> {
        async move {
            check_number(part.to.number)?;
            copying::copy_part(&self.shared, part).await
        }
        .boxed()
    }

    fn list_parts(&self, parts: Parts) -> BoxFuture<'_, Result<PartPage>> {
        self.look(move |view| listing::parts(view, &parts)).boxed()
    }

    fn list_uploads(&self, keys: Keys, after: Option<AfterUpload>) -> BoxFuture<'_, Result<UploadPage>> {
        self.look(move |view| listing::uploads(view, &keys, after.as_ref())).boxed()
    }

    fn complete_upload(&self, complete: CompleteUpload) -> BoxFuture<'_, Result<Completed>> {
        self.shared.commits.submit(move |tx| uploads::complete(tx, complete)).boxed()
    }

    fn abort_upload(&self, at: UploadAt, commit: Commit) -> BoxFuture<'_, Result<()>> {
        self.shared.commits.submit(move |tx| uploads::abort(tx, &at, commit)).boxed()
    }

    fn notes(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<NoteRecord>>> {
        self.look(move |view| notes(view, after, limit.min(MAX_PAGE))).boxed()
    }

    fn acknowledge(&self, up_to: u64) -> BoxFuture<'_, Result<()>> {
        async move {
            while self.shared.commits.submit(move |tx| objects::acknowledge(tx, up_to)).await? {}
            Ok(())
        }
        .boxed()
    }

    fn collect(&self, now: Timestamp) -> BoxFuture<'_, Result<Collected>> {
        collect::collect(&self.shared, now).boxed()
    }

    fn scrub(&self, most_bytes: u64) -> BoxFuture<'_, Result<Scrubbed>> {
        scrub::scrub(&self.shared, most_bytes).boxed()
    }

    fn health(&self) -> BoxFuture<'_, Result<Health>> {
        self.health_now().boxed()
    }
}
