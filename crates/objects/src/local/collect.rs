//! Gives back the room of what is gone: rows, segments that nothing lives in, and by moving what lives elsewhere,
//! segments that little lives in.

use super::Shared;
use super::blobs;
use super::commit::Tx;
use super::extent::{self, BLOCK, HEADER, Header, ReadExtent};
use super::index::view::{self, Step};
use super::index::{Space, View};
use super::keys;
use super::reading::snapshot;
use super::record::{
    BlobRecord, ChunkRecord, Extent, GarbageRecord, PartRecord, SegmentKind, SegmentRecord, UploadRecord,
};
use super::segment::{Lease, START};
use super::uploads;
use crate::{BucketId, Collected, Error, Result, Timestamp};
use std::sync::Arc;

/// Rows that one commit clears away.
const STEP_ROWS: usize = 1000;
/// Rows that one collection clears away.
const ROWS: u64 = 100_000;
/// Bytes that one collection moves.
const MOVED_BYTES: u64 = 256 << 20;
/// Bytes that are moved by one commit.
const STEP_BYTES: u64 = 4 << 20;

pub(super) async fn collect(shared: &Arc<Shared>, now: Timestamp) -> Result<Collected> {
    let _alone = shared.collecting.lock().await;
    let mut collected = Collected::default();
    let mut from = Some(Vec::new());
    while collected.rows < ROWS
        && let Some(row) = from
    {
        let step = shared.commits.submit(move |tx| clear_rows(tx, row, now)).await?;
        collected.rows += step.rows;
        from = step.next.or_else(|| step.again.then(Vec::new));
    }
    collected.more = collected.rows >= ROWS;
    remove_segments(shared, &mut collected).await?;
    while collected.moved_bytes < MOVED_BYTES {
        let Some(victim) = sparsest(shared).await? else { break };
        if !empty(shared, victim, &mut collected).await? {
            break;
        }
    }
    remove_segments(shared, &mut collected).await?;
    collected.more |= collected.moved_bytes >= MOVED_BYTES;
    Ok(collected)
}

struct Cleared {
    rows: u64,
    /// Where to go on.
    next: Option<Vec<u8>>,
    /// Whether what was cleared left more behind, perhaps before that.
    again: bool,
}

/// Clears away some rows of what is gone, from this one on.
fn clear_rows(tx: &mut Tx<'_>, from: Vec<u8>, now: Timestamp) -> Result<Cleared> {
    let due = keys::garbage(now.0.saturating_add(1), 0);
    let found: Vec<(Vec<u8>, GarbageRecord)> = tx.range(&from, Some(&due), STEP_ROWS)?;
    let mut next = found.last().filter(|_| found.len() == STEP_ROWS).map(|(row, _)| [row, &[0][..]].concat());
    let mut left = STEP_ROWS;
    let mut again = false;
    for (row, garbage) in found {
        if left == 0 {
            next = Some(row);
            break;
        }
        let cleared = match garbage {
            GarbageRecord::Upload { upload, given } => clear_upload(tx, upload, &given, &mut left)?,
            GarbageRecord::Manifest { manifest, since } => clear_manifest(tx, manifest, since, &mut left)?,
            GarbageRecord::Bucket { bucket } => {
                let before = left;
                let cleared = clear_bucket(tx, BucketId(bucket), &mut left)?;
                again |= left < before;
                cleared
            }
            GarbageRecord::Completed { row } => {
                tx.remove(Space::Completed, row.to_vec());
                true
            }
        };
        if cleared {
            tx.remove(Space::Garbage, row);
            left = left.saturating_sub(1);
        } else if left == 0 {
            next = Some(row);
            break;
        }
    }
    Ok(Cleared { rows: (STEP_ROWS - left) as u64, next, again })
}

fn clear_upload(tx: &mut Tx<'_>, upload: u64, given: &[u8], left: &mut usize) -> Result<bool> {
    let from = keys::number(upload);
    let parts: Vec<(Vec<u8>, PartRecord)> = tx.range(&from, keys::end_of(&from).as_deref(), *left)?;
    let all = parts.len() < *left;
    for (row, part) in parts {
        let (_, number) = keys::split_part(&row)?;
        if !uploads::is_given(given, number) {
            blobs::release_fragments(tx, &part.fragments)?;
        }
        tx.remove(Space::Parts, row);
        *left -= 1;
    }
    Ok(all)
}

