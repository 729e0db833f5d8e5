//! `s3:HeadBucket`

use daypass_core::model::s3::{HeadBucketOutput, HeadBucketRequest, ops};
use daypass_core::store::Tx;
use daypass_core::{Checks, Cx, Error, operation};

use crate::authorize;
use crate::bucket::Bucket;

operation!(HEAD_BUCKET, ops::HeadBucket, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &HeadBucketRequest) -> Result<Checks, Error> {
    authorize::on_bucket(cx, tx, &input.bucket, input.expected_bucket_owner.as_deref())
}

fn run(_: &Cx, tx: &mut Tx<'_>, input: HeadBucketRequest) -> Result<HeadBucketOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    Ok(HeadBucketOutput {
        bucket_region: Some(bucket.region),
        access_point_alias: Some(false),
        ..HeadBucketOutput::default()
    })
}
