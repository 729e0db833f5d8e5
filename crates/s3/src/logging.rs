//! Which bucket gets the access logs of another: `s3:PutBucketLogging`, `s3:GetBucketLogging` (S3 user guide, "Logging requests
//! with server access logging"). `access_log` writes them.

use daypass_core::model::s3::{
    BucketLoggingStatus, GetBucketLoggingOutput, GetBucketLoggingRequest, LoggingEnabled,
    PutBucketLoggingRequest, ops,
};
use daypass_core::store::{Read as _, Tx};
use daypass_core::{Cx, Error, Fault};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::fault::{malformed_xml, no_acls, not_implemented};
use crate::{document, object_lock};

bucket_operation!(GET_BUCKET_LOGGING, ops::GetBucketLogging, get);
bucket_operation!(PUT_BUCKET_LOGGING, ops::PutBucketLogging, put);

/// Its place among a bucket's documents.
const KIND: &str = "logging";
/// Bytes of a prefix: what is left of a key for the rest of a log's name.
const MAX_PREFIX: usize = 800;

fn put(cx: &Cx, tx: &mut Tx<'_>, input: PutBucketLoggingRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    let Some(logging) = &input.bucket_logging_status.logging_enabled else {
        bucket.documents.remove(KIND);
        return Ok(tx.put(&bucket)?);
    };
    check(tx, &bucket, logging)?;
    let kept = document::write::<ops::PutBucketLogging>(cx, input.bucket_logging_status)?;
    document::keep(&mut bucket, KIND.to_owned(), kept)?;
    Ok(tx.put(&bucket)?)
}

fn get(_: &Cx, tx: &mut Tx<'_>, input: GetBucketLoggingRequest) -> Result<GetBucketLoggingOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    Ok(GetBucketLoggingOutput { logging_enabled: of(&bucket)? })
}

/// Whether the bucket's requests are logged at all.
pub(crate) fn is_on(bucket: &Bucket) -> bool {
    bucket.documents.contains_key(KIND)
}

/// Where the bucket's logs go.
///
/// # Errors
/// If what is kept does not read, which is a failure of ours.
pub(crate) fn of(bucket: &Bucket) -> Result<Option<LoggingEnabled>, Error> {
    let Some(kept) = bucket.documents.get(KIND) else { return Ok(None) };
    let BucketLoggingStatus { logging_enabled } = document::read::<ops::PutBucketLogging, _>(kept)?;
    Ok(logging_enabled)
}

/// The target is a bucket of the same account and region, without what would hinder logs (S3 user guide, "Enabling Amazon S3
/// server access logging"). Whether log delivery may write there is asked when it does.
fn check(tx: &Tx<'_>, bucket: &Bucket, logging: &LoggingEnabled) -> Result<(), Error> {
    let refused = |words: &str| Err(Fault::coded("InvalidTargetBucketForLogging", 400, words).into());
    let target = tx.get::<Bucket>(&Bucket::key_of(&logging.target_bucket))?;
    let Some(target) = target else { return refused("The target bucket for logging does not exist") };
    if target.account != bucket.account {
        return refused("The owner for the bucket to be logged and the target bucket must be the same.");
    }
    if target.region != bucket.region {
        let words = "Cross S3 location logging not allowed. ";
        return Err(Fault::coded("CrossLocationLoggingProhibitted", 403, words).into());
    }
    if object_lock::is_enabled(&target) {
        return refused("The target bucket for logging must not have Object Lock enabled.");
    }
    if target.requester_pays {
        return refused("The target bucket for logging must not have Requester Pays enabled.");
    }
    if logging.target_prefix.len() > MAX_PREFIX {
        return Err(malformed_xml().into());
    }
    let format = logging.target_object_key_format.as_ref();
    if format.is_some_and(|f| f.simple_prefix.is_some() == f.partitioned_prefix.is_some()) {
        return Err(malformed_xml().into());
    }
    match logging.target_grants.as_ref().map_or(0, Vec::len) {
        0 => Ok(()),
        _ if target.is_enforced() => Err(no_acls().into()),
        _ => Err(not_implemented("grants for access logs (TargetGrants)").into()),
    }
}
