//! `s3:GetObject`, which both GetObject and HeadObject ask for: they differ in the body alone.

use std::ops::Range;

use daypass_core::model::Enumeration as _;
use daypass_core::model::Timestamp;
use daypass_core::model::s3::{
    ChecksumMode, ChecksumType, GetObjectOutput, GetObjectRequest, HeadObjectOutput, HeadObjectRequest,
    ObjectLockLegalHoldStatus, ObjectLockMode, StorageClass, ops,
};
use daypass_core::objects::{Checksums, ObjectBody, Opened, RetentionMode, Version};
use daypass_core::{
    Answered, Body, BodyError, CallerKind, Checks, Cx, Error, Fault, Payload, stream_operation,
};
use futures_util::StreamExt as _;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};

use crate::authorize;
use crate::bucket::Bucket;
use crate::conditional::{self, Reading, Verdict};
use crate::description::Description;
use crate::encryption::Opening;
use crate::fault::{invalid_argument, invalid_request};
use crate::object::{Subject, moment, quoted, shown_id, size, time};
use crate::replication::Status;
use crate::{checksum, customer_key, encryption, engine, range};

stream_operation!(GET_OBJECT, ops::GetObject, get_checks, get);
stream_operation!(HEAD_OBJECT, ops::HeadObject, head_checks, head);

/// What both requests say.
struct Asked<'a> {
    conditions: Reading<'a>,
    range: Option<&'a str>,
    part_number: Option<i32>,
    with_checksums: bool,
    customer_key: customer_key::Headers<'a>,
    overrides: [Option<String>; 6],
}

macro_rules! asked {
    ($input:expr) => {
        Asked {
            conditions: Reading {
                if_match: $input.if_match.as_deref(),
                if_none_match: $input.if_none_match.as_deref(),
                if_modified_since: $input.if_modified_since,
                if_unmodified_since: $input.if_unmodified_since,
            },
            range: $input.range.as_deref(),
            part_number: $input.part_number,
            with_checksums: $input.checksum_mode == Some(ChecksumMode::ENABLED),
            customer_key: customer_key::headers!($input),
            overrides: [
                $input.response_content_type.clone(),
                $input.response_cache_control.clone(),
                $input.response_content_disposition.clone(),
                $input.response_content_encoding.clone(),
                $input.response_content_language.clone(),
                $input.response_expires.map(Timestamp::rfc822),
            ],
        }
    };
}

/// What both answer.
struct Shown {
    status: Option<u16>,
    bytes: Range<u64>,
    whole: u64,
    e_tag: String,
    last_modified: Timestamp,
    version_id: Option<String>,
    description: Description,
    opening: Opening,
    checksums: Checksums,
    checksum_type: Option<ChecksumType>,
    parts_count: Option<i32>,
    tag_count: Option<i32>,
    expiration: Option<String>,
    retention: (Option<ObjectLockMode>, Option<Timestamp>),
    legal_hold: Option<ObjectLockLegalHoldStatus>,
}

macro_rules! output {
    ($output:ident, $shown:expr) => {{
        let Shown { status, bytes, whole, description, checksums, .. } = $shown;
        let is_whole = status != Some(304);
        let mut output = $output {
            e_tag: Some($shown.e_tag),
            last_modified: Some($shown.last_modified),
            version_id: $shown.version_id,
            cache_control: description.cache_control.clone(),
            expires: description.expires.clone(),
            ..$output::default()
        };
        if is_whole {
            output.content_type = Some(description.content_type());
            output.accept_ranges = Some("bytes".to_owned());
            output.content_length = Some(size(bytes.end - bytes.start));
            output.content_range = content_range(status, &bytes, whole);
            output.content_disposition = description.content_disposition;
            output.content_encoding = description.content_encoding;
            output.content_language = description.content_language;
            output.website_redirect_location = description.website_redirect_location;
            // The standard class is not told (S3 API reference, GetObject, `x-amz-storage-class`).
            output.storage_class = description.storage_class.as_deref().and_then(StorageClass::parse);
            output.metadata = (!description.metadata.is_empty()).then_some(description.metadata);
            encryption::show!(output, $shown.opening.shown);
            output.checksum_type = $shown.checksum_type;
            output.parts_count = $shown.parts_count;
            output.tag_count = $shown.tag_count;
            output.expiration = $shown.expiration;
            output.replication_status = description.replication.map(Status::shown);
            (output.object_lock_mode, output.object_lock_retain_until_date) = $shown.retention;
            output.object_lock_legal_hold_status = $shown.legal_hold;
            checksum::show!(output, &checksums);
        }
        output
    }};
}

