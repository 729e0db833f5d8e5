use super::Store;
use crate::support::{BUCKET, at, get, key, names, put, put_of, second};
use daypass_objects::{
    AfterVersion, AnyVersion, At, Body, Delete, Deleted, Description, Entry, Error, Keys, Listed, Lock, Put,
    Result, RetentionMode, Timestamp, Update, VersionId, Versioning,
};

async fn enable(store: &Store, to: Versioning) {
    store.set_versioning(BUCKET, to, second(1)).await.unwrap();
}

async fn delete(store: &Store, delete: Delete) -> Result<Deleted> {
    store.delete(BUCKET, vec![delete], second(1)).await.unwrap().remove(0)
}

fn version(name: &str, id: &VersionId) -> At {
    At::version(BUCKET, key(name), id.clone())
}

/// A version as `key=size`, `!` for a delete marker, `*` for the latest, `0` for the null one.
fn show(listed: &Listed<AnyVersion>) -> String {
    let name = listed.key.as_bytes().escape_ascii();
    let (what, id, is_latest) = match &listed.what {
        AnyVersion::Object(version) => (format!("={}", version.size), &version.id, version.is_latest),
        AnyVersion::Marker(marker) => ("!".into(), &marker.id, marker.is_latest),
    };
    let null = if *id == VersionId::Null { "0" } else { "" };
    format!("{name}{what}{null}{}", if is_latest { "*" } else { "" })
}

async fn all(store: &Store) -> String {
    names(&store.list_versions(Keys::all(BUCKET), None).await.unwrap(), show).join(" ")
}

pub(crate) async fn an_enabled_bucket_keeps_every_version(store: Store) {
    put(&*store, "k", "1").await;
    enable(&store, Versioning::Enabled).await;
    let two = put(&*store, "k", "22").await;
    let three = put(&*store, "k", "333").await;
    assert_ne!(two.id, three.id);
    assert_eq!(get(&*store, at("k")).await.unwrap(), "333");
    assert_eq!(get(&*store, version("k", &two.id)).await.unwrap(), "22");
    assert_eq!(get(&*store, version("k", &VersionId::Null)).await.unwrap(), "1");
    assert!(!store.head(version("k", &two.id)).await.unwrap().is_latest);
    assert!(store.head(version("k", &three.id)).await.unwrap().is_latest);
    assert!(matches!(store.get(version("other", &two.id)).await, Err(Error::NoSuchVersion)));
    assert!(matches!(
        store.get(version("k", &VersionId::Named("x".into()))).await,
        Err(Error::InvalidVersionId)
    ));
    let update = Update { tags: Some("t".into()), ..Update::new(version("k", &two.id), second(1)) };
    store.update(update).await.unwrap();
    assert_eq!(store.head(version("k", &two.id)).await.unwrap().tags, "t");
    assert_eq!(store.head(at("k")).await.unwrap().tags, "");
    delete(&store, Delete::version(key("k"), three.id)).await.unwrap();
    assert_eq!(get(&*store, at("k")).await.unwrap(), "22", "the one before becomes the latest");
    delete(&store, Delete::version(key("k"), two.id)).await.unwrap();
    assert_eq!(store.head(at("k")).await.unwrap().id, VersionId::Null);
    delete(&store, Delete::version(key("k"), VersionId::Null)).await.unwrap();
    assert!(matches!(store.get(at("k")).await, Err(Error::NoSuchKey { marker: None })));
    assert_eq!(all(&store).await, "");
}

pub(crate) async fn a_delete_marker_hides_and_is_deleted_like_a_version(store: Store) {
    enable(&store, Versioning::Enabled).await;
    put(&*store, "k", "1").await;
    let mut hide = Delete::latest(key("k"));
    hide.marker_meta = "owner".into();
    let marker = delete(&store, hide).await.unwrap().marker.unwrap();
    assert!(matches!(store.get(at("k")).await, Err(Error::NoSuchKey { marker: Some(id) }) if id == marker));
    assert!(matches!(
        store.get(version("k", &marker)).await,
        Err(Error::IsDeleteMarker { is_latest: true, modified: Timestamp(1000), .. })
    ));
    assert!(store.list(Keys::all(BUCKET), None).await.unwrap().entries.is_empty());
    delete(&store, Delete::latest(key("k"))).await.unwrap();
    assert_eq!(all(&store).await, "k!* k! k=1");
    let page = store.list_versions(Keys::all(BUCKET), None).await.unwrap();
    assert!(
        matches!(&page.entries[1], Entry::One(Listed { what: AnyVersion::Marker(one), .. }) if one.meta == "owner")
    );
    let gone = delete(&store, Delete::version(key("k"), marker.clone())).await.unwrap();
    assert_eq!(gone, Deleted { marker: None, removed: Some(marker), removed_marker: true });
    assert_eq!(all(&store).await, "k!* k=1");
    let Err(Error::NoSuchKey { marker: Some(last) }) = store.head(at("k")).await else {
        panic!("still hidden")
    };
    delete(&store, Delete::version(key("k"), last)).await.unwrap();
    assert_eq!(all(&store).await, "k=1*");
    assert_eq!(get(&*store, at("k")).await.unwrap(), "1");
    delete(&store, Delete::latest(key("never"))).await.unwrap();
    assert_eq!(all(&store).await, "k=1* never!*", "a marker needs no object");
    put(&*store, "never", "22").await;
    assert_eq!(all(&store).await, "k=1* never=2* never!");
}

