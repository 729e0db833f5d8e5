//! Multipart uploads, as the committer changes them.

use super::blobs::{self, Content};
use super::commit::Tx;
use super::index::{Space, View, view};
use super::keys::{self, LocalId};
use super::objects;
use super::record::{
    BucketRecord, CHUNK_PIECES, ChunkRecord, CompletedRecord, Data, Fragment, GarbageRecord, ManifestRecord,
    ObjectRecord, PartRecord, Piece, UploadRecord,
};
use super::versions::{self, Name};
use crate::checksum::{self, Algorithm, Checksum};
use crate::multipart::{MAX_OBJECT_BYTES, MAX_PARTS};
use crate::outbox::Outcome;
use crate::{
    Commit, CompleteUpload, Completed, CreateUpload, Description, Digests, ETag, Error, ListedPart,
    PartWritten, PutPart, Result, Timestamp, Upload, UploadAt, UploadChecksum, UploadId,
};
use bytes::Bytes;
use md5::Digest as _;

/// For so long a completed upload answers its retries, in milliseconds.
const REMEMBERED_MS: u64 = 24 * 3600 * 1000;

fn row(at: &UploadAt) -> Result<Vec<u8>> {
    let id = LocalId::parse(at.id.as_str()).ok_or(Error::NoSuchUpload)?;
    Ok(keys::upload(at.bucket, at.key.as_bytes(), &id))
}

/// An upload that is under way, and its row.
pub(super) fn find(view: &dyn View, at: &UploadAt) -> Result<(Vec<u8>, UploadRecord)> {
    versions::bucket(view, at.bucket)?;
    let row = row(at)?;
    let record = view::load(view, &row)?.ok_or(Error::NoSuchUpload)?;
    Ok((row, record))
}

pub(super) fn public(row: &[u8], record: UploadRecord) -> Result<Upload> {
    let (key, id) = keys::split_upload(row)?;
    Ok(Upload {
        key,
        id: UploadId::parse(&id.text())?,
        initiated: Some(record.initiated),
        meta: record.meta,
        checksum: record.checksum,
    })
}

pub(super) fn written(part: &PartRecord) -> PartWritten {
    PartWritten {
        etag: ETag::Md5(part.md5),
        size: part.size,
        checksums: part.checksums.clone(),
        modified: part.modified,
    }
}

pub(super) fn create(tx: &mut Tx<'_>, create: CreateUpload) -> Result<UploadId> {
    tx.needs_room()?;
    let CreateUpload { bucket, key, description, checksum, seal, commit } = create;
    let mut books = versions::bucket(&tx.index, bucket)?;
    let id = LocalId { order: keys::order(commit.now, Some(books.last_upload)), random: tx.random() };
    books.last_upload = id.order;
    let Description { meta, tags, lock, storage } = description;
    let record = UploadRecord {
        number: tx.number(),
        initiated: commit.now,
        meta,
        tags,
        lock,
        storage,
        checksum,
        seal,
    };
    tx.store(keys::upload(bucket, key.as_bytes(), &id), &record)?;
    books.uploads += 1;
    tx.store(keys::bucket(bucket), &books)?;
    let id = UploadId::parse(&id.text())?;
    tx.note(commit.note, &Outcome::UploadCreated(&id))?;
    Ok(id)
}

/// Stores a part of what came in.
pub(super) fn put_part(
    tx: &mut Tx<'_>,
    part: PutPart,
    digests: Digests,
    content: Content,
) -> Result<PartWritten> {
    find(&tx.index, &part.upload)?;
    let fragments = blobs::enter(tx, content)?;
    finish_part(tx, part, digests, fragments)
}

/// Stores a part of what is stored already.
pub(super) fn copy_part(
    tx: &mut Tx<'_>,
    part: PutPart,
    digests: Digests,
    fragments: Vec<Fragment>,
) -> Result<PartWritten> {
    tx.needs_room()?;
    fragments.iter().try_for_each(|fragment| blobs::acquire_fragment(tx, fragment))?;
    finish_part(tx, part, digests, fragments)
}

fn finish_part(
    tx: &mut Tx<'_>,
    part: PutPart,
    digests: Digests,
    fragments: Vec<Fragment>,
) -> Result<PartWritten> {
    let (_, upload) = find(&tx.index, &part.upload)?;
    let row = keys::part(upload.number, part.number);
    let before: Option<PartRecord> = tx.load(&row)?;
    if let Some(before) = before {
        blobs::release_fragments(tx, &before.fragments)?;
    }
    let Digests { size, md5, checksums } = digests;
    let record = PartRecord { size, md5, checksums, modified: part.commit.now, fragments };
    let written = written(&record);
    tx.store(row, &record)?;
    tx.note(part.commit.note, &Outcome::Part(&written))?;
    Ok(written)
}

