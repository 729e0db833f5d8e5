//! `iam:DeletePolicyVersion`: of any but the default one.

use daypass_core::model::iam::{DeletePolicyVersionRequest, ops};
use daypass_core::store::records::{Indexed as _, ManagedPolicy};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::{delete_conflict, no_such_version};
use crate::managed_policy::version_id;

operation!(DELETE_POLICY_VERSION, ops::DeletePolicyVersion, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeletePolicyVersionRequest) -> Result<Checks, StoreError> {
    Ok(ManagedPolicy::check(cx, tx, &input.policy_arn)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeletePolicyVersionRequest) -> Result<(), Error> {
    let mut policy = ManagedPolicy::load(cx, tx, &input.policy_arn)?;
    if version_id(policy.default_version) == input.version_id {
        return Err(delete_conflict("Cannot delete the default version of a policy.").into());
    }
    let before = policy.versions.len();
    policy.versions.retain(|version| version_id(version.number) != input.version_id);
    if policy.versions.len() == before {
        return Err(no_such_version(&input.policy_arn, &input.version_id).into());
    }
    policy.updated = cx.now().truncated();
    Ok(policy.save(tx)?)
}
