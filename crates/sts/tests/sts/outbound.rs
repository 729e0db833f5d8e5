//! Tokens of the account's own, and federated users.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_core::federation::{Algorithm, KeySet, Token};
use daypass_core::store::records::{TokenIssuer, TokenIssuerId};
use daypass_core::store::{Read as _, StoreError, TransactError};
use daypass_core::testing::{Client, NOW, TestAnswer, TestServer, account};
use daypass_core::token_issuer;
use serde_json::{Value, json};

const ID: &str = "0f0e0d0c-0b0a-4908-8706-050403020100";
const MAY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sts:GetWebIdentityToken","sts:TagGetWebIdentityToken"],"Resource":"arn:aws:sts::123456789012:self","Condition":{"ForAllValues:StringEquals":{"sts:IdentityTokenAudience":["https://vault.example","gcp"]}}}}"#;

/// A server whose account issues tokens.
async fn issuing() -> TestServer {
    let server = TestServer::new(daypass_sts::OPERATIONS.iter().copied()).await;
    let state = server.gate.state();
    let mut keys = vec![];
    for algorithm in [Algorithm::Rs256, Algorithm::Es384] {
        keys.push(token_issuer::new_key(state, &account(), algorithm, state.clock.now()).await.unwrap());
    }
    let issuer = TokenIssuer { account: account(), id: ID.into(), enabled: true, keys };
    let put: Result<(), TransactError<StoreError>> = state
        .store
        .transact(|tx| {
            tx.put(&TokenIssuerId { id: ID.into(), account: account() })?;
            tx.put(&issuer)
        })
        .await;
    put.unwrap();
    server
}

async fn ask(client: &Client, more: &[(&str, &str)]) -> TestAnswer {
    let mut all = more.to_vec();
    for (name, value) in [("Audience.member.1", "https://vault.example"), ("SigningAlgorithm", "ES384")] {
        if !more.iter().any(|(given, _)| *given == name) {
            all.push((name, value));
        }
    }
    client.query("sts", "GetWebIdentityToken", &all).await
}

fn published(server: &TestServer, file: &str) -> Option<String> {
    let path = format!("/_daypass/oidc/{ID}/.well-known/{file}");
    token_issuer::document(server.gate.state(), &path).unwrap()
}

fn keys(server: &TestServer) -> KeySet {
    KeySet::parse(published(server, "jwks.json").unwrap().as_bytes()).unwrap()
}

fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_says_who_the_caller_is_and_is_verified_with_what_is_published() {
    let server = issuing().await;
    let alice = server.user("alice", &[("may", MAY)]).await;
    for algorithm in ["RS256", "ES384"] {
        let tags =
            [("SigningAlgorithm", algorithm), ("Tags.member.1.Key", "job"), ("Tags.member.1.Value", "7")];
        let answer = ask(&alice, &tags).await.ok();
        assert_eq!(answer.xml("Expiration"), Some("2026-11-22T02:19:00Z"));
        let text = answer.xml("WebIdentityToken").unwrap();
        let token = Token::parse(text).unwrap();
        assert_eq!(token.algorithm().name(), algorithm);
        token.verify(&keys(&server)).unwrap();
        let mut claims = payload(text);
        let id = claims.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(id.as_str().unwrap().len(), 36);
        assert_eq!(
            claims,
            json!({
                "iss": format!("https://daypass.example/_daypass/oidc/{ID}"),
                "aud": "https://vault.example",
                "sub": "arn:aws:iam::123456789012:user/alice",
                "iat": NOW,
                "exp": NOW + 300,
                "https://sts.amazonaws.com/": {
                    "aws_account": "123456789012", "source_region": "us-east-1", "request_tags": { "job": "7" },
                },
            })
        );
    }
    let discovery: Value =
        serde_json::from_str(&published(&server, "openid-configuration").unwrap()).unwrap();
    assert_eq!(discovery["issuer"], format!("https://daypass.example/_daypass/oidc/{ID}"));
    assert_eq!(
        discovery["jwks_uri"],
        format!("https://daypass.example/_daypass/oidc/{ID}/.well-known/jwks.json")
    );
    assert!(server.audit().iter().all(|r| !r.event.contains("eyJ")), "a token stands in the log");
}

