//! Objects that are sealed with a key of the caller's (SSE-C).

use daypass_core::testing::{Client, TestAnswer};
use daypass_core::{Tls, TlsVersion};

use crate::support::{Account, ask, ask_with, header};

/// A key and its MD5.
pub(crate) type Key = (&'static str, &'static str);

pub(crate) const ONE: Key = ("pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=", "DWygnHRtgiJ77HCm+1rvHw==");
const TWO: Key = ("6b+WOZ1T3cqZMxgThRcXAQBrS5mXKdDUphvpxptl9/4=", "arxBvwY2V4SiOne6yppVPQ==");
pub(crate) const ALLOWING: &str = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>";
const NEEDED: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";

pub(crate) const fn headers((key, md5): Key) -> [(&'static str, &'static str); 3] {
    [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-server-side-encryption-customer-key", key),
        ("x-amz-server-side-encryption-customer-key-md5", md5),
    ]
}

const fn source_headers((key, md5): Key) -> [(&'static str, &'static str); 3] {
    [
        ("x-amz-copy-source-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-copy-source-server-side-encryption-customer-key", key),
        ("x-amz-copy-source-server-side-encryption-customer-key-md5", md5),
    ]
}

pub(crate) fn over_tls(client: &Client) {
    client.peer.lock().unwrap().tls = Some(Tls { version: TlsVersion::V1_3, cipher_suite: "".into() });
}

/// An account with a bucket that takes such keys, and clients that come over TLS.
async fn allowing() -> Account {
    let account = Account::with_bucket("b-1").await;
    over_tls(&account.administrator);
    account.ok("PUT", "/b-1", "encryption", ALLOWING).await;
    account
}

async fn send(client: &Client, method: &str, key: &str, headers: &[(&str, &str)], body: &str) -> TestAnswer {
    ask_with(client, method, &format!("/b-1/{key}"), "", headers, body).await
}

fn said(answer: &TestAnswer) -> [&str; 3] {
    [
        header(answer, "x-amz-server-side-encryption").unwrap_or_default(),
        header(answer, "x-amz-server-side-encryption-customer-algorithm").unwrap_or_default(),
        header(answer, "x-amz-server-side-encryption-customer-key-md5").unwrap_or_default(),
    ]
}

fn refusal(answer: &TestAnswer) -> (u16, String, String) {
    let (code, message) = answer.refused();
    (answer.status, code, message)
}

