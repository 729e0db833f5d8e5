//! `s3:PutObject`

use std::sync::Arc;

use daypass_core::model::IntoValue;
use daypass_core::model::s3::{PutObjectOutput, PutObjectRequest, errors, ops};
use daypass_core::objects::{
    Algorithm, Algorithms, Description as Kept, Key, MAX_BODY_BYTES, Outcome, Put, VersionId, Written,
};
use daypass_core::store::records::Tag;
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize::{self, Conditions as _, object_check};
use crate::bucket::Bucket;
use crate::conditional::{self, not_written};
use crate::description::{Description, described};
use crate::encryption::{self, Plan, sealed_with};
use crate::event::{self, Telling};
use crate::fault::{entity_too_large, invalid_request, not_implemented};
use crate::lifetime::Day;
use crate::object::{self, expiration_of_written, names_versions, quoted};
use crate::replication::{self, Replicating};
use crate::writing::wanted;
use crate::{checksum, tag};

stream_operation!(PUT_OBJECT, ops::PutObject, checks, run);

/// What is written where.
pub(crate) struct Target {
    bucket: Arc<Bucket>,
    key: Key,
    tags: Vec<Tag>,
    plan: Result<Plan, Error>,
}

pub(crate) async fn checks(cx: &Cx, input: &PutObjectRequest) -> Result<(Checks, Target), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let key = object::key(&input.key)?;
    let tags = tag::of_header(input.tagging.as_deref())?;
    let plan = Plan::of(cx, &bucket, &input.key, &wanted!(input));
    let mut checks = wanted!(input).checks(cx, &bucket, &input.key, &tags, |check| {
        check
            .header("s3:if-match", input.if_match.clone())
            .header("s3:if-none-match", input.if_none_match.clone())
            .with_flag("s3:ObjectCreationOperation", true)
    });
    checks = checks.and_all(plan.as_ref().ok().and_then(|plan| plan.check(cx)));
    if input.if_match.is_some() {
        // Whoever compares a tag learns of the object that is there.
        checks = checks.and(object_check(cx, &bucket, "s3:GetObject", &input.key));
    }
    Ok((checks, Target { bucket, key, tags, plan }))
}

async fn run(
    cx: &Cx,
    target: Target,
    input: PutObjectRequest,
    payload: Payload,
) -> Result<Answered<PutObjectOutput>, Error> {
    let algorithm = admit_body(&payload)?;
    let output = store(cx, target, input, payload, algorithm, |output| output).await?;
    Ok(Answered::new(output))
}

/// Writes the object; `answer` makes the operation's own answer of that of a put.
///
/// # Errors
/// What a put is refused for.
pub(crate) async fn store<O: IntoValue>(
    cx: &Cx,
    target: Target,
    mut input: PutObjectRequest,
    payload: Payload,
    algorithm: Option<Algorithm>,
    answer_of: impl Fn(PutObjectOutput) -> O + Clone + Send + 'static,
) -> Result<O, Error> {
    let Target { bucket, key, tags, plan } = target;
    let plan = plan?;
    wanted!(input).only_what_is_built()?;
    if input.write_offset_bytes.is_some() {
        return Err(not_implemented("appending to objects (x-amz-write-offset-bytes)").into());
    }
    let only_if = conditional::writing(input.if_match.as_deref(), input.if_none_match.as_deref())?;
    let names_versions = names_versions(cx, &bucket).await?;
    let lock = wanted!(input).lock(cx, &bucket)?;
    if wanted!(input).locks() && !payload.declares_integrity() {
        let words = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters";
        return Err(invalid_request(words).into());
    }
    let sealed = plan.seal(cx).await?;
    let described = Description { sealing: sealed.kept.clone(), ..described!(input) };
    let described = wanted!(input).owned(cx, &bucket, described)?;
    let replicating = replication::of_new(&bucket, &input.key, &tags, sealed.kept.as_ref())?;
    let described = Description { replication: replicating.as_ref().map(|r| r.status), ..described };
    let description =
        Kept { meta: described.encode()?.into(), tags: tag::encode(&tags).into(), lock, ..Kept::default() };
    let (seal, shown) = (sealed.key_id(cx), sealed.shown);
    let (of, named, tagged) = (Arc::clone(&bucket), key.clone(), description.tags.clone());
    let day = Day::of(cx.state());
    let answer = move |written: &Written| {
        answer_of(PutObjectOutput {
            expiration: expiration_of_written(&of, &named, tagged.clone(), written, day),
            ..answer(written, names_versions, shown.clone())
        })
    };
    let answer_then = answer.clone();
    let by_form = cx.operation().name == "PostObject";
    let created = if by_form { "ObjectCreated:Post" } else { "ObjectCreated:Put" };
    let put = Put {
        bucket: bucket.id(),
        key,
        only_if,
        description,
        checksums: Algorithms::NONE.with(algorithm.unwrap_or(checksum::DEFAULT)),
        seal,
        commit: cx.commit_telling(
            move |outcome| match outcome {
                Outcome::Written(written) => Some(answer(written)),
                _ => None,
            },
            Replicating::telling(replicating, event::created(Telling::of(cx, &bucket)?, created, &input.key)),
        ),
    };
    let body = sealed_with(payload.into_body(), sealed.key);
    let written = cx.state().objects.put(put, body).await;
    let written = written.map_err(|error| not_written(cx, &bucket, &input.key, error))?;
    Ok(answer_then(&written))
}

/// Whether a body may be taken in, before any of it is; and the checksum that it came with.
///
/// # Errors
/// `MissingContentLength` or `EntityTooLarge`.
pub(crate) fn admit_body(payload: &Payload) -> Result<Option<Algorithm>, Fault> {
    match payload.length() {
        None => {
            let words = "You must provide the Content-Length HTTP header.";
            Err(Fault::new(&errors::MISSING_CONTENT_LENGTH, words))
        }
        Some(length) if length > MAX_BODY_BYTES => Err(entity_too_large(Some(length), MAX_BODY_BYTES)),
        Some(_) => Ok(checksum::of_payload(payload.algorithm())),
    }
}

fn answer(written: &Written, names_versions: bool, shown: encryption::Shown) -> PutObjectOutput {
    let mut output = PutObjectOutput {
        e_tag: Some(quoted(&written.etag)),
        checksum_type: checksum::kind(&written.checksums),
        version_id: (names_versions || written.id != VersionId::Null).then(|| written.id.to_string()),
        ..PutObjectOutput::default()
    };
    checksum::show!(output, &written.checksums);
    encryption::show_made!(output, shown);
    output
}