pub(crate) async fn a_suspended_bucket_replaces_only_its_null_version(store: Store) {
    enable(&store, Versioning::Enabled).await;
    put(&*store, "k", "1").await;
    enable(&store, Versioning::Suspended).await;
    put(&*store, "k", "22").await;
    assert_eq!(all(&store).await, "k=20* k=1");
    put(&*store, "k", "333").await;
    assert_eq!(all(&store).await, "k=30* k=1");
    enable(&store, Versioning::Enabled).await;
    put(&*store, "k", "4444").await;
    assert_eq!(all(&store).await, "k=4* k=30 k=1");
    enable(&store, Versioning::Suspended).await;
    let deleted = delete(&store, Delete::latest(key("k"))).await.unwrap();
    assert_eq!(deleted.marker, Some(VersionId::Null));
    assert_eq!(all(&store).await, "k!0* k=4 k=1", "the null version below is replaced by the marker");
    put(&*store, "k", "55555").await;
    assert_eq!(all(&store).await, "k=50* k=4 k=1", "and the marker by the next");
    delete(&store, Delete::latest(key("k"))).await.unwrap();
    delete(&store, Delete::version(key("k"), VersionId::Null)).await.unwrap();
    assert_eq!(all(&store).await, "k=4* k=1");
}

pub(crate) async fn the_newest_version_is_the_latest_whatever_the_clock_says(store: Store) {
    enable(&store, Versioning::Enabled).await;
    for (seconds, text) in [(100, "1"), (50, "22"), (100, "333"), (u64::MAX / 1000, "4444"), (0, "55555")] {
        let put = Put::new(BUCKET, key("k"), second(seconds));
        store.put(put, Body::from_bytes(text.into())).await.unwrap();
        assert_eq!(get(&*store, at("k")).await.unwrap(), text);
    }
    assert_eq!(all(&store).await, "k=5* k=4 k=3 k=2 k=1");
}

pub(crate) async fn a_locked_version_stays(store: Store) {
    enable(&store, Versioning::Enabled).await;
    let retention = Some((RetentionMode::Governance, Timestamp(5000)));
    let description = Description { lock: Lock { retention, legal_hold: false }, ..Description::default() };
    let put = Put { description, ..put_of("k") };
    let id = store.put(put, Body::from_bytes("1".into())).await.unwrap().id;
    let erase = Delete::version(key("k"), id.clone());
    let bypass = Delete { bypass_governance: true, ..erase.clone() };
    assert!(matches!(delete(&store, erase.clone()).await, Err(Error::Locked)));
    delete(&store, Delete::latest(key("k"))).await.unwrap();
    assert_eq!(all(&store).await, "k!* k=1", "a marker hides what is locked");
    let hold = Lock { retention, legal_hold: true };
    let update = Update { lock: Some(hold), ..Update::new(version("k", &id), second(1)) };
    store.update(update).await.unwrap();
    assert!(matches!(delete(&store, bypass.clone()).await, Err(Error::Locked)));
    let later = store.delete(BUCKET, vec![erase.clone()], second(6)).await.unwrap().remove(0);
    assert!(matches!(later, Err(Error::Locked)), "a legal hold has no end");
    let update = Update {
        lock: Some(Lock { retention, legal_hold: false }),
        ..Update::new(version("k", &id), second(1))
    };
    store.update(update).await.unwrap();
    // one refused entry hinders no other
    store.put(put_of("other"), Body::from_bytes("1".into())).await.unwrap();
    let results =
        store.delete(BUCKET, vec![erase, Delete::latest(key("other")), bypass], second(1)).await.unwrap();
    assert!(matches!(results.as_slice(), [Err(Error::Locked), Ok(_), Ok(_)]));
    assert_eq!(all(&store).await, "k!* other!* other=1");
}

