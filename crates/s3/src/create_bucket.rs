//! `s3:CreateBucket`

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    BucketCannedACL, BucketLocationConstraint, BucketNamespace, CreateBucketOutput, CreateBucketRequest, Tag,
    errors, ops,
};
use daypass_core::objects::{BucketId, Versioning};
use daypass_core::store::{Read as _, Tx};
use daypass_core::{Answered, Check, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::access_point;
use crate::acl::{self, Written, grants};
use crate::authorize::{self, Conditions as _};
use crate::bucket::{self, Bucket, OwnedBucket};
use crate::fault::not_implemented;
use crate::{document, engine, name, object_lock, ownership_controls, tag};

stream_operation!(CREATE_BUCKET, ops::CreateBucket, checks, run);

/// An account's general purpose buckets (S3 user guide, "Buckets quotas": 10,000 by default).
const MAX_BUCKETS: usize = 10_000;

async fn checks(cx: &Cx, input: &CreateBucketRequest) -> Result<(Checks, ()), Error> {
    name::may_be_made(&input.bucket)?;
    let arn = bucket::arn(&input.bucket);
    let constraint = constraint(input).map(|c| c.as_str());
    let check = |action| authorize::common(cx, Check::new(action, arn.clone()));
    let mut asked: Checks = check("s3:CreateBucket")
        .header("s3:locationconstraint", constraint)
        .header("s3:x-amz-acl", input.acl.map(|acl| acl.as_str()))
        .header("s3:x-amz-object-ownership", input.object_ownership.map(|o| o.as_str()))
        .header("s3:x-amz-grant-full-control", input.grant_full_control.clone())
        .header("s3:x-amz-grant-read", input.grant_read.clone())
        .header("s3:x-amz-grant-read-acp", input.grant_read_acp.clone())
        .header("s3:x-amz-grant-write", input.grant_write.clone())
        .header("s3:x-amz-grant-write-acp", input.grant_write_acp.clone())
        .request_tags(tags(input).iter().map(|t| (t.key.as_str(), t.value.as_str())))
        .into();
    // What a header sets needs the right to set it (S3 API reference, CreateBucket, "Permissions").
    if sets_acl(input) {
        asked = asked.and(check("s3:PutBucketAcl"));
    }
    if input.object_ownership.is_some() {
        asked = asked.and(check("s3:PutBucketOwnershipControls"));
    }
    if input.object_lock_enabled_for_bucket == Some(true) {
        asked = asked.and(check("s3:PutBucketObjectLockConfiguration")).and(check("s3:PutBucketVersioning"));
    }
    if !tags(input).is_empty() {
        let given = tags(input).iter().map(|t| (t.key.as_str(), t.value.as_str()));
        asked = asked.and(check("s3:TagResource").request_tags(given));
    }
    Ok((asked, ()))
}

async fn run(
    cx: &Cx,
    (): (),
    input: CreateBucketRequest,
    _: Payload,
) -> Result<Answered<CreateBucketOutput>, Error> {
    let region = region(cx.region(), &input)?;
    only_what_is_built(&input)?;
    let tags = tag::of_bucket(tags(&input))?;
    let number = u64::from_be_bytes(cx.ids().id_bytes().first_chunk().copied().unwrap_or_default());
    let mut bucket = Bucket::new(&input.bucket, cx.account(), &region, cx.now().truncated(), number);
    bucket.tags = tags;
    own(cx, &mut bucket, &input)?;
    if cx.state().kept.get::<Bucket>(&Bucket::key_of(&input.bucket))?.is_some() {
        // Nothing is opened in vain; the transaction looks again.
        return Ok(Answered::new(cx.transact(|tx| existing(cx, tx, &input.bucket, &region)).await?));
    }
    let locks = input.object_lock_enabled_for_bucket == Some(true);
    if locks {
        let kept = document::write::<ops::PutObjectLockConfiguration>(cx, object_lock::enabled())?;
        bucket.documents.insert(object_lock::KIND.to_owned(), kept);
    }
    let objects = &cx.state().objects;
    objects.open_bucket(bucket.id(), cx.commit_unnoted()).await.map_err(|e| engine::failed(cx, e))?;
    if locks {
        let versions = objects.set_versioning(bucket.id(), Versioning::Enabled, cx.commit_unnoted()).await;
        versions.map_err(|error| engine::failed(cx, error))?;
    }
    let made = cx.transact(|tx| make(cx, tx, &bucket)).await;
    let is_mine = cx.state().kept.get::<Bucket>(&bucket_key(&bucket));
    if !matches!(is_mine, Ok(Some(known)) if known.number == number) {
        forget(cx, bucket.id()).await;
    }
    Ok(Answered::new(made?))
}

fn bucket_key(bucket: &Bucket) -> daypass_core::store::Key {
    Bucket::key_of(&bucket.name)
}

/// The number of a bucket that did not come to be. What stays open if this fails holds nothing and is reached by nobody.
async fn forget(cx: &Cx, id: BucketId) {
    if let Err(error) = cx.state().objects.close_bucket(id, cx.commit_unnoted()).await {
        tracing::warn!(%error, "a bucket that was not made stays open in the object store");
    }
}

fn make(cx: &Cx, tx: &mut Tx<'_>, bucket: &Bucket) -> Result<CreateBucketOutput, Error> {
    if tx.get::<Bucket>(&bucket_key(bucket))?.is_some() {
        return existing(cx, tx, &bucket.name, &bucket.region);
    }
    if access_point::has_host(tx, &bucket.name)? {
        return Err(taken(&bucket.name).into());
    }
    if tx.keys(&OwnedBucket::all(&bucket.account), None, MAX_BUCKETS)?.len() >= MAX_BUCKETS {
        let words = "You have attempted to create more buckets than allowed";
        return Err(Fault::new(&errors::TOO_MANY_BUCKETS, words).into());
    }
    tx.put(bucket)?;
    tx.put(&OwnedBucket::of(bucket))?;
    Ok(answer(&bucket.name, &bucket.region))
}

/// The answer where the name is taken. In us-east-1, making a bucket of one's own again is a success (S3 API reference,
/// CreateBucket, `BucketAlreadyOwnedByYou`).
fn existing(cx: &Cx, tx: &Tx<'_>, name: &str, region: &str) -> Result<CreateBucketOutput, Error> {
    let known = Bucket::load(tx, name)?;
    if known.account != cx.account() {
        return Err(taken(name).into());
    }
    if region == "us-east-1" && known.region == region {
        return Ok(answer(name, region));
    }
    let words = "Your previous request to create the named bucket succeeded and you already own it.";
    Err(Fault::new(&errors::BUCKET_ALREADY_OWNED_BY_YOU, words).with("BucketName", name).into())
}

fn taken(name: &str) -> Fault {
    let words = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
    Fault::new(&errors::BUCKET_ALREADY_EXISTS, words).with("BucketName", name)
}

fn answer(name: &str, region: &str) -> CreateBucketOutput {
    let location =
        if region == "us-east-1" { format!("/{name}") } else { format!("http://{name}.s3.amazonaws.com/") };
    CreateBucketOutput { location: Some(location), bucket_arn: None }
}

/// The region of the bucket: us-east-1's endpoint makes buckets anywhere, the others only their own, and want it said.
fn region(endpoint: &str, input: &CreateBucketRequest) -> Result<String, Fault> {
    let constraint = constraint(input).map(|constraint| constraint.as_str());
    let asked = match constraint {
        None => "us-east-1",
        // The name of eu-west-1 when there was one region in Europe.
        Some("EU") => "eu-west-1",
        Some(region) if ["cn-", "us-gov-"].iter().any(|other| region.starts_with(other)) => {
            let words = "The specified location-constraint is not valid";
            return Err(
                Fault::new(&errors::INVALID_LOCATION_CONSTRAINT, words).with("LocationConstraint", region)
            );
        }
        Some(region) => region,
    };
    if endpoint == "us-east-1" || (constraint.is_some() && asked == endpoint) {
        return Ok(asked.to_owned());
    }
    let words = format!(
        "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
        constraint.unwrap_or("unspecified")
    );
    Err(Fault::new(&errors::ILLEGAL_LOCATION_CONSTRAINT_EXCEPTION, words))
}

/// Whose its objects are, and its ACL. The default is that there is none; and a new bucket blocks what is public (S3 user
/// guide, "Default settings for new buckets").
fn own(cx: &Cx, bucket: &mut Bucket, input: &CreateBucketRequest) -> Result<(), Error> {
    let written =
        Written { canned: acl::of_bucket(input.acl), headers: grants!(input, grant_write), document: None };
    if let Some(ownership) = input.object_ownership {
        ownership_controls::own(bucket, ownership)?;
    }
    if !sets_acl(input) {
        return Ok(());
    }
    if bucket.is_enforced() {
        let words = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(Fault::coded("InvalidBucketAclWithObjectOwnership", 400, words).into());
    }
    let acl = written.list(cx, bucket, &bucket.account)?;
    if bucket.blocks(cx).block_public_acls && acl::is_public(&acl) {
        let words = "Bucket cannot have public ACLs set with BlockPublicAccess enabled";
        return Err(Fault::coded("InvalidBucketAclWithBlockPublicAccessError", 400, words).into());
    }
    bucket.acl = Some(acl);
    Ok(())
}

/// Refuses what a bucket here could not keep.
fn only_what_is_built(input: &CreateBucketRequest) -> Result<(), Fault> {
    if input.bucket_namespace == Some(BucketNamespace::AccountRegional) {
        return Err(not_implemented("account regional namespaces of buckets"));
    }
    let configuration = input.create_bucket_configuration.as_ref();
    if configuration.is_some_and(|c| c.location.is_some() || c.bucket.is_some()) {
        return Err(not_implemented("directory buckets"));
    }
    Ok(())
}

/// Whether the request sets an ACL that lets in anybody but the owner.
fn sets_acl(input: &CreateBucketRequest) -> bool {
    let grants = [
        &input.grant_full_control,
        &input.grant_read,
        &input.grant_read_acp,
        &input.grant_write,
        &input.grant_write_acp,
    ];
    input.acl.is_some_and(|acl| acl != BucketCannedACL::Private) || grants.iter().any(|g| g.is_some())
}

fn constraint(input: &CreateBucketRequest) -> Option<BucketLocationConstraint> {
    input.create_bucket_configuration.as_ref().and_then(|c| c.location_constraint)
}

fn tags(input: &CreateBucketRequest) -> &[Tag] {
    input.create_bucket_configuration.as_ref().map_or(&[], |c| c.tags.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use daypass_core::model::s3::CreateBucketConfiguration;

    fn asked(constraint: Option<&str>) -> CreateBucketRequest {
        CreateBucketRequest {
            create_bucket_configuration: constraint.map(|constraint| CreateBucketConfiguration {
                location_constraint: BucketLocationConstraint::parse(constraint),
                ..CreateBucketConfiguration::default()
            }),
            ..CreateBucketRequest::default()
        }
    }

    #[test]
    fn the_region_of_a_bucket_is_the_endpoints_and_is_said() {
        for (endpoint, constraint, expected) in [
            ("us-east-1", None, Ok("us-east-1")),
            ("us-east-1", Some("eu-west-1"), Ok("eu-west-1")),
            ("us-east-1", Some("EU"), Ok("eu-west-1")),
            ("eu-west-1", Some("eu-west-1"), Ok("eu-west-1")),
            ("eu-west-1", Some("EU"), Ok("eu-west-1")),
            ("us-east-1", Some("cn-north-1"), Err("InvalidLocationConstraint")),
            ("eu-west-1", None, Err("IllegalLocationConstraintException")),
            ("eu-west-1", Some("eu-west-2"), Err("IllegalLocationConstraintException")),
        ] {
            let region = region(endpoint, &asked(constraint));
            let region = region.as_deref().map_err(|fault| fault.code.as_ref());
            assert_eq!(region, expected, "{endpoint} {constraint:?}");
        }
    }
}