pub(super) fn abort(tx: &mut Tx<'_>, at: &UploadAt, commit: Commit) -> Result<()> {
    let (row, record) = find(&tx.index, at)?;
    end(tx, at, row, record.number, Bytes::new())?;
    tx.note(commit.note, &Outcome::Aborted)
}

/// Takes the upload out of the books; its parts are cleared away later, less the ones that were given to an object.
fn end(tx: &mut Tx<'_>, at: &UploadAt, row: Vec<u8>, upload: u64, given: Bytes) -> Result<()> {
    tx.remove(Space::Uploads, row);
    let mut books: BucketRecord = versions::bucket(&tx.index, at.bucket)?;
    books.uploads = books.uploads.saturating_sub(1);
    tx.store(keys::bucket(at.bucket), &books)?;
    tx.store(keys::garbage(0, upload), &GarbageRecord::Upload { upload, given })
}

/// Makes the object, or answers what an earlier request made.
pub(super) fn complete(tx: &mut Tx<'_>, complete: CompleteUpload) -> Result<Completed> {
    let at = complete.upload.clone();
    versions::bucket(&tx.index, at.bucket)?;
    check_order(&complete.parts)?;
    let row = row(&at)?;
    let upload: Option<UploadRecord> = tx.load(&row)?;
    let Some(upload) = upload else { return repeat(tx, complete, &row) };
    let pieces = pieces(tx, upload.number, &complete)?;
    let etag = etag(&complete.parts);
    let checksum = upload.checksum.map(|wanted| combined(wanted, &pieces)).transpose()?;
    check_expected(&complete, checksum.as_ref())?;
    let given = given(&complete.parts);
    let parts = u32::try_from(pieces.len()).ok();
    let (size, data) = make_manifest(tx, pieces)?;
    check_size(&complete, size)?;
    let description =
        Description { meta: upload.meta, tags: upload.tags, lock: upload.lock, storage: upload.storage };
    let mut object = ObjectRecord::new(description, size, etag, checksum.into_iter().collect(), data);
    object.parts = parts;
    let name = Name { bucket: at.bucket, key: &at.key };
    let now = complete.commit.now;
    let (version, written) = objects::place(tx, name, &complete.only_if, object, now)?;
    end(tx, &at, row.clone(), upload.number, given)?;
    remember(tx, row, &version, &written, now)?;
    let completed = Completed { written, repeated: false };
    tx.note(complete.commit.note, &Outcome::Completed(&completed))?;
    Ok(completed)
}

fn check_order(parts: &[ListedPart]) -> Result<()> {
    let in_range = |part: &ListedPart| (1..=MAX_PARTS).contains(&part.number);
    let ascends = parts.is_sorted_by(|left, right| left.number < right.number);
    if !parts.is_empty() && parts.iter().all(in_range) && ascends {
        Ok(())
    } else {
        Err(Error::InvalidPartOrder)
    }
}

/// The answer to a request that was answered before: the same object, if the same parts are meant.
fn repeat(tx: &mut Tx<'_>, complete: CompleteUpload, row: &[u8]) -> Result<Completed> {
    let before: Option<CompletedRecord> = tx.load(row)?;
    let before = before.filter(|before| before.etag == etag(&complete.parts)).ok_or(Error::NoSuchUpload)?;
    let completed = Completed { written: before.public(), repeated: true };
    tx.note(complete.commit.note, &Outcome::Completed(&completed))?;
    Ok(completed)
}

fn remember(
    tx: &mut Tx<'_>,
    row: Vec<u8>,
    version: &super::record::VersionRecord,
    written: &crate::Written,
    now: Timestamp,
) -> Result<()> {
    let record = CompletedRecord {
        id: version.id,
        order: version.order,
        generation: version.generation,
        size: written.size,
        etag: written.etag.clone(),
        checksums: written.checksums.clone(),
        modified: written.modified,
    };
    tx.store(row.clone(), &record)?;
    let garbage = keys::garbage(now.0.saturating_add(REMEMBERED_MS), tx.number());
    tx.store(garbage, &GarbageRecord::Completed { row: row.into() })
}

/// MD5 of the parts' MD5s. A tag of another kind matches no part.
fn etag(parts: &[ListedPart]) -> ETag {
    let mut md5 = md5::Md5::new();
    for part in parts {
        if let ETag::Md5(digest) = &part.etag {
            md5.update(digest);
        }
    }
    ETag::Parts { digest: md5.finalize().into(), parts: u32::try_from(parts.len()).unwrap_or(u32::MAX) }
}

