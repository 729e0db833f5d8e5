//! `iam:CreatePolicyVersion`

use daypass_core::model::iam::{
    CreatePolicyVersionRequest, CreatePolicyVersionResponse, PolicyVersion as ApiPolicyVersion, ops,
};
use daypass_core::store::records::{Indexed as _, ManagedPolicy, PolicyVersion};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::create_policy::check_document;
use crate::entity::Entity as _;
use crate::fault::limit_exceeded;
use crate::managed_policy::version_id;
use crate::quota;

operation!(CREATE_POLICY_VERSION, ops::CreatePolicyVersion, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &CreatePolicyVersionRequest) -> Result<Checks, StoreError> {
    Ok(ManagedPolicy::check(cx, tx, &input.policy_arn)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreatePolicyVersionRequest,
) -> Result<CreatePolicyVersionResponse, Error> {
    let mut policy = ManagedPolicy::load(cx, tx, &input.policy_arn)?;
    check_document(&input.policy_document)?;
    if policy.versions.len() >= quota::VERSIONS_PER_POLICY {
        let words = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
        return Err(limit_exceeded(words).into());
    }
    let (number, now) = (policy.next_version, cx.now().truncated());
    policy.versions.push(PolicyVersion { number, document: input.policy_document, created: now });
    policy.next_version += 1;
    policy.updated = now;
    if input.set_as_default == Some(true) {
        policy.default_version = number;
    }
    policy.save(tx)?;
    Ok(CreatePolicyVersionResponse {
        policy_version: Some(ApiPolicyVersion {
            document: None,
            version_id: Some(version_id(number)),
            is_default_version: Some(policy.default_version == number),
            create_date: Some(now),
        }),
    })
}