#[tokio::test]
async fn an_object_is_read_with_the_key_that_it_was_put_with_and_no_other() {
    let account = allowing().await;
    let client = &account.administrator;
    let body = "a secret that is long enough to be cut".repeat(3000);
    for body in ["hello", body.as_str()] {
        let made = send(client, "PUT", "k", &headers(ONE), body).await.ok();
        assert_eq!(said(&made), ["", "AES256", ONE.1]);
        let etag = header(&made, "etag").unwrap_or_default().to_owned();
        assert!(etag.len() == 34 && etag != "\"5d41402abc4b2a76b9719d911017c592\"", "{etag}");
        let read = send(client, "GET", "k", &headers(ONE), "").await.ok();
        assert_eq!((read.body.as_str(), said(&read)), (body, ["", "AES256", ONE.1]));
        assert_eq!(header(&read, "etag").unwrap_or_default(), etag);
        let head = send(client, "HEAD", "k", &headers(ONE), "").await.ok();
        assert_eq!(
            (said(&head), header(&head, "etag").unwrap_or_default()),
            (["", "AES256", ONE.1], etag.as_str())
        );
        let ranged = [&headers(ONE)[..], &[("range", "bytes=1-3")]].concat();
        let ranged = send(client, "GET", "k", &ranged, "").await.ok();
        assert_eq!((ranged.status, ranged.body.as_str()), (206, body.get(1..4).unwrap()));
        for method in ["GET", "HEAD"] {
            let without = send(client, method, "k", &[], "").await;
            assert_eq!(without.status, 400);
            let other = send(client, method, "k", &headers(TWO), "").await;
            assert_eq!(other.status, 403);
            if method == "GET" {
                let refused = (400, "InvalidRequest".to_owned(), NEEDED.to_owned());
                assert_eq!(refusal(&without), refused);
                assert_eq!(refusal(&other).1, "AccessDenied");
            }
        }
    }
    let attributes = [&headers(ONE)[..], &[("x-amz-object-attributes", "ObjectSize")]].concat();
    let told = ask_with(client, "GET", "/b-1/k", "attributes", &attributes, "").await.ok();
    assert_eq!(told.xml("ObjectSize"), Some(body.len().to_string().as_str()));
    let without = [("x-amz-object-attributes", "ObjectSize")];
    assert_eq!(ask_with(client, "GET", "/b-1/k", "attributes", &without, "").await.status, 400);
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let account = allowing().await;
    let client = &account.administrator;
    send(client, "PUT", "plain", &[], "hello").await.ok();
    let [algorithm, key, md5] = headers(ONE);
    let wrong_md5 = (md5.0, TWO.1);
    let sse = ("x-amz-server-side-encryption", "AES256");
    let short = (key.0, "AAAA");
    let other = (algorithm.0, "AES128");
    for (headers, code) in [
        (&[algorithm][..], "InvalidArgument"),
        (&[algorithm, key], "InvalidArgument"),
        (&[algorithm, md5], "InvalidArgument"),
        (&[key, md5], "InvalidArgument"),
        (&[key], "InvalidArgument"),
        (&[algorithm, key, wrong_md5], "InvalidArgument"),
        (&[algorithm, short, md5], "InvalidArgument"),
        (&[other, key, md5], "InvalidEncryptionAlgorithmError"),
        (&[algorithm, key, md5, sse], "InvalidArgument"),
    ] {
        let put = send(client, "PUT", "k", headers, "hello").await;
        let (status, is, words) = refusal(&put);
        assert_eq!((status, is.as_str()), (400, code), "{headers:?}: {words}");
        assert!(!put.body.contains(ONE.0), "{}", put.body);
        if headers.len() < 4 {
            assert_eq!(send(client, "GET", "plain", headers, "").await.status, 400, "{headers:?}");
        }
    }
    let read = send(client, "GET", "plain", &[algorithm, key, md5], "").await;
    let words = "The encryption parameters are not applicable to this object.";
    assert_eq!(refusal(&read), (400, "InvalidRequest".to_owned(), words.to_owned()));
    assert_eq!(send(client, "GET", "k", &headers(ONE), "").await.status, 404, "nothing was stored");
}

#[tokio::test]
async fn a_key_comes_over_tls_or_from_the_machine_itself() {
    let account = allowing().await;
    let client = &account.administrator;
    client.peer.lock().unwrap().tls = None;
    let refused = send(client, "PUT", "k", &headers(ONE), "hello").await;
    let (status, code, words) = refusal(&refused);
    assert_eq!((status, code.as_str()), (400, "InvalidRequest"));
    assert!(words.ends_with("must be made over a secure connection."), "{words}");
    client.peer.lock().unwrap().address = [127, 0, 0, 1].into();
    send(client, "PUT", "k", &headers(ONE), "hello").await.ok();
}

#[tokio::test]
async fn a_bucket_takes_no_keys_of_callers_until_it_is_told_to() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    over_tls(client);
    let denied = send(client, "PUT", "k", &headers(ONE), "hello").await;
    assert_eq!((denied.status, denied.code().as_deref()), (403, Some("AccessDenied")));
    let begun = ask_with(client, "POST", "/b-1/k", "uploads", &headers(ONE), "").await;
    assert_eq!(begun.status, 403);
    assert_eq!(account.ok("GET", "/b-1", "encryption", "").await.xml("EncryptionType"), Some("SSE-C"));
    account.ok("PUT", "/b-1", "encryption", ALLOWING).await;
    assert_eq!(account.ok("GET", "/b-1", "encryption", "").await.xml("EncryptionType"), Some("NONE"));
    send(client, "PUT", "k", &headers(ONE), "hello").await.ok();
    let silent = ALLOWING.replace(
        "<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>",
        "",
    );
    account.ok("PUT", "/b-1", "encryption", &silent).await;
    send(client, "PUT", "k", &headers(ONE), "what is not spoken of stays").await.ok();
    account.ok("PUT", "/b-1", "encryption", &ALLOWING.replace("NONE", "SSE-C")).await;
    assert_eq!(send(client, "PUT", "k", &headers(ONE), "hello").await.status, 403);
    let read = send(client, "GET", "k", &headers(ONE), "").await.ok();
    assert_eq!(read.body, "what is not spoken of stays");
}

