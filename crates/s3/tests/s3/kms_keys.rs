//! Objects that are sealed with keys of KMS.

use daypass_core::Secret;
use daypass_core::kms::{Key, Manager};
use daypass_core::store::StoreError;
use daypass_core::testing::{Client, TestAnswer, account as number};

use crate::signer::{Outgoing, Signer};
use crate::support::{Account, ask, ask_with, header};

const S3_ONLY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
pub(crate) const ROOT: &str = "arn:aws:iam::123456789012:root";
const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const KMS: (&str, &str) = ("x-amz-server-side-encryption", "aws:kms");
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

pub(crate) fn arn(id: &str) -> String {
    format!("arn:aws:kms:us-east-1:123456789012:key/{id}")
}

pub(crate) fn allow(principal: &str, more: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"kms:*","Resource":"*"{more}}}"#
    )
}

/// A key in the store, with a policy of these statements.
pub(crate) async fn key(account: &Account, id: &str, statements: &[String]) -> Key {
    key_in(account, "us-east-1", id, statements).await
}

async fn key_in(account: &Account, region: &str, id: &str, statements: &[String]) -> Key {
    let state = account.server.gate.state();
    let now = state.clock.now();
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let mut key = Key::new((number(), region), id.to_owned(), Manager::Customer, policy, now);
    key.add_material(&state.ring, &Secret::new([1; 32]), &[2; 32], now, false).unwrap();
    save(account, &key).await;
    key
}

async fn save(account: &Account, key: &Key) {
    let saved = account.server.gate.state().store.transact(|tx| tx.put(key));
    let saved: Result<(), daypass_core::store::TransactError<StoreError>> = saved.await;
    saved.unwrap();
}

async fn send(client: &Client, method: &str, key: &str, headers: &[(&str, &str)], body: &str) -> TestAnswer {
    ask_with(client, method, &format!("/b-1/{key}"), "", headers, body).await
}

fn said(answer: &TestAnswer) -> [&str; 3] {
    [
        header(answer, "x-amz-server-side-encryption").unwrap_or_default(),
        header(answer, "x-amz-server-side-encryption-aws-kms-key-id").unwrap_or_default(),
        header(answer, "x-amz-server-side-encryption-bucket-key-enabled").unwrap_or_default(),
    ]
}

fn with(id: &str) -> [(&str, &str); 2] {
    [KMS, ("x-amz-server-side-encryption-aws-kms-key-id", id)]
}

fn refusal(answer: &TestAnswer) -> (u16, String, String) {
    let (code, message) = answer.refused();
    (answer.status, code, message)
}

/// What the bucket's default is said to be.
fn default(key: Option<&str>, bucket_key: bool) -> String {
    let key = key.map(|key| format!("<KMSMasterKeyID>{key}</KMSMasterKeyID>")).unwrap_or_default();
    format!(
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>{key}</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>{bucket_key}</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"
    )
}

#[tokio::test]
async fn an_object_is_sealed_with_the_key_that_is_named() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    key(&account, ID, &[allow(ROOT, "")]).await;
    let long = "a secret that is long enough to be cut".repeat(3000);
    for (body, name) in [("hello", ID.to_owned()), (long.as_str(), arn(ID))] {
        let made = send(client, "PUT", "k", &with(&name), body).await.ok();
        assert_eq!(said(&made), ["aws:kms", &arn(ID), ""]);
        assert_eq!(
            header(&made, "x-amz-server-side-encryption-context").unwrap_or_default(),
            "eyJhd3M6czM6YXJuIjoiYXJuOmF3czpzMzo6OmItMS9rIn0=",
            "what names the object"
        );
        assert_ne!(header(&made, "etag").unwrap_or_default(), HELLO);
        for method in ["GET", "HEAD"] {
            let read = send(client, method, "k", &[], "").await.ok();
            assert_eq!(read.body, if method == "GET" { body } else { "" });
            assert_eq!(said(&read), ["aws:kms", &arn(ID), ""]);
            assert_eq!(header(&read, "etag").unwrap_or_default(), header(&made, "etag").unwrap_or_default());
            assert_eq!(header(&read, "x-amz-server-side-encryption-context").unwrap_or_default(), "");
        }
        let ranged = send(client, "GET", "k", &[("range", "bytes=1-3")], "").await.ok();
        assert_eq!((ranged.status, ranged.body.as_str()), (206, body.get(1..4).unwrap()));
    }
    let customer = [("x-amz-server-side-encryption-customer-algorithm", "AES256")];
    assert_eq!(send(client, "GET", "k", &customer, "").await.status, 400);
}

