//! Codes of MFA devices: whom they let in, once.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use daypass_core::store::records::{Indexed as _, MfaAssignment, MfaDevice, MfaUser, Policies, Role};
use daypass_core::store::{StoreError, TransactError};
use daypass_core::testing::{Client, TestAnswer, TestServer, account};
use daypass_core::{Clock as _, Secret, mfa};

const SERIAL: &str = "arn:aws:iam::123456789012:mfa/alice";
const SEED: &[u8] = b"1234567890123456789012345678901234567890";
const ROLE: &str = "arn:aws:iam::123456789012:role/guarded";
const INVALID: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
const UNKNOWN: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.";

/// A server with a user that has a device, and another that has none.
async fn server(policy: &str) -> (TestServer, Client, Client) {
    let server = TestServer::new(daypass_sts::OPERATIONS.iter().copied()).await;
    let alice = server.user("alice", &[("may", policy)]).await;
    let bob = server.user("bob", &[("may", policy)]).await;
    let seed = mfa::seal(server.gate.state(), SERIAL, &Secret::new(SEED.to_vec())).unwrap();
    let user_id = "AIDAALICEQQQQQQQQQQQQ".to_owned();
    let enabled = server.clock.now();
    let device = MfaDevice {
        account: account(),
        path: "/".into(),
        name: "alice".into(),
        created: enabled,
        seed,
        tags: vec![],
        user: Some(MfaUser { id: user_id.clone(), enabled }),
    };
    let assignment = MfaAssignment { account: account(), user_id, serial: SERIAL.into(), enabled };
    let put: Result<(), TransactError<StoreError>> = server
        .gate
        .state()
        .store
        .transact(|tx| {
            tx.put(&assignment)?;
            device.save(tx)
        })
        .await;
    put.unwrap();
    (server, alice, bob)
}

/// The code that the device shows, so many seconds from now.
fn code(server: &TestServer, seconds: i64) -> String {
    mfa::shown_code(SEED, server.clock.now().plus_seconds(seconds))
}

async fn token(client: &Client, serial: &str, code: &str) -> TestAnswer {
    client.query("sts", "GetSessionToken", &[("SerialNumber", serial), ("TokenCode", code)]).await
}

fn session(server: &TestServer, answer: &TestAnswer) -> Client {
    server.client(
        answer.xml("AccessKeyId").unwrap(),
        answer.xml("SecretAccessKey").unwrap(),
        answer.xml("SessionToken").map(str::to_owned),
    )
}

/// Asks for something that only the policy of a test allows: of EC2, which is not part of this server and says so to who
/// may ask. (Of STS, a session of `GetSessionToken` may ask next to nothing.)
async fn asks(client: &Client) -> String {
    client.query("ec2", "DescribeVpcs", &[]).await.refused().0
}

const DENIED: &str = "UnauthorizedOperation";
const ALLOWED: &str = "UnsupportedOperation";

const WITH_MFA: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["ec2:DescribeVpcs","sts:AssumeRole"],"Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}}}"#;

#[tokio::test]
async fn a_session_with_a_code_is_one_with_mfa_until_it_is_too_old() {
    let (server, alice, _) = server(WITH_MFA).await;
    assert_eq!(asks(&alice).await, DENIED);
    let plain = alice.query("sts", "GetSessionToken", &[]).await.ok();
    assert_eq!(asks(&session(&server, &plain)).await, DENIED);
    let proved = session(&server, &token(&alice, SERIAL, &code(&server, 0)).await.ok());
    assert_eq!(asks(&proved).await, ALLOWED);
    server.clock.advance(299);
    assert_eq!(asks(&proved).await, ALLOWED);
    server.clock.advance(1);
    assert_eq!(asks(&proved).await, DENIED);
}

#[tokio::test]
async fn a_code_is_good_once_and_earlier_ones_are_not_after_it() {
    let (server, alice, _) = server(WITH_MFA).await;
    let invalid = ("AccessDenied".to_owned(), INVALID.to_owned());
    let (before, now, after) = (code(&server, -30), code(&server, 0), code(&server, 30));
    token(&alice, SERIAL, &now).await.ok();
    for used in [&now, &before] {
        assert_eq!(token(&alice, SERIAL, used).await.refused(), invalid);
    }
    token(&alice, SERIAL, &after).await.ok();
    for wrong in ["000000", &code(&server, 90), &code(&server, -90)] {
        assert_eq!(token(&alice, SERIAL, wrong).await.refused(), invalid);
    }
}

