//! Copies. The bytes stay where they are and are used once more, unless they are to be sealed under another key; they
//! are read only for checksums that are not known.

use super::index::View;
use super::index::view;
use super::keys;
use super::reading::{self, Held};
use super::record::{BlobRecord, ChunkRecord, Data, Fragment, InlineBytes, ManifestRecord, Slice};
use super::versions;
use super::{Shared, intake, objects, uploads};
use crate::body::MAX_BODY_BYTES;
use crate::checksum::{Algorithm, Algorithms, Checksum, ChecksumKind, Hasher};
use crate::{
    Body, CallerError, Copy, CopyPart, Digests, ETag, Error, KeyId, ObjectBody, PartWritten, Result, Source,
    Storage, Version, Written,
};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use std::ops::Range;
use std::sync::Arc;

/// A part of so many fragments is written anew instead.
const MOST_FRAGMENTS: usize = 32;

/// A source that was found as it was expected, held for reading.
struct Opened {
    version: Version,
    held: Arc<Held>,
    data: Data,
    /// The key that all its bytes are sealed with.
    seal: Option<KeyId>,
}

async fn open(shared: &Arc<Shared>, source: Source) -> Result<Opened> {
    let held = Arc::clone(shared);
    let opened = shared.reads.run(move |reader| {
        let (version, _, held) = reading::hold(&held, reader, &source.at)?;
        if version.generation != source.generation {
            return Err(Error::SourceChanged);
        }
        // another snapshot, but of what is held: a version that went since then ends the copy
        let (data, seal) = reading::snapshot(reader, |view| {
            let found = versions::find_object(view, &source.at).map_err(|_| Error::SourceChanged)?;
            let object = found.version.object().filter(|_| found.version.generation == source.generation);
            let data = object.map(|object| object.data.clone()).ok_or(Error::SourceChanged)?;
            let seal = seal_of(view, &data)?;
            Ok((data, seal))
        })?;
        Ok(Opened { version, held: Arc::new(held), data, seal })
    });
    let opened = opened.await??;
    match opened.version.storage {
        Storage::Archived => Err(Error::Archived),
        Storage::Available => Ok(opened),
    }
}

/// All fragments of an object are sealed alike: they came in one upload.
fn seal_of(view: &dyn View, data: &Data) -> Result<Option<KeyId>> {
    let first = match data {
        Data::Fragments(fragments) => fragments.first().cloned(),
        Data::Manifest(number) => {
            let chunk: Option<ChunkRecord> = view::load(view, &keys::chunk(*number, 0))?;
            chunk.and_then(|chunk| chunk.pieces.into_iter().flat_map(|piece| piece.fragments).next())
        }
    };
    match first {
        None => Ok(None),
        Some(Fragment::Inline(inline)) => Ok(inline.seal.map(|(seal, _)| seal.key)),
        Some(Fragment::Slice(slice)) => {
            let blob: BlobRecord =
                view::load(view, &keys::number(slice.blob))?.ok_or(Error::SourceChanged)?;
            Ok(blob.seal.map(|seal| seal.key))
        }
    }
}

pub(super) async fn copy(shared: &Arc<Shared>, copy: Copy) -> Result<Written> {
    let to = copy.to;
    to.description.check()?;
    let source = open(shared, copy.source).await?;
    not_given(&source, to.seal)?;
    if source.version.size > MAX_BODY_BYTES {
        return Err(Error::TooLarge { what: "source of a copy", limit: MAX_BODY_BYTES });
    }
    let whole = 0..source.version.size;
    if source.seal != to.seal && source.version.size > 0 {
        let body = stored_body(shared, &source, whole);
        let (digests, content) = intake::take_in(shared, body, to.checksums, to.seal).await?;
        return shared.commits.submit(move |tx| objects::put(tx, to, digests, content)).await;
    }
    let digests = match known(&source.version, to.checksums) {
        Some(digests) => digests,
        None => hash(shared, bytes(shared, &source, whole), to.checksums).await?,
    };
    shared
        .commits
        .submit(move |tx| {
            let written = objects::copy(tx, to, digests, source.data);
            drop(source.held);
            written
        })
        .await
}

pub(super) async fn copy_part(shared: &Arc<Shared>, copy: CopyPart) -> Result<PartWritten> {
    let CopyPart { source, range, mut to } = copy;
    let upload = shared.upload_record(to.upload.clone()).await?;
    to.checksums = uploads::of_upload(&upload).into_iter().fold(to.checksums, Algorithms::with);
    let source = open(shared, source).await?;
    not_given(&source, upload.seal)?;
    let range = range.unwrap_or(0..source.version.size);
    if range.start > range.end || range.end > source.version.size {
        return Err(Error::InvalidRange);
    }
    if range.end - range.start > MAX_BODY_BYTES {
        return Err(Error::TooLarge { what: "part", limit: MAX_BODY_BYTES });
    }
    let fragments =
        if source.seal == upload.seal { cut(shared, &source, range.clone()).await? } else { None };
    let Some(fragments) = fragments else {
        let body = stored_body(shared, &source, range);
        let (digests, content) = intake::take_in(shared, body, to.checksums, upload.seal).await?;
        return shared.commits.submit(move |tx| uploads::put_part(tx, to, digests, content)).await;
    };
    let is_whole = range == (0..source.version.size);
    let digests = match known(&source.version, to.checksums).filter(|_| is_whole) {
        Some(digests) => digests,
        None => hash(shared, bytes(shared, &source, range), to.checksums).await?,
    };
    shared
        .commits
        .submit(move |tx| {
            let written = uploads::copy_part(tx, to, digests, fragments);
            drop(source.held);
            written
        })
        .await
}

