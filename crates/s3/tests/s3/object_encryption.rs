//! Another key for an object that is there: `s3:UpdateObjectEncryption`.

use daypass_core::testing::{Client, TestAnswer};
use daypass_core::{Tls, TlsVersion};

use crate::kms_keys::{ID, KMS, ROOT, allow, arn, key, refusal, said, save, send, with};
use crate::support::{Account, ask, ask_with, header};

const OTHER: &str = "00000000-12ab-34cd-56ef-1234567890ab";
const CONTEXT: (&str, &str) = ("x-amz-server-side-encryption-context", "eyJ0ZWFtIjoicmVkIn0=");

fn wanted(key: &str, more: &str) -> String {
    format!(
        r#"<ObjectEncryption xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><SSE-KMS><KMSKeyArn>{key}</KMSKeyArn>{more}</SSE-KMS></ObjectEncryption>"#
    )
}

async fn update(client: &Client, object: &str, query: &str, body: &str) -> TestAnswer {
    ask(client, "PUT", &format!("/b-1/{object}"), query, body).await
}

/// A bucket, and two keys.
async fn account() -> Account {
    let account = Account::with_bucket("b-1").await;
    for id in [ID, OTHER] {
        key(&account, id, &[allow(ROOT, "")]).await;
    }
    account
}

#[tokio::test]
async fn an_object_gets_another_key_and_stays_what_it_is() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let mut old = key(&account, ID, &[allow(ROOT, "")]).await;
    // Who made the object said something of it, which the key goes on to be told.
    let team = r#","Condition":{"StringEquals":{"kms:EncryptionContext:team":"red","kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::b-1"}}"#;
    let mut new = key(&account, OTHER, &[allow(ROOT, team)]).await;
    let long = "more than stands in the index ".repeat(9000);
    for (name, text) in [("small", "hello"), ("empty", ""), ("long", long.as_str())] {
        send(client, "PUT", name, &[&with(ID)[..], &[CONTEXT]].concat(), text).await.ok();
        let before = send(client, "GET", name, &[], "").await.ok();
        let body = wanted(&arn(OTHER), "<BucketKeyEnabled>true</BucketKeyEnabled>");
        assert_eq!(update(client, name, "encryption", &body).await.ok().status, 200);
        let after = send(client, "GET", name, &[], "").await.ok();
        assert_eq!(said(&after), ["aws:kms", &arn(OTHER), "true"]);
        assert_eq!(after.body, text);
        for same in ["etag", "last-modified", "content-type", "x-amz-version-id", "x-amz-checksum-crc64nvme"]
        {
            assert_eq!(header(&after, same), header(&before, same), "{same}");
        }
    }
    old.enabled = false;
    save(&account, &old).await;
    assert_eq!(send(client, "GET", "long", &[], "").await.ok().body, long, "the old key counts no more");
    assert_eq!(refusal(&send(client, "PUT", "k", &with(ID), "x").await).1, "KMS.DisabledException");
    // Neither seals nor opens.
    let back = update(client, "small", "encryption", &wanted(&arn(ID), "")).await;
    assert_eq!(refusal(&back).1, "KMS.DisabledException");
    new.enabled = false;
    save(&account, &new).await;
    assert_eq!(refusal(&send(client, "GET", "long", &[], "").await).1, "KMS.DisabledException");
    old.enabled = true;
    save(&account, &old).await;
    let back = update(client, "small", "encryption", &wanted(&arn(ID), "")).await;
    assert_eq!(refusal(&back).1, "KMS.DisabledException");
}

