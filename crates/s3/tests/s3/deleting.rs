//! Many objects, deleted at once.

use crate::support::{Account, ask};

fn document(entries: &[&str], quiet: bool) -> String {
    let objects: String = entries.iter().map(|entry| format!("<Object>{entry}</Object>")).collect();
    format!("<Delete><Quiet>{quiet}</Quiet>{objects}</Delete>")
}

#[tokio::test]
async fn each_key_has_an_answer_of_its_own() {
    let account = Account::with_bucket("b-1").await;
    for key in ["a", "b", "secret/c"] {
        account.ok("PUT", &format!("/b-1/{key}"), "", "hello").await;
    }
    let most = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:DeleteObject","s3:GetObject"],"Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b-1/secret/*"}]}"#;
    let user = account.server.user("user", &[("p", most)]).await;
    let long = format!("<Key>{}</Key>", "x".repeat(1025));
    let entries = [
        "<Key>a</Key>",
        "<Key>none</Key>",
        "<Key>secret/c</Key>",
        "<Key>b</Key><ETag>\"x\"</ETag>",
        "<Key>a</Key><VersionId>null</VersionId>",
        &long,
    ];
    let answer = ask(&user, "POST", "/b-1", "delete", &document(&entries, false)).await.ok();
    let (deleted, errors) = answer.body.split_at(answer.body.find("<Error>").unwrap());
    let keys = |text: &str| -> Vec<String> {
        text.split("<Key>").skip(1).filter_map(|k| k.split_once('<')).map(|(key, _)| key.to_owned()).collect()
    };
    assert_eq!(keys(deleted), ["a", "none"]);
    assert_eq!(keys(errors)[..2], ["secret/c", "a"]);
    assert_eq!(
        answer.xml_all("Code"),
        ["AccessDenied", "AccessDenied", "KeyTooLongError", "PreconditionFailed"]
    );
    assert!(answer.xml("Message").unwrap().contains("with an explicit deny"), "{}", answer.body);
    for (key, status) in [("a", 404), ("b", 200), ("secret/c", 200)] {
        assert_eq!(ask(&account.administrator, "GET", &format!("/b-1/{key}"), "", "").await.status, status);
    }
    let quiet = account.ok("POST", "/b-1", "delete", &document(&["<Key>b</Key>"], true)).await;
    assert!(!quiet.body.contains("<Deleted>") && !quiet.body.contains("<Error>"));
    assert_eq!(ask(&account.administrator, "GET", "/b-1/b", "", "").await.status, 404);
}

#[tokio::test]
async fn versions_and_markers_are_named() {
    let account = Account::with_bucket("b-1").await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    account.ok("PUT", "/b-1", "versioning", enabled).await;
    let put = account.ok("PUT", "/b-1/k", "", "hello").await;
    let version = put.headers["x-amz-version-id"].to_str().unwrap();
    let made = account.ok("POST", "/b-1", "delete", &document(&["<Key>k</Key>"], false)).await;
    assert_eq!((made.xml("DeleteMarker"), made.xml("VersionId")), (Some("true"), None));
    let marker = made.xml("DeleteMarkerVersionId").unwrap();
    let both = [
        format!("<Key>k</Key><VersionId>{marker}</VersionId>"),
        format!("<Key>k</Key><VersionId>{version}</VersionId>"),
        "<Key>k</Key><VersionId>nonsense</VersionId>".to_owned(),
    ];
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    let removed = account.ok("POST", "/b-1", "delete", &document(&both, false)).await;
    assert_eq!(removed.xml_all("VersionId"), [marker, version, "nonsense"]);
    assert_eq!(removed.xml_all("DeleteMarkerVersionId"), [marker]);
    assert_eq!(removed.xml_all("Code"), ["NoSuchVersion"]);
    account.ok("DELETE", "/b-1", "", "").await;
}

#[tokio::test]
async fn documents_that_are_none_are_refused() {
    let account = Account::with_bucket("b-1").await;
    let many: Vec<String> = (0..1001).map(|n| format!("<Key>{n}</Key>")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (body, code) in [
        (document(&many, true), "MalformedXML"),
        ("<Delete></Delete>".to_owned(), "MalformedXML"),
        ("<Foo/>".to_owned(), "MalformedXML"),
        (document(&["<Key></Key>"], true), "MalformedXML"),
        (document(&["<Key>k</Key><Size>1</Size>"], true), "NotImplemented"),
    ] {
        assert_eq!(account.refused("POST", "/b-1", "delete", &body).await.1, code);
    }
    let bare = account.administrator.s3("POST", "/b-1", "delete", &[], b"<Delete/>").await;
    assert_eq!((bare.status, bare.code().as_deref()), (400, Some("InvalidRequest")));
    let thousand = account.ok("POST", "/b-1", "delete", &document(&many[..1000], false)).await;
    assert_eq!(thousand.xml_all("Key").len(), 1000);
}
