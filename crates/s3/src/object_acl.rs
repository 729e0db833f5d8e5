//! The access control list of an object: `s3:GetObjectAcl`, `s3:PutObjectAcl`, and the same of a version by its id.

use bytes::Bytes;
use daypass_core::model::s3::{
    GetObjectAclOutput, GetObjectAclRequest, PutObjectAclOutput, PutObjectAclRequest, ops,
};
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};

use crate::acl::{self, Written, grants};
use crate::authorize::{self, Conditions as _};
use crate::bucket::Bucket;
use crate::change::{self, ATTEMPTS, Change};
use crate::description::Description;
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
    Ok(Answered::new(GetObjectAclOutput {
        owner: Some(acl::owner(cx, subject.owner())?),
        grants: Some(acl::shown(cx, &acl::in_force(cx, &subject.bucket, &subject.acl()))?),
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
        .header("s3:x-amz-acl", acl::of_object(input.acl))
        .header("s3:x-amz-grant-full-control", input.grant_full_control.clone())
        .header("s3:x-amz-grant-read", input.grant_read.clone())
        .header("s3:x-amz-grant-read-acp", input.grant_read_acp.clone())
        .header("s3:x-amz-grant-write", input.grant_write.clone())
        .header("s3:x-amz-grant-write-acp", input.grant_write_acp.clone());
    Ok((check.into(), subject))
}

async fn put(
    cx: &Cx,
    mut subject: Subject,
    input: PutObjectAclRequest,
    _: Payload,
) -> Result<Answered<PutObjectAclOutput>, Error> {
    let written = Written {
        canned: acl::of_object(input.acl),
        headers: grants!(input, grant_write),
        document: input.access_control_policy.as_ref(),
    };
    for _ in 0..ATTEMPTS {
        let version = &subject.opened(cx)?.version;
        if subject.bucket.is_enforced() {
            return Err(no_acls().into());
        }
        let acl = Some(written.read(cx, &subject.bucket, subject.owner())?);
        let description = Description { acl, ..Description::decode(&version.meta)? };
        let meta = Bytes::from(description.encode()?);
        // "An event is not generated when a request results in no change to an object's ACL."
        let event = (meta != version.meta).then_some("ObjectAcl:Put");
        let change = Change { meta: Some(meta), event, ..Change::default() };
        if let Some(output) = change::attempt(cx, &subject, change, PutObjectAclOutput::default()).await? {
            return Ok(Answered::new(output));
        }
        let (checks, found) = put_checks(cx, &input).await?;
        cx.authorize(&checks)?;
        subject = found;
    }
    Err(change::aborted().into())
}
