//! Objects that arrive in parts.

use daypass_core::testing::{Client, TestAnswer};

use crate::support::{Account, ask, ask_with, refused};

const FIVE_MIB: usize = 5 << 20;

async fn begin(client: &Client, key: &str, headers: &[(&str, &str)]) -> String {
    let begun = ask_with(client, "POST", &format!("/b-1/{key}"), "uploads", headers, "").await.ok();
    assert_eq!((begun.xml("Bucket"), begun.xml("Key")), (Some("b-1"), Some(key)));
    begun.xml("UploadId").unwrap().to_owned()
}

async fn part(client: &Client, key: &str, id: &str, number: u32, body: &str) -> TestAnswer {
    let query = format!("partNumber={number}&uploadId={id}");
    client.s3("PUT", &format!("/b-1/{key}"), &query, &[], body.as_bytes()).await
}

fn tag(part: &TestAnswer) -> String {
    part.headers.get("etag").unwrap().to_str().unwrap().to_owned()
}

fn document(parts: &[(u32, &str)]) -> String {
    let parts =
        parts.iter().map(|(number, more)| format!("<Part><PartNumber>{number}</PartNumber>{more}</Part>"));
    format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.collect::<String>())
}

async fn complete(
    client: &Client,
    key: &str,
    id: &str,
    headers: &[(&str, &str)],
    document: &str,
) -> TestAnswer {
    client.s3("POST", &format!("/b-1/{key}"), &format!("uploadId={id}"), headers, document.as_bytes()).await
}

fn etag(tag: &str) -> String {
    format!("<ETag>{}</ETag>", tag.replace('"', "&quot;"))
}

#[tokio::test]
async fn an_object_is_made_of_its_parts() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let headers = [("x-amz-meta-a", "b"), ("content-type", "text/plain"), ("x-amz-tagging", "c=d")];
    let id = begin(client, "k", &headers).await;
    let big = "m".repeat(FIVE_MIB);
    let first = tag(&part(client, "k", &id, 1, &big).await.ok());
    part(client, "k", &id, 7, "replaced").await.ok();
    let second = tag(&part(client, "k", &id, 7, "tail").await.ok());
    assert_eq!(second, "\"7aea2552dfe7eb84b9443b6fc9ba6e01\"");
    assert_eq!(ask(client, "GET", "/b-1/k", "", "").await.status, 404, "nothing is there before");
    let listed = account.ok("GET", "/b-1/k", &format!("uploadId={id}"), "").await;
    assert_eq!(listed.xml_all("PartNumber"), ["1", "7"]);
    assert_eq!(listed.xml_all("Size"), ["5242880", "4"]);
    assert_eq!((listed.xml("IsTruncated"), listed.xml("NextPartNumberMarker")), (Some("false"), Some("7")));
    assert!(listed.xml_all("ID")[0].starts_with("arn:aws:sts::123456789012:"), "{}", listed.body);
    let text = document(&[(1, &etag(&first)), (7, &etag(&second))]);
    let made = complete(client, "k", &id, &[], &text).await.ok();
    assert_eq!(made.xml("ETag"), Some("&quot;7a78eafcb2bfba4e2bcdca8d16378b64-2&quot;"));
    assert_eq!(made.xml("ChecksumType"), Some("FULL_OBJECT"));
    assert!(made.xml("ChecksumCRC64NVME").is_some());
    let again = complete(client, "k", &id, &[], &text).await.ok();
    assert_eq!(again.xml("ETag"), made.xml("ETag"), "a retry is answered the same");
    let read = account.ok("GET", "/b-1/k", "", "").await;
    assert!(read.body.len() == FIVE_MIB + 4 && read.body.ends_with("mtail"));
    for (name, value) in [("x-amz-meta-a", "b"), ("content-type", "text/plain"), ("x-amz-tagging-count", "1")]
    {
        assert_eq!(read.headers[name], value);
    }
    let last = account.ok("GET", "/b-1/k", "partNumber=2", "").await;
    assert_eq!((last.status, last.body.as_str()), (206, "tail"));
    assert_eq!(last.headers["x-amz-mp-parts-count"], "2");
    assert_eq!(last.headers["content-range"], format!("bytes {FIVE_MIB}-{}/{}", FIVE_MIB + 3, FIVE_MIB + 4));
    let none = ask(client, "GET", "/b-1/k", "partNumber=3", "").await;
    assert_eq!((none.status, none.xml("ActualPartCount")), (416, Some("2")));
}

