//! The policy of a bucket: `s3:PutBucketPolicy`, `s3:GetBucketPolicy`, `s3:DeleteBucketPolicy`, `s3:GetBucketPolicyStatus`.

use daypass_core::model::AccountId;
use daypass_core::model::s3::{
    DeleteBucketPolicyRequest, GetBucketPolicyOutput, GetBucketPolicyRequest, GetBucketPolicyStatusOutput,
    GetBucketPolicyStatusRequest, PolicyStatus, PutBucketPolicyRequest, errors, ops,
};
use daypass_core::policy::{Document, DocumentKind};
use daypass_core::principals;
use daypass_core::store::Tx;
use daypass_core::{Checks, Cx, Error, Fault, Guard, Who, administrator, operation};

use crate::authorize::{admit, bucket_check, bucket_operation};
use crate::bucket::Bucket;
use crate::fault::{malformed_policy, not_there};
use crate::public;
use crate::stored_policy;

operation!(
    PUT_BUCKET_POLICY,
    ops::PutBucketPolicy,
    may_refuse: |cx, tx, input| checks(cx, tx, &input.bucket, input.expected_bucket_owner.as_deref()),
    put
);
operation!(
    GET_BUCKET_POLICY,
    ops::GetBucketPolicy,
    may_refuse: |cx, tx, input| checks(cx, tx, &input.bucket, input.expected_bucket_owner.as_deref()),
    get
);
operation!(
    DELETE_BUCKET_POLICY,
    ops::DeleteBucketPolicy,
    may_refuse: |cx, tx, input| checks(cx, tx, &input.bucket, input.expected_bucket_owner.as_deref()),
    delete
);
bucket_operation!(GET_BUCKET_POLICY_STATUS, ops::GetBucketPolicyStatus, status);

/// The question about the policy itself. What it says does not keep its account's root user from it, so that nobody locks
/// a bucket for good (S3 API reference, PutBucketPolicy, "Permissions"). There is no root user here; in its place is
/// whoever holds the machine, who alone gets sessions of the account's administrator role.
fn checks(cx: &Cx, tx: &Tx<'_>, name: &str, expected_owner: Option<&str>) -> Result<Checks, Error> {
    let bucket = Bucket::reach(cx, tx, name)?;
    admit(cx, &bucket, expected_owner)?;
    let check = bucket_check(cx, &bucket, cx.operation().action);
    let check = if is_root(cx, &bucket.account) { check.guarded_by(Guard::None) } else { check };
    Ok(check.into())
}

/// Whether the caller is whoever holds the machine, in that account.
pub(crate) fn is_root(cx: &Cx, account: &AccountId) -> bool {
    let Some(Who::Role(role)) = cx.caller().identity().map(|identity| &identity.who) else { return false };
    role.account == *account && administrator::is(role)
}

/// Policies are for the owner's account alone, whatever they let others do (S3 API reference, PutBucketPolicy).
fn only_of_the_owner(cx: &Cx, bucket: &Bucket) -> Result<(), Fault> {
    if cx.caller().account().as_ref() == Some(&bucket.account) {
        return Ok(());
    }
    let words = "The specified method is not allowed against this resource.";
    Err(Fault::new(&errors::METHOD_NOT_ALLOWED, words))
}

fn put(cx: &Cx, tx: &mut Tx<'_>, input: PutBucketPolicyRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    only_of_the_owner(cx, &bucket)?;
    let owns = |document: &Document| {
        document.check_bucket(&bucket.name).map_err(|error| malformed_policy(error.aws_message()))
    };
    let (document, kept) = stored_policy::read(tx, &input.policy, owns)?;
    if bucket.blocks(cx).block_public_policy && public::is_public(&document) {
        return Err(blocked(cx, &bucket).into());
    }
    bucket.set_policy(Some(kept));
    Ok(tx.put(&bucket)?)
}

fn blocked(cx: &Cx, bucket: &Bucket) -> Fault {
    let words = format!(
        "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"{}\" because public policies are blocked by the BlockPublicPolicy block public access setting.",
        cx.caller().arn(),
        bucket.arn()
    );
    Fault::new(&errors::ACCESS_DENIED, words)
}

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetBucketPolicyRequest) -> Result<GetBucketPolicyOutput, Error> {
    let bucket = Bucket::reach(cx, tx, &input.bucket)?;
    only_of_the_owner(cx, &bucket)?;
    let text = bucket.policy.as_deref().ok_or_else(|| no_policy(&bucket))?;
    let policy = principals::to_arns(tx, DocumentKind::Bucket, text)?;
    Ok(GetBucketPolicyOutput { policy: Some(policy) })
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteBucketPolicyRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    only_of_the_owner(cx, &bucket)?;
    bucket.set_policy(None);
    Ok(tx.put(&bucket)?)
}

fn status(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketPolicyStatusRequest,
) -> Result<GetBucketPolicyStatusOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    if bucket.policy.is_none() {
        return Err(no_policy(&bucket).into());
    }
    let policy_status = Some(PolicyStatus { is_public: Some(bucket.is_public()) });
    Ok(GetBucketPolicyStatusOutput { policy_status })
}

fn no_policy(bucket: &Bucket) -> Fault {
    not_there(&errors::NO_SUCH_BUCKET_POLICY, "The bucket policy does not exist", &bucket.name)
}
