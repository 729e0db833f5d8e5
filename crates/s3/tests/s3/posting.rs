//! Uploads by forms: what the policy lets in, who signed it, and what a browser gets.

use daypass_core::testing::TestAnswer;

use crate::signer::Signer;
use crate::support::Account;

const PUT: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b-1/up/*"}}"#;

/// Conditions for what signs a form, which has to have some too.
const SIGNING: &str = r#"["starts-with","$x-amz-algorithm",""],["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""]"#;

fn policy(conditions: &str) -> String {
    format!(
        r#"{{"expiration":"2030-01-01T00:00:00.000Z","conditions":[{{"bucket":"b-1"}},["starts-with","$key",""],{SIGNING}{conditions}]}}"#
    )
}

async fn post(account: &Account, fields: &[(&str, String)], file: &str) -> TestAnswer {
    let part = |(name, value): &(&str, String)| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let fields: String = fields.iter().map(part).collect();
    let form = format!(
        "{fields}--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\n\r\n{file}\r\n--B--\r\n"
    );
    let length = form.len().to_string();
    let kind = [("content-type", "multipart/form-data; boundary=B"), ("content-length", length.as_str())];
    account.server.anonymous().s3("POST", "/b-1", "", &kind, form.as_bytes()).await
}

async fn with_uploader() -> Account {
    let account = Account::with_bucket("b-1").await;
    account.server.user("uploader", &[("put", PUT)]).await;
    account
}

fn signed(account: &Account, policy: &str, fields: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut all: Vec<(&str, String)> =
        fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    all.extend(Signer::of(&account.server, "uploader").form(policy));
    all
}

#[tokio::test]
async fn a_form_uploads_what_its_signer_may_put() {
    let account = with_uploader().await;
    let conditions =
        r#",{"content-type":"text/plain"},["starts-with","$x-amz-meta-a",""],["starts-with","$tagging",""]"#;
    let tagging = "<Tagging><TagSet><Tag><Key>t</Key><Value>1</Value></Tag></TagSet></Tagging>";
    account.server.user("tagger", &[("all", crate::buckets::ALL)]).await;
    let fields = [
        ("Key", "up/${filename}"),
        ("Content-Type", "text/plain"),
        ("x-amz-meta-a", "is ${filename}"),
        ("tagging", tagging),
    ];
    let mut all: Vec<(&str, String)> = fields.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
    all.extend(Signer::of(&account.server, "tagger").form(&policy(conditions)));
    let answer = post(&account, &all, "one\r\n--two").await.ok();
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(answer.headers["location"], "http://b-1.s3.amazonaws.com/up/f.txt");
    let object = account.ok("GET", "/b-1/up/f.txt", "", "").await;
    assert_eq!(object.body, "one\r\n--two");
    assert_eq!(object.headers["etag"], answer.headers["etag"]);
    assert_eq!(
        (&object.headers["content-type"], &object.headers["x-amz-meta-a"]),
        (&"text/plain".parse().unwrap(), &"is f.txt".parse().unwrap())
    );
    assert_eq!(account.ok("GET", "/b-1/up/f.txt", "tagging", "").await.xml("Value"), Some("1"));
}

#[tokio::test]
async fn the_record_names_the_signer_and_not_the_secrets() {
    let account = with_uploader().await;
    let fields = signed(&account, &policy(""), &[("key", "up/x")]);
    post(&account, &fields, "1").await.ok();
    let notes = account.server.gate.state().objects.notes(0, 1000).await.unwrap();
    let text = String::from_utf8_lossy(&notes.last().unwrap().note).into_owned();
    assert!(text.contains("PostObject") && text.contains("user/uploader"), "{text}");
    for secret in ["policy", "x-amz-signature"] {
        let (_, value) = fields.iter().find(|(name, _)| *name == secret).unwrap();
        assert!(!text.contains(value.as_str()), "{secret}: {text}");
    }
}

#[tokio::test]
async fn what_the_policy_does_not_let_in_is_refused() {
    let account = with_uploader().await;
    let sized = policy(r#",["content-length-range",2,4]"#);
    let late = policy("").replace("2030", "2001");
    for (policy, fields, file, status, code) in [
        (policy(""), &[("key", "up/x")][..], "1", 204, ""),
        (policy(""), &[("key", "up/x"), ("acl", "public-read")], "1", 403, "AccessDenied"),
        (policy("").replace("b-1", "b-2"), &[("key", "up/x")], "1", 403, "AccessDenied"),
        (policy(r#",["starts-with","$key","up/"]"#), &[("key", "evil")], "1", 403, "AccessDenied"),
        (late, &[("key", "up/x")], "1", 403, "AccessDenied"),
        (sized.clone(), &[("key", "up/x")], "1", 400, "EntityTooSmall"),
        (sized.clone(), &[("key", "up/x")], "12345", 400, "EntityTooLarge"),
        (sized, &[("key", "up/x")], "1234", 204, ""),
        (policy(""), &[], "1", 400, "InvalidArgument"),
        // The policy lets it in, its signer may not.
        (policy(""), &[("key", "down/x")], "1", 403, "AccessDenied"),
    ] {
        let answer = post(&account, &signed(&account, &policy, fields), file).await;
        assert_eq!(
            (answer.status, answer.code().unwrap_or_default().as_str()),
            (status, code),
            "{policy} {}",
            answer.body
        );
    }
    let keys = account.ok("GET", "/b-1", "", "").await;
    assert_eq!(keys.xml_all("Key"), ["up/x"]);
}

#[tokio::test]
async fn the_signature_is_of_the_policy_and_whole() {
    let account = with_uploader().await;
    let good = signed(&account, &policy(""), &[("key", "up/x")]);
    let without = |name: &str| good.iter().filter(|(n, _)| *n != name).cloned().collect::<Vec<_>>();
    let with = |name: &'static str, value: &str| {
        let mut fields = without(name);
        fields.push((name, value.to_owned()));
        fields
    };
    let other = signed(&account, &policy(r#",["starts-with","$acl",""]"#), &[]);
    let other = &other.iter().find(|(name, _)| *name == "policy").unwrap().1;
    for (fields, status, code) in [
        (without("x-amz-signature"), 400, "InvalidArgument"),
        (without("policy"), 400, "InvalidArgument"),
        (without("x-amz-date"), 400, "InvalidArgument"),
        (with("x-amz-signature", &"0".repeat(64)), 403, "SignatureDoesNotMatch"),
        (with("policy", other), 403, "SignatureDoesNotMatch"),
        (with("x-amz-algorithm", "AWS4-HMAC-SHA1"), 400, "InvalidArgument"),
        (with("x-amz-credential", "AKIANOBODY/20200101/us-east-1/s3/aws4_request"), 400, "InvalidArgument"),
        (with("signature", "x"), 400, "InvalidRequest"),
        // Nobody's form is nobody's request.
        (vec![("key", "up/x".to_owned())], 403, "AccessDenied"),
    ] {
        let answer = post(&account, &fields, "1").await;
        assert_eq!((answer.status, answer.code().unwrap().as_str()), (status, code), "{fields:?}");
    }
    assert_eq!(account.refused("GET", "/b-1/up/x", "", "").await.0, 404);
}

#[tokio::test]
async fn a_browser_goes_where_the_form_says() {
    let account = with_uploader().await;
    let conditions =
        r#",["starts-with","$success_action_redirect",""],["starts-with","$success_action_status",""]"#;
    let ask = async |name: &'static str, value: &str| {
        let fields = signed(&account, &policy(conditions), &[("key", "up/a b"), (name, value)]);
        let other =
            if name == "success_action_status" { "success_action_redirect" } else { "success_action_status" };
        let mut fields = fields;
        fields.push((other, String::new()));
        post(&account, &fields, "1").await
    };
    for (status, expected) in [("200", 200), ("204", 204), ("404", 204)] {
        let answer = ask("success_action_status", status).await;
        assert_eq!((answer.status, answer.body.as_str()), (expected, ""), "{status}");
    }
    let answer = ask("success_action_status", "201").await;
    assert_eq!((answer.status, answer.xml("Bucket"), answer.xml("Key")), (201, Some("b-1"), Some("up/a b")));
    assert_eq!(answer.xml("Location"), Some("http://b-1.s3.amazonaws.com/up/a%20b"));
    let answer = ask("success_action_redirect", "https://example.com/?x=1").await;
    assert_eq!(answer.status, 303);
    let to = answer.headers["location"].to_str().unwrap();
    assert!(to.starts_with("https://example.com/?x=1&bucket=b-1&key=up/a+b&etag=%22"), "{to}");
    assert_eq!(ask("success_action_redirect", "javascript:x").await.status, 204);
}

#[tokio::test]
async fn a_form_says_that_its_sender_pays() {
    let account = with_uploader().await;
    let pays = "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>";
    account.ok("PUT", "/b-1", "requestPayment", pays).await;
    account.policy("b-1", r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"999988887777"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b-1/*"}}"#).await;
    account.stranger("eve", &[("all", crate::buckets::ALL)]).await;
    let conditions = r#",["starts-with","$x-amz-request-payer",""]"#;
    for (payer, expected) in [("requester", 204), ("bucketowner", 403), ("", 403)] {
        let mut fields = vec![("key", "up/x".to_owned()), ("x-amz-request-payer", payer.to_owned())];
        fields.extend(Signer::of(&account.server, "eve").form(&policy(conditions)));
        assert_eq!(post(&account, &fields, "1").await.status, expected, "{payer}");
    }
}

#[tokio::test]
async fn a_form_says_how_long_it_is() {
    let account = with_uploader().await;
    let kind = [("content-type", "multipart/form-data; boundary=B")];
    let answer = account.server.anonymous().s3("POST", "/b-1", "", &kind, b"--B\r\n").await;
    assert_eq!((answer.status, answer.code().unwrap().as_str()), (411, "MissingContentLength"));
}
