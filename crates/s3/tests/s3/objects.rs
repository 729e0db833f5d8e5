//! Objects: put, read, deleted, with all that is said of them.

use daypass_core::testing::{Client, TestAnswer};

use crate::support::{Account, ask, ask_with, header, refusal};

/// The entity tag of `hello`.
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

async fn put(client: &Client, key: &str, headers: &[(&str, &str)], body: &str) -> TestAnswer {
    ask_with(client, "PUT", &format!("/b-1/{key}"), "", headers, body).await
}

async fn get(client: &Client, key: &str, query: &str, headers: &[(&str, &str)]) -> TestAnswer {
    ask_with(client, "GET", &format!("/b-1/{key}"), query, headers, "").await
}

#[tokio::test]
async fn an_object_is_read_as_it_was_put() {
    let account = Account::with_bucket("b-1").await;
    let described = [
        ("content-type", "text/plain"),
        ("cache-control", "no-cache"),
        ("content-disposition", "inline"),
        ("content-encoding", "aws-chunked,gzip"),
        ("content-language", "de"),
        ("expires", "not a date"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-meta-two", "words here"),
    ];
    let made = put(&account.administrator, "a%20b/c", &described, "hello").await.ok();
    assert_eq!(header(&made, "etag"), Some(HELLO));
    assert_eq!(header(&made, "x-amz-server-side-encryption"), Some("AES256"));
    assert_eq!(header(&made, "x-amz-checksum-crc32"), Some("NhCmhg=="));
    assert_eq!(header(&made, "x-amz-checksum-type"), Some("FULL_OBJECT"));
    assert_eq!(header(&made, "x-amz-version-id"), None);
    for method in ["GET", "HEAD"] {
        let mode = [("x-amz-checksum-mode", "ENABLED")];
        let read = ask_with(&account.administrator, method, "/b-1/a%20b/c", "", &mode, "").await.ok();
        assert_eq!(read.body, if method == "GET" { "hello" } else { "" });
        for (name, value) in [
            ("content-type", Some("text/plain")),
            ("cache-control", Some("no-cache")),
            ("content-disposition", Some("inline")),
            ("content-encoding", Some("gzip")),
            ("content-language", Some("de")),
            ("expires", Some("not a date")),
            ("x-amz-meta-colour", Some("blue")),
            ("x-amz-meta-two", Some("words here")),
            ("content-length", Some("5")),
            ("accept-ranges", Some("bytes")),
            ("etag", Some(HELLO)),
            ("last-modified", Some("Sun, 22 Nov 2026 02:14:00 GMT")),
            ("x-amz-server-side-encryption", Some("AES256")),
            ("x-amz-checksum-crc32", Some("NhCmhg==")),
            ("x-amz-checksum-type", Some("FULL_OBJECT")),
            ("x-amz-storage-class", None),
            ("x-amz-version-id", None),
        ] {
            assert_eq!(header(&read, name), value, "{method} {name}");
        }
    }
}

#[tokio::test]
async fn who_reads_does_not_say_how_to_encrypt() {
    let account = Account::with_bucket("b-1").await;
    put(&account.administrator, "k", &[], "hello").await.ok();
    for algorithm in ["AES256", "aws:kms"] {
        let asked = [("x-amz-server-side-encryption", algorithm)];
        assert_eq!(get(&account.administrator, "k", "", &asked).await.refused().0, "InvalidArgument");
        assert_eq!(get(&account.administrator, "missing", "", &asked).await.refused().0, "NoSuchKey");
        let head = ask_with(&account.administrator, "HEAD", "/b-1/k", "", &asked, "").await;
        assert_eq!(head.status, 400);
    }
}

#[tokio::test]
async fn what_nobody_chose_is_s3s_default() {
    let account = Account::with_bucket("b-1").await;
    let made = account.administrator.s3("PUT", "/b-1/k", "", &[], b"123456789").await.ok();
    assert_eq!(header(&made, "x-amz-checksum-crc64nvme"), Some("rosUhgp5mIg="));
    let read = get(&account.administrator, "k", "", &[]).await.ok();
    assert_eq!(header(&read, "content-type"), Some("binary/octet-stream"));
    assert_eq!(header(&read, "x-amz-checksum-crc64nvme"), None, "nobody asked");
    let empty = account.administrator.s3("PUT", "/b-1/e", "", &[], b"").await.ok();
    assert_eq!(header(&empty, "etag"), Some("\"d41d8cd98f00b204e9800998ecf8427e\""));
    assert_eq!(header(&get(&account.administrator, "e", "", &[]).await.ok(), "content-length"), Some("0"));
}

#[tokio::test]
async fn a_part_of_an_object_is_read_by_its_range() {
    let account = Account::with_bucket("b-1").await;
    put(&account.administrator, "k", &[], "0123456789").await.ok();
    for (range, status, body, shown) in [
        ("bytes=0-0", 206, "0", Some("bytes 0-0/10")),
        ("bytes=-3", 206, "789", Some("bytes 7-9/10")),
        ("bytes=5-100", 206, "56789", Some("bytes 5-9/10")),
        ("bytes=0-4,2-6", 200, "0123456789", None),
        ("nonsense", 200, "0123456789", None),
    ] {
        let headers = [("range", range), ("x-amz-checksum-mode", "ENABLED")];
        let read = get(&account.administrator, "k", "", &headers).await;
        assert_eq!((read.status, read.body.as_str()), (status, body), "{range}");
        assert_eq!(header(&read, "content-range"), shown, "{range}");
        assert_eq!(header(&read, "content-length"), Some(body.len().to_string().as_str()), "{range}");
        assert_eq!(header(&read, "x-amz-checksum-crc32").is_some(), status == 200, "{range}");
    }
    let beyond = get(&account.administrator, "k", "", &[("range", "bytes=10-")]).await;
    assert_eq!((beyond.status, beyond.code().as_deref()), (416, Some("InvalidRange")));
    assert_eq!(
        (beyond.xml("ActualObjectSize"), beyond.xml("RangeRequested")),
        (Some("10"), Some("bytes=10-"))
    );
    let first = get(&account.administrator, "k", "partNumber=1", &[]).await;
    assert_eq!((first.status, first.body.as_str()), (206, "0123456789"));
    for (query, headers, status, code) in [
        ("partNumber=2", &[][..], 416, "InvalidPartNumber"),
        ("partNumber=0", &[], 400, "InvalidArgument"),
        ("partNumber=10001", &[], 400, "InvalidArgument"),
        ("partNumber=x", &[], 400, "InvalidArgument"),
        ("partNumber=1", &[("range", "bytes=0-1")], 400, "InvalidRequest"),
    ] {
        let refused = get(&account.administrator, "k", query, headers).await;
        assert_eq!((refused.status, refused.code().as_deref()), (status, Some(code)), "{query}");
    }
}

#[tokio::test]
async fn readers_may_set_conditions() {
    let account = Account::with_bucket("b-1").await;
    put(&account.administrator, "k", &[("cache-control", "no-cache")], "hello").await.ok();
    let (written, before) = ("Sun, 22 Nov 2026 02:14:00 GMT", "Sun, 22 Nov 2026 02:13:59 GMT");
    for (headers, status) in [
        (&[("if-match", HELLO)][..], 200),
        (&[("if-match", "\"x\"")], 412),
        (&[("if-none-match", HELLO)], 304),
        (&[("if-none-match", "\"x\"")], 200),
        (&[("if-modified-since", written)], 304),
        (&[("if-modified-since", before)], 200),
        (&[("if-modified-since", "no date")], 200),
        (&[("if-unmodified-since", before)], 412),
        (&[("if-match", HELLO), ("if-unmodified-since", before)], 200),
        (&[("if-none-match", "\"x\""), ("if-modified-since", written)], 200),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ask_with(&account.administrator, method, "/b-1/k", "", headers, "").await;
            assert_eq!(answer.status, status, "{method} {headers:?}");
            if status == 304 {
                assert_eq!(answer.body, "");
                assert_eq!(header(&answer, "etag"), Some(HELLO));
                assert_eq!(header(&answer, "cache-control"), Some("no-cache"));
                assert_eq!(header(&answer, "content-type"), None);
            }
            if (status, method) == (412, "GET") {
                assert_eq!(answer.code().as_deref(), Some("PreconditionFailed"));
                assert!(headers.iter().any(
                    |(name, _)| Some(*name) == answer.xml("Condition").map(str::to_lowercase).as_deref()
                ));
            }
        }
    }
}