#[tokio::test]
async fn who_writes_and_who_reads_needs_the_key_too() {
    let account = Account::with_bucket("b-1").await;
    let reader = account.server.user("reader", &[("s3", S3_ONLY)]).await;
    let id = reader_id(&account);
    let closed = "00000000-12ab-34cd-56ef-1234567890ab";
    key(&account, closed, &[allow(ROOT, "")]).await;
    key(&account, ID, &[allow(ROOT, ""), allow(&id, "")]).await;
    send(&account.administrator, "PUT", "closed", &with(closed), "hello").await.ok();
    send(&account.administrator, "PUT", "open", &with(ID), "hello").await.ok();
    for (method, name, headers, action) in [
        ("GET", "closed", &[][..], "kms:Decrypt"),
        ("PUT", "k", &with(closed), "kms:GenerateDataKey"),
        ("PUT", "k", &[("x-amz-copy-source", "/b-1/closed")], "kms:Decrypt"),
        ("HEAD", "closed", &[("x-amz-checksum-mode", "ENABLED")], ""),
    ] {
        let body = if method == "PUT" && headers.len() == 2 { "hello" } else { "" };
        let answer = send(&reader, method, name, headers, body).await;
        assert_eq!(answer.status, 403, "{method} {headers:?}: {}", answer.body);
        if method != "HEAD" {
            let (_, code, words) = refusal(&answer);
            let expected = format!("is not authorized to perform: {action} on resource: ");
            assert_eq!(code, "AccessDenied");
            assert!(words.contains(&expected) && words.contains(&arn(closed)), "{words}");
        }
    }
    send(&reader, "HEAD", "closed", &[], "").await.ok();
    assert_eq!(send(&reader, "GET", "open", &[], "").await.ok().body, "hello", "the key's policy lets it");
    send(&reader, "PUT", "k", &with(ID), "hello").await.ok();
    let read = send(&reader, "PUT", "copy", &[("x-amz-copy-source", "/b-1/open")], "").await.ok();
    assert_eq!(said(&read), ["AES256", "", ""]);
    let nothing = account.server.user("nothing", &[("kms", &S3_ONLY.replace("s3:", "kms:"))]).await;
    for (method, body) in [("GET", ""), ("PUT", "x")] {
        let answer = send(&nothing, method, "open", if body.is_empty() { &[] } else { &[KMS] }, body).await;
        assert!(refusal(&answer).2.contains("s3:"), "the object's own right is missing: {}", answer.body);
    }
}

/// The unique id of the user `reader`, as key policies keep it.
fn reader_id(account: &Account) -> String {
    use daypass_core::store::Read as _;
    use daypass_core::store::records::User;
    let read =
        account.server.gate.state().store.read(|tx| tx.get::<User>(&User::key_of(&number(), "reader")));
    let user: Result<Option<User>, StoreError> = read;
    user.unwrap().unwrap().id
}

