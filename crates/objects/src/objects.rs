//! The trait that every engine keeps.

use crate::{
    After, AfterUpload, AfterVersion, At, Body, BucketId, BucketInfo, Collected, Commit, CompleteUpload,
    Completed, Copy, CopyPart, CreateUpload, Delete, Deleted, Health, Keys, NoteRecord, ObjectPage, Opened,
    PartPage, PartWritten, Parts, Put, PutPart, PutReplica, Result, Scrubbed, Timestamp, Update, Upload,
    UploadAt, UploadId, UploadPage, Version, VersionPage, Versioning, Written,
};
use futures_util::future::BoxFuture;

/// Objects with their versions and parts, at the level of S3's operations.
///
/// What is answered with success is durable: it survives a kill and a power cut. What is answered with an error, or not
/// at all because the future was dropped, is wholly there or wholly absent; with an error of the caller's making
/// ([`crate::Error::Body`], a failed precondition …) it is absent. All changes of a store are in one order, and
/// preconditions are judged in that order. A change that was answered is seen by every read that begins later.
///
/// Futures may be dropped at any point.
pub trait Objects: Send + Sync {
    /// Makes a bucket of this number, empty and unversioned.
    fn open_bucket(&self, bucket: BucketId, commit: Commit) -> BoxFuture<'_, Result<()>>;
    /// Ends a bucket that holds no version and no delete marker. Its uploads are aborted. Refuses to race with a put:
    /// either the put finds no bucket or the bucket is not empty.
    fn close_bucket(&self, bucket: BucketId, commit: Commit) -> BoxFuture<'_, Result<()>>;
    /// Says how the bucket keeps versions from now on.
    fn set_versioning(&self, bucket: BucketId, to: Versioning, commit: Commit) -> BoxFuture<'_, Result<()>>;
    /// What the engine knows of the bucket.
    fn bucket(&self, bucket: BucketId) -> BoxFuture<'_, Result<BucketInfo>>;

    /// Stores an object. The body is read to its end first, preconditions are judged after it.
    fn put(&self, put: Put, body: Body) -> BoxFuture<'_, Result<Written>>;
    /// Finds an object and holds it for reading.
    fn get(&self, at: At) -> BoxFuture<'_, Result<Opened>>;
    /// Finds an object.
    fn head(&self, at: At) -> BoxFuture<'_, Result<Version>>;
    /// Deletes, in one change, each entry with a result of its own: a refused entry hinders no other.
    fn delete(
        &self,
        bucket: BucketId,
        what: Vec<Delete>,
        commit: Commit,
    ) -> BoxFuture<'_, Result<Vec<Result<Deleted>>>>;
    /// Changes what is said of a version and answers its new revision.
    fn update(&self, update: Update) -> BoxFuture<'_, Result<u32>>;
    /// Stores an object with the bytes of another, which may be the same. What is sealed with a key that was given, or is to
    /// be, is not copied but read and put.
    fn copy(&self, copy: Copy) -> BoxFuture<'_, Result<Written>>;
    /// Writes a version of another bucket once more, and says whether it was not there yet. Whatever its bytes are sealed with,
    /// they stay as they are: no key is needed.
    fn put_replica(&self, replica: PutReplica) -> BoxFuture<'_, Result<bool>>;
    /// Lists objects: the keys whose latest version is one.
    fn list(&self, keys: Keys, after: Option<After>) -> BoxFuture<'_, Result<ObjectPage>>;
    /// Lists versions and delete markers, the newest of each key first.
    fn list_versions(&self, keys: Keys, after: Option<AfterVersion>) -> BoxFuture<'_, Result<VersionPage>>;

    /// Begins a multipart upload.
    fn create_upload(&self, create: CreateUpload) -> BoxFuture<'_, Result<UploadId>>;
    /// Finds an upload.
    fn upload(&self, at: UploadAt) -> BoxFuture<'_, Result<Upload>>;
    /// Stores a part.
    fn put_part(&self, part: PutPart, body: Body) -> BoxFuture<'_, Result<PartWritten>>;
    /// Stores a part with the bytes of an object. Given keys: as [`Objects::copy`].
    fn copy_part(&self, part: CopyPart) -> BoxFuture<'_, Result<PartWritten>>;
    /// Lists the parts of an upload.
    fn list_parts(&self, parts: Parts) -> BoxFuture<'_, Result<PartPage>>;
    /// Lists uploads, the oldest of each key first.
    fn list_uploads(&self, keys: Keys, after: Option<AfterUpload>) -> BoxFuture<'_, Result<UploadPage>>;
    /// Makes the object. The same request again answers the same for a day.
    fn complete_upload(&self, complete: CompleteUpload) -> BoxFuture<'_, Result<Completed>>;
    /// Ends an upload without an object.
    fn abort_upload(&self, at: UploadAt, commit: Commit) -> BoxFuture<'_, Result<()>>;

    /// The notes with a number above `after`, at most `limit`.
    fn notes(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<NoteRecord>>>;
    /// Forgets the notes up to this number: they are safe elsewhere.
    fn acknowledge(&self, up_to: u64) -> BoxFuture<'_, Result<()>>;

    /// Gives back the room of what is gone, within bounds; to be called from time to time.
    fn collect(&self, now: Timestamp) -> BoxFuture<'_, Result<Collected>>;
    /// Reads the next stored bytes, about so many, and checks them; from the beginning again after the last. To be called
    /// from time to time, so that what rots is known before it is needed.
    fn scrub(&self, most_bytes: u64) -> BoxFuture<'_, Result<Scrubbed>>;
    /// How the store is.
    fn health(&self) -> BoxFuture<'_, Result<Health>>;
}
