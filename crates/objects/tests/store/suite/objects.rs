use super::{Store, counted};
use crate::support::{BUCKET, Random, at, get, key, put, put_of, read, second};
use bytes::Bytes;
use daypass_objects::{
    Algorithm, Algorithms, At, Body, BucketId, BucketInfo, Copy, Counts, CreateUpload, Delete, Deleted,
    Description, ETag, Error, Key, Keys, Lock, MAX_META_BYTES, Match, Note, Preconditions, Put, Source,
    Storage, Timestamp, Update, VersionId, Versioning,
};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use std::sync::Arc;

/// Sizes around every border between two ways of storing.
const SIZES: &[usize] = &[
    0, 1, 99, 100, 101, 4096, 65_535, 65_536, 65_537, 99_999, 100_000, 100_001, 131_072, 524_288, 524_289,
    1_000_000, 2_500_000,
];

/// A body that comes in chunks of this size, without saying how long it is.
fn chunked(bytes: &Bytes, size: usize) -> Body {
    let chunks: Vec<_> = bytes.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    Body::new(stream::iter(chunks))
}

fn md5(bytes: &[u8]) -> ETag {
    use md5::Digest;
    ETag::Md5(md5::Md5::digest(bytes).into())
}

pub(crate) async fn what_is_put_is_got_at_every_size(store: Store) {
    let mut random = Random(1);
    for size in SIZES {
        let bytes = random.bytes(*size);
        for (how, body) in [
            ("at once", Body::from_bytes(bytes.clone())),
            ("in bits", chunked(&bytes, 777)),
            ("in lumps", chunked(&bytes, 300_000).with_length(bytes.len() as u64)),
        ] {
            let name = format!("{size} {how}");
            let written = store.put(put_of(&name), body).await.unwrap();
            assert_eq!((written.size, &written.etag), (*size as u64, &md5(&bytes)), "{name}");
            assert_eq!(written.id, VersionId::Null);
            assert_eq!(get(&*store, at(&name)).await.unwrap(), bytes, "{name}");
            let head = store.head(at(&name)).await.unwrap();
            assert_eq!(
                (head.size, head.etag, head.generation),
                (*size as u64, written.etag, written.generation)
            );
            assert_eq!((head.is_latest, head.parts), (true, None));
        }
    }
}

pub(crate) async fn a_write_has_the_time_that_it_was_given(store: Store) {
    let written = put(&*store, "k", "x").await;
    assert_eq!(
        (written.modified, store.head(at("k")).await.unwrap().modified),
        (Timestamp(1000), Timestamp(1000))
    );
}

pub(crate) async fn a_range_is_those_bytes(store: Store) {
    let mut random = Random(2);
    for size in [50, 5_000, 90_000, 2_000_000_u64] {
        let bytes = random.bytes(size as usize);
        put(&*store, "k", bytes.clone()).await;
        let opened = store.get(at("k")).await.unwrap();
        for range in [
            0..0,
            0..1,
            size - 1..size,
            size..size,
            size / 3..size / 2,
            65_535.min(size)..65_537.min(size),
            65_536.min(size)..131_072.min(size),
            1..size - 1,
        ] {
            let found = read(opened.body(range.clone()).unwrap()).await.unwrap();
            assert_eq!(found, bytes.slice(range.start as usize..range.end as usize), "{range:?} of {size}");
        }
        #[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
        for outside in [0..size + 1, size + 1..size + 1, 2..1] {
            assert!(matches!(opened.body(outside), Err(Error::InvalidRange)));
        }
    }
}