/// A manifest goes only when nobody reads it; its first row goes first, so that nobody can come to use it again.
fn clear_manifest(tx: &mut Tx<'_>, manifest: u64, since: u64, left: &mut usize) -> Result<bool> {
    if !tx.readers.have_left_manifest(manifest, since) {
        return Ok(false);
    }
    tx.remove(Space::Manifests, keys::number(manifest));
    let from = keys::number(manifest);
    let most = left.div_ceil(super::record::CHUNK_PIECES);
    let chunks: Vec<(Vec<u8>, ChunkRecord)> = tx.range(&from, keys::end_of(&from).as_deref(), most)?;
    let all = chunks.len() < most;
    for (row, chunk) in chunks {
        for piece in &chunk.pieces {
            blobs::release_fragments(tx, &piece.fragments)?;
        }
        *left = left.saturating_sub(chunk.pieces.len());
        tx.remove(Space::Chunks, row);
    }
    Ok(all)
}

/// The uploads of a bucket that is closed become garbage of their own.
fn clear_bucket(tx: &mut Tx<'_>, bucket: BucketId, left: &mut usize) -> Result<bool> {
    let from = keys::bucket(bucket);
    let rows: Vec<(Vec<u8>, UploadRecord)> = tx.range(&from, keys::end_of(&from).as_deref(), *left)?;
    let all = rows.len() < *left;
    for (row, upload) in rows {
        let garbage = GarbageRecord::Upload { upload: upload.number, given: bytes::Bytes::new() };
        tx.store(keys::garbage(0, upload.number), &garbage)?;
        tx.remove(Space::Uploads, row);
        *left -= 1;
    }
    if all {
        tx.remove(Space::Buckets, from);
    }
    Ok(all)
}

async fn all_segments(shared: &Arc<Shared>) -> Result<Vec<(u64, SegmentRecord)>> {
    shared.reads.run(|reader| snapshot(reader, super::open::all_segments)).await?
}

/// Retires the segments that nothing lives in, and removes those that nobody can be reading any more.
async fn remove_segments(shared: &Arc<Shared>, collected: &mut Collected) -> Result<()> {
    for (number, record) in all_segments(shared).await? {
        if record.live > 0 {
            continue;
        }
        // held until the row is gone, or for good if the segment stays retired: nobody may write to it again
        let Some(reservation) = shared.segments.withdraw(number) else { continue };
        let since = shared.commits.submit(move |tx| retire(tx, number)).await?;
        let Some(since) = since else {
            drop(reservation);
            continue;
        };
        if !shared.readers.have_left(since) {
            continue;
        }
        let segments = Arc::clone(&shared.segments);
        let removed = shared.writes.run(move |()| {
            segments.remove(number)?;
            segments.sync_directory()
        });
        removed.await?.map_err(|error| Error::Io(format!("segment {number} cannot be removed: {error}")))?;
        shared.commits.submit(move |tx| forget(tx, number)).await?;
        collected.freed_bytes += match record.kind {
            SegmentKind::Packed => record.capacity,
            SegmentKind::Stream => record.used,
        };
    }
    Ok(())
}

/// Marks a segment as one that nothing will live in again, and answers since when.
fn retire(tx: &mut Tx<'_>, number: u64) -> Result<Option<u64>> {
    let Some(mut record) = tx.load::<SegmentRecord>(&keys::number(number))? else { return Ok(None) };
    if record.live > 0 || tx.packs_into(number) {
        return Ok(None);
    }
    let since = *record.retired.get_or_insert(tx.stamp());
    tx.store(keys::number(number), &record)?;
    Ok(Some(since))
}

fn forget(tx: &mut Tx<'_>, number: u64) -> Result<()> {
    tx.remove(Space::Segments, keys::number(number));
    Ok(())
}

