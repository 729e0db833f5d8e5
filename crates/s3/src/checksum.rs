//! The checksums of objects, as requests declare them and answers show them (S3 user guide, "Checking object integrity
//! in Amazon S3").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::Fault;
use daypass_core::model::s3::{ChecksumAlgorithm, ChecksumType};
use daypass_core::objects::{Algorithm, Checksum, ChecksumKind, Checksums};
use daypass_core::wire::sigv4;

use crate::fault::{invalid_request, not_implemented};

/// What S3 computes where the caller chose nothing.
pub(crate) const DEFAULT: Algorithm = Algorithm::Crc64Nvme;

/// The algorithm that a body came with.
pub(crate) fn of_payload(chosen: Option<sigv4::ChecksumAlgorithm>) -> Option<Algorithm> {
    chosen.map(|algorithm| match algorithm {
        sigv4::ChecksumAlgorithm::Crc32 => Algorithm::Crc32,
        sigv4::ChecksumAlgorithm::Crc32c => Algorithm::Crc32c,
        sigv4::ChecksumAlgorithm::Crc64Nvme => Algorithm::Crc64Nvme,
        sigv4::ChecksumAlgorithm::Md5 => Algorithm::Md5,
        sigv4::ChecksumAlgorithm::Sha1 => Algorithm::Sha1,
        sigv4::ChecksumAlgorithm::Sha256 => Algorithm::Sha256,
        sigv4::ChecksumAlgorithm::Sha512 => Algorithm::Sha512,
    })
}

/// The algorithm that a request names.
///
/// # Errors
/// If it is not built.
pub(crate) fn named(algorithm: ChecksumAlgorithm) -> Result<Algorithm, Fault> {
    Ok(match algorithm {
        ChecksumAlgorithm::CRC32 => Algorithm::Crc32,
        ChecksumAlgorithm::CRC32C => Algorithm::Crc32c,
        ChecksumAlgorithm::CRC64NVME => Algorithm::Crc64Nvme,
        ChecksumAlgorithm::SHA1 => Algorithm::Sha1,
        ChecksumAlgorithm::SHA256 => Algorithm::Sha256,
        ChecksumAlgorithm::SHA512 => Algorithm::Sha512,
        ChecksumAlgorithm::MD5 => Algorithm::Md5,
        ChecksumAlgorithm::XXHASH64 | ChecksumAlgorithm::XXHASH3 | ChecksumAlgorithm::XXHASH128 => {
            return Err(not_implemented("checksums of the XXHASH family"));
        }
    })
}

/// The name of an algorithm; `None` for what the API has none for.
pub(crate) fn name(algorithm: Algorithm) -> Option<ChecksumAlgorithm> {
    Some(match algorithm {
        Algorithm::Crc32 => ChecksumAlgorithm::CRC32,
        Algorithm::Crc32c => ChecksumAlgorithm::CRC32C,
        Algorithm::Crc64Nvme => ChecksumAlgorithm::CRC64NVME,
        Algorithm::Sha1 => ChecksumAlgorithm::SHA1,
        Algorithm::Sha256 => ChecksumAlgorithm::SHA256,
        Algorithm::Sha512 => ChecksumAlgorithm::SHA512,
        Algorithm::Md5 => ChecksumAlgorithm::MD5,
        _ => return None,
    })
}

/// The algorithms of a listed object, and what they were computed over.
pub(crate) fn listed(checksums: &Checksums) -> (Option<Vec<ChecksumAlgorithm>>, Option<ChecksumType>) {
    let names: Vec<ChecksumAlgorithm> = checksums.iter().filter_map(|c| name(c.algorithm)).collect();
    ((!names.is_empty()).then_some(names), kind(checksums))
}

/// What checksums were computed over.
pub(crate) fn kind(checksums: &Checksums) -> Option<ChecksumType> {
    checksums.iter().next().map(|checksum| match checksum.kind {
        ChecksumKind::FullObject => ChecksumType::FULLOBJECT,
        ChecksumKind::Composite { .. } => ChecksumType::COMPOSITE,
    })
}

/// The checksum of one algorithm in an answer. One over parts says of how many.
pub(crate) fn shown(checksums: &Checksums, algorithm: Algorithm) -> Option<String> {
    let Checksum { kind, value, .. } = checksums.get(algorithm)?;
    let value = BASE64.encode(value);
    Some(match kind {
        ChecksumKind::FullObject => value,
        ChecksumKind::Composite { parts } => format!("{value}-{parts}"),
    })
}

