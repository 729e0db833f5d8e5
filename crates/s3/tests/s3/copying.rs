//! Copies: two rights in two buckets, and what goes along.

use daypass_core::testing::{Client, TestAnswer};

use crate::support::{Account, ask, ask_with};

const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

async fn copy(client: &Client, to: &str, source: &str, headers: &[(&str, &str)]) -> TestAnswer {
    let mut all = vec![("x-amz-copy-source", source)];
    all.extend(headers);
    ask_with(client, "PUT", to, "", &all, "").await
}

async fn account() -> Account {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-2", "", "").await;
    let described = [("content-type", "text/plain"), ("x-amz-meta-a", "b"), ("x-amz-tagging", "team=blue")];
    ask_with(&account.administrator, "PUT", "/b-1/k", "", &described, "hello").await.ok();
    account
}

#[tokio::test]
async fn a_copy_has_what_its_source_has() {
    let account = account().await;
    let made = copy(&account.administrator, "/b-2/c", "b-1/k", &[]).await.ok();
    assert_eq!(made.xml("ETag"), Some("&quot;5d41402abc4b2a76b9719d911017c592&quot;"));
    assert_eq!(made.xml("LastModified"), Some("2026-11-22T02:14:00.000Z"));
    assert_eq!(made.xml("ChecksumCRC32"), Some("NhCmhg=="));
    assert_eq!(made.headers["x-amz-server-side-encryption"], "AES256");
    let read = account.ok("GET", "/b-2/c", "", "").await;
    assert_eq!((read.body.as_str(), &read.headers["etag"]), ("hello", &HELLO.parse().unwrap()));
    assert_eq!(
        (&read.headers["content-type"], &read.headers["x-amz-meta-a"]),
        (&"text/plain".parse().unwrap(), &"b".parse().unwrap())
    );
    assert_eq!(read.headers["x-amz-tagging-count"], "1");
    let replaced = [
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-tagging-directive", "REPLACE"),
        ("x-amz-meta-c", "d"),
        ("x-amz-checksum-algorithm", "SHA1"),
    ];
    let made = copy(&account.administrator, "/b-2/d", "/b-1/k?versionId=null", &replaced).await.ok();
    assert_eq!(made.xml("ChecksumSHA1"), Some("qvTGHdzF6KLavt4PO0gs2a6pQ00="));
    let read = account.ok("GET", "/b-2/d", "", "").await;
    assert_eq!(
        (&read.headers["content-type"], &read.headers["x-amz-meta-c"]),
        (&"binary/octet-stream".parse().unwrap(), &"d".parse().unwrap())
    );
    assert!(!read.headers.contains_key("x-amz-meta-a") && !read.headers.contains_key("x-amz-tagging-count"));
}

#[tokio::test]
async fn a_copy_may_depend_on_both_ends() {
    let account = account().await;
    let client = &account.administrator;
    let before = "Sun, 22 Nov 2026 02:13:59 GMT";
    for (headers, status, condition) in [
        (&[("x-amz-copy-source-if-match", HELLO)][..], 200, None),
        (&[("x-amz-copy-source-if-match", "\"x\"")], 412, Some("x-amz-copy-source-If-Match")),
        (&[("x-amz-copy-source-if-none-match", HELLO)], 412, Some("x-amz-copy-source-If-None-Match")),
        (
            &[("x-amz-copy-source-if-unmodified-since", before)],
            412,
            Some("x-amz-copy-source-If-Unmodified-Since"),
        ),
        (&[("x-amz-copy-source-if-modified-since", before)], 200, None),
        (&[("if-none-match", "*")], 412, Some("If-None-Match")),
        (&[("if-match", HELLO)], 200, None),
        (&[("if-match", "\"x\"")], 412, Some("If-Match")),
    ] {
        let answer = copy(client, "/b-2/c", "b-1/k", headers).await;
        assert_eq!((answer.status, answer.xml("Condition")), (status, condition), "{headers:?}");
    }
}

#[tokio::test]
async fn a_source_that_is_none_is_refused() {
    let account = account().await;
    let client = &account.administrator;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    account.ok("PUT", "/b-1", "versioning", enabled).await;
    account.ok("PUT", "/b-1/gone", "", "x").await;
    let marked = account.ok("DELETE", "/b-1/gone", "", "").await;
    let by_marker = format!("b-1/gone?versionId={}", marked.headers["x-amz-version-id"].to_str().unwrap());
    for (source, status, code) in [
        ("b-1/../../../../etc/passwd", 404, "NoSuchKey"),
        ("b-1/k?versionId=../../etc/passwd", 400, "InvalidArgument"),
        ("b-1/safe%3FversionId%3D..%2f..%2fsecret.txt", 404, "NoSuchKey"),
        ("b-1/k%00x", 400, "InvalidURI"),
        ("b-1/gone", 404, "NoSuchKey"),
        (&by_marker, 400, "InvalidRequest"),
        ("k", 400, "InvalidArgument"),
        ("/", 400, "InvalidArgument"),
        ("", 400, "InvalidArgument"),
        ("/b-1", 400, "InvalidArgument"),
        ("http://evil.example.com/x", 400, "InvalidBucketName"),
        ("arn:aws:s3:::x/../y", 400, "InvalidBucketName"),
        ("none-1/k", 404, "NoSuchBucket"),
    ] {
        let refused = copy(client, "/b-2/c", source, &[]).await;
        assert_eq!((refused.status, refused.code().as_deref()), (status, Some(code)), "{source}");
    }
    let onto_itself = copy(client, "/b-1/k", "b-1/k", &[]).await;
    assert_eq!((onto_itself.status, onto_itself.code().as_deref()), (400, Some("InvalidRequest")));
    copy(client, "/b-1/k", "b-1/k", &[("x-amz-metadata-directive", "REPLACE")]).await.ok();
    let restored = copy(client, "/b-1/k", "b-1/k?versionId=null", &[]).await.ok();
    assert_eq!(restored.headers["x-amz-copy-source-version-id"], "null");
    assert!(restored.headers.contains_key("x-amz-version-id"));
    let expected = [("x-amz-source-expected-bucket-owner", "999988887777")];
    assert_eq!(copy(client, "/b-2/c", "b-1/k", &expected).await.status, 403);
}

