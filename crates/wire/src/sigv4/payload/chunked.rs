//! `aws-chunked` framing, with or without signatures.
//!
//! ```text
//! body     = *chunk last
//! chunk    = size [";chunk-signature=" sig] CRLF data CRLF
//! last     = "0" [";chunk-signature=" sig] CRLF *(name ":" value CRLF) ["x-amz-trailer-signature:" sig CRLF] CRLF
//! ```
//! Sources: *Signature calculations for the Authorization header: transferring payload in multiple chunks*,
//! and *… including trailing headers* of the S3 API reference.

use aws_lc_rs::digest;
use bytes::{Buf as _, Bytes};

use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::key::MAX_DER;
use crate::sigv4::percent::{hex_digit, push_hex};
use crate::sigv4::{Mismatch, PayloadError, SigningKey};

/// The longest line of framing: a size of 16 digits and a signature take 97 bytes.
const MAX_LINE: usize = 1024;

/// The most lines of trailers.
const MAX_TRAILERS: usize = 8;

/// The least size of a chunk before the last one.
const MIN_CHUNK: u64 = 8192;

const CHUNK_SIGNATURE: &[u8] = b"chunk-signature=";
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A trailer's name and value.
pub(super) type Trailer = (String, String);

/// A machine that takes framed bytes and gives the bytes between.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    line: Vec<u8>,
    decoded_length: u64,
    decoded: u64,
    chunks: u64,
    previous_size: Option<u64>,
    has_trailer: bool,
    trailers: Vec<Trailer>,
    signer: Option<ChunkSigner>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the line with a chunk's size.
    Size,
    /// Inside a chunk, with so many bytes to come.
    Data(u64),
    /// Before the line end that closes a chunk.
    DataEnd,
    /// After the last chunk's size: trailers and the empty line.
    Trailer,
    /// After the empty line.
    Done,
    /// After an error: nothing makes such a body good again.
    Failed,
}

impl Chunked {
    pub(super) fn new(decoded_length: u64, has_trailer: bool, signer: Option<ChunkSigner>) -> Self {
        Self {
            state: State::Size,
            line: Vec::new(),
            decoded_length,
            decoded: 0,
            chunks: 0,
            previous_size: None,
            has_trailer,
            trailers: Vec::new(),
            signer,
        }
    }

    pub(super) fn decoded_length(&self) -> u64 {
        self.decoded_length
    }

