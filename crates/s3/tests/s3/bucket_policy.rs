//! Bucket policies: what is taken, what is shown, whom they let in.

use daypass_core::testing::Client;
use daypass_core::{Tls, TlsVersion};

use crate::buckets::ALL;
use crate::support::{Account, Refusal, ask, refusal, refused};

fn policy(effect: &str, principal: &str, action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{principal},"Action":"{action}","Resource":"{resource}"{condition}}}]}}"#
    )
}

fn listing_for(principal: &str, condition: &str) -> String {
    policy("Allow", principal, "s3:ListBucket", "arn:aws:s3:::b-1", condition)
}

async fn head(client: &Client) -> u16 {
    ask(client, "HEAD", "/b-1", "", "").await.status
}

#[tokio::test]
async fn a_policy_is_kept_shown_and_taken_away() {
    let account = Account::with_bucket("b-1").await;
    let none = refusal(404, "NoSuchBucketPolicy", "The bucket policy does not exist");
    assert_eq!(account.refused("GET", "/b-1", "policy", "").await, none);
    assert_eq!(account.refused("GET", "/b-1", "policyStatus", "").await, none);
    let text = listing_for(r#"{"AWS":"999988887777"}"#, "");
    account.policy("b-1", &text).await;
    let shown = account.ok("GET", "/b-1", "policy", "").await;
    assert_eq!(shown.body, text);
    assert_eq!(shown.headers["content-type"], "application/json");
    let status = account.ok("GET", "/b-1", "policyStatus", "").await;
    assert_eq!(status.xml("IsPublic"), Some("false"));
    assert_eq!(account.ok("DELETE", "/b-1", "policy", "").await.status, 204);
    assert_eq!(
        account.ok("DELETE", "/b-1", "policy", "").await.status,
        204,
        "what is not there can be deleted"
    );
    assert_eq!(account.refused("GET", "/b-1", "policy", "").await, none);
}

#[tokio::test]
async fn what_s3_would_not_take_is_refused_in_its_words() {
    let account = Account::with_bucket("b-1").await;
    let put = |text: String| {
        let account = &account;
        async move { account.refused("PUT", "/b-1", "policy", &text).await }
    };
    let malformed = |words: &str| refusal(400, "MalformedPolicy", words);
    let alice = r#"{"AWS":"arn:aws:iam::123456789012:user/alice"}"#;
    let cases: [(String, Refusal); 6] = [
        ("nonsense".into(), malformed("Policies must be valid JSON and the first byte must be '{'")),
        (
            policy("Allow", r#"{"AWS":"123456789012"}"#, "s3:GetObject", "arn:aws:s3:::other/*", ""),
            malformed("Policy has invalid resource"),
        ),
        (
            policy("Allow", r#"{"AWS":"123456789012"}"#, "s3:GetObject", "arn:aws:s3:::b-1", ""),
            malformed("Action does not apply to any resource(s) in statement"),
        ),
        (
            policy("Allow", r#"{"AWS":"123456789012"}"#, "iam:GetUser", "arn:aws:s3:::b-1", ""),
            malformed("Policy has invalid action"),
        ),
        (listing_for(alice, ""), malformed("Invalid principal in policy")),
        (
            format!("{{{}{}", " ".repeat(20 << 10), listing_for(alice, "").trim_start_matches('{')),
            refusal(400, "PolicyTooLarge", "Policy exceeds the maximum allowed document size."),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(put(text).await, expected);
    }
}

#[tokio::test]
async fn a_user_is_let_in_by_its_id_and_shown_by_its_arn() {
    let account = Account::with_bucket("b-1").await;
    let alice = account.server.user("alice", &[]).await;
    assert_eq!(head(&alice).await, 403);
    let text = listing_for(r#"{"AWS":"arn:aws:iam::123456789012:user/alice"}"#, "");
    account.policy("b-1", &text).await;
    assert_eq!(head(&alice).await, 200);
    assert_eq!(account.ok("GET", "/b-1", "policy", "").await.body, text);
}

#[tokio::test]
async fn another_account_needs_both_sides() {
    let account = Account::with_bucket("b-1").await;
    let (allowed, forbidden) =
        (account.stranger("eve", &[("all", ALL)]).await, account.stranger("mal", &[]).await);
    assert_eq!((head(&allowed).await, head(&forbidden).await), (403, 403));
    account.policy("b-1", &listing_for(r#"{"AWS":"999988887777"}"#, "")).await;
    assert_eq!((head(&allowed).await, head(&forbidden).await), (200, 403));
}

#[tokio::test]
async fn the_public_comes_in_only_where_nothing_blocks_it() {
    let account = Account::with_bucket("b-1").await;
    let (nobody, stranger) = (account.server.anonymous(), account.stranger("eve", &[("all", ALL)]).await);
    let open = listing_for(r#""*""#, "");
    let blocked = account.refused("PUT", "/b-1", "policy", &open).await;
    assert_eq!((blocked.0, blocked.1.as_str()), (403, "AccessDenied"));
    assert!(
        blocked.2.ends_with(
            "is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::b-1\" because public policies are blocked by the BlockPublicPolicy block public access setting."
        ),
        "{}",
        blocked.2
    );
    account.unblock("b-1").await;
    account.policy("b-1", &open).await;
    assert_eq!(account.ok("GET", "/b-1", "policyStatus", "").await.xml("IsPublic"), Some("true"));
    assert_eq!((head(&nobody).await, head(&stranger).await), (200, 200));
    // Blocked again, the policy stays and lets in nobody from outside.
    let block = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    account.ok("PUT", "/b-1", "publicAccessBlock", block).await;
    assert_eq!((head(&nobody).await, head(&stranger).await), (403, 403));
    let own = account.server.user("own", &[]).await;
    assert_eq!(head(&own).await, 200, "the account's own users come in still");
}

#[tokio::test]
async fn a_denial_holds_for_everybody_but_whoever_holds_the_machine_and_its_policy() {
    let account = Account::with_bucket("b-1").await;
    let power = account.server.user("power", &[("all", ALL)]).await;
    let deny = policy("Deny", r#""*""#, "s3:*", "arn:aws:s3:::b-1", "");
    account.policy("b-1", &deny).await;
    assert_eq!((head(&power).await, head(&account.administrator).await), (403, 403));
    let words = refused(&power, "DELETE", "/b-1", "policy", "").await.2;
    assert!(words.ends_with("with an explicit deny in a resource-based policy"), "{words}");
    assert_eq!(account.ok("GET", "/b-1", "policy", "").await.body, deny);
    account.ok("DELETE", "/b-1", "policy", "").await;
    assert_eq!(head(&power).await, 200);
}

#[tokio::test]
async fn policies_are_for_the_owners_account_alone() {
    let account = Account::with_bucket("b-1").await;
    let stranger = account.stranger("eve", &[("all", ALL)]).await;
    let text = policy("Allow", r#"{"AWS":"999988887777"}"#, "s3:*", "arn:aws:s3:::b-1", "");
    account.policy("b-1", &text).await;
    let expected =
        refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
    for (method, body) in [("GET", ""), ("PUT", text.as_str()), ("DELETE", "")] {
        assert_eq!(refused(&stranger, method, "/b-1", "policy", body).await, expected, "{method}");
    }
}

#[tokio::test]
async fn conditions_see_how_a_request_was_signed_and_sent() {
    let account = Account::with_bucket("b-1").await;
    let alice = account.server.user("alice", &[]).await;
    for (condition, expected) in [
        (r#"{"StringEquals":{"s3:authType":"REST-HEADER"}}"#, 200),
        (r#"{"StringEquals":{"s3:authType":"REST-QUERY-STRING"}}"#, 403),
        (r#"{"StringEquals":{"s3:signatureversion":"AWS4-HMAC-SHA256"}}"#, 200),
        (r#"{"NumericLessThan":{"s3:signatureAge":"60000"}}"#, 200),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, 403),
        (r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#, 200),
        (r#"{"StringEquals":{"s3:ResourceAccount":"123456789012"}}"#, 200),
        (r#"{"StringEquals":{"aws:ResourceAccount":"123456789012"}}"#, 200),
    ] {
        let principal = r#"{"AWS":"arn:aws:iam::123456789012:user/alice"}"#;
        account.policy("b-1", &listing_for(principal, &format!(r#","Condition":{condition}"#))).await;
        assert_eq!(head(&alice).await, expected, "{condition}");
    }
}

#[tokio::test]
async fn a_policy_can_ask_for_tls_and_for_its_version() {
    let account = Account::with_bucket("b-tls").await;
    account.ok("PUT", "/b-tls/k", "", "x").await;
    let deny = |operator: &str, key: &str, value: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b-tls/*","Condition":{{"{operator}":{{"{key}":"{value}"}}}}}}]}}"#
        )
    };
    let (plain, old, new) = (None, Some(TlsVersion::V1_2), Some(TlsVersion::V1_3));
    for (policy, expected) in [
        (deny("Bool", "aws:SecureTransport", "false"), [403, 200, 200]),
        // The key is not there without TLS, so a number alone refuses nothing then.
        (deny("NumericLessThan", "s3:TlsVersion", "1.3"), [200, 403, 200]),
        (deny("NumericLessThanIfExists", "s3:TlsVersion", "1.3"), [403, 403, 200]),
        (deny("NumericEquals", "s3:TlsVersion", "1.2"), [200, 403, 200]),
        (deny("Null", "s3:TlsVersion", "true"), [403, 200, 200]),
    ] {
        account.policy("b-tls", &policy).await;
        let mut found = vec![];
        for tls in [plain, old, new] {
            account.administrator.peer.lock().unwrap().tls =
                tls.map(|version| Tls { version, cipher_suite: "".into() });
            found.push(ask(&account.administrator, "GET", "/b-tls/k", "", "").await.status);
        }
        assert_eq!(found, expected, "{policy}");
    }
}
