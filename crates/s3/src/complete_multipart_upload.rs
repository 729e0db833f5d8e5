//! `s3:PutObject`, ended: CompleteMultipartUpload.

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    CompleteMultipartUploadOutput, CompleteMultipartUploadRequest, CompletedPart, errors, ops,
};
use daypass_core::objects::{
    Algorithm, At, Checksum, ChecksumKind, Checksums, CompleteUpload, Completed, ETag, Error as Engine,
    ListedPart, MAX_PARTS, Outcome, VersionId,
};
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize::{self, Conditions as _, object_check};
use crate::bucket::Bucket;
use crate::checksum::{self, declared};
use crate::conditional::{self, bare};
use crate::description::Description;
use crate::encryption::{Opening, Sealing, Shown, opening_check};
use crate::event::{self, Telling};
use crate::fault::{invalid_request, malformed_xml};
use crate::get_object::part_number;
use crate::object::{names_versions, quoted};
use crate::replication::{self, Replicating};
use crate::upload::{self, Begun, Looked, Named, kind};
use crate::{customer_key, uri};

stream_operation!(COMPLETE_MULTIPART_UPLOAD, ops::CompleteMultipartUpload, checks, run);

/// Bytes of every part but the last (S3 user guide, "Amazon S3 multipart upload limits").
const MIN_PART_BYTES: u64 = 5 << 20;

async fn checks(cx: &Cx, input: &CompleteMultipartUploadRequest) -> Result<(Checks, Looked), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let check = object_check(cx, &bucket, "s3:PutObject", &input.key)
        .header("s3:if-match", input.if_match.clone())
        .header("s3:if-none-match", input.if_none_match.clone())
        .with_flag("s3:ObjectCreationOperation", true);
    let mut checks = Checks::from(check);
    if input.if_match.is_some() {
        checks = checks.and(object_check(cx, &bucket, "s3:GetObject", &input.key));
    }
    let looked = Looked::at(cx, upload::named(bucket, &input.key)?, &input.upload_id).await;
    Ok((checks.and_all(looked.opening_check(cx)?), looked))
}

async fn run(
    cx: &Cx,
    looked: Looked,
    input: CompleteMultipartUploadRequest,
    _: Payload,
) -> Result<Answered<CompleteMultipartUploadOutput>, Error> {
    let only_if = conditional::writing(input.if_match.as_deref(), input.if_none_match.as_deref())?;
    let Looked { named, found } = looked;
    let at = named.at(&input.upload_id)?;
    let listed = listed(&input)?;
    let (shown, is_there, status) = match found {
        Ok((_, begun)) => {
            as_begun(&begun, &input, &listed)?;
            let shown = shown(cx, begun.description.sealing.as_ref(), begun.chosen().is_some(), &input)?;
            (shown, true, begun.description.replication)
        }
        // It may have been completed: the object store knows, and answers the same again.
        Err(Error::Fault(fault)) if fault.code == errors::NO_SUCH_UPLOAD.code => {
            (Shown::default(), false, None)
        }
        Err(error) => return Err(error),
    };
    let expected = expected(&input, listed.len())?;
    let names_versions = names_versions(cx, &named.bucket).await?;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let location = format!(
        "https://{bucket}.s3.{}.amazonaws.com/{}",
        named.bucket.region,
        uri::encode(&key).replace('+', "%20")
    );
    let answer = move |completed: &Completed, shown: &Shown| {
        answer(completed, names_versions, [location.clone(), bucket.clone(), key.clone()], shown)
    };
    let (answer_then, shown_then) = (answer.clone(), shown.clone());
    let telling = Telling::of(cx, &named.bucket)?;
    let replicating = replication::of_upload(&named.bucket, &input.key, status)?;
    let complete = CompleteUpload {
        upload: at,
        parts: listed,
        only_if,
        min_part_bytes: MIN_PART_BYTES,
        expected,
        expected_size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
        // Nothing is made again, and the record waits for whether it may be told again.
        commit: if is_there {
            cx.commit_telling(
                move |outcome| match outcome {
                    Outcome::Completed(completed) => Some(answer(completed, &shown_then)),
                    _ => None,
                },
                Replicating::telling(
                    replicating,
                    event::created(telling, "ObjectCreated:CompleteMultipartUpload", &input.key),
                ),
            )
        } else {
            cx.commit_unnoted()
        },
    };
    let completed = cx.state().objects.complete_upload(complete).await;
    let completed = completed.map_err(|error| refused(cx, &named, &input, error))?;
    if is_there {
        return Ok(Answered::new(answer_then(&completed, &shown)));
    }
    let (completed, shown) = again(cx, &named, completed, &input).await?;
    Ok(Answered::new(answer_then(&completed, &shown)))
}

