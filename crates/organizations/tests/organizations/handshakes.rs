use daypass_core::model::AccountId;
use daypass_core::store::{Key, Prefix, Read as _, Record};
use daypass_core::testing::Client;
use serde::{Deserialize, Serialize};
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
    assert_eq!(each(&seen, "Handshakes", "Id"), [id.as_str()]);
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

/// An organization of consolidated billing, with accounts that came by invitations.
async fn invited(numbers: &[&str]) -> (Organization, Vec<Client>) {
    let org = Organization::of_features("CONSOLIDATED_BILLING").await;
    let mut members = vec![];
    for number in numbers {
        let member = org.user(&number.parse().unwrap(), &format!("of-{number}")).await;
        let asked = json!({ "Target": { "Id": number, "Type": "ACCOUNT" } });
        let asked = org.ok("InviteAccountToOrganization", asked).await;
        ok(&member, "AcceptHandshake", by_id(&text(&asked, "/Handshake/Id"))).await;
        members.push(member);
    }
    (org, members)
}

/// The handshake by which an account is asked for its approval.
async fn approval(member: &Client) -> String {
    let asked = json!({ "Filter": { "ActionType": "APPROVE_ALL_FEATURES" } });
    let asked = ok(member, "ListHandshakesForAccount", asked).await;
    let mut all = asked["Handshakes"].as_array().unwrap().iter();
    text(all.find(|handshake| handshake["State"] == "OPEN").unwrap(), "/Id")
}

async fn state(client: &Client, id: &str) -> String {
    text(&ok(client, "DescribeHandshake", by_id(id)).await, "/Handshake/State")
}

#[tokio::test]
async fn who_cancels_the_whole_cancels_what_was_asked_of_each_account() {
    let (org, members) = invited(&[OUTSIDE]).await;
    let bob = members.first().unwrap();
    let whole = text(&org.ok("EnableAllFeatures", json!({})).await, "/Handshake/Id");
    let part = approval(bob).await;
    org.ok("CancelHandshake", by_id(&whole)).await;
    assert_eq!(state(bob, &part).await, "CANCELED");
    assert_eq!(refused(bob, "AcceptHandshake", by_id(&part)).await.0, "InvalidHandshakeTransitionException");
    assert_eq!(state(&org.management, &whole).await, "CANCELED");
    assert_eq!(org.refused("AcceptHandshake", by_id(&whole)).await.0, "InvalidHandshakeTransitionException");
    // It can be asked again.
    org.ok("EnableAllFeatures", json!({})).await;
}

#[tokio::test]
async fn nobody_waits_for_an_account_that_left() {
    let (org, members) = invited(&[OUTSIDE, "777788889999"]).await;
    let [bob, carol] = &members[..] else { panic!() };
    let whole = text(&org.ok("EnableAllFeatures", json!({})).await, "/Handshake/Id");
    ok(bob, "AcceptHandshake", by_id(&approval(bob).await)).await;
    assert_eq!(state(&org.management, &whole).await, "REQUESTED");
    let part = approval(carol).await;
    ok(carol, "LeaveOrganization", json!({})).await;
    assert_eq!(
        refused(carol, "AcceptHandshake", by_id(&part)).await.0,
        "InvalidHandshakeTransitionException"
    );
    assert_eq!(state(&org.management, &whole).await, "OPEN");
    org.ok("CancelHandshake", by_id(&whole)).await;
    // Who declined stands in the way until it is gone.
    let whole = text(&org.ok("EnableAllFeatures", json!({})).await, "/Handshake/Id");
    ok(bob, "DeclineHandshake", by_id(&approval(bob).await)).await;
    assert_eq!(state(&org.management, &whole).await, "REQUESTED");
    org.ok("RemoveAccountFromOrganization", json!({ "AccountId": OUTSIDE })).await;
    org.ok("AcceptHandshake", by_id(&whole)).await;
}

#[tokio::test]
async fn nobody_joins_on_the_way_to_all_features() {
    let (org, _) = invited(&[OUTSIDE]).await;
    let eve = org.user(&"777788889999".parse().unwrap(), "eve").await;
    let ask = json!({ "Target": { "Id": "777788889999", "Type": "ACCOUNT" } });
    let early = text(&org.ok("InviteAccountToOrganization", ask.clone()).await, "/Handshake/Id");
    let whole = text(&org.ok("EnableAllFeatures", json!({})).await, "/Handshake/Id");
    let constraint = "HandshakeConstraintViolationException";
    assert_eq!(refused(&eve, "AcceptHandshake", by_id(&early)).await.0, constraint);
    org.ok("CancelHandshake", by_id(&whole)).await;
    ok(&eve, "AcceptHandshake", by_id(&early)).await;
}

/// A record of any kind.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Stored(Value);

impl Record for Stored {
    fn key(&self) -> Key {
        Key::new(&["organization-handshake", &text(&self.0, "/id")])
    }
}

#[tokio::test]
async fn what_ended_is_told_of_for_thirty_days_and_then_gone() {
    let org = Organization::new().await;
    let bob = org.user(&outside(), "bob").await;
    let id = text(&invite(&org).await, "/Handshake/Id");
    ok(&bob, "DeclineHandshake", by_id(&id)).await;
    org.server.clock.advance(30 * 86_400 - 1);
    assert_eq!(state(&org.server.administrator().await, &id).await, "DECLINED");
    org.server.clock.advance(1);
    let org = Organization { management: org.server.administrator().await, ..org };
    assert_eq!(org.refused("DescribeHandshake", by_id(&id)).await.0, "HandshakeNotFoundException");
    let listed = org.ok("ListHandshakesForOrganization", json!({})).await;
    assert!(each(&listed, "Handshakes", "Id").is_empty());
    let kept = |org: &Organization| {
        let all = Prefix::new(&["organization-handshake"]);
        org.server.gate.state().store.read(|tx| tx.all::<Stored>(&all)).unwrap().len()
    };
    assert_eq!(kept(&org), 1);
    invite(&org).await;
    assert_eq!(kept(&org), 1);
}