#[tokio::test]
async fn a_session_s_token_is_its_role_s_and_ends_with_it() {
    let server = issuing().await;
    let administrator = server.administrator().await;
    let both = [("Audience.member.1", "a"), ("Audience.member.2", "b"), ("DurationSeconds", "3600")];
    let claims = payload(ask(&administrator, &both).await.ok().xml("WebIdentityToken").unwrap());
    assert_eq!(claims["aud"], json!(["a", "b"]));
    assert_eq!(claims["sub"], "arn:aws:iam::123456789012:role/daypass/Administrator");
    assert_eq!(claims["https://sts.amazonaws.com/"]["original_session_exp"], "2026-11-22T03:14:00Z");
    server.clock.advance(1);
    assert_eq!(ask(&administrator, &both).await.refused().0, "SessionDurationEscalationException");
}

#[tokio::test]
async fn who_may_have_a_token_for_whom_is_asked() {
    let server = issuing().await;
    let alice = server.user("alice", &[("may", MAY)]).await;
    assert_eq!(ask(&alice, &[("Audience.member.1", "elsewhere")]).await.refused().0, "AccessDenied");
    let only = MAY.replace(r#","sts:TagGetWebIdentityToken""#, "");
    let bob = server.user("bob", &[("may", &only)]).await;
    ask(&bob, &[]).await.ok();
    let tags = [("Tags.member.1.Key", "job"), ("Tags.member.1.Value", "7")];
    let (code, words) = ask(&bob, &tags).await.refused();
    assert_eq!(code, "AccessDenied");
    assert!(words.contains("sts:TagGetWebIdentityToken"), "{words}");
    assert_eq!(ask(&alice, &[("SigningAlgorithm", "HS256")]).await.refused().0, "ValidationError");
    assert_eq!(ask(&alice, &[("DurationSeconds", "59")]).await.refused().0, "ValidationError");
    assert_eq!(ask(&server.anonymous(), &[]).await.refused().0, "MissingAuthenticationToken");
}

#[tokio::test]
async fn keys_are_replaced_and_those_before_them_still_verify() {
    let server = issuing().await;
    let alice = server.user("alice", &[("may", MAY)]).await;
    let first = ask(&alice, &[]).await.ok().xml("WebIdentityToken").unwrap().to_owned();
    server.clock.advance(90 * 86_400);
    let second = ask(&alice, &[]).await.ok().xml("WebIdentityToken").unwrap().to_owned();
    let (first, second) = (Token::parse(&first).unwrap(), Token::parse(&second).unwrap());
    assert_ne!(first.key_id(), second.key_id());
    first.verify(&keys(&server)).unwrap();
    second.verify(&keys(&server)).unwrap();
    server.clock.advance(90 * 86_400);
    ask(&alice, &[]).await.ok();
    assert!(first.verify(&keys(&server)).is_err(), "the oldest key is still published");
    second.verify(&keys(&server)).unwrap();
}

#[tokio::test]
async fn an_account_that_issues_nothing_publishes_nothing() {
    let server = issuing().await;
    let state = server.gate.state();
    let off: Result<(), TransactError<StoreError>> = state
        .store
        .transact(|tx| {
            let mut issuer = tx.get::<TokenIssuer>(&TokenIssuer::key_of(&account()))?.unwrap();
            issuer.enabled = false;
            tx.put(&issuer)
        })
        .await;
    off.unwrap();
    let refused = ask(&server.administrator().await, &[]).await.refused();
    assert_eq!(refused.0, "OutboundWebIdentityFederationDisabledException");
    for file in ["jwks.json", "openid-configuration", "other"] {
        assert_eq!(published(&server, file), None, "{file}");
    }
    for path in ["/_daypass/oidc/", "/_daypass/oidc/x", "/_daypass/oidc/../jwks.json", "/"] {
        assert_eq!(token_issuer::document(state, path).unwrap(), None, "{path}");
    }
}

const FEDERATE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:GetFederationToken","sts:GetAccessKeyInfo","sts:TagSession"],"Resource":"*"}]}"#;
const INFO: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:GetAccessKeyInfo","Resource":"*"}}"#;

fn session(server: &TestServer, answer: &TestAnswer) -> Client {
    server.client(
        answer.xml("AccessKeyId").unwrap(),
        answer.xml("SecretAccessKey").unwrap(),
        answer.xml("SessionToken").map(str::to_owned),
    )
}

#[tokio::test]
async fn a_federated_user_is_itself_and_has_what_its_policy_and_its_maker_both_allow() {
    let server = issuing().await;
    let alice = server.user("alice", &[("may", FEDERATE)]).await;
    let name = ("Name", "bob@example.com");
    let answer = alice.query("sts", "GetFederationToken", &[name, ("Policy", INFO)]).await.ok();
    assert_eq!(answer.xml("Arn"), Some("arn:aws:sts::123456789012:federated-user/bob@example.com"));
    assert_eq!(answer.xml("FederatedUserId"), Some("123456789012:bob@example.com"));
    assert_eq!(answer.xml("Expiration"), Some("2026-11-22T14:14:00Z"));
    let bob = session(&server, &answer);
    let who = bob.query("sts", "GetCallerIdentity", &[]).await.ok();
    assert_eq!(who.xml("Arn"), Some("arn:aws:sts::123456789012:federated-user/bob@example.com"));
    assert_eq!(who.xml("UserId"), Some("123456789012:bob@example.com"));
    // Of STS a federated user may nothing else, whatever policies say (IAM user guide, `id_credentials_temp_request`).
    let key = [("AccessKeyId", "ASIAY34FZKBOKMUTVV7A")];
    assert_eq!(bob.query("sts", "GetAccessKeyInfo", &key).await.refused().0, "AccessDenied");
    assert_eq!(bob.query("sts", "GetFederationToken", &[name]).await.refused().0, "AccessDenied");
    let event: Value = serde_json::from_str(&server.audit()[1].event).unwrap();
    assert_eq!(event["userIdentity"]["type"], "FederatedUser");
    assert_eq!(event["userIdentity"]["principalId"], "123456789012:bob@example.com");
    assert_eq!(
        event["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"],
        "arn:aws:iam::123456789012:user/alice"
    );
}

#[tokio::test]
async fn only_a_user_with_its_own_key_makes_federated_users() {
    let server = issuing().await;
    let name = [("Name", "bob")];
    let refused = server.administrator().await.query("sts", "GetFederationToken", &name).await.refused();
    assert_eq!(
        refused,
        ("AccessDenied".to_owned(), "Cannot call GetFederationToken with session credentials".to_owned())
    );
    let nobody = server.user("nobody", &[]).await;
    let (code, words) = nobody.query("sts", "GetFederationToken", &name).await.refused();
    assert_eq!(code, "AccessDenied");
    assert!(words.contains("on resource: arn:aws:sts::123456789012:federated-user/bob"), "{words}");
    let alice = server.user("alice", &[("may", FEDERATE)]).await;
    for (parameters, code) in [
        (vec![("Name", "b")], "ValidationError"),
        (vec![("Name", "bob"), ("DurationSeconds", "899")], "ValidationError"),
        (vec![("Name", "bob"), ("Policy", "{}")], "MalformedPolicyDocument"),
        (
            vec![("Name", "bob"), ("Tags.member.1.Key", "aws:x"), ("Tags.member.1.Value", "1")],
            "InvalidParameterValue",
        ),
    ] {
        assert_eq!(alice.query("sts", "GetFederationToken", &parameters).await.refused().0, code);
    }
}
