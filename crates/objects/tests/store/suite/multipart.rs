use super::{Store, counted};
use crate::support::{BUCKET, Random, at, get, key, names, put, put_of, read, second};
use bytes::Bytes;
use daypass_objects::{
    AfterUpload, Algorithm, Algorithms, Body, BucketId, ChecksumKind, Checksums, CompleteUpload, Completed,
    Copy, CopyPart, CreateUpload, Delete, Description, ETag, Error, Keys, ListedPart, Match, PartWritten,
    Parts, Preconditions, Put, PutPart, Result, Source, Timestamp, Upload, UploadAt, UploadChecksum,
    UploadId, VersionId, Versioning,
};
use futures_util::StreamExt;
use md5::{Digest, Md5};

async fn create(store: &Store, name: &str, checksum: Option<UploadChecksum>) -> UploadAt {
    let description = Description { meta: "meta".into(), tags: "tags".into(), ..Description::default() };
    let create =
        CreateUpload { bucket: BUCKET, key: key(name), description, checksum, seal: None, commit: second(1) };
    let id = store.create_upload(create).await.unwrap();
    UploadAt { bucket: BUCKET, key: key(name), id }
}

fn part_of(upload: &UploadAt, number: u16) -> PutPart {
    PutPart { upload: upload.clone(), number, checksums: Algorithms::NONE, commit: second(2) }
}

async fn put_part(store: &Store, upload: &UploadAt, number: u16, bytes: Bytes) -> PartWritten {
    store.put_part(part_of(upload, number), Body::from_bytes(bytes)).await.unwrap()
}

fn listed(number: u16, part: &PartWritten) -> ListedPart {
    ListedPart { number, etag: part.etag.clone(), checksums: Checksums::default() }
}

fn complete_of(upload: &UploadAt, parts: Vec<ListedPart>) -> CompleteUpload {
    CompleteUpload {
        upload: upload.clone(),
        parts,
        only_if: Preconditions::default(),
        min_part_bytes: 0,
        expected: None,
        expected_size: None,
        commit: second(3),
    }
}

async fn complete(store: &Store, upload: &UploadAt, parts: Vec<ListedPart>) -> Result<Completed> {
    store.complete_upload(complete_of(upload, parts)).await
}

/// An object of parts of these sizes; its bytes.
pub(crate) async fn uploaded(store: &Store, name: &str, sizes: &[usize]) -> Bytes {
    let upload = create(store, name, None).await;
    let mut whole = Vec::new();
    let mut parts = Vec::new();
    for (number, size) in (1..).zip(sizes) {
        let bytes = Random(number.into()).bytes(*size);
        whole.extend_from_slice(&bytes);
        parts.push(listed(number, &put_part(store, &upload, number, bytes).await));
    }
    complete(store, &upload, parts).await.unwrap();
    whole.into()
}

fn multipart_etag(parts: &[&[u8]]) -> ETag {
    let digests: Vec<u8> = parts.iter().flat_map(Md5::digest).collect();
    ETag::Parts { digest: Md5::digest(digests).into(), parts: parts.len() as u32 }
}

pub(crate) async fn an_upload_becomes_an_object_of_its_parts(store: Store) {
    for sizes in [&[10_usize][..], &[0], &[50, 5_000, 700_000, 1], &[200_000; 9], &[60; 300]] {
        let whole = uploaded(&store, "k", sizes).await;
        let head = store.head(at("k")).await.unwrap();
        assert_eq!((head.size, head.parts), (whole.len() as u64, Some(sizes.len() as u32)));
        assert_eq!((&head.meta[..], &head.tags[..]), (&b"meta"[..], &b"tags"[..]));
        assert_eq!(head.modified, Timestamp(3000));
        let mut parts = Vec::new();
        let mut rest = &whole[..];
        for size in sizes {
            let (part, behind) = rest.split_at(*size);
            parts.push(part);
            rest = behind;
        }
        assert_eq!(head.etag, multipart_etag(&parts));
        assert_eq!(get(&*store, at("k")).await.unwrap(), whole);
        let opened = store.get(at("k")).await.unwrap();
        let found = opened.parts(1, 10_000).await.unwrap();
        assert_eq!(found.len(), sizes.len());
        for (place, part) in found.iter().enumerate() {
            let range = part.offset..part.offset + part.size;
            assert_eq!(usize::from(part.place), place + 1);
            assert_eq!(read(opened.body(range).unwrap()).await.unwrap(), parts[place]);
        }
        let last = opened.parts(sizes.len() as u16, 5).await.unwrap();
        assert_eq!(last, found[sizes.len() - 1..]);
        assert!(opened.parts(sizes.len() as u16 + 1, 5).await.unwrap().is_empty());
        let middle = head.size / 3..head.size - head.size / 3;
        let bytes = read(opened.body(middle.clone()).unwrap()).await.unwrap();
        assert_eq!(bytes, whole.slice(middle.start as usize..middle.end as usize));
    }
    counted(&store, |counts| counts.uploads, 0).await;
    put(&*store, "k", "x").await;
    assert!(store.get(at("k")).await.unwrap().parts(1, 10).await.unwrap().is_empty());
}

