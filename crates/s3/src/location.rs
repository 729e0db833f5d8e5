//! `s3:GetBucketLocation`

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    BucketLocationConstraint, GetBucketLocationOutput, GetBucketLocationRequest, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;

bucket_operation!(GET_BUCKET_LOCATION, ops::GetBucketLocation, run);

/// Where the bucket is; us-east-1 is nowhere in particular (S3 API reference, GetBucketLocation).
fn run(cx: &Cx, tx: &mut Tx<'_>, input: GetBucketLocationRequest) -> Result<GetBucketLocationOutput, Error> {
    let bucket = Bucket::reach(cx, tx, &input.bucket)?;
    Ok(GetBucketLocationOutput { location_constraint: BucketLocationConstraint::parse(&bucket.region) })
}