#[tokio::test]
async fn what_does_not_fit_together_makes_no_object() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let id = begin(client, "k", &[]).await;
    let first = etag(&tag(&part(client, "k", &id, 1, "small").await.ok()));
    let second = etag(&tag(&part(client, "k", &id, 2, "tail").await.ok()));
    let wrong = etag(&format!("\"{}\"", "0".repeat(32)));
    for (parts, code) in [
        (&[(1, first.as_str()), (2, &second)][..], "EntityTooSmall"),
        (&[(1, &wrong)], "InvalidPart"),
        (&[(2, &second), (3, &second)], "InvalidPart"),
        (&[(2, &second), (1, &first)], "InvalidPartOrder"),
        (&[(1, &first), (1, &first)], "InvalidPartOrder"),
        (&[(0, &first)], "InvalidArgument"),
        (&[(1, "")], "MalformedXML"),
        (&[], "MalformedXML"),
    ] {
        let refused = complete(client, "k", &id, &[], &document(parts)).await;
        assert_eq!((refused.status, refused.code().as_deref()), (400, Some(code)), "{parts:?}");
    }
    let many: Vec<(u32, &str)> = (1..=10_001).map(|number| (number, first.as_str())).collect();
    assert_eq!(complete(client, "k", &id, &[], &document(&many)).await.status, 400);
    let sized = [("x-amz-mp-object-size", "9")];
    let refused = complete(client, "k", &id, &sized, &document(&[(2, &second)])).await;
    assert_eq!((refused.status, refused.code().as_deref()), (400, Some("InvalidRequest")));
    assert_eq!(ask(client, "GET", "/b-1/k", "", "").await.status, 404);
    complete(client, "k", &id, &[("x-amz-mp-object-size", "4")], &document(&[(2, &second)])).await.ok();
    assert_eq!(account.ok("GET", "/b-1/k", "", "").await.body, "tail");
}

#[tokio::test]
async fn an_upload_is_known_by_bucket_key_and_id() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-2", "", "").await;
    let client = &account.administrator;
    let id = begin(client, "k", &[]).await;
    part(client, "k", &id, 1, "x").await.ok();
    let at = format!("partNumber=1&uploadId={id}");
    for (method, path, query) in [
        ("PUT", "/b-1/other", at.as_str()),
        ("PUT", "/b-2/k", &at),
        ("PUT", "/b-1/k", "partNumber=1&uploadId=..%2F..%2Fx"),
        ("GET", "/b-1/k", "uploadId=..%2F..%2Fb-2"),
        ("DELETE", "/b-1/k", "uploadId="),
        ("DELETE", "/b-1/other", &format!("uploadId={id}")),
    ] {
        let (status, code, _) = refused(client, method, path, query, "").await;
        assert_eq!((status, code.as_str()), (404, "NoSuchUpload"), "{method} {path}?{query}");
    }
    for number in ["0", "-1", "10001", "abc", "4294967297", ""] {
        let query = format!("partNumber={number}&uploadId={id}");
        let (status, code, _) = refused(client, "PUT", "/b-1/k", &query, "").await;
        assert_eq!((status, code.as_str()), (400, "InvalidArgument"), "{number}");
    }
    assert_eq!(account.ok("DELETE", "/b-1/k", &format!("uploadId={id}"), "").await.status, 204);
    assert_eq!(part(client, "k", &id, 1, "x").await.status, 404);
    let ended = complete(client, "k", &id, &[], &document(&[(1, "<ETag>x</ETag>")])).await;
    assert_eq!((ended.status, ended.code().as_deref()), (404, Some("NoSuchUpload")));
    assert_eq!(refused(client, "DELETE", "/b-1/k", &format!("uploadId={id}"), "").await.0, 404);
    account.ok("DELETE", "/b-1", "", "").await;
}