#[tokio::test]
async fn writers_may_set_conditions() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    assert_eq!(put(client, "k", &[("if-none-match", "*")], "hello").await.status, 200);
    for (headers, status, code) in [
        (&[("if-none-match", "*")][..], 412, "PreconditionFailed"),
        (&[("if-none-match", HELLO)], 501, "NotImplemented"),
        (&[("if-match", "\"x\"")], 412, "PreconditionFailed"),
        (&[("if-match", HELLO), ("if-none-match", "*")], 501, "NotImplemented"),
    ] {
        let refused = put(client, "k", headers, "other").await;
        assert_eq!((refused.status, refused.code().as_deref()), (status, Some(code)), "{headers:?}");
    }
    assert_eq!(put(client, "none", &[("if-match", HELLO)], "x").await.status, 404);
    assert_eq!(get(client, "k", "", &[]).await.ok().body, "hello");
    assert_eq!(put(client, "k", &[("if-match", HELLO)], "bye").await.status, 200);
    assert_eq!(get(client, "k", "", &[]).await.ok().body, "bye");
    for (if_match, status) in [("\"x\"", 412), ("*", 204), ("*", 404)] {
        let headers = [("if-match", if_match)];
        assert_eq!(ask_with(client, "DELETE", "/b-1/k", "", &headers, "").await.status, status);
    }
}

