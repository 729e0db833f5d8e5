//! `s3:PutObject` of what `s3:GetObject` of the source gives: CopyObject.

use std::sync::Arc;

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    CopyObjectOutput, CopyObjectRequest, CopyObjectResult, MetadataDirective, TaggingDirective, errors, ops,
};
use daypass_core::objects::{
    Algorithms, Copy, Description as Kept, Error as Engine, Key, MAX_BODY_BYTES, Opened, Outcome, Put,
    VersionId, Written,
};
use daypass_core::store::records::Tag;
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize::{self, Conditions as _, object_check};
use crate::bucket::Bucket;
use crate::conditional::{self, not_written};
use crate::copy_source::{CopySource, conditions};
use crate::description::{Description, described};
use crate::encryption::{Plan, Sealing};
use crate::event::{self, Telling};
use crate::fault::invalid_request;
use crate::lifetime::Day;
use crate::object::{self, expiration_of_written, names_versions, quoted, shown_id, time};
use crate::replication::{self, Replicating};
use crate::writing::wanted;
use crate::{checksum, customer_key, encryption, tag};

stream_operation!(COPY_OBJECT, ops::CopyObject, checks, run);

/// A source that changes while it is copied is looked at again, so often.
const ATTEMPTS: usize = 3;

struct Target {
    source: CopySource,
    bucket: Arc<Bucket>,
    key: Key,
    tags: Vec<Tag>,
    plan: Result<Plan, Error>,
}

async fn checks(cx: &Cx, input: &CopyObjectRequest) -> Result<(Checks, Target), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let key = object::key(&input.key)?;
    let tags = tag::of_header(input.tagging.as_deref())?;
    let source =
        CopySource::find(cx, &input.copy_source, input.expected_source_bucket_owner.as_deref()).await?;
    let plan = Plan::of(cx, &bucket, &input.key, &wanted!(input));
    let mut checks = wanted!(input).checks(cx, &bucket, &input.key, &tags, |check| {
        check
            .header("s3:x-amz-copy-source", Some(source.name()))
            .header("s3:x-amz-metadata-directive", input.metadata_directive.map(|d| d.as_str()))
            .header("s3:if-match", input.if_match.clone())
            .header("s3:if-none-match", input.if_none_match.clone())
            .with_flag("s3:ObjectCreationOperation", true)
    });
    checks = checks.and(source.check(cx)).and_all(source.opening_check(cx)?);
    checks = checks.and_all(plan.as_ref().ok().and_then(|plan| plan.check(cx)));
    if copies_tags(input) && !source.subject.tags().is_empty() {
        checks = checks.and(source.tags_check(cx)).and(object_check(
            cx,
            &bucket,
            "s3:PutObjectTagging",
            &input.key,
        ));
    }
    if input.if_match.is_some() {
        checks = checks.and(object_check(cx, &bucket, "s3:GetObject", &input.key));
    }
    Ok((checks, Target { source, bucket, key, tags, plan }))
}

fn copies_tags(input: &CopyObjectRequest) -> bool {
    input.tagging_directive != Some(TaggingDirective::REPLACE)
}

async fn run(
    cx: &Cx,
    target: Target,
    input: CopyObjectRequest,
    _: Payload,
) -> Result<Answered<CopyObjectOutput>, Error> {
    wanted!(input).only_what_is_built()?;
    let mut target = target;
    for _ in 1..ATTEMPTS {
        match attempt(cx, target, &input).await? {
            Some(output) => return Ok(Answered::new(output)),
            // What is there now may be another object, with other tags.
            None => {
                let (asked, found) = checks(cx, &input).await?;
                cx.authorize(&asked)?;
                target = found;
            }
        }
    }
    match attempt(cx, target, &input).await? {
        Some(output) => Ok(Answered::new(output)),
        None => Err(Fault::new(&errors::SLOW_DOWN, "Please reduce your request rate.").into()),
    }
}

