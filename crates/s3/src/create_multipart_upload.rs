//! `s3:PutObject`, begun: CreateMultipartUpload.

use std::sync::Arc;

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{ChecksumType, CreateMultipartUploadOutput, CreateMultipartUploadRequest, ops};
use daypass_core::objects::{CreateUpload, Description as Kept, Key, Outcome, UploadChecksum, UploadId};
use daypass_core::store::records::Tag;
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize;
use crate::bucket::Bucket;
use crate::conditional::not_written;
use crate::description::{Description, described};
use crate::encryption::{self, Plan};
use crate::fault::invalid_request;
use crate::upload::kind;
use crate::writing::wanted;
use crate::{checksum, object, replication, tag};

stream_operation!(CREATE_MULTIPART_UPLOAD, ops::CreateMultipartUpload, checks, run);

struct Target {
    bucket: Arc<Bucket>,
    key: Key,
    tags: Vec<Tag>,
    plan: Result<Plan, Error>,
}

async fn checks(cx: &Cx, input: &CreateMultipartUploadRequest) -> Result<(Checks, Target), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let key = object::key(&input.key)?;
    let tags = tag::of_header(input.tagging.as_deref())?;
    let plan = Plan::of(cx, &bucket, &input.key, &wanted!(input));
    let checks = wanted!(input)
        .checks(cx, &bucket, &input.key, &tags, |check| check.with_flag("s3:ObjectCreationOperation", false));
    let checks = checks.and_all(plan.as_ref().ok().and_then(|plan| plan.check(cx)));
    Ok((checks, Target { bucket, key, tags, plan }))
}

async fn run(
    cx: &Cx,
    target: Target,
    mut input: CreateMultipartUploadRequest,
    _: Payload,
) -> Result<Answered<CreateMultipartUploadOutput>, Error> {
    let Target { bucket, key, tags, plan } = target;
    let plan = plan?;
    wanted!(input).only_what_is_built()?;
    let chosen = chosen(&input)?;
    let lock = wanted!(input).lock(cx, &bucket)?;
    let sealed = plan.seal(cx).await?;
    let described = Description { sealing: sealed.kept.clone(), ..described!(input) };
    let mut described = wanted!(input).owned(cx, &bucket, described)?;
    described.initiator = Some(cx.caller().arn().to_owned());
    described.checksum_was_chosen = chosen.is_some();
    let replicating = replication::of_new(&bucket, &input.key, &tags, sealed.kept.as_ref())?;
    described.replication = replicating.map(|r| r.status);
    let description =
        Kept { meta: described.encode()?.into(), tags: tag::encode(&tags).into(), lock, ..Kept::default() };
    let (name, of) = (input.key.clone(), input.bucket);
    let (seal, shown) = (sealed.key_id(cx), sealed.shown);
    let answer = move |id: &UploadId| {
        let mut output = CreateMultipartUploadOutput {
            bucket: Some(of.clone()),
            key: Some(name.clone()),
            upload_id: Some(id.to_string()),
            checksum_algorithm: chosen.and_then(|chosen| checksum::name(chosen.algorithm)),
            checksum_type: chosen.map(kind),
            ..CreateMultipartUploadOutput::default()
        };
        encryption::show_made!(output, shown.clone());
        output
    };
    let answer_then = answer.clone();
    let create = CreateUpload {
        bucket: bucket.id(),
        key,
        description,
        checksum: Some(chosen.unwrap_or(UploadChecksum { algorithm: checksum::DEFAULT, full_object: true })),
        seal,
        commit: cx.commit(move |outcome| match outcome {
            Outcome::UploadCreated(id) => Some(answer(id)),
            _ => None,
        }),
    };
    let id = cx.state().objects.create_upload(create).await;
    let id = id.map_err(|error| not_written(cx, &bucket, &input.key, error))?;
    Ok(Answered::new(answer_then(&id)))
}

/// The checksum that the upload is asked to have (S3 user guide, "Checking object integrity", "Multipart uploads").
fn chosen(input: &CreateMultipartUploadRequest) -> Result<Option<UploadChecksum>, Fault> {
    let Some(named) = input.checksum_algorithm else {
        if input.checksum_type.is_some() {
            let words =
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
            return Err(invalid_request(words));
        }
        return Ok(None);
    };
    let algorithm = checksum::named(named)?;
    let only_full = algorithm == checksum::DEFAULT;
    let full_object = match input.checksum_type {
        None => only_full,
        Some(asked) => {
            let full = asked == ChecksumType::FULLOBJECT;
            if (full && !algorithm.combines()) || (!full && only_full) {
                let (kind, name) = (asked.as_str(), named.as_str().to_lowercase());
                let words =
                    format!("The {kind} checksum type cannot be used with the {name} checksum algorithm.");
                return Err(invalid_request(words));
            }
            full
        }
    };
    Ok(Some(UploadChecksum { algorithm, full_object }))
}