/// Keys that were given are not here.
fn not_given(source: &Opened, to: Option<KeyId>) -> Result<()> {
    if [source.seal, to].contains(&Some(KeyId::GIVEN)) { Err(Error::NoKey(KeyId::GIVEN)) } else { Ok(()) }
}

fn bytes(shared: &Arc<Shared>, source: &Opened, range: Range<u64>) -> ObjectBody {
    reading::body(Arc::clone(shared), Arc::clone(&source.held), range, None)
}

fn stored_body(shared: &Arc<Shared>, source: &Opened, range: Range<u64>) -> Body {
    let length = range.end - range.start;
    let chunks =
        bytes(shared, source, range).map(|chunk| chunk.map_err(|error| Box::new(error) as CallerError));
    Body::new(chunks).with_length(length)
}

/// What is known of all the bytes of a version, if it is all that is wanted.
fn known(version: &Version, wanted: Algorithms) -> Option<Digests> {
    let ETag::Md5(md5) = version.etag else { return None };
    let checksum = |algorithm| version.checksums.full(algorithm).map(|value| full(algorithm, value.clone()));
    let checksums: Option<Vec<_>> = wanted.iter().map(checksum).collect();
    Some(Digests { size: version.size, md5, checksums: checksums?.into_iter().collect() })
}

fn full(algorithm: Algorithm, value: bytes::Bytes) -> Checksum {
    Checksum { algorithm, kind: ChecksumKind::FullObject, value }
}

async fn hash(shared: &Arc<Shared>, mut body: ObjectBody, wanted: Algorithms) -> Result<Digests> {
    let mut hashers: Vec<Hasher> = wanted.with(Algorithm::Md5).iter().map(Hasher::new).collect();
    let mut size = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        size += chunk.len() as u64;
        let begin = |mut hasher: Hasher| {
            let chunk = chunk.clone();
            shared.writes.begin(move |()| {
                hasher.update(&chunk);
                hasher
            })
        };
        let begun: Vec<_> = hashers.drain(..).map(begin).collect();
        hashers = try_join_all(begun).await.map_err(|_| Error::Closed)?;
    }
    Ok(intake::digests(size, hashers, wanted))
}

/// The fragments that hold a range, or nothing if they are too many or cannot be cut.
async fn cut(shared: &Arc<Shared>, source: &Opened, range: Range<u64>) -> Result<Option<Vec<Fragment>>> {
    let data = source.data.clone();
    let whole = shared.reads.run(move |reader| reading::snapshot(reader, |view| around(view, &data, &range)));
    whole.await?
}

fn around(view: &dyn View, data: &Data, range: &Range<u64>) -> Result<Option<Vec<Fragment>>> {
    let mut cut = Vec::new();
    let mut at = range.start;
    let chunks = match data {
        Data::Fragments(_) => 0,
        Data::Manifest(number) => {
            let record: Option<ManifestRecord> = view::load(view, &keys::number(*number))?;
            record.ok_or(Error::SourceChanged)?.chunks
        }
    };
    while at < range.end {
        let found = match data {
            Data::Fragments(fragments) => among(fragments, at),
            Data::Manifest(number) => reading::locate(view, *number, chunks, at)?,
        };
        let Some((begins, fragment)) = found else { return Ok(None) };
        let end = range.end.min(begins + fragment.length());
        let Some(fragment) = part_of(fragment, at - begins..end - begins) else { return Ok(None) };
        cut.push(fragment);
        at = end;
        if cut.len() > MOST_FRAGMENTS {
            return Ok(None);
        }
    }
    Ok(Some(cut))
}

fn among(fragments: &[Fragment], at: u64) -> Option<(u64, Fragment)> {
    let mut start = 0;
    fragments.iter().find_map(|fragment| {
        let begins = start;
        start += fragment.length();
        (at < start).then(|| (begins, fragment.clone()))
    })
}

fn part_of(fragment: Fragment, range: Range<u64>) -> Option<Fragment> {
    match fragment {
        whole if range == (0..whole.length()) => Some(whole),
        Fragment::Slice(Slice { blob, offset, .. }) => Some(Fragment::Slice(Slice {
            blob,
            offset: offset + range.start,
            length: range.end - range.start,
        })),
        Fragment::Inline(InlineBytes { seal: Some(_), .. }) => None,
        Fragment::Inline(InlineBytes { number, bytes, seal: None }) => {
            let bytes = bytes.get(range.start as usize..range.end as usize)?;
            Some(Fragment::Inline(InlineBytes {
                number,
                bytes: bytes::Bytes::copy_from_slice(bytes),
                seal: None,
            }))
        }
    }
}
