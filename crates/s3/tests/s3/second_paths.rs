//! What the holder of a presigned URL may not add to it, and bodies that do not come in one piece.

use crate::signer::{Outgoing, Signer};
use crate::support::{Account, ask};

/// A bucket with a secret, and a user who may read and write everything: whose URLs are worth having.
async fn account() -> Account {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1/secret", "", "the secret").await;
    account.server.user("signer", &[("all", crate::buckets::ALL)]).await;
    account
}

fn put<'a>(unsigned: &'a [(&'a str, &'a str)], body: &'a [u8]) -> Outgoing<'a> {
    let payload = "UNSIGNED-PAYLOAD";
    Outgoing { method: "PUT", path: "/b-1/gift", query: "", headers: &[], unsigned, payload, body }
}

#[tokio::test]
async fn a_presigned_url_is_good_for_what_was_signed_and_nothing_else() {
    let account = account().await;
    let signer = Signer::of(&account.server, "signer");
    assert_eq!(signer.presigned(put(&[], b"hello")).await.status, 200);
    assert_eq!(signer.presigned(put(&[("content-type", "text/plain")], b"hello")).await.status, 200);
    for header in [
        ("x-amz-copy-source", "b-1/secret"),
        ("x-amz-acl", "bucket-owner-full-control"),
        ("x-amz-tagging", "team=blue"),
        ("x-amz-meta-a", "b"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-website-redirect-location", "http://evil.example.com"),
        ("x-amz-checksum-crc32", "NhCmhg=="),
    ] {
        let refused = signer.presigned(put(&[header], b"")).await;
        assert_eq!((refused.status, refused.code().as_deref()), (403, Some("AccessDenied")), "{header:?}");
        assert!(refused.body.contains(header.0), "{}", refused.body);
        assert_eq!(account.ok("GET", "/b-1/gift", "", "").await.body, "hello", "{header:?}");
    }
    let signed = Outgoing { headers: &[("x-amz-copy-source", "b-1/secret")], ..put(&[], b"") };
    assert_eq!(signer.presigned(signed).await.status, 200, "the signer may");
}

#[tokio::test]
async fn a_presigned_part_is_no_copy_and_a_presigned_read_says_what_was_signed() {
    let account = account().await;
    let signer = Signer::of(&account.server, "signer");
    let begun = ask(&account.administrator, "POST", "/b-1/gift", "uploads", "").await.ok();
    let query = format!("partNumber=1&uploadId={}", begun.xml("UploadId").unwrap());
    let part = |unsigned: &'static [(&str, &str)]| Outgoing { query: &query, ..put(unsigned, b"hello") };
    let refused = signer.presigned(part(&[("x-amz-copy-source", "b-1/secret")])).await;
    assert_eq!((refused.status, refused.code().as_deref()), (403, Some("AccessDenied")));
    assert_eq!(signer.presigned(part(&[])).await.status, 200);
    let read = |query: &'static str| Outgoing { method: "GET", path: "/b-1/secret", query, ..put(&[], b"") };
    let named = signer.presigned(read("response-content-type=text%2Fhtml")).await;
    assert_eq!((named.status, named.body.as_str()), (200, "the secret"));
    assert_eq!(named.headers["content-type"], "text/html");
}

/// A body as new clients send it: in chunks, with its checksum behind it.
fn chunked(text: &str, checksum: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n", text.len()).into_bytes()
}

#[tokio::test]
async fn a_body_in_chunks_becomes_an_object_if_its_checksum_is_true() {
    let account = account().await;
    let signer = Signer::of(&account.server, "signer");
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    for (body, status, code) in [
        (chunked("hello", "AAAAAA=="), 400, "BadDigest"),
        (chunked("hellooo", "NhCmhg=="), 400, "IncompleteBody"),
        (chunked("hell", "NhCmhg=="), 400, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\n".to_vec(), 400, "MalformedTrailerError"),
        (b"5\r\nhel".to_vec(), 400, "IncompleteBody"),
    ] {
        let payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
        let refused = signer.signed(Outgoing { headers: &headers, payload, ..put(&[], &body) }).await;
        assert_eq!((refused.status, refused.code().as_deref()), (status, Some(code)), "{}", refused.body);
        assert_eq!(ask(&account.administrator, "GET", "/b-1/gift", "", "").await.status, 404, "{code}");
    }
    let body = chunked("hello", "NhCmhg==");
    let payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    let made = signer.signed(Outgoing { headers: &headers, payload, ..put(&[], &body) }).await.ok();
    assert_eq!(made.headers["x-amz-checksum-crc32"], "NhCmhg==");
    let read = account.ok("GET", "/b-1/gift", "", "").await;
    assert_eq!(read.body, "hello");
    assert!(!read.headers.contains_key("content-encoding"), "how it came is no property of it");
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_makes_no_object() {
    let account = account().await;
    let signer = Signer::of(&account.server, "signer");
    let other = "0".repeat(64);
    let refused = signer.signed(Outgoing { payload: &other, ..put(&[], b"hello") }).await;
    assert_eq!((refused.status, refused.code().as_deref()), (400, Some("XAmzContentSHA256Mismatch")));
    assert_eq!(ask(&account.administrator, "GET", "/b-1/gift", "", "").await.status, 404);
}