async fn get_checks(cx: &Cx, input: &GetObjectRequest) -> Result<(Checks, Subject), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let version_id = input.version_id.as_deref();
    let subject = Subject::find(cx, bucket, &input.key, version_id).await?;
    let check = subject.check(cx, action(version_id.is_some()));
    Ok((Checks::from(check).and_all(subject.opening_check(cx)?), subject))
}

async fn head_checks(cx: &Cx, input: &HeadObjectRequest) -> Result<(Checks, Subject), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let version_id = input.version_id.as_deref();
    let subject = Subject::find(cx, bucket, &input.key, version_id).await?;
    let check = subject.check(cx, action(version_id.is_some()));
    // What is said of an object is not sealed, but for its checksums (S3 API reference, HeadObject, `x-amz-checksum-mode`).
    let opening = if input.checksum_mode.is_some() { subject.opening_check(cx)? } else { None };
    Ok((Checks::from(check).and_all(opening), subject))
}

/// The right to read an object, or one version of it by its id.
pub(crate) fn action(by_version: bool) -> &'static str {
    if by_version { "s3:GetObjectVersion" } else { "s3:GetObject" }
}

/// Answers with the object, whose reader was asked about.
///
/// # Errors
/// Conditions that do not hold, ranges that are not there, and failures of the object store.
pub(crate) async fn get(
    cx: &Cx,
    subject: Subject,
    input: GetObjectRequest,
    _: Payload,
) -> Result<Answered<GetObjectOutput>, Error> {
    let shown = show(cx, &subject, asked!(input), input.version_id.is_some()).await?;
    let status = shown.status;
    if status == Some(304) {
        return Ok(Answered::new(output!(GetObjectOutput, shown)).with_status(304));
    }
    let body = shown.opening.body(cx, subject.opened(cx)?, shown.bytes.clone())?;
    let answer = Answered::new(output!(GetObjectOutput, shown)).with_body(streamed(body));
    Ok(match status {
        Some(status) => answer.with_status(status),
        None => answer,
    })
}

/// The same without the bytes.
///
/// # Errors
/// As [`get`].
pub(crate) async fn head(
    cx: &Cx,
    subject: Subject,
    input: HeadObjectRequest,
    _: Payload,
) -> Result<Answered<HeadObjectOutput>, Error> {
    let shown = show(cx, &subject, asked!(input), input.version_id.is_some()).await?;
    let status = shown.status;
    let answer = Answered::new(output!(HeadObjectOutput, shown));
    Ok(match status {
        Some(status) => answer.with_status(status),
        None => answer,
    })
}

fn content_range(status: Option<u16>, bytes: &Range<u64>, whole: u64) -> Option<String> {
    (status == Some(206)).then(|| format!("bytes {}-{}/{whole}", bytes.start, bytes.end.saturating_sub(1)))
}

/// The body of an answer. Should reading fail on the way, it ends before its announced length.
fn streamed(body: ObjectBody) -> Body {
    let frames = body.map(|chunk| chunk.map(Frame::data).map_err(BodyError::new));
    StreamBody::new(frames).boxed_unsync()
}

async fn show(cx: &Cx, subject: &Subject, asked: Asked<'_>, by_version: bool) -> Result<Shown, Error> {
    let opened = subject.opened(cx)?;
    let version = &opened.version;
    // S3 API reference, GetObject, "Encryption".
    if cx.asks_for_encryption() && cx.website().is_none() {
        let words = "x-amz-server-side-encryption header is not supported for this operation.";
        return Err(invalid_argument(words, "x-amz-server-side-encryption", "null").into());
    }
    let description = Description::decode(&version.meta)?;
    let opening = Opening::of(cx, description.sealing.as_ref(), asked.customer_key)?;
    let is_anonymous = matches!(cx.caller().kind(), CallerKind::Anonymous);
    if is_anonymous && asked.overrides.iter().any(Option::is_some) {
        let words = "Request specific response headers cannot be used for anonymous GET requests.";
        return Err(invalid_request(words).into());
    }
    let modified = time(version.modified);
    let mut shown = Shown {
        status: None,
        bytes: 0..version.size,
        whole: version.size,
        e_tag: quoted(&version.etag),
        last_modified: modified,
        version_id: shown_id(cx, &subject.bucket, opened).await?,
        opening,
        checksums: Checksums::default(),
        checksum_type: None,
        parts_count: None,
        tag_count: tag_count(cx, subject, by_version),
        expiration: subject.expiration(cx, version)?,
        retention: retention(cx, subject, version),
        legal_hold: legal_hold(cx, subject, version, description.legal_hold_was_set),
        description,
    };
    match asked.conditions.judge(&version.etag, modified, cx.now()) {
        Verdict::Fails(condition) => return Err(conditional::failed(condition).into()),
        Verdict::NotModified(_) => shown.status = Some(304),
        Verdict::Holds => {
            let part = cut(cx, opened, &asked, &mut shown).await?;
            if asked.with_checksums && (asked.range.is_none() || shown.status.is_none()) {
                shown.checksum_type = checksum::kind(&version.checksums);
                shown.checksums = part.unwrap_or_else(|| version.checksums.clone());
            }
        }
    }
    let [content_type, cache_control, disposition, encoding, language, expires] = asked.overrides;
    let described = &mut shown.description;
    for (kept, asked) in [
        (&mut described.content_type, content_type),
        (&mut described.cache_control, cache_control),
        (&mut described.content_disposition, disposition),
        (&mut described.content_encoding, encoding),
        (&mut described.content_language, language),
        (&mut described.expires, expires),
    ] {
        *kept = asked.or_else(|| kept.take());
    }
    Ok(shown)
}

