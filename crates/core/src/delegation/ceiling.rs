//! How far a partner's session goes at most, whatever the policy of its request says: nothing lasts on that goes beyond what the
//! customer was shown.
//!
//! AWS holds partners to this when they register templates (IAM user guide, `temporary-delegation-policy-evaluation-guidelines`
//! and `temporary-delegation-understanding-permissions`): of IAM there is limited writing of roles and policies, none of users,
//! groups, certificates and other resources; what manages credentials is blocked; and policies are attached to roles, or written
//! into them, where a permissions boundary of the partner's limits them. Here each request is held to it.

use daypass_policy::{Document, DocumentKind, Policy, PolicySource, PrincipalPolicies};
use serde_json::json;

use super::access::Delegation;

/// What of IAM a session may at most: to look, and to write roles, policies and the instance profiles that roles are in. Not who
/// may take a role that is there, nor what a policy says that is there: neither shows whom it reaches.
const OF_IAM: [&str; 29] = [
    "iam:Generate*",
    "iam:Get*",
    "iam:List*",
    "iam:Simulate*",
    "iam:PassRole",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:PutRolePermissionsBoundary",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:CreateServiceLinkedRole",
    "iam:DeleteServiceLinkedRole",
    "iam:CreatePolicy",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:TagPolicy",
    "iam:UntagPolicy",
    "iam:CreateInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:AddRoleToInstanceProfile",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:TagInstanceProfile",
    "iam:UntagInstanceProfile",
];

/// What is done to roles only where one of the boundaries is, or comes to be, on them ("Product providers must attach a
/// permission boundary to any IAM role created through temporary delegation").
const BOUNDED: [&str; 6] = [
    "iam:CreateRole",
    "iam:PutRolePermissionsBoundary",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
];

/// What a session would go on by, or decide for the customer what the customer never saw. AWS does not document it.
const NEVER: [&str; 4] =
    ["iam:*DelegationRequest*", "iam:SendDelegationToken", "sts:Assume*", "sts:Get*Token"];

/// What a partner's session may at most: what was asked for, and of that nothing that would outlast it or reach beyond it.
pub(super) fn ceiling(delegation: &Delegation) -> PrincipalPolicies {
    let mut bounded = json!({ "Effect": "Deny", "Action": BOUNDED, "Resource": "*" });
    if let (false, Some(bounded)) = (delegation.boundaries.is_empty(), bounded.as_object_mut()) {
        let boundaries = json!({ "StringNotEquals": { "iam:PermissionsBoundary": delegation.boundaries } });
        bounded.insert("Condition".to_owned(), boundaries);
    }
    let limits = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "NotAction": "iam:*", "Resource": "*" },
        { "Effect": "Allow", "Action": OF_IAM, "Resource": "*" },
        bounded,
        { "Effect": "Deny", "Action": NEVER, "Resource": "*" },
    ] });
    let limits = Document::load(DocumentKind::Managed, &limits.to_string());
    let name = format!("policy of delegation request {}", delegation.request);
    let asked = Document::load(DocumentKind::Session, &delegation.policy);
    PrincipalPolicies::builder()
        .identity([Policy::compile(PolicySource::named("limits of temporary delegation"), limits)])
        .session([Policy::compile(PolicySource::named(name), asked)])
        .build()
}
