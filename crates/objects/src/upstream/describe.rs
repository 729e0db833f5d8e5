//! What is said of an object, as headers of another store and back.

use super::outgoing::header;
use super::text;
use super::xml;
use crate::{
    Algorithm, Checksum, ChecksumKind, Checksums, ETag, Error, Lock, Result, RetentionMode, Storage,
    Timestamp, Version, VersionId,
};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};

/// How the caller's descriptions are written in another store, so that whoever reads the objects there finds what
/// S3 has a place for in its place, and what others wrote there can be read here.
pub trait Vocabulary: Send + Sync {
    /// The headers of a description: `content-type`, `x-amz-meta-…` and the like.
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::Unsupported`] for what no header can hold.
    fn headers(&self, meta: &[u8]) -> Result<HeaderMap>;
    /// The description of an answer with these headers.
    ///
    /// # Errors
    /// [`Error::Upstream`] for what makes no sense.
    fn meta(&self, headers: &HeaderMap) -> Result<Bytes>;
    /// Whether an upload that is begun with this description was asked for its checksum, rather than given a default. Where it
    /// was not, the other store gives its own.
    fn chooses_checksum(&self, meta: &[u8]) -> bool;
    /// The description of an upload of which no more is known than that.
    fn of_upload(&self, chose_checksum: bool) -> Bytes;
    /// Whether two descriptions of an object differ in nothing but what the store itself tells of its lock.
    fn differ_in_the_lock_alone(&self, one: &[u8], other: &[u8]) -> bool {
        one == other
    }
    /// The keys and values of a tag set.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it is none.
    fn pairs(&self, tags: &[u8]) -> Result<Vec<(String, String)>>;
    /// The tag set of these.
    fn tags(&self, pairs: Vec<(String, String)>) -> Bytes;
}

pub(super) fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The version that an answer is of; what S3 leaves out there is the null version.
pub(super) fn version_id(headers: &HeaderMap) -> Result<VersionId> {
    match text_header(headers, "x-amz-version-id") {
        None => Ok(VersionId::Null),
        Some(text) => VersionId::parse(text).map_err(|_| odd("a version id that is none")),
    }
}

pub(super) fn odd(what: &str) -> Error {
    Error::Upstream(format!("it answers {what}"))
}

/// The checksums that an answer tells.
pub(super) fn checksums(headers: &HeaderMap) -> Checksums {
    let full = text_header(headers, "x-amz-checksum-type") != Some("COMPOSITE");
    let read = |algorithm: Algorithm| checksum(algorithm, text_header(headers, header(algorithm))?, full);
    Algorithm::ALL.into_iter().filter_map(read).collect()
}

/// A checksum in its text: `value`, or `value-3` of three parts.
pub(super) fn checksum(algorithm: Algorithm, text: &str, full: bool) -> Option<Checksum> {
    let (value, kind) = match text.split_once('-') {
        Some((value, parts)) => (value, ChecksumKind::Composite { parts: parts.parse().ok()? }),
        None if full => (text, ChecksumKind::FullObject),
        None => return None,
    };
    let value = BASE64.decode(value).ok()?;
    (value.len() == algorithm.len_bytes()).then(|| Checksum { algorithm, kind, value: value.into() })
}

/// The version that HeadObject tells of.
pub(super) fn version(
    headers: &HeaderMap,
    vocabulary: &dyn Vocabulary,
    tags: Bytes,
    is_latest: bool,
) -> Result<Version> {
    let size = text_header(headers, "content-length").and_then(|text| text.parse().ok());
    let size = size.ok_or_else(|| odd("an object without a length"))?;
    let etag = text_header(headers, "etag").map(xml::etag).ok_or_else(|| odd("an object without a tag"))?;
    let modified = text_header(headers, "last-modified").and_then(text::http_date);
    let id = version_id(headers)?;
    let meta = vocabulary.meta(headers)?;
    let lock = lock(headers)?;
    let parts = match &etag {
        ETag::Parts { parts, .. } => Some(*parts),
        _ => None,
    };
    Ok(Version {
        generation: generation(&id, &etag, size),
        revision: revision(&meta, &tags, lock),
        id,
        is_latest,
        size,
        etag,
        modified: modified.ok_or_else(|| odd("an object without a date"))?,
        checksums: checksums(headers),
        parts,
        meta,
        tags,
        lock,
        storage: storage(headers),
    })
}

/// Which bytes these are: other stores have no number for it, so it is made of what tells them apart.
pub(super) fn generation(id: &VersionId, etag: &ETag, size: u64) -> u64 {
    let text = format!("{id}\n{etag}\n{size}");
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// What is said of them, as a number: two that differ are most certainly of different words.
fn revision(meta: &[u8], tags: &[u8], lock: Lock) -> u32 {
    let lock = format!("{lock:?}");
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [meta, tags, lock.as_bytes()] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn lock(headers: &HeaderMap) -> Result<Lock> {
    let legal_hold = text_header(headers, "x-amz-object-lock-legal-hold") == Some("ON");
    let mode = match text_header(headers, "x-amz-object-lock-mode") {
        None => return Ok(Lock { retention: None, legal_hold }),
        Some("GOVERNANCE") => RetentionMode::Governance,
        Some("COMPLIANCE") => RetentionMode::Compliance,
        Some(_) => return Err(odd("a retention that there is none of")),
    };
    let until = text_header(headers, "x-amz-object-lock-retain-until-date").and_then(text::iso_date);
    let until = until.ok_or_else(|| odd("a retention without an end"))?;
    Ok(Lock { retention: Some((mode, until)), legal_hold })
}

/// Whether it must be restored first.
fn storage(headers: &HeaderMap) -> Storage {
    let archived = matches!(text_header(headers, "x-amz-storage-class"), Some("GLACIER" | "DEEP_ARCHIVE"));
    let restored =
        text_header(headers, "x-amz-restore").is_some_and(|text| text.contains("ongoing-request=\"false\""));
    if archived && !restored { Storage::Archived } else { Storage::Available }
}

/// The headers that lock an object from the start.
pub(super) fn lock_headers(lock: Lock, headers: &mut HeaderMap) -> Result<()> {
    if let Some((mode, until)) = lock.retention {
        headers.insert("x-amz-object-lock-mode", HeaderValue::from_static(mode_name(mode)));
        headers.insert("x-amz-object-lock-retain-until-date", date(until)?);
    }
    if lock.legal_hold {
        headers.insert("x-amz-object-lock-legal-hold", HeaderValue::from_static("ON"));
    }
    Ok(())
}

pub(super) fn mode_name(mode: RetentionMode) -> &'static str {
    match mode {
        RetentionMode::Governance => "GOVERNANCE",
        RetentionMode::Compliance => "COMPLIANCE",
    }
}

fn date(at: Timestamp) -> Result<HeaderValue> {
    let text = text::to_iso_date(at).ok_or(Error::Unsupported("such a date"))?;
    HeaderValue::from_str(&text).map_err(|_| Error::Unsupported("such a date"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_says_what_it_is_over() {
        let whole = checksum(Algorithm::Crc32, "AAAAAA==", true).unwrap();
        assert_eq!(whole.kind, ChecksumKind::FullObject);
        let parts = checksum(Algorithm::Crc32, "AAAAAA==-3", false).unwrap();
        assert_eq!(parts.kind, ChecksumKind::Composite { parts: 3 });
        for wrong in ["AAAA", "AAAAAA==-x", "!", ""] {
            assert_eq!(checksum(Algorithm::Crc32, wrong, true), None, "{wrong}");
        }
    }
}