#[tokio::test]
async fn parts_have_the_checksum_that_the_upload_was_begun_with() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    for (headers, code) in [
        (&[("x-amz-checksum-type", "FULL_OBJECT")][..], "InvalidRequest"),
        (&[("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "FULL_OBJECT")], "InvalidRequest"),
        (
            &[("x-amz-checksum-algorithm", "CRC64NVME"), ("x-amz-checksum-type", "COMPOSITE")],
            "InvalidRequest",
        ),
        (&[("x-amz-checksum-algorithm", "XXHASH64")], "NotImplemented"),
    ] {
        let answer = ask_with(client, "POST", "/b-1/k", "uploads", headers, "").await;
        assert_eq!(answer.code().as_deref(), Some(code), "{headers:?}");
    }
    // The checksum of `hello`, as a client sends it with each part and again at the end.
    let id = begin(client, "k", &[("x-amz-checksum-algorithm", "CRC32")]).await;
    let mismatch = part(client, "k", &id, 1, "hello").await;
    let words = "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: null";
    assert_eq!(mismatch.refused(), ("InvalidRequest".into(), words.into()));
    let query = format!("partNumber=1&uploadId={id}");
    let other = [("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=")];
    assert_eq!(client.s3("PUT", "/b-1/k", &query, &other, b"hello").await.status, 400);
    let wrong = [("x-amz-checksum-crc32", "AAAAAA==")];
    let bad = client.s3("PUT", "/b-1/k", &query, &wrong, b"hello").await;
    assert_eq!((bad.status, bad.code().as_deref()), (400, Some("BadDigest")));
    let sent = [("x-amz-checksum-crc32", "NhCmhg==")];
    let stored = client.s3("PUT", "/b-1/k", &query, &sent, b"hello").await.ok();
    assert_eq!(stored.headers["x-amz-checksum-crc32"], "NhCmhg==");
    let listed = account.ok("GET", "/b-1/k", &format!("uploadId={id}"), "").await;
    assert_eq!(
        (listed.xml("ChecksumAlgorithm"), listed.xml("ChecksumType")),
        (Some("CRC32"), Some("COMPOSITE"))
    );
    assert_eq!(listed.xml("ChecksumCRC32"), Some("NhCmhg=="));
    let bare = etag(&tag(&stored));
    let missing = complete(client, "k", &id, &[], &document(&[(1, &bare)])).await;
    assert!(missing.refused().1.contains("It was missing for part 1 in the request."), "{}", missing.body);
    let with = |sum: &str| document(&[(1, &format!("{bare}<ChecksumCRC32>{sum}</ChecksumCRC32>"))]);
    assert_eq!(
        complete(client, "k", &id, &[], &with("AAAAAA==")).await.code().as_deref(),
        Some("InvalidPart")
    );
    let kind = [("x-amz-checksum-type", "FULL_OBJECT")];
    assert_eq!(complete(client, "k", &id, &kind, &with("NhCmhg==")).await.status, 400);
    for whole in ["AAAAAA==", "AAAAAA==-1", "5uVWHQ==-2"] {
        let declared = [("x-amz-checksum-crc32", whole)];
        let bad = complete(client, "k", &id, &declared, &with("NhCmhg==")).await;
        assert_eq!((bad.status, bad.code().as_deref()), (400, Some("BadDigest")), "{whole}");
    }
    let made = complete(client, "k", &id, &[], &with("NhCmhg==")).await.ok();
    assert!(made.xml("ChecksumCRC32").unwrap().ends_with("==-1"));
    assert_eq!(made.xml("ChecksumType"), Some("COMPOSITE"));
    let mode = [("x-amz-checksum-mode", "ENABLED")];
    let read = ask_with(client, "GET", "/b-1/k", "", &mode, "").await.ok();
    assert_eq!(read.headers["x-amz-checksum-crc32"], made.xml("ChecksumCRC32").unwrap());
    let read = ask_with(client, "GET", "/b-1/k", "partNumber=1", &mode, "").await.ok();
    assert_eq!(read.headers["x-amz-checksum-crc32"], "NhCmhg==");
}

#[tokio::test]
async fn a_whole_checksum_follows_from_those_of_parts() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let asked = [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let id = begin(client, "k", &asked).await;
    let stored = part(client, "k", &id, 1, "hello").await.ok();
    let text = document(&[(1, &etag(&tag(&stored)))]);
    let wrong = complete(client, "k", &id, &[("x-amz-checksum-crc32", "AAAAAA==")], &text).await;
    assert_eq!(wrong.code().as_deref(), Some("BadDigest"));
    let right = [("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-checksum-type", "FULL_OBJECT")];
    let made = complete(client, "k", &id, &right, &text).await.ok();
    assert_eq!(
        (made.xml("ChecksumCRC32"), made.xml("ChecksumType")),
        (Some("NhCmhg=="), Some("FULL_OBJECT"))
    );
}

#[tokio::test]
async fn a_part_may_be_a_copy() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    account.ok("PUT", "/b-1/source", "", "0123456789").await;
    let id = begin(client, "k", &[]).await;
    let query = format!("partNumber=1&uploadId={id}");
    let copy = |range: &'static str| {
        let headers = [("x-amz-copy-source", "b-1/source"), ("x-amz-copy-source-range", range)];
        let query = query.clone();
        async move { ask_with(client, "PUT", "/b-1/k", &query, &headers, "").await }
    };
    for range in ["bytes=5-5000", "bytes=0-9999999999999999", "bytes=5-", "bytes=-5", "nonsense"] {
        let refused = copy(range).await;
        assert_eq!((refused.status, refused.code().as_deref()), (400, Some("InvalidArgument")), "{range}");
    }
    let copied = copy("bytes=2-5").await.ok();
    assert_eq!(copied.xml("ETag"), Some("&quot;81b073de9370ea873f548e31b8adc081&quot;"));
    let text = document(&[(1, &format!("<ETag>{}</ETag>", copied.xml("ETag").unwrap()))]);
    complete(client, "k", &id, &[], &text).await.ok();
    assert_eq!(account.ok("GET", "/b-1/k", "", "").await.body, "2345");
    let failing = [("x-amz-copy-source", "b-1/source"), ("x-amz-copy-source-if-match", "\"x\"")];
    let id = begin(client, "k", &[]).await;
    let query = format!("partNumber=1&uploadId={id}");
    assert_eq!(ask_with(client, "PUT", "/b-1/k", &query, &failing, "").await.status, 412);
    let put_only =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}"#;
    let writer = account.server.user("writer", &[("p", put_only)]).await;
    let source = [("x-amz-copy-source", "b-1/source")];
    assert_eq!(ask_with(&writer, "PUT", "/b-1/k", &query, &source, "").await.status, 403);
    assert_eq!(part(&writer, "k", &id, 1, "x").await.status, 200);
    for (method, query) in [("GET", format!("uploadId={id}")), ("DELETE", format!("uploadId={id}"))] {
        assert_eq!(ask(&writer, method, "/b-1/k", &query, "").await.status, 403, "{method}");
    }
}

