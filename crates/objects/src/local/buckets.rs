//! Buckets, as the committer changes them.

use super::commit::Tx;
use super::index::{View, view};
use super::keys;
use super::record::{BucketRecord, CurrentRecord, GarbageRecord, OlderRecord};
use super::versions;
use crate::outbox::Outcome;
use crate::{BucketId, BucketInfo, Commit, Counts, Error, Result, Versioning};

pub(super) fn open(tx: &mut Tx<'_>, bucket: BucketId, commit: Commit) -> Result<()> {
    tx.needs_room()?;
    let row = keys::bucket(bucket);
    if tx.load::<BucketRecord>(&row)?.is_some() {
        return Err(Error::BucketExists);
    }
    tx.store(row, &BucketRecord::default())?;
    tx.note(commit.note, &Outcome::Bucket)
}

pub(super) fn close(tx: &mut Tx<'_>, bucket: BucketId, commit: Commit) -> Result<()> {
    let mut books = versions::bucket(&tx.index, bucket)?;
    if has_versions(&tx.index, bucket)? {
        return Err(Error::BucketNotEmpty);
    }
    books.closed = true;
    tx.store(keys::bucket(bucket), &books)?;
    let garbage = keys::garbage(0, tx.number());
    tx.store(garbage, &GarbageRecord::Bucket { bucket: bucket.0 })?;
    tx.note(commit.note, &Outcome::Bucket)
}

/// The rows decide, not the counts.
fn has_versions(view: &dyn View, bucket: BucketId) -> Result<bool> {
    let from = keys::bucket(bucket);
    let to = keys::end_of(&from);
    let current = view::first::<CurrentRecord>(view, &from, to.as_deref())?;
    Ok(current.is_some() || view::first::<OlderRecord>(view, &from, to.as_deref())?.is_some())
}

pub(super) fn set_versioning(
    tx: &mut Tx<'_>,
    bucket: BucketId,
    to: Versioning,
    commit: Commit,
) -> Result<()> {
    let mut books = versions::bucket(&tx.index, bucket)?;
    if to == Versioning::Unversioned && books.versioning != Versioning::Unversioned {
        return Err(Error::VersioningStays);
    }
    books.versioning = to;
    tx.store(keys::bucket(bucket), &books)?;
    tx.note(commit.note, &Outcome::Bucket)
}

pub(super) fn info(view: &dyn View, bucket: BucketId) -> Result<BucketInfo> {
    let books = versions::bucket(view, bucket)?;
    let counts = Counts {
        objects: books.objects,
        noncurrent: books.noncurrent,
        bytes: books.bytes,
        uploads: books.uploads,
    };
    Ok(BucketInfo { versioning: books.versioning, counts: Some(counts) })
}
