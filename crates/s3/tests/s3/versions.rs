//! Lists of versions.

use crate::support::Account;

const ENABLED: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

#[tokio::test]
async fn versions_and_markers_are_listed_newest_first() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1/a", "", "null").await;
    account.ok("PUT", "/b-1", "versioning", ENABLED).await;
    account.ok("PUT", "/b-1/a", "", "second").await;
    account.ok("DELETE", "/b-1/a", "", "").await;
    account.ok("PUT", "/b-1/b/1", "", "hello").await;
    let all = account.ok("GET", "/b-1", "versions", "").await;
    assert_eq!(all.xml_all("Key"), ["a", "a", "b/1", "a"], "versions, then markers");
    assert_eq!(all.xml_all("IsLatest"), ["false", "false", "true", "true"]);
    assert_eq!(all.xml_all("Size"), ["6", "4", "5"]);
    assert_eq!(all.xml_all("VersionId")[1], "null");
    for (name, value) in [
        ("Name", Some("b-1")),
        ("Prefix", Some("")),
        ("KeyMarker", Some("")),
        ("VersionIdMarker", Some("")),
        ("MaxKeys", Some("1000")),
        ("IsTruncated", Some("false")),
        ("StorageClass", Some("STANDARD")),
        ("ChecksumType", Some("FULL_OBJECT")),
    ] {
        assert_eq!(all.xml(name), value, "{name}");
    }
    let (mut found, mut query) = (vec![], "max-keys=1&versions".to_owned());
    for _ in 0..9 {
        let page = account.ok("GET", "/b-1", &query, "").await;
        found.extend(page.xml_all("VersionId").into_iter().map(str::to_owned));
        let Some(key) = page.xml("NextKeyMarker") else { break };
        let id = page.xml("NextVersionIdMarker").unwrap_or_default();
        query = format!("key-marker={}&max-keys=1&version-id-marker={id}&versions", key.replace('/', "%2F"));
    }
    let ids = all.xml_all("VersionId");
    assert_eq!(found, [ids[3], ids[0], ids[1], ids[2]]);
    let folded = account.ok("GET", "/b-1", "delimiter=%2F&encoding-type=url&prefix=b&versions", "").await;
    assert_eq!((folded.xml_all("Prefix"), folded.xml_all("Key").len()), (vec!["b", "b/"], 0));
    let current = account.ok("GET", "/b-1", "list-type=2", "").await;
    assert_eq!(current.xml_all("Key"), ["b/1"]);
    account.ok("GET", "/b-1", "max-keys=0&versions", "").await;
    for query in
        ["version-id-marker=x&versions", "key-marker=a&version-id-marker=x&versions", "max-keys=-1&versions"]
    {
        let refused = account.refused("GET", "/b-1", query, "").await;
        assert_eq!((refused.0, refused.1.as_str()), (400, "InvalidArgument"), "{query}");
    }
}

#[tokio::test]
async fn a_bucket_that_never_kept_versions_has_null_ones() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1/a", "", "hello").await;
    let all = account.ok("GET", "/b-1", "versions", "").await;
    assert_eq!((all.xml("VersionId"), all.xml("IsLatest")), (Some("null"), Some("true")));
    let list_only = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;
    let lister = account.server.user("lister", &[("p", list_only)]).await;
    let refused = crate::support::refused(&lister, "GET", "/b-1", "versions", "").await;
    assert_eq!((refused.0, refused.1.as_str()), (403, "AccessDenied"));
}