pub(crate) async fn a_body_that_fails_leaves_nothing(store: Store) {
    for size in [10, 5_000, 700_000] {
        let bytes = Random(3).bytes(size);
        let broken = stream::iter([Ok(bytes.clone()), Err("chunk signature".into())]);
        let result = store.put(put_of("k"), Body::new(broken)).await;
        assert!(matches!(result, Err(Error::Body(error)) if error.to_string() == "chunk signature"));

        let expected = bytes.len() as u64;
        let refused = Body::from_bytes(bytes.clone()).with_agreement(move |digests| {
            assert_eq!(digests.size, expected);
            Err("bad digest".into())
        });
        let result = store.put(put_of("k"), refused).await;
        assert!(matches!(result, Err(Error::Refused(error)) if error.to_string() == "bad digest"));

        for wrong in [expected - 1, expected + 1] {
            let result = store.put(put_of("k"), chunked(&bytes, 1000).with_length(wrong)).await;
            assert!(matches!(result, Err(Error::WrongLength { expected, .. }) if expected == wrong));
        }
        assert!(matches!(store.head(at("k")).await, Err(Error::NoSuchKey { marker: None })));
    }
    put(&*store, "k", "before").await;
    let broken = stream::iter([Ok(Bytes::from("after")), Err("late".into())]);
    store.put(put_of("k"), Body::new(broken)).await.unwrap_err();
    assert_eq!(get(&*store, at("k")).await.unwrap(), "before");
    assert_eq!(store.list(Keys::all(BUCKET), None).await.unwrap().entries.len(), 1);
    counted(&store, |counts| counts.objects, 1).await;
}

pub(crate) async fn checksums_are_those_that_were_asked_for(store: Store) {
    for size in [9, 700_000] {
        let bytes = if size == 9 { Bytes::from("123456789") } else { Random(4).bytes(size) };
        let wanted = Algorithms::from_iter(Algorithm::ALL);
        let put = Put { checksums: wanted, ..put_of("k") };
        let told = Arc::new(std::sync::Mutex::new(None));
        let tell = Arc::clone(&told);
        let body = Body::from_bytes(bytes.clone()).with_agreement(move |digests| {
            *tell.lock().unwrap() = Some(digests.clone());
            Ok(())
        });
        let written = store.put(put, body).await.unwrap();
        let told = told.lock().unwrap().take().unwrap();
        assert_eq!(told.checksums, written.checksums);
        assert_eq!(ETag::Md5(told.md5), written.etag);
        assert_eq!(written.checksums.iter().count(), Algorithm::ALL.len());
        assert_eq!(store.head(at("k")).await.unwrap().checksums, written.checksums);
        for checksum in written.checksums.iter() {
            assert_eq!(checksum.value.len(), checksum.algorithm.len_bytes());
        }
        if size == 9 {
            let crc = written.checksums.full(Algorithm::Crc64Nvme).unwrap();
            assert_eq!(crc.as_ref(), [0xae, 0x8b, 0x14, 0x86, 0x0a, 0x79, 0x98, 0x88]);
        }
    }
    let none = put(&*store, "none", "x").await;
    assert_eq!(none.checksums.iter().count(), 0);
}

pub(crate) async fn descriptions_are_kept(store: Store) {
    let description = Description {
        meta: Random(5).bytes(MAX_META_BYTES),
        tags: Bytes::from("tags"),
        lock: Lock { retention: None, legal_hold: true },
        storage: Storage::Available,
    };
    let put = Put { description: description.clone(), ..put_of("k") };
    store.put(put, Body::from_bytes(Bytes::new())).await.unwrap();
    let head = store.head(at("k")).await.unwrap();
    assert_eq!((head.meta, head.tags, head.lock), (description.meta, description.tags, description.lock));
    assert_eq!(head.revision, 0);
}

pub(crate) async fn an_overwritten_object_is_read_to_its_end(store: Store) {
    let old = Random(6).bytes(2_000_000);
    put(&*store, "k", old.clone()).await;
    let opened = store.get(at("k")).await.unwrap();
    let mut body = opened.whole().unwrap();
    let first = body.next().await.unwrap().unwrap();
    put(&*store, "k", "new").await;
    store.delete(BUCKET, vec![Delete::latest(key("k"))], second(2)).await.unwrap();
    while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}
    let rest = read(body).await.unwrap();
    assert_eq!([first, rest].concat(), old);
    assert_eq!(
        read(opened.body(5..10).unwrap()).await.unwrap(),
        old.slice(5..10),
        "it is held as long as it is open"
    );
    assert!(store.get(at("k")).await.is_err());
}

