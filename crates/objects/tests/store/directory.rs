//! The directory: whose it is, which format it has, and what a crash may have left in it.

use crate::support::{self, BUCKET, Random, at, get, key, put, second, small_options};
use daypass_objects::local::{Local, Options};
use daypass_objects::{Delete, Error, Keys, Note, Objects, Timestamp};
use std::fs;
use std::path::Path;

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let store = support::open(directory.path());
    assert!(matches!(Local::open(directory.path(), small_options(1)), Err(Error::InUse)));
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    put(&store, "k", Random(1).bytes(2_000_000)).await;
    let opened = store.get(at("k")).await.unwrap();
    drop(store);
    let store = support::open(directory.path());
    assert!(support::read(opened.whole().unwrap()).await.is_err(), "a closed store reads nothing more");
    assert_eq!(get(&store, at("k")).await.unwrap().len(), 2_000_000);
}

#[tokio::test]
async fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("store");
    let store = support::open(&directory);
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    put(&store, "k", Random(1).bytes(700_000)).await;
    let mut files = vec![directory];
    while let Some(path) = files.pop() {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn an_unknown_format_is_refused_clearly_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(support::open(directory.path()));
    let before = fs::read(directory.path().join("index.sqlite")).unwrap();
    for (text, found) in
        [("daypass objects, format 2\n", "daypass objects, format 2"), ("", ""), ("\u{fffd}x", "\u{fffd}x")]
    {
        fs::write(directory.path().join("format"), text).unwrap();
        match Local::open(directory.path(), small_options(1)) {
            Err(Error::UnknownFormat { found: told, known }) => {
                assert_eq!((told.as_str(), known), (found, "daypass objects, format 1"));
            }
            other => panic!("{:?}", other.err()),
        }
    }
    assert_eq!(fs::read(directory.path().join("index.sqlite")).unwrap(), before);
}

#[test]
fn an_index_of_someone_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path()).unwrap();
    let index = rusqlite::Connection::open(directory.path().join("index.sqlite")).unwrap();
    index.execute_batch("PRAGMA application_id = 1; CREATE TABLE t (x)").unwrap();
    drop(index);
    assert!(Local::open(directory.path(), small_options(1)).is_err());
    let index = rusqlite::Connection::open(directory.path().join("index.sqlite")).unwrap();
    index.execute_batch("SELECT x FROM t; PRAGMA application_id").unwrap();
    let tables: u32 = index.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1, "nothing was added to it");
}

#[test]
fn options_that_cannot_work_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let bad: [fn(&mut Options); 6] = [
        |options| options.packed_segment_bytes = 1000,
        |options| options.stream_segment_bytes = 2 << 30,
        |options| options.inline_bytes = 1 << 20,
        |options| options.packed_bytes = 1 << 30,
        |options| options.packed_bytes = options.packed_segment_bytes,
        |options| options.read_threads = 0,
    ];
    for make_bad in bad {
        let mut options = small_options(1);
        make_bad(&mut options);
        assert!(matches!(Local::open(directory.path(), options), Err(Error::BadOption(_))));
    }
}

#[tokio::test]
async fn sizes_may_change_from_opening_to_opening() {
    let directory = tempfile::tempdir().unwrap();
    let mut random = Random(4);
    let mut expected = Vec::new();
    for round in 0..6_u64 {
        let mut options = small_options(round);
        options.inline_bytes = [0, 100, 512][(round % 3) as usize];
        options.packed_bytes = [512, 200_000, 1_000_000][(round / 2 % 3) as usize];
        options.packed_segment_bytes = 2_000_000 + 100_000 * round;
        options.stream_segment_bytes = 600_000 + 400_000 * (round % 2);
        let store = Local::open(directory.path(), options).unwrap();
        if round == 0 {
            store.open_bucket(BUCKET, second(0)).await.unwrap();
        }
        for size in [50, 400, 5_000, 150_000, 900_000, 1_500_000] {
            let name = format!("{round} {size}");
            let bytes = random.bytes(size);
            put(&store, &name, bytes.clone()).await;
            expected.push((name, bytes));
        }
        for (name, bytes) in &expected {
            assert_eq!(get(&store, at(name)).await.unwrap(), bytes, "{name} in round {round}");
        }
        while store.collect(Timestamp(0)).await.unwrap().more {}
        assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
    }
}