#[tokio::test]
async fn what_is_missing_is_told_only_to_who_may_list() {
    let account = Account::with_bucket("b-1").await;
    let get_only = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject*","Resource":"*"}]}"#;
    let reader = account.server.user("reader", &[("p", get_only)]).await;
    let nobody = account.server.user("nobody", &[]).await;
    put(&account.administrator, "there", &[], "hello").await.ok();
    for (client, key, query, status, code) in [
        (&account.administrator, "none", "", 404, "NoSuchKey"),
        (&account.administrator, "there", "versionId=null", 200, ""),
        (&account.administrator, "none", "versionId=null", 404, "NoSuchVersion"),
        (&account.administrator, "there", "versionId=..%2Fx", 400, "InvalidArgument"),
        (&account.administrator, "there", "versionId=", 400, "InvalidArgument"),
        (&reader, "there", "", 200, ""),
        (&reader, "none", "", 403, "AccessDenied"),
        (&reader, "none", "versionId=null", 403, "AccessDenied"),
        (&nobody, "there", "", 403, "AccessDenied"),
        (&nobody, "none", "", 403, "AccessDenied"),
        (&account.server.anonymous(), "there", "", 403, "AccessDenied"),
        (&account.server.anonymous(), "none", "", 403, "AccessDenied"),
    ] {
        let answer = get(client, key, query, &[]).await;
        assert_eq!(
            (answer.status, answer.code().unwrap_or_default().as_str()),
            (status, code),
            "{key} {query}"
        );
        let head = ask(client, "HEAD", &format!("/b-1/{key}"), query, "").await;
        assert_eq!((head.status, head.body.as_str()), (status, ""), "{key} {query}");
    }
    let missing = get(&account.administrator, "none", "", &[]).await;
    assert_eq!(missing.refused().1, "The specified key does not exist.");
    assert_eq!(missing.xml("Key"), Some("none"));
}

