//! `s3:DeleteObject`, of many objects at once: each is asked about for itself, and refused in the answer.

use std::sync::Arc;

use daypass_core::model::s3::{
    DeleteObjectsOutput, DeleteObjectsRequest, DeletedObject, Error as ApiError, ObjectIdentifier, ops,
};
use daypass_core::objects::{Delete, Deleted, Error as Engine, Outcome};
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, internal_failure, stream_operation};

use crate::authorize;
use crate::bucket::Bucket;
use crate::conditional;
use crate::delete_object::Asked;
use crate::engine;
use crate::event::{self, Telling};
use crate::fault::{malformed_xml, no_such_bucket, not_implemented};
use crate::object::{self, no_such_key, no_such_version};
use crate::{object_lock, replication};

stream_operation!(DELETE_OBJECTS, ops::DeleteObjects, checks, run);

/// Objects of a request (S3 API reference, DeleteObjects).
const MAX_OBJECTS: usize = 1000;

async fn checks(cx: &Cx, input: &DeleteObjectsRequest) -> Result<(Checks, Arc<Bucket>), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    Ok((Checks::authenticated_only("each key is asked about for itself"), bucket))
}

/// What is deleted, and what was refused before.
struct Plan {
    asked: Vec<ObjectIdentifier>,
    refused: Vec<ApiError>,
    quiet: bool,
}

async fn run(
    cx: &Cx,
    bucket: Arc<Bucket>,
    input: DeleteObjectsRequest,
    _: Payload,
) -> Result<Answered<DeleteObjectsOutput>, Error> {
    let objects = input.delete.objects;
    if objects.is_empty() || objects.len() > MAX_OBJECTS {
        return Err(malformed_xml().into());
    }
    if objects.iter().any(|object| object.size.is_some() || object.last_modified_time.is_some()) {
        return Err(not_implemented("deletes on condition of a size or a date").into());
    }
    let wants_bypass = input.bypass_governance_retention == Some(true);
    let quiet = input.delete.quiet == Some(true);
    let mut plan = Plan { asked: vec![], refused: vec![], quiet };
    let mut what = vec![];
    for object in objects {
        match admit(cx, &bucket, &object, wants_bypass) {
            Ok(delete) => {
                what.push(delete);
                plan.asked.push(object);
            }
            Err(Error::Fault(fault)) => plan.refused.push(refused(&object, &fault)),
            Err(error) => return Err(error),
        }
    }
    if what.is_empty() {
        return Ok(Answered::new(answer(&plan, &[])));
    }
    let plan = Arc::new(plan);
    let told = Arc::clone(&plan);
    let keys = || plan.asked.iter().map(|object| object.key.as_str());
    let tell = event::removed(Telling::of(cx, &bucket)?, "ObjectRemoved", keys());
    let tell = replication::of_markers(&bucket, keys(), tell)?;
    let commit = cx.commit_telling(
        move |outcome| match outcome {
            Outcome::Deleted(results) => Some(answer(&told, results)),
            _ => None,
        },
        tell,
    );
    match cx.state().objects.delete(bucket.id(), what, commit).await {
        Ok(results) => Ok(Answered::new(answer(&plan, &results))),
        Err(Engine::NoSuchBucket) => Err(no_such_bucket(&bucket.name).into()),
        Err(error) => Err(engine::failed(cx, error)),
    }
}

/// Whether the caller may delete this one.
fn admit(cx: &Cx, bucket: &Bucket, object: &ObjectIdentifier, wants_bypass: bool) -> Result<Delete, Error> {
    let version_id = object.version_id.as_deref().filter(|id| !id.is_empty());
    let asked = Asked { key: &object.key, version_id, if_match: object.e_tag.as_deref() };
    let at = object::at(bucket, &object.key, version_id)?;
    cx.authorize(&asked.checks(cx, bucket))?;
    let bypass_governance = object_lock::bypasses(cx, bucket, &object.key, version_id, wants_bypass);
    let delete = Delete::latest(at.key);
    Ok(Delete { version: at.version, only_if: asked.only_if(), bypass_governance, ..delete })
}

fn answer(plan: &Plan, results: &[Result<Deleted, Engine>]) -> DeleteObjectsOutput {
    let (mut deleted, mut errors) = (vec![], plan.refused.clone());
    for (object, result) in plan.asked.iter().zip(results) {
        match result {
            Ok(_) if plan.quiet => {}
            Ok(done) => deleted.push(shown(object, done)),
            Err(error) => errors.push(refused(object, &fault(object, error))),
        }
    }
    DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), request_charged: None }
}

fn shown(object: &ObjectIdentifier, done: &Deleted) -> DeletedObject {
    let made = done.marker.as_ref().map(ToString::to_string);
    let removed = done.removed.as_ref().filter(|_| done.removed_marker).map(ToString::to_string);
    let marker = made.or(removed);
    DeletedObject {
        key: Some(object.key.clone()),
        version_id: object.version_id.clone().filter(|id| !id.is_empty()),
        delete_marker: marker.is_some().then_some(true),
        delete_marker_version_id: marker,
    }
}

fn refused(object: &ObjectIdentifier, fault: &Fault) -> ApiError {
    ApiError {
        key: Some(object.key.clone()),
        version_id: object.version_id.clone(),
        code: Some(fault.code.clone().into_owned()),
        message: Some(fault.message.clone()),
    }
}

fn fault(object: &ObjectIdentifier, error: &Engine) -> Fault {
    match error {
        Engine::PreconditionFailed(condition) => conditional::failed(condition),
        Engine::NoSuchKey { .. } => no_such_key(&object.key),
        Engine::NoSuchVersion | Engine::InvalidVersionId => {
            no_such_version(&object.key, object.version_id.as_deref().unwrap_or_default())
        }
        Engine::Locked => object_lock::protected(),
        Engine::Unsupported(what) => {
            not_implemented(&format!("{what}, which the store of this bucket lacks"))
        }
        Engine::Unanswered(_) | Engine::Unavailable(_) => {
            tracing::warn!(%error, "the store that a bucket is attached to");
            let words = match error {
                Engine::Unanswered(_) => "The store that keeps the bucket did not say whether it was done.",
                _ => "Please reduce your request rate.",
            };
            Fault::coded("SlowDown", 503, words)
        }
        error => {
            tracing::error!(%error, "an object could not be deleted");
            internal_failure(&daypass_core::model::s3::SERVICE)
        }
    }
}
