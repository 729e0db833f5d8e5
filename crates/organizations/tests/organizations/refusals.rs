//! Who may not, and what nobody may.

use daypass_core::model::Operation;
use serde_json::{Value, json};

use crate::support::{Organization, refused, send};

/// What each operation takes, and whether a member account may call it for itself.
fn inputs(org: &Organization) -> Vec<(&'static str, Value)> {
    let (root, account, unit, policy) = (&org.root, "123456789012", "ou-zzzz-zzzzzzzz", "p-FullAWSAccess");
    let (scp, service) = ("SERVICE_CONTROL_POLICY", "iam.amazonaws.com");
    vec![
        ("AttachPolicy", json!({ "PolicyId": policy, "TargetId": root })),
        ("CloseAccount", json!({ "AccountId": account })),
        ("CreateAccount", json!({ "AccountName": "n", "Email": "a@example.com" })),
        ("CreateOrganizationalUnit", json!({ "ParentId": root, "Name": "n" })),
        ("CreatePolicy", json!({ "Type": scp, "Name": "n", "Description": "", "Content": "{}" })),
        ("DeleteOrganization", json!({})),
        ("DeleteOrganizationalUnit", json!({ "OrganizationalUnitId": unit })),
        ("DeletePolicy", json!({ "PolicyId": policy })),
        ("DeleteResourcePolicy", json!({})),
        ("DeregisterDelegatedAdministrator", json!({ "AccountId": account, "ServicePrincipal": service })),
        ("DescribeAccount", json!({ "AccountId": account })),
        ("DescribeCreateAccountStatus", json!({ "CreateAccountRequestId": "car-zzzzzzzz" })),
        ("DescribeOrganizationalUnit", json!({ "OrganizationalUnitId": unit })),
        ("DescribePolicy", json!({ "PolicyId": policy })),
        ("DescribeResourcePolicy", json!({})),
        ("DetachPolicy", json!({ "PolicyId": policy, "TargetId": root })),
        ("DisableAWSServiceAccess", json!({ "ServicePrincipal": service })),
        ("DisablePolicyType", json!({ "RootId": root, "PolicyType": scp })),
        ("EnableAWSServiceAccess", json!({ "ServicePrincipal": service })),
        ("EnableAllFeatures", json!({})),
        ("EnablePolicyType", json!({ "RootId": root, "PolicyType": scp })),
        ("InviteAccountToOrganization", json!({ "Target": { "Id": account, "Type": "ACCOUNT" } })),
        ("ListAWSServiceAccessForOrganization", json!({})),
        ("ListAccounts", json!({})),
        ("ListAccountsForParent", json!({ "ParentId": root })),
        ("ListAccountsWithInvalidEffectivePolicy", json!({ "PolicyType": "TAG_POLICY" })),
        ("ListChildren", json!({ "ParentId": root, "ChildType": "ACCOUNT" })),
        ("ListCreateAccountStatus", json!({})),
        ("ListDelegatedAdministrators", json!({})),
        ("ListDelegatedServicesForAccount", json!({ "AccountId": account })),
        ("ListEffectivePolicyValidationErrors", json!({ "AccountId": account, "PolicyType": "TAG_POLICY" })),
        ("ListHandshakesForOrganization", json!({})),
        ("ListOrganizationalUnitsForParent", json!({ "ParentId": root })),
        ("ListParents", json!({ "ChildId": account })),
        ("ListPolicies", json!({ "Filter": scp })),
        ("ListPoliciesForTarget", json!({ "TargetId": root, "Filter": scp })),
        ("ListRoots", json!({})),
        ("ListTagsForResource", json!({ "ResourceId": root })),
        ("ListTargetsForPolicy", json!({ "PolicyId": policy })),
        ("MoveAccount", json!({ "AccountId": account, "SourceParentId": root, "DestinationParentId": unit })),
        ("PutResourcePolicy", json!({ "Content": "{}" })),
        ("RegisterDelegatedAdministrator", json!({ "AccountId": account, "ServicePrincipal": service })),
        ("RemoveAccountFromOrganization", json!({ "AccountId": account })),
        ("TagResource", json!({ "ResourceId": root, "Tags": [] })),
        ("UntagResource", json!({ "ResourceId": root, "TagKeys": [] })),
        ("UpdateOrganizationalUnit", json!({ "OrganizationalUnitId": unit, "Name": "n" })),
        ("UpdatePolicy", json!({ "PolicyId": policy, "Name": "n" })),
    ]
}

/// What any account may ask for itself.
fn of_oneself() -> Vec<(&'static str, Value)> {
    let handshake = json!({ "HandshakeId": "h-zzzzzzzz" });
    vec![
        ("AcceptHandshake", handshake.clone()),
        ("CancelHandshake", handshake.clone()),
        ("CreateOrganization", json!({})),
        ("DeclineHandshake", handshake.clone()),
        ("DescribeEffectivePolicy", json!({ "PolicyType": "TAG_POLICY" })),
        ("DescribeHandshake", handshake),
        ("DescribeOrganization", json!({})),
        ("LeaveOrganization", json!({})),
        ("ListHandshakesForAccount", json!({})),
    ]
}

#[tokio::test]
async fn a_user_without_a_policy_may_nothing() {
    let org = Organization::new().await;
    let stranger = org.server.user("stranger", &[]).await;
    let all: Vec<_> = inputs(&org).into_iter().chain(of_oneself()).collect();
    let names: Vec<&str> =
        daypass_organizations::OPERATIONS.iter().map(|e| e.operation()).map(|o: &Operation| o.name).collect();
    assert_eq!(all.len(), names.len());
    assert!(names.iter().all(|name| all.iter().any(|(known, _)| known == name)));
    let revision = org.server.gate.state().store.revision();
    for (name, input) in all {
        let (code, words) = refused(&stranger, name, input).await;
        assert_eq!(code, "AccessDeniedException", "{name}: {words}");
        assert!(
            words.contains("because no identity-based policy allows the organizations:"),
            "{name}: {words}"
        );
    }
    assert_eq!(org.server.gate.state().store.revision(), revision);
}

#[tokio::test]
async fn a_members_administrator_does_not_manage_the_organization() {
    let org = Organization::new().await;
    let account = org.account("dev").await;
    let alice = org.user(&account, "alice").await;
    let revision = org.server.gate.state().store.revision();
    for (name, input) in inputs(&org) {
        let (code, words) = refused(&alice, name, input).await;
        assert_eq!(code, "AccessDeniedException", "{name}: {words}");
        assert_eq!(words, "You don't have permissions to access this resource.", "{name}");
    }
    assert_eq!(org.server.gate.state().store.revision(), revision);
}

#[tokio::test]
async fn outside_an_organization_there_is_nothing_to_manage() {
    let org = Organization::new().await;
    let eve = org.user(&"777788889999".parse().unwrap(), "eve").await;
    for (name, input) in inputs(&org) {
        assert_eq!(refused(&eve, name, input).await.0, "AWSOrganizationsNotInUseException", "{name}");
    }
    // It can make one of its own.
    assert_eq!(send(&eve, "CreateOrganization", json!({})).await.status, 200);
}