#[tokio::test]
async fn a_copy_needs_the_right_to_read_and_the_right_to_write() {
    let account = account().await;
    let allow = |actions: &str, resource: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"{resource}"}}]}}"#
        )
    };
    let source = "arn:aws:s3:::b-1/*";
    let target = "arn:aws:s3:::b-2/*";
    account.ok("PUT", "/b-1/plain", "", "hello").await;
    let (read, write) = (r#""s3:GetObject""#, r#""s3:PutObject""#);
    let (read_tags, write_tags) = (r#""s3:GetObject*""#, r#""s3:PutObject*""#);
    for (name, policies, plain, tagged) in [
        ("ann", &[allow(read, source)][..], 403, 403),
        ("ben", &[allow(write, target)], 403, 403),
        ("cay", &[allow(read, source), allow(write, target)], 200, 403),
        ("dan", &[allow(read_tags, source), allow(write, target)], 200, 403),
        ("eli", &[allow(read, source), allow(write_tags, target)], 200, 403),
        ("fay", &[allow(read_tags, source), allow(write_tags, target)], 200, 200),
        ("gus", &[allow(write, source), allow(read, target)], 403, 403),
    ] {
        let named: Vec<(String, &str)> =
            policies.iter().enumerate().map(|(n, text)| (format!("p{n}"), text.as_str())).collect();
        let named: Vec<(&str, &str)> = named.iter().map(|(n, text)| (n.as_str(), *text)).collect();
        let user = account.server.user(name, &named).await;
        for (key, status) in [("plain", plain), ("k", tagged)] {
            let answer = copy(&user, &format!("/b-2/{name}-{key}"), &format!("b-1/{key}"), &[]).await;
            assert_eq!(answer.status, status, "{name} {key}: {}", answer.body);
            let there = ask(&account.administrator, "HEAD", &format!("/b-2/{name}-{key}"), "", "").await;
            assert_eq!(there.status == 200, status == 200, "{name} {key}");
        }
    }
}

#[tokio::test]
async fn the_policy_and_the_tags_of_the_source_decide_about_it() {
    let account = account().await;
    let eve = account.stranger("eve", &[("all", crate::buckets::ALL)]).await;
    ask(&eve, "PUT", "/eves-1", "", "").await.ok();
    let replace = [("x-amz-tagging-directive", "REPLACE")];
    assert_eq!(copy(&eve, "/eves-1/c", "b-1/k", &replace).await.status, 403);
    let blue = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"999988887777"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b-1/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"blue"}}}]}"#;
    account.policy("b-1", blue).await;
    let red = [("x-amz-tagging", "team=red")];
    ask_with(&account.administrator, "PUT", "/b-1/red", "", &red, "hello").await.ok();
    assert_eq!(copy(&eve, "/eves-1/c", "b-1/k", &replace).await.status, 200);
    assert_eq!(copy(&eve, "/eves-1/c", "b-1/k", &[]).await.status, 403, "its tags are another right");
    assert_eq!(copy(&eve, "/eves-1/c", "b-1/red", &replace).await.status, 403);
    assert_eq!(copy(&eve, "/eves-1/c", "b-1/none", &replace).await.status, 403);
    assert_eq!(copy(&account.server.anonymous(), "/b-2/c", "b-1/k", &replace).await.status, 403);
}

#[tokio::test]
async fn a_condition_on_the_source_sees_what_is_copied_however_it_is_written() {
    let account = account().await;
    account.ok("PUT", "/b-1/plain", "", "hello").await;
    let no_secrets = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"StringLike":{"s3:x-amz-copy-source":"b-1/k*"}}}]}"#;
    let user = account.server.user("user", &[("p", no_secrets)]).await;
    for (source, status) in [
        ("b-1/plain", 200),
        ("b-1/k", 403),
        ("/b-1/k", 403),
        ("%62-1/%6b", 403),
        ("b-1/k?versionId=null", 403),
    ] {
        assert_eq!(copy(&user, "/b-2/c", source, &[]).await.status, status, "{source}");
    }
}
