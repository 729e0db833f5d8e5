//! Finds objects and reads their bytes.

use super::Shared;
use super::cipher::BlobCipher;
use super::disk::DiskFile;
use super::epoch::Reading;
use super::extent::{self, BLOCK, ReadExtent};
use super::index::Reader as _;
use super::index::View;
use super::index::sqlite::SqliteReader;
use super::index::view;
use super::keys;
use super::record::{
    BlobRecord, CHUNK_PIECES, ChunkRecord, Data, Extent, Fragment, InlineBytes, ManifestRecord, SealRecord,
    Slice,
};
use super::status::Status;
use super::streams::{SLICE, Stream, Streams};
use super::versions;
use crate::{
    At, Contents, Error, KeyId, ObjectBody, ObjectPart, Opened, Result, SealKey, Version, Versioning,
};
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::oneshot;

/// So little is read with the lookup.
const AT_ONCE: u64 = BLOCK;

/// Runs a closure over one state of the index.
pub(super) fn snapshot<T>(reader: &mut SqliteReader, read: impl FnOnce(&dyn View) -> Result<T>) -> Result<T> {
    let mut read = Some(read);
    let mut result = Err(Error::Closed);
    reader.snapshot(&mut |view| {
        if let Some(read) = read.take() {
            result = read(view);
        }
    })?;
    result
}

/// What an object is.
pub(super) fn head(view: &dyn View, at: &At) -> Result<Version> {
    versions::bucket(view, at.bucket)?;
    let found = versions::find_object(view, at)?;
    let object = found.version.object().ok_or(Error::NoSuchVersion)?;
    Ok(found.version.public_object(object, found.is_latest))
}

/// Finds an object and all that is needed to read it later.
pub(super) fn open(shared: &Arc<Shared>, reader: &mut SqliteReader, at: &At) -> Result<Opened> {
    let (version, versioning, held) = hold(shared, reader, at)?;
    let held = match held {
        Held::Fragments(fragments)
            if version.size <= AT_ONCE && !fragments.iter().any(OpenFragment::needs_key) =>
        {
            Held::Fragments(vec![OpenFragment::Bytes(gather(shared, &fragments)?)])
        }
        held => held,
    };
    let contents = LocalContents { shared: Arc::clone(shared), held: Arc::new(held) };
    Ok(Opened::new(version, Box::new(contents)).with_versioning(versioning))
}

/// The version, how its bucket keeps versions, and its data, held.
pub(super) fn hold(
    shared: &Arc<Shared>,
    reader: &mut SqliteReader,
    at: &At,
) -> Result<(Version, Versioning, Held)> {
    let reading = shared.readers.enter();
    snapshot(reader, |view| {
        let bucket = versions::bucket(view, at.bucket)?;
        let found = versions::find_object(view, at)?;
        let object = found.version.object().ok_or(Error::NoSuchVersion)?;
        let held = match &object.data {
            Data::Fragments(fragments) => {
                let open = fragments.iter().map(|fragment| open_fragment(shared, view, fragment));
                Held::Fragments(open.collect::<Result<_>>()?)
            }
            Data::Manifest(number) => {
                let missing = || Error::Corrupt(format!("manifest {number} is not in the books"));
                let record: ManifestRecord = view::load(view, &keys::number(*number))?.ok_or_else(missing)?;
                reading.narrow(*number);
                Held::Manifest { number: *number, chunks: record.chunks, _reading: reading }
            }
        };
        Ok((found.version.public_object(object, found.is_latest), bucket.versioning, held))
    })
}

/// An object's data, which stays readable while this lives.
pub(super) enum Held {
    Fragments(Vec<OpenFragment>),
    Manifest { number: u64, chunks: u32, _reading: Reading },
}

pub(super) enum OpenFragment {
    Bytes(Bytes),
    /// Bytes that only a key opens that is given.
    Sealed(InlineBytes),
    Slice {
        slice: Slice,
        blob: OpenBlob,
    },
}

impl OpenFragment {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Sealed(inline) => inline.bytes.len() as u64,
            Self::Slice { slice, .. } => slice.length,
        }
    }

    /// Whether it is sealed with a key that was given and is kept nowhere.
    fn needs_key(&self) -> bool {
        match self {
            Self::Bytes(_) => false,
            Self::Sealed(_) => true,
            Self::Slice { blob, .. } => blob.needs_key(),
        }
    }

    /// Some bytes from here on: at least one, if there is one, and about a slice at most.
    fn read(&self, keys: Keys<'_>, from: u64, most: u64, slice: u64) -> Result<Bytes> {
        let cut = |bytes: &Bytes| {
            let start = (from as usize).min(bytes.len());
            let end = start.saturating_add(most as usize).min(bytes.len());
            bytes.slice(start..end)
        };
        match self {
            Self::Bytes(bytes) => Ok(cut(bytes)),
            Self::Sealed(inline) => Ok(cut(&open_inline(keys, inline)?)),
            Self::Slice { slice: part, blob } => {
                let most = most.min(part.length.saturating_sub(from));
                blob.read(keys, part.offset + from, most, slice)
            }
        }
    }
}