#[tokio::test]
async fn a_copy_is_opened_with_one_key_and_sealed_with_another() {
    let account = allowing().await;
    let client = &account.administrator;
    let body = "copy me ".repeat(20_000);
    send(client, "PUT", "plain", &[], &body).await.ok();
    send(client, "PUT", "one", &headers(ONE), &body).await.ok();
    let none: &[(&str, &str)] = &[];
    let (one, two) = (headers(ONE), headers(TWO));
    let (of_one, of_two) = (source_headers(ONE), source_headers(TWO));
    for (from, opened, sealed, status) in [
        ("plain", none, &one[..], 200),
        ("plain", &of_one, none, 400),
        ("one", &of_one, none, 200),
        ("one", &of_one, &two, 200),
        ("one", &of_one, &one, 200),
        ("one", none, none, 400),
        ("one", none, &one, 400),
        ("one", &of_two, none, 403),
        ("one", &of_one[..2], none, 400),
    ] {
        let source = format!("/b-1/{from}");
        let all = [opened, sealed, &[("x-amz-copy-source", source.as_str())]].concat();
        let copied = send(client, "PUT", "copy", &all, "").await;
        let case = format!("{from} {opened:?} {sealed:?}: {}", copied.body);
        assert_eq!(copied.status, status, "{case}");
        if status == 200 {
            let read = send(client, "GET", "copy", sealed, "").await.ok();
            assert_eq!(read.body, body, "{case}");
            assert_eq!(said(&read), said(&copied), "{case}");
        }
        send(client, "DELETE", "copy", &[], "").await.ok();
    }
    let again = [&of_one[..], &two, &[("x-amz-copy-source", "/b-1/one")]].concat();
    send(client, "PUT", "one", &again, "").await.ok();
    assert_eq!(send(client, "GET", "one", &two, "").await.ok().body, body, "the key was replaced");
    assert_eq!(send(client, "GET", "one", &one, "").await.status, 403);
}