pub(crate) async fn an_object_of_parts_is_read_to_its_end_after_it_is_gone(store: Store) {
    let whole = uploaded(&store, "k", &[400_000; 8]).await;
    let opened = store.get(at("k")).await.unwrap();
    let mut body = opened.whole().unwrap();
    let first = body.next().await.unwrap().unwrap();
    store.delete(BUCKET, vec![Delete::latest(key("k"))], second(4)).await.unwrap();
    while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}
    assert_eq!([first, read(body).await.unwrap()].concat(), whole);
    assert_eq!(
        read(opened.body(1_500_000..1_500_009).unwrap()).await.unwrap(),
        whole.slice(1_500_000..1_500_009)
    );
    assert!(store.health().await.unwrap().live_bytes > 3_000_000, "it is held");
    drop(opened);
    while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}
    let health = store.health().await.unwrap();
    assert_eq!((health.live_bytes, health.garbage), (0, 0));
}

pub(crate) async fn parts_may_be_replaced_left_out_and_of_any_number(store: Store) {
    let upload = create(&store, "k", None).await;
    put_part(&store, &upload, 5, "old".into()).await;
    let five = put_part(&store, &upload, 5, "five".into()).await;
    put_part(&store, &upload, 7, Random(1).bytes(5_000)).await;
    let last = put_part(&store, &upload, 10_000, "last".into()).await;
    complete(&store, &upload, vec![listed(5, &five), listed(10_000, &last)]).await.unwrap();
    assert_eq!(get(&*store, at("k")).await.unwrap(), "fivelast");
    let parts = store.get(at("k")).await.unwrap().parts(1, 10).await.unwrap();
    assert_eq!(parts.iter().map(|part| (part.place, part.number)).collect::<Vec<_>>(), [(1, 5), (2, 10_000)]);
    while store.collect(Timestamp(0)).await.unwrap().more {}
    assert_eq!(get(&*store, at("k")).await.unwrap(), "fivelast");
}

pub(crate) async fn what_is_listed_must_be_what_was_stored(store: Store) {
    let upload = create(&store, "k", None).await;
    let one = put_part(&store, &upload, 1, "one".into()).await;
    let two = put_part(&store, &upload, 2, "two".into()).await;
    let other = ListedPart { etag: two.etag.clone(), ..listed(1, &one) };
    for (parts, expected) in [
        (vec![], "order"),
        (vec![listed(2, &two), listed(1, &one)], "order"),
        (vec![listed(1, &one), listed(1, &one)], "order"),
        (vec![listed(0, &one)], "order"),
        (vec![listed(10_001, &one)], "order"),
        (vec![listed(3, &one)], "part 3"),
        (vec![other], "part 1"),
        (vec![listed(1, &one), listed(4, &two)], "part 4"),
    ] {
        let error = complete(&store, &upload, parts.clone()).await.unwrap_err();
        let found = match error {
            Error::InvalidPartOrder => "order".into(),
            Error::InvalidPart { number } => format!("part {number}"),
            _ => panic!("{error}"),
        };
        assert_eq!(found, expected, "{parts:?}");
    }
    let both = vec![listed(1, &one), listed(2, &two)];
    let small = CompleteUpload { min_part_bytes: 4, ..complete_of(&upload, both.clone()) };
    assert!(matches!(store.complete_upload(small).await, Err(Error::PartTooSmall { number: 1, size: 3 })));
    let short = CompleteUpload { expected_size: Some(5), ..complete_of(&upload, both.clone()) };
    assert!(matches!(store.complete_upload(short).await, Err(Error::Mismatch("size"))));
    assert!(store.head(at("k")).await.is_err());
    let right = CompleteUpload { expected_size: Some(6), min_part_bytes: 3, ..complete_of(&upload, both) };
    store.complete_upload(right).await.unwrap();
    for number in [0, 10_001] {
        let result = store.put_part(part_of(&upload, number), Body::from_bytes("x".into())).await;
        assert!(matches!(result, Err(Error::InvalidPartOrder)));
    }
}

