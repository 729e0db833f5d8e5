//! Takes a body in: hashes it, keeps it in memory if it is small, streams it to the disk if not.

use super::Shared;
use super::blobs::Content;
use super::cipher::{self, BlobCipher};
use super::memory::Taken;
use super::packer::Payload;
use super::record::{InlineBytes, SealRecord};
use super::segment::LEAST_ROOM;
use super::stream_writer::StreamWriter;
use super::streams::{SLICE, Stream};
use crate::body::MAX_BODY_BYTES;
use crate::checksum::{Algorithm, Algorithms, Checksum, ChecksumKind, Digests, Hasher};
use crate::{Body, Error, KeyId, Result};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use std::sync::Arc;
use tokio::sync::oneshot;

/// So little is hashed where it comes in.
const AT_ONCE: usize = 16 * 1024;

/// Takes in all of a body. Nobody knows of the content yet; if it is dropped nothing of it remains.
pub(super) async fn take_in(
    shared: &Arc<Shared>,
    body: Body,
    algorithms: Algorithms,
    seal: Option<KeyId>,
) -> Result<(Digests, Content)> {
    shared.status.writable()?;
    let Body { mut stream, length, agree, key } = body;
    let seal = seal.map(|id| shared.new_seal(id, key.as_ref())).transpose()?;
    let given = key.zip(seal.as_ref().map(|(record, _)| *record).filter(|seal| seal.key == KeyId::GIVEN));
    let mut intake = Intake::new(shared, length, algorithms, seal);
    while let Some(chunk) = stream.next().await {
        intake.add(chunk.map_err(Error::Body)?).await?;
    }
    let (mut digests, content) = intake.finish().await?;
    if let Some(agree) = agree {
        agree(&digests).map_err(Error::Refused)?;
    }
    if let Some((key, seal)) = given {
        // who has the tag but not the key learns nothing of the bytes
        digests.md5 = cipher::tag_of(&key, &seal.salt, &digests.md5);
    }
    Ok((digests, content))
}

pub(super) type Seal = (SealRecord, Arc<BlobCipher>);

struct Intake<'a> {
    shared: &'a Arc<Shared>,
    expected: Option<u64>,
    size: u64,
    buffer: BytesMut,
    wanted: Algorithms,
    seal: Option<Seal>,
    hashers: Vec<Hasher>,
    /// What is held for as long as it may be all.
    taken: Taken,
    /// One that is more than may be packed, or than there is memory to hold.
    stream: Option<Stream>,
    /// Once there is too much for the buffer.
    streaming: Option<Streaming>,
}

struct Streaming {
    writer: Writing,
    hashing: Vec<oneshot::Receiver<Hasher>>,
}

enum Writing {
    Idle(Box<StreamWriter>),
    Busy(oneshot::Receiver<Result<(Box<StreamWriter>, Bytes)>>),
}

impl<'a> Intake<'a> {
    fn new(
        shared: &'a Arc<Shared>,
        expected: Option<u64>,
        algorithms: Algorithms,
        seal: Option<Seal>,
    ) -> Self {
        let hashers = algorithms.with(Algorithm::Md5).iter().map(Hasher::new).collect();
        let large = expected.is_some_and(|length| length > shared.limits.packed);
        Self {
            shared,
            expected,
            size: 0,
            buffer: BytesMut::new(),
            wanted: algorithms,
            seal,
            hashers,
            taken: shared.memory.enter(),
            stream: large.then(|| shared.streams.enter()),
            streaming: None,
        }
    }

    /// How much is held before it is streamed, now that so much more comes: what may be packed, as long as there is memory for
    /// what came, or a slice.
    fn hold(&mut self, more: usize) -> usize {
        if self.stream.is_none() {
            let most = self.shared.limits.packed.max(SLICE);
            let all = self.buffer.len().saturating_add(more) as u64;
            if all <= most && self.taken.grow(all) {
                return most as usize;
            }
            self.taken.end();
            self.stream = Some(self.shared.streams.enter());
        }
        self.slice()
    }

    /// Makes room for what came, a little more at first: what is said is not yet sent.
    fn make_room(&mut self, more: usize) {
        if self.buffer.capacity() == 0 {
            let expected = self.expected.unwrap_or(u64::MAX);
            let first = usize::try_from(expected).unwrap_or(usize::MAX).min(AT_ONCE);
            self.buffer.reserve(first.max(more));
        }
    }

    /// What is hashed and written at once, while as much again comes in where there is memory for it; whole blocks.
    fn slice(&self) -> usize {
        self.stream.as_ref().map_or(SLICE, Stream::slice) as usize
    }

    async fn add(&mut self, mut chunk: Bytes) -> Result<()> {
        self.size += chunk.len() as u64;
        if self.size > MAX_BODY_BYTES {
            return Err(Error::TooLarge { what: "body", limit: MAX_BODY_BYTES });
        }
        if let Some(expected) = self.expected.filter(|expected| self.size > *expected) {
            return Err(Error::WrongLength { expected, got: self.size });
        }
        while !chunk.is_empty() {
            let hold = self.hold(chunk.len());
            let part = chunk.len().min(hold - self.buffer.len().min(hold));
            self.make_room(part);
            self.buffer.extend_from_slice(chunk.get(..part).unwrap_or_default());
            chunk.advance(part);
            if self.buffer.len() >= hold && !chunk.is_empty() {
                self.stream_buffer().await?;
            }
        }
        Ok(())
    }

