//! `iam:GetPolicy`

use daypass_core::model::iam::{GetPolicyRequest, GetPolicyResponse, ops};
use daypass_core::store::records::ManagedPolicy;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::managed_policy::{Managed, Usage};
use crate::tag;

operation!(GET_POLICY, ops::GetPolicy, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetPolicyRequest) -> Result<Checks, StoreError> {
    Ok(ManagedPolicy::check(cx, tx, &input.policy_arn)?.into())
}

/// Here tags stand even if there are none (recorded answers), and the description.
fn run(cx: &Cx, tx: &mut Tx<'_>, input: GetPolicyRequest) -> Result<GetPolicyResponse, Error> {
    let policy = Managed::load(cx, tx, &input.policy_arn)?;
    let mut shown = policy.listed(Usage::of(cx, tx, &input.policy_arn)?);
    shown.tags = Some(vec![]);
    if let Managed::Own(policy) = policy {
        shown.description = policy.description;
        shown.tags = Some(tag::shown(&policy.tags));
    }
    Ok(GetPolicyResponse { policy: Some(shown) })
}
