//! What is said of an object beside its bytes: tags, attributes, ACLs.

use daypass_core::testing::TestAnswer;

use crate::support::{Account, ask, ask_with, control};

fn document(tags: &[(&str, &str)]) -> String {
    let tags = tags.iter().map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"));
    format!("<Tagging><TagSet>{}</TagSet></Tagging>", tags.collect::<String>())
}

#[tokio::test]
async fn tags_are_put_as_a_whole_shown_and_taken_away() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1/k", "", "hello").await;
    assert!(
        account.ok("GET", "/b-1/k", "tagging", "").await.body.contains("<TagSet></TagSet>")
            || account.ok("GET", "/b-1/k", "tagging", "").await.body.contains("<TagSet/>")
    );
    account.ok("PUT", "/b-1/k", "tagging", &document(&[("a", "1"), ("b", "")])).await;
    account.ok("PUT", "/b-1/k", "tagging", &document(&[("c d", "é")])).await;
    let shown = account.ok("GET", "/b-1/k", "tagging", "").await;
    assert_eq!((shown.xml_all("Key"), shown.xml_all("Value")), (vec!["c d"], vec!["é"]));
    assert_eq!(account.ok("GET", "/b-1/k", "", "").await.headers["x-amz-tagging-count"], "1");
    assert_eq!(account.ok("DELETE", "/b-1/k", "tagging", "").await.status, 204);
    assert!(account.ok("GET", "/b-1/k", "tagging", "").await.xml_all("Key").is_empty());
    let many: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "")).collect();
    for (key, text, status, code) in [
        ("k", document(&many), 400, "BadRequest"),
        ("k", document(&[("a", "1"), ("a", "2")]), 400, "InvalidTag"),
        ("k", document(&[("aws:a", "1")]), 400, "InvalidTag"),
        ("k", "<Foo/>".to_owned(), 400, "MalformedXML"),
        ("k", "<!DOCTYPE t [<!ENTITY x 'y'>]><Tagging><TagSet/></Tagging>".to_owned(), 400, "MalformedXML"),
        ("none", document(&[]), 404, "NoSuchKey"),
    ] {
        let refused = account.refused("PUT", &format!("/b-1/{key}"), "tagging", &text).await;
        assert_eq!((refused.0, refused.1.as_str()), (status, code), "{text}");
    }
    for method in ["GET", "DELETE"] {
        assert_eq!(account.refused(method, "/b-1/none", "tagging", "").await.1, "NoSuchKey");
    }
}

#[tokio::test]
async fn tags_belong_to_a_version() {
    let account = Account::with_bucket("b-1").await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    account.ok("PUT", "/b-1/k", "", "null").await;
    account.ok("PUT", "/b-1", "versioning", enabled).await;
    let put = account.ok("PUT", "/b-1/k", "", "named").await;
    let id = put.headers["x-amz-version-id"].to_str().unwrap().to_owned();
    let tagged = account.ok("PUT", "/b-1/k", "tagging&versionId=null", &document(&[("of", "null")])).await;
    assert_eq!(tagged.headers["x-amz-version-id"], "null");
    let tagged = account.ok("PUT", "/b-1/k", "tagging", &document(&[("of", "named")])).await;
    assert_eq!(tagged.headers["x-amz-version-id"], id.as_str());
    for (query, value) in [("tagging", "named"), ("tagging&versionId=null", "null")] {
        assert_eq!(account.ok("GET", "/b-1/k", query, "").await.xml("Value"), Some(value));
    }
    let marked = account.ok("DELETE", "/b-1/k", "", "").await;
    let marker = marked.headers["x-amz-version-id"].to_str().unwrap();
    assert_eq!(account.refused("GET", "/b-1/k", "tagging", "").await.0, 404);
    let (status, code, _) =
        account.refused("PUT", "/b-1/k", &format!("tagging&versionId={marker}"), &document(&[])).await;
    assert_eq!((status, code.as_str()), (405, "MethodNotAllowed"));
}

