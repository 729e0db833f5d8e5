//! Managed policies, customers' and AWS's own, and the boundaries of partners, as answers show them.

use daypass_core::delegation::PartnerBoundary;
use daypass_core::model::iam::{Policy as ApiPolicy, PolicyVersion as ApiPolicyVersion};
use daypass_core::store::records::{Counted, ManagedPolicy, PolicyVersion, Tally, Target};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{AwsManagedPolicy, Cx, Error};

use crate::document;
use crate::entity::Entity as _;
use crate::fault::no_such_policy;
use crate::policy_arn::PolicyArn;

/// A managed policy, whoever owns it.
pub(crate) enum Managed {
    Own(ManagedPolicy),
    Aws(&'static AwsManagedPolicy),
    /// "You can review the permission boundary as part of the request before approving it" (IAM user guide,
    /// `access_policies-temporary-delegation`).
    Partner(PartnerBoundary),
}

/// How often a policy is used in an account.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// By users, groups and roles that it is attached to.
    pub(crate) attached: i32,
    /// By users and roles whose boundary it is.
    pub(crate) boundary: i32,
}

impl Usage {
    pub(crate) fn of(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<Self, StoreError> {
        let account = cx.account();
        let total = |target| -> Result<i32, StoreError> {
            let total = Tally::total(tx, &account, &Counted::References(target))?;
            Ok(i32::try_from(total).unwrap_or(i32::MAX))
        };
        Ok(Self {
            attached: total(Target::Attached(arn.to_owned()))?,
            boundary: total(Target::Boundary(arn.to_owned()))?,
        })
    }

    pub(crate) fn is_none(self) -> bool {
        self.attached == 0 && self.boundary == 0
    }
}

impl Managed {
    /// The policy of that ARN.
    ///
    /// # Errors
    /// If it is no ARN of a policy, or there is none.
    pub(crate) fn load(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<Self, Error> {
        if let Some(place) = PartnerBoundary::place_of(arn) {
            return tx.get(&place)?.map(Self::Partner).ok_or_else(|| no_such_policy(arn).into());
        }
        PolicyArn::parse(arn)?;
        if let Some(policy) = AwsManagedPolicy::find(arn) {
            return Ok(Self::Aws(policy));
        }
        ManagedPolicy::find(cx, tx, arn)?.map(Self::Own).ok_or_else(|| no_such_policy(arn).into())
    }

    /// The policy as lists show it (IAM API reference, ListPolicies): without description and tags.
    pub(crate) fn listed(&self, usage: Usage) -> ApiPolicy {
        let policy = match self {
            Self::Own(policy) => ApiPolicy {
                policy_name: Some(policy.name.clone()),
                policy_id: Some(policy.id.clone()),
                arn: Some(policy.arn()),
                path: Some(policy.path.clone()),
                default_version_id: Some(version_id(policy.default_version)),
                create_date: Some(policy.created),
                update_date: Some(policy.updated),
                ..ApiPolicy::default()
            },
            Self::Aws(policy) => ApiPolicy {
                policy_name: Some(policy.name.clone()),
                policy_id: Some(policy.id()),
                arn: Some(policy.arn.clone()),
                path: Some(policy.path.clone()),
                default_version_id: Some(policy.version.clone()),
                create_date: Some(policy.created),
                update_date: Some(policy.updated),
                ..ApiPolicy::default()
            },
            Self::Partner(boundary) => ApiPolicy {
                policy_name: Some(boundary.name.clone()),
                arn: Some(boundary.arn()),
                path: Some(boundary.path()),
                default_version_id: Some(version_id(1)),
                create_date: Some(boundary.created),
                update_date: Some(boundary.created),
                ..ApiPolicy::default()
            },
        };
        ApiPolicy {
            attachment_count: Some(usage.attached),
            permissions_boundary_usage_count: Some(usage.boundary),
            is_attachable: Some(!matches!(self, Self::Partner(_))),
            ..policy
        }
    }

    /// The versions, newest first, with their documents. Of AWS's policies there is the one that is in force.
    pub(crate) fn versions(&self) -> Vec<ApiPolicyVersion> {
        match self {
            Self::Own(policy) => policy.versions.iter().rev().map(|v| shown(policy, v)).collect(),
            Self::Aws(policy) => vec![ApiPolicyVersion {
                document: Some(document::encoded(&policy.document)),
                version_id: Some(policy.version.clone()),
                is_default_version: Some(true),
                create_date: Some(policy.updated),
            }],
            Self::Partner(boundary) => vec![ApiPolicyVersion {
                document: Some(document::encoded(&boundary.document)),
                version_id: Some(version_id(1)),
                is_default_version: Some(true),
                create_date: Some(boundary.created),
            }],
        }
    }
}

/// A version as answers have it.
fn shown(policy: &ManagedPolicy, version: &PolicyVersion) -> ApiPolicyVersion {
    ApiPolicyVersion {
        document: Some(document::encoded(&version.document)),
        version_id: Some(version_id(version.number)),
        is_default_version: Some(version.number == policy.default_version),
        create_date: Some(version.created),
    }
}

/// `v3`.
pub(crate) fn version_id(number: u32) -> String {
    format!("v{number}")
}
