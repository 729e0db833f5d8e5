use daypass_core::testing::Client;
use serde_json::{Value, json};

use crate::support::{Organization, RCP, SCP, each, ok, pages, refused, send, text};

const NO_S3: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}"#;

#[tokio::test]
async fn a_delegated_administrator_looks_and_changes_nothing() {
    let org = Organization::new().await;
    let account = org.account("security").await;
    let alice = org.user(&account, "alice").await;
    let (code, words) = refused(&alice, "ListAccounts", json!({})).await;
    assert_eq!(code, "AccessDeniedException");
    assert_eq!(words, "You don't have permissions to access this resource.");
    let register = json!({ "AccountId": account.as_str(), "ServicePrincipal": "guardduty.amazonaws.com" });
    assert_eq!(
        org.refused("RegisterDelegatedAdministrator", register.clone()).await.0,
        "ConstraintViolationException"
    );
    org.ok("EnableAWSServiceAccess", json!({ "ServicePrincipal": "guardduty.amazonaws.com" })).await;
    org.ok("RegisterDelegatedAdministrator", register.clone()).await;
    assert_eq!(
        org.refused("RegisterDelegatedAdministrator", register.clone()).await.0,
        "AccountAlreadyRegisteredException"
    );
    ok(&alice, "ListAccounts", json!({})).await;
    ok(&alice, "DescribePolicy", json!({ "PolicyId": "p-FullAWSAccess" })).await;
    let unit = json!({ "ParentId": org.root, "Name": "mine" });
    assert_eq!(refused(&alice, "CreateOrganizationalUnit", unit).await.0, "AccessDeniedException");
    let disable = json!({ "ServicePrincipal": "guardduty.amazonaws.com" });
    assert_eq!(org.refused("DisableAWSServiceAccess", disable).await.0, "ConstraintViolationException");
    let out = json!({ "AccountId": account.as_str() });
    assert_eq!(org.refused("RemoveAccountFromOrganization", out).await.0, "ConstraintViolationException");
    let listed = org.ok("ListDelegatedAdministrators", json!({})).await;
    assert_eq!(each(&listed, "DelegatedAdministrators", "Id"), [account.as_str()]);
    let input = json!({ "AccountId": account.as_str() });
    let services = pages(
        &org.management,
        "ListDelegatedServicesForAccount",
        &input,
        "DelegatedServices",
        "ServicePrincipal",
    );
    assert_eq!(services.await, ["guardduty.amazonaws.com"]);
    org.ok("DeregisterDelegatedAdministrator", register.clone()).await;
    assert_eq!(
        org.refused("DeregisterDelegatedAdministrator", register).await.0,
        "AccountNotRegisteredException"
    );
    assert_eq!(refused(&alice, "ListAccounts", json!({})).await.0, "AccessDeniedException");
    let own = json!({ "AccountId": "123456789012", "ServicePrincipal": "guardduty.amazonaws.com" });
    let (code, words) = org.refused("RegisterDelegatedAdministrator", own).await;
    assert_eq!(code, "ConstraintViolationException");
    assert_eq!(
        words,
        "You cannot register master account/yourself as delegated administrator for your organization."
    );
}

#[tokio::test]
async fn the_resource_policy_lets_members_in_as_far_as_it_says() {
    let org = Organization::new().await;
    let account = org.account("platform").await;
    let alice = org.user(&account, "alice").await;
    let root = json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
        "Action": ["organizations:ListPolicies", "organizations:CreatePolicy", "organizations:CreateAccount"], "Resource": "*",
        "Condition": { "StringLikeIfExists": { "organizations:PolicyType": SCP } } });
    let content = json!({ "Version": "2012-10-17", "Statement": [root] }).to_string();
    assert_eq!(org.refused("DescribeResourcePolicy", json!({})).await.0, "ResourcePolicyNotFoundException");
    let put = org.ok("PutResourcePolicy", json!({ "Content": content })).await;
    assert!(text(&put, "/ResourcePolicy/ResourcePolicySummary/Id").starts_with("rp-"));
    assert_eq!(org.ok("DescribeResourcePolicy", json!({})).await, put);
    ok(&alice, "ListPolicies", json!({ "Filter": SCP })).await;
    assert_eq!(refused(&alice, "ListAccounts", json!({})).await.0, "AccessDeniedException");
    let policy = json!({ "Type": SCP, "Name": "p", "Description": "",
        "Content": NO_S3 });
    ok(&alice, "CreatePolicy", policy).await;
    // What cannot be delegated is not, whatever the policy says.
    let made = json!({ "AccountName": "x", "Email": "x@example.com" });
    assert_eq!(refused(&alice, "CreateAccount", made).await.0, "AccessDeniedException");
    assert_eq!(
        refused(&alice, "PutResourcePolicy", json!({ "Content": content })).await.0,
        "AccessDeniedException"
    );
    assert_eq!(org.refused("PutResourcePolicy", json!({ "Content": "{" })).await.0, "InvalidInputException");
    let nobody = content.replace(":root", ":user/nobody");
    assert_eq!(
        org.refused("PutResourcePolicy", json!({ "Content": nobody })).await.0,
        "InvalidInputException"
    );
    org.ok("DeleteResourcePolicy", json!({})).await;
    assert_eq!(refused(&alice, "ListPolicies", json!({ "Filter": SCP })).await.0, "AccessDeniedException");
    assert_eq!(org.refused("DeleteResourcePolicy", json!({})).await.0, "ResourcePolicyNotFoundException");
}