/// What was made before, for who may open it. Of an object that is there no more it is not known who may: it is told without
/// its checksums.
async fn again(
    cx: &Cx,
    named: &Named,
    mut made: Completed,
    input: &CompleteMultipartUploadRequest,
) -> Result<(Completed, Shown), Error> {
    let at = At { bucket: named.bucket.id(), key: named.key.clone(), version: Some(made.written.id.clone()) };
    let version = cx.state().objects.head(at).await.ok();
    let Some(version) = version.filter(|version| version.generation == made.written.generation) else {
        made.written.checksums = Checksums::default();
        return Ok((made, Shown::default()));
    };
    let Description { sealing, checksum_was_chosen, .. } = Description::decode(&version.meta)?;
    if let Some(check) = opening_check(cx, sealing.as_ref())? {
        cx.authorize(&check.into())?;
    }
    let shown = shown(cx, sealing.as_ref(), checksum_was_chosen, input)?;
    Ok((made, shown))
}

/// What is said of its encryption. Who brought a key has to bring it again where the checksum is of what it seals (S3 API
/// reference, CompleteMultipartUpload, `x-amz-server-side-encryption-customer-key`).
fn shown(
    cx: &Cx,
    sealing: Option<&Sealing>,
    checksum_was_chosen: bool,
    input: &CompleteMultipartUploadRequest,
) -> Result<Shown, Fault> {
    let headers = customer_key::headers!(input);
    let is_customers = matches!(sealing, Some(Sealing::Customer(_)));
    if is_customers && headers.iter().all(Option::is_none) && !checksum_was_chosen {
        return Ok(Shown::default());
    }
    Ok(Opening::of_upload(cx, sealing, headers)?.shown)
}

/// The parts of the document.
fn listed(input: &CompleteMultipartUploadRequest) -> Result<Vec<ListedPart>, Fault> {
    let parts = input.multipart_upload.as_ref().map(|upload| upload.parts.as_slice()).unwrap_or_default();
    if parts.is_empty() || parts.len() > usize::from(MAX_PARTS) {
        return Err(malformed_xml());
    }
    parts.iter().map(listed_part).collect()
}

fn listed_part(part: &CompletedPart) -> Result<ListedPart, Fault> {
    let (Some(number), Some(etag)) = (part.part_number, part.e_tag.as_deref()) else {
        return Err(malformed_xml());
    };
    let declared = checksum::read(declared!(part))?;
    let full = |(algorithm, value): (Algorithm, Vec<u8>)| Checksum {
        algorithm,
        kind: ChecksumKind::FullObject,
        value: value.into(),
    };
    Ok(ListedPart {
        number: part_number(number)?,
        etag: ETag::parse(&bare(etag).to_lowercase()),
        checksums: declared.into_iter().map(full).collect(),
    })
}

/// Whether the request speaks of the checksum that the upload was begun with.
fn as_begun(
    begun: &Begun,
    input: &CompleteMultipartUploadRequest,
    listed: &[ListedPart],
) -> Result<(), Fault> {
    let made = begun.upload.checksum.map(kind);
    if let (Some(made), Some(asked)) = (made, input.checksum_type)
        && made != asked
    {
        let words = format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            made.as_str()
        );
        return Err(invalid_request(words));
    }
    let Some(chosen) = begun.chosen().filter(|chosen| !chosen.full_object) else { return Ok(()) };
    match listed.iter().find(|part| part.checksums.get(chosen.algorithm).is_none()) {
        None => Ok(()),
        Some(part) => {
            let name = checksum::name(chosen.algorithm).map(|name| name.as_str().to_lowercase());
            let words = format!(
                "The upload was created using a {} checksum. The complete request must include the checksum for each part. It was missing for part {} in the request.",
                name.unwrap_or_default(),
                part.number
            );
            Err(invalid_request(words))
        }
    }
}

