//! `iam:GetPolicyVersion`

use daypass_core::model::iam::{GetPolicyVersionRequest, GetPolicyVersionResponse, ops};
use daypass_core::store::records::ManagedPolicy;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::no_such_version;
use crate::managed_policy::Managed;

operation!(GET_POLICY_VERSION, ops::GetPolicyVersion, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetPolicyVersionRequest) -> Result<Checks, StoreError> {
    Ok(ManagedPolicy::check(cx, tx, &input.policy_arn)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: GetPolicyVersionRequest) -> Result<GetPolicyVersionResponse, Error> {
    let versions = Managed::load(cx, tx, &input.policy_arn)?.versions();
    let asked = versions.into_iter().find(|v| v.version_id.as_deref() == Some(input.version_id.as_str()));
    let version = asked.ok_or_else(|| no_such_version(&input.policy_arn, &input.version_id))?;
    Ok(GetPolicyVersionResponse { policy_version: Some(version) })
}
