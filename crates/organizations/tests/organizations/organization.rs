use serde_json::json;

use crate::support::{Organization, each, ok, refused, text};

#[tokio::test]
async fn an_organization_is_made_described_and_deleted() {
    let org = Organization::new().await;
    let shown = org.ok("DescribeOrganization", json!({})).await;
    let id = &org.id;
    assert!(id.starts_with("o-") && id.len() == 12, "{id}");
    assert_eq!(
        shown,
        json!({ "Organization": {
            "Id": id,
            "Arn": format!("arn:aws:organizations::123456789012:organization/{id}"),
            "FeatureSet": "ALL",
            "MasterAccountArn": format!("arn:aws:organizations::123456789012:account/{id}/123456789012"),
            "MasterAccountId": "123456789012",
            "MasterAccountEmail": "root@123456789012.daypass.internal",
            "AvailablePolicyTypes": [{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }],
        }})
    );
    let (code, words) = org.refused("CreateOrganization", json!({})).await;
    assert_eq!(code, "AlreadyInOrganizationException");
    assert_eq!(words, "The AWS account is already a member of an organization.");
    let member = org.account("dev").await;
    assert_eq!(org.refused("DeleteOrganization", json!({})).await.0, "OrganizationNotEmptyException");
    org.ok("RemoveAccountFromOrganization", json!({ "AccountId": member.as_str() })).await;
    org.ok("DeleteOrganization", json!({})).await;
    let (code, words) = org.refused("DescribeOrganization", json!({})).await;
    assert_eq!(code, "AWSOrganizationsNotInUseException");
    assert_eq!(words, "Your account is not a member of an organization.");
}

#[tokio::test]
async fn without_leave_to_make_the_service_linked_role_there_is_no_organization() {
    let org = Organization::new().await;
    org.ok("DeleteOrganization", json!({})).await;
    let only = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"organizations:*","Resource":"*"}}"#;
    let alice = org.server.user("alice", &[("only", only)]).await;
    assert_eq!(
        refused(&alice, "CreateOrganization", json!({})).await.0,
        "AccessDeniedForDependencyException"
    );
    // Consolidated billing alone needs no role.
    ok(&alice, "CreateOrganization", json!({ "FeatureSet": "CONSOLIDATED_BILLING" })).await;
}

#[tokio::test]
async fn the_root_lists_the_types_of_policies_that_are_enabled() {
    let org = Organization::new().await;
    let root = org.ok("ListRoots", json!({})).await;
    assert_eq!(root.pointer("/Roots/0/PolicyTypes"), Some(&json!([])));
    assert_eq!(text(&root, "/Roots/0/Name"), "Root");
    let input = json!({ "RootId": org.root, "PolicyType": "SERVICE_CONTROL_POLICY" });
    let shown = org.ok("EnablePolicyType", input.clone()).await;
    let enabled = json!([{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }]);
    assert_eq!(shown.pointer("/Root/PolicyTypes"), Some(&enabled));
    assert_eq!(org.refused("EnablePolicyType", input.clone()).await.0, "PolicyTypeAlreadyEnabledException");
    let targets = org.ok("ListTargetsForPolicy", json!({ "PolicyId": "p-FullAWSAccess" })).await;
    assert_eq!(each(&targets, "Targets", "Type"), ["ACCOUNT", "ROOT"]);
    org.ok("DisablePolicyType", input.clone()).await;
    assert_eq!(org.refused("DisablePolicyType", input).await.0, "PolicyTypeNotEnabledException");
    let targets = org.ok("ListTargetsForPolicy", json!({ "PolicyId": "p-FullAWSAccess" })).await;
    assert_eq!(targets, json!({ "Targets": [] }));
    let input = json!({ "RootId": "r-zzzz", "PolicyType": "SERVICE_CONTROL_POLICY" });
    assert_eq!(org.refused("EnablePolicyType", input).await.0, "RootNotFoundException");
    let input = json!({ "RootId": org.root, "PolicyType": "TAG_POLICY" });
    assert_eq!(
        org.refused("EnablePolicyType", input).await.0,
        "PolicyTypeNotAvailableForOrganizationException"
    );
}

#[tokio::test]
async fn services_are_let_in_and_out() {
    let org = Organization::new().await;
    let iam = json!({ "ServicePrincipal": "iam.amazonaws.com" });
    org.ok("EnableAWSServiceAccess", iam.clone()).await;
    org.ok("EnableAWSServiceAccess", iam.clone()).await;
    org.ok("EnableAWSServiceAccess", json!({ "ServicePrincipal": "ram.amazonaws.com" })).await;
    let everything = json!({});
    let listed = crate::support::pages(
        &org.management,
        "ListAWSServiceAccessForOrganization",
        &everything,
        "EnabledServicePrincipals",
        "ServicePrincipal",
    );
    assert_eq!(listed.await, ["iam.amazonaws.com", "ram.amazonaws.com"]);
    org.ok("DisableAWSServiceAccess", iam).await;
    let listed = org.ok("ListAWSServiceAccessForOrganization", json!({})).await;
    assert_eq!(each(&listed, "EnabledServicePrincipals", "ServicePrincipal"), ["ram.amazonaws.com"]);
    let (code, words) =
        org.refused("EnableAWSServiceAccess", json!({ "ServicePrincipal": "nothing.example.com" })).await;
    assert_eq!(code, "InvalidInputException");
    assert_eq!(words, "You specified an unrecognized service principal.");
}
