//! What can be wrong with a body of S3, and S3's words for it.

use std::borrow::Cow;

use super::Mismatch;
use crate::sigv4::ChecksumAlgorithm;

/// Why a body is not what its request said.
///
/// Sources: *Error responses* of the S3 API reference; versity/versitygw's `s3err` and
/// justincormack/argmin's `s3-tests`, both checked against S3, for the texts and for which fault has which code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The `aws-chunked` framing is broken, or the body ends before its last chunk.
    #[error("the chunked framing is broken")]
    IncompleteBody,
    /// There are more or fewer bytes than `x-amz-decoded-content-length` says.
    #[error("the decoded length is not the declared one")]
    LengthMismatch,
    /// A streamed body without a readable `x-amz-decoded-content-length`.
    #[error("the decoded length is missing")]
    MissingDecodedLength,
    /// A chunk other than the last has fewer than 8192 bytes.
    #[error("a chunk is too small")]
    ChunkTooSmall {
        /// The chunk that follows the small one, counted from 1, as S3 does.
        chunk: u64,
        /// The small one's size in bytes.
        size: u64,
    },
    /// The signature of a chunk or of the trailer does not match.
    #[error("the signature of a chunk does not match")]
    ChunkSignature(Box<Mismatch>),
    /// The trailer is not the one that `x-amz-trailer` declares.
    #[error("the trailer is not the declared one")]
    MalformedTrailer,
    /// `x-amz-trailer` names something other than a checksum that we know.
    #[error("unsupported trailer")]
    UnsupportedTrailer,
    /// The body's SHA-256 is not `x-amz-content-sha256`.
    #[error("the body is not the signed one")]
    Sha256Mismatch {
        /// As sent, in hexadecimal.
        declared: String,
        /// What arrived, in hexadecimal.
        computed: String,
    },
    /// The body's MD5 is not `Content-MD5`.
    #[error("the body does not have the declared md5")]
    Md5Mismatch {
        /// As sent, in Base64.
        declared: String,
        /// What arrived, in Base64.
        computed: String,
    },
    /// The body does not have the declared checksum.
    #[error("the body does not have the declared checksum")]
    BadDigest {
        /// Whose checksum.
        algorithm: ChecksumAlgorithm,
    },
    /// `Content-MD5` is not the Base64 of 16 bytes.
    #[error("the content-md5 header is malformed")]
    InvalidMd5 {
        /// As sent.
        value: String,
    },
    /// A checksum's value is not Base64 of the right length, or its header contradicts another.
    #[error("a checksum header is malformed")]
    InvalidChecksum {
        /// The header's name.
        header: &'static str,
        /// Whether it came as a trailer.
        trailing: bool,
    },
    /// More than one checksum.
    #[error("more than one checksum")]
    MultipleChecksums,
    /// A checksum header, and a trailer that declares one too.
    #[error("a checksum header beside a declared trailer")]
    ChecksumBesideTrailer,
    /// A checksum of an algorithm that we do not know.
    #[error("unsupported checksum")]
    UnsupportedChecksum,
    /// `x-amz-sdk-checksum-algorithm` names an algorithm that we do not know.
    #[error("unsupported checksum algorithm")]
    UnsupportedAlgorithm,
    /// `x-amz-sdk-checksum-algorithm` without a checksum.
    #[error("a checksum algorithm without a checksum")]
    AlgorithmWithoutChecksum,
    /// Signed chunks in a request that is not signed.
    #[error("signed chunks in an anonymous request")]
    AnonymousSignedChunks,
}

impl PayloadError {
    /// S3's error code and HTTP status.
    #[must_use]
    pub fn code(&self) -> (&'static str, u16) {
        match self {
            Self::IncompleteBody | Self::LengthMismatch => ("IncompleteBody", 400),
            Self::MissingDecodedLength => ("MissingContentLength", 411),
            Self::ChunkTooSmall { .. } => ("InvalidChunkSizeError", 403),
            Self::ChunkSignature(_) => ("SignatureDoesNotMatch", 403),
            Self::MalformedTrailer => ("MalformedTrailerError", 400),
            Self::Sha256Mismatch { .. } => ("XAmzContentSHA256Mismatch", 400),
            Self::Md5Mismatch { .. } | Self::BadDigest { .. } => ("BadDigest", 400),
            Self::InvalidMd5 { .. } => ("InvalidDigest", 400),
            Self::UnsupportedTrailer
            | Self::InvalidChecksum { .. }
            | Self::MultipleChecksums
            | Self::ChecksumBesideTrailer
            | Self::UnsupportedChecksum
            | Self::UnsupportedAlgorithm
            | Self::AlgorithmWithoutChecksum
            | Self::AnonymousSignedChunks => ("InvalidRequest", 400),
        }
    }

    /// The message beside the code.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::IncompleteBody => "The request body terminated unexpectedly",
            Self::LengthMismatch => {
                "You did not provide the number of bytes specified by the Content-Length HTTP header"
            }
            Self::MissingDecodedLength => "You must provide the Content-Length HTTP header.",
            Self::ChunkTooSmall { .. } => {
                "Only the last chunk is allowed to have a size less than 8192 bytes"
            }
            Self::ChunkSignature(_) => {
                "The request signature we calculated does not match the signature you provided. \
                 Check your key and signing method."
            }
            Self::MalformedTrailer => {
                "The request contained trailing data that was not well-formed or did not conform to our \
                 published schema."
            }
            Self::UnsupportedTrailer => "The value specified in the x-amz-trailer header is not supported",
            Self::Sha256Mismatch { .. } => {
                "The provided 'x-amz-content-sha256' header does not match what was computed."
            }
            Self::Md5Mismatch { .. } => "The Content-MD5 you specified did not match what we received.",
            Self::BadDigest { algorithm } => {
                let name = algorithm.name();
                return format!("The {name} you specified did not match the calculated checksum.").into();
            }
            Self::InvalidMd5 { .. } => "The Content-MD5 you specified was invalid.",
            Self::InvalidChecksum { header, trailing: true } => {
                return format!("Value for {header} trailing header is invalid.").into();
            }
            Self::InvalidChecksum { header, trailing: false } => {
                return format!("Value for {header} header is invalid.").into();
            }
            Self::MultipleChecksums => {
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            }
            Self::ChecksumBesideTrailer => "Expecting a single x-amz-checksum- header",
            Self::UnsupportedChecksum => {
                "The algorithm type you specified in x-amz-checksum- header is invalid."
            }
            Self::UnsupportedAlgorithm => {
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                 [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512]"
            }
            Self::AlgorithmWithoutChecksum => {
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or \
                 x-amz-trailer headers were found."
            }
            Self::AnonymousSignedChunks => {
                "Anonymous requests don't support this x-amz-content-sha256 value. Please use \
                 UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER."
            }
        })
    }

    /// The elements that S3 puts beside `Code` and `Message`.
    #[must_use]
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::ChunkTooSmall { chunk, size } => {
                vec![("Chunk", chunk.to_string()), ("BadChunkSize", size.to_string())]
            }
            Self::ChunkSignature(mismatch) => mismatch.details(),
            Self::Sha256Mismatch { declared, computed } => vec![
                ("ClientComputedContentSHA256", declared.clone()),
                ("S3ComputedContentSHA256", computed.clone()),
            ],
            Self::Md5Mismatch { declared, computed } => {
                vec![("ExpectedDigest", declared.clone()), ("CalculatedDigest", computed.clone())]
            }
            Self::InvalidMd5 { value } => vec![("Content-MD5", value.clone())],
            _ => Vec::new(),
        }
    }
}