/// Copies; `None` if the source is not what it was.
async fn attempt(
    cx: &Cx,
    target: Target,
    input: &CopyObjectRequest,
) -> Result<Option<CopyObjectOutput>, Error> {
    let Target { source, bucket, key, tags, plan } = target;
    let plan = plan?;
    let opened = source.opened(cx, &conditions!(input))?;
    let from = source.opening(cx, opened, customer_key::source_headers!(input))?;
    admit_size(opened)?;
    refuse_no_change(&source, &bucket, input)?;
    let (names_versions, source_id) =
        (names_versions(cx, &bucket).await?, shown_id(cx, &source.subject.bucket, opened).await?);
    let lock = wanted!(input).lock(cx, &bucket)?;
    let sealed = plan.seal(cx).await?;
    let (description, replicating) = description(cx, &bucket, opened, &tags, input, sealed.kept.as_ref())?;
    let description = Kept { lock, ..description };
    let (seal, shown) = (sealed.key_id(cx), sealed.shown);
    let (of, named, tagged) = (Arc::clone(&bucket), key.clone(), description.tags.clone());
    let day = Day::of(cx.state());
    let answer = move |written: &Written| CopyObjectOutput {
        expiration: expiration_of_written(&of, &named, tagged.clone(), written, day),
        ..answer(written, names_versions, source_id.clone(), shown.clone())
    };
    let answer_then = answer.clone();
    let put = Put {
        bucket: bucket.id(),
        key,
        only_if: conditional::writing(input.if_match.as_deref(), input.if_none_match.as_deref())?,
        description,
        checksums: algorithms(opened, input)?,
        seal,
        commit: cx.commit_telling(
            move |outcome| match outcome {
                Outcome::Written(written) => Some(answer(written)),
                _ => None,
            },
            Replicating::telling(
                replicating,
                event::created(Telling::of(cx, &bucket)?, "ObjectCreated:Copy", &input.key),
            ),
        ),
    };
    let objects = &cx.state().objects;
    let written = if from.needs_key() || sealed.key.is_some() {
        objects.put(put, from.body_again(cx, opened, 0..opened.version.size, sealed.key)?).await
    } else {
        objects.copy(Copy { source: source.exact(opened), to: put }).await
    };
    match written {
        Ok(written) => Ok(Some(answer_then(&written))),
        Err(Engine::SourceChanged) => Ok(None),
        Err(error) => Err(not_written(cx, &bucket, &input.key, error)),
    }
}

fn admit_size(opened: &Opened) -> Result<(), Fault> {
    if opened.version.size <= MAX_BODY_BYTES {
        return Ok(());
    }
    let words = format!(
        "The specified copy source is larger than the maximum allowable size for a copy source: {MAX_BODY_BYTES}"
    );
    Err(invalid_request(words))
}

/// An object is copied onto itself only to change it.
fn refuse_no_change(source: &CopySource, bucket: &Bucket, input: &CopyObjectRequest) -> Result<(), Fault> {
    let at = &source.subject.at;
    let onto_itself =
        at.bucket == bucket.id() && at.key.as_bytes() == input.key.as_bytes() && !source.is_by_version();
    let changes = input.metadata_directive == Some(MetadataDirective::REPLACE)
        || input.storage_class.is_some()
        || input.website_redirect_location.is_some()
        || input.server_side_encryption.is_some()
        || input.sse_customer_key.is_some()
        || input.checksum_algorithm.is_some();
    if !onto_itself || changes {
        return Ok(());
    }
    let words = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
    Err(invalid_request(words))
}

fn description(
    cx: &Cx,
    bucket: &Bucket,
    opened: &Opened,
    tags: &[Tag],
    input: &CopyObjectRequest,
    sealing: Option<&Sealing>,
) -> Result<(Kept, Option<Replicating>), Error> {
    let described = match input.metadata_directive {
        Some(MetadataDirective::REPLACE) => {
            let mut input = input.clone();
            described!(input)
        }
        _ => Description {
            website_redirect_location: input.website_redirect_location.clone(),
            ..Description::decode(&opened.version.meta)?.of_copy()
        },
    };
    let described = Description { sealing: sealing.cloned(), ..described };
    let described = wanted!(input).owned(cx, bucket, described)?;
    let copied = if copies_tags(input) { Some(object::tags_of(&opened.version)?) } else { None };
    let replicating = replication::of_new(bucket, &input.key, copied.as_deref().unwrap_or(tags), sealing)?;
    let described = Description { replication: replicating.as_ref().map(|r| r.status), ..described };
    let tags = if copied.is_some() { opened.version.tags.clone() } else { tag::encode(tags).into() };
    Ok((Kept { meta: described.encode()?.into(), tags, ..Kept::default() }, replicating))
}

/// The checksum that was asked for; else those that the source has (S3 API reference, CopyObject,
/// `x-amz-checksum-algorithm`).
fn algorithms(opened: &Opened, input: &CopyObjectRequest) -> Result<Algorithms, Fault> {
    if let Some(algorithm) = input.checksum_algorithm {
        return Ok(Algorithms::NONE.with(checksum::named(algorithm)?));
    }
    let kept: Algorithms = opened.version.checksums.iter().map(|checksum| checksum.algorithm).collect();
    Ok(if kept == Algorithms::NONE { kept.with(checksum::DEFAULT) } else { kept })
}

fn answer(
    written: &Written,
    names_versions: bool,
    source_id: Option<String>,
    shown: encryption::Shown,
) -> CopyObjectOutput {
    let mut result = CopyObjectResult {
        e_tag: Some(quoted(&written.etag)),
        last_modified: Some(time(written.modified)),
        checksum_type: checksum::kind(&written.checksums),
        ..CopyObjectResult::default()
    };
    checksum::show!(result, &written.checksums);
    let mut output = CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: source_id,
        version_id: (names_versions || written.id != VersionId::Null).then(|| written.id.to_string()),
        ..CopyObjectOutput::default()
    };
    encryption::show_made!(output, shown);
    output
}
