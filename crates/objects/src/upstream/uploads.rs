//! Multipart uploads in another store. Their ids, parts and state are there; what is remembered here is only what it takes
//! a question to learn, and never changes.

use super::client::{Ask, Failure, Payload, Refusal, after_yes};
use super::describe::{self, generation, odd, text_header, version_id};
use super::outgoing::header;
use super::sign::escaped;
use super::writing::{digests_of, of_condition, of_precondition};
use super::xml::{self, Element};
use super::{Upstream, client};
use crate::{
    Algorithm, Algorithms, At, Body, Checksum, ChecksumKind, Checksums, CompleteUpload, Completed,
    CreateUpload, ETag, Error, ListedPart, MAX_PAGE, MAX_PARTS, Part, PartPage, PartWritten, Parts,
    Preconditions, PutPart, Result, Timestamp, Upload, UploadAt, UploadChecksum, UploadId, Written,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::Method;
use http::header::HeaderValue;
use md5::Digest as _;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Uploads whose checksum is remembered.
const MAX_KNOWN: usize = 10_000;

/// The checksums of uploads, as they were begun.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<UploadId, Option<UploadChecksum>>>);

impl Known {
    fn get(&self, id: &UploadId) -> Option<Option<UploadChecksum>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    fn set(&self, id: &UploadId, checksum: Option<UploadChecksum>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(id.clone(), checksum);
    }

    fn forget(&self, id: &UploadId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Upstream {
    /// Begins an upload.
    pub(super) async fn create_upload(&self, create: CreateUpload) -> Result<UploadId> {
        create.description.check()?;
        if let Some(UploadChecksum { algorithm, full_object: true }) = create.checksum
            && !algorithm.combines()
        {
            return Err(Error::PartChecksumMissing(algorithm));
        }
        let there = self.there(&create.key)?;
        let mut ask = Ask::new(Method::POST, Some(&there)).query("uploads", "");
        ask.headers = self.described(&create.description, create.seal)?;
        let chosen = self.surroundings.vocabulary.chooses_checksum(&create.description.meta);
        let checksum = create.checksum.filter(|_| chosen && self.capabilities.checksums_of_parts);
        let named = checksum.and_then(|checksum| Some((checksum, name(checksum.algorithm)?)));
        if let Some((checksum, name)) = named {
            let kind = if checksum.full_object { "FULL_OBJECT" } else { "COMPOSITE" };
            ask.headers.insert("x-amz-checksum-algorithm", HeaderValue::from_static(name));
            ask.headers.insert("x-amz-checksum-type", HeaderValue::from_static(kind));
        }
        let answer = self.http.ask(ask, Payload::None).await.map_err(Failure::into_error)?;
        let id = xml::read(&answer.document().await?, "InitiateMultipartUploadResult", |result| {
            UploadId::parse(result.text("UploadId")?).ok()
        })
        .map_err(after_yes)?;
        self.uploads.set(&id, named.map(|(checksum, _)| checksum));
        Ok(id)
    }

    /// Finds an upload. When it was begun is told in a list of uploads alone.
    pub(super) async fn upload(&self, at: &UploadAt) -> Result<Upload> {
        let page = self.parts_of(at, 0, 1).await?;
        Ok(page.upload)
    }

    async fn checksum_of(&self, at: &UploadAt) -> Result<Option<UploadChecksum>> {
        if !self.capabilities.checksums_of_parts {
            return Ok(None);
        }
        match self.uploads.get(&at.id) {
            Some(known) => Ok(known),
            None => Ok(self.upload(at).await?.checksum),
        }
    }

    /// Stores a part.
    pub(super) async fn put_part(&self, part: PutPart, body: Body) -> Result<PartWritten> {
        if !(1..=MAX_PARTS).contains(&part.number) {
            return Err(Error::InvalidPartOrder);
        }
        let there = self.there(&part.upload.key)?;
        let own = self.checksum_of(&part.upload).await?.map(|checksum| checksum.algorithm);
        let wanted: Algorithms = own.into_iter().fold(part.checksums, Algorithms::with);
        let mut ask = Ask::new(Method::PUT, Some(&there))
            .query("partNumber", part.number.to_string())
            .query("uploadId", part.upload.id.as_str());
        let outgoing = self.outgoing(body, wanted, own, &mut ask).await?;
        let sent = outgoing.sent.clone();
        let answer = self.http.ask(ask, Payload::Stream(outgoing)).await.map_err(Failure::into_error)?;
        let digests = digests_of(sent.take())?;
        let etag = text_header(&answer.headers, "etag").map(xml::etag);
        answer.done().await?;
        let etag = etag.ok_or_else(|| after_yes(odd("a part without a tag")))?;
        if self.capabilities.md5_tags && etag != ETag::Md5(digests.md5) {
            return Err(after_yes(odd("with the tag of another part than was sent")));
        }
        Ok(PartWritten { etag, size: digests.size, checksums: digests.checksums, modified: part.commit.now })
    }

    /// Lists the parts of an upload.
    pub(super) async fn list_parts(&self, parts: &Parts) -> Result<PartPage> {
        let limit = parts.limit.min(MAX_PAGE);
        let mut page = self.parts_of(&parts.upload, parts.after, limit.max(1)).await?;
        page.truncated |= limit > 0 && page.parts.len() > limit;
        page.parts.truncate(limit);
        Ok(page)
    }

    async fn parts_of(&self, at: &UploadAt, after: u16, limit: usize) -> Result<PartPage> {
        let there = self.there(&at.key)?;
        let ask = Ask::new(Method::GET, Some(&there))
            .query("uploadId", at.id.as_str())
            .query("max-parts", limit.to_string())
            .query("part-number-marker", after.to_string());
        let answer = self.http.ask(ask, Payload::None).await;
        let answer = answer.map_err(upload_error)?;
        let page = xml::read(&answer.document().await?, "ListPartsResult", |list| {
            let checksum = list.text("ChecksumAlgorithm").and_then(algorithm).map(|algorithm| {
                UploadChecksum { algorithm, full_object: list.text("ChecksumType") == Some("FULL_OBJECT") }
            });
            let upload = Upload {
                key: at.key.clone(),
                id: at.id.clone(),
                initiated: None,
                meta: self.surroundings.vocabulary.of_upload(checksum.is_some()),
                checksum,
            };
            let parts = list.all("Part").map(part).collect::<Option<Vec<Part>>>()?;
            Some(PartPage { upload, parts, truncated: list.is_true("IsTruncated") })
        })?;
        if page.truncated && page.parts.last().is_none_or(|last| last.number <= after) {
            return Err(odd("parts that are cut off and do not go on"));
        }
        self.uploads.set(&at.id, page.upload.checksum);
        Ok(page)
    }

    /// Makes the object of its parts.
    pub(super) async fn complete_upload(&self, complete: CompleteUpload) -> Result<Completed> {
        let complete = &Wanted::of(complete);
        let there = self.there(&complete.upload.key)?;
        let stored = match self.all_parts(&complete.upload).await {
            Err(Error::NoSuchUpload) => return self.completed_before(complete).await,
            stored => stored?,
        };
        let size = check_parts(complete, &stored)?;
        let mut ask = Ask::new(Method::POST, Some(&there)).query("uploadId", complete.upload.id.as_str());
        let has = self.capabilities.complete_conditionally;
        self.conditions(&complete.only_if, (has, has), &mut ask.headers)?;
        if let Some((algorithm, value)) = &complete.expected {
            self.needs(self.capabilities.checksums_of_parts, "checksums of multipart uploads")?;
            let full = self.checksum_of(&complete.upload).await?.is_some_and(|checksum| checksum.full_object);
            let text = BASE64.encode(value);
            let text = if full { text } else { format!("{text}-{}", complete.parts.len()) };
            ask = ask.header(header(*algorithm), &text)?;
        }
        let document = document(&complete.parts, self.capabilities.checksums_of_parts)?;
        let answer = self.http.ask(ask, Payload::Document(document)).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(Failure::Refused(refusal)) if refusal.is("NoSuchUpload") => {
                return self.completed_before(complete).await;
            }
            Err(Failure::Refused(refusal)) if refusal.is("BadDigest") => {
                return Err(Error::Mismatch("checksum"));
            }
            Err(failure) => return Err(of_condition(failure, &complete.only_if)),
        };
        let completed = self.completed(answer, size, &complete.only_if, complete.now).await?;
        self.uploads.forget(&complete.upload.id);
        Ok(completed)
    }

    async fn completed(
        &self,
        answer: client::Answer,
        size: u64,
        only_if: &Preconditions,
        now: Timestamp,
    ) -> Result<Completed> {
        let id = version_id(&answer.headers).map_err(after_yes)?;
        let document = answer.slow_document().await.map_err(after_yes)?;
        if let Some(refusal) = client::refused_after_all(&document) {
            return Err(match refusal.as_str() {
                "PreconditionFailed" => of_precondition(only_if),
                _ => Error::Unanswered(refusal),
            });
        }
        let result = xml::read(&document, "CompleteMultipartUploadResult", |result| {
            Some((result.etag()?, checksums_in(result, result.text("ChecksumType") == Some("FULL_OBJECT"))))
        });
        // Yes was said, and then nothing that makes sense: it may be there.
        let (etag, checksums) = result.map_err(after_yes)?;
        let generation = generation(&id, &etag, size);
        let written = Written { id, generation, size, etag, checksums, modified: now };
        Ok(Completed { written, repeated: false })
    }

    /// Whether what was asked for is there: then it was done by an earlier request, whose answer got lost.
    async fn completed_before(&self, complete: &Wanted) -> Result<Completed> {
        let mut digest = md5::Md5::new();
        for part in &complete.parts {
            let ETag::Md5(of_part) = &part.etag else { return Err(Error::NoSuchUpload) };
            digest.update(of_part);
        }
        let parts = u32::try_from(complete.parts.len()).unwrap_or(u32::MAX);
        let expected = ETag::Parts { digest: digest.finalize().into(), parts };
        let at = At::latest(complete.upload.bucket, complete.upload.key.clone());
        match self.head(&at).await {
            Ok(version) if version.etag == expected => {
                let written = Written {
                    id: version.id,
                    generation: version.generation,
                    size: version.size,
                    etag: version.etag,
                    checksums: version.checksums,
                    modified: version.modified,
                };
                Ok(Completed { written, repeated: true })
            }
            Ok(_) | Err(Error::NoSuchKey { .. }) => Err(Error::NoSuchUpload),
            Err(error) => Err(error),
        }
    }

    async fn all_parts(&self, at: &UploadAt) -> Result<HashMap<u16, PartWritten>> {
        let mut all = HashMap::new();
        let mut after = 0;
        loop {
            let page = self.parts_of(at, after, MAX_PAGE).await?;
            let Some(last) = page.parts.last().map(|part| part.number) else { return Ok(all) };
            all.extend(page.parts.into_iter().map(|part| (part.number, part.written)));
            if !page.truncated {
                return Ok(all);
            }
            after = last;
        }
    }

    /// Ends an upload without an object.
    pub(super) async fn abort_upload(&self, at: &UploadAt) -> Result<()> {
        let there = self.there(&at.key)?;
        let ask = Ask::new(Method::DELETE, Some(&there)).query("uploadId", at.id.as_str());
        let answer = self.http.ask(ask, Payload::None).await.map_err(upload_error)?;
        answer.done().await?;
        self.uploads.forget(&at.id);
        Ok(())
    }
}

/// What a completion asks for, but its note.
struct Wanted {
    upload: UploadAt,
    parts: Vec<ListedPart>,
    only_if: Preconditions,
    min_part_bytes: u64,
    expected: Option<(Algorithm, Bytes)>,
    expected_size: Option<u64>,
    now: Timestamp,
}

impl Wanted {
    fn of(complete: CompleteUpload) -> Self {
        let CompleteUpload { upload, parts, only_if, min_part_bytes, expected, expected_size, commit } =
            complete;
        Self { upload, parts, only_if, min_part_bytes, expected, expected_size, now: commit.now }
    }
}

/// An upload that is not there, however the store says it.
fn upload_error(failure: Failure) -> Error {
    let gone = |refusal: &Refusal| {
        refusal.status.as_u16() == 404 && !refusal.is("NoSuchBucket")
            || refusal.status.as_u16() == 400 && refusal.is("InvalidArgument")
    };
    match failure {
        Failure::Refused(refusal) if gone(&refusal) => Error::NoSuchUpload,
        failure => failure.into_error(),
    }
}

/// What S3 demands of a list of parts, whatever the other store demands. The size of the object.
fn check_parts(complete: &Wanted, stored: &HashMap<u16, PartWritten>) -> Result<u64> {
    let numbers: Vec<u16> = complete.parts.iter().map(|part| part.number).collect();
    let in_range = numbers.iter().all(|number| (1..=MAX_PARTS).contains(number));
    let ascends = numbers.iter().zip(numbers.iter().skip(1)).all(|(left, right)| left < right);
    if numbers.is_empty() || !in_range || !ascends {
        return Err(Error::InvalidPartOrder);
    }
    let mut size: u64 = 0;
    let last = numbers.last().copied();
    for part in &complete.parts {
        let number = part.number;
        let found = stored.get(&number).filter(|found| is_meant(part, found));
        let found = found.ok_or(Error::InvalidPart { number })?;
        if Some(number) != last && found.size < complete.min_part_bytes {
            return Err(Error::PartTooSmall { number, size: found.size });
        }
        size = size.checked_add(found.size).ok_or_else(|| odd("parts of more bytes than there are"))?;
    }
    match complete.expected_size {
        Some(expected) if expected != size => Err(Error::Mismatch("size")),
        _ => Ok(size),
    }
}

fn is_meant(part: &ListedPart, found: &PartWritten) -> bool {
    let agrees = |checksum: &Checksum| {
        found.checksums.get(checksum.algorithm).is_none_or(|known| known.value == checksum.value)
    };
    part.etag == found.etag && part.checksums.iter().all(agrees)
}

fn part(element: Element<'_, '_>) -> Option<Part> {
    let written = PartWritten {
        etag: element.etag()?,
        size: element.number("Size")?,
        checksums: checksums_in(element, true),
        modified: element.time("LastModified")?,
    };
    Some(Part { number: u16::try_from(element.number("PartNumber")?).ok()?, written })
}

fn checksums_in(element: Element<'_, '_>, full: bool) -> Checksums {
    let read = |algorithm: Algorithm| {
        describe::checksum(algorithm, element.text(&format!("Checksum{}", name(algorithm)?))?, full)
    };
    Algorithm::ALL.into_iter().filter_map(read).collect()
}

fn document(parts: &[ListedPart], checksums: bool) -> Result<Vec<u8>> {
    let mut document =
        String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for part in parts {
        let etag = escaped(&part.etag.to_string()).ok_or(Error::InvalidPart { number: part.number })?;
        document.push_str(&format!("<Part><PartNumber>{}</PartNumber><ETag>\"{etag}\"</ETag>", part.number));
        let known = |checksum: &&Checksum| checksums && checksum.kind == ChecksumKind::FullObject;
        for checksum in part.checksums.iter().filter(known) {
            if let Some(name) = name(checksum.algorithm) {
                let value = BASE64.encode(&checksum.value);
                document.push_str(&format!("<Checksum{name}>{value}</Checksum{name}>"));
            }
        }
        document.push_str("</Part>");
    }
    document.push_str("</CompleteMultipartUpload>");
    Ok(document.into_bytes())
}

/// An algorithm, as documents and headers name it.
fn name(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Crc32 => Some("CRC32"),
        Algorithm::Crc32c => Some("CRC32C"),
        Algorithm::Crc64Nvme => Some("CRC64NVME"),
        Algorithm::Sha1 => Some("SHA1"),
        Algorithm::Sha256 => Some("SHA256"),
        Algorithm::Sha512 | Algorithm::Md5 => None,
    }
}

fn algorithm(text: &str) -> Option<Algorithm> {
    Algorithm::ALL.into_iter().find(|algorithm| name(*algorithm) == Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BucketId, Key};

    #[test]
    fn sizes_that_nothing_has_are_not_added_up() {
        let etag = ETag::Md5([0; 16]);
        let part = |number| ListedPart { number, etag: etag.clone(), checksums: Checksums::default() };
        let written = || PartWritten {
            etag: etag.clone(),
            size: u64::MAX,
            checksums: Checksums::default(),
            modified: Timestamp(0),
        };
        let wanted = Wanted {
            upload: UploadAt {
                bucket: BucketId(1),
                key: Key::new("k").unwrap(),
                id: UploadId::parse("u").unwrap(),
            },
            parts: vec![part(1), part(2)],
            only_if: Preconditions::default(),
            min_part_bytes: 0,
            expected: None,
            expected_size: None,
            now: Timestamp(0),
        };
        let stored = HashMap::from([(1, written()), (2, written())]);
        assert!(matches!(check_parts(&wanted, &stored), Err(Error::Upstream(_))));
    }
}
