//! The access control list of an object: `s3:GetObjectAcl`, `s3:PutObjectAcl`. Its bucket's owner has it all, and nobody
//! changes that (S3 user guide, "Controlling ownership of objects and disabling ACLs for your bucket").

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    GetObjectAclOutput, GetObjectAclRequest, PutObjectAclOutput, PutObjectAclRequest, ops,
};
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};

use crate::authorize::{self, Conditions as _};
use crate::bucket::Bucket;
use crate::bucket_acl::{full_control, named};
use crate::fault::no_acls;
use crate::object::Subject;

stream_operation!(GET_OBJECT_ACL, ops::GetObjectAcl, get_checks, get);
stream_operation!(PUT_OBJECT_ACL, ops::PutObjectAcl, put_checks, put);

async fn get_checks(cx: &Cx, input: &GetObjectAclRequest) -> Result<(Checks, Subject), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let subject = Subject::find(cx, bucket, &input.key, input.version_id.as_deref()).await?;
    let action = if input.version_id.is_some() { "s3:GetObjectVersionAcl" } else { "s3:GetObjectAcl" };
    Ok((subject.check(cx, action).into(), subject))
}

async fn get(
    cx: &Cx,
    subject: Subject,
    _: GetObjectAclRequest,
    _: Payload,
) -> Result<Answered<GetObjectAclOutput>, Error> {
    subject.opened(cx)?;
    let owner = subject.bucket.owner_id(cx)?;
    Ok(Answered::new(GetObjectAclOutput {
        owner: Some(named(&owner)),
        grants: Some(full_control(&owner)),
        request_charged: None,
    }))
}

async fn put_checks(cx: &Cx, input: &PutObjectAclRequest) -> Result<(Checks, Subject), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let subject = Subject::find(cx, bucket, &input.key, input.version_id.as_deref()).await?;
    let action = if input.version_id.is_some() { "s3:PutObjectVersionAcl" } else { "s3:PutObjectAcl" };
    let check = subject
        .check(cx, action)
        .header("s3:x-amz-acl", input.acl.map(|acl| acl.as_str()))
        .header("s3:x-amz-grant-full-control", input.grant_full_control.clone())
        .header("s3:x-amz-grant-read", input.grant_read.clone())
        .header("s3:x-amz-grant-read-acp", input.grant_read_acp.clone())
        .header("s3:x-amz-grant-write", input.grant_write.clone())
        .header("s3:x-amz-grant-write-acp", input.grant_write_acp.clone());
    Ok((check.into(), subject))
}

async fn put(
    cx: &Cx,
    subject: Subject,
    _: PutObjectAclRequest,
    _: Payload,
) -> Result<Answered<PutObjectAclOutput>, Error> {
    subject.opened(cx)?;
    Err(no_acls().into())
}
