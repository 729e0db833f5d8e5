//! `iam:SetDefaultPolicyVersion`

use daypass_core::model::iam::{SetDefaultPolicyVersionRequest, ops};
use daypass_core::store::records::{Indexed as _, ManagedPolicy};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::no_such_version;
use crate::managed_policy::version_id;

operation!(SET_DEFAULT_POLICY_VERSION, ops::SetDefaultPolicyVersion, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &SetDefaultPolicyVersionRequest) -> Result<Checks, StoreError> {
    Ok(ManagedPolicy::check(cx, tx, &input.policy_arn)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: SetDefaultPolicyVersionRequest) -> Result<(), Error> {
    let mut policy = ManagedPolicy::load(cx, tx, &input.policy_arn)?;
    let asked = policy.versions.iter().find(|version| version_id(version.number) == input.version_id);
    let number = asked.ok_or_else(|| no_such_version(&input.policy_arn, &input.version_id))?.number;
    policy.default_version = number;
    policy.updated = cx.now().truncated();
    Ok(policy.save(tx)?)
}