/// The segment that is worth emptying most: less than half of it lives.
async fn sparsest(shared: &Arc<Shared>) -> Result<Option<u64>> {
    let mut all = all_segments(shared).await?;
    let packing = shared.commits.submit(move |tx| {
        all.retain(|(number, record)| {
            !tx.packs_into(*number) && record.live > 0 && record.live * 2 < record.used.saturating_sub(START)
        });
        Ok(all)
    });
    let mut found = packing.await?;
    let stuck = shared.stuck();
    // what is copied must find room, on a disk that is almost full too
    let free = shared.segments.free_bytes().unwrap_or(0);
    found.retain(|(number, record)| {
        !stuck.contains(number) && !shared.segments.is_busy(*number) && record.live < free / 2
    });
    Ok(found
        .into_iter()
        .min_by_key(|(_, record)| record.live * 1000 / record.used.max(1))
        .map(|(number, _)| number))
}

/// Moves what lives in a segment elsewhere. Answers false if somebody writes to it.
async fn empty(shared: &Arc<Shared>, victim: u64, collected: &mut Collected) -> Result<bool> {
    let Some(reservation) = shared.segments.withdraw(victim) else { return Ok(false) };
    let held = Arc::clone(shared);
    let living = shared.reads.run(move |reader| snapshot(reader, |view| living(&held, view, victim)));
    let mut living = living.await??;
    let before = collected.moved_bytes;
    let mut whole = true;
    while !living.is_empty() {
        let mut bytes = 0;
        let step: Vec<Living> = living
            .extract_if(.., |one| {
                let takes = bytes < STEP_BYTES;
                bytes += one.extent.length;
                takes
            })
            .collect();
        whole &= move_step(shared, step, collected).await?;
    }
    if !whole || collected.moved_bytes == before {
        // what is corrupt stays where it is, for someone to look at, and is not tried again and again
        shared.set_stuck(victim);
    }
    drop(reservation);
    Ok(true)
}

/// An extent that is in use.
#[derive(Clone, Copy, Debug)]
struct Living {
    blob: u64,
    place: usize,
    first_block: u64,
    sealed: bool,
    extent: Extent,
}

/// The extents that live in a segment: found by the headers in the file, or if these do not add up to what the books
/// say, by all blobs of the store.
fn living(shared: &Shared, view: &dyn View, segment: u64) -> Result<Vec<Living>> {
    let missing = || Error::Corrupt(format!("segment {segment} is not in the books"));
    let record: SegmentRecord = view::load(view, &keys::number(segment))?.ok_or_else(missing)?;
    let by_headers = by_headers(shared, view, segment, &record).unwrap_or_default();
    let bytes: u64 = by_headers.iter().map(|one| extent::footprint(one.extent.length, one.sealed)).sum();
    if bytes == record.live {
        return Ok(by_headers);
    }
    let mut found = Vec::new();
    view::each(view, &[], None, &mut |key, blob: BlobRecord| {
        collect_extents(&mut found, keys::to_number(key)?, &blob, segment);
        Ok(Step::Next)
    })?;
    Ok(found)
}

fn collect_extents(found: &mut Vec<Living>, blob: u64, record: &BlobRecord, segment: u64) {
    let mut start = 0;
    for (place, extent) in record.extents.iter().enumerate() {
        if extent.segment == segment {
            let first_block = extent::blocks(start);
            found.push(Living { blob, place, first_block, sealed: record.seal.is_some(), extent: *extent });
        }
        start += extent.length;
    }
}

fn by_headers(shared: &Shared, view: &dyn View, segment: u64, record: &SegmentRecord) -> Result<Vec<Living>> {
    let file = shared.segments.file(segment)?;
    let mut found = Vec::new();
    let mut at = START;
    while at < record.used {
        let mut bytes = [0; HEADER as usize];
        let unreadable = |error| Error::Corrupt(format!("segment {segment} cannot be read at {at}: {error}"));
        file.read_at(&mut bytes, at).map_err(unreadable)?;
        let Some(header) = Header::decode(&bytes) else { return Ok(found) };
        let here = |one: &Living| one.extent.offset == at + HEADER && one.extent.length == header.length;
        if let Some(blob) = view::load::<BlobRecord>(view, &keys::number(header.blob))? {
            let mut extents = Vec::new();
            collect_extents(&mut extents, header.blob, &blob, segment);
            found.extend(extents.into_iter().filter(here));
        }
        at += extent::footprint(header.length, header.sealed);
    }
    Ok(found)
}

