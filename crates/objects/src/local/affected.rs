//! Which versions of objects need a blob.

use super::check::Affected;
use super::index::View;
use super::index::view;
use super::keys;
use super::record::{ChunkRecord, CurrentRecord, Data, Fragment, OlderRecord, VersionRecord};
use crate::{BucketId, Key, Result};
use std::collections::{HashMap, HashSet};

/// So many are named for each.
pub(super) const MOST: usize = 100;

/// The versions that need some of these blobs, each with the blob. Goes through all versions if there are any blobs.
pub(super) fn find(view: &dyn View, blobs: &HashMap<u64, usize>) -> Result<Vec<(u64, Affected)>> {
    let mut found = Vec::new();
    if blobs.is_empty() {
        return Ok(found);
    }
    let wanted = |fragments: &[Fragment]| {
        fragments.iter().find_map(|fragment| match fragment {
            Fragment::Slice(slice) if blobs.contains_key(&slice.blob) => Some(slice.blob),
            _ => None,
        })
    };
    let mut manifests: HashMap<u64, HashSet<u64>> = HashMap::new();
    each_sound(view, &mut |key, chunk: ChunkRecord| {
        let manifest = keys::to_number(key.get(..8).unwrap_or_default())?;
        let damaged = chunk.pieces.iter().filter_map(|piece| wanted(&piece.fragments));
        manifests.entry(manifest).or_default().extend(damaged);
        Ok(())
    })?;
    let mut look = |bucket: u64, key: Key, version: VersionRecord| {
        let Some(object) = version.object() else { return };
        let damaged: Vec<u64> = match &object.data {
            Data::Fragments(fragments) => wanted(fragments).into_iter().collect(),
            Data::Manifest(number) => manifests.get(number).into_iter().flatten().copied().collect(),
        };
        let affected = Affected { bucket: BucketId(bucket), key, version: version.public_id() };
        found.extend(damaged.into_iter().map(|blob| (blob, affected.clone())));
    };
    each_sound(view, &mut |row, CurrentRecord(version)| {
        let key = Key::new(keys::split_plain(row)?.to_vec())?;
        look(keys::to_number(row.get(..8).unwrap_or_default())?, key, version);
        Ok(())
    })?;
    each_sound(view, &mut |row, OlderRecord(version)| {
        let (key, _) = keys::split_ended(row)?;
        look(keys::to_number(row.get(..8).unwrap_or_default())?, key, version);
        Ok(())
    })?;
    Ok(found)
}

/// Visits the rows of a kind that read.
fn each_sound<T: view::Stored>(view: &dyn View, visit: &mut dyn FnMut(&[u8], T) -> Result<()>) -> Result<()> {
    view.scan(T::SPACE, &[], None, &mut |key, bytes| {
        // what does not read was told of already
        let _ = view::decode(key, bytes).and_then(|value| visit(key, value));
        true
    })?;
    Ok(())
}
