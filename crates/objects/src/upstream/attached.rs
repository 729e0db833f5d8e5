//! The local engine with some buckets attached to other stores: what is asked of a bucket goes where its bytes are.

use super::{Capabilities, Upstream};
use crate::local::{Intent, Local, Settlement};
use crate::{
    After, AfterUpload, AfterVersion, At, Body, BucketId, BucketInfo, CallerError, Collected, Commit,
    CompleteUpload, Completed, Copy, CopyPart, CreateUpload, Delete, Deleted, Error, Health, Keys,
    MAX_BODY_BYTES, Note, NoteRecord, ObjectPage, Objects, Opened, Original, Outcome, PartPage, PartWritten,
    Parts, Put, PutPart, PutReplica, Result, Scrubbed, Source, Timestamp, Update, Upload, UploadAt, UploadId,
    UploadPage, Version, VersionPage, Versioning, Written,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

/// Deletions of one request that are under way at once.
const DELETIONS: usize = 16;
/// Those of one request.
const MOST_DELETES: usize = 1000;

/// The local engine, and the buckets that are elsewhere.
pub struct Attached {
    local: Arc<Local>,
    upstreams: RwLock<HashMap<BucketId, Arc<Upstream>>>,
}

impl Attached {
    /// Nothing is attached yet. What was asked of other stores before and never answered is noted now.
    ///
    /// # Errors
    /// What writing fails with.
    pub async fn new(local: Arc<Local>) -> Result<Self> {
        let lost = local.note_lost_intents().await?;
        if lost > 0 {
            tracing::warn!(
                lost,
                "changes were under way in other stores when the server ended; the audit log says which"
            );
        }
        Ok(Self { local, upstreams: RwLock::default() })
    }

    /// From now on, what is asked of this bucket is asked of another store. The bucket is one that nobody used yet.
    pub fn attach(&self, bucket: BucketId, upstream: Arc<Upstream>) {
        self.upstreams.write().unwrap_or_else(PoisonError::into_inner).insert(bucket, upstream);
    }

    /// Closes the bucket here, whatever is in the other store, which is not asked any more.
    ///
    /// # Errors
    /// As [`Objects::close_bucket`].
    pub async fn release(&self, bucket: BucketId, commit: Commit) -> Result<()> {
        self.local.close_bucket(bucket, commit).await?;
        self.detach(bucket);
        Ok(())
    }

    fn detach(&self, bucket: BucketId) {
        self.upstreams.write().unwrap_or_else(PoisonError::into_inner).remove(&bucket);
    }

    /// What the store of a bucket can do, if it is another.
    #[must_use]
    pub fn capabilities(&self, bucket: BucketId) -> Option<Capabilities> {
        self.of(bucket).map(|upstream| upstream.capabilities())
    }

    fn of(&self, bucket: BucketId) -> Option<Arc<Upstream>> {
        self.upstreams.read().unwrap_or_else(PoisonError::into_inner).get(&bucket).cloned()
    }

    /// Makes a change elsewhere: what is meant is durable here before it is asked for there, and what came of it before it is
    /// answered.
    async fn change<T>(
        &self,
        note: Option<Note>,
        work: impl Future<Output = Result<T>>,
        tell: for<'a> fn(&'a T) -> Outcome<'a>,
    ) -> Result<T> {
        let intent = match note.as_ref().and_then(Note::intent) {
            Some(unknown) => Some(self.local.intend(unknown).await?),
            None => None,
        };
        let open = Open { local: Arc::clone(&self.local), intent };
        let result = work.await;
        let how = match &result {
            Ok(done) => Settlement::Done(note.and_then(|note| note.write(&tell(done)))),
            Err(error) if is_open(error) => Settlement::Unknown,
            Err(_) => Settlement::Refused,
        };
        match open.settle(how).await {
            Ok(()) => result,
            // It may have been made there, and is told as not known at the next start.
            Err(error) if !matches!(result, Err(ref refused) if !is_open(refused)) => {
                Err(Error::Unanswered(format!("what came of it could not be noted: {error}")))
            }
            Err(_) => result,
        }
    }

    /// Bytes on their way from one store to another.
    async fn bytes_of(&self, source: Source, range: Option<Range<u64>>) -> Result<Body> {
        let opened = self.get(source.at).await?;
        if opened.version.generation != source.generation {
            return Err(Error::SourceChanged);
        }
        let range = range.unwrap_or(0..opened.version.size);
        let length = range.end.saturating_sub(range.start);
        if length > MAX_BODY_BYTES {
            return Err(Error::TooLarge { what: "source of a copy", limit: MAX_BODY_BYTES });
        }
        let bytes = opened.body(range)?.map_err(|error| CallerError::from(Box::new(error)));
        // What was found is held as long as it is read.
        let held = bytes.map(move |chunk| {
            let _ = &opened;
            chunk
        });
        Ok(Body::new(held).with_length(length))
    }

    async fn put_there(&self, upstream: Arc<Upstream>, mut put: Put, body: Body) -> Result<Written> {
        let note = put.commit.note.take();
        self.change(note, upstream.put(put, body), |written| Outcome::Written(written)).await
    }

    async fn put_part_there(
        &self,
        upstream: Arc<Upstream>,
        mut part: PutPart,
        body: Body,
    ) -> Result<PartWritten> {
        let note = part.commit.note.take();
        self.change(note, upstream.put_part(part, body), |part| Outcome::Part(part)).await
    }

    async fn delete_there(
        &self,
        upstream: Arc<Upstream>,
        bucket: BucketId,
        what: Vec<Delete>,
        commit: Commit,
    ) -> Result<Vec<Result<Deleted>>> {
        crate::request::limit("number of deletes", what.len(), MOST_DELETES)?;
        let now = commit.now;
        let deletions = what.into_iter().map(|one| upstream.delete(bucket, one, now));
        let work = async {
            let mut results: Vec<_> = stream::iter(deletions).buffered(DELETIONS).collect().await;
            match results.as_slice() {
                // Of a single one that is not known to be done nothing at all is known.
                [Err(Error::Unanswered(_))] => Err(results.remove(0).err().unwrap_or(Error::Closed)),
                _ => Ok(results),
            }
        };
        self.change(commit.note, work, |results| Outcome::Deleted(results)).await
    }

    async fn info_there(&self, upstream: Arc<Upstream>, bucket: BucketId) -> Result<BucketInfo> {
        self.local.bucket(bucket).await?;
        Ok(BucketInfo { versioning: upstream.versioning().await?, counts: None })
    }

    async fn close_there(&self, upstream: Arc<Upstream>, bucket: BucketId, commit: Commit) -> Result<()> {
        if !upstream.is_empty(bucket).await? {
            return Err(Error::BucketNotEmpty);
        }
        self.release(bucket, commit).await
    }
}