/// `show!(output, checksums);` writes checksums into an answer, whichever it is: each has a member per algorithm.
macro_rules! show {
    ($output:expr, $checksums:expr) => {{
        use daypass_core::objects::Algorithm;
        let checksums: &daypass_core::objects::Checksums = $checksums;
        let shown = |algorithm| $crate::checksum::shown(checksums, algorithm);
        $output.checksum_crc32 = shown(Algorithm::Crc32);
        $output.checksum_crc32_c = shown(Algorithm::Crc32c);
        $output.checksum_crc64_nvme = shown(Algorithm::Crc64Nvme);
        $output.checksum_sha1 = shown(Algorithm::Sha1);
        $output.checksum_sha256 = shown(Algorithm::Sha256);
        $output.checksum_sha512 = shown(Algorithm::Sha512);
        $output.checksum_md5 = shown(Algorithm::Md5);
    }};
}
pub(crate) use show;

/// `declared!(input)` are the checksums that a part of a document, or a request about a document, declares of objects:
/// algorithm and text.
macro_rules! declared {
    ($input:expr) => {{
        use daypass_core::objects::Algorithm;
        [
            (Some(Algorithm::Crc32), $input.checksum_crc32.as_deref()),
            (Some(Algorithm::Crc32c), $input.checksum_crc32_c.as_deref()),
            (Some(Algorithm::Crc64Nvme), $input.checksum_crc64_nvme.as_deref()),
            (Some(Algorithm::Sha1), $input.checksum_sha1.as_deref()),
            (Some(Algorithm::Sha256), $input.checksum_sha256.as_deref()),
            (Some(Algorithm::Sha512), $input.checksum_sha512.as_deref()),
            (Some(Algorithm::Md5), $input.checksum_md5.as_deref()),
            (None, $input.checksum_xxhash64.as_deref()),
            (None, $input.checksum_xxhash3.as_deref()),
            (None, $input.checksum_xxhash128.as_deref()),
        ]
    }};
}
pub(crate) use declared;

/// The checksums of [`declared!`], read: those of whole bodies, in the order that the API names them.
///
/// # Errors
/// Values that are none, and algorithms that are not built.
pub(crate) fn read<'t>(
    declared: impl IntoIterator<Item = (Option<Algorithm>, Option<&'t str>)>,
) -> Result<Vec<(Algorithm, Vec<u8>)>, Fault> {
    let mut found = vec![];
    for (algorithm, text) in declared {
        let Some(text) = text else { continue };
        let Some(algorithm) = algorithm else {
            return Err(not_implemented("checksums of the XXHASH family"));
        };
        // `value-3` is one over three parts.
        let value = text.split_once('-').map_or(text, |(value, _)| value);
        let value = BASE64.decode(value).ok().filter(|v| v.len() == algorithm.len_bytes());
        found.push((algorithm, value.ok_or_else(|| invalid_header(algorithm))?));
    }
    Ok(found)
}

fn invalid_header(algorithm: Algorithm) -> Fault {
    let name = name(algorithm).map(daypass_core::model::Enumeration::as_str).unwrap_or_default();
    let header = format!("x-amz-checksum-{}", name.to_lowercase());
    invalid_request(format!("Value for {header} header is invalid."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_values_are_read_or_refused() {
        let crc = Some(Algorithm::Crc32);
        assert_eq!(read([(crc, Some("AAAAAQ=="))]).unwrap(), [(Algorithm::Crc32, vec![0, 0, 0, 1])]);
        assert_eq!(read([(crc, Some("AAAAAQ==-3"))]).unwrap(), [(Algorithm::Crc32, vec![0, 0, 0, 1])]);
        assert_eq!(read([(crc, None), (None, None)]).unwrap(), []);
        for (algorithm, text, code) in [
            (crc, "AAAA", "InvalidRequest"),
            (crc, "#", "InvalidRequest"),
            (crc, "", "InvalidRequest"),
            (None, "AAAAAQ==", "NotImplemented"),
        ] {
            assert_eq!(read([(algorithm, Some(text))]).unwrap_err().code, code, "{text}");
        }
    }

    #[test]
    fn a_checksum_over_parts_says_of_how_many() {
        let of = |kind| -> Checksums {
            [Checksum { algorithm: Algorithm::Crc32, kind, value: vec![0, 0, 0, 1].into() }]
                .into_iter()
                .collect()
        };
        let composite = of(ChecksumKind::Composite { parts: 3 });
        assert_eq!(shown(&composite, Algorithm::Crc32).as_deref(), Some("AAAAAQ==-3"));
        assert_eq!(kind(&composite), Some(ChecksumType::COMPOSITE));
        let full = of(ChecksumKind::FullObject);
        assert_eq!(shown(&full, Algorithm::Crc32).as_deref(), Some("AAAAAQ=="));
        assert_eq!(shown(&full, Algorithm::Sha1), None);
    }
}
