//! A body on its way to another store: hashed as it passes, and its last bytes held back until everything about it is
//! agreed. What is refused here never reaches its announced length there, so that the other store keeps none of it.

use crate::checksum::Hasher;
use crate::{
    Agree, Algorithm, Algorithms, Body, CallerError, Checksum, ChecksumKind, Digests, Error, MAX_BODY_BYTES,
    Result,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a chunk, where a body goes in chunks and ends with its checksum.
const CHUNK: u64 = 64 * 1024;
/// Bodies whose length is not known are held in memory, up to this.
const MAX_UNKNOWN: usize = 8 << 20;

/// How sending went, for whoever waits for the answer.
#[derive(Clone, Default)]
pub(super) struct Sent {
    outcome: Arc<Mutex<Option<Result<Digests>>>>,
    /// Grows whenever the other side takes something.
    pub(super) progress: Arc<AtomicU64>,
}

impl Sent {
    /// What was found out about the body, once.
    pub(super) fn take(&self) -> Option<Result<Digests>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, outcome: Result<Digests>) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

/// A body, ready to be sent.
pub(super) struct Outgoing {
    pub(super) bytes: BoxStream<'static, Result<Bytes, CallerError>>,
    /// On the wire.
    pub(super) length: u64,
    /// Without what frames it.
    pub(super) decoded_length: u64,
    pub(super) trailer: Option<Algorithm>,
    pub(super) sent: Sent,
}

/// What has a key of its own is sealed on this machine, and nothing that is kept there is.
pub(super) const OWN_KEYS: &str = "keys of one's own (SSE-C, SSE-KMS)";

/// Makes a body ready: these checksums are computed, and one of them ends the body if `trailer` says so.
pub(super) async fn prepare(body: Body, wanted: Algorithms, trailer: Option<Algorithm>) -> Result<Outgoing> {
    let Body { stream, length, agree, key } = body;
    if key.is_some() {
        return Err(Error::Unsupported(OWN_KEYS));
    }
    let (stream, length) = match length {
        Some(length) => (stream, length),
        None => gather(stream).await?,
    };
    if length > MAX_BODY_BYTES {
        return Err(Error::TooLarge { what: "body", limit: MAX_BODY_BYTES });
    }
    let sent = Sent::default();
    let hashed = trailer.into_iter().fold(wanted.with(Algorithm::Md5), Algorithms::with);
    let passage = Passage {
        stream,
        agree,
        expected: length,
        size: 0,
        hashers: hashed.iter().map(Hasher::new).collect(),
        wanted,
        held: None,
        framing: trailer.map(|algorithm| Framing { algorithm, rest: length, in_chunk: 0 }),
        ready: VecDeque::new(),
        ended: false,
        sent: sent.clone(),
    };
    let mut bytes = passage.into_stream().boxed().peekable();
    if length == 0 && trailer.is_none() {
        // Nothing would ask for the bytes of an empty body, and nothing would be agreed.
        let _ = std::pin::Pin::new(&mut bytes).peek().await;
        if let Some(Err(error)) = sent.take_if_refused() {
            return Err(error);
        }
    }
    let framed = trailer.map_or(length, |algorithm| framed_length(length, algorithm));
    Ok(Outgoing { bytes: bytes.boxed(), length: framed, decoded_length: length, trailer, sent })
}

impl Sent {
    fn take_if_refused(&self) -> Option<Result<Digests>> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*outcome, Some(Err(_))) { outcome.take() } else { None }
    }
}

type Chunks = BoxStream<'static, Result<Bytes, CallerError>>;

/// A body of unknown length, in memory.
async fn gather(mut stream: Chunks) -> Result<(Chunks, u64)> {
    let mut chunks = Vec::new();
    let mut size = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(Error::Body)?;
        size += chunk.len();
        if size > MAX_UNKNOWN {
            return Err(Error::Unsupported("uploads of unknown length beyond 8 MiB"));
        }
        chunks.push(Ok(chunk));
    }
    Ok((stream::iter(chunks).boxed(), size as u64))
}