/// The stored parts that are listed, if each is what it is said to be.
fn pieces(tx: &Tx<'_>, upload: u64, complete: &CompleteUpload) -> Result<Vec<Piece>> {
    let end = keys::end_of(&keys::number(upload));
    let stored: Vec<(Vec<u8>, PartRecord)> =
        tx.range(&keys::number(upload), end.as_deref(), usize::from(MAX_PARTS))?;
    let mut stored = stored.into_iter();
    let mut pieces = Vec::with_capacity(complete.parts.len());
    for listed in &complete.parts {
        let row = keys::part(upload, listed.number);
        let part = stored.find_map(|(stored, part)| (stored >= row).then_some((stored == row, part)));
        let part = part.filter(|(found, _)| *found).map(|(_, part)| part);
        pieces.push(piece(listed, part).ok_or(Error::InvalidPart { number: listed.number })?);
    }
    let small = pieces.iter().rev().skip(1).rev().find(|piece| piece.size < complete.min_part_bytes);
    match small {
        Some(piece) => Err(Error::PartTooSmall { number: piece.number, size: piece.size }),
        None => Ok(pieces),
    }
}

fn piece(listed: &ListedPart, part: Option<PartRecord>) -> Option<Piece> {
    let part = part.filter(|part| ETag::Md5(part.md5) == listed.etag)?;
    let same = |checksum: &Checksum| part.checksums.get(checksum.algorithm) == Some(checksum);
    listed.checksums.iter().all(same).then_some(Piece {
        number: listed.number,
        size: part.size,
        checksums: part.checksums,
        fragments: part.fragments,
    })
}

fn combined(wanted: UploadChecksum, pieces: &[Piece]) -> Result<Checksum> {
    let missing = || Error::PartChecksumMissing(wanted.algorithm);
    let of_part =
        |piece: &Piece| piece.checksums.full(wanted.algorithm).map(|value| (value.clone(), piece.size));
    let values: Vec<(Bytes, u64)> = pieces.iter().map(of_part).collect::<Option<_>>().ok_or_else(missing)?;
    let values = values.iter().map(|(value, size)| (value.as_ref(), *size));
    checksum::of_parts(wanted.algorithm, wanted.full_object, values).ok_or_else(missing)
}

fn check_expected(complete: &CompleteUpload, made: Option<&Checksum>) -> Result<()> {
    let Some((algorithm, value)) = &complete.expected else { return Ok(()) };
    let same = |made: &Checksum| made.algorithm == *algorithm && made.value == *value;
    if made.is_some_and(same) { Ok(()) } else { Err(Error::Mismatch("checksum")) }
}

fn check_size(complete: &CompleteUpload, size: u64) -> Result<()> {
    if size > MAX_OBJECT_BYTES {
        return Err(Error::TooLarge { what: "object", limit: MAX_OBJECT_BYTES });
    }
    if complete.expected_size.is_some_and(|expected| expected != size) {
        return Err(Error::Mismatch("size"));
    }
    Ok(())
}

/// A bit for each part that the object takes.
fn given(parts: &[ListedPart]) -> Bytes {
    let mut bits = vec![0_u8; usize::from(MAX_PARTS) / 8 + 1];
    for part in parts {
        if let Some(byte) = bits.get_mut(usize::from(part.number / 8)) {
            *byte |= 1 << (part.number % 8);
        }
    }
    bits.into()
}

pub(super) fn is_given(bits: &[u8], number: u16) -> bool {
    bits.get(usize::from(number / 8)).is_some_and(|byte| byte & 1 << (number % 8) != 0)
}

/// Writes down of which pieces the object is made. The object takes over the parts' uses of their blobs.
fn make_manifest(tx: &mut Tx<'_>, pieces: Vec<Piece>) -> Result<(u64, Data)> {
    let manifest = tx.number();
    let mut start = 0;
    let mut chunk = 0;
    let mut pieces = pieces.into_iter().peekable();
    while pieces.peek().is_some() {
        let pieces: Vec<Piece> = pieces.by_ref().take(CHUNK_PIECES).collect();
        let size: u64 = pieces.iter().map(|piece| piece.size).sum();
        tx.store(keys::chunk(manifest, chunk), &ChunkRecord { start, pieces })?;
        start += size;
        chunk += 1;
    }
    tx.store(keys::number(manifest), &ManifestRecord { uses: 1, chunks: chunk })?;
    Ok((start, Data::Manifest(manifest)))
}

/// Whether an upload can promise this checksum.
pub(super) fn check_promise(checksum: Option<UploadChecksum>) -> Result<()> {
    match checksum {
        Some(UploadChecksum { algorithm, full_object: true }) if !algorithm.combines() => {
            Err(Error::PartChecksumMissing(algorithm))
        }
        _ => Ok(()),
    }
}

/// The checksums that a part needs for its upload, besides those asked for.
pub(super) fn of_upload(upload: &UploadRecord) -> Option<Algorithm> {
    upload.checksum.map(|checksum| checksum.algorithm)
}
