//! Replicas: versions that are among those of another bucket as they are.

use crate::sealed::{SIZES, open, plain};
use crate::suite::multipart::uploaded;
use crate::support::{BUCKET, at, get, key, put_of, read, second, small_options};
use daypass_objects::local::Local;
use daypass_objects::{
    Algorithm, Algorithms, AnyVersion, At, Body, BucketId, Delete, Description, Entry, Error, KeyId, Keys,
    Note, Objects, Original, Outcome, Put, PutReplica, SealKey, Source, Timestamp, Update, Version,
    VersionId, Versioning,
};
use std::sync::Arc;

const OTHER: BucketId = BucketId(8);

/// A store with two buckets that keep versions.
async fn two(directory: &std::path::Path) -> Local {
    let store = open(directory).await;
    store.open_bucket(OTHER, second(0)).await.unwrap();
    for bucket in [BUCKET, OTHER] {
        store.set_versioning(bucket, Versioning::Enabled, second(0)).await.unwrap();
    }
    store
}

fn of(version: &Version, name: &str) -> Original {
    let at = At::version(BUCKET, key(name), version.id.clone());
    let description = Description { meta: "of the replica".into(), ..Description::default() };
    Original::Object { source: Source { at, generation: version.generation }, description }
}

fn replica(of: Original, name: &str) -> PutReplica {
    let noted = |outcome: &Outcome<'_>| Some(format!("{outcome:?}").into());
    PutReplica { to: OTHER, key: key(name), of, commit: second(90).with_note(Note::of(noted)) }
}

async fn replicate(store: &Local, name: &str) -> Version {
    let version = store.head(at(name)).await.unwrap();
    assert!(store.put_replica(replica(of(&version, name), name)).await.unwrap());
    store.head(At::version(OTHER, key(name), version.id)).await.unwrap()
}

/// Ids of a key's versions in the other bucket, the newest first.
async fn versions(store: &Local) -> Vec<VersionId> {
    let page = store.list_versions(Keys::all(OTHER), None).await.unwrap();
    let id = |entry| match entry {
        Entry::One(listed) => match listed {
            daypass_objects::Listed { what: AnyVersion::Object(version), .. } => version.id,
            daypass_objects::Listed { what: AnyVersion::Marker(marker), .. } => marker.id,
        },
        Entry::Prefix(_) => panic!("nothing is folded"),
    };
    page.entries.into_iter().map(id).collect()
}

