//! The access control list of a bucket: `s3:GetBucketAcl`, `s3:PutBucketAcl`.

use daypass_core::model::s3::{GetBucketAclOutput, GetBucketAclRequest, Owner, PutBucketAclRequest, ops};
use daypass_core::store::Tx;
use daypass_core::{Checks, Cx, Error, operation};

use crate::acl::{self, Written, grants};
use crate::authorize::{self, Conditions as _, bucket_operation};
use crate::bucket::Bucket;
use crate::fault::no_acls;

operation!(PUT_BUCKET_ACL, ops::PutBucketAcl, may_refuse: put_checks, put);
bucket_operation!(GET_BUCKET_ACL, ops::GetBucketAcl, get);

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetBucketAclRequest) -> Result<GetBucketAclOutput, Error> {
    let bucket = Bucket::reach(cx, tx, &input.bucket)?;
    Ok(GetBucketAclOutput {
        grants: Some(acl::shown(cx, &acl::in_force(cx, &bucket, &bucket.acl()))?),
        owner: Some(acl::owner(cx, &bucket.account)?),
    })
}

/// The owner, as answers name it.
pub(crate) fn named(canonical_id: &str) -> Owner {
    Owner { display_name: None, id: Some(canonical_id.to_owned()) }
}

fn put_checks(cx: &Cx, tx: &Tx<'_>, input: &PutBucketAclRequest) -> Result<Checks, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let check = authorize::bucket_check(cx, &bucket, "s3:PutBucketAcl")
        .header("s3:x-amz-acl", acl::of_bucket(input.acl))
        .header("s3:x-amz-grant-full-control", input.grant_full_control.clone())
        .header("s3:x-amz-grant-read", input.grant_read.clone())
        .header("s3:x-amz-grant-read-acp", input.grant_read_acp.clone())
        .header("s3:x-amz-grant-write", input.grant_write.clone())
        .header("s3:x-amz-grant-write-acp", input.grant_write_acp.clone());
    Ok(check.into())
}

fn put(cx: &Cx, tx: &mut Tx<'_>, input: PutBucketAclRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    let written = Written {
        canned: acl::of_bucket(input.acl),
        headers: grants!(input, grant_write),
        document: input.access_control_policy.as_ref(),
    };
    if bucket.is_enforced() {
        return Err(no_acls().into());
    }
    bucket.acl = Some(written.read(cx, &bucket, &bucket.account)?);
    Ok(tx.put(&bucket)?)
}