/// Whether it is not known what came of a change.
fn is_open(error: &Error) -> bool {
    matches!(error, Error::Unanswered(_))
}

/// An intent that nothing is known of yet. If nobody waits any more, it stays unknown.
struct Open {
    local: Arc<Local>,
    intent: Option<Intent>,
}

impl Open {
    async fn settle(mut self, how: Settlement) -> Result<()> {
        let intent = self.intent.take();
        if intent.is_none() && !matches!(how, Settlement::Done(Some(_))) {
            return Ok(());
        }
        self.local.settle(intent, how).await
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let (Some(intent), Ok(runtime)) = (self.intent.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let local = Arc::clone(&self.local);
        runtime.spawn(async move {
            if let Err(error) = local.settle(Some(intent), Settlement::Unknown).await {
                tracing::error!(%error, "a change that nobody waited for is noted at the next start");
            }
        });
    }
}

impl Objects for Attached {
    fn open_bucket(&self, bucket: BucketId, commit: Commit) -> BoxFuture<'_, Result<()>> {
        self.local.open_bucket(bucket, commit)
    }

    fn close_bucket(&self, bucket: BucketId, commit: Commit) -> BoxFuture<'_, Result<()>> {
        match self.of(bucket) {
            None => self.local.close_bucket(bucket, commit),
            Some(upstream) => self.close_there(upstream, bucket, commit).boxed(),
        }
    }

    fn set_versioning(&self, bucket: BucketId, to: Versioning, commit: Commit) -> BoxFuture<'_, Result<()>> {
        let Some(upstream) = self.of(bucket) else { return self.local.set_versioning(bucket, to, commit) };
        async move { self.change(commit.note, upstream.set_versioning(to), |()| Outcome::Bucket).await }
            .boxed()
    }

    fn bucket(&self, bucket: BucketId) -> BoxFuture<'_, Result<BucketInfo>> {
        match self.of(bucket) {
            None => self.local.bucket(bucket),
            Some(upstream) => self.info_there(upstream, bucket).boxed(),
        }
    }

    fn put(&self, put: Put, body: Body) -> BoxFuture<'_, Result<Written>> {
        match self.of(put.bucket) {
            None => self.local.put(put, body),
            Some(upstream) => self.put_there(upstream, put, body).boxed(),
        }
    }

    fn get(&self, at: At) -> BoxFuture<'_, Result<Opened>> {
        match self.of(at.bucket) {
            None => self.local.get(at),
            Some(upstream) => async move { upstream.open(at).await }.boxed(),
        }
    }

    fn head(&self, at: At) -> BoxFuture<'_, Result<Version>> {
        match self.of(at.bucket) {
            None => self.local.head(at),
            Some(upstream) => async move { upstream.head(&at).await }.boxed(),
        }
    }

    fn delete(
        &self,
        bucket: BucketId,
        what: Vec<Delete>,
        commit: Commit,
    ) -> BoxFuture<'_, Result<Vec<Result<Deleted>>>> {
        match self.of(bucket) {
            None => self.local.delete(bucket, what, commit),
            Some(upstream) => self.delete_there(upstream, bucket, what, commit).boxed(),
        }
    }

    fn update(&self, mut update: Update) -> BoxFuture<'_, Result<u32>> {
        let Some(upstream) = self.of(update.at.bucket) else { return self.local.update(update) };
        let note = update.commit.note.take();
        async move { self.change(note, upstream.update(update), |revision| Outcome::Updated(*revision)).await }
            .boxed()
    }

    fn copy(&self, copy: Copy) -> BoxFuture<'_, Result<Written>> {
        let Copy { source, to } = copy;
        if self.of(source.at.bucket).is_none() && self.of(to.bucket).is_none() {
            return self.local.copy(Copy { source, to });
        }
        async move {
            let body = self.bytes_of(source, None).await?;
            self.put(to, body).await
        }
        .boxed()
    }

    fn put_replica(&self, replica: PutReplica) -> BoxFuture<'_, Result<bool>> {
        let source = match &replica.of {
            Original::Object { source, .. } => self.of(source.at.bucket),
            Original::Marker { .. } => None,
        };
        match source.or_else(|| self.of(replica.to)) {
            None => self.local.put_replica(replica),
            Some(_) => async { Err(Error::Unsupported("replication")) }.boxed(),
        }
    }

    fn list(&self, keys: Keys, after: Option<After>) -> BoxFuture<'_, Result<ObjectPage>> {
        match self.of(keys.bucket) {
            None => self.local.list(keys, after),
            Some(upstream) => async move { upstream.list(&keys, after.as_ref()).await }.boxed(),
        }
    }

    fn list_versions(&self, keys: Keys, after: Option<AfterVersion>) -> BoxFuture<'_, Result<VersionPage>> {
        match self.of(keys.bucket) {
            None => self.local.list_versions(keys, after),
            Some(upstream) => async move { upstream.list_versions(&keys, after.as_ref()).await }.boxed(),
        }
    }

    fn create_upload(&self, mut create: CreateUpload) -> BoxFuture<'_, Result<UploadId>> {
        let Some(upstream) = self.of(create.bucket) else { return self.local.create_upload(create) };
        let note = create.commit.note.take();
        async move { self.change(note, upstream.create_upload(create), |id| Outcome::UploadCreated(id)).await }
            .boxed()
    }

    fn upload(&self, at: UploadAt) -> BoxFuture<'_, Result<Upload>> {
        match self.of(at.bucket) {
            None => self.local.upload(at),
            Some(upstream) => async move { upstream.upload(&at).await }.boxed(),
        }
    }

    fn put_part(&self, part: PutPart, body: Body) -> BoxFuture<'_, Result<PartWritten>> {
        match self.of(part.upload.bucket) {
            None => self.local.put_part(part, body),
            Some(upstream) => self.put_part_there(upstream, part, body).boxed(),
        }
    }

    fn copy_part(&self, part: CopyPart) -> BoxFuture<'_, Result<PartWritten>> {
        let CopyPart { source, range, to } = part;
        if self.of(source.at.bucket).is_none() && self.of(to.upload.bucket).is_none() {
            return self.local.copy_part(CopyPart { source, range, to });
        }
        async move {
            let body = self.bytes_of(source, range).await?;
            self.put_part(to, body).await
        }
        .boxed()
    }

    fn list_parts(&self, parts: Parts) -> BoxFuture<'_, Result<PartPage>> {
        match self.of(parts.upload.bucket) {
            None => self.local.list_parts(parts),
            Some(upstream) => async move { upstream.list_parts(&parts).await }.boxed(),
        }
    }

    fn list_uploads(&self, keys: Keys, after: Option<AfterUpload>) -> BoxFuture<'_, Result<UploadPage>> {
        match self.of(keys.bucket) {
            None => self.local.list_uploads(keys, after),
            Some(upstream) => async move { upstream.list_uploads(&keys, after.as_ref()).await }.boxed(),
        }
    }

    fn complete_upload(&self, mut complete: CompleteUpload) -> BoxFuture<'_, Result<Completed>> {
        let Some(upstream) = self.of(complete.upload.bucket) else {
            return self.local.complete_upload(complete);
        };
        let note = complete.commit.note.take();
        async move {
            let work = upstream.complete_upload(complete);
            self.change(note, work, |completed| Outcome::Completed(completed)).await
        }
        .boxed()
    }

    fn abort_upload(&self, at: UploadAt, commit: Commit) -> BoxFuture<'_, Result<()>> {
        let Some(upstream) = self.of(at.bucket) else { return self.local.abort_upload(at, commit) };
        async move { self.change(commit.note, upstream.abort_upload(&at), |()| Outcome::Aborted).await }
            .boxed()
    }

    fn notes(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<NoteRecord>>> {
        self.local.notes(after, limit)
    }

    fn acknowledge(&self, up_to: u64) -> BoxFuture<'_, Result<()>> {
        self.local.acknowledge(up_to)
    }

    fn collect(&self, now: Timestamp) -> BoxFuture<'_, Result<Collected>> {
        self.local.collect(now)
    }

    fn scrub(&self, most_bytes: u64) -> BoxFuture<'_, Result<Scrubbed>> {
        self.local.scrub(most_bytes)
    }

    fn health(&self) -> BoxFuture<'_, Result<Health>> {
        self.local.health()
    }
}