#[tokio::test]
async fn a_refused_put_leaves_no_trace() {
    let account = Account::with_bucket("b-1").await;
    let nobody = account.server.user("nobody", &[]).await;
    let put_only =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}"#;
    let writer = account.server.user("writer", &[("p", put_only)]).await;
    for (client, headers, status, code) in [
        (&nobody, &[][..], 403, "AccessDenied"),
        (&account.server.anonymous(), &[], 403, "AccessDenied"),
        (&writer, &[("x-amz-tagging", "a=b")], 403, "AccessDenied"),
        (&writer, &[("x-amz-acl", "public-read")], 403, "AccessDenied"),
        (&writer, &[("if-match", "*")], 403, "AccessDenied"),
        (&writer, &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], 400, "BadDigest"),
        (&writer, &[("content-md5", "###")], 400, "InvalidDigest"),
    ] {
        let before = account.server.audit().len();
        let refused = client.s3("PUT", "/b-1/k", "", headers, b"hello").await;
        assert_eq!((refused.status, refused.code().as_deref()), (status, Some(code)), "{headers:?}");
        let state = account.server.gate.state();
        assert_eq!(state.objects.notes(0, 10).await.unwrap(), []);
        let audit = account.server.audit();
        assert_eq!(audit.len(), before + 1);
        assert!(audit.last().unwrap().event.contains(&format!("\"errorCode\":\"{code}\"")));
    }
    assert_eq!(get(&account.administrator, "k", "", &[]).await.status, 404);
    let long = "x".repeat(1025);
    let refused = put(&account.administrator, &long, &[], "x").await;
    assert_eq!((refused.status, refused.code().as_deref()), (400, Some("KeyTooLongError")));
    put(&account.administrator, &"x".repeat(1024), &[], "x").await.ok();
    let refused = put(&account.administrator, "nul%00byte", &[], "x").await;
    assert_eq!((refused.status, refused.code().as_deref()), (400, Some("InvalidURI")));
}

#[tokio::test]
async fn a_change_is_recorded_with_it() {
    let account = Account::with_bucket("b-1").await;
    put(&account.administrator, "k", &[], "hello").await.ok();
    ask(&account.administrator, "DELETE", "/b-1/k", "", "").await.ok();
    let refused = ask_with(&account.administrator, "DELETE", "/b-1/k", "", &[("if-match", "*")], "").await;
    assert_eq!(refused.status, 404);
    let state = account.server.gate.state();
    let notes = state.objects.notes(0, 10).await.unwrap();
    assert_eq!(notes.len(), 2, "each change has its record, and a refusal is none");
    daypass_core::outbox::drain(state).await.unwrap();
    let audit = account.server.audit();
    let put = audit.iter().find(|record| record.event_name == "PutObject").unwrap();
    assert!(!put.management && put.event.contains("\"key\":\"k\""), "{}", put.event);
    assert!(put.event.contains("5d41402abc4b2a76b9719d911017c592"), "{}", put.event);
    let deletes: Vec<bool> = audit
        .iter()
        .filter(|record| record.event_name == "DeleteObject")
        .map(|record| record.event.contains("errorCode"))
        .collect();
    assert_eq!(deletes.len(), 2);
    assert!(deletes.contains(&true) && deletes.contains(&false));
}

