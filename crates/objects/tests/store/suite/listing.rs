use super::Store;
use crate::support::{BUCKET, key, names, put, second};
use bytes::Bytes;
use daypass_objects::{
    After, Body, BucketId, Description, Keys, Listed, MAX_META_BYTES, MAX_PAGE_BYTES, Put, Version,
};

fn show(listed: &Listed<Version>) -> String {
    listed.key.as_bytes().escape_ascii().to_string()
}

fn keys(prefix: &'static str, delimiter: &'static str) -> Keys {
    Keys { prefix: prefix.into(), delimiter: delimiter.into(), ..Keys::all(BUCKET) }
}

async fn list(store: &Store, keys: Keys, after: Option<After>) -> String {
    names(&store.list(keys, after).await.unwrap(), show).join(" ")
}

pub(crate) async fn keys_are_listed_in_the_order_of_their_bytes(store: Store) {
    for name in ["b", "a", "a/", "A", "é", "a\0", "z", "a-", "aa"] {
        put(&*store, name, name.to_owned()).await;
    }
    assert_eq!(list(&store, Keys::all(BUCKET), None).await, "A a a\\x00 a- a/ aa b z \\xc3\\xa9");
    assert_eq!(list(&store, keys("a", ""), None).await, "a a\\x00 a- a/ aa");
    assert_eq!(list(&store, keys("b", ""), None).await, "b");
    assert_eq!(list(&store, keys("bb", ""), None).await, "");
    let page = store.list(keys("b", ""), None).await.unwrap();
    let daypass_objects::Entry::One(listed) = &page.entries[0] else { panic!("an object") };
    assert_eq!((listed.what.size, listed.what.is_latest), (1, true));
}

pub(crate) async fn what_has_the_delimiter_is_folded(store: Store) {
    for name in ["a/1", "a/2", "a/b/c", "b", "c//d", "c/", "cc", "/x", "q||r", "q||s"] {
        put(&*store, name, "x").await;
    }
    for (prefix, delimiter, expected) in [
        ("", "/", "(/) (a/) b (c/) cc q||r q||s"),
        ("a/", "/", "a/1 a/2 (a/b/)"),
        ("a", "/", "(a/)"),
        ("c/", "/", "c/ (c//)"),
        ("", "||", "/x a/1 a/2 a/b/c b c/ c//d cc (q||)"),
        ("a/1", "/", "a/1"),
        ("a/1/", "/", ""),
        ("", "nowhere", "/x a/1 a/2 a/b/c b c/ c//d cc q||r q||s"),
    ] {
        assert_eq!(list(&store, keys(prefix, delimiter), None).await, expected, "`{prefix}` `{delimiter}`");
    }
}

pub(crate) async fn a_page_goes_on_where_the_last_ended(store: Store) {
    let puts = (0..40).map(|n| {
        let name = format!("{}/{n:03}", n / 10);
        let (store, name) = (&store, if n % 7 == 0 { format!("top{n}") } else { name });
        async move { put(&**store, name, "x").await }
    });
    futures_util::future::join_all(puts).await;
    for (prefix, delimiter) in [("", ""), ("", "/"), ("1/", "/"), ("1/", ""), ("to", "p")] {
        let whole = names(&store.list(keys(prefix, delimiter), None).await.unwrap(), show);
        for limit in [1, 2, 3, 7, 100] {
            let mut found = Vec::new();
            let mut after = None;
            loop {
                let page = store.list(Keys { limit, ..keys(prefix, delimiter) }, after).await.unwrap();
                assert!(page.entries.len() <= limit);
                found.extend(names(&page, show));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, whole, "`{prefix}` `{delimiter}` in pages of {limit}");
        }
    }
    let none = store.list(Keys { limit: 0, ..Keys::all(BUCKET) }, None).await.unwrap();
    assert!(none.entries.is_empty() && none.next.is_none());
}

pub(crate) async fn a_listing_begins_behind_what_is_named(store: Store) {
    for name in ["a", "b/1", "b/2", "c", "\u{10ffff}"] {
        put(&*store, name, "x").await;
    }
    let behind = |name: &'static str| Some(After::Key(name.into()));
    let past = |prefix: &'static str| Some(After::Prefix(prefix.into()));
    assert_eq!(list(&store, Keys::all(BUCKET), behind("a")).await, "b/1 b/2 c \\xf4\\x8f\\xbf\\xbf");
    assert_eq!(list(&store, Keys::all(BUCKET), behind("aa")).await, "b/1 b/2 c \\xf4\\x8f\\xbf\\xbf");
    assert_eq!(list(&store, keys("", "/"), behind("b/1")).await, "(b/) c \\xf4\\x8f\\xbf\\xbf");
    assert_eq!(list(&store, keys("", "/"), past("b/")).await, "c \\xf4\\x8f\\xbf\\xbf");
    assert_eq!(list(&store, keys("b/", ""), behind("a")).await, "b/1 b/2");
    assert_eq!(list(&store, keys("b/", ""), behind("c")).await, "");
    assert_eq!(list(&store, Keys::all(BUCKET), Some(After::Key(vec![0xff; 1024].into()))).await, "");
    assert_eq!(list(&store, Keys::all(BUCKET), Some(After::Prefix(vec![0xff; 3].into()))).await, "");
}