#[tokio::test]
async fn who_may_tag_is_decided_by_the_tags_there_and_those_to_come() {
    let account = Account::with_bucket("b-1").await;
    let mine = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObjectTagging","s3:DeleteObjectTagging"],"Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"blue"},"StringEqualsIfExists":{"s3:RequestObjectTag/team":"blue"}}}]}"#;
    let blue = account.server.user("blue", &[("p", mine)]).await;
    for team in ["blue", "red"] {
        let tagging = format!("team={team}");
        let headers = [("x-amz-tagging", tagging.as_str())];
        ask_with(&account.administrator, "PUT", &format!("/b-1/{team}"), "", &headers, "x").await.ok();
    }
    for (key, team, status) in [("blue", "red", 403), ("red", "blue", 403), ("blue", "blue", 200)] {
        let answer = ask(&blue, "PUT", &format!("/b-1/{key}"), "tagging", &document(&[("team", team)])).await;
        assert_eq!(answer.status, status, "{key} {team}");
    }
    for (query, status) in [("tagging&versionId=null", 403), ("tagging", 204)] {
        assert_eq!(ask(&blue, "DELETE", "/b-1/blue", query, "").await.status, status, "{query}");
    }
    assert_eq!(ask(&blue, "DELETE", "/b-1/blue", "tagging", "").await.status, 403, "it is nobody's now");
    assert_eq!(ask(&blue, "DELETE", "/b-1/none", "tagging", "").await.status, 403);
}

#[tokio::test]
async fn attributes_are_those_that_were_asked_for() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1/k", "", "hello").await;
    let ask_for = |names: &'static str| {
        let account = &account;
        async move {
            let headers = [("x-amz-object-attributes", names)];
            ask_with(&account.administrator, "GET", "/b-1/k", "attributes", &headers, "").await
        }
    };
    let all = ask_for("ETag,Checksum,ObjectParts,StorageClass,ObjectSize").await.ok();
    for (name, value) in [
        ("ETag", Some("5d41402abc4b2a76b9719d911017c592")),
        ("ChecksumCRC32", Some("NhCmhg==")),
        ("ChecksumType", Some("FULL_OBJECT")),
        ("StorageClass", Some("STANDARD")),
        ("ObjectSize", Some("5")),
        ("ObjectParts", None),
    ] {
        assert_eq!(all.xml(name), value, "{name}");
    }
    assert_eq!(all.headers["last-modified"], "Sun, 22 Nov 2026 02:14:00 GMT");
    let size = ask_for("ObjectSize").await.ok();
    assert_eq!((size.xml("ObjectSize"), size.xml("ETag")), (Some("5"), None));
    assert_eq!(ask_for("Colour").await.code().as_deref(), Some("InvalidArgument"));
    let read_only =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    let reader = account.server.user("reader", &[("p", read_only)]).await;
    let headers = [("x-amz-object-attributes", "ETag")];
    assert_eq!(ask_with(&reader, "GET", "/b-1/k", "attributes", &headers, "").await.status, 403);
}

#[tokio::test]
async fn the_parts_of_an_object_are_told() {
    let account = Account::with_bucket("b-1").await;
    let client = &account.administrator;
    let attributes = |key: &'static str, more: &'static [(&str, &str)]| {
        let mut headers = vec![("x-amz-object-attributes", "ObjectParts")];
        headers.extend(more);
        async move { ask_with(client, "GET", &format!("/b-1/{key}"), "attributes", &headers, "").await.ok() }
    };
    for (key, headers) in [("plain", &[][..]), ("sums", &[("x-amz-checksum-algorithm", "CRC32")])] {
        let begun = ask_with(client, "POST", &format!("/b-1/{key}"), "uploads", headers, "").await.ok();
        let id = begun.xml("UploadId").unwrap().to_owned();
        let stored = ask_with(
            client,
            "PUT",
            &format!("/b-1/{key}"),
            &format!("partNumber=3&uploadId={id}"),
            &[],
            "hello",
        )
        .await
        .ok();
        let tag = stored.headers["etag"].to_str().unwrap().replace('"', "&quot;");
        let text = format!(
            "<CompleteMultipartUpload><Part><PartNumber>3</PartNumber><ETag>{tag}</ETag><ChecksumCRC32>NhCmhg==</ChecksumCRC32></Part></CompleteMultipartUpload>"
        );
        client.s3("POST", &format!("/b-1/{key}"), &format!("uploadId={id}"), &[], text.as_bytes()).await.ok();
    }
    let plain = attributes("plain", &[]).await;
    assert_eq!((plain.xml("PartsCount"), plain.xml("PartNumber")), (Some("1"), None));
    let sums = attributes("sums", &[]).await;
    assert_eq!(
        (sums.xml("PartsCount"), sums.xml("PartNumber"), sums.xml("Size")),
        (Some("1"), Some("1"), Some("5"))
    );
    assert_eq!((sums.xml("ChecksumCRC32"), sums.xml("IsTruncated")), (Some("NhCmhg=="), Some("false")));
    let rest = attributes("sums", &[("x-amz-part-number-marker", "1")]).await;
    assert_eq!((rest.xml("PartNumber"), rest.xml("PartNumberMarker")), (None, Some("1")));
}