/// Cuts out what is asked for, by range or by part; answers the checksums of the part.
async fn cut(
    cx: &Cx,
    opened: &Opened,
    asked: &Asked<'_>,
    shown: &mut Shown,
) -> Result<Option<Checksums>, Error> {
    match (asked.range, asked.part_number) {
        (Some(_), Some(_)) => {
            let words = "Cannot specify both Range header and partNumber query parameter";
            Err(invalid_request(words).into())
        }
        (None, None) => Ok(None),
        (Some(header), None) => {
            if let Some(range) = range::read(header, shown.whole)? {
                (shown.bytes, shown.status) = (range, Some(206));
            }
            Ok(None)
        }
        (None, Some(number)) => {
            let Some(parts) = opened.version.parts else {
                only_part(number)?;
                shown.status = (shown.whole > 0).then_some(206);
                return Ok(None);
            };
            let place = part_number(number)?;
            let found = opened.parts(place, 1).await.map_err(|error| engine::failed(cx, error))?;
            let part = found.into_iter().next().filter(|part| part.place == place);
            let part = part.ok_or_else(|| range::invalid_part_number(number, parts))?;
            shown.bytes = part.offset..part.offset.saturating_add(part.size);
            shown.status = Some(206);
            shown.parts_count = i32::try_from(parts).ok();
            Ok(Some(of_kind(part.checksums, &opened.version)))
        }
    }
}

/// The checksums of a part that are of the object's kind.
fn of_kind(part: Checksums, version: &Version) -> Checksums {
    part.iter().filter(|checksum| version.checksums.get(checksum.algorithm).is_some()).cloned().collect()
}

fn only_part(number: i32) -> Result<(), Fault> {
    if part_number(number)? == 1 { Ok(()) } else { Err(range::invalid_part_number(number, 1)) }
}

/// A part number that can be one.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn part_number(number: i32) -> Result<u16, Fault> {
    let valid = u16::try_from(number).ok().filter(|n| (1..=daypass_core::objects::MAX_PARTS).contains(n));
    valid.ok_or_else(|| {
        let words = "Part number must be an integer between 1 and 10000, inclusive";
        invalid_argument(words, "partNumber", number.to_string())
    })
}

/// The retention, for those who may read it (S3 API reference, GetObject, `x-amz-object-lock-mode`).
fn retention(cx: &Cx, subject: &Subject, version: &Version) -> (Option<ObjectLockMode>, Option<Timestamp>) {
    match version.lock.retention.filter(|_| cx.may(&subject.check(cx, "s3:GetObjectRetention"))) {
        None => (None, None),
        Some((RetentionMode::Governance, until)) => (Some(ObjectLockMode::GOVERNANCE), Some(moment(until))),
        Some((RetentionMode::Compliance, until)) => (Some(ObjectLockMode::COMPLIANCE), Some(moment(until))),
    }
}

/// The legal hold, for those who may read it, if there ever was one.
fn legal_hold(
    cx: &Cx,
    subject: &Subject,
    version: &Version,
    was_set: bool,
) -> Option<ObjectLockLegalHoldStatus> {
    let status = match version.lock.legal_hold {
        true => ObjectLockLegalHoldStatus::ON,
        false if was_set => ObjectLockLegalHoldStatus::OFF,
        false => return None,
    };
    cx.may(&subject.check(cx, "s3:GetObjectLegalHold")).then_some(status)
}

/// How many tags there are, for those who may read them (S3 API reference, GetObject, `x-amz-tagging-count`).
fn tag_count(cx: &Cx, subject: &Subject, by_version: bool) -> Option<i32> {
    let action = if by_version { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" };
    let count = i32::try_from(subject.tags().len()).ok().filter(|count| *count > 0)?;
    cx.may(&subject.check(cx, action)).then_some(count)
}
