//! `s3:HeadBucket`

use daypass_core::model::s3::{HeadBucketOutput, HeadBucketRequest, ops};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};

use crate::access_point::ALIAS_SUFFIX;
use crate::authorize::bucket_operation;
use crate::bucket::Bucket;

bucket_operation!(HEAD_BUCKET, ops::HeadBucket, run);

fn run(cx: &Cx, tx: &mut Tx<'_>, input: HeadBucketRequest) -> Result<HeadBucketOutput, Error> {
    let bucket = Bucket::reach(cx, tx, &input.bucket)?;
    Ok(HeadBucketOutput {
        bucket_region: Some(bucket.region),
        access_point_alias: Some(bucket.via.is_some() && input.bucket.ends_with(ALIAS_SUFFIX)),
        ..HeadBucketOutput::default()
    })
}
