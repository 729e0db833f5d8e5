//! What a request for a bucket or for an object asks to be allowed: the one place where such questions are put together.
//!
//! A request for a bucket of another region, or of another owner than it expects, ends before any question. The question
//! itself carries the bucket's owner and policy, so that other accounts and callers without a name are let in by the
//! policy alone, and the condition keys that every request of S3 has. What an operation knows besides comes by
//! [`Conditions`].

use std::sync::Arc;

use daypass_core::model::AccountId;
use daypass_core::policy::{Policy, PolicySet};
use daypass_core::store::Tx;
use daypass_core::wire::sigv4::AuthForm;
use daypass_core::{CallerKind, Check, Checks, Cx, Error, Fault, Guard};

use crate::abac;
use crate::access_point;
use crate::acl::{self, Grant};
use crate::bucket::Bucket;
use crate::cors;
use crate::fault::access_denied;

/// The questions of an operation about a bucket as a whole, by its action in the tables.
///
/// # Errors
/// `NoSuchBucket`, which everybody is told, a wrong region or owner, or a failure of the store.
pub(crate) fn on_bucket(
    cx: &Cx,
    tx: &Tx<'_>,
    name: &str,
    expected_owner: Option<&str>,
) -> Result<Checks, Error> {
    let bucket = Bucket::reach(cx, tx, name)?;
    admit(cx, &bucket, expected_owner)?;
    Ok(bucket_check(cx, &bucket, cx.operation().action).into())
}

/// `bucket_operation!(GET_BUCKET_TAGGING, ops::GetBucketTagging, get);` makes the entry of an operation about a bucket's
/// configuration: one transaction, and the question whether the caller may do its action to the bucket.
macro_rules! bucket_operation {
    ($name:ident, $operation:ty, $run:expr) => {
        daypass_core::operation!(
            $name,
            $operation,
            may_refuse: |cx, tx, input| $crate::authorize::on_bucket(
                cx,
                tx,
                &input.bucket,
                input.expected_bucket_owner.as_deref()
            ),
            $run
        );
    };
}
pub(crate) use bucket_operation;

/// Whether this bucket is the one that the request means: in the region that it was signed for, and of the owner that it
/// expects (`x-amz-expected-bucket-owner`; S3 user guide, "Verifying bucket ownership with bucket owner condition").
///
/// # Errors
/// If it is not.
pub(crate) fn admit(cx: &Cx, bucket: &Bucket, expected_owner: Option<&str>) -> Result<(), Error> {
    cx.on_refusal("x-amz-bucket-region", bucket.region.clone());
    if let Some(proof) = cx.caller().proof()
        && let Some(region) = proof.region()
        && !proof.covers(&bucket.region)
        // The one question about a bucket that every region answers.
        && cx.operation().name != "GetBucketLocation"
    {
        return Err(wrong_region(proof.form(), region, &bucket.region).into());
    }
    cx.serve_in(&bucket.region);
    reached(cx, bucket)?;
    cors::answer(cx, bucket)?;
    if cx.operation().name != "OptionsObject" {
        paid_for(cx, bucket)?;
    }
    owned_as_expected(bucket, expected_owner)
}

/// Whether the request may come the way that it came.
///
/// # Errors
/// What an access point does not take, or not from there.
pub(crate) fn reached(cx: &Cx, bucket: &Bucket) -> Result<(), Error> {
    bucket.via.as_ref().map_or(Ok(()), |via| access_point::admit(cx, via))
}

/// Whether somebody pays for the request: the bucket's owner, or, where requesters pay, who says so and is somebody (S3 user
/// guide, "Using Requester Pays general purpose buckets": anonymous access is not allowed).
///
/// # Errors
/// If nobody does.
pub(crate) fn paid_for(cx: &Cx, bucket: &Bucket) -> Result<(), Error> {
    let owner_pays = !bucket.requester_pays;
    match cx.caller().account() {
        Some(account) if account == bucket.account || cx.requester_pays() || owner_pays => Ok(()),
        None if owner_pays => Ok(()),
        _ => Err(access_denied().into()),
    }
}

/// Whether the bucket is of the owner that the request expects.
///
/// # Errors
/// If it is not.
pub(crate) fn owned_as_expected(bucket: &Bucket, expected_owner: Option<&str>) -> Result<(), Error> {
    match expected_owner.map(str::parse::<AccountId>) {
        Some(Err(_)) => {
            let words = "The value of the expected bucket owner parameter must be an AWS account ID";
            Err(Fault::coded("InvalidBucketOwnerAWSAccountID", 400, words).into())
        }
        Some(Ok(expected)) if expected != bucket.account => Err(access_denied().into()),
        _ => Ok(()),
    }
}