/// A member that the resource policy lets do these actions, under this condition.
async fn let_in(org: &Organization, actions: &[&str], condition: Value) -> Client {
    let account = org.account("platform").await;
    let alice = org.user(&account, "alice").await;
    let actions: Vec<String> = actions.iter().map(|action| format!("organizations:{action}")).collect();
    let statement = json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
        "Action": actions, "Resource": "*", "Condition": condition });
    let content = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    org.ok("PutResourcePolicy", json!({ "Content": content })).await;
    alice
}

#[tokio::test]
async fn the_resource_policy_sees_the_type_of_policies_that_is_asked_about() {
    for operator in ["StringEquals", "StringLikeIfExists"] {
        for (granted, reached) in [("BACKUP_POLICY", false), (RCP, false), (SCP, true)] {
            let org = Organization::new().await;
            let condition = json!({ operator: { "organizations:PolicyType": granted } });
            let actions = ["EnablePolicyType", "DisablePolicyType", "CreatePolicy"];
            let alice = let_in(&org, &actions, condition).await;
            let kind = json!({ "RootId": org.root, "PolicyType": SCP });
            let policy = json!({ "Type": SCP, "Name": "p", "Description": "",
                "Content": NO_S3 });
            for (operation, input) in
                [("EnablePolicyType", &kind), ("DisablePolicyType", &kind), ("CreatePolicy", &policy)]
            {
                if reached {
                    ok(&alice, operation, input.clone()).await;
                    continue;
                }
                if operation == "DisablePolicyType" {
                    org.enable(SCP).await;
                }
                let code = refused(&alice, operation, input.clone()).await.0;
                assert_eq!(code, "AccessDeniedException", "{operation} {operator} {granted}");
            }
        }
    }
}

#[tokio::test]
async fn the_resource_policy_sees_the_tags_that_are_asked_for() {
    for operator in ["StringEquals", "StringEqualsIfExists"] {
        let org = Organization::new().await;
        let condition = json!({ operator: { "aws:RequestTag/team": "red" } });
        let alice = let_in(&org, &["CreatePolicy", "TagResource"], condition).await;
        let tagged =
            |team: &str| json!({ "ResourceId": org.root, "Tags": [{ "Key": "team", "Value": team }] });
        assert_eq!(refused(&alice, "TagResource", tagged("blue")).await.0, "AccessDeniedException");
        ok(&alice, "TagResource", tagged("red")).await;
        let made = |team: &str| {
            json!({ "Type": SCP, "Name": "p", "Description": "", "Tags": [{ "Key": "team", "Value": team }],
                "Content": NO_S3 })
        };
        assert_eq!(refused(&alice, "CreatePolicy", made("blue")).await.0, "AccessDeniedException");
        ok(&alice, "CreatePolicy", made("red")).await;
    }
    let org = Organization::new().await;
    let alice =
        let_in(&org, &["UntagResource"], json!({ "ForAnyValue:StringEquals": { "aws:TagKeys": "team" } }))
            .await;
    let untagged = |key: &str| json!({ "ResourceId": org.root, "TagKeys": [key] });
    assert_eq!(refused(&alice, "UntagResource", untagged("stage")).await.0, "AccessDeniedException");
    ok(&alice, "UntagResource", untagged("team")).await;
}

#[tokio::test]
async fn to_make_something_with_tags_is_to_be_granted_both() {
    let org = Organization::new().await;
    let alice = let_in(&org, &["CreatePolicy"], json!({})).await;
    let policy = json!({ "Type": SCP, "Name": "p", "Description": "", "Tags": [{ "Key": "team", "Value": "red" }],
        "Content": NO_S3 });
    assert_eq!(refused(&alice, "CreatePolicy", policy).await.0, "AccessDeniedException");
}

