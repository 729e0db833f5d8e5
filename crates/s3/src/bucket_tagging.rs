//! The tags of a bucket: `s3:PutBucketTagging`, `s3:GetBucketTagging`, `s3:DeleteBucketTagging`.

use daypass_core::model::s3::{
    DeleteBucketTaggingRequest, GetBucketTaggingOutput, GetBucketTaggingRequest, PutBucketTaggingRequest,
    errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};

use crate::abac;
use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::fault::not_there;
use crate::tag;

bucket_operation!(PUT_BUCKET_TAGGING, ops::PutBucketTagging, put);
bucket_operation!(GET_BUCKET_TAGGING, ops::GetBucketTagging, get);
bucket_operation!(DELETE_BUCKET_TAGGING, ops::DeleteBucketTagging, delete);

fn put(_: &Cx, tx: &mut Tx<'_>, input: PutBucketTaggingRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    abac::not_in_force(&bucket)?;
    bucket.tags = tag::of_bucket(&input.tagging.tag_set)?;
    Ok(tx.put(&bucket)?)
}

fn get(_: &Cx, tx: &mut Tx<'_>, input: GetBucketTaggingRequest) -> Result<GetBucketTaggingOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    if bucket.tags.is_empty() {
        return Err(not_there(&errors::NO_SUCH_TAG_SET, "The TagSet does not exist", &bucket.name).into());
    }
    Ok(GetBucketTaggingOutput { tag_set: tag::shown(&bucket.tags) })
}

fn delete(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketTaggingRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    abac::not_in_force(&bucket)?;
    bucket.tags.clear();
    Ok(tx.put(&bucket)?)
}
