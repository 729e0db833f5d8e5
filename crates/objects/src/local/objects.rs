//! The changes of single objects, as the committer makes them.

use super::blobs::{self, Content};
use super::commit::Tx;
use super::index::Space;
use super::keys;
use super::record::{Data, ObjectRecord, VersionRecord, What};
use super::versions::{self, Eraser, Name};
use crate::outbox::{Commit, Outcome};
use crate::{
    At, BucketId, Delete, Deleted, Digests, ETag, Error, Preconditions, Put, Result, Timestamp, Update,
    Versioning, Written,
};

/// Notes that one commit forgets.
const NOTES_AT_ONCE: usize = 10_000;

pub(super) fn written(version: &VersionRecord, object: &ObjectRecord) -> Written {
    Written {
        id: version.public_id(),
        generation: version.generation,
        size: object.size,
        etag: object.etag.clone(),
        checksums: object.checksums.clone(),
        modified: version.modified,
    }
}

/// Adds an object to its key.
pub(super) fn place(
    tx: &mut Tx<'_>,
    name: Name<'_>,
    only_if: &Preconditions,
    object: ObjectRecord,
    now: Timestamp,
) -> Result<(VersionRecord, Written)> {
    versions::check(&tx.index, only_if, name)?;
    let version = versions::add(tx, name, What::Object(Box::new(object)), now)?;
    let missing = || Error::Corrupt("an object became a delete marker".into());
    let written = version.object().map(|object| written(&version, object)).ok_or_else(missing)?;
    Ok((version, written))
}

/// Stores what came in.
pub(super) fn put(tx: &mut Tx<'_>, put: Put, digests: Digests, content: Content) -> Result<Written> {
    versions::bucket(&tx.index, put.bucket)?;
    versions::check(&tx.index, &put.only_if, Name { bucket: put.bucket, key: &put.key })?;
    let data = Data::Fragments(blobs::enter(tx, content)?);
    finish_put(tx, put, digests, data)
}

/// Stores what is stored already, once more.
pub(super) fn copy(tx: &mut Tx<'_>, to: Put, digests: Digests, data: Data) -> Result<Written> {
    tx.needs_room()?;
    // before anything is released: the copy may replace its own source
    blobs::acquire(tx, &data)?;
    finish_put(tx, to, digests, data)
}

fn finish_put(tx: &mut Tx<'_>, put: Put, digests: Digests, data: Data) -> Result<Written> {
    let Put { bucket, key, only_if, description, commit: Commit { now, note }, .. } = put;
    let object =
        ObjectRecord::new(description, digests.size, ETag::Md5(digests.md5), digests.checksums, data);
    let (_, written) = place(tx, Name { bucket, key: &key }, &only_if, object, now)?;
    tx.note(note, &Outcome::Written(&written))?;
    Ok(written)
}

/// Deletes each, or not.
pub(super) fn delete(
    tx: &mut Tx<'_>,
    bucket: BucketId,
    what: Vec<Delete>,
    commit: Commit,
) -> Result<Vec<Result<Deleted>>> {
    versions::bucket(&tx.index, bucket)?;
    let results: Vec<_> =
        what.into_iter().map(|delete| tx.part(|tx| delete_one(tx, bucket, delete, commit.now))).collect();
    tx.note(commit.note, &Outcome::Deleted(&results))?;
    Ok(results)
}

fn delete_one(tx: &mut Tx<'_>, bucket: BucketId, delete: Delete, now: Timestamp) -> Result<Deleted> {
    versions::check(&tx.index, &delete.only_if, Name { bucket, key: &delete.key })?;
    let versioning = versions::bucket(&tx.index, bucket)?.versioning;
    let at = At { bucket, key: delete.key, version: delete.version };
    if at.version.is_none() && versioning != Versioning::Unversioned {
        let meta = delete.marker_meta;
        let marker = versions::add(tx, Name::of(&at), What::Marker { meta }, now)?;
        return Ok(Deleted { marker: Some(marker.public_id()), ..Deleted::default() });
    }
    let Some(found) = versions::find(&tx.index, &at)? else { return Ok(Deleted::default()) };
    let eraser = Eraser { now, bypass_governance: delete.bypass_governance };
    versions::remove(tx, Name::of(&at), &found, eraser)?;
    Ok(Deleted {
        marker: None,
        removed: Some(found.version.public_id()),
        removed_marker: found.version.object().is_none(),
    })
}

/// Changes what is said of a version.
pub(super) fn update(tx: &mut Tx<'_>, update: Update) -> Result<u32> {
    versions::bucket(&tx.index, update.at.bucket)?;
    let mut found = versions::find_object(&tx.index, &update.at)?;
    let generation = found.version.generation;
    let What::Object(object) = &mut found.version.what else { return Err(Error::NoSuchVersion) };
    if update.only_if.is_some_and(|expected| expected != (generation, object.revision)) {
        return Err(Error::RevisionChanged { current: object.revision });
    }
    object.meta = update.meta.unwrap_or_else(|| std::mem::take(&mut object.meta));
    object.tags = update.tags.unwrap_or_else(|| std::mem::take(&mut object.tags));
    object.lock = update.lock.unwrap_or(object.lock);
    object.storage = update.storage.unwrap_or(object.storage);
    object.revision = object.revision.wrapping_add(1);
    let revision = object.revision;
    versions::store_again(tx, Name::of(&update.at), found)?;
    tx.note(update.commit.note, &Outcome::Updated(revision))?;
    Ok(revision)
}

/// Forgets some of the notes up to this one, and says whether there are more.
pub(super) fn acknowledge(tx: &mut Tx<'_>, up_to: u64) -> Result<bool> {
    let end = up_to.checked_add(1).map(keys::number);
    let rows = tx.rows(Space::Notes, end.as_deref(), NOTES_AT_ONCE)?;
    let more = rows.len() == NOTES_AT_ONCE;
    rows.into_iter().for_each(|row| tx.remove(Space::Notes, row));
    Ok(more)
}