/// Where names of directories are sorted, and not keys, `a/b` is before `a-b`.
pub(crate) async fn pages_are_listed_in_order_whatever_is_a_directory(store: Store) {
    let sorted = "a a b a b/c a+b a+b/c a-b a.b a/b a/c/d a0 q-/1 q-r q/1 qa z-1 z/1-2 z/1/2 z/10 é é/1";
    let sorted: Vec<_> = sorted.replace("a b", "a_b").split(' ').map(|name| name.replace('_', " ")).collect();
    for name in sorted.iter().rev() {
        put(&*store, name, "x").await;
    }
    let paged = async |keys: Keys, mut after: Option<After>| {
        let mut found = Vec::new();
        loop {
            let page = store.list(keys.clone(), after).await.unwrap();
            let utf8 = |listed: &Listed<Version>| String::from_utf8(listed.key.bytes().to_vec()).unwrap();
            found.extend(names(&page, utf8));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    };
    for limit in [1, 2, 3, 1000] {
        let all = Keys { limit, ..Keys::all(BUCKET) };
        assert_eq!(paged(all.clone(), None).await, sorted, "in pages of {limit}");
        for (at, name) in sorted.iter().enumerate() {
            let behind = paged(all.clone(), Some(After::Key(name.clone().into()))).await;
            assert_eq!(behind, sorted[at + 1..], "behind `{name}` in pages of {limit}");
        }
        let folded = paged(Keys { limit, ..keys("", "/") }, None).await.join(" ");
        assert_eq!(
            folded,
            "a a b (a b/) a+b (a+b/) a-b a.b (a/) a0 (q-/) q-r (q/) qa z-1 (z/) é (\\xc3\\xa9/)"
        );
        let folded = paged(Keys { limit, ..keys("z/1", "/") }, None).await.join(" ");
        assert_eq!(folded, "z/1-2 (z/1/) z/10");
        let folded = paged(Keys { limit, ..keys("", "-") }, Some(After::Key("a/b".into()))).await.join(" ");
        assert_eq!(folded, "a/c/d a0 (q-) q/1 qa (z-) (z/1-) z/1/2 z/10 é é/1");
    }
}

pub(crate) async fn buckets_are_listed_apart(store: Store) {
    for number in [0, 8, u64::MAX] {
        store.open_bucket(BucketId(number), second(1)).await.unwrap();
        let put = Put::new(BucketId(number), key(format!("in {number}")), second(1));
        store.put(put, Body::from_bytes("x".into())).await.unwrap();
    }
    put(&*store, "in 7", "x").await;
    for number in [0, 7, 8, u64::MAX] {
        assert_eq!(list(&store, Keys::all(BucketId(number)), None).await, format!("in {number}"));
        let behind = Some(After::Key(vec![0xff; 1024].into()));
        assert_eq!(list(&store, Keys::all(BucketId(number)), behind).await, "");
        let put = Put::new(BucketId(number), key([0xff; 9]), second(1));
        store.put(put, Body::from_bytes("x".into())).await.unwrap();
        let past = Some(After::Prefix(vec![0xff].into()));
        assert_eq!(list(&store, Keys::all(BucketId(number)), past).await, "");
    }
}

pub(crate) async fn a_page_has_bounded_bytes(store: Store) {
    let meta = Bytes::from(vec![b'm'; MAX_META_BYTES]);
    let puts = (0..300).map(|n| {
        let description = Description { meta: meta.clone(), ..Description::default() };
        let put = Put { description, ..Put::new(BUCKET, key(format!("{n:03}")), second(1)) };
        store.put(put, Body::from_bytes("x".into()))
    });
    futures_util::future::try_join_all(puts).await.unwrap();
    let first = store.list(Keys::all(BUCKET), None).await.unwrap();
    let most = MAX_PAGE_BYTES / MAX_META_BYTES + 1;
    assert_eq!(first.entries.len(), most);
    let rest = store.list(Keys::all(BUCKET), first.next).await.unwrap();
    assert_eq!((rest.entries.len(), rest.next), (300 - most, None));
    let versions = store.list_versions(Keys::all(BUCKET), None).await.unwrap();
    assert_eq!(versions.entries.len(), most);
    let rest = store.list_versions(Keys::all(BUCKET), versions.next).await.unwrap();
    assert_eq!((rest.entries.len(), rest.next), (300 - most, None));
}