fn open_fragment(shared: &Shared, view: &dyn View, fragment: &Fragment) -> Result<OpenFragment> {
    match fragment {
        Fragment::Inline(inline) if is_given(inline.seal.as_ref().map(|(seal, _)| seal)) => {
            Ok(OpenFragment::Sealed(inline.clone()))
        }
        Fragment::Inline(inline) => Ok(OpenFragment::Bytes(open_inline(Keys::kept(shared), inline)?)),
        Fragment::Slice(slice) => {
            Ok(OpenFragment::Slice { slice: *slice, blob: OpenBlob::open(shared, view, slice.blob)? })
        }
    }
}

/// What opens sealed bytes: the keys that are kept, and one that may be given.
#[derive(Clone, Copy)]
struct Keys<'a> {
    shared: &'a Shared,
    given: Option<&'a SealKey>,
}

impl<'a> Keys<'a> {
    fn kept(shared: &'a Shared) -> Self {
        Self { shared, given: None }
    }

    fn cipher(&self, seal: &SealRecord) -> Result<BlobCipher> {
        self.shared.cipher(seal, self.given)
    }
}

fn is_given(seal: Option<&SealRecord>) -> bool {
    seal.is_some_and(|seal| seal.key == KeyId::GIVEN)
}

fn open_inline(keys: Keys<'_>, inline: &InlineBytes) -> Result<Bytes> {
    let Some((seal, tag)) = &inline.seal else { return Ok(inline.bytes.clone()) };
    let mut bytes = BytesMut::from(&inline.bytes[..]);
    keys.cipher(seal)?.open(inline.number, 0, &mut bytes, tag)?;
    Ok(bytes.freeze())
}

/// A blob with its files open.
pub(super) struct OpenBlob {
    number: u64,
    seal: Option<SealRecord>,
    cipher: Option<BlobCipher>,
    extents: Vec<(Extent, Arc<dyn DiskFile>)>,
}

impl OpenBlob {
    fn open(shared: &Shared, view: &dyn View, number: u64) -> Result<Self> {
        let missing = || Error::Corrupt(format!("blob {number} is not in the books"));
        let record: BlobRecord = view::load(view, &keys::number(number))?.ok_or_else(missing)?;
        let kept = record.seal.as_ref().filter(|seal| !is_given(Some(seal)));
        let cipher = kept.map(|seal| Keys::kept(shared).cipher(seal)).transpose()?;
        let extents =
            record.extents.iter().map(|extent| Ok((*extent, shared.segments.file(extent.segment)?)));
        Ok(Self { number, seal: record.seal, cipher, extents: extents.collect::<Result<_>>()? })
    }

    fn needs_key(&self) -> bool {
        is_given(self.seal.as_ref())
    }

    /// Bytes from an offset on, within one extent; at least one of those that are wanted.
    fn read(&self, keys: Keys<'_>, from: u64, most: u64, slice: u64) -> Result<Bytes> {
        let given = self.seal.as_ref().filter(|_| self.needs_key());
        let given = given.map(|seal| keys.cipher(seal)).transpose()?;
        let cipher = given.as_ref().or(self.cipher.as_ref());
        let mut start = 0;
        for (extent, file) in &self.extents {
            if from < start + extent.length {
                let inside = from - start;
                let read = ReadExtent {
                    file: &**file,
                    extent: *extent,
                    blob: self.number,
                    first_block: extent::blocks(start),
                    sealed: self.seal.is_some(),
                };
                let most = most.min(extent.length - inside);
                let streams = &keys.shared.streams;
                return read_within(streams, &read, inside..inside + most, slice, cipher).inspect_err(
                    |error| {
                        Status::count(&keys.shared.status.corrupt_blocks, 1);
                        tracing::error!(%error, "stored bytes cannot be read");
                    },
                );
            }
            start += extent.length;
        }
        Err(Error::Corrupt(format!("blob {} ends before {from}", self.number)))
    }
}

