//! Bytes that are sealed at rest.

use crate::support::{BUCKET, Random, at, get, key, put, put_of, read, second, small_options};
use bytes::Bytes;
use daypass_objects::local::{Local, Options};
use daypass_objects::{
    Algorithms, Body, Checksums, CompleteUpload, Copy, CopyPart, CreateUpload, Description, ETag, Error,
    KeyId, Keyring, ListedPart, Objects, Preconditions, Put, PutPart, SealKey, Source, UploadAt,
};
use md5::{Digest, Md5};
use std::path::Path;
use std::sync::Arc;

pub(crate) const ONE: KeyId = KeyId([1; 16]);
const TWO: KeyId = KeyId([2; 16]);

struct TestKeys;

impl Keyring for TestKeys {
    fn key(&self, id: KeyId) -> Option<SealKey> {
        [ONE, TWO].contains(&id).then(|| SealKey::new([id.0[0]; 32]))
    }
}

pub(crate) fn keyring() -> Arc<dyn Keyring> {
    Arc::new(TestKeys)
}

pub(crate) async fn open(directory: &Path) -> Local {
    let options = Options { keyring: keyring(), ..small_options(3) };
    let store = Local::open(directory, options).unwrap();
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    store
}

/// Text that is easy to find on a disk.
pub(crate) fn plain(size: usize) -> Bytes {
    b"a secret that must not be found ".iter().copied().cycle().take(size).collect()
}

pub(crate) fn is_on_disk(directory: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            is_on_disk(&path, needle)
        } else {
            std::fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle)
        }
    })
}

pub(crate) const SIZES: [usize; 6] = [1, 99, 5_000, 65_537, 100_001, 2_500_000];

#[tokio::test]
async fn sealed_bytes_are_read_back_and_not_found_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    for size in SIZES {
        let put = Put { seal: Some(ONE), ..put_of(format!("{size}")) };
        let written = store.put(put, Body::from_bytes(plain(size))).await.unwrap();
        let md5 = ETag::Md5(Md5::digest(plain(size)).into());
        assert_eq!(written.etag, md5, "the tag is that of the plain bytes");
        assert_eq!(get(&store, at(format!("{size}"))).await.unwrap(), plain(size));
        let opened = store.get(at(format!("{size}"))).await.unwrap();
        let (start, end) = (size / 3, size - size / 4);
        let range = opened.body(start as u64..end as u64).unwrap();
        assert_eq!(read(range).await.unwrap(), plain(size).slice(start..end));
    }
    let needle = b"must not be found";
    assert!(!is_on_disk(directory.path(), needle));
    put(&store, "open", plain(5_000)).await;
    assert!(is_on_disk(directory.path(), needle), "the test can find it");
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
    drop(store);
    // without the keys nothing is read, and the books are still checked
    let store = Local::open(directory.path(), small_options(4)).unwrap();
    for size in SIZES {
        assert!(matches!(get(&store, at(format!("{size}"))).await, Err(Error::NoKey(ONE))));
    }
    assert!(matches!(
        store.put(Put { seal: Some(ONE), ..put_of("k") }, Body::from_bytes("x".into())).await,
        Err(Error::NoKey(ONE))
    ));
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}

#[tokio::test]
async fn a_copy_is_sealed_as_it_is_asked_to_be() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    for size in SIZES {
        for from in [None, Some(ONE)] {
            store.put(Put { seal: from, ..put_of("from") }, Body::from_bytes(plain(size))).await.unwrap();
            let generation = store.head(at("from")).await.unwrap().generation;
            for to in [None, Some(ONE), Some(TWO)] {
                let live = store.health().await.unwrap().live_bytes;
                let source = Source { at: at("from"), generation };
                let name = format!("{size} {from:?} {to:?}");
                store.copy(Copy { source, to: Put { seal: to, ..put_of(&name) } }).await.unwrap();
                assert_eq!(get(&store, at(&name)).await.unwrap(), plain(size));
                let grew = store.health().await.unwrap().live_bytes - live;
                let stored_anew = from != to && size > 100;
                assert_eq!(grew > 0, stored_anew, "{name}");
            }
        }
    }
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}

#[tokio::test]
async fn an_upload_is_sealed_with_one_key_wherever_its_parts_come_from() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    for (name, seal) in [("open", None), ("one", Some(ONE)), ("two", Some(TWO)), ("tiny", Some(ONE))] {
        let size = if name == "tiny" { 90 } else { 200_000 };
        store.put(Put { seal, ..put_of(name) }, Body::from_bytes(plain(size))).await.unwrap();
    }
    let create = CreateUpload {
        bucket: BUCKET,
        key: key("k"),
        description: Description::default(),
        checksum: None,
        seal: Some(ONE),
        commit: second(1),
    };
    let id = store.create_upload(create).await.unwrap();
    let upload = UploadAt { bucket: BUCKET, key: key("k"), id };
    let part_of =
        |number| PutPart { upload: upload.clone(), number, checksums: Algorithms::NONE, commit: second(1) };
    let mut parts = Vec::new();
    let mut whole = Vec::new();
    let first = store.put_part(part_of(1), Body::from_bytes(plain(70))).await.unwrap();
    whole.extend_from_slice(&plain(70));
    parts.push(ListedPart { number: 1, etag: first.etag, checksums: Checksums::default() });
    for (number, (name, range)) in (2..).zip([
        ("open", 5..150_000),
        ("one", 66_000..150_001),
        ("two", 0..200_000),
        ("tiny", 3..80),
        ("tiny", 0..90),
    ]) {
        let generation = store.head(at(name)).await.unwrap().generation;
        let source = Source { at: at(name), generation };
        whole.extend_from_slice(&plain(200_000)[range.start..range.end]);
        let range = Some(range.start as u64..range.end as u64);
        let part = store.copy_part(CopyPart { source, range, to: part_of(number) }).await.unwrap();
        parts.push(ListedPart { number, etag: part.etag, checksums: Checksums::default() });
    }
    let complete = CompleteUpload {
        upload: upload.clone(),
        parts,
        only_if: Preconditions::default(),
        min_part_bytes: 0,
        expected: None,
        expected_size: None,
        commit: second(1),
    };
    store.complete_upload(complete).await.unwrap();
    assert_eq!(get(&store, at("k")).await.unwrap(), whole);
    put(&store, "again", Random(1).bytes(10)).await;
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}