pub(crate) async fn keys_are_bytes_and_never_paths(store: Store) {
    let names: &[&[u8]] = &[
        b"../../../../etc/passwd",
        b"/etc/passwd",
        b"..",
        b".",
        b"/",
        b"//",
        b"a/../b",
        b"a/./b",
        b"a//b",
        b"C:\\x",
        b"%2e%2e%2f",
        b"\0",
        b"a\0",
        b"a\0b",
        b"a\0\x01",
        b"\xff\xff",
        b"\xff",
        b" ",
        b"\r\n",
        b"index.sqlite",
        &[b'x'; 1024],
    ];
    for name in names {
        put(&*store, name, name.to_vec()).await;
    }
    for name in names {
        assert_eq!(get(&*store, at(name)).await.unwrap(), *name);
    }
    let page = store.list(Keys::all(BUCKET), None).await.unwrap();
    assert_eq!(page.entries.len(), names.len());
    assert!(matches!(Key::new(Bytes::new()), Err(Error::EmptyKey)));
    assert!(matches!(Key::new(vec![b'x'; 1025]), Err(Error::TooLarge { what: "key", limit: 1024 })));
}

pub(crate) async fn limits_are_kept(store: Store) {
    let description = Description { meta: Random(7).bytes(MAX_META_BYTES + 1), ..Description::default() };
    let result = store.put(Put { description, ..put_of("k") }, Body::from_bytes(Bytes::new())).await;
    assert!(matches!(result, Err(Error::TooLarge { .. })));
    let many = vec![Delete::latest(key("k")); 1001];
    assert!(matches!(store.delete(BUCKET, many, second(1)).await, Err(Error::TooLarge { limit: 1000, .. })));
    let note = Note::Fixed(Random(7).bytes(daypass_objects::MAX_NOTE_BYTES + 1));
    let put = Put::new(BUCKET, key("k"), second(1).with_note(note));
    assert!(matches!(
        store.put(put, Body::from_bytes("x".into())).await,
        Err(Error::TooLarge { what: "note", .. })
    ));
    assert!(store.head(at("k")).await.is_err(), "what has too large a note is not stored");
}

pub(crate) async fn preconditions_are_judged_on_the_current_object(store: Store) {
    let written = put(&*store, "k", "one").await;
    let none = Preconditions { none: true, ..Preconditions::default() };
    let any = Preconditions { matches: Some(Match::Any), ..Preconditions::default() };
    let same = Preconditions { matches: Some(Match::ETag(written.etag)), ..Preconditions::default() };
    let other = Preconditions { matches: Some(Match::ETag(ETag::parse("x"))), ..Preconditions::default() };
    let size = |size| Preconditions { size: Some(size), ..Preconditions::default() };
    let modified = |millis| Preconditions { modified: Some(Timestamp(millis)), ..Preconditions::default() };
    for (name, only_if, result) in [
        ("k", &none, "failed"),
        ("k", &any, "ok"),
        ("k", &same, "ok"),
        ("k", &other, "failed"),
        ("k", &size(3), "ok"),
        ("k", &size(4), "failed"),
        ("k", &modified(1999), "ok"),
        ("k", &modified(2000), "failed"),
        ("missing", &none, "ok"),
        ("missing", &any, "no key"),
        ("missing", &same, "no key"),
        ("missing", &size(3), "ok"),
    ] {
        let judge = |error: Error| match error {
            Error::PreconditionFailed(_) => "failed",
            Error::NoSuchKey { marker: None } => "no key",
            _ => panic!("{error}"),
        };
        let put = Put { only_if: only_if.clone(), ..put_of(name) };
        let answer = store.put(put, Body::from_bytes("one".into())).await.map_or_else(judge, |_| "ok");
        assert_eq!(answer, result, "put {name} {only_if:?}");
        let delete = Delete { only_if: only_if.clone(), ..Delete::latest(key(name)) };
        if name == "missing" {
            store.delete(BUCKET, vec![Delete::latest(key(name))], second(1)).await.unwrap();
        }
        let mut answers = store.delete(BUCKET, vec![delete], second(1)).await.unwrap();
        assert_eq!(answers.remove(0).map_or_else(judge, |_| "ok"), result, "delete {name} {only_if:?}");
        put_again(&store).await;
    }
}

