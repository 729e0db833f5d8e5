use daypass_core::testing::{NOW, account};
use serde_json::{Value, json};

use crate::support::{ACTION, ISSUER, Key, ONLY_MAIN, ROLE, World, claims, trust};

const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/token.example.com";

#[tokio::test]
async fn a_good_token_is_worth_a_session_of_the_role() {
    let world = World::new().await;
    let answer = world.assume(&world.key.token(&claims(&json!({}))), &[]).await.ok();
    for (name, value) in [
        ("Arn", "arn:aws:sts::123456789012:assumed-role/ci/run-1"),
        ("AssumedRoleId", "AROACIQQQQQQQQQQQQQQQ:run-1"),
        ("SubjectFromWebIdentityToken", "repo:acme/app:ref:refs/heads/main"),
        ("Audience", "sts.amazonaws.com"),
        ("Provider", PROVIDER),
        ("Expiration", "2026-11-22T03:14:00Z"),
    ] {
        assert_eq!(answer.xml(name), Some(value), "{name}");
    }
    let session = world.session(&answer);
    let who = session.query("sts", "GetCallerIdentity", &[]).await.ok();
    assert_eq!(who.xml("Arn"), Some("arn:aws:sts::123456789012:assumed-role/ci/run-1"));
    // Its permission hangs on the subject, which the session goes on to say.
    let key = [("AccessKeyId", "ASIAY34FZKBOKMUTVV7A")];
    session.query("sts", "GetAccessKeyInfo", &key).await.ok();
    let other = trust(ACTION, "");
    world.role("open", &other).await;
    let role = [("RoleArn", "arn:aws:iam::123456789012:role/open")];
    let answer = world.assume(&world.key.token(&claims(&json!({ "sub": "somebody" }))), &role).await.ok();
    let refused = world.session(&answer).query("sts", "GetAccessKeyInfo", &key).await.refused();
    assert_eq!(refused.0, "AccessDenied");
}

#[tokio::test]
async fn the_roles_of_a_closed_account_are_nobodys() {
    let world = World::new().await;
    let management = "444455556666".parse().unwrap();
    world.server.organize(&[management, account()], |_| {}).await;
    let token = world.key.token(&claims(&json!({})));
    world.assume(&token, &[]).await.ok();
    world.server.close(&account()).await;
    assert_eq!(world.assume(&token, &[]).await.refused().0, "AccessDenied");
}

#[tokio::test]
async fn the_record_says_who_came_and_by_whom_and_keeps_the_token_to_itself() {
    let world = World::new().await;
    let token = world.key.token(&claims(&json!({})));
    let answer = world.assume(&token, &[]).await.ok();
    world.session(&answer).query("sts", "GetCallerIdentity", &[]).await.ok();
    world.outcome(&json!({ "sub": "repo:evil/app:ref:refs/heads/main" })).await;
    let records = world.server.audit();
    let events: Vec<Value> = records.iter().map(|r| serde_json::from_str(&r.event).unwrap()).collect();
    assert_eq!(
        events[0]["userIdentity"],
        json!({
            "type": "WebIdentityUser",
            "principalId": format!("{PROVIDER}:sts.amazonaws.com:repo:acme/app:ref:refs/heads/main"),
            "userName": "repo:acme/app:ref:refs/heads/main",
            "identityProvider": PROVIDER,
        })
    );
    assert_eq!(events[0]["recipientAccountId"], "123456789012");
    assert_eq!(
        events[1]["userIdentity"]["sessionContext"]["webIdFederationData"],
        json!({ "federatedProvider": PROVIDER, "attributes": {} })
    );
    assert_eq!(events[2]["errorCode"], "AccessDenied");
    assert_eq!(events[2]["userIdentity"]["userName"], "repo:evil/app:ref:refs/heads/main");
    assert!(records[2].explanation.is_some());
    let signature = token.rsplit('.').next().unwrap();
    assert!(records.iter().all(|r| !r.event.contains(signature)));
}