pub(crate) async fn checksums_of_parts_make_that_of_the_object(store: Store) {
    let whole = Random(3).bytes(300_000);
    let body = Body::from_bytes(whole.clone());
    let put = Put { checksums: Algorithms::from_iter(Algorithm::ALL), ..put_of("single") };
    let single = store.put(put, body).await.unwrap().checksums;
    for (algorithm, full_object) in [
        (Algorithm::Crc32, true),
        (Algorithm::Crc32c, true),
        (Algorithm::Crc64Nvme, true),
        (Algorithm::Crc32c, false),
        (Algorithm::Sha1, false),
        (Algorithm::Sha256, false),
    ] {
        let upload = create(&store, "k", Some(UploadChecksum { algorithm, full_object })).await;
        let mut parts = Vec::new();
        let mut values = Vec::new();
        for (number, bytes) in
            (1..).zip([whole.slice(..100_001), whole.slice(100_001..100_050), whole.slice(100_050..)])
        {
            let part = put_part(&store, &upload, number, bytes).await;
            values.push(part.checksums.full(algorithm).unwrap().clone());
            parts.push(ListedPart { checksums: part.checksums.clone(), ..listed(number, &part) });
        }
        let expected = if full_object {
            single.full(algorithm).unwrap().clone()
        } else {
            composite(&store, algorithm, &values).await
        };
        let wrong = Some((algorithm, values[0].clone()));
        let refused = CompleteUpload { expected: wrong, ..complete_of(&upload, parts.clone()) };
        assert!(matches!(store.complete_upload(refused).await, Err(Error::Mismatch("checksum"))));
        let mut swapped = parts.clone();
        swapped[0].checksums = parts[1].checksums.clone();
        assert!(matches!(complete(&store, &upload, swapped).await, Err(Error::InvalidPart { number: 1 })));
        let right = Some((algorithm, expected.clone()));
        let made = store
            .complete_upload(CompleteUpload { expected: right, ..complete_of(&upload, parts) })
            .await
            .unwrap();
        let checksum = made.written.checksums.get(algorithm).unwrap();
        assert_eq!(checksum.value, expected, "{algorithm:?} {full_object}");
        let kind = if full_object { ChecksumKind::FullObject } else { ChecksumKind::Composite { parts: 3 } };
        assert_eq!(checksum.kind, kind);
        let parts = store.get(at("k")).await.unwrap().parts(2, 1).await.unwrap();
        assert_eq!(parts[0].checksums.full(algorithm).unwrap(), &values[1]);
    }
    let impossible = Some(UploadChecksum { algorithm: Algorithm::Sha1, full_object: true });
    let description = Description::default();
    let create = CreateUpload {
        bucket: BUCKET,
        key: key("k"),
        description,
        checksum: impossible,
        seal: None,
        commit: second(1),
    };
    assert!(store.create_upload(create).await.is_err());
}

async fn composite(store: &Store, algorithm: Algorithm, values: &[Bytes]) -> Bytes {
    let put = Put { checksums: Algorithms::NONE.with(algorithm), ..put_of("composite") };
    let written = store.put(put, Body::from_bytes(values.concat().into())).await.unwrap();
    written.checksums.full(algorithm).unwrap().clone()
}

pub(crate) async fn a_repeated_completion_answers_the_same(store: Store) {
    store.set_versioning(BUCKET, Versioning::Enabled, second(1)).await.unwrap();
    let upload = create(&store, "k", None).await;
    let one = put_part(&store, &upload, 1, "one".into()).await;
    let two = put_part(&store, &upload, 2, "two".into()).await;
    let parts = vec![listed(1, &one), listed(2, &two)];
    let none = Preconditions { none: true, ..Preconditions::default() };
    let request = || CompleteUpload { only_if: none.clone(), ..complete_of(&upload, parts.clone()) };
    let first = store.complete_upload(request()).await.unwrap();
    assert!(!first.repeated);
    let again = store.complete_upload(request()).await.unwrap();
    assert_eq!((again.repeated, &again.written), (true, &first.written));
    put(&*store, "k", "later").await;
    while store.collect(Timestamp(3000 + 24 * 3600 * 1000 - 1)).await.unwrap().more {}
    let again = store.complete_upload(request()).await.unwrap();
    assert_eq!(again.written, first.written, "whatever happened since");
    assert_eq!(get(&*store, at("k")).await.unwrap(), "later");
    let result = complete(&store, &upload, vec![listed(1, &one)]).await;
    assert!(matches!(result, Err(Error::NoSuchUpload)), "other parts are another request");
    assert!(matches!(store.abort_upload(upload.clone(), second(4)).await, Err(Error::NoSuchUpload)));
    while store.collect(Timestamp(3000 + 24 * 3600 * 1000)).await.unwrap().more {}
    assert!(matches!(store.complete_upload(request()).await, Err(Error::NoSuchUpload)), "for a day");
}