async fn put_again(store: &Store) {
    put(&**store, "k", "one").await;
}

pub(crate) async fn of_many_that_put_if_absent_one_wins(store: Store) {
    for round in 0..5 {
        let name = format!("k{round}");
        let puts = (0..20).map(|n| {
            let only_if = Preconditions { none: true, ..Preconditions::default() };
            let put = Put { only_if, ..put_of(&name) };
            store.put(put, Body::from_bytes(format!("writer {n}").into()))
        });
        let results = join_all(puts).await;
        let winners: Vec<_> = results.iter().enumerate().filter(|(_, result)| result.is_ok()).collect();
        assert_eq!(winners.len(), 1);
        let failed =
            results.iter().filter(|result| matches!(result, Err(Error::PreconditionFailed("If-None-Match"))));
        assert_eq!(failed.count(), 19);
        assert_eq!(get(&*store, at(&name)).await.unwrap(), format!("writer {}", winners[0].0));
    }
}

pub(crate) async fn of_many_that_put_if_match_one_wins(store: Store) {
    let mut etag = put(&*store, "k", "0").await.etag;
    for round in 0..5 {
        let puts = (0..20).map(|n| {
            let matches = Some(Match::ETag(etag.clone()));
            let put = Put { only_if: Preconditions { matches, ..Preconditions::default() }, ..put_of("k") };
            store.put(put, Body::from_bytes(format!("{round} {n}").into()))
        });
        let mut winners: Vec<_> = join_all(puts).await.into_iter().filter_map(Result::ok).collect();
        assert_eq!(winners.len(), 1);
        etag = winners.remove(0).etag;
        assert_eq!(store.head(at("k")).await.unwrap().etag, etag);
    }
}

pub(crate) async fn deleting_what_is_not_there_is_no_error(store: Store) {
    put(&*store, "there", "x").await;
    let what = ["there", "missing", "there"].map(|name| Delete::latest(key(name)));
    let results = store.delete(BUCKET, what.to_vec(), second(1)).await.unwrap();
    let results: Vec<Deleted> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(results[0].removed, Some(VersionId::Null));
    assert_eq!(results[1..], [Deleted::default(), Deleted::default()]);
    let missing =
        Delete::version(key("there"), VersionId::parse("00000000000000000000000000000000000000ab").unwrap());
    let invalid = Delete::version(key("there"), VersionId::parse("nonsense").unwrap());
    let results = store.delete(BUCKET, vec![missing, invalid], second(1)).await.unwrap();
    assert!(matches!(results.as_slice(), [Ok(_), Err(Error::InvalidVersionId)]));
}

pub(crate) async fn an_update_changes_what_is_said_and_not_the_bytes(store: Store) {
    for size in [10, 5_000, 700_000] {
        let bytes = Random(8).bytes(size);
        let written = put(&*store, "k", bytes.clone()).await;
        let update = Update { tags: Some("t".into()), ..Update::new(at("k"), second(5)) };
        assert_eq!(store.update(update).await.unwrap(), 1);
        let only_if = Some((written.generation, 0));
        let stale = Update { only_if, meta: Some("m".into()), ..Update::new(at("k"), second(5)) };
        assert!(matches!(store.update(stale).await, Err(Error::RevisionChanged { current: 1 })));
        let only_if = Some((written.generation, 1));
        let fresh = Update { only_if, meta: Some("m".into()), ..Update::new(at("k"), second(5)) };
        assert_eq!(store.update(fresh).await.unwrap(), 2);
        let head = store.head(at("k")).await.unwrap();
        assert_eq!((&head.meta[..], &head.tags[..], head.revision), (&b"m"[..], &b"t"[..], 2));
        assert_eq!((head.modified, head.etag), (written.modified, written.etag));
        assert_eq!(get(&*store, at("k")).await.unwrap(), bytes);
    }
    let missing = Update::new(at("missing"), second(5));
    assert!(matches!(store.update(missing).await, Err(Error::NoSuchKey { .. })));
}