#[tokio::test]
async fn refusals_are_in_aws_s_words() {
    let world = World::new().await;
    let expired =
        format!("Token expired: current date/time {NOW} must be before the expiration date/time {}", NOW - 1);
    for (changes, code, words) in [
        (json!({ "exp": NOW - 1 }), "ExpiredTokenException", expired.as_str()),
        (json!({ "aud": "elsewhere" }), "InvalidIdentityToken", "Incorrect token audience"),
        (
            json!({ "iss": "https://nobody.example" }),
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for https://nobody.example",
        ),
        (json!({ "sub": null }), "InvalidIdentityToken", "Missing a required claim: sub"),
        (json!({ "aud": null }), "InvalidIdentityToken", "Missing a required claim: aud"),
        (json!({ "exp": null }), "InvalidIdentityToken", "Missing a required claim: exp"),
        (json!({ "iat": null }), "InvalidIdentityToken", "Missing a required claim: iat"),
        (json!({ "iss": null }), "InvalidIdentityToken", "Missing a required claim: iss"),
        (json!({ "sub": "x" }), "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
    ] {
        let answer = world.assume(&world.key.token(&claims(&changes)), &[]).await;
        let (answered, message) = answer.refused();
        assert_eq!((answered.as_str(), message.as_str()), (code, words), "{changes}");
        assert_eq!(answer.status, if code == "AccessDenied" { 403 } else { 400 });
    }
    let access_token = world.assume("ya29.opaque", &[]).await.refused();
    assert!(access_token.1.starts_with("The ID Token provided is not a valid JWT."), "{access_token:?}");
    let facebook = world.assume("opaque", &[("ProviderId", "graph.facebook.com")]).await.refused();
    assert_eq!(facebook.0, "InvalidIdentityToken");
}

#[tokio::test]
async fn nobody_learns_whether_a_role_exists() {
    let world = World::new().await;
    let token = world.key.token(&claims(&json!({})));
    for role in
        ["role/nothing", "role/path/ci", "role/Administrator", "role/daypass/Administrator", "user/ci"]
    {
        let arn = format!("arn:aws:iam::123456789012:{role}");
        let refused = world.assume(&token, &[("RoleArn", &arn)]).await.refused();
        let words = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        assert_eq!((refused.0.as_str(), refused.1.as_str()), ("AccessDenied", words), "{role}");
    }
    // Another account has no such provider.
    let abroad = [("RoleArn", "arn:aws:iam::210987654321:role/ci")];
    let refused = world.assume(&token, &abroad).await.refused();
    assert_eq!(refused.1, format!("No OpenIDConnect provider found in your account for {ISSUER}"));
}

#[tokio::test]
async fn clocks_may_differ_by_five_minutes_but_what_is_over_is_over() {
    let world = World::new().await;
    for (changes, expected) in [
        (json!({ "iat": NOW + 300 }), "ok"),
        (json!({ "iat": NOW + 301 }), "InvalidIdentityToken"),
        (json!({ "nbf": NOW + 300 }), "ok"),
        (json!({ "nbf": NOW + 301 }), "InvalidIdentityToken"),
        (json!({ "exp": NOW + 1 }), "ok"),
        (json!({ "exp": NOW }), "ExpiredTokenException"),
        (json!({ "exp": NOW as f64 + 1.5 }), "ok"),
        (json!({ "iat": NOW - 86_400 * 30 }), "ok"),
    ] {
        assert_eq!(world.outcome(&changes).await, expected, "{changes}");
    }
}

#[tokio::test]
async fn the_audience_is_the_authorized_party_or_one_of_many() {
    let world = World::trusting(&trust(ACTION, "")).await;
    for (changes, audience) in [
        (json!({ "aud": ["x", "other-client"] }), Some("other-client")),
        (json!({ "aud": "x", "azp": "sts.amazonaws.com" }), Some("sts.amazonaws.com")),
        (json!({ "aud": "sts.amazonaws.com", "azp": "x" }), None),
        (json!({ "aud": [] }), None),
        (json!({ "aud": ["x"] }), None),
        (json!({ "aud": "STS.amazonaws.com" }), None),
    ] {
        let answer = world.assume(&world.key.token(&claims(&changes)), &[]).await;
        assert_eq!(answer.xml("Audience"), audience, "{changes}");
    }
}

#[tokio::test]
async fn claims_are_condition_keys_of_the_trust_policy() {
    let world = World::new().await;
    let rich = claims(&json!({
        "amr": ["authenticated", "mfa"], "azp": "other-client", "aud": ["a", "b"], "repository": "acme/app",
        "actor_id": 7, "ref_protected": "true", "project_id": "42", "secret": "x",
        "kubernetes.io": { "namespace": "prod", "serviceaccount": { "name": "deployer" } },
    }));
    let token = world.key.token(&rich);
    for (number, (condition, expected)) in [
        (r#""StringEquals":{"token.example.com:aud":"other-client"}"#, true),
        (r#""StringEquals":{"token.example.com:aud":"a"}"#, false),
        (r#""ForAnyValue:StringEquals":{"token.example.com:oaud":"a"}"#, true),
        (r#""StringEquals":{"token.example.com:azp":"other-client"}"#, true),
        (r#""ForAnyValue:StringEquals":{"token.example.com:amr":"mfa"}"#, true),
        (r#""ForAllValues:StringEquals":{"token.example.com:amr":"mfa"}"#, false),
        (r#""StringEquals":{"Token.Example.com:repository":"acme/app"}"#, true),
        (r#""StringEquals":{"token.example.com:actor_id":"7"}"#, true),
        (r#""StringEquals":{"token.example.com:project_id":"42"}"#, true),
        (r#""Bool":{"token.example.com:ref_protected":"true"}"#, true),
        (r#""StringEquals":{"token.example.com:kubernetes.io/serviceaccount/name":"deployer"}"#, true),
        (r#""StringEquals":{"token.example.com:kubernetes.io/namespace":"prod"}"#, true),
        (r#""Null":{"token.example.com:secret":"true"}"#, true),
        (r#""StringEquals":{"other.example.com:repository":"acme/app"}"#, false),
        (r#""StringLike":{"token.example.com:sub":"repo:acme/*"}"#, true),
        (r#""StringEquals":{"token.example.com:sub":"repo:acme/*"}"#, false),
        (r#""ArnEquals":{"aws:FederatedProvider":"arn:aws:iam::123456789012:oidc-provider/token.example.com"}"#, true),
        (r#""StringEquals":{"sts:RoleSessionName":"run-1"}"#, true),
        (r#""NumericLessThan":{"sts:DurationSeconds":"3600"}"#, false),
        (r#""StringEquals":{"aws:ResourceTag/team":"red"}"#, true),
        (r#""StringEquals":{"aws:PrincipalAccount":"123456789012"}"#, false),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("r{number}");
        world.role(&name, &trust(ACTION, condition)).await;
        let arn = format!("arn:aws:iam::123456789012:role/{name}");
        let answer = world.assume(&token, &[("RoleArn", &arn)]).await;
        assert_eq!(answer.status == 200, expected, "{condition} {}", answer.body);
    }
}

#[tokio::test]
async fn only_who_is_trusted_as_a_federated_principal_gets_in() {
    let world = World::new().await;
    let token = world.key.token(&claims(&json!({})));
    for (number, (principal, action, expected)) in [
        (format!(r#"{{"Federated":"{PROVIDER}"}}"#), "sts:AssumeRoleWithWebIdentity", true),
        (format!(r#"{{"Federated":["x.example.com","{PROVIDER}"]}}"#), "sts:*", true),
        (format!(r#"{{"Federated":"{PROVIDER}"}}"#), "sts:AssumeRole", false),
        (format!(r#"{{"Federated":"{PROVIDER}"}}"#), "sts:AssumeRoleWithSAML", false),
        (format!(r#"{{"Federated":"{PROVIDER}/x"}}"#), "sts:*", false),
        (r#"{"Federated":"token.example.com"}"#.to_owned(), "sts:*", false),
        (
            format!(r#"{{"Federated":"{}"}}"#, PROVIDER.replace("123456789012", "210987654321")),
            "sts:*",
            false,
        ),
        (r#"{"AWS":"arn:aws:iam::123456789012:root"}"#.to_owned(), "sts:*", false),
        (r#"{"Service":"token.example.com"}"#.to_owned(), "sts:*", false),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("r{number}");
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{principal},"Action":"{action}"}}}}"#
        );
        world.role(&name, &trust).await;
        let arn = format!("arn:aws:iam::123456789012:role/{name}");
        let answer = world.assume(&token, &[("RoleArn", &arn)]).await;
        assert_eq!(answer.status == 200, expected, "{principal} {action} {}", answer.body);
    }
}

#[tokio::test]
async fn tags_and_source_identity_come_from_claims_and_must_be_trusted() {
    let tags = json!({
        "https://aws.amazon.com/tags":
            { "principal_tags": { "Project": ["blue"], "Cost": "7" }, "transitive_tag_keys": ["Project"] },
    });
    let world = World::new().await;
    let refused = world.assume(&world.key.token(&claims(&tags)), &[]).await.refused();
    assert_eq!(refused.1, "Not authorized to perform sts:TagSession");
    let both = r#"["sts:AssumeRoleWithWebIdentity","sts:TagSession"]"#;
    let condition = format!(r#"{ONLY_MAIN},"StringEqualsIfExists":{{"aws:RequestTag/Project":"blue"}}"#);
    let world = World::trusting(&trust(both, &condition)).await;
    assert_eq!(world.outcome(&tags).await, "ok");
    let flat = json!({
        "https://aws.amazon.com/tags/principal_tags/Project": "blue",
        "https://aws.amazon.com/tags/transitive_tag_keys": ["Project"],
    });
    assert_eq!(world.outcome(&flat).await, "ok");
    for (wrong, code) in [
        (json!({ "principal_tags": { "Project": "red" } }), "AccessDenied"),
        (json!({ "principal_tags": { "Project": ["blue", "red"] } }), "InvalidIdentityToken"),
        (json!({ "principal_tags": { "aws:x": "blue" } }), "InvalidIdentityToken"),
        (json!({ "principal_tags": { "a": "1", "A": "2" } }), "InvalidIdentityToken"),
        (json!({ "principal_tags": { "a": "x".repeat(257) } }), "InvalidIdentityToken"),
        (json!({ "principal_tags": { "a<b": "x" } }), "InvalidIdentityToken"),
        (json!({ "principal_tags": [] }), "InvalidIdentityToken"),
        (json!({ "transitive_tag_keys": ["Project"] }), "InvalidIdentityToken"),
        (json!("x"), "InvalidIdentityToken"),
    ] {
        let changes = json!({ "https://aws.amazon.com/tags": wrong });
        assert_eq!(world.outcome(&changes).await, code, "{changes}");
    }
    let source = json!({ "https://aws.amazon.com/source_identity": "alice" });
    let refused = world.assume(&world.key.token(&claims(&source)), &[]).await.refused();
    assert_eq!(refused.1, "Not authorized to perform sts:SetSourceIdentity");
    let world = World::trusting(&trust(r#""sts:*""#, ONLY_MAIN)).await;
    let answer = world.assume(&world.key.token(&claims(&source)), &[]).await.ok();
    assert_eq!(answer.xml("SourceIdentity"), Some("alice"));
    let wrong = json!({ "https://aws.amazon.com/source_identity": "aws:alice" });
    assert_eq!(world.outcome(&wrong).await, "InvalidIdentityToken");
}

#[tokio::test]
async fn the_session_lasts_and_may_what_the_request_says_within_the_role_s_bounds() {
    let world = World::new().await;
    let token = world.key.token(&claims(&json!({})));
    let answer = world.assume(&token, &[("DurationSeconds", "7200")]).await.ok();
    assert_eq!(answer.xml("Expiration"), Some("2026-11-22T04:14:00Z"));
    for (seconds, code) in
        [("7201", "ValidationError"), ("899", "ValidationError"), ("43201", "ValidationError")]
    {
        assert_eq!(world.assume(&token, &[("DurationSeconds", seconds)]).await.refused().0, code);
    }
    let nothing = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let answer = world.assume(&token, &[("Policy", nothing)]).await.ok();
    let key = [("AccessKeyId", "ASIAY34FZKBOKMUTVV7A")];
    assert_eq!(
        world.session(&answer).query("sts", "GetAccessKeyInfo", &key).await.refused().0,
        "AccessDenied"
    );
    assert_eq!(world.assume(&token, &[("Policy", "{}")]).await.refused().0, "MalformedPolicyDocument");
}

#[tokio::test]
async fn keys_are_fetched_once_until_the_issuer_signs_with_another() {
    let world = World::new().await;
    assert_eq!(world.outcome(&json!({})).await, "ok");
    let keys = format!("{ISSUER}/keys");
    assert_eq!(world.server.web.fetched().last(), Some(&keys));
    assert_eq!(world.outcome(&json!({})).await, "ok");
    assert_eq!(world.server.web.fetched(), [""; 0]);
    let next = Key::new("k2");
    world.publish(ISSUER, &[&next]);
    // Unknown keys make us ask, but not all the time.
    let token = next.token(&claims(&json!({})));
    assert_eq!(world.assume(&token, &[]).await.refused().0, "InvalidIdentityToken");
    assert_eq!(world.server.web.fetched(), [""; 0]);
    world.server.clock.advance(10);
    world.assume(&token, &[]).await.ok();
    assert_eq!(world.server.web.fetched().len(), 2);
    // What the issuer took away is gone.
    assert_eq!(world.outcome(&json!({})).await, "InvalidIdentityToken");
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_is_believed_for_an_hour_and_not_asked_all_the_time() {
    let world = World::new().await;
    assert_eq!(world.outcome(&json!({ "exp": NOW + 90_000 })).await, "ok");
    world.server.web.withdraw(&format!("{ISSUER}/keys"));
    world.server.web.fetched();
    world.server.clock.advance(600);
    for _ in 0..5 {
        assert_eq!(world.outcome(&json!({ "exp": NOW + 90_000 })).await, "ok");
    }
    assert_eq!(world.server.web.fetched().len(), 2);
    world.server.clock.advance(3000);
    let answer = world.assume(&world.key.token(&claims(&json!({ "exp": NOW + 90_000 }))), &[]).await;
    assert_eq!(
        answer.refused().1,
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"
    );
}

#[tokio::test]
async fn the_operator_s_key_set_stands_in_for_an_issuer_that_cannot_be_reached() {
    let world = World::new().await;
    let offline = Key::new("o1");
    world.server.web.publish(&format!("offline {ISSUER}"), json!({ "keys": [offline.jwk] }).to_string());
    world.assume(&offline.token(&claims(&json!({}))), &[]).await.ok();
    assert_eq!(world.server.web.fetched(), [""; 0]);
    assert_eq!(world.outcome(&json!({})).await, "InvalidIdentityToken");
}

#[tokio::test]
async fn a_provider_that_is_gone_vouches_for_nobody() {
    use daypass_core::store::records::{Indexed as _, OidcProvider};
    use daypass_core::store::{Read as _, StoreError, TransactError};
    let world = World::new().await;
    assert_eq!(world.outcome(&json!({})).await, "ok");
    let gone: Result<(), TransactError<StoreError>> = world
        .server
        .gate
        .state()
        .store
        .transact(|tx| {
            let key = OidcProvider::key_of(&"123456789012".parse().unwrap(), "token.example.com");
            tx.get::<OidcProvider>(&key)?.unwrap().remove(tx)
        })
        .await;
    gone.unwrap();
    assert_eq!(world.outcome(&json!({})).await, "InvalidIdentityToken");
    assert!(ROLE.ends_with("/ci"));
}