#[tokio::test]
async fn the_parts_of_an_upload_come_with_the_key_that_it_was_begun_with() {
    let account = allowing().await;
    let client = &account.administrator;
    let five = "m".repeat(5 << 20);
    send(client, "PUT", "plain", &[], &five).await.ok();
    send(client, "PUT", "two", &headers(TWO), "tail").await.ok();
    let begun = ask_with(client, "POST", "/b-1/k", "uploads", &headers(ONE), "").await.ok();
    assert_eq!(said(&begun), ["", "AES256", ONE.1]);
    let id = begun.xml("UploadId").unwrap().to_owned();
    let part = async |number: u8, headers: &[(&str, &str)], body: &str| {
        let query = format!("partNumber={number}&uploadId={id}");
        client.s3("PUT", "/b-1/k", &query, headers, body.as_bytes()).await
    };
    for refused in [&[][..], &headers(TWO), &headers(ONE)[..2]] {
        let (status, code, _) = refusal(&part(1, refused, "x").await);
        assert_eq!(status, 400, "{refused:?} {code}");
    }
    let first = part(1, &headers(ONE), &five).await.ok();
    assert_eq!(said(&first), ["", "AES256", ONE.1]);
    let copied = [&headers(ONE)[..], &[("x-amz-copy-source", "/b-1/plain")]].concat();
    let second = part(2, &copied, "").await.ok();
    let from = [("x-amz-copy-source", "/b-1/two")];
    assert_eq!(part(3, &[&headers(ONE)[..], &from].concat(), "").await.status, 400);
    let copied = [&headers(ONE)[..], &source_headers(TWO), &from].concat();
    let third = part(3, &copied, "").await.ok();
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
    let other = client.s3("POST", "/b-1/k", &query, &headers(TWO), document.as_bytes()).await;
    assert_eq!(other.status, 400);
    let made = client.s3("POST", "/b-1/k", &query, &headers(ONE), document.as_bytes()).await.ok();
    assert!(made.xml("ETag").unwrap().ends_with("-3&quot;"), "{}", made.body);
    let other = client.s3("POST", "/b-1/k", &query, &headers(TWO), document.as_bytes()).await;
    assert_eq!(other.status, 400, "nor is it answered again with another");
    let again = client.s3("POST", "/b-1/k", &query, &headers(ONE), document.as_bytes()).await.ok();
    assert_eq!(again.body, made.body);
    let read = send(client, "GET", "k", &headers(ONE), "").await.ok();
    assert!(read.body.len() == (10 << 20) + 4 && read.body.ends_with("mtail"));
    assert_eq!(send(client, "GET", "k", &[], "").await.status, 400);
    let last = ask_with(client, "GET", "/b-1/k", "partNumber=3", &headers(ONE), "").await.ok();
    assert_eq!((last.status, last.body.as_str()), (206, "tail"));
    let plain = ask(client, "POST", "/b-1/p", "uploads", "").await.ok();
    let query = format!("partNumber=1&uploadId={}", plain.xml("UploadId").unwrap());
    let refused = client.s3("PUT", "/b-1/p", &query, &headers(ONE), b"x").await;
    assert_eq!(refused.status, 400, "an upload without a key takes none");
}

#[tokio::test]
async fn the_key_opens_nothing_to_who_may_not_read() {
    let account = allowing().await;
    send(&account.administrator, "PUT", "k", &headers(ONE), "hello").await.ok();
    let stranger = account.stranger("other", &[("all", crate::buckets::ALL)]).await;
    let nobody = account.server.user("nobody", &[]).await;
    let anonymous = account.server.anonymous();
    for client in [&stranger, &nobody, &anonymous] {
        over_tls(client);
        for headers in [&[][..], &headers(ONE)] {
            assert_eq!(send(client, "GET", "k", headers, "").await.status, 403);
            assert_eq!(send(client, "PUT", "k", headers, "x").await.status, 403);
        }
    }
}

#[tokio::test]
async fn a_policy_may_demand_keys_of_callers_or_forbid_them() {
    let account = allowing().await;
    let deny = |condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b-1/*","Condition":{{"Null":{{"s3:x-amz-server-side-encryption-customer-algorithm":"{condition}"}}}}}}}}"#
        )
    };
    for (condition, with, without) in [("true", 200, 403), ("false", 403, 200)] {
        account.policy("b-1", &deny(condition)).await;
        let client = &account.administrator;
        assert_eq!(send(client, "PUT", "k", &headers(ONE), "x").await.status, with, "{condition}");
        assert_eq!(send(client, "PUT", "k", &[], "x").await.status, without, "{condition}");
    }
}

#[tokio::test]
async fn the_key_is_in_no_record() {
    let account = allowing().await;
    let client = &account.administrator;
    send(client, "PUT", "k", &headers(ONE), "hello").await.ok();
    send(client, "GET", "k", &headers(TWO), "").await.refused();
    let notes = account.server.gate.state().objects.notes(0, 1000).await.unwrap();
    let written: Vec<String> =
        notes.iter().map(|note| String::from_utf8_lossy(&note.note).into_owned()).collect();
    let audit = account.server.audit();
    assert!(written.iter().any(|text| text.contains("PutObject")));
    assert!(audit.iter().any(|record| record.event_name == "GetObject"));
    let texts = written.into_iter().chain(audit.iter().map(|record| format!("{record:?}")));
    for text in texts {
        assert!(!text.contains(ONE.0) && !text.contains(TWO.0), "{text}");
    }
}