async fn denied(client: &Client, operation: &str, input: &Value) -> bool {
    send(client, operation, input.clone()).await.body.contains("AccessDeniedException")
}

/// What is asked about policies of one type.
fn about_types(org: &Organization, own: &str) -> Vec<(&'static str, Value, &'static str)> {
    let (root, scp, rcp) = (&org.root, "p-FullAWSAccess", "p-RCPFullAWSAccess");
    let (member, tags) = ("123456789012", "TAG_POLICY");
    vec![
        ("AttachPolicy", json!({ "PolicyId": own, "TargetId": root }), SCP),
        ("DetachPolicy", json!({ "PolicyId": own, "TargetId": root }), SCP),
        ("AttachPolicy", json!({ "PolicyId": scp, "TargetId": root }), SCP),
        ("DetachPolicy", json!({ "PolicyId": rcp, "TargetId": root }), RCP),
        ("DescribePolicy", json!({ "PolicyId": rcp }), RCP),
        ("ListTargetsForPolicy", json!({ "PolicyId": scp }), SCP),
        ("ListTagsForResource", json!({ "ResourceId": rcp }), RCP),
        ("ListPolicies", json!({ "Filter": RCP }), RCP),
        ("ListPoliciesForTarget", json!({ "TargetId": root, "Filter": SCP }), SCP),
        ("DescribeEffectivePolicy", json!({ "PolicyType": tags, "TargetId": member }), tags),
        ("ListAccountsWithInvalidEffectivePolicy", json!({ "PolicyType": tags }), tags),
        ("ListEffectivePolicyValidationErrors", json!({ "PolicyType": tags, "AccountId": member }), tags),
    ]
}

#[tokio::test]
async fn every_question_about_policies_tells_their_type() {
    let org = Organization::new().await;
    org.enable(SCP).await;
    org.enable(RCP).await;
    let own = org.policy(SCP, "own", r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#).await;
    let account = org.account("platform").await;
    let alice = org.user(&account, "alice").await;
    for granted in [SCP, RCP, "TAG_POLICY"] {
        let condition = json!({ "StringEquals": { "organizations:PolicyType": granted } });
        let statement = json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
            "Action": "organizations:*", "Resource": "*", "Condition": condition });
        let content = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        org.ok("PutResourcePolicy", json!({ "Content": content })).await;
        let own_policy = json!({ "Version": "2012-10-17", "Statement":
            { "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition } });
        let manager = org.server.user(granted, &[("typed", &own_policy.to_string())]).await;
        for (operation, input, kind) in about_types(&org, &own) {
            for client in [&alice, &manager] {
                let told = denied(client, operation, &input).await;
                assert_eq!(told, kind != granted, "{operation} {input} {granted}");
            }
        }
    }
}

#[tokio::test]
async fn who_looks_for_administrators_of_a_service_tells_which() {
    let org = Organization::new().await;
    let condition = json!({ "StringEquals": { "organizations:ServicePrincipal": "iam.amazonaws.com" } });
    let alice = let_in(&org, &["ListDelegatedAdministrators"], condition).await;
    for (input, reached) in [
        (json!({ "ServicePrincipal": "iam.amazonaws.com" }), true),
        (json!({ "ServicePrincipal": "guardduty.amazonaws.com" }), false),
        (json!({}), false),
    ] {
        assert_eq!(denied(&alice, "ListDelegatedAdministrators", &input).await, !reached, "{input}");
    }
}

#[tokio::test]
async fn the_resource_policy_keeps_a_delegated_administrator_from_looking() {
    let org = Organization::new().await;
    let account = org.account("security").await;
    let alice = org.user(&account, "alice").await;
    let service = "guardduty.amazonaws.com";
    org.ok("EnableAWSServiceAccess", json!({ "ServicePrincipal": service })).await;
    let register = json!({ "AccountId": account.as_str(), "ServicePrincipal": service });
    org.ok("RegisterDelegatedAdministrator", register).await;
    let put = async |effect: &str, action: &str| {
        let statement = json!({ "Effect": effect, "Action": action, "Resource": "*",
            "Principal": { "AWS": format!("arn:aws:iam::{account}:root") } });
        let content = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        org.ok("PutResourcePolicy", json!({ "Content": content })).await;
    };
    for (effect, action) in [("Allow", "organizations:ListRoots"), ("Deny", "organizations:ListRoots")] {
        put(effect, action).await;
        ok(&alice, "ListAccounts", json!({})).await;
    }
    put("Deny", "organizations:ListAccounts").await;
    assert_eq!(refused(&alice, "ListAccounts", json!({})).await.0, "AccessDeniedException");
    ok(&alice, "ListRoots", json!({})).await;
    org.ok("ListAccounts", json!({})).await;
}
