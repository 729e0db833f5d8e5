//! What of public access a bucket blocks: `s3:PutPublicAccessBlock`, `s3:GetPublicAccessBlock`,
//! `s3:DeletePublicAccessBlock`.

use daypass_core::model::s3::{
    DeletePublicAccessBlockRequest, GetPublicAccessBlockOutput, GetPublicAccessBlockRequest,
    PublicAccessBlockConfiguration, PutPublicAccessBlockRequest, errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};

use crate::authorize::bucket_operation;
use crate::bucket::{Bucket, PublicAccessBlock};
use crate::fault::not_there;

bucket_operation!(PUT_PUBLIC_ACCESS_BLOCK, ops::PutPublicAccessBlock, put);
bucket_operation!(GET_PUBLIC_ACCESS_BLOCK, ops::GetPublicAccessBlock, get);
bucket_operation!(DELETE_PUBLIC_ACCESS_BLOCK, ops::DeletePublicAccessBlock, delete);

fn put(_: &Cx, tx: &mut Tx<'_>, input: PutPublicAccessBlockRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    let asked = input.public_access_block_configuration;
    // What is not said is not blocked (S3 API reference, PublicAccessBlockConfiguration).
    bucket.public_access_block = Some(PublicAccessBlock {
        block_public_acls: asked.block_public_acls.unwrap_or(false),
        ignore_public_acls: asked.ignore_public_acls.unwrap_or(false),
        block_public_policy: asked.block_public_policy.unwrap_or(false),
        restrict_public_buckets: asked.restrict_public_buckets.unwrap_or(false),
    });
    Ok(tx.put(&bucket)?)
}

fn get(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetPublicAccessBlockRequest,
) -> Result<GetPublicAccessBlockOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let Some(block) = bucket.public_access_block else {
        let words = "The public access block configuration was not found";
        return Err(not_there(&errors::NO_SUCH_PUBLIC_ACCESS_BLOCK_CONFIGURATION, words, &bucket.name).into());
    };
    let public_access_block_configuration = Some(PublicAccessBlockConfiguration {
        block_public_acls: Some(block.block_public_acls),
        ignore_public_acls: Some(block.ignore_public_acls),
        block_public_policy: Some(block.block_public_policy),
        restrict_public_buckets: Some(block.restrict_public_buckets),
    });
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration })
}

fn delete(_: &Cx, tx: &mut Tx<'_>, input: DeletePublicAccessBlockRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    bucket.public_access_block = None;
    Ok(tx.put(&bucket)?)
}