#[tokio::test]
async fn the_version_that_is_named_gets_the_key() {
    let account = account().await;
    let client = &account.administrator;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    account.ok("PUT", "/b-1", "versioning", enabled).await;
    let first = send(client, "PUT", "k", &with(ID), "one").await.ok();
    let version = format!("versionId={}", header(&first, "x-amz-version-id").unwrap());
    send(client, "PUT", "k", &with(ID), "two").await.ok();
    update(client, "k", &format!("encryption&{version}"), &wanted(&arn(OTHER), "")).await.ok();
    let older = ask(client, "GET", "/b-1/k", &version, "").await.ok();
    assert_eq!((older.body.as_str(), said(&older)), ("one", ["aws:kms", &arn(OTHER), ""]));
    let latest = send(client, "GET", "k", &[], "").await.ok();
    assert_eq!((latest.body.as_str(), said(&latest)), ("two", ["aws:kms", &arn(ID), ""]));
    let uploads = ask(client, "GET", "/b-1", "versions", "").await.ok();
    assert_eq!(uploads.xml_all("VersionId").len(), 2, "no version came to be");
    send(client, "DELETE", "k", &[], "").await.ok();
    let gone = update(client, "k", "encryption", &wanted(&arn(OTHER), "")).await;
    assert_eq!(refusal(&gone).1, "NoSuchKey");
}

#[tokio::test]
async fn what_aws_refuses_of_other_encryption_is_refused() {
    let account = account().await;
    let client = &account.administrator;
    client.peer.lock().unwrap().tls = Some(Tls { version: TlsVersion::V1_3, cipher_suite: "".into() });
    let allowing = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>";
    account.ok("PUT", "/b-1", "encryption", allowing).await;
    let customer = [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-server-side-encryption-customer-key", "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs="),
        ("x-amz-server-side-encryption-customer-key-md5", "DWygnHRtgiJ77HCm+1rvHw=="),
    ];
    send(client, "PUT", "customer", &customer, "hello").await.ok();
    send(client, "PUT", "server", &[], "hello").await.ok();
    send(client, "PUT", "k", &with(ID), "hello").await.ok();
    let good = wanted(&arn(OTHER), "");
    let abroad = arn(OTHER).replace("123456789012", "210987654321");
    let type_ = "require a valid new encryption type";
    for (object, body, status, code, words) in [
        ("customer", good.clone(), 400, "InvalidRequest", "encryption type DSSE-KMS or SSE-C"),
        ("server", good.clone(), 501, "NotImplemented", "(SSE-S3), which has to be copied instead"),
        ("none", good.clone(), 404, "NoSuchKey", "does not exist"),
        ("k", "<ObjectEncryption><SSE-S3/></ObjectEncryption>".into(), 400, "MalformedXML", ""),
        ("k", "<ObjectEncryption/>".into(), 400, "InvalidRequest", type_),
        ("k", wanted("alias/abcdefghijklmnopqrstuvwxyz", ""), 400, "InvalidRequest", "correctly formatted"),
        ("k", wanted(ID, ""), 400, "InvalidRequest", "correctly formatted"),
        ("k", wanted(&arn("missing-key"), ""), 400, "KMS.NotFoundException", "missing-key"),
        ("k", wanted(&arn(OTHER).replace("us-east-1", "eu-west-1"), ""), 400, "KMS.NotFoundException", ""),
        ("k", "words".into(), 400, "MalformedXML", ""),
    ] {
        let (is, said, message) = refusal(&update(client, object, "encryption", &body).await);
        assert_eq!((is, said.as_str()), (status, code), "{body}: {message}");
        assert!(message.contains(words), "{message}");
    }
    let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let user = account.server.user("user", &[("all", all)]).await;
    let (_, code, words) = refusal(&update(&user, "k", "encryption", &wanted(&abroad, "")).await);
    assert_eq!(code, "AccessDenied");
    assert!(words.contains("same account") || words.contains("kms:"), "{words}");
    let read = send(client, "GET", "k", &[], "").await.ok();
    assert_eq!((read.body.as_str(), said(&read)), ("hello", ["aws:kms", &arn(ID), ""]));
}