/// May the caller do this to the bucket?
pub(crate) fn bucket_check(cx: &Cx, bucket: &Bucket, action: &'static str) -> Check {
    access_point::through(cx, bucket, about(cx, bucket, Check::new(action, bucket.arn())), None)
}

/// May the caller do this to an object that is there: of this owner, with this ACL? Where its owner is not its bucket's,
/// the bucket's policy takes away and gives nothing (S3 user guide, "Bucket policies": it applies only to objects that the
/// bucket owner owns, while the bucket owner can deny access to any object). What holds for the bucket's account, such as
/// resource control policies, holds for everything in the bucket.
pub(crate) fn existing_check(
    cx: &Cx,
    bucket: &Bucket,
    action: &'static str,
    key: &str,
    owner: &AccountId,
    acl: &[Grant],
) -> Check {
    let check = of_bucket(cx, bucket, Check::new(action, bucket.object_arn(key))).owned_by(owner.clone());
    let acl = || if bucket.is_enforced() { None } else { acl::policy(cx, bucket, acl, action, true) };
    let check = check.guarded_by(guard(cx, bucket, owner, acl));
    access_point::through(cx, bucket, check, Some(key))
}

/// May the caller do this to an upload? The account that began it may without the bucket's owner saying so (S3 user guide,
/// "Multipart upload API and permissions"); its own policies have to let the caller, as everywhere.
pub(crate) fn upload_check(
    cx: &Cx,
    bucket: &Bucket,
    action: &'static str,
    key: &str,
    initiator: Option<&AccountId>,
) -> Check {
    let own = initiator.filter(|account| cx.caller().account().as_ref() == Some(*account));
    let grant = || Some(acl::grant(&format!("{{\"AWS\":\"{}\"}}", own?), action, "upload to", &bucket.name));
    let check = of_bucket(cx, bucket, Check::new(action, bucket.object_arn(key)));
    let check = check.guarded_by(guard(cx, bucket, &bucket.account, grant));
    access_point::through(cx, bucket, check, Some(key))
}

/// May the caller do this to the object of that key, whether it is there or not?
pub(crate) fn object_check(cx: &Cx, bucket: &Bucket, action: &'static str, key: &str) -> Check {
    let check = about(cx, bucket, Check::new(action, bucket.object_arn(key)));
    access_point::through(cx, bucket, check, Some(key))
}

/// What to answer where a key is not there: who may list the bucket is told so, to everybody else it is forbidden to ask
/// (S3 API reference, GetObject, "Permissions").
pub(crate) fn missing_key(cx: &Cx, bucket: &Bucket, missing: Fault) -> Error {
    match cx.authorize(&bucket_check(cx, bucket, "s3:ListBucket").into()) {
        Ok(()) => missing.into(),
        Err(refused) => refused,
    }
}