pub(crate) async fn an_archived_object_is_found_but_not_read(store: Store) {
    put(&*store, "k", "bytes").await;
    let archive = Update { storage: Some(Storage::Archived), ..Update::new(at("k"), second(1)) };
    store.update(archive).await.unwrap();
    assert_eq!(store.head(at("k")).await.unwrap().storage, Storage::Archived);
    assert!(matches!(store.get(at("k")).await.unwrap().whole(), Err(Error::Archived)));
    let generation = store.head(at("k")).await.unwrap().generation;
    let copy = Copy { source: Source { at: at("k"), generation }, to: put_of("copy") };
    assert!(matches!(store.copy(copy).await, Err(Error::Archived)));
    let restore = Update { storage: Some(Storage::Available), ..Update::new(at("k"), second(1)) };
    store.update(restore).await.unwrap();
    assert_eq!(get(&*store, at("k")).await.unwrap(), "bytes");
}

async fn source(store: &Store, name: &str) -> Source {
    Source { at: at(name), generation: store.head(at(name)).await.unwrap().generation }
}

pub(crate) async fn a_copy_has_the_bytes_and_lives_by_itself(store: Store) {
    for size in [0, 50, 5_000, 2_000_000] {
        let bytes = Random(9).bytes(size);
        let written = put(&*store, "source", bytes.clone()).await;
        let to = Put { checksums: Algorithms::NONE.with(Algorithm::Sha256), ..put_of("copy") };
        let copied = store.copy(Copy { source: source(&store, "source").await, to }).await.unwrap();
        assert_eq!((copied.size, &copied.etag), (size as u64, &written.etag));
        assert!(copied.checksums.full(Algorithm::Sha256).is_some());
        let description = Description { meta: "new".into(), ..Description::default() };
        let to = Put { description, ..put_of("source") };
        store.copy(Copy { source: source(&store, "source").await, to }).await.unwrap();
        assert_eq!(store.head(at("source")).await.unwrap().meta, "new");
        assert_eq!(get(&*store, at("source")).await.unwrap(), bytes, "copied onto itself");
        store.delete(BUCKET, vec![Delete::latest(key("source"))], second(1)).await.unwrap();
        while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}
        assert_eq!(get(&*store, at("copy")).await.unwrap(), bytes);
        counted(&store, |counts| counts.bytes, size as u64).await;
    }
}

pub(crate) async fn a_copy_of_what_changed_is_refused(store: Store) {
    put(&*store, "source", "old").await;
    let old = source(&store, "source").await;
    put(&*store, "source", "new").await;
    let result = store.copy(Copy { source: old.clone(), to: put_of("copy") }).await;
    assert!(matches!(result, Err(Error::SourceChanged)));
    store.delete(BUCKET, vec![Delete::latest(key("source"))], second(1)).await.unwrap();
    let result = store.copy(Copy { source: old, to: put_of("copy") }).await;
    assert!(matches!(result, Err(Error::NoSuchKey { .. })));
    assert!(store.head(at("copy")).await.is_err());
}

