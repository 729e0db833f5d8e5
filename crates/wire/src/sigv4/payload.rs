//! The body of an S3 request, checked as it streams.

mod chunked;

use bytes::Bytes;
use http::HeaderMap;

pub(super) use self::chunked::ChunkSigner;
use self::chunked::Chunked;
use super::algorithm::Algorithm;
use super::claim::PayloadMode;
use super::request::names;
use super::{ChecksumAlgorithm, Checksums, Digests, PayloadError, SigError};

/// What an S3 operation does with its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// Stores it as an object or a part: `PutObject`, `UploadPart`. Only these may come in chunks.
    Object,
    /// Reads it as a document, or has none.
    Document,
    /// Reads it as a document while the checksum headers speak of the object: `CompleteMultipartUpload`.
    Manifest,
}

/// Checks a body against its signature and checksums, and takes `aws-chunked` framing off it.
///
/// Bytes go in, bytes come out, without being copied, and without more than a line of framing being held. What
/// comes out is not trusted until [`finish`](Self::finish) is `Ok`: write it somewhere, and make it visible then.
///
/// ```ignore
/// while let Some(mut input) = body.next().await {
///     while let Some(payload) = verifier.next(&mut input)? {
///         write(payload);
///     }
/// }
/// let digests = verifier.finish()?;
/// ```
#[must_use = "a body is only verified by `finish`"]
#[derive(Debug)]
pub struct PayloadVerifier {
    checksums: Checksums,
    chunked: Option<Chunked>,
}

impl PayloadVerifier {
    /// The verifier of a request without authentication, which may have a streamed body too.
    ///
    /// # Errors
    /// As [`Claim::verify_head`](super::Claim::verify_head) for what concerns the body.
    pub fn anonymous(headers: &HeaderMap, body: BodyKind) -> Result<Self, SigError> {
        let mode = match headers.get(names::CONTENT_SHA256).map(|value| value.to_str().unwrap_or_default()) {
            Some(value) => PayloadMode::parse(value, Algorithm::Hmac)?,
            None => PayloadMode::Unsigned,
        };
        match mode {
            PayloadMode::SignedChunks { .. } => Err(PayloadError::AnonymousSignedChunks.into()),
            mode if mode.is_chunked() && body != BodyKind::Object => Err(SigError::StreamingNotAllowed),
            mode => Ok(Self::new(mode, body, headers, None)?),
        }
    }

    pub(super) fn new(
        mode: PayloadMode,
        body: BodyKind,
        headers: &HeaderMap,
        signer: Option<ChunkSigner>,
    ) -> Result<Self, PayloadError> {
        let mut checksums = match body {
            BodyKind::Object | BodyKind::Document => Checksums::from_headers(headers)?,
            BodyKind::Manifest => Checksums::from_content_md5(headers)?,
        };
        if let PayloadMode::Sha256(hash) = mode {
            checksums.expect_sha256(hash);
        }
        let trailer =
            matches!(mode, PayloadMode::SignedChunks { trailer: true } | PayloadMode::UnsignedChunks);
        if checksums.awaited().is_some() && !trailer {
            return Err(PayloadError::MalformedTrailer);
        }
        let chunked = match mode.is_chunked() {
            true => Some(Chunked::new(decoded_length(headers)?, trailer, signer)),
            false => None,
        };
        Ok(Self { checksums, chunked })
    }

    /// The length of the object, where framing makes it differ from the body's.
    #[must_use]
    pub fn decoded_length(&self) -> Option<u64> {
        self.chunked.as_ref().map(Chunked::decoded_length)
    }

    /// The checksum algorithm that the caller chose.
    #[must_use]
    pub fn algorithm(&self) -> Option<ChecksumAlgorithm> {
        self.checksums.algorithm()
    }

    /// Whether the request declares what the body must come to, by `Content-MD5` or a checksum. (The hash that the
    /// signature covers does not count: S3 asks for one of these beside it.)
    #[must_use]
    pub fn declares_integrity(&self) -> bool {
        self.checksums.are_declared()
    }

    /// Also computes this checksum. To be called before the first byte.
    pub fn compute(&mut self, algorithm: ChecksumAlgorithm) {
        self.checksums.compute(algorithm);
    }

    /// Takes the next piece of payload out of `input`. `None` when `input` is used up.
    ///
    /// # Errors
    /// Framing, lengths and chunk signatures that are wrong. Nothing that came out of this body may be kept then.
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, PayloadError> {
        let payload = match &mut self.chunked {
            Some(chunked) => chunked.next(input)?,
            None if input.is_empty() => None,
            None => Some(std::mem::take(input)),
        };
        if let Some(payload) = &payload {
            self.checksums.update(payload);
        }
        Ok(payload)
    }

    /// Ends the body: its last chunk was there, and all that was declared of it is true.
    ///
    /// # Errors
    /// A body that is cut short, a trailer that is not the declared one, a hash or checksum that differs.
    pub fn finish(mut self) -> Result<Digests, PayloadError> {
        if let Some(chunked) = self.chunked {
            match (chunked.finish()?, self.checksums.awaited()) {
                (None, None) => {}
                (Some((name, value)), Some(algorithm))
                    if ChecksumAlgorithm::from_header_name(&name) == Some(algorithm) =>
                {
                    self.checksums.expect_trailing(value.as_bytes())?;
                }
                _ => return Err(PayloadError::MalformedTrailer),
            }
        }
        self.checksums.finish()
    }
}

fn decoded_length(headers: &HeaderMap) -> Result<u64, PayloadError> {
    let mut values = headers.get_all(names::DECODED_LENGTH).iter();
    let text = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => return Err(PayloadError::MissingDecodedLength),
    };
    match text.parse() {
        Ok(length) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(length),
        _ => Err(PayloadError::MissingDecodedLength),
    }
}
