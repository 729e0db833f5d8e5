//! What control policies do to requests.

use serde_json::json;

use crate::support::{ALL, Organization, SCP, ok, refused};

const NOTHING: &str = r#"{"Effect":"Deny","Action":"organizations:DescribeOrganization","Resource":"*"}"#;

async fn may(client: &daypass_core::testing::Client) -> bool {
    crate::support::send(client, "DescribeOrganization", json!({})).await.status == 200
}

#[tokio::test]
async fn a_policy_counts_from_the_next_request_wherever_it_hangs_above_the_account() {
    let org = Organization::new().await;
    org.enable(SCP).await;
    let account = org.account("dev").await;
    let (outer, other) = (org.unit(&org.root, "outer").await, org.unit(&org.root, "other").await);
    let inner = org.unit(&outer, "inner").await;
    org.ok(
        "MoveAccount",
        json!({ "AccountId": account.as_str(), "SourceParentId": org.root, "DestinationParentId": inner }),
    )
    .await;
    let alice = org.user(&account, "alice").await;
    let deny = org.policy(SCP, "deny", NOTHING).await;
    assert!(may(&alice).await);
    for target in [account.as_str(), &inner, &outer, &org.root] {
        org.attach(&deny, target).await;
        let (code, words) = refused(&alice, "DescribeOrganization", json!({})).await;
        assert_eq!(code, "AccessDeniedException");
        let arn =
            format!("arn:aws:organizations::123456789012:policy/{}/service_control_policy/{deny}", org.id);
        assert_eq!(
            words,
            format!(
                "User: arn:aws:iam::{account}:user/alice is not authorized to perform: organizations:DescribeOrganization with an explicit deny in a service control policy: {arn}"
            )
        );
        // Never the management account, wherever the policy hangs.
        assert!(may(&org.management).await, "{target}");
        org.ok("DetachPolicy", json!({ "PolicyId": deny, "TargetId": target })).await;
        assert!(may(&alice).await, "{target}");
    }
    org.attach(&deny, &other).await;
    assert!(may(&alice).await);
    org.ok(
        "MoveAccount",
        json!({ "AccountId": account.as_str(), "SourceParentId": inner, "DestinationParentId": other }),
    )
    .await;
    assert!(!may(&alice).await);
    let harmless = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}"#;
    org.ok("UpdatePolicy", json!({ "PolicyId": deny, "Content": harmless })).await;
    assert!(may(&alice).await);
    let full = format!(r#"{{"Version":"2012-10-17","Statement":{NOTHING}}}"#);
    org.ok("UpdatePolicy", json!({ "PolicyId": deny, "Content": full })).await;
    assert!(!may(&alice).await);
    org.ok("DisablePolicyType", json!({ "RootId": org.root, "PolicyType": SCP })).await;
    assert!(may(&alice).await);
    org.enable(SCP).await;
    org.attach(&deny, &org.root).await;
    assert!(!may(&alice).await);
    org.ok("RemoveAccountFromOrganization", json!({ "AccountId": account.as_str() })).await;
    let (code, _) = refused(&alice, "DescribeOrganization", json!({})).await;
    assert_eq!(code, "AWSOrganizationsNotInUseException");
}

#[tokio::test]
async fn every_level_has_to_allow() {
    let org = Organization::new().await;
    org.enable(SCP).await;
    let account = org.account("dev").await;
    let alice = org.user(&account, "alice").await;
    let only = org.policy(SCP, "only", r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#).await;
    org.attach(&only, account.as_str()).await;
    assert!(may(&alice).await);
    org.ok("DetachPolicy", json!({ "PolicyId": "p-FullAWSAccess", "TargetId": account.as_str() })).await;
    let (_, words) = refused(&alice, "DescribeOrganization", json!({})).await;
    assert!(
        words.ends_with(
            "because no service control policy allows the organizations:DescribeOrganization action"
        ),
        "{words}"
    );
    assert!(may(&org.management).await);
}

#[tokio::test]
async fn a_policy_grants_nothing_and_knows_the_organization() {
    let org = Organization::new().await;
    org.enable(SCP).await;
    let account = org.account("dev").await;
    let unit = org.unit(&org.root, "unit").await;
    org.ok(
        "MoveAccount",
        json!({ "AccountId": account.as_str(), "SourceParentId": org.root, "DestinationParentId": unit }),
    )
    .await;
    let nobody = org.server.user_of(&account, "nobody", &[]).await;
    assert!(!may(&nobody).await);
    for (number, (key, value, allowed)) in [
        ("aws:PrincipalOrgID", org.id.clone(), true),
        ("aws:PrincipalOrgID", "o-aaaaaaaaaa".to_owned(), false),
        ("aws:ResourceOrgID", org.id.clone(), true),
        ("aws:PrincipalOrgPaths", format!("{}/{}/{unit}/", org.id, org.root), true),
        ("aws:PrincipalOrgPaths", format!("{}/{}/", org.id, org.root), false),
        ("aws:ResourceOrgPaths", format!("{}/{}/{unit}/", org.id, org.root), true),
        ("aws:PrincipalAccount", account.to_string(), true),
        ("aws:ResourceAccount", account.to_string(), true),
        ("aws:ResourceAccount", "123456789012".to_owned(), false),
    ]
    .into_iter()
    .enumerate()
    {
        let operator = if key.ends_with("Paths") { "ForAnyValue:StringEquals" } else { "StringEquals" };
        let policy = ALL.replace(
            r#""Resource":"*""#,
            &format!(r#""Resource":"*","Condition":{{"{operator}":{{"{key}":"{value}"}}}}"#),
        );
        let user = org.server.user_of(&account, &format!("u{number}"), &[("if", &policy)]).await;
        assert_eq!(may(&user).await, allowed, "{key} {value}");
    }
    ok(&org.management, "DescribeOrganization", json!({})).await;
}