fn read_within(
    streams: &Arc<Streams>,
    read: &ReadExtent<'_>,
    wanted: Range<u64>,
    slice: u64,
    cipher: Option<&BlobCipher>,
) -> Result<Bytes> {
    let from = wanted.start;
    let first = from / BLOCK;
    // a slice from the block on, so that what follows begins at a block
    let end = wanted.end.min(first * BLOCK + slice);
    let range = first..end.div_ceil(BLOCK);
    let blocks = if end - first * BLOCK == slice {
        let mut buffer = streams.buffer(slice as usize);
        read.read_into(range, cipher, &mut buffer)?;
        Bytes::from_owner(buffer)
    } else {
        Bytes::from(read.read(range, cipher)?)
    };
    let skipped = (from - first * BLOCK) as usize;
    Ok(blocks.slice(skipped..skipped + (end - from) as usize))
}

fn gather(shared: &Shared, fragments: &[OpenFragment]) -> Result<Bytes> {
    let mut whole = BytesMut::new();
    for fragment in fragments {
        let mut at = 0;
        while at < fragment.length() {
            let bytes = fragment.read(Keys::kept(shared), at, fragment.length() - at, SLICE)?;
            at += bytes.len() as u64;
            if let [_] = fragments
                && at == fragment.length()
                && whole.is_empty()
            {
                return Ok(bytes);
            }
            whole.extend_from_slice(&bytes);
        }
    }
    Ok(whole.freeze())
}

struct LocalContents {
    shared: Arc<Shared>,
    held: Arc<Held>,
}

impl Contents for LocalContents {
    fn body(&self, range: Range<u64>) -> ObjectBody {
        body(Arc::clone(&self.shared), Arc::clone(&self.held), range, None)
    }

    fn body_with(&self, range: Range<u64>, key: SealKey) -> ObjectBody {
        body(Arc::clone(&self.shared), Arc::clone(&self.held), range, Some(key))
    }

    fn parts(&self, first: u16, limit: usize) -> BoxFuture<'_, Result<Vec<ObjectPart>>> {
        let (shared, held) = (Arc::clone(&self.shared), Arc::clone(&self.held));
        async move {
            let Held::Manifest { number, .. } = *held else { return Ok(Vec::new()) };
            let find =
                move |reader: &mut SqliteReader| snapshot(reader, |view| parts(view, number, first, limit));
            let found = shared.reads.run(find).await?;
            drop(held);
            found
        }
        .boxed()
    }
}

fn parts(view: &dyn View, manifest: u64, first: u16, limit: usize) -> Result<Vec<ObjectPart>> {
    let mut found = Vec::new();
    let skipped = usize::from(first.max(1)) - 1;
    let mut place = skipped - skipped % CHUNK_PIECES;
    let mut chunk = (place / CHUNK_PIECES) as u32;
    while found.len() < limit {
        let record: Option<ChunkRecord> = view::load(view, &keys::chunk(manifest, chunk))?;
        let Some(record) = record else { break };
        let mut offset = record.start;
        for piece in record.pieces {
            if place >= skipped && found.len() < limit {
                found.push(ObjectPart {
                    place: u16::try_from(place + 1).unwrap_or(u16::MAX),
                    number: piece.number,
                    offset,
                    size: piece.size,
                    checksums: piece.checksums,
                });
            }
            offset += piece.size;
            place += 1;
        }
        chunk += 1;
    }
    Ok(found)
}

/// The bytes of a range of what is held.
pub(super) fn body(
    shared: Arc<Shared>,
    held: Arc<Held>,
    range: Range<u64>,
    key: Option<SealKey>,
) -> ObjectBody {
    if let Held::Fragments(fragments) = &*held
        && let [OpenFragment::Bytes(bytes)] = fragments.as_slice()
    {
        let (start, end) = (range.start as usize, range.end as usize);
        let whole = bytes.len() >= end && start <= end;
        return ObjectBody::from_bytes(if whole { bytes.slice(start..end) } else { Bytes::new() });
    }
    let walk = Walk { held, at: range.start, end: range.end, near: None, key };
    let stream = shared.streams.enter();
    let state = Ahead { shared, stream, next: Next::Idle(walk) };
    ObjectBody::new(stream::unfold(state, Ahead::advance))
}

/// Reads one slice ahead of who takes them, where not too many do.
struct Ahead {
    shared: Arc<Shared>,
    stream: Stream,
    next: Next,
}

enum Next {
    Idle(Walk),
    Reading(oneshot::Receiver<(Walk, Result<Bytes>)>),
    Done,
}