#[tokio::test]
async fn uploads_and_parts_are_listed_in_pages() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let (first, second) = (begin(client, "a/1", &[]).await, begin(client, "a/1", &[]).await);
    for key in ["a/2", "b"] {
        begin(client, key, &[]).await;
    }
    let all = account.ok("GET", "/b-1", "uploads", "").await;
    assert_eq!(all.xml_all("Key"), ["a/1", "a/1", "a/2", "b"]);
    assert_eq!(
        (all.xml("KeyMarker"), all.xml("UploadIdMarker"), all.xml("MaxUploads")),
        (Some(""), Some(""), Some("1000"))
    );
    let (mut keys, mut query) = (vec![], "uploads&max-uploads=1".to_owned());
    loop {
        let page = account.ok("GET", "/b-1", &query, "").await;
        keys.extend(page.xml_all("Key").into_iter().map(str::to_owned));
        if page.xml("IsTruncated") == Some("false") {
            break;
        }
        let (key, id) =
            (page.xml("NextKeyMarker").unwrap(), page.xml("NextUploadIdMarker").unwrap_or_default());
        query = format!("key-marker={}&max-uploads=1&upload-id-marker={id}&uploads", key.replace('/', "%2F"));
    }
    assert_eq!(keys, ["a/1", "a/1", "a/2", "b"]);
    let folded = account.ok("GET", "/b-1", "delimiter=%2F&uploads", "").await;
    assert_eq!((folded.xml_all("Key"), folded.xml_all("Prefix")), (vec!["b"], vec!["", "a/"]));
    for number in 1..=3 {
        part(client, "a%2F1", &first, number, "x").await.ok();
    }
    let page = account.ok("GET", "/b-1/a/1", &format!("max-parts=2&uploadId={first}"), "").await;
    assert_eq!((page.xml_all("PartNumber"), page.xml("IsTruncated")), (vec!["1", "2"], Some("true")));
    let rest = account.ok("GET", "/b-1/a/1", &format!("part-number-marker=2&uploadId={first}"), "").await;
    assert_eq!((rest.xml_all("PartNumber"), rest.xml("PartNumberMarker")), (vec!["3"], Some("2")));
    assert_ne!(first.get(..16), second.get(..16), "ids cannot be guessed");
    for (path, query) in [
        ("/b-1", "max-uploads=-5&uploads"),
        ("/b-1", "max-uploads=x&uploads"),
        ("/b-1/a/1", &format!("max-parts=-1&uploadId={first}")),
        ("/b-1/a/1", &format!("part-number-marker=-1&uploadId={first}")),
    ] {
        assert_eq!(account.refused("GET", path, query, "").await.1, "InvalidArgument", "{query}");
    }
}

