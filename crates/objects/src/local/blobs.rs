//! Bytes in the index's books: who uses which blob, how much of which segment lives.

use super::commit::Tx;
use super::extent;
use super::index::Space;
use super::keys;
use super::packer::Payload;
use super::record::{
    BlobRecord, Data, Extent, Fragment, GarbageRecord, InlineBytes, ManifestRecord, SealRecord,
    SegmentRecord, Slice,
};
use super::segment::Lease;
use crate::{Error, Result};

/// Bytes that came in whole and are on the disk, or will be with the commit; nobody knows of them yet.
pub(super) enum Content {
    /// So few that they go into the index.
    Inline(InlineBytes),
    /// To be packed by the committer.
    Packed(Payload),
    /// In extents of their own, synced.
    Streamed(Streamed),
}

/// A blob that was streamed to the disk.
pub(super) struct Streamed {
    pub(super) blob: u64,
    pub(super) size: u64,
    pub(super) seal: Option<SealRecord>,
    pub(super) extents: Vec<Extent>,
    pub(super) leases: Vec<Lease>,
}

/// Enters the bytes in the books, used once.
pub(super) fn enter(tx: &mut Tx<'_>, content: Content) -> Result<Vec<Fragment>> {
    tx.needs_room()?;
    match content {
        Content::Inline(inline) if inline.bytes.is_empty() => Ok(Vec::new()),
        Content::Inline(inline) => Ok(vec![Fragment::Inline(inline)]),
        Content::Packed(payload) => {
            let extent = tx.pack(&payload)?;
            let (segment, end) = tx.packed_end();
            let (size, seal) = (payload.length(), payload.seal);
            grow(tx, segment, end)?;
            enter_blob(tx, payload.blob, size, seal, vec![extent])
        }
        Content::Streamed(streamed) => {
            for lease in &streamed.leases {
                grow(tx, lease.segment(), lease.at())?;
            }
            let Streamed { blob, size, seal, extents, leases } = streamed;
            tx.on_commit(move || leases.into_iter().for_each(Lease::publish));
            enter_blob(tx, blob, size, seal, extents)
        }
    }
}

fn enter_blob(
    tx: &mut Tx<'_>,
    blob: u64,
    size: u64,
    seal: Option<SealRecord>,
    extents: Vec<Extent>,
) -> Result<Vec<Fragment>> {
    for extent in &extents {
        add_live(tx, extent, seal.is_some())?;
    }
    tx.store(keys::number(blob), &BlobRecord { size, uses: 1, seal, extents })?;
    Ok(vec![Fragment::Slice(Slice { blob, offset: 0, length: size })])
}

fn segment(tx: &Tx<'_>, number: u64) -> Result<SegmentRecord> {
    let missing = || Error::Corrupt(format!("segment {number} is not in the books"));
    tx.load(&keys::number(number))?.ok_or_else(missing)
}

/// Moves the end of what is committed of a segment.
pub(super) fn grow(tx: &mut Tx<'_>, number: u64, end: u64) -> Result<()> {
    let mut record = segment(tx, number)?;
    record.used = record.used.max(end);
    tx.store(keys::number(number), &record)
}

pub(super) fn add_live(tx: &mut Tx<'_>, extent: &Extent, sealed: bool) -> Result<()> {
    let mut record = segment(tx, extent.segment)?;
    record.live += extent::footprint(extent.length, sealed);
    tx.store(keys::number(extent.segment), &record)
}

pub(super) fn take_live(tx: &mut Tx<'_>, extent: &Extent, sealed: bool) -> Result<()> {
    let mut record = segment(tx, extent.segment)?;
    record.live = record.live.saturating_sub(extent::footprint(extent.length, sealed));
    tx.store(keys::number(extent.segment), &record)
}

/// One more use of these bytes. They may be gone by now: then the copy has lost its source.
pub(super) fn acquire(tx: &mut Tx<'_>, data: &Data) -> Result<()> {
    match data {
        Data::Fragments(fragments) => {
            fragments.iter().try_for_each(|fragment| acquire_fragment(tx, fragment))
        }
        Data::Manifest(manifest) => {
            let key = keys::number(*manifest);
            let mut record: ManifestRecord = tx.load(&key)?.ok_or(Error::SourceChanged)?;
            if record.uses == 0 {
                tx.remove(Space::Garbage, keys::garbage(0, *manifest));
            }
            record.uses = more(record.uses)?;
            tx.store(key, &record)
        }
    }
}

pub(super) fn acquire_fragment(tx: &mut Tx<'_>, fragment: &Fragment) -> Result<()> {
    let Fragment::Slice(slice) = fragment else { return Ok(()) };
    let key = keys::number(slice.blob);
    let mut record: BlobRecord = tx.load(&key)?.ok_or(Error::SourceChanged)?;
    record.uses = more(record.uses)?;
    tx.store(key, &record)
}

fn more(uses: u32) -> Result<u32> {
    uses.checked_add(1).ok_or(Error::TooLarge { what: "copies of one object", limit: u64::from(u32::MAX) })
}

/// One use less of these bytes; without any left they are gone.
pub(super) fn release(tx: &mut Tx<'_>, data: &Data) -> Result<()> {
    match data {
        Data::Fragments(fragments) => release_fragments(tx, fragments),
        Data::Manifest(manifest) => {
            let key = keys::number(*manifest);
            let missing = || Error::Corrupt(format!("manifest {manifest} is not in the books"));
            let mut record: ManifestRecord = tx.load(&key)?.ok_or_else(missing)?;
            record.uses = record.uses.saturating_sub(1);
            tx.store(key, &record)?;
            if record.uses == 0 {
                let since = tx.stamp();
                tx.store(
                    keys::garbage(0, *manifest),
                    &GarbageRecord::Manifest { manifest: *manifest, since },
                )?;
            }
            Ok(())
        }
    }
}

pub(super) fn release_fragments(tx: &mut Tx<'_>, fragments: &[Fragment]) -> Result<()> {
    for fragment in fragments {
        if let Fragment::Slice(slice) = fragment {
            release_blob(tx, slice.blob)?;
        }
    }
    Ok(())
}

fn release_blob(tx: &mut Tx<'_>, blob: u64) -> Result<()> {
    let key = keys::number(blob);
    let missing = || Error::Corrupt(format!("blob {blob} is not in the books"));
    let mut record: BlobRecord = tx.load(&key)?.ok_or_else(missing)?;
    record.uses = record.uses.saturating_sub(1);
    if record.uses > 0 {
        return tx.store(key, &record);
    }
    tx.remove(Space::Blobs, key);
    record.extents.iter().try_for_each(|extent| take_live(tx, extent, record.seal.is_some()))
}