impl Ahead {
    async fn advance(mut self) -> Option<(Result<Bytes>, Self)> {
        let read = match std::mem::replace(&mut self.next, Next::Done) {
            Next::Idle(walk) => self.begin(walk)?,
            Next::Reading(read) => read,
            Next::Done => return None,
        };
        match read.await {
            Err(_) => Some((Err(Error::Closed), self)),
            Ok((_, Err(error))) => Some((Err(error), self)),
            Ok((walk, Ok(bytes))) => {
                self.next = if self.stream.goes_ahead() {
                    self.begin(walk).map_or(Next::Done, Next::Reading)
                } else {
                    Next::Idle(walk)
                };
                Some((Ok(bytes), self))
            }
        }
    }

    fn begin(&self, mut walk: Walk) -> Option<oneshot::Receiver<(Walk, Result<Bytes>)>> {
        if walk.at >= walk.end {
            return None;
        }
        let (shared, slice) = (Arc::clone(&self.shared), self.stream.slice());
        Some(self.shared.reads.begin(move |reader| {
            let bytes = walk.step(&shared, reader, slice);
            (walk, bytes)
        }))
    }
}

/// Where in an object the reading is.
struct Walk {
    held: Arc<Held>,
    at: u64,
    end: u64,
    /// The fragment that was read last, if it had to be looked up, and where it begins.
    near: Option<(u64, OpenFragment)>,
    /// What opens what is sealed with a key that was given.
    key: Option<SealKey>,
}

impl Walk {
    fn step(&mut self, shared: &Arc<Shared>, reader: &mut SqliteReader, slice: u64) -> Result<Bytes> {
        let wanted = self.end - self.at;
        let held = Arc::clone(&self.held);
        let given = self.key.clone();
        let keys = Keys { shared, given: given.as_ref() };
        let bytes = match &*held {
            Held::Fragments(fragments) => {
                let mut start = 0;
                let found = fragments.iter().find_map(|fragment| {
                    let begins = start;
                    start += fragment.length();
                    (self.at < start).then_some((begins, fragment))
                });
                let (begins, fragment) = found.ok_or_else(|| self.ends_early())?;
                fragment.read(keys, self.at - begins, wanted, slice)?
            }
            Held::Manifest { number, chunks, .. } => {
                let is_near = |(begins, fragment): &(u64, OpenFragment)| {
                    *begins <= self.at && self.at < begins + fragment.length()
                };
                let near = match self.near.take().filter(is_near) {
                    Some(near) => near,
                    None => self.look_up(shared, reader, *number, *chunks)?,
                };
                let bytes = near.1.read(keys, self.at - near.0, wanted, slice)?;
                self.near = Some(near);
                bytes
            }
        };
        if bytes.is_empty() {
            return Err(self.ends_early());
        }
        self.at += bytes.len() as u64;
        Ok(bytes)
    }

    fn ends_early(&self) -> Error {
        Error::Corrupt(format!("an object ends before {} instead of {}", self.at, self.end))
    }

    /// Finds the fragment that holds the place, and opens it. The manifest is held, so that all of it is still there.
    fn look_up(
        &self,
        shared: &Arc<Shared>,
        reader: &mut SqliteReader,
        manifest: u64,
        chunks: u32,
    ) -> Result<(u64, OpenFragment)> {
        let _reading = shared.readers.enter();
        snapshot(reader, |view| {
            let (begins, fragment) =
                locate(view, manifest, chunks, self.at)?.ok_or_else(|| self.ends_early())?;
            Ok((begins, open_fragment(shared, view, &fragment)?))
        })
    }
}

/// The fragment of a manifest that holds a place, and where it begins.
pub(super) fn locate(
    view: &dyn View,
    manifest: u64,
    chunks: u32,
    at: u64,
) -> Result<Option<(u64, Fragment)>> {
    let load = |chunk| -> Result<ChunkRecord> {
        let missing = || Error::Corrupt(format!("chunk {chunk} of manifest {manifest} is not in the books"));
        view::load(view, &keys::chunk(manifest, chunk))?.ok_or_else(missing)
    };
    // the last chunk that begins at or before the place
    let (mut low, mut high) = (0, chunks.saturating_sub(1));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if load(middle)?.start <= at { low = middle } else { high = middle - 1 }
    }
    let chunk = load(low)?;
    let mut start = chunk.start;
    for fragment in chunk.pieces.into_iter().flat_map(|piece| piece.fragments) {
        let end = start + fragment.length();
        if at < end {
            return Ok(Some((start, fragment)));
        }
        start = end;
    }
    Ok(None)
}
