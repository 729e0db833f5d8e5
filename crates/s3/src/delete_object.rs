//! `s3:DeleteObject`

use daypass_core::model::s3::{DeleteObjectOutput, DeleteObjectRequest, ops};
use daypass_core::objects::{self, At, Commit, Delete, Deleted, Error as Engine, Outcome, Preconditions};
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};
use std::sync::Arc;

use crate::authorize::{self, Conditions as _, object_check};
use crate::bucket::Bucket;
use crate::conditional::{matching, not_written};
use crate::event::{self, Telling};
use crate::fault::not_implemented;
use crate::object::{self, invalid_version_id};
use crate::{object_lock, replication};

stream_operation!(DELETE_OBJECT, ops::DeleteObject, checks, run);

async fn checks(cx: &Cx, input: &DeleteObjectRequest) -> Result<(Checks, (Arc<Bucket>, At)), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let at = object::at(&bucket, &input.key, input.version_id.as_deref())?;
    let asked = Asked {
        key: &input.key,
        version_id: input.version_id.as_deref(),
        if_match: input.if_match.as_deref(),
    };
    Ok((asked.checks(cx, &bucket), (bucket, at)))
}

/// What to delete.
pub(crate) struct Asked<'a> {
    pub(crate) key: &'a str,
    pub(crate) version_id: Option<&'a str>,
    pub(crate) if_match: Option<&'a str>,
}

impl Asked<'_> {
    /// The right to delete it; and to read it, where its tag is compared (S3 user guide, "Enforce conditional deletes on
    /// Amazon S3 buckets").
    pub(crate) fn checks(&self, cx: &Cx, bucket: &Bucket) -> Checks {
        let action = if self.version_id.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        let check = object_check(cx, bucket, action, self.key)
            .version(self.version_id)
            .header("s3:if-match", self.if_match);
        let checks = Checks::from(check);
        match self.if_match {
            Some(tag) if tag.trim() != "*" => {
                let read = crate::get_object::action(self.version_id.is_some());
                checks.and(object_check(cx, bucket, read, self.key).version(self.version_id))
            }
            _ => checks,
        }
    }

    /// The condition that the object store judges.
    pub(crate) fn only_if(&self) -> Preconditions {
        Preconditions { matches: self.if_match.map(matching), ..Preconditions::default() }
    }
}

async fn run(
    cx: &Cx,
    (bucket, at): (Arc<Bucket>, At),
    input: DeleteObjectRequest,
    _: Payload,
) -> Result<Answered<DeleteObjectOutput>, Error> {
    if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
        return Err(not_implemented("deletes on condition of a size or a date").into());
    }
    let version_id = input.version_id.clone();
    let asked = Asked { key: &input.key, version_id: None, if_match: input.if_match.as_deref() };
    let wants_bypass = input.bypass_governance_retention == Some(true);
    let bypass_governance =
        object_lock::bypasses(cx, &bucket, &input.key, version_id.as_deref(), wants_bypass);
    let what =
        Delete { version: at.version, only_if: asked.only_if(), bypass_governance, ..Delete::latest(at.key) };
    let named = version_id.clone();
    let keys = || std::iter::once(input.key.as_str());
    let commit = only_if_done(cx.commit_telling(
        move |outcome| match outcome {
            Outcome::Deleted([Ok(deleted)]) => Some(answer(deleted, named.as_deref())),
            _ => None,
        },
        replication::of_markers(
            &bucket,
            keys(),
            event::removed(Telling::of(cx, &bucket)?, "ObjectRemoved", keys()),
        )?,
    ));
    let mut deleted = match cx.state().objects.delete(bucket.id(), vec![what], commit).await {
        Ok(deleted) => deleted,
        Err(error) => return Err(not_written(cx, &bucket, &input.key, error)),
    };
    match deleted.pop() {
        Some(Ok(deleted)) => Ok(Answered::new(answer(&deleted, version_id.as_deref()))),
        Some(Err(Engine::InvalidVersionId)) => {
            Err(invalid_version_id(version_id.as_deref().unwrap_or_default()).into())
        }
        Some(Err(Engine::Locked)) => Err(object_lock::protected().into()),
        Some(Err(error)) => Err(not_written(cx, &bucket, &input.key, error)),
        None => Err(cx.internal_failure().into()),
    }
}

/// The record of a success, left out where there was none.
fn only_if_done(commit: Commit) -> Commit {
    let done = |outcome: &Outcome<'_>| matches!(outcome, Outcome::Deleted(results) if results.iter().any(Result::is_ok));
    Commit { note: commit.note.map(|note| note.only_if(done)), ..commit }
}

fn answer(deleted: &Deleted, named: Option<&str>) -> DeleteObjectOutput {
    let marker = deleted.marker.as_ref().map(objects::VersionId::to_string);
    DeleteObjectOutput {
        delete_marker: (marker.is_some() || deleted.removed_marker).then_some(true),
        version_id: marker.or_else(|| named.map(str::to_owned)),
        request_charged: None,
    }
}
