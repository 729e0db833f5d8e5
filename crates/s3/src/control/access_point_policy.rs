//! The policy of an access point: `s3:PutAccessPointPolicy`, `s3:GetAccessPointPolicy`, `s3:DeleteAccessPointPolicy`,
//! `s3:GetAccessPointPolicyStatus`.

use daypass_core::model::s3control::{
    DeleteAccessPointPolicyRequest, GetAccessPointPolicyRequest, GetAccessPointPolicyResult,
    GetAccessPointPolicyStatusRequest, GetAccessPointPolicyStatusResult, PolicyStatus,
    PutAccessPointPolicyRequest, errors, ops,
};
use daypass_core::policy::{Document, DocumentKind};
use daypass_core::principals;
use daypass_core::store::{Read as _, Tx};
use daypass_core::{Cx, Error, Fault, operation};

use super::{check, load};
use crate::access_point::AccessPoint;
use crate::account_block;
use crate::bucket::Bucket;
use crate::fault::malformed_policy;
use crate::{public, stored_policy};

/// `policy_operation!(NAME, ops::Name, run);` makes the entry of an operation about an access point's policy.
macro_rules! policy_operation {
    ($name:ident, $operation:ty, $run:expr) => {
        operation!(
            $name,
            $operation,
            may_refuse: |cx, tx, input| {
                Ok(check(cx, tx, &input.account_id, &input.name, cx.operation().action)?.into())
            },
            $run
        );
    };
}

policy_operation!(PUT_ACCESS_POINT_POLICY, ops::PutAccessPointPolicy, put);
policy_operation!(GET_ACCESS_POINT_POLICY, ops::GetAccessPointPolicy, get);
policy_operation!(DELETE_ACCESS_POINT_POLICY, ops::DeleteAccessPointPolicy, delete);
policy_operation!(GET_ACCESS_POINT_POLICY_STATUS, ops::GetAccessPointPolicyStatus, status);

fn put(cx: &Cx, tx: &mut Tx<'_>, input: PutAccessPointPolicyRequest) -> Result<(), Error> {
    let mut access_point = load(cx, tx, &input.account_id, &input.name)?;
    let owns = |document: &Document| is_of(document, &access_point.arn());
    let (document, kept) = stored_policy::read(tx, &input.policy, owns)?;
    let is_public = access_point.vpc_id.is_none() && public::is_public_at_access_point(&document);
    if is_public && blocks_policies(cx, tx, &access_point)? {
        return Err(blocked(cx, &access_point).into());
    }
    access_point.set_policy(Some(kept));
    Ok(tx.put(&access_point)?)
}

/// Whether every resource is the access point or an object behind it.
fn is_of(document: &Document, arn: &str) -> Result<(), Fault> {
    let resources = document.statements.iter().filter_map(|statement| statement.resource.as_ref());
    for entry in resources.flat_map(|clause| &clause.entries) {
        let rest = entry.value.strip_prefix(arn);
        if !rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with("/object/") || rest.starts_with("/*") || rest == "*"
        }) {
            return Err(malformed_policy("Policy has invalid resource"));
        }
    }
    Ok(())
}

/// Whether a public policy is blocked: by the access point, its account, or the bucket and the bucket's account (S3 user guide,
/// "Blocking public access", `BlockPublicPolicy`).
fn blocks_policies(cx: &Cx, tx: &Tx<'_>, access_point: &AccessPoint) -> Result<bool, Error> {
    let bucket = tx.get::<Bucket>(&Bucket::key_of(&access_point.bucket))?;
    let at_bucket = bucket.is_some_and(|bucket| bucket.blocks(cx).block_public_policy);
    let at_account = account_block::of(cx, &access_point.account).block_public_policy;
    Ok(access_point.block.block_public_policy || at_account || at_bucket)
}

fn blocked(cx: &Cx, access_point: &AccessPoint) -> Fault {
    let words = format!(
        "User: {} is not authorized to perform: s3:PutAccessPointPolicy on resource: \"{}\" because public policies are blocked by the BlockPublicPolicy block public access setting.",
        cx.caller().arn(),
        access_point.arn()
    );
    Fault::new(&errors::ACCESS_DENIED, words)
}

fn get(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetAccessPointPolicyRequest,
) -> Result<GetAccessPointPolicyResult, Error> {
    let access_point = load(cx, tx, &input.account_id, &input.name)?;
    let text = access_point.policy.as_deref().ok_or_else(|| no_policy(&access_point))?;
    let policy = principals::to_arns(tx, DocumentKind::Bucket, text)?;
    Ok(GetAccessPointPolicyResult { policy: Some(policy) })
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteAccessPointPolicyRequest) -> Result<(), Error> {
    let mut access_point = load(cx, tx, &input.account_id, &input.name)?;
    access_point.set_policy(None);
    Ok(tx.put(&access_point)?)
}

fn status(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetAccessPointPolicyStatusRequest,
) -> Result<GetAccessPointPolicyStatusResult, Error> {
    let access_point = load(cx, tx, &input.account_id, &input.name)?;
    if access_point.policy.is_none() {
        return Err(no_policy(&access_point).into());
    }
    let policy_status = Some(PolicyStatus { is_public: Some(access_point.is_public()) });
    Ok(GetAccessPointPolicyStatusResult { policy_status })
}

/// The words are those that clients' tests have of AWS.
fn no_policy(access_point: &AccessPoint) -> Fault {
    let words = "The specified accesspoint policy does not exist";
    Fault::new(&errors::NO_SUCH_ACCESS_POINT_POLICY, words).with("AccessPointName", access_point.name.clone())
}