#[tokio::test]
async fn what_is_locked_keeps_its_key() {
    let account = Account::new().await;
    let client = &account.administrator;
    client.s3("PUT", "/b-1", "", &[("x-amz-bucket-object-lock-enabled", "true")], b"").await.ok();
    for id in [ID, OTHER] {
        key(&account, id, &[allow(ROOT, "")]).await;
    }
    let until = ("x-amz-object-lock-retain-until-date", "2040-01-01T00:00:00Z");
    for lock in [
        &[("x-amz-object-lock-mode", "GOVERNANCE"), until][..],
        &[("x-amz-object-lock-mode", "COMPLIANCE"), until],
        &[("x-amz-object-lock-legal-hold", "ON")],
    ] {
        send(client, "PUT", "k", &[&with(ID)[..], lock].concat(), "hello").await.ok();
        let headers = [("x-amz-bypass-governance-retention", "true")];
        let body = wanted(&arn(OTHER), "");
        let (status, code, words) =
            refusal(&ask_with(client, "PUT", "/b-1/k", "encryption", &headers, &body).await);
        assert_eq!((status, code.as_str()), (403, "AccessDenied"), "{lock:?}");
        assert!(words.contains("protected by S3 Object Lock"), "{words}");
    }
    let free = "<LegalHold><Status>OFF</Status></LegalHold>";
    ask(client, "PUT", "/b-1/k", "legal-hold", free).await.ok();
    update(client, "k", "encryption", &wanted(&arn(OTHER), "")).await.ok();
}

#[tokio::test]
async fn every_right_that_aws_names_is_needed() {
    let account = account().await;
    send(&account.administrator, "PUT", "k", &with(ID), "hello").await.ok();
    let body = wanted(&arn(OTHER), "");
    let statement = |effect: &str, actions: &str, more: &str| {
        format!(r#"{{"Effect":"{effect}","Action":[{actions}],"Resource":"*"{more}}}"#)
    };
    let policy = |statements: &[String]| {
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
    };
    let actions = [
        "s3:PutObject",
        "s3:UpdateObjectEncryption",
        "kms:Decrypt",
        "kms:ReEncryptFrom",
        "kms:GenerateDataKey",
        "kms:Encrypt",
        "kms:ReEncryptTo",
    ];
    let quoted = actions.map(|action| format!("\"{action}\"")).join(",");
    let allowed = statement("Allow", &quoted, "");
    for (number, action) in actions.into_iter().enumerate() {
        let denied = statement("Deny", &format!("\"{action}\""), "");
        let document = policy(&[allowed.clone(), denied]);
        let user = account.server.user(&format!("user-{number}"), &[("p", &document)]).await;
        let (status, code, words) = refusal(&update(&user, "k", "encryption", &body).await);
        assert_eq!((status, code.as_str()), (403, "AccessDenied"));
        assert!(words.contains(&format!("perform: {action} ")), "{words}");
    }
    // Which key is to be is a condition key.
    let only = format!(
        r#","Condition":{{"StringNotEquals":{{"s3:x-amz-server-side-encryption-aws-kms-key-id":"{}"}}}}"#,
        arn(ID)
    );
    for action in ["s3:PutObject", "s3:UpdateObjectEncryption"] {
        let denied = statement("Deny", &format!("\"{action}\""), &only);
        let name = action.replace(':', "-");
        let user = account.server.user(&name, &[("p", &policy(&[allowed.clone(), denied]))]).await;
        assert_eq!(update(&user, "k", "encryption", &body).await.status, 403, "{action}");
    }
    for client in [
        account.server.anonymous(),
        account.stranger("stranger", &[("p", &policy(std::slice::from_ref(&allowed)))]).await,
    ] {
        assert_eq!(update(&client, "k", "encryption", &body).await.status, 403);
    }
    let read = send(&account.administrator, "GET", "k", &[], "").await.ok();
    assert_eq!(said(&read)[1], arn(ID), "nothing changed");
    let user = account.server.user("user", &[("p", &policy(&[allowed]))]).await;
    update(&user, "k", "encryption", &body).await.ok();
    daypass_core::outbox::drain(account.server.gate.state()).await.unwrap();
    let told = account.server.audit();
    let told = told.iter().filter(|record| record.event_name == "UpdateObjectEncryption");
    assert_eq!(told.filter(|record| !record.event.contains("errorCode")).count(), 1);
    assert_eq!(send(&account.administrator, "PUT", "plain", &[KMS], "x").await.status, 200);
}