#[tokio::test]
async fn what_a_crash_left_behind_is_put_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let store = support::open(directory.path());
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    put(&store, "k", Random(1).bytes(700_000)).await;
    put(&store, "l", Random(2).bytes(700_000)).await;
    drop(store);
    let mut streamed: Vec<_> = fs::read_dir(directory.path().join("segments"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| (300_000..500_000).contains(&fs::metadata(path).unwrap().len()))
        .collect();
    streamed.sort();
    // bytes that were streamed behind what is committed
    let path = &streamed[0];
    let length = fs::metadata(path).unwrap().len();
    let mut bytes = fs::read(path).unwrap();
    bytes.resize(bytes.len() + 100_000, 7);
    fs::write(path, bytes).unwrap();
    let store = support::open(directory.path());
    assert!(fs::metadata(path).unwrap().len() < length + 8, "cut off");
    store.delete(BUCKET, vec![Delete::latest(key("l"))], second(1)).await.unwrap();
    drop(store);
    // a store that closed before it could collect
    let store = support::open(directory.path());
    assert_eq!(fs::read_dir(directory.path().join("segments")).unwrap().count(), 3);
    assert_eq!(get(&store, at("k")).await.unwrap(), Random(1).bytes(700_000));
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}

#[tokio::test]
async fn a_directory_that_was_begun_and_not_finished_is_finished() {
    let whole = tempfile::tempdir().unwrap();
    drop(support::open(whole.path()));
    for missing in [&["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"][..], &["format"]] {
        let directory = tempfile::tempdir().unwrap();
        copy(whole.path(), directory.path());
        for name in missing {
            let _ = fs::remove_file(directory.path().join(name));
        }
        let store = support::open(directory.path());
        store.open_bucket(BUCKET, second(0)).await.unwrap();
        put(&store, "k", Random(1).bytes(5_000)).await;
        assert_eq!(get(&store, at("k")).await.unwrap(), Random(1).bytes(5_000));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A store that a program with format 1 wrote. The file names what is in it.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/store/fixtures/v1");

#[tokio::test]
async fn a_store_of_format_1_opens() {
    let directory = tempfile::tempdir().unwrap();
    copy(Path::new(FIXTURE), directory.path());
    let store = Local::open(directory.path(), fixture::options()).unwrap();
    fixture::is_there(&store).await;
    while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}
    fixture::is_there(&store).await;
    put(&store, "new", Random(1).bytes(5_000)).await;
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}

#[tokio::test]
#[ignore = "writes the fixture anew; only when a format is born"]
async fn make_the_fixture() {
    let _ = fs::remove_dir_all(FIXTURE);
    let store = Local::open(Path::new(FIXTURE), fixture::options()).unwrap();
    fixture::fill(&store).await;
    fixture::is_there(&store).await;
    drop(store);
    fs::remove_file(Path::new(FIXTURE).join("index.sqlite-shm")).unwrap();
    fs::remove_file(Path::new(FIXTURE).join("lock")).unwrap();
    for entry in fs::read_dir(Path::new(FIXTURE).join("segments")).unwrap() {
        fixture::cut_zeros(&entry.unwrap().path());
    }
}

/// What the fixture holds: every kind of row, every way of storing.
mod fixture {
    use super::*;
    use crate::sealed;
    use daypass_objects::{
        Algorithm, Algorithms, Body, Checksums, CompleteUpload, Copy, CreateUpload, Description, ListedPart,
        Lock, Preconditions, Put, PutPart, RetentionMode, Source, UploadAt, UploadChecksum, Versioning,
    };

    pub(super) fn options() -> Options {
        Options { keyring: sealed::keyring(), ..small_options(11) }
    }

    fn put_of(name: &str) -> Put {
        let lock = Lock { retention: Some((RetentionMode::Governance, Timestamp(9))), legal_hold: false };
        let description =
            Description { meta: "meta".into(), tags: "tags".into(), lock, ..Description::default() };
        let commit = second(1).with_note(Note::Fixed(format!("note of {name}").into()));
        let checksums = Algorithms::NONE.with(Algorithm::Crc64Nvme).with(Algorithm::Sha256);
        Put { description, checksums, ..Put::new(BUCKET, key(name), commit) }
    }

    fn upload_of(name: &str) -> CreateUpload {
        CreateUpload {
            bucket: BUCKET,
            key: key(name),
            description: Description::default(),
            checksum: Some(UploadChecksum { algorithm: Algorithm::Crc32, full_object: true }),
            seal: None,
            commit: second(1),
        }
    }

    async fn upload(store: &Local, name: &str, sizes: &[usize]) -> (UploadAt, Vec<ListedPart>) {
        let id = store.create_upload(upload_of(name)).await.unwrap();
        let upload = UploadAt { bucket: BUCKET, key: key(name), id };
        let mut parts = Vec::new();
        for (number, size) in (1..).zip(sizes) {
            let part =
                PutPart { upload: upload.clone(), number, checksums: Algorithms::NONE, commit: second(1) };
            let bytes = Random(number.into()).bytes(*size);
            let etag = store.put_part(part, Body::from_bytes(bytes)).await.unwrap().etag;
            parts.push(ListedPart { number, etag, checksums: Checksums::default() });
        }
        (upload, parts)
    }

    pub(super) async fn fill(store: &Local) {
        store.open_bucket(BUCKET, second(0)).await.unwrap();
        for (name, size) in [("inline", 60), ("packed", 5_000), ("streamed", 101_000)] {
            store.put(put_of(name), Body::from_bytes(Random(1).bytes(size))).await.unwrap();
            let sealed = Put { seal: Some(sealed::ONE), ..put_of(&format!("sealed {name}")) };
            store.put(sealed, Body::from_bytes(Random(1).bytes(size))).await.unwrap();
        }
        let generation = store.head(at("packed")).await.unwrap().generation;
        let source = Source { at: at("packed"), generation };
        store.copy(Copy { source, to: put_of("copy") }).await.unwrap();
        store.set_versioning(BUCKET, Versioning::Enabled, second(1)).await.unwrap();
        put(store, "packed", "newer").await;
        store.delete(BUCKET, vec![Delete::latest(key("hidden"))], second(1)).await.unwrap();
        let (done, parts) = upload(store, "parts", &[70, 6_000, 70]).await;
        let complete = CompleteUpload {
            upload: done,
            parts,
            only_if: Preconditions::default(),
            min_part_bytes: 0,
            expected: None,
            expected_size: Some(6_140),
            commit: second(1),
        };
        store.complete_upload(complete).await.unwrap();
        upload(store, "under way", &[50, 2_000]).await;
        let (aborted, _) = upload(store, "aborted", &[2_000]).await;
        store.abort_upload(aborted, second(1)).await.unwrap();
    }

    pub(super) async fn is_there(store: &Local) {
        for (name, size) in [("inline", 60), ("copy", 5_000), ("streamed", 101_000)] {
            let version = store.head(at(name)).await.unwrap();
            assert_eq!((&version.meta[..], &version.tags[..]), (&b"meta"[..], &b"tags"[..]));
            assert_eq!(version.lock.retention, Some((RetentionMode::Governance, Timestamp(9))));
            assert_eq!(version.checksums.iter().count(), 2);
            assert_eq!(get(store, at(name)).await.unwrap(), Random(1).bytes(size));
        }
        for (name, size) in [("sealed inline", 60), ("sealed packed", 5_000), ("sealed streamed", 101_000)] {
            assert_eq!(get(store, at(name)).await.unwrap(), Random(1).bytes(size));
        }
        assert_eq!(get(store, at("packed")).await.unwrap(), "newer");
        let parts: Vec<u8> = [70, 6_000, 70]
            .into_iter()
            .zip(1..)
            .flat_map(|(size, number)| Random(number).bytes(size))
            .collect();
        assert_eq!(get(store, at("parts")).await.unwrap(), parts);
        let versions = store.list_versions(Keys::all(BUCKET), None).await.unwrap();
        let listed = versions.entries.iter().filter(|entry| matches!(entry, daypass_objects::Entry::One(_)));
        assert_eq!(listed.count(), 10);
        let uploads = store.list_uploads(Keys::all(BUCKET), None).await.unwrap();
        assert_eq!(uploads.entries.len(), 1);
        assert_eq!(store.notes(0, 100).await.unwrap().len(), 7);
        assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
    }

    /// Free space need not be checked in.
    pub(super) fn cut_zeros(path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(end.next_multiple_of(8));
        fs::write(path, bytes).unwrap();
    }
}
