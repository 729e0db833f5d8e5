//! Whether a bucket's tags decide who may do what with it and its objects: `s3:GetBucketAbac`, `s3:PutBucketAbac` (S3 user guide,
//! "Enabling ABAC in general purpose buckets").

use daypass_core::model::s3::{
    AbacStatus, BucketAbacStatus, GetBucketAbacOutput, GetBucketAbacRequest, PutBucketAbacRequest, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Check, Cx, Error, Fault};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::fault::{invalid_request, malformed_xml};

bucket_operation!(GET_BUCKET_ABAC, ops::GetBucketAbac, get);
bucket_operation!(PUT_BUCKET_ABAC, ops::PutBucketAbac, put);

fn get(_: &Cx, tx: &mut Tx<'_>, input: GetBucketAbacRequest) -> Result<GetBucketAbacOutput, Error> {
    let enabled = Bucket::load(tx, &input.bucket)?.abac;
    let status = if enabled { BucketAbacStatus::Enabled } else { BucketAbacStatus::Disabled };
    Ok(GetBucketAbacOutput { abac_status: Some(AbacStatus { status: Some(status) }) })
}

fn put(_: &Cx, tx: &mut Tx<'_>, input: PutBucketAbacRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    bucket.abac = match input.abac_status.status {
        Some(BucketAbacStatus::Enabled) => true,
        Some(BucketAbacStatus::Disabled) => false,
        None => return Err(malformed_xml().into()),
    };
    Ok(tx.put(&bucket)?)
}

/// The bucket's tags as conditions see them, of the bucket and of its objects: only where it says so.
pub(crate) fn tags(bucket: &Bucket, check: Check) -> Check {
    let tags = if bucket.abac { bucket.tags.as_slice() } else { &[] };
    tags.iter().fold(check.resource_tags(tags), |check, tag| {
        check.with(format!("s3:BucketTag/{}", tag.key), tag.value.clone())
    })
}

/// Refuses the older ways to change tags where tags decide: those are for who may `s3:TagResource` and `s3:UntagResource`.
///
/// # Errors
/// `InvalidRequest`.
pub(crate) fn not_in_force(bucket: &Bucket) -> Result<(), Fault> {
    if bucket.abac {
        let words = "Tags of a bucket with attribute-based access control are changed with TagResource and UntagResource.";
        return Err(invalid_request(words));
    }
    Ok(())
}
