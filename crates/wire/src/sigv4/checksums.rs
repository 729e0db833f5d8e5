//! The checksums of a body: what the caller declared, and what it is.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use http::HeaderMap;
use http::header::HeaderValue;
use md5::{Digest as _, Md5};

use super::PayloadError;
use super::percent::push_hex;
use super::request::names;

/// A checksum algorithm of S3. Its XXHASH family is not built: a request with one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChecksumAlgorithm {
    /// CRC-32 as in Ethernet.
    Crc32,
    /// CRC-32C.
    Crc32c,
    /// CRC-64/NVME, S3's default.
    Crc64Nvme,
    /// MD5: also `Content-MD5` and the `ETag`.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256: also `x-amz-content-sha256`.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl ChecksumAlgorithm {
    /// Every one.
    pub const ALL: [Self; 7] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// As in the API: `CRC64NVME`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The header or trailer that carries its value: `x-amz-checksum-crc64nvme`.
    #[must_use]
    pub fn header_name(self) -> &'static str {
        self.row().1
    }

    /// The length of its value in bytes.
    #[must_use]
    pub fn length(self) -> usize {
        self.row().2
    }

    /// The algorithm of the API's name for it, in any letter case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The algorithm whose value a header or trailer carries.
    #[must_use]
    pub fn from_header_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.header_name().eq_ignore_ascii_case(name))
    }

    fn row(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::Crc32 => ("CRC32", "x-amz-checksum-crc32", 4),
            Self::Crc32c => ("CRC32C", "x-amz-checksum-crc32c", 4),
            Self::Crc64Nvme => ("CRC64NVME", "x-amz-checksum-crc64nvme", 8),
            Self::Md5 => ("MD5", "x-amz-checksum-md5", 16),
            Self::Sha1 => ("SHA1", "x-amz-checksum-sha1", 20),
            Self::Sha256 => ("SHA256", "x-amz-checksum-sha256", 32),
            Self::Sha512 => ("SHA512", "x-amz-checksum-sha512", 64),
        }
    }
}

/// The checksums of one body, computed as it passes and compared at its end.
#[derive(Default)]
pub struct Checksums {
    hashers: Vec<(ChecksumAlgorithm, Hasher)>,
    content_md5: Option<[u8; 16]>,
    content_sha256: Option<[u8; 32]>,
    declared: Option<(ChecksumAlgorithm, Vec<u8>)>,
    trailing: Option<ChecksumAlgorithm>,
}