#[tokio::test]
async fn without_a_name_it_is_the_key_of_s3_which_the_account_uses_through_s3() {
    let account = Account::with_bucket("b-1").await;
    account.unblock("b-1").await;
    account
        .policy(
            "b-1",
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b-1/*"}}"#,
        )
        .await;
    let reader = account.server.user("reader", &[("s3", S3_ONLY)]).await;
    let made = send(&reader, "PUT", "k", &[KMS], "hello").await.ok();
    let name = header(&made, "x-amz-server-side-encryption-aws-kms-key-id").unwrap_or_default().to_owned();
    assert!(name.starts_with("arn:aws:kms:us-east-1:123456789012:key/"), "{name}");
    let again = send(&reader, "PUT", "k2", &[KMS], "hello").await.ok();
    assert_eq!(
        header(&again, "x-amz-server-side-encryption-aws-kms-key-id").unwrap_or_default(),
        name,
        "it is made once"
    );
    let by_alias = send(&reader, "PUT", "k3", &with("alias/aws/s3"), "hello").await.ok();
    assert_eq!(header(&by_alias, "x-amz-server-side-encryption-aws-kms-key-id").unwrap_or_default(), name);
    assert_eq!(send(&reader, "GET", "k", &[], "").await.ok().body, "hello");
    send(&reader, "PUT", "plain", &[], "hello").await.ok();
    let stranger = account.stranger("other", &[("all", crate::buckets::ALL)]).await;
    let anonymous = account.server.anonymous();
    for (client, who) in [(&stranger, "stranger"), (&anonymous, "anonymous")] {
        assert_eq!(send(client, "GET", "plain", &[], "").await.ok().body, "hello", "{who}");
        assert_eq!(send(client, "GET", "k", &[], "").await.status, 403, "{who}");
    }
    assert_eq!(send(&anonymous, "PUT", "x", &[KMS], "x").await.status, 403);
    let theirs = send(&stranger, "PUT", "theirs", &[KMS], "x").await.ok();
    let of_theirs = header(&theirs, "x-amz-server-side-encryption-aws-kms-key-id").unwrap_or_default();
    assert!(
        of_theirs.starts_with("arn:aws:kms:us-east-1:999988887777:key/"),
        "the caller's own: {of_theirs}"
    );
    assert_eq!(send(&account.administrator, "GET", "theirs", &[], "").await.status, 403);
}

#[tokio::test]
async fn a_bucket_has_a_default_key_and_requests_another() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    key(&account, ID, &[allow(ROOT, "")]).await;
    for bucket_key in [false, true] {
        account.ok("PUT", "/b-1", "encryption", &default(Some(ID), bucket_key)).await;
        let shown = account.ok("GET", "/b-1", "encryption", "").await;
        assert_eq!(
            (shown.xml("SSEAlgorithm"), shown.xml("KMSMasterKeyID"), shown.xml("BucketKeyEnabled")),
            (Some("aws:kms"), Some(ID), Some(bucket_key.to_string().as_str()))
        );
        let flag = if bucket_key { "true" } else { "" };
        let made = send(client, "PUT", "k", &[], "hello").await.ok();
        assert_eq!(said(&made), ["aws:kms", &arn(ID), flag]);
        assert_eq!(said(&send(client, "GET", "k", &[], "").await.ok()), ["aws:kms", &arn(ID), flag]);
        let other = [("x-amz-server-side-encryption", "AES256")];
        assert_eq!(said(&send(client, "PUT", "k", &other, "hello").await.ok()), ["AES256", "", ""]);
        let inverse = [
            KMS,
            ("x-amz-server-side-encryption-bucket-key-enabled", if bucket_key { "false" } else { "true" }),
        ];
        let made = send(client, "PUT", "k", &inverse, "hello").await.ok();
        assert_eq!(
            header(&made, "x-amz-server-side-encryption-bucket-key-enabled").unwrap_or_default(),
            if bucket_key { "" } else { "true" }
        );
    }
    account.ok("PUT", "/b-1", "encryption", &default(Some("alias/nobody"), false)).await;
    let (status, code, words) = refusal(&send(client, "PUT", "k", &[], "hello").await);
    assert_eq!((status, code.as_str()), (400, "KMS.NotFoundException"));
    assert_eq!(words, "Alias arn:aws:kms:us-east-1:123456789012:alias/nobody is not found.");
    account.ok("DELETE", "/b-1", "encryption", "").await;
    assert_eq!(said(&send(client, "PUT", "k", &[], "hello").await.ok()), ["AES256", "", ""]);
    let dsse = default(None, false).replace("aws:kms", "aws:kms:dsse");
    assert_eq!(account.refused("PUT", "/b-1", "encryption", &dsse).await.0, 501);
}

#[tokio::test]
async fn a_key_that_is_off_or_gone_opens_and_seals_nothing() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let mut kept = key(&account, ID, &[allow(ROOT, "")]).await;
    send(client, "PUT", "k", &with(ID), "hello").await.ok();
    let now = account.server.gate.state().clock.now();
    let arn = arn(ID);
    for (enabled, deletion, code, words) in [
        (false, None, "KMS.DisabledException", format!("{arn} is disabled.")),
        (
            true,
            Some(now.plus_seconds(60)),
            "KMS.KMSInvalidStateException",
            format!("{arn} is pending deletion."),
        ),
        (true, Some(now), "KMS.NotFoundException", format!("Key '{arn}' does not exist")),
    ] {
        (kept.enabled, kept.deletion) = (enabled, deletion);
        save(&account, &kept).await;
        let expected = (400, code.to_owned(), words);
        assert_eq!(refusal(&send(client, "GET", "k", &[], "").await), expected);
        assert_eq!(refusal(&send(client, "PUT", "new", &with(ID), "x").await), expected);
        let copied = send(client, "PUT", "new", &[("x-amz-copy-source", "/b-1/k")], "").await;
        assert_eq!(refusal(&copied), expected);
        send(client, "HEAD", "k", &[], "").await.ok();
    }
    (kept.enabled, kept.deletion) = (true, None);
    save(&account, &kept).await;
    assert_eq!(send(client, "GET", "k", &[], "").await.ok().body, "hello", "it came back");
    kept.materials.clear();
    let other = Secret::new([9; 32]);
    kept.add_material(&account.server.gate.state().ring, &other, &[9; 32], now, false).unwrap();
    save(&account, &kept).await;
    assert_eq!(send(client, "GET", "k", &[], "").await.status, 500, "other material opens nothing");
}

#[tokio::test]
async fn the_key_is_asked_for_through_s3_and_under_what_names_the_object() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let string = |key: &str, value: &str| format!(r#","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}"#);
    let context = "kms:EncryptionContext:aws:s3:arn";
    let bucket_key = ("x-amz-server-side-encryption-bucket-key-enabled", "true");
    let own = ("x-amz-server-side-encryption-context", "eyJhIjoiYiJ9");
    for (condition, more, status) in [
        (string("kms:ViaService", "s3.us-east-1.amazonaws.com"), None, 200),
        (string("kms:ViaService", "s3.eu-west-1.amazonaws.com"), None, 403),
        (string(context, "arn:aws:s3:::b-1/k"), None, 200),
        (string(context, "arn:aws:s3:::b-1/other"), None, 403),
        (string(context, "arn:aws:s3:::b-1/k"), Some(bucket_key), 403),
        (string(context, "arn:aws:s3:::b-1"), Some(bucket_key), 200),
        (string("kms:EncryptionContext:a", "b"), None, 403),
        (string("kms:EncryptionContext:a", "b"), Some(own), 200),
        (string("kms:CallerAccount", "123456789012"), None, 200),
    ] {
        key(&account, ID, &[allow(ROOT, &condition)]).await;
        let headers: Vec<(&str, &str)> = with(ID).into_iter().chain(more).collect();
        let made = send(client, "PUT", "k", &headers, "hello").await;
        assert_eq!(made.status, status, "{condition} {more:?}: {}", made.body);
        if status == 200 {
            assert_eq!(send(client, "GET", "k", &[], "").await.ok().body, "hello", "{condition}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    key(&account, ID, &[allow(ROOT, "")]).await;
    let [_, named] = with(ID);
    let unknown = "00000000-0000-0000-0000-000000000000";
    let abroad = arn(ID).replace("us-east-1", "eu-west-1");
    let context = ("x-amz-server-side-encryption-context", "e30=x");
    for (headers, status, code) in [
        (&[named][..], 400, "InvalidArgument"),
        (&[named, ("x-amz-server-side-encryption", "AES256")], 400, "InvalidArgument"),
        (&[KMS, named, context], 400, "InvalidArgument"),
        (&with(unknown), 400, "KMS.NotFoundException"),
        (&with("nothing"), 400, "KMS.NotFoundException"),
        (&with(&abroad), 400, "KMS.NotFoundException"),
        (&[("x-amz-server-side-encryption", "aws:kms:dsse")], 501, "NotImplemented"),
        (&[("x-amz-server-side-encryption", "aws:fsx")], 501, "NotImplemented"),
    ] {
        let (is, said, words) = refusal(&send(client, "PUT", "k", headers, "x").await);
        assert_eq!((is, said.as_str()), (status, code), "{headers:?}: {words}");
    }
    assert_eq!(send(client, "GET", "k", &[], "").await.status, 404, "nothing was stored");
}

#[tokio::test]
async fn copies_and_parts_are_sealed_anew_wherever_they_come_from() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let other = "00000000-12ab-34cd-56ef-1234567890ab";
    key(&account, ID, &[allow(ROOT, "")]).await;
    key(&account, other, &[allow(ROOT, "")]).await;
    let five = "m".repeat(5 << 20);
    send(client, "PUT", "plain", &[], &five).await.ok();
    send(client, "PUT", "kms", &with(ID), "tail").await.ok();
    for (from, headers, key) in [("plain", with(ID), ID), ("kms", with(other), other), ("kms", with(ID), ID)]
    {
        let source = format!("/b-1/{from}");
        let all = [&headers[..], &[("x-amz-copy-source", source.as_str())]].concat();
        let copied = send(client, "PUT", "copy", &all, "").await.ok();
        assert_eq!(said(&copied), ["aws:kms", &arn(key), ""], "{from}");
        let read = send(client, "GET", "copy", &[], "").await.ok();
        assert_eq!(read.body, if from == "plain" { five.as_str() } else { "tail" });
    }
    let begun = ask_with(client, "POST", "/b-1/k", "uploads", &with(ID), "").await.ok();
    assert_eq!(said(&begun), ["aws:kms", &arn(ID), ""]);
    let id = begun.xml("UploadId").unwrap().to_owned();
    let part = async |number: u8, headers: &[(&str, &str)], body: &str| {
        let query = format!("partNumber={number}&uploadId={id}");
        client.s3("PUT", "/b-1/k", &query, headers, body.as_bytes()).await.ok()
    };
    let reader = account.server.user("reader", &[("s3", S3_ONLY)]).await;
    let query = format!("partNumber=1&uploadId={id}");
    assert_eq!(reader.s3("PUT", "/b-1/k", &query, &[], b"x").await.status, 403, "a part needs the key");
    let first = part(1, &[], &five).await;
    assert_eq!(said(&first), ["aws:kms", &arn(ID), ""]);
    let second = part(2, &[("x-amz-copy-source", "/b-1/plain")], "").await;
    let third = part(3, &[("x-amz-copy-source", "/b-1/kms")], "").await;
    let tag = |answer: &TestAnswer| match header(answer, "etag").unwrap_or_default() {
        "" => answer.xml("ETag").unwrap().to_owned(),
        tag => tag.replace('"', "&quot;"),
    };
    let parts: String = [&first, &second, &third]
        .iter()
        .zip(1..)
        .map(|(part, number)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", tag(part))
        })
        .collect();
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let query = format!("uploadId={id}");
    assert_eq!(reader.s3("POST", "/b-1/k", &query, &[], document.as_bytes()).await.status, 403);
    let made = client.s3("POST", "/b-1/k", &query, &[], document.as_bytes()).await.ok();
    assert_eq!(said(&made), ["aws:kms", &arn(ID), ""]);
    let read = send(client, "GET", "k", &[], "").await.ok();
    assert!(read.body.len() == (10 << 20) + 4 && read.body.ends_with("mtail"));
    assert_eq!(send(&reader, "GET", "k", &[], "").await.status, 403);
}

#[tokio::test]
async fn the_bucket_policy_may_demand_a_key() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let other = "00000000-12ab-34cd-56ef-1234567890ab";
    key(&account, ID, &[allow(ROOT, "")]).await;
    key(&account, other, &[allow(ROOT, "")]).await;
    let demand = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b-1/*","Condition":{{"StringNotEquals":{{"s3:x-amz-server-side-encryption-aws-kms-key-id":"{}"}}}}}}}}"#,
        arn(ID)
    );
    account.policy("b-1", &demand).await;
    send(client, "PUT", "k", &with(&arn(ID)), "x").await.ok();
    for headers in [&[][..], &[KMS], &with(other)] {
        assert_eq!(send(client, "PUT", "k", headers, "x").await.status, 403, "{headers:?}");
    }
}

#[tokio::test]
async fn who_may_not_use_the_key_is_told_no_checksums_of_an_upload_neither_before_nor_after() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    key(&account, ID, &[allow(ROOT, "")]).await;
    let reader = account.server.user("reader", &[("s3", S3_ONLY)]).await;
    let begun = ask_with(client, "POST", "/b-1/k", "uploads", &with(ID), "").await.ok();
    let query = format!("uploadId={}", begun.xml("UploadId").unwrap());
    let part = client.s3("PUT", "/b-1/k", &format!("partNumber=1&{query}"), &[], b"hello").await.ok();
    let tag = header(&part, "etag").unwrap_or_default().replace('"', "&quot;");
    let document = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete =
        async |client: &Client| client.s3("POST", "/b-1/k", &query, &[], document.as_bytes()).await;
    assert_eq!(ask(client, "GET", "/b-1/k", &query, "").await.ok().xml_all("PartNumber"), ["1"]);
    let refused = refusal(&ask(&reader, "GET", "/b-1/k", &query, "").await);
    assert!(refused.0 == 403 && refused.2.contains("kms:Decrypt"), "{refused:?}");
    let made = complete(client).await.ok();
    let sum = made.xml("ChecksumCRC64NVME");
    assert!(sum.is_some());
    for again in 0..2 {
        let told = complete(client).await.ok();
        assert_eq!((told.xml("ChecksumCRC64NVME"), said(&told)), (sum, said(&made)), "{again}");
        let refused = refusal(&complete(&reader).await);
        assert!(refused.0 == 403 && refused.2.contains("kms:Decrypt"), "{refused:?}");
    }
    daypass_core::outbox::drain(account.server.gate.state()).await.unwrap();
    let records = account.server.audit();
    let completed = records.iter().filter(|record| record.event_name == "CompleteMultipartUpload");
    assert_eq!(completed.count(), 5, "each request has a record");
    send(client, "PUT", "k", &[], "another").await.ok();
    let again = complete(&reader).await.ok();
    assert_eq!(again.xml("ETag"), made.xml("ETag"));
    assert_eq!(again.xml("ChecksumCRC64NVME"), None, "of what is gone nobody knows who might");
}

#[tokio::test]
async fn only_requests_with_a_signature_of_version_4_reach_a_key() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    account.unblock("b-1").await;
    let public = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject","s3:GetObjectAttributes","s3:ListMultipartUploadParts"],"Resource":"arn:aws:s3:::b-1/*"}}"#;
    account.policy("b-1", public).await;
    key(&account, ID, &[allow("*", "")]).await;
    send(client, "PUT", "k", &with(ID), "hello").await.ok();
    send(client, "PUT", "plain", &[], "hello").await.ok();
    let begun = ask_with(client, "POST", "/b-1/up", "uploads", &with(ID), "").await.ok();
    let id = begun.xml("UploadId").unwrap();
    let (parts, one) = (format!("uploadId={id}"), format!("partNumber=1&uploadId={id}"));
    let anonymous = account.server.anonymous();
    let attributes = ("x-amz-object-attributes", "ETag,Checksum");
    for (method, path, query, headers, body) in [
        ("GET", "/b-1/k", "", &[][..], ""),
        ("HEAD", "/b-1/k", "", &[], ""),
        ("GET", "/b-1/k", "attributes", &[attributes], ""),
        ("PUT", "/b-1/x", "", &[("x-amz-copy-source", "/b-1/k")], ""),
        ("PUT", "/b-1/x", "", &with(ID), "x"),
        ("POST", "/b-1/x", "uploads", &with(ID), ""),
        ("PUT", "/b-1/up", &one, &[], "x"),
        ("GET", "/b-1/up", &parts, &[], ""),
    ] {
        let answer = ask_with(&anonymous, method, path, query, headers, body).await;
        assert_eq!(answer.status, 400, "{method} {path} {query} {headers:?}: {}", answer.body);
        if method != "HEAD" {
            let (_, code, words) = refusal(&answer);
            assert_eq!(code, "InvalidArgument");
            assert_eq!(
                words,
                "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
            );
        }
    }
    assert_eq!(send(&anonymous, "GET", "plain", &[], "").await.ok().body, "hello");
    account.server.user("alice", &[("all", crate::buckets::ALL)]).await;
    let alice = Signer::of(&account.server, "alice");
    assert_eq!(alice.presigned_v2("/b-1/plain").await.ok().body, "hello");
    assert_eq!(alice.presigned_v2("/b-1/k").await.status, 400);
    let payload = "UNSIGNED-PAYLOAD";
    let get = || Outgoing {
        method: "GET",
        path: "/b-1/k",
        query: "",
        headers: &[],
        unsigned: &[],
        payload,
        body: b"",
    };
    assert_eq!(alice.presigned(get()).await.ok().body, "hello");
    assert_eq!(alice.regional(get(), "127.0.0.1:4566", "*").await.ok().body, "hello");
}

#[tokio::test]
async fn a_key_is_of_the_buckets_region() {
    let account = Account::new().await;
    let document = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    account.ok("PUT", "/b-1", "", document).await;
    account.server.user("alice", &[("all", crate::buckets::ALL)]).await;
    let alice = Signer::of(&account.server, "alice");
    let (here, there) = ("00000000-12ab-34cd-56ef-1234567890ab", ID);
    key(&account, here, &[allow(ROOT, "")]).await;
    key_in(&account, "eu-west-1", there, &[allow(ROOT, "")]).await;
    let put = async |headers: &[(&str, &str)]| {
        let payload = "UNSIGNED-PAYLOAD";
        let outgoing = Outgoing {
            method: "PUT",
            path: "/b-1/k",
            query: "",
            headers,
            unsigned: &[],
            payload,
            body: b"x",
        };
        alice.regional(outgoing, "127.0.0.1:4566", "*").await
    };
    let made = put(&with(there)).await.ok();
    assert_eq!(said(&made)[1], arn(there).replace("us-east-1", "eu-west-1"));
    for elsewhere in [here, &arn(here)] {
        assert_eq!(refusal(&put(&with(elsewhere)).await).1, "KMS.NotFoundException");
    }
    let made = put(&[KMS]).await.ok();
    assert!(said(&made)[1].starts_with("arn:aws:kms:eu-west-1:123456789012:key/"), "{:?}", said(&made));
}