#[tokio::test]
async fn what_objects_here_do_not_have_is_refused_by_name() {
    let account = Account::with_bucket("b-1").await;
    let long = "x".repeat(2048);
    let tags = (0..11).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
    for (headers, status, code) in [
        (&[("x-amz-acl", "bucket-owner-full-control")][..], 200, ""),
        (&[("x-amz-acl", "private")], 400, "AccessControlListNotSupported"),
        (&[("x-amz-grant-read", "id=x")], 400, "AccessControlListNotSupported"),
        (&[("x-amz-server-side-encryption", "AES256")], 200, ""),
        (&[("x-amz-server-side-encryption", "aws:kms:dsse")], 501, "NotImplemented"),
        (&[("x-amz-server-side-encryption", "ROT13")], 400, "InvalidArgument"),
        (&[("x-amz-server-side-encryption-customer-algorithm", "AES256")], 403, "AccessDenied"),
        (&[("x-amz-storage-class", "STANDARD")], 200, ""),
        (&[("x-amz-storage-class", "GLACIER")], 400, "InvalidStorageClass"),
        (&[("x-amz-storage-class", "NOPE")], 400, "InvalidStorageClass"),
        (&[("x-amz-object-lock-legal-hold", "ON")], 400, "InvalidRequest"),
        (&[("x-amz-write-offset-bytes", "0")], 501, "NotImplemented"),
        (&[("x-amz-meta-a", &long)], 400, "MetadataTooLarge"),
        (&[("x-amz-tagging", "a=b&c=d")], 200, ""),
        (&[("x-amz-tagging", &tags)], 400, "BadRequest"),
        (&[("x-amz-expected-bucket-owner", "123456789012")], 200, ""),
        (&[("x-amz-expected-bucket-owner", "999988887777")], 403, "AccessDenied"),
    ] {
        let answer = put(&account.administrator, "k", headers, "hello").await;
        assert_eq!(
            (answer.status, answer.code().unwrap_or_default().as_str()),
            (status, code),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn a_reader_may_say_how_an_object_is_called() {
    let account = Account::with_bucket("b-1").await;
    put(&account.administrator, "k", &[("content-type", "text/plain")], "hello").await.ok();
    let query = "response-cache-control=none&response-content-disposition=attachment%0D%0AX-Injected%3A%201&response-content-type=text%2Fhtml&response-expires=Sun%2C%2022%20Nov%202026%2002%3A14%3A00%20GMT";
    let read = get(&account.administrator, "k", query, &[]).await.ok();
    assert_eq!(header(&read, "content-type"), Some("text/html"));
    assert_eq!(header(&read, "cache-control"), Some("none"));
    assert_eq!(header(&read, "expires"), Some("Sun, 22 Nov 2026 02:14:00 GMT"));
    assert_eq!(header(&read, "x-injected"), None);
    account.unblock("b-1").await;
    let everybody = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b-1/*"}]}"#;
    account.policy("b-1", everybody).await;
    let anonymous = account.server.anonymous();
    assert_eq!(get(&anonymous, "k", "", &[]).await.ok().body, "hello");
    let refused = get(&anonymous, "k", query, &[]).await;
    assert_eq!((refused.status, refused.code().as_deref()), (400, Some("InvalidRequest")));
    assert_eq!(get(&anonymous, "none", "", &[]).await.status, 403);
}

#[tokio::test]
async fn conditions_on_tags_and_versions_decide() {
    let account = Account::with_bucket("b-1").await;
    let tagged = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"blue"}}},
        {"Effect":"Allow","Action":["s3:PutObject","s3:PutObjectTagging"],"Resource":"*","Condition":{"StringEquals":{"s3:RequestObjectTag/team":"blue"}}}]}"#;
    let blue = account.server.user("blue", &[("p", tagged)]).await;
    put(&account.administrator, "red", &[("x-amz-tagging", "team=red")], "hello").await.ok();
    put(&account.administrator, "blue", &[("x-amz-tagging", "team=blue&x=y")], "hello").await.ok();
    put(&account.administrator, "none", &[], "hello").await.ok();
    for (key, status) in [("red", 403), ("blue", 200), ("none", 403)] {
        assert_eq!(get(&blue, key, "", &[]).await.status, status, "{key}");
    }
    assert_eq!(get(&blue, "blue", "versionId=null", &[]).await.status, 403, "that is another right");
    assert_eq!(header(&get(&blue, "blue", "", &[]).await, "x-amz-tagging-count"), None, "nor that");
    let counted = get(&account.administrator, "blue", "", &[]).await;
    assert_eq!(header(&counted, "x-amz-tagging-count"), Some("2"));
    for (headers, status) in
        [(&[][..], 403), (&[("x-amz-tagging", "team=red")], 403), (&[("x-amz-tagging", "team=blue")], 200)]
    {
        assert_eq!(put(&blue, "mine", headers, "x").await.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn versions_are_kept_and_deletes_leave_markers() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let status = |s: &str| format!("<VersioningConfiguration><Status>{s}</Status></VersioningConfiguration>");
    put(client, "k", &[], "null").await.ok();
    account.ok("PUT", "/b-1", "versioning", &status("Enabled")).await;
    let first = put(client, "k", &[], "first").await.ok();
    let id = header(&first, "x-amz-version-id").unwrap().to_owned();
    assert_eq!(header(&get(client, "k", "versionId=null", &[]).await.ok(), "x-amz-version-id"), Some("null"));
    let marked = ask(client, "DELETE", "/b-1/k", "", "").await.ok();
    assert_eq!((marked.status, header(&marked, "x-amz-delete-marker")), (204, Some("true")));
    let marker = header(&marked, "x-amz-version-id").unwrap().to_owned();
    let hidden = get(client, "k", "", &[]).await;
    assert_eq!((hidden.status, hidden.code().as_deref()), (404, Some("NoSuchKey")));
    assert_eq!(header(&hidden, "x-amz-delete-marker"), Some("true"));
    assert_eq!(header(&hidden, "x-amz-version-id"), Some(marker.as_str()));
    let by_id = get(client, "k", &format!("versionId={marker}"), &[]).await;
    assert_eq!((by_id.status, by_id.code().as_deref()), (405, Some("MethodNotAllowed")));
    assert_eq!(
        (header(&by_id, "x-amz-delete-marker"), header(&by_id, "allow")),
        (Some("true"), Some("DELETE"))
    );
    assert_eq!(get(client, "k", &format!("versionId={id}"), &[]).await.ok().body, "first");
    let removed = ask(client, "DELETE", "/b-1/k", &format!("versionId={marker}"), "").await.ok();
    assert_eq!(header(&removed, "x-amz-delete-marker"), Some("true"));
    assert_eq!(header(&removed, "x-amz-version-id"), Some(marker.as_str()));
    assert_eq!(get(client, "k", "", &[]).await.ok().body, "first");
    let removed = ask(client, "DELETE", "/b-1/k", &format!("versionId={id}"), "").await.ok();
    assert_eq!(
        (header(&removed, "x-amz-delete-marker"), header(&removed, "x-amz-version-id")),
        (None, Some(id.as_str()))
    );
    assert_eq!(get(client, "k", "", &[]).await.ok().body, "null");
    account.ok("PUT", "/b-1", "versioning", &status("Suspended")).await;
    assert_eq!(header(&put(client, "k", &[], "again").await.ok(), "x-amz-version-id"), Some("null"));
    let refused = ask(client, "DELETE", "/b-1/k", "versionId=nonsense", "").await;
    assert_eq!(refused.refused(), ("InvalidArgument".into(), "Invalid version id specified".into()));
    let deletes = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"*"}]}"#;
    let deleter = account.server.user("deleter", &[("p", deletes)]).await;
    assert_eq!(ask(&deleter, "DELETE", "/b-1/k", "versionId=null", "").await.status, 403);
    assert_eq!(ask(&deleter, "DELETE", "/b-1/k", "", "").await.status, 204);
}

#[tokio::test]
async fn nothing_is_put_into_a_bucket_that_is_not_there() {
    let account = Account::new().await;
    let none = refusal(404, "NoSuchBucket", "The specified bucket does not exist");
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(account.refused(method, "/none-1/k", "", "").await, none, "{method}");
    }
}

#[tokio::test]
async fn a_storage_class_is_kept_with_its_object_and_no_copy_inherits_it() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    for class in ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY", "GLACIER_IR"] {
        put(client, "k", &[("x-amz-storage-class", class)], "x").await.ok();
        let head = account.ok("HEAD", "/b-1/k", "", "").await;
        assert_eq!(header(&head, "x-amz-storage-class"), Some(class));
        assert_eq!(account.ok("GET", "/b-1", "", "").await.xml("StorageClass"), Some(class));
        let asked = [("x-amz-object-attributes", "StorageClass")];
        let attributes = ask_with(client, "GET", "/b-1/k", "attributes", &asked, "").await.ok();
        assert_eq!(attributes.xml("StorageClass"), Some(class));
    }
    for (headers, shown) in [
        (&[("x-amz-copy-source", "/b-1/k")][..], None),
        (&[("x-amz-copy-source", "/b-1/k"), ("x-amz-storage-class", "ONEZONE_IA")], Some("ONEZONE_IA")),
        (&[("x-amz-copy-source", "/b-1/k"), ("x-amz-storage-class", "STANDARD")], None),
    ] {
        ask_with(client, "PUT", "/b-1/copy", "", headers, "").await.ok();
        let head = account.ok("HEAD", "/b-1/copy", "", "").await;
        assert_eq!(header(&head, "x-amz-storage-class"), shown, "{headers:?}");
    }
    let begun =
        ask_with(client, "POST", "/b-1/parts", "uploads", &[("x-amz-storage-class", "STANDARD_IA")], "")
            .await
            .ok();
    let query = format!("uploadId={}", begun.xml("UploadId").unwrap());
    assert_eq!(account.ok("GET", "/b-1/parts", &query, "").await.xml("StorageClass"), Some("STANDARD_IA"));
    assert_eq!(account.ok("GET", "/b-1", "uploads", "").await.xml("StorageClass"), Some("STANDARD_IA"));
}