#[tokio::test]
async fn a_device_whose_clock_goes_wrong_slowly_is_followed() {
    let (server, alice, _) = server(WITH_MFA).await;
    for drift in 1..=20 {
        server.clock.advance(3600);
        token(&alice, SERIAL, &code(&server, drift * 30)).await.ok();
    }
    server.clock.advance(3600);
    assert_eq!(token(&alice, SERIAL, &code(&server, 0)).await.refused().1, INVALID);
}

#[tokio::test]
async fn guessing_soon_takes_long() {
    let (server, alice, _) = server(WITH_MFA).await;
    for _ in 0..5 {
        assert_eq!(token(&alice, SERIAL, "000000").await.refused().1, INVALID);
    }
    // Now even the right code has to wait.
    assert_eq!(token(&alice, SERIAL, &code(&server, 0)).await.refused().1, INVALID);
    server.clock.advance(30);
    token(&alice, SERIAL, &code(&server, 0)).await.ok();
    // It was right: the count begins again.
    for _ in 0..4 {
        token(&alice, SERIAL, "000000").await.refused();
    }
    server.clock.advance(30);
    token(&alice, SERIAL, &code(&server, 0)).await.ok();
}

#[tokio::test]
async fn a_code_is_its_owners_alone_and_comes_with_its_device() {
    let (server, alice, bob) = server(WITH_MFA).await;
    let now = code(&server, 0);
    let unknown = ("AccessDenied".to_owned(), UNKNOWN.to_owned());
    assert_eq!(token(&bob, SERIAL, &now).await.refused(), unknown);
    for serial in
        ["arn:aws:iam::123456789012:mfa/ALICE", "arn:aws:iam::123456789012:mfa/other", "GAHT12345678"]
    {
        assert_eq!(token(&alice, serial, &now).await.refused(), unknown, "{serial}");
    }
    let half = alice.query("sts", "GetSessionToken", &[("SerialNumber", SERIAL)]).await.refused();
    let words =
        "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
    assert_eq!(half, ("AccessDenied".to_owned(), words.to_owned()));
    token(&alice, SERIAL, &now).await.ok();
}

/// Puts a role that trusts the account where there is MFA.
async fn role(server: &TestServer) {
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}"#;
    let policy = WITH_MFA.to_owned();
    let role = Role {
        account: account(),
        path: "/".into(),
        name: "guarded".into(),
        id: "AROAGUARDEDQQQQQQQQQQ".into(),
        created: server.clock.now(),
        description: None,
        trust_policy: trust.into(),
        max_session_seconds: 3600,
        policies: Policies { inline: [("may".to_owned(), policy)].into(), attached: vec![] },
        permissions_boundary: None,
        tags: vec![],
        instance_profiles: vec![],
    };
    let put: Result<(), TransactError<StoreError>> =
        server.gate.state().store.transact(|tx| role.save(tx)).await;
    put.unwrap();
}

async fn assume(client: &Client, parameters: &[(&str, &str)]) -> TestAnswer {
    let all = [&[("RoleArn", ROLE), ("RoleSessionName", "s1")], parameters].concat();
    client.query("sts", "AssumeRole", &all).await
}

#[tokio::test]
async fn a_role_that_wants_mfa_is_assumed_with_a_code_and_its_session_has_none() {
    let (server, alice, bob) = server(WITH_MFA).await;
    role(&server).await;
    assert_eq!(assume(&alice, &[]).await.refused().0, "AccessDenied");
    let now = code(&server, 0);
    let given = [("SerialNumber", SERIAL), ("TokenCode", now.as_str())];
    assert_eq!(assume(&bob, &given).await.refused().1, UNKNOWN);
    assert_eq!(
        assume(&alice, &[("SerialNumber", SERIAL), ("TokenCode", "000000")]).await.refused().1,
        INVALID
    );
    let assumed = session(&server, &assume(&alice, &given).await.ok());
    assert_eq!(assume(&alice, &given).await.refused().1, INVALID);
    // What a role does is not told to have been with MFA, and a role has no device.
    assert_eq!(asks(&assumed).await, DENIED);
    server.clock.advance(30);
    let later = code(&server, 0);
    let given = [("SerialNumber", SERIAL), ("TokenCode", later.as_str())];
    assert_eq!(assume(&assumed, &given).await.refused().1, UNKNOWN);
    for said in [&now, &later] {
        assert!(
            server.audit().iter().all(|record| !record.event.contains(said.as_str())),
            "a code stands in the log"
        );
    }
    // A session with MFA needs no code.
    let proved = session(&server, &token(&alice, SERIAL, &later).await.ok());
    assume(&proved, &[]).await.ok();
}
