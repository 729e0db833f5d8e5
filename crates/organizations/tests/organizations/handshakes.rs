use daypass_core::model::AccountId;
use serde_json::{Value, json};

use crate::support::{Organization, each, ok, pages, refused, text};

const OUTSIDE: &str = "444455556666";

fn outside() -> AccountId {
    OUTSIDE.parse().unwrap()
}

async fn invite(org: &Organization) -> Value {
    org.ok("InviteAccountToOrganization", json!({ "Target": { "Id": OUTSIDE, "Type": "ACCOUNT" } })).await
}

fn by_id(id: &str) -> Value {
    json!({ "HandshakeId": id })
}

#[tokio::test]
async fn who_is_invited_joins_by_accepting() {
    let org = Organization::new().await;
    let bob = org.user(&outside(), "bob").await;
    let invited = invite(&org).await;
    assert_eq!(text(&invited, "/Handshake/State"), "OPEN");
    assert_eq!(text(&invited, "/Handshake/Action"), "INVITE");
    let id = text(&invited, "/Handshake/Id");
    let arn = format!("arn:aws:organizations::123456789012:handshake/{}/invite/{id}", org.id);
    assert_eq!(text(&invited, "/Handshake/Arn"), arn);
    assert_eq!(text(&invited, "/Handshake/Resources/0/Resources/2/Value"), "ALL");
    let again = json!({ "Target": { "Id": OUTSIDE, "Type": "ACCOUNT" } });
    assert_eq!(
        org.refused("InviteAccountToOrganization", again.clone()).await.0,
        "DuplicateHandshakeException"
    );
    assert_eq!(refused(&org.management, "AcceptHandshake", by_id(&id)).await.0, "AccessDeniedException");
    let seen = ok(&bob, "ListHandshakesForAccount", json!({})).await;
    assert_eq!(each(&seen, "Handshakes", "Id"), [id.clone()]);
    ok(&bob, "DescribeHandshake", by_id(&id)).await;
    let accepted = ok(&bob, "AcceptHandshake", by_id(&id)).await;
    assert_eq!(text(&accepted, "/Handshake/State"), "ACCEPTED");
    let shown = org.ok("DescribeAccount", json!({ "AccountId": OUTSIDE })).await;
    assert_eq!(text(&shown, "/Account/JoinedMethod"), "INVITED");
    assert_eq!(refused(&bob, "AcceptHandshake", by_id(&id)).await.0, "HandshakeAlreadyInStateException");
    assert_eq!(refused(&bob, "DeclineHandshake", by_id(&id)).await.0, "InvalidHandshakeTransitionException");
    assert_eq!(
        org.refused("InviteAccountToOrganization", again).await.0,
        "HandshakeConstraintViolationException"
    );
}

#[tokio::test]
async fn an_invitation_is_declined_cancelled_or_expires() {
    let org = Organization::new().await;
    let bob = org.user(&outside(), "bob").await;
    let declined = text(&invite(&org).await, "/Handshake/Id");
    assert_eq!(text(&ok(&bob, "DeclineHandshake", by_id(&declined)).await, "/Handshake/State"), "DECLINED");
    let cancelled = text(&invite(&org).await, "/Handshake/Id");
    assert_eq!(refused(&bob, "CancelHandshake", by_id(&cancelled)).await.0, "AccessDeniedException");
    assert_eq!(text(&org.ok("CancelHandshake", by_id(&cancelled)).await, "/Handshake/State"), "CANCELED");
    let expired = text(&invite(&org).await, "/Handshake/Id");
    let input = json!({});
    let listed = pages(&org.management, "ListHandshakesForOrganization", &input, "Handshakes", "Id").await;
    assert_eq!(listed.len(), 3);
    org.server.clock.advance(15 * 86_400);
    let bob = org.user(&outside(), "bob").await;
    assert_eq!(
        refused(&bob, "AcceptHandshake", by_id(&expired)).await.0,
        "InvalidHandshakeTransitionException"
    );
    assert_eq!(text(&ok(&bob, "DescribeHandshake", by_id(&expired)).await, "/Handshake/State"), "EXPIRED");
}

#[tokio::test]
async fn a_handshake_is_nobody_elses_business() {
    let org = Organization::new().await;
    org.user(&outside(), "bob").await;
    let id = text(&invite(&org).await, "/Handshake/Id");
    let eve = org.user(&"777788889999".parse().unwrap(), "eve").await;
    for operation in ["DescribeHandshake", "AcceptHandshake", "DeclineHandshake", "CancelHandshake"] {
        assert_eq!(refused(&eve, operation, by_id(&id)).await.0, "HandshakeNotFoundException", "{operation}");
    }
    let nobody = json!({ "Target": { "Id": "111111111111", "Type": "ACCOUNT" } });
    assert_eq!(org.refused("InviteAccountToOrganization", nobody).await.0, "AccountNotFoundException");
    let address = json!({ "Target": { "Id": format!("root@{OUTSIDE}.daypass.internal"), "Type": "EMAIL" } });
    assert_eq!(org.refused("InviteAccountToOrganization", address).await.0, "DuplicateHandshakeException");
    let wrong = json!({ "Target": { "Id": "o-aaaaaaaaaa", "Type": "ORGANIZATION" } });
    assert_eq!(org.refused("InviteAccountToOrganization", wrong).await.0, "InvalidInputException");
}

#[tokio::test]
async fn all_features_come_once_every_invited_account_agrees() {
    let org = Organization::of_features("CONSOLIDATED_BILLING").await;
    let bob = org.user(&outside(), "bob").await;
    let id = text(&invite(&org).await, "/Handshake/Id");
    ok(&bob, "AcceptHandshake", by_id(&id)).await;
    let input = json!({ "RootId": org.root, "PolicyType": "SERVICE_CONTROL_POLICY" });
    assert_eq!(
        org.refused("EnablePolicyType", input.clone()).await.0,
        "PolicyTypeNotAvailableForOrganizationException"
    );
    let whole = org.ok("EnableAllFeatures", json!({})).await;
    assert_eq!(text(&whole, "/Handshake/State"), "REQUESTED");
    let whole = text(&whole, "/Handshake/Id");
    assert_eq!(org.refused("EnableAllFeatures", json!({})).await.0, "HandshakeConstraintViolationException");
    assert_eq!(org.refused("AcceptHandshake", by_id(&whole)).await.0, "InvalidHandshakeTransitionException");
    let asked = json!({ "Filter": { "ActionType": "APPROVE_ALL_FEATURES" } });
    let asked = ok(&bob, "ListHandshakesForAccount", asked).await;
    ok(&bob, "AcceptHandshake", by_id(&text(&asked, "/Handshakes/0/Id"))).await;
    org.ok("AcceptHandshake", by_id(&whole)).await;
    let shown = org.ok("DescribeOrganization", json!({})).await;
    assert_eq!(text(&shown, "/Organization/FeatureSet"), "ALL");
    org.ok("EnablePolicyType", input).await;
}
