//! Bytes that are sealed with a key that comes with them, and that nothing keeps.

use crate::sealed::{ONE, SIZES, is_on_disk, open, plain};
use crate::support::{BUCKET, at, key, put_of, read, second, small_options};
use bytes::Bytes;
use daypass_objects::local::Local;
use daypass_objects::{
    Algorithms, Body, Checksums, CompleteUpload, Copy, CopyPart, CreateUpload, Description, ETag, Error,
    KeyId, ListedPart, Objects, Preconditions, Put, PutPart, SealKey, Source, UploadAt, Written,
};
use md5::{Digest, Md5};

fn alice() -> SealKey {
    SealKey::new([7; 32])
}

fn mallory() -> SealKey {
    SealKey::new([8; 32])
}

async fn store_with(store: &Local, name: &str, size: usize) -> Written {
    let put = Put { seal: Some(KeyId::GIVEN), ..put_of(name) };
    store.put(put, Body::from_bytes(plain(size)).sealed_with(alice())).await.unwrap()
}

async fn read_with(store: &Local, name: &str, key: SealKey) -> Result<Bytes, Error> {
    let opened = store.get(at(name)).await?;
    read(opened.body_with(0..opened.version.size, key)?).await
}

#[tokio::test]
async fn only_the_key_that_was_given_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    for size in SIZES {
        let name = size.to_string();
        let written = store_with(&store, &name, size).await;
        assert_eq!(written.size, size as u64);
        assert_ne!(written.etag, ETag::Md5(Md5::digest(plain(size)).into()), "the tag tells of the bytes");
        assert_eq!(read_with(&store, &name, alice()).await.unwrap(), plain(size));
        let opened = store.get(at(&name)).await.unwrap();
        let (start, end) = (size / 3, size - size / 4);
        let range = opened.body_with(start as u64..end as u64, alice()).unwrap();
        assert_eq!(read(range).await.unwrap(), plain(size).slice(start..end));
        assert!(matches!(read_with(&store, &name, mallory()).await, Err(Error::Corrupt(_))), "{size}");
        let without = read(opened.whole().unwrap()).await;
        assert!(matches!(without, Err(Error::NoKey(KeyId::GIVEN))), "{size}");
    }
    assert!(!is_on_disk(directory.path(), b"must not be found"));
    assert!(!is_on_disk(directory.path(), &[7; 32]));
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
    drop(store);
    let store = Local::open(directory.path(), small_options(4)).unwrap();
    assert_eq!(read_with(&store, "5000", alice()).await.unwrap(), plain(5_000));
}

#[tokio::test]
async fn the_same_bytes_have_another_tag_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let tags = [store_with(&store, "a", 10).await.etag, store_with(&store, "b", 10).await.etag];
    assert_ne!(tags[0], tags[1]);
}

#[tokio::test]
async fn nothing_is_stored_without_the_key_and_nothing_copied() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let put = Put { seal: Some(KeyId::GIVEN), ..put_of("k") };
    let refused = store.put(put, Body::from_bytes("x".into())).await;
    assert!(matches!(refused, Err(Error::NoKey(KeyId::GIVEN))));
    store_with(&store, "given", 5_000).await;
    store.put(put_of("plain"), Body::from_bytes(plain(5_000))).await.unwrap();
    for (from, to) in [("given", None), ("given", Some(KeyId::GIVEN)), ("plain", Some(KeyId::GIVEN))] {
        let generation = store.head(at(from)).await.unwrap().generation;
        let source = Source { at: at(from), generation };
        let copied = store.copy(Copy { source, to: Put { seal: to, ..put_of("copy") } }).await;
        assert!(matches!(copied, Err(Error::NoKey(KeyId::GIVEN))), "{from} {to:?}");
    }
    assert!(matches!(store.head(at("copy")).await, Err(Error::NoSuchKey { .. })));
}

#[tokio::test]
async fn an_upload_is_sealed_with_what_comes_with_each_part() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let create = CreateUpload {
        bucket: BUCKET,
        key: key("k"),
        description: Description::default(),
        checksum: None,
        seal: Some(KeyId::GIVEN),
        commit: second(1),
    };
    let id = store.create_upload(create).await.unwrap();
    let upload = UploadAt { bucket: BUCKET, key: key("k"), id };
    let part_of =
        |number| PutPart { upload: upload.clone(), number, checksums: Algorithms::NONE, commit: second(1) };
    let without = store.put_part(part_of(1), Body::from_bytes(plain(70))).await;
    assert!(matches!(without, Err(Error::NoKey(KeyId::GIVEN))));
    store.put(Put { seal: Some(ONE), ..put_of("plain") }, Body::from_bytes(plain(500))).await.unwrap();
    let source = Source { at: at("plain"), generation: store.head(at("plain")).await.unwrap().generation };
    let copied = store.copy_part(CopyPart { source, range: None, to: part_of(1) }).await;
    assert!(matches!(copied, Err(Error::NoKey(KeyId::GIVEN))));
    let mut parts = Vec::new();
    for (number, size) in [(1, 70), (2, 200_000), (3, 5_000)] {
        let body = Body::from_bytes(plain(size)).sealed_with(alice());
        let part = store.put_part(part_of(number), body).await.unwrap();
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
    let whole = [plain(70), plain(200_000), plain(5_000)].concat();
    assert_eq!(read_with(&store, "k", alice()).await.unwrap(), whole);
    let opened = store.get(at("k")).await.unwrap();
    let across = read(opened.body_with(60..200_080, alice()).unwrap()).await.unwrap();
    assert_eq!(across, whole[60..200_080]);
    assert!(read_with(&store, "k", mallory()).await.is_err());
    assert!(!is_on_disk(directory.path(), b"must not be found"));
}