struct Framing {
    algorithm: Algorithm,
    /// Bytes that no chunk was begun for.
    rest: u64,
    /// Bytes that the chunk still has to get.
    in_chunk: u64,
}

struct Passage {
    stream: Chunks,
    agree: Option<Agree>,
    expected: u64,
    size: u64,
    hashers: Vec<Hasher>,
    wanted: Algorithms,
    held: Option<Bytes>,
    framing: Option<Framing>,
    ready: VecDeque<Bytes>,
    ended: bool,
    sent: Sent,
}

impl Passage {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, CallerError>> + Send + 'static {
        stream::unfold(self, |mut passage| async move {
            let next = passage.next().await?;
            passage.sent.progress.fetch_add(1, Ordering::Relaxed);
            Some((next, passage))
        })
    }

    async fn next(&mut self) -> Option<Result<Bytes, CallerError>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(Ok(bytes));
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.step().await {
                self.ended = true;
                self.sent.set(Err(error));
                return Some(Err("the body was refused".into()));
            }
        }
    }

    /// Takes in one more chunk, and lets go of the one before it.
    async fn step(&mut self) -> Result<()> {
        match self.stream.next().await {
            Some(chunk) => {
                let chunk = chunk.map_err(Error::Body)?;
                if chunk.is_empty() {
                    return Ok(());
                }
                self.size += chunk.len() as u64;
                if self.size > self.expected {
                    return Err(Error::WrongLength { expected: self.expected, got: self.size });
                }
                self.hashers.iter_mut().for_each(|hasher| hasher.update(&chunk));
                if let Some(before) = self.held.replace(chunk) {
                    self.release(before);
                }
            }
            None => {
                let trailer = self.agree()?;
                if let Some(last) = self.held.take() {
                    self.release(last);
                }
                self.ready.extend(trailer);
                self.ended = true;
            }
        }
        Ok(())
    }

    /// The last word on the body. Its end, if it has one of its own.
    fn agree(&mut self) -> Result<Option<Bytes>> {
        if self.size != self.expected {
            return Err(Error::WrongLength { expected: self.expected, got: self.size });
        }
        let values: Vec<(Algorithm, Bytes)> =
            self.hashers.drain(..).map(|hasher| (hasher.algorithm(), hasher.finish())).collect();
        let digests = digests(self.size, &values, self.wanted);
        if let Some(agree) = self.agree.take() {
            agree(&digests).map_err(Error::Refused)?;
        }
        self.sent.set(Ok(digests));
        let Some(framing) = &self.framing else { return Ok(None) };
        let value = values.iter().find(|(algorithm, _)| *algorithm == framing.algorithm);
        Ok(value.map(|(algorithm, value)| trailer(*algorithm, value)))
    }

    fn release(&mut self, mut bytes: Bytes) {
        let Some(framing) = &mut self.framing else {
            self.ready.push_back(bytes);
            return;
        };
        while !bytes.is_empty() {
            if framing.in_chunk == 0 {
                framing.in_chunk = framing.rest.min(CHUNK);
                framing.rest -= framing.in_chunk;
                self.ready.push_back(format!("{:x}\r\n", framing.in_chunk).into());
            }
            let now = bytes.len().min(usize::try_from(framing.in_chunk).unwrap_or(usize::MAX));
            if now == 0 {
                return;
            }
            self.ready.push_back(bytes.split_to(now));
            framing.in_chunk -= now as u64;
            if framing.in_chunk == 0 {
                self.ready.push_back(Bytes::from_static(b"\r\n"));
            }
        }
    }
}

fn digests(size: u64, values: &[(Algorithm, Bytes)], wanted: Algorithms) -> Digests {
    let mut md5 = [0; 16];
    if let Some((_, value)) = values.iter().find(|(algorithm, _)| *algorithm == Algorithm::Md5) {
        md5.copy_from_slice(value);
    }
    let checksum = |(algorithm, value): &(Algorithm, Bytes)| Checksum {
        algorithm: *algorithm,
        kind: ChecksumKind::FullObject,
        value: value.clone(),
    };
    let checksums =
        values.iter().filter(|(algorithm, _)| wanted.contains(*algorithm)).map(checksum).collect();
    Digests { size, md5, checksums }
}