    /// The next bytes of payload, or `None` when `input` is used up.
    pub(super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, PayloadError> {
        let next = self.advance(input);
        if next.is_err() {
            self.state = State::Failed;
        }
        next
    }

    fn advance(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, PayloadError> {
        while !input.is_empty() {
            match self.state {
                State::Data(left) => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let payload = input.split_to(length);
                    if let Some(signer) = &mut self.signer {
                        signer.data.update(&payload);
                    }
                    let left = left.saturating_sub(payload.len() as u64);
                    self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                    return Ok(Some(payload));
                }
                State::Done | State::Failed => return Err(PayloadError::IncompleteBody),
                State::Size | State::DataEnd | State::Trailer => {
                    if let Some(line) = self.take_line(input)? {
                        self.line(&line)?;
                    }
                }
            }
        }
        Ok(None)
    }

    /// The trailer, once the whole body is there.
    pub(super) fn finish(mut self) -> Result<Option<Trailer>, PayloadError> {
        match self.state {
            State::Done if self.trailers.len() > 1 => Err(PayloadError::MalformedTrailer),
            State::Done => Ok(self.trailers.pop()),
            _ => Err(PayloadError::IncompleteBody),
        }
    }

    /// A line without its CR LF, or `None` until the rest of it comes.
    fn take_line(&mut self, input: &mut Bytes) -> Result<Option<Vec<u8>>, PayloadError> {
        let end = memchr::memchr(b'\n', input);
        let length = end.map_or(input.len(), |end| end + 1);
        if self.line.len().saturating_add(length) > MAX_LINE {
            return Err(PayloadError::IncompleteBody);
        }
        self.line.extend_from_slice(input.get(..length).unwrap_or_default());
        input.advance(length);
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        match (line.pop(), line.pop()) {
            (Some(b'\n'), Some(b'\r')) => Ok(Some(line)),
            _ => Err(PayloadError::IncompleteBody),
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), PayloadError> {
        match self.state {
            State::Size => self.size_line(line),
            State::Trailer => self.trailer_line(line),
            State::DataEnd if line.is_empty() => {
                self.state = State::Size;
                self.signer.as_mut().map_or(Ok(()), ChunkSigner::end_chunk)
            }
            State::DataEnd | State::Data(_) | State::Done | State::Failed => {
                Err(PayloadError::IncompleteBody)
            }
        }
    }

    fn size_line(&mut self, line: &[u8]) -> Result<(), PayloadError> {
        let (size, extension) = match memchr::memchr(b';', line) {
            Some(at) => (line.get(..at), line.get(at + 1..)),
            None => (Some(line), None),
        };
        let size = size.and_then(parse_size).ok_or(PayloadError::IncompleteBody)?;
        match (&mut self.signer, extension.map(|text| text.strip_prefix(CHUNK_SIGNATURE))) {
            (None, None) => {}
            (Some(signer), Some(Some(signature))) => signer.begin_chunk(signature)?,
            _ => return Err(PayloadError::IncompleteBody),
        }
        self.chunks += 1;
        match self.previous_size.replace(size) {
            Some(previous) if previous < MIN_CHUNK && size > 0 => {
                return Err(PayloadError::ChunkTooSmall { chunk: self.chunks, size: previous });
            }
            _ => {}
        }
        self.decoded = self.decoded.checked_add(size).ok_or(PayloadError::LengthMismatch)?;
        if self.decoded > self.decoded_length || size == 0 && self.decoded < self.decoded_length {
            return Err(PayloadError::LengthMismatch);
        }
        if size > 0 {
            self.state = State::Data(size);
            return Ok(());
        }
        self.state = State::Trailer;
        self.signer.as_mut().map_or(Ok(()), ChunkSigner::end_chunk)
    }

    fn trailer_line(&mut self, line: &[u8]) -> Result<(), PayloadError> {
        if line.is_empty() {
            self.state = State::Done;
            return match &self.signer {
                Some(signer) if self.has_trailer && !signer.trailer_verified => {
                    Err(PayloadError::IncompleteBody)
                }
                _ => Ok(()),
            };
        }
        let text = std::str::from_utf8(line).map_err(|_| PayloadError::IncompleteBody)?;
        let (name, value) = text.split_once(':').ok_or(PayloadError::IncompleteBody)?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        match &mut self.signer {
            _ if !self.has_trailer || self.trailers.len() >= MAX_TRAILERS => {
                Err(PayloadError::IncompleteBody)
            }
            Some(signer) if signer.trailer_verified => Err(PayloadError::IncompleteBody),
            Some(signer) if name == TRAILER_SIGNATURE => signer.end_trailer(&mut self.trailers, &value),
            _ => {
                self.trailers.push((name, value));
                Ok(())
            }
        }
    }
}

fn parse_size(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    digits.iter().try_fold(0, |size: u64, &digit| Some(size << 4 | u64::from(hex_digit(digit)?)))
}

/// The chain of chunk signatures, each over the one before it; the first is the request's own.
pub(in crate::sigv4) struct ChunkSigner {
    key: SigningKey,
    algorithm: Algorithm,
    access_key_id: String,
    date_and_scope: Vec<u8>,
    previous: Vec<u8>,
    provided: Vec<u8>,
    data: digest::Context,
    trailer_verified: bool,
}

impl ChunkSigner {
    /// `date_and_scope` is the two lines of the string to sign, `seed` the signature of the request.
    pub(in crate::sigv4) fn new(
        key: SigningKey,
        algorithm: Algorithm,
        access_key_id: String,
        date_and_scope: Vec<u8>,
        seed: &str,
    ) -> Self {
        Self {
            key,
            algorithm,
            access_key_id,
            date_and_scope,
            previous: seed.as_bytes().to_vec(),
            provided: Vec::new(),
            data: digest::Context::new(&digest::SHA256),
            trailer_verified: false,
        }
    }

    fn begin_chunk(&mut self, signature: &[u8]) -> Result<(), PayloadError> {
        // Those of SigV4A differ in length, and are filled up so that the length of the body is known before.
        let (signature, good) = match self.algorithm {
            Algorithm::Hmac => (signature, signature.len() == 64),
            Algorithm::Ecdsa => (trimmed(signature), signature.len() <= 2 * MAX_DER),
        };
        if !good {
            return Err(PayloadError::IncompleteBody);
        }
        self.provided = signature.to_vec();
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), PayloadError> {
        let data = std::mem::replace(&mut self.data, digest::Context::new(&digest::SHA256));
        let mut text = self.string_to_sign("PAYLOAD");
        text.extend_from_slice(EMPTY_SHA256.as_bytes());
        text.push(b'\n');
        push_hex(&mut text, data.finish().as_ref());
        let provided = std::mem::take(&mut self.provided);
        self.verify(&text, &provided)?;
        self.previous = provided;
        Ok(())
    }

    /// The trailers are signed in the order of their names.
    fn end_trailer(&mut self, trailers: &mut [Trailer], provided: &str) -> Result<(), PayloadError> {
        trailers.sort();
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in trailers.iter().flat_map(|(name, value)| [name.as_str(), ":", value, "\n"]) {
            hash.update(part.as_bytes());
        }
        let mut text = self.string_to_sign("TRAILER");
        push_hex(&mut text, hash.finish().as_ref());
        let provided = match self.algorithm {
            Algorithm::Hmac => provided.as_bytes(),
            Algorithm::Ecdsa => trimmed(provided.as_bytes()),
        };
        self.verify(&text, provided)?;
        self.trailer_verified = true;
        Ok(())
    }

    fn string_to_sign(&self, what: &str) -> Vec<u8> {
        let algorithm = format!("{}-{what}", self.algorithm.name());
        let mut text = Vec::with_capacity(400);
        for line in [algorithm.as_bytes(), &self.date_and_scope, &self.previous] {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text
    }

    fn verify(&self, text: &[u8], provided: &[u8]) -> Result<(), PayloadError> {
        if self.key.verifies_hex(text, provided) {
            return Ok(());
        }
        Err(PayloadError::ChunkSignature(Box::new(Mismatch {
            access_key_id: self.access_key_id.clone(),
            string_to_sign: String::from_utf8_lossy(text).into_owned(),
            signature_provided: String::from_utf8_lossy(provided).into_owned(),
            canonical_request: None,
        })))
    }
}

/// A signature without what fills it up.
fn trimmed(signature: &[u8]) -> &[u8] {
    let end = signature.iter().rposition(|byte| *byte != b'*').map_or(0, |last| last + 1);
    signature.get(..end).unwrap_or_default()
}

impl std::fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSigner").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