pub(crate) async fn versions_are_listed_newest_first(store: Store) {
    enable(&store, Versioning::Enabled).await;
    for name in ["b", "a/1", "a/2", "b", "c"] {
        put(&*store, name, "1").await;
    }
    delete(&store, Delete::latest(key("a/2"))).await.unwrap();
    delete(&store, Delete::latest(key("b"))).await.unwrap();
    assert_eq!(all(&store).await, "a/1=1* a/2!* a/2=1 b!* b=1 b=1 c=1*");
    let keys = |prefix: &'static str, delimiter: &'static str| Keys {
        prefix: prefix.into(),
        delimiter: delimiter.into(),
        ..Keys::all(BUCKET)
    };
    let show_of = |keys| async { names(&store.list_versions(keys, None).await.unwrap(), show).join(" ") };
    assert_eq!(show_of(keys("", "/")).await, "(a/) b!* b=1 b=1 c=1*");
    assert_eq!(show_of(keys("a/", "/")).await, "a/1=1* a/2!* a/2=1");
    assert_eq!(show_of(keys("a/2", "")).await, "a/2!* a/2=1");
    assert_eq!(show_of(keys("x", "/")).await, "");
}

pub(crate) async fn versions_are_listed_page_by_page(store: Store) {
    enable(&store, Versioning::Suspended).await;
    for name in ["a", "d/1", "d/2", "e"] {
        put(&*store, name, "1").await;
    }
    enable(&store, Versioning::Enabled).await;
    for name in ["a", "a\0", "b", "d/1", "e", "e"] {
        put(&*store, name, "22").await;
        delete(&store, Delete::latest(key(name))).await.unwrap();
    }
    for delimiter in ["", "/"] {
        let all = Keys { delimiter: delimiter.into(), ..Keys::all(BUCKET) };
        let whole = names(&store.list_versions(all.clone(), None).await.unwrap(), show);
        assert_eq!(whole.len(), if delimiter.is_empty() { 16 } else { 13 });
        for limit in 1..=whole.len() {
            let mut found = Vec::new();
            let mut after: Option<AfterVersion> = None;
            loop {
                let page = store.list_versions(Keys { limit, ..all.clone() }, after).await.unwrap();
                assert!(page.entries.len() == limit || page.next.is_none());
                found.extend(names(&page, show));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, whole, "pages of {limit}");
        }
    }
    let none = store.list_versions(Keys { limit: 0, ..Keys::all(BUCKET) }, None).await.unwrap();
    assert!(none.entries.is_empty() && none.next.is_none());
}

fn after(id: &VersionId) -> Option<AfterVersion> {
    Some(AfterVersion::Version(key("k"), id.clone()))
}

async fn show_after(store: &Store, id: &VersionId) -> String {
    names(&store.list_versions(Keys::all(BUCKET), after(id)).await.unwrap(), show).join(" ")
}

pub(crate) async fn a_page_of_versions_goes_on_after_its_marker_is_gone(store: Store) {
    put(&*store, "k", "1").await;
    enable(&store, Versioning::Enabled).await;
    let mut ids = Vec::new();
    for text in ["22", "333", "4444"] {
        ids.push(put(&*store, "k", text).await.id);
    }
    assert_eq!(show_after(&store, &ids[2]).await, "k=3 k=2 k=10");
    assert_eq!(show_after(&store, &ids[1]).await, "k=2 k=10");
    delete(&store, Delete::version(key("k"), ids[1].clone())).await.unwrap();
    assert_eq!(show_after(&store, &ids[1]).await, "k=2 k=10");
    delete(&store, Delete::version(key("k"), ids[2].clone())).await.unwrap();
    assert_eq!(show_after(&store, &ids[2]).await, "k=2* k=10", "what became the latest was not shown yet");
    assert_eq!(show_after(&store, &VersionId::Null).await, "");
    delete(&store, Delete::version(key("k"), VersionId::Null)).await.unwrap();
    assert_eq!(
        show_after(&store, &VersionId::Null).await,
        "k=2*",
        "from the first: twice is better than never"
    );
    assert!(matches!(
        store.list_versions(Keys::all(BUCKET), after(&VersionId::Named("x".into()))).await,
        Err(Error::InvalidVersionId)
    ));
}