impl Checksums {
    /// Reads what a request's headers declare: `Content-MD5`, one `x-amz-checksum-*`, or the one that
    /// `x-amz-trailer` announces.
    ///
    /// # Errors
    /// Values that are malformed, that contradict each other, or of unknown algorithms.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, PayloadError> {
        let mut checksums = Self::from_content_md5(headers)?;
        checksums.declared = declared(headers)?;
        checksums.trailing = trailing(headers)?;
        if checksums.declared.is_some() && checksums.trailing.is_some() {
            return Err(PayloadError::ChecksumBesideTrailer);
        }
        checksums.check_sdk_algorithm(headers)?;
        if let Some(algorithm) = checksums.algorithm() {
            checksums.compute(algorithm);
        }
        Ok(checksums)
    }

    /// Reads `Content-MD5` alone, where the other headers speak of something else than this body.
    ///
    /// # Errors
    /// A value that is malformed.
    pub(super) fn from_content_md5(headers: &HeaderMap) -> Result<Self, PayloadError> {
        let mut checksums = Self { content_md5: content_md5(headers)?, ..Self::default() };
        if checksums.content_md5.is_some() {
            checksums.compute(ChecksumAlgorithm::Md5);
        }
        Ok(checksums)
    }

    /// The algorithm that the caller chose, in a header or in a trailer.
    #[must_use]
    pub fn algorithm(&self) -> Option<ChecksumAlgorithm> {
        self.declared.as_ref().map(|(algorithm, _)| *algorithm).or(self.trailing)
    }

    /// Whether `Content-MD5` or a checksum was declared.
    pub(super) fn are_declared(&self) -> bool {
        self.content_md5.is_some() || self.algorithm().is_some()
    }

    /// Also computes this one, to be found in the [`Digests`]. To be called before the first byte.
    pub fn compute(&mut self, algorithm: ChecksumAlgorithm) {
        if !self.hashers.iter().any(|(known, _)| *known == algorithm) {
            self.hashers.push((algorithm, Hasher::new(algorithm)));
        }
    }

    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        for (_, hasher) in &mut self.hashers {
            hasher.update(bytes);
        }
    }

    /// The checksum that the trailer has to bring.
    pub(super) fn awaited(&self) -> Option<ChecksumAlgorithm> {
        self.trailing
    }

    /// Wants this SHA-256, the one that the signature covers.
    pub(super) fn expect_sha256(&mut self, hash: [u8; 32]) {
        self.content_sha256 = Some(hash);
        self.compute(ChecksumAlgorithm::Sha256);
    }

    /// Wants this value, which came in the trailer.
    pub(super) fn expect_trailing(&mut self, value: &[u8]) -> Result<(), PayloadError> {
        let Some(algorithm) = self.trailing else { return Err(PayloadError::MalformedTrailer) };
        let value = decode(value, algorithm.length())
            .ok_or(PayloadError::InvalidChecksum { header: algorithm.header_name(), trailing: true })?;
        self.declared = Some((algorithm, value));
        Ok(())
    }

    /// Compares what arrived with all that was declared.
    ///
    /// # Errors
    /// The first that differs: the signed hash, then `Content-MD5`, then the checksum.
    pub fn finish(self) -> Result<Digests, PayloadError> {
        let values =
            self.hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hasher.finish())).collect();
        let chosen = self.declared.as_ref().map(|(algorithm, _)| *algorithm);
        let digests = Digests { values, chosen };
        let differs = |algorithm, declared: &[u8]| {
            let computed = digests.get(algorithm).unwrap_or_default();
            constant_time::verify_slices_are_equal(computed, declared).is_err()
        };
        if let Some(hash) = self.content_sha256
            && differs(ChecksumAlgorithm::Sha256, &hash)
        {
            let computed = digests.get(ChecksumAlgorithm::Sha256).unwrap_or_default();
            return Err(PayloadError::Sha256Mismatch { declared: hex(&hash), computed: hex(computed) });
        }
        if let Some(md5) = self.content_md5
            && differs(ChecksumAlgorithm::Md5, &md5)
        {
            let computed = digests.base64(ChecksumAlgorithm::Md5).unwrap_or_default();
            return Err(PayloadError::Md5Mismatch { declared: STANDARD.encode(md5), computed });
        }
        match self.declared {
            Some((algorithm, value)) if differs(algorithm, &value) => {
                Err(PayloadError::BadDigest { algorithm })
            }
            _ => Ok(digests),
        }
    }

    /// `x-amz-sdk-checksum-algorithm` has to go with a checksum, and to name the same algorithm.
    fn check_sdk_algorithm(&self, headers: &HeaderMap) -> Result<(), PayloadError> {
        let Some(value) = headers.get(names::SDK_ALGORITHM) else { return Ok(()) };
        let name = value.to_str().unwrap_or_default();
        let algorithm = ChecksumAlgorithm::from_name(name).ok_or(PayloadError::UnsupportedAlgorithm)?;
        match self.algorithm() {
            Some(chosen) if chosen == algorithm => Ok(()),
            Some(_) => {
                Err(PayloadError::InvalidChecksum { header: "x-amz-sdk-checksum-algorithm", trailing: false })
            }
            None => Err(PayloadError::AlgorithmWithoutChecksum),
        }
    }
}

impl fmt::Debug for Checksums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let computed: Vec<_> = self.hashers.iter().map(|(algorithm, _)| algorithm).collect();
        f.debug_struct("Checksums").field("computed", &computed).finish_non_exhaustive()
    }
}

/// The checksums of a body that was what its request said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    values: Vec<(ChecksumAlgorithm, Vec<u8>)>,
    chosen: Option<ChecksumAlgorithm>,
}

impl Digests {
    /// One that was declared, signed, or asked for.
    #[must_use]
    pub fn get(&self, algorithm: ChecksumAlgorithm) -> Option<&[u8]> {
        self.values.iter().find(|(known, _)| *known == algorithm).map(|(_, value)| value.as_slice())
    }