pub(crate) async fn buckets_open_once_and_close_empty(store: Store) {
    assert!(matches!(store.open_bucket(BUCKET, second(1)).await, Err(Error::BucketExists)));
    put(&*store, "k", "x").await;
    assert!(matches!(store.close_bucket(BUCKET, second(1)).await, Err(Error::BucketNotEmpty)));
    store.set_versioning(BUCKET, Versioning::Enabled, second(1)).await.unwrap();
    assert!(matches!(
        store.set_versioning(BUCKET, Versioning::Unversioned, second(1)).await,
        Err(Error::VersioningStays)
    ));
    let deleted = store.delete(BUCKET, vec![Delete::latest(key("k"))], second(1)).await.unwrap();
    let marker = deleted[0].as_ref().unwrap().marker.clone().unwrap();
    assert!(matches!(store.close_bucket(BUCKET, second(1)).await, Err(Error::BucketNotEmpty)));
    let what = [marker, VersionId::Null].map(|id| Delete::version(key("k"), id));
    store.delete(BUCKET, what.to_vec(), second(1)).await.unwrap();
    store.close_bucket(BUCKET, second(1)).await.unwrap();
    assert!(matches!(store.close_bucket(BUCKET, second(1)).await, Err(Error::NoSuchBucket)));
    // a put and a close race: never both
    for number in 100..120 {
        let bucket = BucketId(number);
        store.open_bucket(bucket, second(1)).await.unwrap();
        let put = store.put(Put::new(bucket, key("k"), second(1)), Body::from_bytes("x".into()));
        let (put, close) = tokio::join!(put, store.close_bucket(bucket, second(1)));
        assert_ne!(put.is_ok(), close.is_ok());
    }
}

pub(crate) async fn a_closed_bucket_takes_nothing(store: Store) {
    store.close_bucket(BUCKET, second(1)).await.unwrap();
    let refused = |error: Error| assert!(matches!(error, Error::NoSuchBucket), "{error}");
    refused(store.put(put_of("k"), Body::from_bytes("x".into())).await.unwrap_err());
    refused(store.get(at("k")).await.unwrap_err());
    refused(store.head(at("k")).await.unwrap_err());
    refused(store.bucket(BUCKET).await.unwrap_err());
    refused(store.list(Keys::all(BUCKET), None).await.unwrap_err());
    refused(store.list_versions(Keys::all(BUCKET), None).await.unwrap_err());
    refused(store.list_uploads(Keys::all(BUCKET), None).await.unwrap_err());
    refused(store.delete(BUCKET, vec![Delete::latest(key("k"))], second(1)).await.unwrap_err());
    refused(store.update(Update::new(at("k"), second(1))).await.unwrap_err());
    refused(store.set_versioning(BUCKET, Versioning::Enabled, second(1)).await.unwrap_err());
    let create = CreateUpload {
        bucket: BUCKET,
        key: key("k"),
        description: Description::default(),
        checksum: None,
        seal: None,
        commit: second(1),
    };
    refused(store.create_upload(create).await.unwrap_err());
}

pub(crate) async fn counts_are_exact(store: Store) {
    let info = |objects, noncurrent, bytes| BucketInfo {
        versioning: Versioning::Enabled,
        counts: Some(Counts { objects, noncurrent, bytes, uploads: 0 }),
    };
    store.set_versioning(BUCKET, Versioning::Enabled, second(1)).await.unwrap();
    put(&*store, "a", "123").await;
    put(&*store, "a", "45678").await;
    put(&*store, "b", Random(1).bytes(200_000)).await;
    assert_eq!(store.bucket(BUCKET).await.unwrap(), info(2, 1, 200_008));
    store.delete(BUCKET, vec![Delete::latest(key("a"))], second(1)).await.unwrap();
    assert_eq!(store.bucket(BUCKET).await.unwrap(), info(1, 3, 200_008));
    let id = store.head(at("b")).await.unwrap().id;
    store.delete(BUCKET, vec![Delete::version(key("b"), id)], second(1)).await.unwrap();
    assert_eq!(store.bucket(BUCKET).await.unwrap(), info(0, 3, 8));
    assert_eq!(
        store.head(At::latest(BucketId(9), key("b"))).await.unwrap_err().to_string(),
        "no such bucket"
    );
}