#[tokio::test]
async fn a_replica_is_its_original_but_for_what_is_said_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = two(directory.path()).await;
    let mut names: Vec<(String, bytes::Bytes)> = vec![];
    for size in SIZES {
        let (name, checksums) = (size.to_string(), Algorithms::NONE.with(Algorithm::Crc32c));
        store.put(Put { checksums, ..put_of(&name) }, Body::from_bytes(plain(size))).await.unwrap();
        names.push((name, plain(size)));
    }
    let shared: Arc<dyn Objects> = Arc::new(store);
    names.push(("parts".to_owned(), uploaded(&shared, "parts", &[120_000, 7, 300]).await));
    drop(shared);
    let store = Local::open(directory.path(), small_options(5)).unwrap();
    for (name, bytes) in &names {
        let original = store.head(at(name)).await.unwrap();
        let made = replicate(&store, name).await;
        assert!(made.is_latest && made.generation != original.generation);
        assert_eq!((&made.meta[..], &made.tags[..]), (&b"of the replica"[..], &b""[..]));
        let as_original = Version {
            generation: original.generation,
            meta: original.meta.clone(),
            tags: original.tags.clone(),
            ..made
        };
        assert_eq!(as_original, original);
        store.delete(BUCKET, vec![Delete::version(key(name), original.id)], second(91)).await.unwrap();
        assert!(matches!(get(&store, at(name)).await, Err(Error::NoSuchKey { .. })));
        assert_eq!(get(&store, At::latest(OTHER, key(name))).await.unwrap(), bytes, "{name}");
    }
    let opened = store.get(At::latest(OTHER, key("parts"))).await.unwrap();
    assert_eq!(opened.parts(1, 9).await.unwrap().len(), 3);
    store.collect(Timestamp(1 << 40)).await.unwrap();
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
    drop(store);
    let store = Local::open(directory.path(), small_options(6)).unwrap();
    for (name, bytes) in &names {
        assert_eq!(get(&store, At::latest(OTHER, key(name))).await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn what_is_sealed_with_a_key_that_nobody_keeps_is_replicated_without_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = two(directory.path()).await;
    let sealing = || SealKey::new([7; 32]);
    for size in SIZES {
        let name = size.to_string();
        let put = Put { seal: Some(KeyId::GIVEN), ..put_of(&name) };
        let written = store.put(put, Body::from_bytes(plain(size)).sealed_with(sealing())).await.unwrap();
        assert_eq!(replicate(&store, &name).await.etag, written.etag);
        let opened = store.get(At::latest(OTHER, key(&name))).await.unwrap();
        let with = |key| opened.body_with(0..size as u64, key).unwrap();
        assert_eq!(read(with(sealing())).await.unwrap(), plain(size));
        assert!(read(with(SealKey::new([8; 32]))).await.is_err());
    }
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}

#[tokio::test]
async fn a_replica_takes_the_place_that_its_id_names() {
    let directory = tempfile::tempdir().unwrap();
    let store = two(directory.path()).await;
    let put_in = |bucket, seconds| {
        let put = Put { bucket, commit: second(seconds), ..put_of("k") };
        store.put(put, Body::from_bytes(format!("{seconds}").into()))
    };
    let own = put_in(OTHER, 20).await.unwrap();
    let older = put_in(BUCKET, 10).await.unwrap();
    replicate(&store, "k").await;
    assert_eq!(versions(&store).await, [own.id.clone(), older.id.clone()]);
    let newer = put_in(BUCKET, 30).await.unwrap();
    assert!(replicate(&store, "k").await.is_latest);
    let deleted = store.delete(BUCKET, vec![Delete::latest(key("k"))], second(25)).await.unwrap();
    let marker = deleted.into_iter().next().unwrap().unwrap().marker.unwrap();
    let of_marker = |modified| Original::Marker { id: marker.clone(), modified: Timestamp(modified) };
    assert!(store.put_replica(replica(of_marker(25_000), "k")).await.unwrap());
    let hidden = store.head(At::latest(OTHER, key("k"))).await;
    assert!(matches!(hidden, Err(Error::NoSuchKey { marker: Some(id) }) if id == marker));
    let all = [marker.clone(), newer.id, own.id, older.id];
    assert_eq!(versions(&store).await, all);
    assert!(!store.put_replica(replica(of_marker(25_000), "k")).await.unwrap());
    assert_eq!(versions(&store).await, all);
    let counts = store.bucket(OTHER).await.unwrap().counts.unwrap();
    assert_eq!((counts.objects, counts.noncurrent), (0, 4));
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
    let last = put_in(OTHER, 26).await.unwrap();
    assert_eq!(versions(&store).await[0], last.id, "what is written here stands above");
}

/// Ids and whether each is the latest, in pages of one.
async fn paged(store: &Local) -> Vec<(VersionId, bool)> {
    let (mut all, mut after) = (vec![], None);
    loop {
        let page = store.list_versions(Keys { limit: 1, ..Keys::all(OTHER) }, after).await.unwrap();
        all.extend(page.entries.into_iter().map(|entry| match entry {
            Entry::One(daypass_objects::Listed { what: AnyVersion::Object(version), .. }) => {
                (version.id, version.is_latest)
            }
            Entry::One(daypass_objects::Listed { what: AnyVersion::Marker(marker), .. }) => {
                (marker.id, marker.is_latest)
            }
            Entry::Prefix(_) => panic!("nothing is folded"),
        }));
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

#[tokio::test]
async fn versions_of_one_moment_stand_beside_each_other_in_the_order_of_their_ids() {
    let directory = tempfile::tempdir().unwrap();
    let store = two(directory.path()).await;
    let sound = async || assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
    let own = async || {
        let put = Put { bucket: OTHER, commit: second(1), ..put_of("k") };
        store.put(put, Body::from_bytes("own".into())).await.unwrap().id
    };
    store.set_versioning(OTHER, Versioning::Suspended, second(0)).await.unwrap();
    own().await;
    store.set_versioning(OTHER, Versioning::Enabled, second(0)).await.unwrap();
    let mut ids = vec![own().await];
    // The null version is of the first moment, the other of the next.
    for (order, chance) in
        [(1_000_000, 'a'), (1_000_001, '1'), (1_000_000, 'e'), (1_000_001, 'f'), (1_000_000, 'c')]
    {
        let id = VersionId::parse(&format!("{order:016x}{}", chance.to_string().repeat(24))).unwrap();
        let of = || Original::Marker { id: id.clone(), modified: Timestamp(1000) };
        assert!(store.put_replica(replica(of(), "k")).await.unwrap());
        assert!(!store.put_replica(replica(of(), "k")).await.unwrap(), "it is there");
        ids.push(id);
        sound().await;
    }
    store.put(put_of("k"), Body::from_bytes("of the other".into())).await.unwrap();
    let object = replicate(&store, "k").await.id;
    ids.push(object.clone());
    ids.sort_by_key(|id| std::cmp::Reverse(id.to_string()));
    ids.push(VersionId::Null);
    assert_eq!(versions(&store).await, ids);
    let of_all = |ids: &[VersionId]| {
        ids.iter().enumerate().map(|(place, id)| (id.clone(), place == 0)).collect::<Vec<_>>()
    };
    let tagged = At::version(OTHER, key("k"), object.clone());
    let update = Update { tags: Some("t".into()), ..Update::new(tagged.clone(), second(2)) };
    store.update(update).await.unwrap();
    assert_eq!(&store.head(tagged).await.unwrap().tags[..], b"t");
    assert_eq!(get(&store, At::version(OTHER, key("k"), object)).await.unwrap(), "of the other");
    // Whatever is taken out, the others stay as they are.
    while !ids.is_empty() {
        assert_eq!(paged(&store).await, of_all(&ids));
        sound().await;
        let gone = ids.remove(ids.len() / 2);
        let done = store.delete(OTHER, vec![Delete::version(key("k"), gone)], second(3)).await.unwrap();
        assert!(done.iter().all(Result::is_ok));
    }
    assert_eq!(store.bucket(OTHER).await.unwrap().counts.unwrap().noncurrent, 0);
}

#[tokio::test]
async fn a_replica_is_made_and_noted_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = two(directory.path()).await;
    store.put(put_of("k"), Body::from_bytes("x".into())).await.unwrap();
    let version = store.head(at("k")).await.unwrap();
    for made in [true, false, false] {
        assert_eq!(store.put_replica(replica(of(&version, "k"), "k")).await.unwrap(), made);
    }
    let notes = store.notes(0, 10).await.unwrap();
    assert_eq!(notes.len(), 1);
    assert!(String::from_utf8_lossy(&notes[0].note).contains(&version.id.to_string()));
}

#[tokio::test]
async fn what_cannot_be_replicated_is_refused_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = two(directory.path()).await;
    store.put(put_of("k"), Body::from_bytes(plain(200_000))).await.unwrap();
    let version = store.head(at("k")).await.unwrap();
    let another = Version { generation: version.generation + 1, ..version.clone() };
    let changed = store.put_replica(replica(of(&another, "k"), "k")).await;
    assert!(matches!(changed, Err(Error::SourceChanged)));
    let nowhere = PutReplica { to: BucketId(99), ..replica(of(&version, "k"), "k") };
    assert!(matches!(store.put_replica(nowhere).await, Err(Error::NoSuchBucket)));
    let own = store.put(Put { bucket: OTHER, ..put_of("k") }, Body::from_bytes("own".into())).await.unwrap();
    let named = |id: &str| Original::Marker { id: VersionId::parse(id).unwrap(), modified: Timestamp(1) };
    for odd in ["null", "zz", "00"] {
        let refused = store.put_replica(replica(named(odd), "k")).await;
        assert!(matches!(refused, Err(Error::InvalidVersionId)), "{odd}");
    }
    store.set_versioning(OTHER, Versioning::Suspended, second(2)).await.unwrap();
    let suspended = store.put_replica(replica(of(&version, "k"), "k")).await;
    assert!(matches!(suspended, Err(Error::NotVersioned)));
    assert_eq!(versions(&store).await, [own.id]);
    assert!(store.notes(0, 10).await.unwrap().is_empty());
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}
