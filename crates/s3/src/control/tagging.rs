//! Tags of buckets and access points by their ARNs: `s3:TagResource`, `s3:UntagResource`, `s3:ListTagsForResource`.

use daypass_core::model::s3::Tag as BucketTag;
use daypass_core::model::s3control::{
    ListTagsForResourceRequest, ListTagsForResourceResult, Tag as ApiTag, TagResourceRequest,
    TagResourceResult, UntagResourceRequest, UntagResourceResult, errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::store::records::Tag;
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use super::{check, load, own_account};
use crate::access_point::AccessPoint;
use crate::authorize;
use crate::bucket::Bucket;
use crate::fault::{access_denied, invalid_argument, not_implemented};
use crate::tag;

operation!(TAG_RESOURCE, ops::TagResource, may_refuse: tag_checks, tag);
operation!(UNTAG_RESOURCE, ops::UntagResource, may_refuse: untag_checks, untag);
operation!(
    LIST_TAGS_FOR_RESOURCE,
    ops::ListTagsForResource,
    may_refuse: |cx, tx, input| Ok(about(cx, tx, &input.account_id, &input.resource_arn, "s3:ListTagsForResource")?.into()),
    list
);

/// What an ARN names.
enum Named<'a> {
    Bucket(&'a str),
    AccessPoint(&'a str),
}

/// What has tags.
enum Tagged {
    Bucket(Box<Bucket>),
    AccessPoint(Box<AccessPoint>),
}

impl<'a> Named<'a> {
    /// What the ARN names, of what has tags here: buckets, and access points of the request's account and region.
    fn parse(cx: &Cx, account: &str, arn: &'a str) -> Result<Self, Fault> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, region, owner) = (parts.next(), parts.next(), parts.next());
        let invalid = || invalid_argument("The specified resource ARN is not valid", "resourceArn", arn);
        let resource = parts.next().ok_or_else(invalid)?;
        match (service, region, owner) {
            (Some("s3"), Some(""), Some("")) if !resource.contains('/') => Ok(Self::Bucket(resource)),
            (Some("s3"), Some(region), Some(owner)) => match resource.strip_prefix("accesspoint/") {
                Some(name) if region == cx.region() && owner == account && !name.contains('/') => {
                    Ok(Self::AccessPoint(name))
                }
                Some(_) => Err(invalid()),
                None => Err(not_implemented("tags of this kind of resource")),
            },
            _ => Err(not_implemented("tags of this kind of resource")),
        }
    }
}

fn about(cx: &Cx, tx: &Tx<'_>, account: &str, arn: &str, action: &'static str) -> Result<Check, Error> {
    let owner = own_account(cx, account)?;
    match Named::parse(cx, account, arn)? {
        Named::AccessPoint(name) => check(cx, tx, account, name, action),
        Named::Bucket(name) => {
            let bucket = Bucket::load(tx, name)?;
            authorize::admit(cx, &bucket, None)?;
            if bucket.account != owner {
                return Err(access_denied().into());
            }
            Ok(authorize::bucket_check(cx, &bucket, action))
        }
    }
}

fn tag_checks(cx: &Cx, tx: &Tx<'_>, input: &TagResourceRequest) -> Result<Checks, Error> {
    let check = about(cx, tx, &input.account_id, &input.resource_arn, "s3:TagResource")?;
    let tags = input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    Ok(check.request_tags(tags).into())
}

fn untag_checks(cx: &Cx, tx: &Tx<'_>, input: &UntagResourceRequest) -> Result<Checks, Error> {
    let check = about(cx, tx, &input.account_id, &input.resource_arn, "s3:UntagResource")?;
    Ok(check.with_list("aws:TagKeys", input.tag_keys.clone()).into())
}

fn tag(cx: &Cx, tx: &mut Tx<'_>, input: TagResourceRequest) -> Result<TagResourceResult, Error> {
    let given = read(&input.tags)?;
    change(cx, tx, &input.account_id, &input.resource_arn, |tags| {
        tags.retain(|tag| given.iter().all(|other| other.key != tag.key));
        tags.extend(given.iter().cloned());
    })?;
    Ok(TagResourceResult {})
}

fn untag(cx: &Cx, tx: &mut Tx<'_>, input: UntagResourceRequest) -> Result<UntagResourceResult, Error> {
    change(cx, tx, &input.account_id, &input.resource_arn, |tags| {
        tags.retain(|tag| !input.tag_keys.contains(&tag.key));
    })?;
    Ok(UntagResourceResult {})
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResult, Error> {
    let tags = match find(cx, tx, &input.account_id, &input.resource_arn)? {
        Tagged::Bucket(bucket) => bucket.tags,
        Tagged::AccessPoint(access_point) => access_point.tags,
    };
    let shown = tags.into_iter().map(|tag| ApiTag { key: tag.key, value: tag.value }).collect();
    Ok(ListTagsForResourceResult { tags: Some(shown) })
}

fn find(cx: &Cx, tx: &Tx<'_>, account: &str, arn: &str) -> Result<Tagged, Error> {
    Ok(match Named::parse(cx, account, arn)? {
        Named::Bucket(name) => Tagged::Bucket(Box::new(Bucket::load(tx, name)?)),
        Named::AccessPoint(name) => Tagged::AccessPoint(Box::new(load(cx, tx, account, name)?)),
    })
}

/// Changes the tags, of which a resource has 50 at the most.
fn change(
    cx: &Cx,
    tx: &mut Tx<'_>,
    account: &str,
    arn: &str,
    change: impl FnOnce(&mut Vec<Tag>),
) -> Result<(), Error> {
    let mut tagged = find(cx, tx, account, arn)?;
    let tags = match &mut tagged {
        Tagged::Bucket(bucket) => &mut bucket.tags,
        Tagged::AccessPoint(access_point) => &mut access_point.tags,
    };
    change(tags);
    if tags.len() > tag::MAX_OF_BUCKET {
        let words = format!("The resource would have more than {} tags", tag::MAX_OF_BUCKET);
        return Err(Fault::new(&errors::TOO_MANY_TAGS_EXCEPTION, words).into());
    }
    match tagged {
        Tagged::Bucket(bucket) => tx.put(&*bucket)?,
        Tagged::AccessPoint(access_point) => tx.put(&*access_point)?,
    }
    Ok(())
}

/// Tags of a request, by the rules of all tags of S3.
///
/// # Errors
/// `InvalidTag`.
pub(super) fn read(tags: &[ApiTag]) -> Result<Vec<Tag>, Fault> {
    let tags: Vec<BucketTag> =
        tags.iter().map(|tag| BucketTag { key: tag.key.clone(), value: tag.value.clone() }).collect();
    tag::read(&tags)
}