#[tokio::test]
async fn one_of_two_conditional_uploads_wins() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let mut answers = vec![];
    for body in ["one", "two"] {
        let id = begin(client, "k", &[]).await;
        let stored = part(client, "k", &id, 1, body).await.ok();
        let text = document(&[(1, &etag(&tag(&stored)))]);
        let answer = complete(client, "k", &id, &[("if-none-match", "*")], &text).await;
        answers.push((answer.status, answer.code().unwrap_or_default()));
    }
    assert_eq!(answers, [(200, String::new()), (412, "PreconditionFailed".to_owned())]);
    assert_eq!(account.ok("GET", "/b-1/k", "", "").await.body, "one");
}

#[tokio::test]
async fn the_account_that_began_an_upload_may_look_at_it_and_end_it() {
    let account = Account::with_bucket("b-1").await;
    account
        .policy("b-1", r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["999988887777","555566667777"]},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b-1/*"}}"#)
        .await;
    let eve = account.stranger("eve", &[("all", crate::buckets::ALL)]).await;
    let put =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}"#;
    let writer = account.stranger("writer", &[("put", put)]).await;
    let other =
        account.server.user_of(&"555566667777".parse().unwrap(), "o", &[("all", crate::buckets::ALL)]).await;
    let nobody = account.server.anonymous();
    let id = begin(&eve, "k", &[]).await;
    let of_owner = begin(&account.administrator, "k", &[]).await;
    let denied = "AccessDenied";
    for method in ["GET", "DELETE"] {
        for (client, id, code) in [
            // Another account that may write here, a user of the same whom its own policies do not let, nobody.
            (&other, &id, denied),
            (&writer, &id, denied),
            (&nobody, &id, denied),
            (&eve, &of_owner, denied),
            (&eve, &"x".to_owned(), denied),
        ] {
            let (_, refused, _) = refused(client, method, "/b-1/k", &format!("uploadId={id}"), "").await;
            assert_eq!(refused, code, "{method} {id}");
        }
    }
    let query = format!("uploadId={id}");
    assert_eq!(ask(&eve, "GET", "/b-1/k", &query, "").await.status, 200);
    assert_eq!(ask(&eve, "DELETE", "/b-1/k", &query, "").await.status, 204);
}
