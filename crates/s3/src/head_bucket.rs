//! `s3:HeadBucket`

use daypass_core::model::s3::{HeadBucketOutput, HeadBucketRequest, ops};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;

bucket_operation!(HEAD_BUCKET, ops::HeadBucket, run);

fn run(_: &Cx, tx: &mut Tx<'_>, input: HeadBucketRequest) -> Result<HeadBucketOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    Ok(HeadBucketOutput {
        bucket_region: Some(bucket.region),
        access_point_alias: Some(false),
        ..HeadBucketOutput::default()
    })
}
