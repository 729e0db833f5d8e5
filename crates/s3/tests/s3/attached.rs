//! Buckets that are in another store, through the whole gate: what is there reads here, who may do what is decided here, and
//! what the other store cannot do is refused by name.

use daypass_core::testing::Client;
use daypass_core::{Secret, outbox};
use daypass_s3::{AttachError, NewAttachment};

use crate::pair::{EVERYTHING, Pair, opened};
use crate::replication::{ENABLED, RIGHTS, TRUST, configuration, put, role, rule, status, work};
use crate::support::{Account, header};

#[tokio::test]
async fn what_is_put_here_reads_there_and_the_other_way_round() {
    let Pair { front, back, .. } = Pair::attached().await;
    let headers = [
        ("content-type", "text/plain"),
        ("x-amz-meta-k", "v"),
        ("x-amz-tagging", "a=b%20c"),
        ("cache-control", "no-cache"),
    ];
    front.administrator.s3("PUT", "/front/here", "", &headers, b"one").await.ok();
    let there = back.ok("GET", "/back/of/here", "", "").await;
    assert_eq!(there.body, "one");
    for (name, value) in
        [("content-type", "text/plain"), ("x-amz-meta-k", "v"), ("cache-control", "no-cache")]
    {
        assert_eq!(there.headers.get(name).unwrap(), value);
    }
    assert!(back.ok("GET", "/back/of/here", "tagging", "").await.body.contains("<Value>b c</Value>"));
    back.administrator.s3("PUT", "/back/of/there", "", &headers, b"two").await.ok();
    let here = front.ok("GET", "/front/there", "", "").await;
    assert_eq!(
        (here.body.as_str(), here.headers.get("x-amz-meta-k").unwrap().as_bytes()),
        ("two", &b"v"[..])
    );
    assert!(front.ok("GET", "/front/there", "tagging", "").await.body.contains("<Value>b c</Value>"));
    let listed = front.ok("GET", "/front", "list-type=2", "").await.body;
    assert!(listed.contains("<Key>here</Key>") && listed.contains("<Key>there</Key>"), "{listed}");
    let range = front.administrator.s3("GET", "/front/there", "", &[("range", "bytes=1-1")], b"").await;
    assert_eq!((range.status, range.body.as_str()), (206, "w"));
    front.ok("DELETE", "/front/there", "", "").await;
    assert_eq!(back.refused("GET", "/back/of/there", "", "").await.1, "NoSuchKey");
    assert_eq!(front.refused("GET", "/front/there", "", "").await.1, "NoSuchKey");
}