    /// Hands full slices of the buffer to the threads, after what they have is done.
    async fn stream_buffer(&mut self) -> Result<()> {
        loop {
            // others come and go: what it is may change in between
            let slice = self.slice();
            if self.buffer.len() < slice {
                break;
            }
            let slice = self.buffer.split_to(slice).freeze();
            self.stream(slice).await?;
        }
        if self.buffer.is_empty() {
            self.buffer = BytesMut::with_capacity(self.slice());
        }
        Ok(())
    }

    async fn stream(&mut self, slice: Bytes) -> Result<()> {
        let writer = self.settle().await?;
        let hashing = self.begin_hashing(&slice);
        let writer = self.begin_writing(writer, slice).await?;
        self.streaming = Some(Streaming { writer, hashing });
        if !self.stream.as_ref().is_none_or(Stream::goes_ahead) {
            let writer = Writing::Idle(self.settle().await?);
            self.streaming = Some(Streaming { writer, hashing: Vec::new() });
        }
        Ok(())
    }

    /// The slow hashes each on a thread of their own, the quick ones with the first of them.
    fn begin_hashing(&mut self, slice: &Bytes) -> Vec<oneshot::Receiver<Hasher>> {
        let begin = |mut hasher: Hasher| {
            let slice = slice.clone();
            self.shared.writes.begin(move |()| {
                hasher.update(&slice);
                hasher
            })
        };
        self.hashers.drain(..).map(begin).collect()
    }

    async fn begin_writing(&self, mut writer: Box<StreamWriter>, slice: Bytes) -> Result<Writing> {
        if !self.shared.segments.has_room_for(slice.len() as u64) {
            return Err(Error::Full);
        }
        while !writer.has_room() {
            writer.take(self.shared.lease(LEAST_ROOM).await?);
        }
        Ok(Writing::Busy(self.shared.writes.begin(move |()| {
            let rest = writer.write(slice)?;
            Ok((writer, rest))
        })))
    }

    /// Waits for what the threads have, and takes writer and hashes back.
    async fn settle(&mut self) -> Result<Box<StreamWriter>> {
        let Some(Streaming { writer, hashing }) = self.streaming.take() else {
            return Ok(Box::new(StreamWriter::new(
                self.shared.numbers.next(),
                self.seal.clone(),
                Arc::clone(&self.shared.status),
            )));
        };
        self.hashers.extend(try_join_all(hashing).await.map_err(|_| Error::Closed)?);
        let mut state = writer;
        loop {
            match state {
                Writing::Idle(writer) => return Ok(writer),
                Writing::Busy(result) => {
                    let (writer, rest) = result.await.map_err(|_| Error::Closed)??;
                    state = if rest.is_empty() {
                        Writing::Idle(writer)
                    } else {
                        self.begin_writing(writer, rest).await?
                    };
                }
            }
        }
    }

    async fn finish(mut self) -> Result<(Digests, Content)> {
        if let Some(expected) = self.expected.filter(|expected| self.size != *expected) {
            return Err(Error::WrongLength { expected, got: self.size });
        }
        let content = if self.streaming.is_some() || self.buffer.len() as u64 > self.shared.limits.packed {
            self.finish_stream().await?
        } else {
            self.finish_small().await?
        };
        Ok((digests(self.size, self.hashers, self.wanted), content))
    }

    async fn finish_stream(&mut self) -> Result<Content> {
        self.stream_buffer().await?;
        let rest = self.buffer.split().freeze();
        if !rest.is_empty() {
            self.stream(rest).await?;
        }
        let writer = self.settle().await?;
        let streamed = self.shared.writes.run(move |()| writer.finish()).await??;
        Ok(Content::Streamed(streamed))
    }

    async fn finish_small(&mut self) -> Result<Content> {
        let data = self.buffer.split().freeze();
        let mut hashers = std::mem::take(&mut self.hashers);
        let seal = self.seal.take();
        let number = self.shared.numbers.next();
        let inline = data.len() as u64 <= self.shared.limits.inline;
        let at_once = data.len() <= AT_ONCE;
        let work = move || {
            hashers.iter_mut().for_each(|hasher| hasher.update(&data));
            let content =
                if inline { inline_content(number, data, seal) } else { packed(number, data, seal) };
            (hashers, content)
        };
        let (hashers, content) =
            if at_once { work() } else { self.shared.writes.run(move |()| work()).await? };
        self.hashers = hashers;
        content
    }
}

fn inline_content(number: u64, data: Bytes, seal: Option<Seal>) -> Result<Content> {
    let Some((record, cipher)) = seal else {
        return Ok(Content::Inline(InlineBytes { number, bytes: data, seal: None }));
    };
    let mut sealed = BytesMut::from(data);
    let tag = cipher.seal(number, 0, &mut sealed)?;
    Ok(Content::Inline(InlineBytes { number, bytes: sealed.freeze(), seal: Some((record, tag)) }))
}

fn packed(number: u64, data: Bytes, seal: Option<Seal>) -> Result<Content> {
    let seal = seal.as_ref().map(|(record, cipher)| (*record, &**cipher));
    Payload::new(number, data, seal).map(Content::Packed)
}

pub(super) fn digests(size: u64, hashers: Vec<Hasher>, wanted: Algorithms) -> Digests {
    let mut md5 = [0; 16];
    let mut checksums = Vec::new();
    for hasher in hashers {
        let algorithm = hasher.algorithm();
        let value = hasher.finish();
        if algorithm == Algorithm::Md5 {
            md5.copy_from_slice(&value);
        }
        if wanted.contains(algorithm) {
            checksums.push(Checksum { algorithm, kind: ChecksumKind::FullObject, value });
        }
    }
    Digests { size, md5, checksums: checksums.into_iter().collect() }
}
