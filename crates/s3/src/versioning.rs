//! How a bucket keeps versions: `s3:PutBucketVersioning`, `s3:GetBucketVersioning`. The object store knows it, since it
//! decides with every change of an object.

use std::sync::Arc;

use daypass_core::model::s3::{
    BucketVersioningStatus, GetBucketVersioningOutput, GetBucketVersioningRequest, MFADelete,
    PutBucketVersioningRequest, errors, ops,
};
use daypass_core::objects::{Error as Engine, Versioning};
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize::{admit, bucket_check};
use crate::bucket::Bucket;
use crate::fault::{no_such_bucket, not_implemented};
use crate::{engine, object_lock, replication};

stream_operation!(PUT_BUCKET_VERSIONING, ops::PutBucketVersioning, put_checks, put);
stream_operation!(GET_BUCKET_VERSIONING, ops::GetBucketVersioning, get_checks, get);

async fn put_checks(cx: &Cx, input: &PutBucketVersioningRequest) -> Result<(Checks, Arc<Bucket>), Error> {
    checks(cx, &input.bucket, input.expected_bucket_owner.as_deref())
}

async fn get_checks(cx: &Cx, input: &GetBucketVersioningRequest) -> Result<(Checks, Arc<Bucket>), Error> {
    checks(cx, &input.bucket, input.expected_bucket_owner.as_deref())
}

fn checks(cx: &Cx, name: &str, expected_owner: Option<&str>) -> Result<(Checks, Arc<Bucket>), Error> {
    let bucket = Bucket::find(cx, name)?;
    admit(cx, &bucket, expected_owner)?;
    Ok((bucket_check(cx, &bucket, cx.operation().action).into(), bucket))
}

async fn put(
    cx: &Cx,
    bucket: Arc<Bucket>,
    input: PutBucketVersioningRequest,
    _: Payload,
) -> Result<Answered<()>, Error> {
    let asked = input.versioning_configuration;
    if asked.mfa_delete == Some(MFADelete::Enabled) {
        return Err(not_implemented("MFA Delete").into());
    }
    let to = match asked.status {
        Some(BucketVersioningStatus::Enabled) => Versioning::Enabled,
        Some(BucketVersioningStatus::Suspended) => Versioning::Suspended,
        None => {
            let words = "The Versioning element must be specified";
            return Err(Fault::new(&errors::ILLEGAL_VERSIONING_CONFIGURATION_EXCEPTION, words).into());
        }
    };
    if to == Versioning::Suspended {
        suspendable(&bucket)?;
    }
    let changed = cx.state().objects.set_versioning(bucket.id(), to, cx.commit(|_| Some(()))).await;
    changed.map_err(|error| gone(cx, &bucket, error))?;
    if to == Versioning::Suspended
        && let Err(locked) = suspendable(&*Bucket::find(cx, &bucket.name)?)
    {
        // Locks or replication came meanwhile, when versions were still enabled.
        keep_enabled(cx, &bucket).await?;
        return Err(locked.into());
    }
    Ok(Answered::new(()))
}

fn suspendable(bucket: &Bucket) -> Result<(), Fault> {
    replication::suspendable(bucket)?;
    if !object_lock::is_enabled(bucket) {
        return Ok(());
    }
    let words =
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
    Err(Fault::new(&errors::INVALID_BUCKET_STATE, words))
}

/// Enables versions where locks or replication need them: last of what turns these on, and of what turned versions off while that happened. Each
/// writes before it looks at what the other wrote, so that whichever is later leaves them enabled.
///
/// # Errors
/// `NoSuchBucket`, or a failure of the object store.
pub(crate) async fn keep_enabled(cx: &Cx, bucket: &Bucket) -> Result<(), Error> {
    let kept = cx.state().objects.set_versioning(bucket.id(), Versioning::Enabled, cx.commit_unnoted()).await;
    kept.map_err(|error| gone(cx, bucket, error))
}

async fn get(
    cx: &Cx,
    bucket: Arc<Bucket>,
    _: GetBucketVersioningRequest,
    _: Payload,
) -> Result<Answered<GetBucketVersioningOutput>, Error> {
    let info = cx.state().objects.bucket(bucket.id()).await.map_err(|error| gone(cx, &bucket, error))?;
    let status = match info.versioning {
        Versioning::Unversioned => None,
        Versioning::Enabled => Some(BucketVersioningStatus::Enabled),
        Versioning::Suspended => Some(BucketVersioningStatus::Suspended),
    };
    Ok(Answered::new(GetBucketVersioningOutput { status, mfa_delete: None }))
}

/// A bucket may be deleted between the question and the answer.
fn gone(cx: &Cx, bucket: &Bucket, error: Engine) -> Error {
    match error {
        Engine::NoSuchBucket => no_such_bucket(&bucket.name).into(),
        error => engine::failed(cx, error),
    }
}