#[tokio::test]
async fn there_are_no_acls_of_objects() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1/k", "", "hello").await;
    let shown = account.ok("GET", "/b-1/k", "acl", "").await;
    assert_eq!((shown.xml("Permission"), shown.xml_all("ID").len()), (Some("FULL_CONTROL"), 2));
    for acl in ["public-read", "bucket-owner-full-control"] {
        let headers = [("x-amz-acl", acl), ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")];
        let refused = account.administrator.s3("PUT", "/b-1/k", "acl", &headers, b"").await;
        assert_eq!((refused.status, refused.code().as_deref()), (400, Some("AccessControlListNotSupported")));
    }
    assert_eq!(account.refused("GET", "/b-1/none", "acl", "").await.1, "NoSuchKey");
    let own =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    let reader = account.server.user("reader", &[("p", own)]).await;
    assert_eq!(ask(&reader, "GET", "/b-1/k", "acl", "").await.status, 403);
}

#[tokio::test]
async fn the_tags_of_a_bucket_decide_only_where_it_says_so() {
    let account = Account::with_bucket("tagged").await;
    account.ok("PUT", "/tagged/k", "", "x").await;
    let tags = "<Tagging><TagSet><Tag><Key>team</Key><Value>red</Value></Tag></TagSet></Tagging>";
    account.ok("PUT", "/tagged", "tagging", tags).await;
    let policy = |key: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{"StringEquals":{{"{key}/team":"red"}}}}}}]}}"#
        )
    };
    let by_resource = account.server.user("resource", &[("p", &policy("aws:ResourceTag"))]).await;
    let by_bucket = account.server.user("bucket", &[("p", &policy("s3:BucketTag"))]).await;
    let status = |answer: TestAnswer| answer.xml("Status").map(str::to_owned);
    assert_eq!(status(account.ok("GET", "/tagged", "abac", "").await).as_deref(), Some("Disabled"));
    for client in [&by_resource, &by_bucket] {
        for (path, query) in [("/tagged/k", ""), ("/tagged", "")] {
            assert_eq!(ask(client, "GET", path, query, "").await.status, 403);
        }
    }
    account.ok("PUT", "/tagged", "abac", "<AbacStatus><Status>Enabled</Status></AbacStatus>").await;
    assert_eq!(status(account.ok("GET", "/tagged", "abac", "").await).as_deref(), Some("Enabled"));
    for client in [&by_resource, &by_bucket] {
        ask(client, "GET", "/tagged/k", "", "").await.ok();
        ask(client, "GET", "/tagged", "", "").await.ok();
    }
    // Who may change tags is then another question.
    for (method, body) in [("PUT", tags), ("DELETE", "")] {
        assert_eq!(account.refused(method, "/tagged", "tagging", body).await.1, "InvalidRequest");
    }
    let path = "tags/arn:aws:s3:::tagged";
    control(&account.administrator, "DELETE", path, "tagKeys=team", "").await.ok();
    assert_eq!(ask(&by_bucket, "GET", "/tagged/k", "", "").await.status, 403);
    assert_eq!(account.refused("PUT", "/tagged", "abac", "<AbacStatus/>").await.1, "MalformedXML");
    account.ok("PUT", "/tagged", "abac", "<AbacStatus><Status>Disabled</Status></AbacStatus>").await;
    account.ok("PUT", "/tagged", "tagging", tags).await;
}
