//! Replicas: a version of one bucket among those of another. The bytes stay where they are and are used once more, as for a
//! copy; its place among the versions of its key follows from its id.

use super::commit::Tx;
use super::keys::LocalId;
use super::record::{ObjectRecord, StoredId, VersionRecord, What};
use super::versions::{self, Name};
use super::{Shared, blobs, objects};
use crate::outbox::{Commit, Outcome};
use crate::{
    Deleted, Description, Error, Original, PutReplica, Result, Source, Storage, Timestamp, VersionId,
};
use bytes::Bytes;

pub(super) async fn put(shared: &Shared, replica: PutReplica) -> Result<bool> {
    if let Original::Object { description, .. } = &replica.of {
        description.check()?;
    }
    shared.commits.submit(move |tx| make(tx, replica)).await
}

fn make(tx: &mut Tx<'_>, replica: PutReplica) -> Result<bool> {
    tx.needs_room()?;
    let PutReplica { to, key, of, commit } = replica;
    let name = Name { bucket: to, key: &key };
    match of {
        Original::Object { source, description } => object(tx, name, &source, description, commit),
        Original::Marker { id, modified } => marker(tx, name, &id, modified, commit),
    }
}

fn object(
    tx: &mut Tx<'_>,
    name: Name<'_>,
    source: &Source,
    description: Description,
    commit: Commit,
) -> Result<bool> {
    let VersionRecord { id, order, generation, modified, what } =
        versions::find_object(&tx.index, &source.at)?.version;
    let What::Object(original) = what else { return Err(Error::SourceChanged) };
    if generation != source.generation {
        return Err(Error::SourceChanged);
    }
    if original.storage == Storage::Archived {
        return Err(Error::Archived);
    }
    if id == StoredId::Null {
        return Err(Error::InvalidVersionId);
    }
    let object = ObjectRecord {
        revision: 0,
        meta: description.meta,
        tags: description.tags,
        lock: description.lock,
        storage: description.storage,
        ..*original
    };
    let data = object.data.clone();
    let what = What::Object(Box::new(object));
    let version = VersionRecord { id, order, generation: tx.number(), modified, what };
    let written = version.object().map(|object| objects::written(&version, object));
    if !versions::insert(tx, name, version)? {
        return Ok(false);
    }
    blobs::acquire(tx, &data)?;
    if let Some(written) = &written {
        tx.note(commit.note, &Outcome::Written(written))?;
    }
    Ok(true)
}

fn marker(
    tx: &mut Tx<'_>,
    name: Name<'_>,
    id: &VersionId,
    modified: Timestamp,
    commit: Commit,
) -> Result<bool> {
    let VersionId::Named(text) = id else { return Err(Error::InvalidVersionId) };
    let LocalId { order, random } = LocalId::parse(text).ok_or(Error::InvalidVersionId)?;
    let what = What::Marker { meta: Bytes::new() };
    let version =
        VersionRecord { id: StoredId::Named(random), order, generation: tx.number(), modified, what };
    if !versions::insert(tx, name, version)? {
        return Ok(false);
    }
    let deleted = Deleted { marker: Some(id.clone()), ..Deleted::default() };
    tx.note(commit.note, &Outcome::Deleted(&[Ok(deleted)]))?;
    Ok(true)
}