pub(crate) async fn an_aborted_upload_is_gone(store: Store) {
    let upload = create(&store, "k", None).await;
    let part = put_part(&store, &upload, 1, Random(1).bytes(500_000)).await;
    store.abort_upload(upload.clone(), second(2)).await.unwrap();
    assert!(matches!(store.abort_upload(upload.clone(), second(2)).await, Err(Error::NoSuchUpload)));
    let late = store.put_part(part_of(&upload, 2), Body::from_bytes("x".into())).await;
    assert!(matches!(late, Err(Error::NoSuchUpload)));
    assert!(matches!(complete(&store, &upload, vec![listed(1, &part)]).await, Err(Error::NoSuchUpload)));
    assert!(matches!(store.upload(upload.clone()).await, Err(Error::NoSuchUpload)));
    let nonsense = UploadAt { id: UploadId::parse("nonsense").unwrap(), ..upload };
    assert!(matches!(store.upload(nonsense).await, Err(Error::NoSuchUpload)));
    while store.collect(Timestamp(0)).await.unwrap().more {}
    assert_eq!(store.health().await.unwrap().live_bytes, 0);
    counted(&store, |counts| counts.uploads, 0).await;
}

pub(crate) async fn an_upload_outlives_nothing_but_its_bucket(store: Store) {
    let upload = create(&store, "k", None).await;
    put_part(&store, &upload, 1, Random(1).bytes(500_000)).await;
    store.close_bucket(BUCKET, second(2)).await.unwrap();
    let late = store.put_part(part_of(&upload, 2), Body::from_bytes("x".into())).await;
    assert!(matches!(late, Err(Error::NoSuchBucket)));
    assert!(matches!(store.open_bucket(BUCKET, second(2)).await, Err(Error::BucketExists)));
    while store.collect(Timestamp(0)).await.unwrap().more {}
    assert_eq!(store.health().await.unwrap().live_bytes, 0);
}

pub(crate) async fn preconditions_hold_for_completion(store: Store) {
    let upload = create(&store, "k", None).await;
    let part = put_part(&store, &upload, 1, "new".into()).await;
    let etag = put(&*store, "k", "old").await.etag;
    let with = |only_if| CompleteUpload { only_if, ..complete_of(&upload, vec![listed(1, &part)]) };
    let none = Preconditions { none: true, ..Preconditions::default() };
    assert!(matches!(
        store.complete_upload(with(none)).await,
        Err(Error::PreconditionFailed("If-None-Match"))
    ));
    let same = Preconditions { matches: Some(Match::ETag(etag)), ..Preconditions::default() };
    store.complete_upload(with(same)).await.unwrap();
    assert_eq!(get(&*store, at("k")).await.unwrap(), "new");
}

