//! Checksums: which there are, which were asked for, and how those of parts make that of an object.

use aws_lc_rs::digest as sha;
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use md5::Digest as _;
use serde::{Deserialize, Serialize};

/// An algorithm of the `x-amz-checksum-*` family. The number of each is part of the on-disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Algorithm {
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// MD5, as a checksum of its own beside the entity tag.
    Md5,
}

impl Algorithm {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256, Self::Sha512, Self::Md5];

    /// Bytes of a checksum.
    #[must_use]
    pub fn len_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Whether the checksum of a whole follows from those of its parts.
    #[must_use]
    pub fn combines(self) -> bool {
        self.crc().is_some()
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            _ => None,
        }
    }

    fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

/// A set of algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Algorithms(u16);

impl Algorithms {
    /// None.
    pub const NONE: Self = Self(0);

    /// The set with one more.
    #[must_use]
    pub fn with(self, algorithm: Algorithm) -> Self {
        Self(self.0 | algorithm.bit())
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// The members, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for Algorithms {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(iter: I) -> Self {
        iter.into_iter().fold(Self::NONE, Self::with)
    }
}

/// What a checksum was computed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumKind {
    /// All the bytes of the object.
    FullObject,
    /// The checksums of its parts, this many.
    Composite {
        /// How many parts.
        parts: u32,
    },
}

/// One checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// What over.
    pub kind: ChecksumKind,
    /// [`Algorithm::len_bytes`] bytes, most significant first.
    pub value: Bytes,
}

/// At most one checksum of each algorithm, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksums(Vec<Checksum>);

impl Checksums {
    /// The one of this algorithm.
    #[must_use]
    pub fn get(&self, algorithm: Algorithm) -> Option<&Checksum> {
        self.0.iter().find(|checksum| checksum.algorithm == algorithm)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Checksum> {
        self.0.iter()
    }

    /// The bytes of the checksum over the whole, if there is one of this algorithm.
    #[must_use]
    pub fn full(&self, algorithm: Algorithm) -> Option<&Bytes> {
        self.get(algorithm).filter(|found| found.kind == ChecksumKind::FullObject).map(|found| &found.value)
    }
}

impl FromIterator<Checksum> for Checksums {
    fn from_iter<I: IntoIterator<Item = Checksum>>(iter: I) -> Self {
        let mut all: Vec<Checksum> = iter.into_iter().collect();
        all.sort_by_key(|checksum| checksum.algorithm);
        all.dedup_by_key(|checksum| checksum.algorithm);
        Self(all)
    }
}

/// What was computed over a body on its way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Bytes.
    pub size: u64,
    /// MD5 of all of them.
    pub md5: [u8; 16],
    /// The others that were asked for.
    pub checksums: Checksums,
}

/// One running checksum.
pub(crate) struct Hasher {
    algorithm: Algorithm,
    state: State,
}

enum State {
    Crc(Box<crc_fast::Digest>),
    Sha(sha::Context),
    Md5(Box<md5::Md5>),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let crc = |algorithm| State::Crc(Box::new(crc_fast::Digest::new(algorithm)));
        let state = match algorithm {
            Algorithm::Sha1 => State::Sha(sha::Context::new(&sha::SHA1_FOR_LEGACY_USE_ONLY)),
            Algorithm::Sha256 => State::Sha(sha::Context::new(&sha::SHA256)),
            Algorithm::Sha512 => State::Sha(sha::Context::new(&sha::SHA512)),
            Algorithm::Md5 => State::Md5(Box::default()),
            Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
        };
        Self { algorithm, state }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(bytes),
            State::Sha(sha) => sha.update(bytes),
            State::Md5(md5) => md5.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Bytes {
        match self.state {
            State::Crc(crc) => crc_bytes(self.algorithm, crc.finalize()),
            State::Sha(sha) => Bytes::copy_from_slice(sha.finish().as_ref()),
            State::Md5(md5) => Bytes::copy_from_slice(&md5.finalize()),
        }
    }
}

fn crc_bytes(algorithm: Algorithm, crc: u64) -> Bytes {
    let bytes = crc.to_be_bytes();
    let skipped = bytes.len().saturating_sub(algorithm.len_bytes());
    Bytes::copy_from_slice(bytes.get(skipped..).unwrap_or_default())
}

fn crc_number(value: &[u8]) -> u64 {
    value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The checksum of an object from those of its parts, each with the part's size.
///
/// A composite one is the checksum of the checksums (Amazon S3 User Guide, "Checking object integrity"); one over the
/// whole object exists only for those that combine.
pub(crate) fn of_parts<'a>(
    algorithm: Algorithm,
    full_object: bool,
    parts: impl Iterator<Item = (&'a [u8], u64)>,
) -> Option<Checksum> {
    if full_object {
        let crc = algorithm.crc()?;
        let whole =
            parts.map(|(value, size)| (crc_number(value), size)).reduce(|(left, size), (right, more)| {
                (crc_fast::checksum_combine(crc, left, right, more), size + more)
            });
        let (value, _) = whole?;
        return Some(Checksum {
            algorithm,
            kind: ChecksumKind::FullObject,
            value: crc_bytes(algorithm, value),
        });
    }
    let mut hasher = Hasher::new(algorithm);
    let mut count = 0;
    for (value, _) in parts {
        hasher.update(value);
        count += 1;
    }
    Some(Checksum { algorithm, kind: ChecksumKind::Composite { parts: count }, value: hasher.finish() })
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Algorithms, ChecksumKind, Hasher, of_parts};

    fn hash(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        crate::hex::encode(&hasher.finish())
    }

    #[test]
    fn each_algorithm_gives_its_published_check_value() {
        for (algorithm, of_digits) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
            (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
        ] {
            assert_eq!(hash(algorithm, b"123456789"), of_digits, "{algorithm:?}");
            assert_eq!(of_digits.len(), algorithm.len_bytes() * 2);
        }
        assert!(hash(Algorithm::Sha512, b"").starts_with("cf83e1357eefb8bd"));
    }

    #[test]
    fn crcs_of_parts_combine_to_that_of_the_whole() {
        let whole: Vec<u8> = (0..200_000_u32).map(|n| (n * 7 % 251) as u8).collect();
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let parts: Vec<_> =
                whole.chunks(70_001).map(|part| (raw(algorithm, part), part.len() as u64)).collect();
            let made = of_parts(algorithm, true, parts.iter().map(|(value, size)| (value.as_slice(), *size)))
                .unwrap();
            assert_eq!(made.value, raw(algorithm, &whole), "{algorithm:?}");
            assert_eq!(made.kind, ChecksumKind::FullObject);
        }
        assert!(of_parts(Algorithm::Sha256, true, [(&[0; 32][..], 1)].into_iter()).is_none());
    }

    #[test]
    fn a_composite_is_the_checksum_of_the_checksums() {
        let made =
            of_parts(Algorithm::Sha1, false, [(&b"1234"[..], 5), (&b"56789"[..], 6)].into_iter()).unwrap();
        assert_eq!(crate::hex::encode(&made.value), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        assert_eq!(made.kind, ChecksumKind::Composite { parts: 2 });
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set = Algorithms::NONE.with(Algorithm::Md5).with(Algorithm::Crc32);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Algorithm::Crc32, Algorithm::Md5]);
        assert!(!set.contains(Algorithm::Sha1));
    }

    fn raw(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish().to_vec()
    }
}