/// Where an extent goes.
struct Moved {
    from: Living,
    to: Extent,
}

async fn move_step(shared: &Arc<Shared>, step: Vec<Living>, collected: &mut Collected) -> Result<bool> {
    let mut rest = step;
    let mut whole = true;
    while let Some(first) = rest.first() {
        let room = extent::footprint(first.extent.length, first.sealed);
        let lease = shared.lease_from(room, true).await?;
        let held = Arc::clone(shared);
        let wrote = shared.writes.run(move |()| write_moved(&held, lease, rest)).await??;
        collected.corrupt += wrote.corrupt;
        whole &= wrote.corrupt == 0;
        collected.moved_bytes += wrote.moved.iter().map(|moved| moved.to.length).sum::<u64>();
        rest = wrote.rest;
        let (lease, moved) = (wrote.lease, wrote.moved);
        shared.commits.submit(move |tx| relocate(tx, lease, &moved)).await?;
    }
    Ok(whole)
}

struct Wrote {
    lease: Lease,
    moved: Vec<Moved>,
    /// What found no room in this segment.
    rest: Vec<Living>,
    corrupt: u64,
}

/// Copies extents to the end of a segment, as far as there is room, and syncs.
fn write_moved(shared: &Shared, mut lease: Lease, step: Vec<Living>) -> Result<Wrote> {
    let mut moved = Vec::new();
    let mut corrupt = 0;
    let mut step = step.into_iter();
    let mut rest = Vec::new();
    for from in step.by_ref() {
        let footprint = extent::footprint(from.extent.length, from.sealed);
        if footprint > lease.left() {
            rest.push(from);
            break;
        }
        let file = shared.segments.file(from.extent.segment)?;
        match copy_extent(shared, &*file, &from, &lease) {
            Ok(to) => {
                lease.advance(footprint);
                moved.push(Moved { from, to });
            }
            Err(error @ Error::Corrupt(_)) => {
                tracing::error!(%error, "a corrupt extent stays where it is");
                corrupt += 1;
            }
            Err(error) => return Err(error),
        }
    }
    rest.extend(step);
    if !moved.is_empty() {
        shared.status.synced(lease.file.sync())?;
    }
    Ok(Wrote { lease, moved, rest, corrupt })
}

/// Copies one extent, checked block by block.
fn copy_extent(
    shared: &Shared,
    file: &dyn super::disk::DiskFile,
    from: &Living,
    lease: &Lease,
) -> Result<Extent> {
    let Living { blob, first_block, sealed, extent, .. } = *from;
    let read = ReadExtent { file, extent, blob, first_block, sealed };
    let offset = lease.at() + HEADER;
    let table_at = offset + extent.length;
    let blocks = extent::blocks(extent.length);
    let mut block = 0;
    while block < blocks {
        let end = blocks.min(block + 16);
        let (data, table) = read.read_to_move(block..end)?;
        shared.status.written(lease.file.write_at(&data, offset + block * BLOCK))?;
        shared.status.written(lease.file.write_at(&table, table_at + block * extent::entry_bytes(sealed)))?;
        block = end;
    }
    let header = Header { sealed, blob, first_block, length: extent.length };
    shared.status.written(lease.file.write_at(&header.encode(), lease.at()))?;
    Ok(Extent { segment: lease.segment(), offset, length: extent.length })
}

/// Enters the new places in the books, of those blobs that are still there.
fn relocate(tx: &mut Tx<'_>, lease: Lease, moved: &[Moved]) -> Result<()> {
    blobs::grow(tx, lease.segment(), lease.at())?;
    for Moved { from, to } in moved {
        let key = keys::number(from.blob);
        let Some(mut record) = tx.load::<BlobRecord>(&key)? else { continue };
        let Some(extent) = record.extents.get_mut(from.place).filter(|extent| **extent == from.extent) else {
            continue;
        };
        *extent = *to;
        tx.store(key, &record)?;
        blobs::take_live(tx, &from.extent, from.sealed)?;
        blobs::add_live(tx, to, from.sealed)?;
    }
    tx.on_commit(move || lease.publish());
    Ok(())
}