/// The condition keys of every request (service authorization reference, "Condition keys for Amazon S3").
pub(crate) fn common(cx: &Cx, check: Check) -> Check {
    let check = check.with_some("s3:TlsVersion", cx.peer().tls.as_ref().map(|tls| tls.version.number()));
    let Some(proof) = cx.caller().proof() else { return check };
    let form = match proof.form() {
        AuthForm::Header => "REST-HEADER",
        AuthForm::Query => "REST-QUERY-STRING",
        AuthForm::Post => "POST",
    };
    let check = check.with("s3:authType", form).with("s3:signatureversion", proof.signature_version());
    let check = match proof.request_time() {
        Some(signed) => {
            let signed = i64::try_from(signed.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
            check.with_number("s3:signatureAge", cx.now().millis().saturating_sub(signed).max(0))
        }
        None => check,
    };
    check.with_some("s3:x-amz-content-sha256", proof.content_sha256())
}

fn about(cx: &Cx, bucket: &Bucket, check: Check) -> Check {
    let action = check.action();
    let acl = || match bucket.acl.as_deref() {
        Some(acl) if !bucket.is_enforced() => acl::policy(cx, bucket, acl, action, false),
        _ => None,
    };
    let guard = if unlocks(cx, bucket) { Guard::None } else { guard(cx, bucket, &bucket.account, acl) };
    of_bucket(cx, bucket, check).guarded_by(guard)
}

fn of_bucket(cx: &Cx, bucket: &Bucket, check: Check) -> Check {
    let account = &bucket.account;
    let check = common(cx, check).of_account(account.clone()).with("s3:ResourceAccount", account.as_str());
    let check = abac::tags(bucket, check);
    match &bucket.via {
        Some(via) => access_point::keys(via, check),
        None => check,
    }
}

/// What the bucket's policy and a grant beside it let in and keep out together. Where the policy lets in the public and the bucket
/// restricts that, nothing lets in anybody from outside its account (S3 user guide, "Blocking public access",
/// `RestrictPublicBuckets`).
fn guard(cx: &Cx, bucket: &Bucket, owner: &AccountId, grant: impl FnOnce() -> Option<Arc<Policy>>) -> Guard {
    // Whoever made an access point to somebody else's bucket is not inside by that.
    let outside = cx.caller().account().is_none_or(|account| account != bucket.account);
    let restricted = outside && bucket.is_public() && bucket.blocks(cx).restrict_public_buckets;
    let grant = if restricted { None } else { grant() };
    if restricted || *owner != bucket.account {
        let policies: Vec<Arc<Policy>> = bucket.denials().cloned().into_iter().chain(grant).collect();
        return if policies.is_empty() {
            Guard::None
        } else {
            Guard::Grants(Arc::new(PolicySet::new(policies)))
        };
    }
    match (bucket.policy(), grant) {
        (Some((_, set)), None) => Guard::Grants(Arc::clone(set)),
        (Some((policy, _)), Some(grant)) => {
            Guard::Grants(Arc::new(PolicySet::new([Arc::clone(policy), grant])))
        }
        (None, Some(grant)) => Guard::Grants(Arc::new(PolicySet::new([grant]))),
        (None, None) => Guard::None,
    }
}

/// Whether this is the owner's root user at the bucket's policy: it can look at it, change it and take it away whatever
/// the policy says (S3 API reference, DeleteBucketPolicy: the root principal of the owner's account).
fn unlocks(cx: &Cx, bucket: &Bucket) -> bool {
    let at_policy =
        matches!(cx.operation().name, "GetBucketPolicy" | "PutBucketPolicy" | "DeleteBucketPolicy");
    let root = matches!(cx.caller().kind(), CallerKind::Root(_));
    at_policy && root && cx.caller().account().as_ref() == Some(&bucket.account)
}

/// Daypass is the endpoint of every region at once. So what is wrong of a request for a bucket elsewhere is its
/// signature, and clients that follow buckets go on from this answer.
fn wrong_region(form: AuthForm, is: &str, expected: &str) -> Fault {
    let (code, what) = match form {
        AuthForm::Header => ("AuthorizationHeaderMalformed", "The authorization header is malformed"),
        AuthForm::Query => {
            ("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter")
        }
        AuthForm::Post => ("InvalidArgument", "Error parsing the X-Amz-Credential field"),
    };
    let words = format!("{what}; the region '{is}' is wrong; expecting '{expected}'");
    Fault::coded(code, 400, words).with("Region", expected)
}

/// The condition keys that an operation knows of, by S3's names. Values of headers are those that were sent, whatever
/// their defaults are.
pub(crate) trait Conditions: Sized {
    /// `s3:prefix`, `s3:delimiter`, `s3:max-keys`, of operations that list.
    fn listing(self, prefix: Option<&str>, delimiter: Option<&str>, max_keys: Option<i32>) -> Self;
    /// `s3:VersionId`.
    fn version(self, version_id: Option<&str>) -> Self;
    /// `s3:RequestObjectTag/…` and `s3:RequestObjectTagKeys`: the tags that the request gives to an object.
    fn request_object_tags<'t>(self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self;
    /// `s3:ExistingObjectTag/…`: the tags that the object has.
    fn existing_object_tags<'t>(self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self;
    /// A header that is a condition key by its own name, if it was sent: `s3:x-amz-acl`, `s3:x-amz-storage-class`, …
    fn header(self, key: &'static str, value: Option<impl Into<String>>) -> Self;
}

impl Conditions for Check {
    fn listing(self, prefix: Option<&str>, delimiter: Option<&str>, max_keys: Option<i32>) -> Self {
        let check = self.with_some("s3:prefix", prefix).with_some("s3:delimiter", delimiter);
        match max_keys {
            Some(number) => check.with_number("s3:max-keys", number.into()),
            None => check,
        }
    }

    fn version(self, version_id: Option<&str>) -> Self {
        self.with_some("s3:VersionId", version_id)
    }

    fn request_object_tags<'t>(self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let (mut check, mut names) = (self, vec![]);
        for (key, value) in tags {
            names.push(key.to_owned());
            check = check.with(format!("s3:RequestObjectTag/{key}"), value);
        }
        if names.is_empty() { check } else { check.with_list("s3:RequestObjectTagKeys", names) }
    }

    fn existing_object_tags<'t>(self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        tags.into_iter()
            .fold(self, |check, (key, value)| check.with(format!("s3:ExistingObjectTag/{key}"), value))
    }

    fn header(self, key: &'static str, value: Option<impl Into<String>>) -> Self {
        self.with_some(key, value)
    }
}
