//! Lists of objects: pages, prefixes, delimiters and how texts are written.

use crate::support::{Account, ask};

async fn filled(keys: &[&str]) -> Account {
    let account = Account::with_bucket("b-1").await;
    for key in keys {
        account.ok("PUT", &format!("/b-1/{key}"), "", "hello").await;
    }
    account
}

/// A token in a query.
fn encoded(token: &str) -> String {
    token.replace('+', "%2B").replace('=', "%3D").replace('/', "%2F")
}

/// All pages of a list, as the keys and prefixes of each.
async fn pages(account: &Account, query: &str) -> Vec<Vec<String>> {
    let is_v2 = query.contains("list-type=2");
    let (mut pages, mut more) = (vec![], String::new());
    loop {
        let page = account.ok("GET", "/b-1", &format!("{query}{more}"), "").await;
        let mut entries: Vec<String> = page.xml_all("Key").into_iter().map(str::to_owned).collect();
        let prefixes = page.body.split("<CommonPrefixes><Prefix>").skip(1);
        entries.extend(prefixes.filter_map(|p| p.split_once('<')).map(|(prefix, _)| prefix.to_owned()));
        if is_v2 {
            assert_eq!(page.xml("KeyCount"), Some(entries.len().to_string().as_str()));
        }
        pages.push(entries);
        let next = if is_v2 { page.xml("NextContinuationToken") } else { page.xml("NextMarker") };
        let last = page.xml_all("Key").last().map(|key| (*key).to_owned());
        match (page.xml("IsTruncated"), next.map(str::to_owned).or(last.filter(|_| !is_v2))) {
            (Some("true"), Some(next)) if is_v2 => {
                more = format!("&continuation-token={}", encoded(&next));
            }
            (Some("true"), Some(next)) => more = format!("&marker={}", next.replace('/', "%2F")),
            _ => return pages,
        }
    }
}

#[tokio::test]
async fn every_key_is_on_one_page() {
    let account = filled(&["a/1", "a/2", "b", "c/x/1", "c/x/2", "c/y", "d"]).await;
    for (query, expected) in [
        ("", &[&["a/1", "a/2", "b", "c/x/1", "c/x/2", "c/y", "d"][..]][..]),
        ("&max-keys=3", &[&["a/1", "a/2", "b"], &["c/x/1", "c/x/2", "c/y"], &["d"]]),
        ("&prefix=c%2F", &[&["c/x/1", "c/x/2", "c/y"]]),
        ("&delimiter=%2F", &[&["b", "d", "a/", "c/"]]),
        ("&delimiter=%2F&max-keys=1", &[&["a/"], &["b"], &["c/"], &["d"]]),
        ("&delimiter=%2F&prefix=c%2F", &[&["c/y", "c/x/"]]),
        ("&delimiter=%2F&prefix=c%2F&max-keys=1", &[&["c/x/"], &["c/y"]]),
        ("&delimiter=x%2F", &[&["a/1", "a/2", "b", "c/y", "d", "c/x/"]]),
        ("&max-keys=0", &[&[]]),
        ("&prefix=nothing", &[&[]]),
    ] {
        for version in ["list-type=2", "list-type=1"] {
            assert_eq!(pages(&account, &format!("{version}{query}")).await, expected, "{version}{query}");
        }
    }
    for (query, expected) in [
        ("list-type=2&start-after=c%2Fx%2F1", &["c/x/2", "c/y", "d"][..]),
        ("list-type=2&start-after=zzz", &[]),
        ("list-type=2&delimiter=%2F&start-after=a%2F", &["b", "d", "c/"]),
        ("marker=c%2Fy", &["d"]),
    ] {
        assert_eq!(pages(&account, query).await, [expected], "{query}");
    }
}