pub(crate) async fn a_part_is_copied_from_a_range(store: Store) {
    let single = Random(8).bytes(1_500_000);
    put(&*store, "single", single.clone()).await;
    let tiny = Random(9).bytes(90);
    put(&*store, "tiny", tiny.clone()).await;
    let many = uploaded(&store, "many", &[70_000; 50]).await;
    let upload =
        create(&store, "k", Some(UploadChecksum { algorithm: Algorithm::Crc32, full_object: true })).await;
    let mut whole = Vec::new();
    let mut parts = Vec::new();
    for (number, (name, bytes, range)) in (1..).zip([
        ("single", &single, None),
        ("single", &single, Some(65_000..700_001)),
        ("tiny", &tiny, Some(3..50)),
        ("tiny", &tiny, None),
        ("many", &many, Some(100_000..250_000)),
        ("many", &many, Some(1..3_499_999)),
        ("single", &single, Some(5..5)),
    ]) {
        let generation = store.head(at(name)).await.unwrap().generation;
        let source = Source { at: at(name), generation };
        let expected = range
            .clone()
            .map_or(bytes.clone(), |range| bytes.slice(range.start as usize..range.end as usize));
        let copy = CopyPart { source, range, to: part_of(&upload, number) };
        let part = store.copy_part(copy).await.unwrap();
        assert_eq!(part.etag, ETag::Md5(Md5::digest(&expected).into()), "{name} as {number}");
        assert!(part.checksums.full(Algorithm::Crc32).is_some());
        parts.push(listed(number, &part));
        whole.extend_from_slice(&expected);
    }
    let generation = store.head(at("tiny")).await.unwrap().generation;
    let source = Source { at: at("tiny"), generation };
    let outside = CopyPart { source, range: Some(0..91), to: part_of(&upload, 9) };
    assert!(matches!(store.copy_part(outside).await, Err(Error::InvalidRange)));
    let what = ["single", "tiny", "many"].map(|name| Delete::latest(key(name)));
    store.delete(BUCKET, what.to_vec(), second(2)).await.unwrap();
    while store.collect(Timestamp(0)).await.unwrap().more {}
    complete(&store, &upload, parts).await.unwrap();
    while store.collect(Timestamp(0)).await.unwrap().more {}
    assert_eq!(get(&*store, at("k")).await.unwrap(), whole);
    // an object of parts, copied, is an object written at once
    let generation = store.head(at("k")).await.unwrap().generation;
    let copy = Copy { source: Source { at: at("k"), generation }, to: put_of("copy") };
    let copied = store.copy(copy).await.unwrap();
    assert_eq!(copied.etag, ETag::Md5(Md5::digest(&whole).into()));
    assert_eq!(store.head(at("copy")).await.unwrap().parts, None);
    store.delete(BUCKET, vec![Delete::latest(key("k"))], second(2)).await.unwrap();
    while store.collect(Timestamp(0)).await.unwrap().more {}
    assert_eq!(get(&*store, at("copy")).await.unwrap(), whole);
}

pub(crate) async fn uploads_are_listed_oldest_first(store: Store) {
    let mut ids = Vec::new();
    for name in ["b", "a/1", "b", "a/2", "c", "b"] {
        ids.push(create(&store, name, None).await.id);
    }
    store.open_bucket(BucketId(8), second(1)).await.unwrap();
    let show = |upload: &Upload| {
        let place = ids.iter().position(|id| *id == upload.id).unwrap();
        format!("{}#{place}", upload.key.as_bytes().escape_ascii())
    };
    let all = store.list_uploads(Keys::all(BUCKET), None).await.unwrap();
    assert_eq!(names(&all, show).join(" "), "a/1#1 a/2#3 b#0 b#2 b#5 c#4");
    let folded = Keys { delimiter: "/".into(), ..Keys::all(BUCKET) };
    for limit in 1..6 {
        let mut found = Vec::new();
        let mut after: Option<AfterUpload> = None;
        loop {
            let page = store.list_uploads(Keys { limit, ..folded.clone() }, after).await.unwrap();
            found.extend(names(&page, show));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found.join(" "), "(a/) b#0 b#2 b#5 c#4", "pages of {limit}");
    }
    assert!(store.list_uploads(Keys::all(BucketId(8)), None).await.unwrap().entries.is_empty());
    counted(&store, |counts| counts.uploads, 6).await;
    let upload = UploadAt { bucket: BUCKET, key: key("c"), id: ids[4].clone() };
    let found = store.upload(upload).await.unwrap();
    assert_eq!((found.initiated, &found.meta[..]), (Some(Timestamp(1000)), &b"meta"[..]));
}

pub(crate) async fn parts_are_listed_page_by_page(store: Store) {
    let upload = create(&store, "k", None).await;
    for number in [3, 1, 10_000, 200] {
        put_part(&store, &upload, number, Bytes::from(vec![b'x'; usize::from(number)])).await;
    }
    let parts = |after, limit| Parts { upload: upload.clone(), after, limit };
    let numbers = |page: &daypass_objects::PartPage| {
        page.parts.iter().map(|part| (part.number, part.written.size)).collect::<Vec<_>>()
    };
    let page = store.list_parts(parts(0, 1000)).await.unwrap();
    assert_eq!(numbers(&page), [(1, 1), (3, 3), (200, 200), (10_000, 10_000)]);
    assert!(!page.truncated);
    let page = store.list_parts(parts(1, 2)).await.unwrap();
    assert_eq!((numbers(&page), page.truncated), (vec![(3, 3), (200, 200)], true));
    assert!(store.list_parts(parts(u16::MAX, 2)).await.unwrap().parts.is_empty());
    let id = VersionId::Null.to_string();
    let missing = Parts {
        upload: UploadAt { id: UploadId::parse(&id).unwrap(), ..upload.clone() },
        after: 0,
        limit: 1,
    };
    assert!(matches!(store.list_parts(missing).await, Err(Error::NoSuchUpload)));
}
