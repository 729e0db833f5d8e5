//! `iam:DeletePolicy`: of a policy that nobody has, with one version left.

use daypass_core::model::iam::{DeletePolicyRequest, ops};
use daypass_core::store::records::{Indexed as _, ManagedPolicy, Reference, Target};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::delete_conflict;

operation!(DELETE_POLICY, ops::DeletePolicy, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeletePolicyRequest) -> Result<Checks, StoreError> {
    Ok(ManagedPolicy::check(cx, tx, &input.policy_arn)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeletePolicyRequest) -> Result<(), Error> {
    let policy = ManagedPolicy::load(cx, tx, &input.policy_arn)?;
    let unused = |target| tx.is_empty(&Reference::all(&policy.account, &target));
    if !unused(Target::Attached(policy.arn()))? || !unused(Target::Boundary(policy.arn()))? {
        return Err(delete_conflict("Cannot delete a policy attached to entities.").into());
    }
    if policy.versions.len() > 1 {
        let words = "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.";
        return Err(delete_conflict(words).into());
    }
    Ok(policy.remove(tx)?)
}