fn trailer(algorithm: Algorithm, value: &[u8]) -> Bytes {
    format!("0\r\n{}:{}\r\n\r\n", header(algorithm), BASE64.encode(value)).into()
}

/// Bytes on the wire of a body in chunks (S3 API reference, "Transferring Payload in Multiple Chunks").
fn framed_length(length: u64, algorithm: Algorithm) -> u64 {
    let chunk = |bytes: u64| format!("{bytes:x}").len() as u64 + 4 + bytes;
    let whole = length / CHUNK * chunk(CHUNK);
    let rest = length % CHUNK;
    let last = if rest == 0 { 0 } else { chunk(rest) };
    whole + last + trailer(algorithm, &vec![0; algorithm.len_bytes()]).len() as u64
}

/// The header of a checksum.
pub(super) fn header(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Crc32 => "x-amz-checksum-crc32",
        Algorithm::Crc32c => "x-amz-checksum-crc32c",
        Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
        Algorithm::Sha1 => "x-amz-checksum-sha1",
        Algorithm::Sha256 => "x-amz-checksum-sha256",
        Algorithm::Sha512 => "x-amz-checksum-sha512",
        Algorithm::Md5 => "x-amz-checksum-md5",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(chunks: &[&[u8]], length: Option<u64>) -> Body {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let body = Body::new(stream::iter(chunks));
        match length {
            Some(length) => body.with_length(length),
            None => body,
        }
    }

    async fn wire(mut outgoing: Outgoing) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        while let Some(chunk) = outgoing.bytes.next().await {
            match chunk {
                Ok(chunk) => out.extend_from_slice(&chunk),
                Err(_) => return (out, false),
            }
        }
        (out, true)
    }

    #[tokio::test]
    async fn what_is_not_agreed_never_has_its_announced_length() {
        let refused = body(&[b"one", b"two"], Some(6)).with_agreement(|_| Err("no".into()));
        let short = body(&[b"one", b"two"], Some(7));
        let long = body(&[b"one", b"two"], Some(5));
        for (body, announced) in [(refused, 6), (short, 7), (long, 5)] {
            let outgoing = prepare(body, Algorithms::NONE, None).await.unwrap();
            let sent = outgoing.sent.clone();
            let (bytes, whole) = wire(outgoing).await;
            assert!(!whole && bytes.len() < announced, "{} of {announced}", bytes.len());
            assert!(sent.take().unwrap().is_err());
        }
        let empty = body(&[], Some(0)).with_agreement(|_| Err("no".into()));
        assert!(matches!(prepare(empty, Algorithms::NONE, None).await, Err(Error::Refused(_))));
    }

    #[tokio::test]
    async fn a_body_in_chunks_has_the_length_that_it_says() {
        for size in [0, 1, 65_535, 65_536, 65_537, 200_000] {
            let bytes = vec![b'x'; size];
            let outgoing =
                prepare(Body::from_bytes(bytes.into()), Algorithms::NONE, Some(Algorithm::Crc64Nvme));
            let outgoing = outgoing.await.unwrap();
            let length = outgoing.length;
            let (bytes, whole) = wire(outgoing).await;
            assert!(whole);
            assert_eq!(bytes.len() as u64, length, "{size}");
            assert!(bytes.ends_with(b"\r\n\r\n"));
        }
        let outgoing =
            prepare(body(&[b"1234", b"56789"], Some(9)), Algorithms::NONE, Some(Algorithm::Crc64Nvme));
        let (bytes, _) = wire(outgoing.await.unwrap()).await;
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, "9\r\n123456789\r\n0\r\nx-amz-checksum-crc64nvme:rosUhgp5mIg=\r\n\r\n");
    }
}