/// The checksum that the object has to come to.
fn expected(
    input: &CompleteMultipartUploadRequest,
    parts: usize,
) -> Result<Option<(Algorithm, bytes::Bytes)>, Fault> {
    let texts = declared!(input);
    let of_others =
        texts.iter().filter_map(|(algorithm, text)| Some((*algorithm, (*text)?.split_once('-')?.1)));
    for (algorithm, count) in of_others {
        if count.parse() != Ok(parts) {
            return Err(bad_digest(algorithm));
        }
    }
    let mut declared = checksum::read(texts)?.into_iter();
    let first = declared.next();
    if declared.next().is_some() {
        return Err(invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ));
    }
    Ok(first.map(|(algorithm, value)| (algorithm, value.into())))
}

fn bad_digest(algorithm: Option<Algorithm>) -> Fault {
    let name = algorithm.and_then(checksum::name).map(|name| name.as_str()).unwrap_or_default();
    let words = format!("The {name} you specified did not match the calculated checksum.");
    Fault::new(&errors::BAD_DIGEST, words)
}

fn refused(cx: &Cx, named: &Named, input: &CompleteMultipartUploadRequest, error: Engine) -> Error {
    let part = |number: u16| {
        let parts = input.multipart_upload.iter().flat_map(|upload| &upload.parts);
        parts.into_iter().find(|part| part.part_number == Some(number.into()))
    };
    let etag = |number| part(number).and_then(|part| part.e_tag.as_deref()).map(bare).unwrap_or_default();
    match error {
        Engine::InvalidPart { number } => {
            let words = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
            Fault::new(&errors::INVALID_PART, words)
                .with("UploadId", input.upload_id.clone())
                .with("PartNumber", number.to_string())
                .with("ETag", etag(number))
                .into()
        }
        Engine::InvalidPartOrder => {
            let words = "The list of parts was not in ascending order. Parts must be ordered by part number.";
            Fault::new(&errors::INVALID_PART_ORDER, words).with("UploadId", input.upload_id.clone()).into()
        }
        Engine::PartTooSmall { number, size } => {
            let words = "Your proposed upload is smaller than the minimum allowed size";
            Fault::new(&errors::ENTITY_TOO_SMALL, words)
                .with("ProposedSize", size.to_string())
                .with("MinSizeAllowed", MIN_PART_BYTES.to_string())
                .with("PartNumber", number.to_string())
                .with("ETag", etag(number))
                .into()
        }
        Engine::Mismatch("size") => {
            let size = input.mpu_object_size.unwrap_or_default();
            let words = format!(
                "The provided 'x-amz-mp-object-size' header value {size} does not match what was computed"
            );
            invalid_request(words).into()
        }
        Engine::Mismatch(_) | Engine::PartChecksumMissing(_) => {
            let algorithm = declared!(input).into_iter().find(|(_, text)| text.is_some());
            bad_digest(algorithm.and_then(|(algorithm, _)| algorithm)).into()
        }
        error => upload::failed(cx, &named.bucket, &input.key, &input.upload_id, error),
    }
}

fn answer(
    completed: &Completed,
    names_versions: bool,
    [location, bucket, key]: [String; 3],
    shown: &Shown,
) -> CompleteMultipartUploadOutput {
    let written = &completed.written;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(location),
        bucket: Some(bucket),
        key: Some(key),
        e_tag: Some(quoted(&written.etag)),
        checksum_type: checksum::kind(&written.checksums),
        server_side_encryption: shown.algorithm,
        ssekms_key_id: shown.kms_key.clone(),
        bucket_key_enabled: shown.bucket_key,
        version_id: (names_versions || written.id != VersionId::Null).then(|| written.id.to_string()),
        ..CompleteMultipartUploadOutput::default()
    };
    checksum::show!(output, &written.checksums);
    output
}