#[tokio::test]
async fn who_may_do_what_is_decided_here_and_nobody_else_gets_there() {
    let Pair { front, back, .. } = Pair::attached().await;
    back.administrator.s3("PUT", "/back/of/open", "", &[("x-amz-tagging", "secret=no")], b"1").await.ok();
    back.administrator.s3("PUT", "/back/of/closed", "", &[("x-amz-tagging", "secret=yes")], b"1").await.ok();
    back.ok("PUT", "/back/beside", "", "x").await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::front/*"},
        {"Effect":"Deny","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/secret":"yes"}}}]}"#;
    let reader = front.server.user("reader", &[("p", policy)]).await;
    let status = async |client: &Client, path: &str| client.s3("GET", path, "", &[], b"").await.status;
    assert_eq!(status(&reader, "/front/open").await, 200);
    assert_eq!(status(&reader, "/front/closed").await, 403, "by a tag that somebody else put there");
    let anonymous = front.server.anonymous();
    let stranger = front.stranger("stranger", &[("all", EVERYTHING)]).await;
    let nobody = front.server.user("nobody", &[]).await;
    for client in [&anonymous, &stranger, &nobody] {
        for (method, path, query) in [
            ("GET", "/front/open", ""),
            ("HEAD", "/front/open", ""),
            ("PUT", "/front/open", ""),
            ("DELETE", "/front/open", ""),
            ("GET", "/front", "list-type=2"),
            ("GET", "/front", "versions="),
            ("POST", "/front/open", "uploads="),
        ] {
            assert_eq!(client.s3(method, path, query, &[], b"").await.status, 403, "{method} {path} {query}");
        }
    }
    for path in ["/front/..%2Fbeside", "/front/../beside", "/front/%2E%2E/beside"] {
        let answer = front.administrator.s3("GET", path, "", &[], b"").await;
        assert_ne!(answer.status, 200, "{path}: {}", answer.body);
    }
    assert_eq!(back.ok("GET", "/back/of/open", "", "").await.body, "1");
}

#[tokio::test]
async fn an_object_in_parts_is_made_of_them_there() {
    let Pair { front, back, .. } = Pair::attached().await;
    let sum = [("x-amz-checksum-algorithm", "CRC32")];
    let begun = front.administrator.s3("POST", "/front/parts", "uploads=", &sum, b"").await.ok();
    let id = begun.xml("UploadId").unwrap().to_owned();
    let large = vec![b'x'; 5 << 20];
    let mut document = String::from("<CompleteMultipartUpload>");
    for (number, bytes) in [(1, large.as_slice()), (2, b"end")] {
        let query = format!("partNumber={number}&uploadId={id}");
        let crc = [("x-amz-checksum-crc32", crc32(bytes))];
        let crc: Vec<(&str, &str)> = crc.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let part = front.administrator.s3("PUT", "/front/parts", &query, &crc, bytes).await.ok();
        let tag = part.headers.get("etag").unwrap().to_str().unwrap().to_owned();
        let crc = crc32(bytes);
        document.push_str(&format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag><ChecksumCRC32>{crc}</ChecksumCRC32></Part>"
        ));
    }
    document.push_str("</CompleteMultipartUpload>");
    let listed = front.ok("GET", "/front/parts", &format!("uploadId={id}"), "").await.body;
    assert!(
        listed.contains("<PartNumber>2</PartNumber>") && listed.contains("<ChecksumAlgorithm>CRC32<"),
        "{listed}"
    );
    assert!(front.ok("GET", "/front", "uploads=", "").await.body.contains(&id));
    let query = format!("uploadId={id}");
    let made = front.administrator.s3("POST", "/front/parts", &query, &[], document.as_bytes()).await.ok();
    assert!(made.xml("ETag").unwrap().contains("-2"), "{}", made.body);
    let again = front.administrator.s3("POST", "/front/parts", &query, &[], document.as_bytes()).await.ok();
    assert_eq!(again.xml("ETag"), made.xml("ETag"), "a retry is answered the same");
    let whole = back.ok("GET", "/back/of/parts", "", "").await.body;
    assert_eq!((whole.len(), whole.ends_with("xend")), ((5 << 20) + 3, true));
    let second = front.ok("GET", "/front/parts", "partNumber=2", "").await;
    assert_eq!(second.body, "end");
    let copy = [("x-amz-copy-source", "/front/parts")];
    front.administrator.s3("PUT", "/front/copy", "", &copy, b"").await.ok();
    assert_eq!(back.ok("GET", "/back/of/copy", "", "").await.body.len(), whole.len());
}

#[tokio::test]
async fn an_object_in_parts_comes_to_no_checksum_that_its_upload_does_not_have() {
    let pair = Pair::attached().await;
    let front = &pair.front;
    for (claimed, value) in [
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-checksum-crc32c", "AAAAAA=="),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
    ] {
        let begun = front.ok("POST", "/front/parts", "uploads=", "").await;
        let query = format!("uploadId={}", begun.xml("UploadId").unwrap());
        let part = front.ok("PUT", "/front/parts", &format!("partNumber=1&{query}"), "bytes").await;
        let tag = header(&part, "etag").unwrap();
        let document = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        );
        let sum = [(claimed, value)];
        let answer = front.administrator.s3("POST", "/front/parts", &query, &sum, document.as_bytes()).await;
        assert_eq!(answer.refused().0, "BadDigest", "{claimed}");
    }
}

fn crc32(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let crc = bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    });
    base64::engine::general_purpose::STANDARD.encode((!crc).to_be_bytes())
}

#[tokio::test]
async fn every_change_is_told_here_and_one_without_an_answer_too() {
    let pair = Pair::attached().await;
    let front = &pair.front;
    front.ok("PUT", "/front/k", "", "x").await;
    outbox::drain(front.server.gate.state()).await.unwrap();
    let told = front.server.audit();
    let put = told.iter().find(|record| record.event_name == "PutObject").unwrap();
    assert!(!put.event.contains("OutcomeUnknown"), "{}", put.event);
    assert!(!told.iter().any(|record| record.event.contains(&format!("{:s<40}", "key"))));
    // The key is taken back there: a failure of ours, of which the caller learns nothing else.
    back_revokes(&pair.back).await;
    let (status, code, message) = front.refused("PUT", "/front/k2", "", "x").await;
    assert_eq!((status, code.as_str()), (503, "ServiceUnavailable"), "{message}");
    assert!(!message.contains("AKIA"));
}

async fn back_revokes(back: &Account) {
    back.policy("back", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::back/*","Condition":{"StringEquals":{"aws:username":"key"}}}]}"#).await;
}

#[tokio::test]
async fn what_the_other_store_cannot_do_is_refused_by_name() {
    let pair = Pair::attached().await;
    let front = &pair.front;
    let hold = [("x-amz-object-lock-legal-hold", "ON")];
    let answer = front.administrator.s3("PUT", "/front/k", "", &hold, b"x").await;
    assert!(answer.status >= 400, "{}", answer.body);
    let conditional = [("if-none-match", "*")];
    front.administrator.s3("PUT", "/front/k", "", &conditional, b"x").await.ok();
    assert_eq!(front.administrator.s3("PUT", "/front/k", "", &conditional, b"x").await.status, 412);
    let wrong = [("x-amz-checksum-crc32", "AAAAAA==")];
    let refused = front.administrator.s3("PUT", "/front/bad", "", &wrong, b"x").await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(pair.back.refused("GET", "/back/of/bad", "", "").await.0, 404, "nothing of it is kept there");
}

#[tokio::test]
async fn a_bucket_is_attached_empty_and_detached_with_all_left_there() {
    let pair = Pair::new().await;
    let refused = async |asked: NewAttachment| pair.attachments.attach(asked, "operator").await.unwrap_err();
    let other = NewAttachment { bucket: "other".to_owned(), ..pair.asked() };
    assert!(matches!(refused(other).await, AttachError::NoBucket(_)));
    let wrong = NewAttachment { secret: Secret::new("wrong".to_owned()), ..pair.asked() };
    assert!(matches!(refused(wrong).await, AttachError::Store(_)));
    let plain = NewAttachment { plain: false, ..pair.asked() };
    assert!(matches!(refused(plain).await, AttachError::Store(_)));
    pair.front.ok("PUT", "/front/own", "", "x").await;
    assert!(matches!(refused(pair.asked()).await, AttachError::NotEmpty(_)));
    assert_eq!(pair.front.ok("GET", "/front/own", "", "").await.body, "x");
    pair.front.ok("DELETE", "/front/own", "", "").await;
    pair.attachments.attach(pair.asked(), "operator").await.unwrap();
    assert!(matches!(refused(pair.asked()).await, AttachError::IsAttached(_)));
    pair.front.ok("PUT", "/front/k", "", "there").await;
    // What is recorded opens again, and the secret is not in it.
    let listed = opened(&pair.front.server).list().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].there.as_str(), listed[0].capabilities.checksums), ("back", true));
    assert_eq!(pair.front.refused("DELETE", "/front", "", "").await.1, "BucketNotEmpty");
    pair.attachments.detach("front", "operator").await.unwrap();
    assert_eq!(pair.front.refused("GET", "/front/k", "", "").await.1, "NoSuchKey");
    assert_eq!(pair.back.ok("GET", "/back/of/k", "", "").await.body, "there");
    assert!(matches!(pair.attachments.detach("front", "operator").await, Err(AttachError::NotAttached(_))));
    pair.front.ok("PUT", "/front/own", "", "here again").await;
    let listed = pair.back.ok("GET", "/back", "list-type=2", "").await.body;
    assert!(
        !listed.contains("daypass") && !listed.contains("own"),
        "nothing of the questions is left: {listed}"
    );
}

#[tokio::test]
async fn replication_is_refused_by_name_and_hinders_an_attachment() {
    let pair = Pair::new().await;
    for bucket in ["/front", "/beside"] {
        pair.front.administrator.s3("PUT", bucket, "", &[], b"").await;
        pair.front.ok("PUT", bucket, "versioning", ENABLED).await;
    }
    pair.back.ok("PUT", "/back", "versioning", ENABLED).await;
    role(&pair.front, RIGHTS, TRUST).await;
    let [from, to] = [configuration(&rule("beside")), configuration(&rule("front"))];
    pair.front.ok("PUT", "/front", "replication", &from).await;
    let refused = pair.attachments.attach(pair.asked(), "operator").await;
    assert!(matches!(refused, Err(AttachError::Weaker { here: "replicates its objects" })));
    pair.front.ok("DELETE", "/front", "replication", "").await;
    pair.front.ok("PUT", "/beside", "replication", &to).await;
    let Pair { front, .. } = pair.attach().await;
    for (bucket, document) in [("/front", &from), ("/beside", &to)] {
        let answer = front.refused("PUT", bucket, "replication", document).await;
        assert_eq!((answer.0, answer.1.as_str()), (501, "NotImplemented"), "{bucket}");
    }
    // What was configured before fails, and says so.
    put(&front.administrator, "/beside/k", &[], "x").await;
    assert_eq!(work(&front).await, (1, 0));
    assert_eq!(status(&front, "/beside/k").await.as_deref(), Some("FAILED"));
}
