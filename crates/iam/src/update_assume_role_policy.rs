//! `iam:UpdateAssumeRolePolicy`

use daypass_core::model::iam::{UpdateAssumeRolePolicyRequest, ops};
use daypass_core::store::records::{Indexed as _, Role};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::{Entity as _, modifiable};
use crate::role;

operation!(UPDATE_ASSUME_ROLE_POLICY, ops::UpdateAssumeRolePolicy, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &UpdateAssumeRolePolicyRequest) -> Result<Checks, StoreError> {
    Ok(Role::check(cx, tx, &input.role_name)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: UpdateAssumeRolePolicyRequest) -> Result<(), Error> {
    let mut role = Role::load(cx, tx, &input.role_name)?;
    modifiable(&role)?;
    role.trust_policy = role::trust(cx, tx, &input.policy_document)?;
    Ok(role.save(tx)?)
}