#[tokio::test]
async fn a_list_says_what_s3_says() {
    let account = filled(&["k"]).await;
    let first = account.ok("GET", "/b-1", "", "").await;
    for (name, value) in [
        ("Name", Some("b-1")),
        ("Prefix", Some("")),
        ("Marker", Some("")),
        ("MaxKeys", Some("1000")),
        ("IsTruncated", Some("false")),
        ("Delimiter", None),
        ("NextMarker", None),
        ("ETag", Some("&quot;5d41402abc4b2a76b9719d911017c592&quot;")),
        ("Size", Some("5")),
        ("StorageClass", Some("STANDARD")),
        ("LastModified", Some("2026-11-22T02:14:00.000Z")),
        ("ChecksumAlgorithm", Some("CRC32")),
        ("ChecksumType", Some("FULL_OBJECT")),
        ("DisplayName", None),
    ] {
        assert_eq!(first.xml(name), value, "{name}");
    }
    assert_eq!(first.xml_all("ID").len(), 1);
    let second = account.ok("GET", "/b-1", "list-type=2&max-keys=5000", "").await;
    assert_eq!((second.xml("MaxKeys"), second.xml("Marker")), (Some("1000"), None));
    assert!(second.xml_all("ID").is_empty());
    let owned = account.ok("GET", "/b-1", "list-type=2&fetch-owner=true", "").await;
    assert_eq!(owned.xml_all("ID"), first.xml_all("ID"));
    assert_eq!(second.headers["content-type"], "application/xml");
}

#[tokio::test]
async fn texts_are_escaped_or_encoded() {
    let account = filled(&["%3CKey%3E%26%5D%5D%3E/1", "ctl%01key", "sp%20ace"]).await;
    let plain = account.ok("GET", "/b-1", "list-type=2&prefix=%3CKey", "").await;
    assert_eq!(plain.xml("Key"), Some("&lt;Key&gt;&amp;]]&gt;/1"));
    let encoded =
        account.ok("GET", "/b-1", "list-type=2&encoding-type=url&delimiter=%26&start-after=%01", "").await;
    assert_eq!(encoded.xml("EncodingType"), Some("url"));
    assert_eq!(encoded.xml_all("Key"), ["ctl%01key", "sp+ace"]);
    assert_eq!(encoded.xml_all("Prefix").last(), Some(&"%3CKey%3E%26"));
    assert_eq!((encoded.xml("Delimiter"), encoded.xml("StartAfter")), (Some("%26"), Some("%01")));
}

#[tokio::test]
async fn odd_lists_are_refused() {
    let account = filled(&["a", "b"]).await;
    let other = account.ok("GET", "/b-1", "list-type=2&max-keys=1", "").await;
    let token = other.xml("NextContinuationToken").unwrap();
    account.ok("PUT", "/b-2", "", "").await;
    for (bucket, query, code) in [
        ("b-1", "list-type=2&max-keys=-1", "InvalidArgument"),
        ("b-1", "list-type=2&max-keys=abc", "InvalidArgument"),
        ("b-1", "list-type=2&max-keys=99999999999999999999", "InvalidArgument"),
        ("b-1", "list-type=2&continuation-token=", "InvalidArgument"),
        ("b-1", "list-type=2&continuation-token=..%2F..", "InvalidArgument"),
        ("b-2", &format!("list-type=2&continuation-token={}", encoded(token)), "InvalidArgument"),
        ("b-1", "list-type=2&encoding-type=bogus", "InvalidArgument"),
        ("b-1", "list-type=2&start-after=%FF", "InvalidURI"),
    ] {
        let refused = account.refused("GET", &format!("/{bucket}"), query, "").await;
        assert_eq!((refused.0, refused.1.as_str()), (400, code), "{query}");
    }
}

#[tokio::test]
async fn a_prefix_that_a_policy_names_is_all_that_is_listed() {
    let account = filled(&["home/alice/1", "home/bob/1"]).await;
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b-1","Condition":{"StringLike":{"s3:prefix":"home/${aws:username}/*"},"NumericLessThanEquals":{"s3:max-keys":"10"}}}]}"#;
    let alice = account.server.user("alice", &[("p", own)]).await;
    for (query, status) in [
        ("prefix=home%2Falice%2F&max-keys=10", 200),
        ("prefix=home%2Falice%2F&max-keys=11", 403),
        ("prefix=home%2Falice%2F", 403),
        ("prefix=home%2Fbob%2F&max-keys=10", 403),
        ("prefix=&max-keys=10", 403),
        ("max-keys=10", 403),
    ] {
        for version in ["", "list-type=2&"] {
            let answer = ask(&alice, "GET", "/b-1", &format!("{version}{query}"), "").await;
            assert_eq!(answer.status, status, "{version}{query}");
        }
    }
}