    /// The same in Base64, as in headers.
    #[must_use]
    pub fn base64(&self, algorithm: ChecksumAlgorithm) -> Option<String> {
        self.get(algorithm).map(|value| STANDARD.encode(value))
    }

    /// The algorithm that the caller declared a value of.
    #[must_use]
    pub fn chosen(&self) -> Option<ChecksumAlgorithm> {
        self.chosen
    }
}

enum Hasher {
    Crc(Box<crc_fast::Digest>, usize),
    Md5(Md5),
    Sha(digest::Context),
}

impl Hasher {
    fn new(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Crc32 => {
                Self::Crc(Box::new(crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc)), 4)
            }
            ChecksumAlgorithm::Crc32c => {
                Self::Crc(Box::new(crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)), 4)
            }
            ChecksumAlgorithm::Crc64Nvme => {
                Self::Crc(Box::new(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)), 8)
            }
            ChecksumAlgorithm::Md5 => Self::Md5(Md5::new()),
            ChecksumAlgorithm::Sha1 => Self::Sha(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
            ChecksumAlgorithm::Sha256 => Self::Sha(digest::Context::new(&digest::SHA256)),
            ChecksumAlgorithm::Sha512 => Self::Sha(digest::Context::new(&digest::SHA512)),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(crc, _) => crc.update(bytes),
            Self::Md5(md5) => md5.update(bytes),
            Self::Sha(sha) => sha.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(crc, length) => {
                crc.finalize().to_be_bytes().into_iter().skip(8_usize.saturating_sub(length)).collect()
            }
            Self::Md5(md5) => md5.finalize().to_vec(),
            Self::Sha(sha) => sha.finish().as_ref().to_vec(),
        }
    }
}

fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, PayloadError> {
    let mut values = headers.get_all(names::CONTENT_MD5).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let md5 = decode(value.as_bytes(), 16).and_then(|bytes| bytes.try_into().ok());
    match (md5, values.next()) {
        (Some(md5), None) => Ok(Some(md5)),
        _ => Err(PayloadError::InvalidMd5 { value: String::from_utf8_lossy(value.as_bytes()).into_owned() }),
    }
}

/// The one `x-amz-checksum-<algorithm>` header. `…-algorithm`, `…-type` and `…-mode` are not checksums.
fn declared(headers: &HeaderMap) -> Result<Option<(ChecksumAlgorithm, Vec<u8>)>, PayloadError> {
    const NOT_VALUES: [&str; 3] = ["algorithm", "type", "mode"];
    let mut found: Option<(&str, &HeaderValue)> = None;
    for (name, value) in headers {
        let suffix = name.as_str().strip_prefix("x-amz-checksum-");
        if suffix.is_some_and(|suffix| !NOT_VALUES.contains(&suffix))
            && found.replace((name.as_str(), value)).is_some()
        {
            return Err(PayloadError::MultipleChecksums);
        }
    }
    let Some((name, value)) = found else { return Ok(None) };
    let algorithm = ChecksumAlgorithm::from_header_name(name).ok_or(PayloadError::UnsupportedChecksum)?;
    let value = decode(value.as_bytes(), algorithm.length())
        .ok_or(PayloadError::InvalidChecksum { header: algorithm.header_name(), trailing: false })?;
    Ok(Some((algorithm, value)))
}

fn trailing(headers: &HeaderMap) -> Result<Option<ChecksumAlgorithm>, PayloadError> {
    let mut values = headers.get_all(names::TRAILER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let name = value.to_str().unwrap_or_default().trim();
    match (ChecksumAlgorithm::from_header_name(name), values.next()) {
        (Some(algorithm), None) => Ok(Some(algorithm)),
        _ => Err(PayloadError::UnsupportedTrailer),
    }
}

fn decode(value: &[u8], length: usize) -> Option<Vec<u8>> {
    STANDARD.decode(value).ok().filter(|bytes| bytes.len() == length)
}

fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(2 * bytes.len());
    push_hex(&mut out, bytes);
    String::from_utf8(out).unwrap_or_default()
}
