//! What is looked at from outside, and what is read again and again.

use crate::support::{self, BUCKET, Random, at, get, key, put, second};
use daypass_objects::local::{Affected, Local, ProblemKind, Progress, inspect};
use daypass_objects::{Delete, Error, NoKeys, Objects, Timestamp, VersionId};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const SIZES: [usize; 4] = [50, 5_000, 99_000, 300_000];

async fn fill(directory: &Path) -> Local {
    let store = support::open(directory);
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    for size in SIZES {
        put(&store, format!("{size}"), Random(size as u64).bytes(size)).await;
    }
    store
}

/// Turns all bits of a byte of the segment that holds this.
fn damage(directory: &Path, holds: &[u8]) {
    let entries = fs::read_dir(directory.join("segments")).unwrap();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let bytes = fs::read(&path).unwrap();
        if let Some(place) = bytes.windows(holds.len()).position(|window| window == holds) {
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            return file.write_all_at(&[!bytes[place]], place as u64).unwrap();
        }
    }
    panic!("no segment holds it");
}

#[tokio::test]
async fn a_sound_store_has_no_problems_and_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    drop(fill(directory.path()).await);
    let state = || {
        let files: Vec<PathBuf> =
            ["index.sqlite", "index.sqlite-wal", "format"].map(|name| directory.path().join(name)).into();
        files.into_iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    let before = state();
    let mut last = Progress::default();
    let checked = inspect(directory.path(), &NoKeys, true, &mut |progress| last = progress).unwrap();
    assert_eq!(checked.problems, Vec::new());
    assert_eq!((checked.versions, checked.blobs, checked.bytes), (4, 3, 404_000));
    assert_eq!(last.done, 404_000);
    assert!(last.of >= last.done, "{last:?}");
    assert_eq!(state(), before);
}

#[tokio::test]
async fn damage_is_named_with_the_object_that_it_hurts() {
    let directory = tempfile::tempdir().unwrap();
    drop(fill(directory.path()).await);
    damage(directory.path(), &Random(5_000).bytes(64));
    let checked = inspect(directory.path(), &NoKeys, true, &mut |_| {}).unwrap();
    let [problem] = checked.problems.as_slice() else { panic!("{:?}", checked.problems) };
    assert_eq!(problem.kind, ProblemKind::Bytes);
    let hurt = Affected { bucket: BUCKET, key: key("5000"), version: VersionId::Null };
    assert_eq!(problem.affected, [hurt]);
    let shallow = inspect(directory.path(), &NoKeys, false, &mut |_| {}).unwrap();
    assert_eq!(shallow.problems, Vec::new(), "without reading the bytes nobody knows");
}

#[tokio::test]
async fn a_row_that_does_not_read_hides_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    drop(fill(directory.path()).await);
    let index = rusqlite::Connection::open(directory.path().join("index.sqlite")).unwrap();
    let row = [&BUCKET.0.to_be_bytes()[..], b"99000"].concat();
    let spoiled = index.execute("UPDATE current SET v = x'00' WHERE k = ?1", [row]).unwrap();
    assert_eq!(spoiled, 1);
    drop(index);
    damage(directory.path(), &Random(5_000).bytes(64));
    let checked = inspect(directory.path(), &NoKeys, true, &mut |_| {}).unwrap();
    let kinds: Vec<ProblemKind> = checked.problems.iter().map(|problem| problem.kind).collect();
    for kind in [ProblemKind::Index, ProblemKind::Books, ProblemKind::Bytes] {
        assert!(kinds.contains(&kind), "{:?}", checked.problems);
    }
}

#[tokio::test]
async fn what_is_not_ours_or_in_use_is_told_apart_from_what_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    assert!(inspect(directory.path(), &NoKeys, false, &mut |_| {}).is_err(), "there is nothing");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "and nothing is made");
    let store = fill(directory.path()).await;
    assert!(matches!(inspect(directory.path(), &NoKeys, false, &mut |_| {}), Err(Error::InUse)));
    drop(store);
    fs::write(directory.path().join("segments/stray"), "x").unwrap();
    let checked = inspect(directory.path(), &NoKeys, false, &mut |_| {}).unwrap();
    assert_eq!(
        checked.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(),
        [ProblemKind::Leftover]
    );
}

#[tokio::test]
async fn a_scrub_reads_everything_in_steps_and_remembers_what_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let store = fill(directory.path()).await;
    let round = async || {
        let (mut bytes, mut steps, mut damaged) = (0, 0, 0);
        loop {
            let step = store.scrub(50_000).await.unwrap();
            (bytes, steps, damaged) = (bytes + step.bytes, steps + 1, damaged + step.damaged);
            if !step.more {
                return (bytes, steps, damaged);
            }
        }
    };
    assert_eq!(round().await, (404_000, 2, 0));
    let health = store.health().await.unwrap();
    assert_eq!((health.scrubs, health.damaged.len()), (1, 0));
    damage(directory.path(), &Random(99_000).bytes(64));
    assert_eq!(round().await, (404_000, 2, 1));
    let health = store.health().await.unwrap();
    assert_eq!((health.scrubs, health.damaged.len(), health.corrupt_blocks), (2, 1, 1));
    store.delete(BUCKET, vec![Delete::latest(key("99000"))], second(1)).await.unwrap();
    assert_eq!(round().await, (305_000, 1, 0));
    assert_eq!(store.health().await.unwrap().damaged, Vec::<String>::new(), "what is gone is not damaged");
}

#[tokio::test]
async fn a_row_that_does_not_read_does_not_hold_up_the_scrub() {
    let directory = tempfile::tempdir().unwrap();
    let store = fill(directory.path()).await;
    let index = rusqlite::Connection::open(directory.path().join("index.sqlite")).unwrap();
    let first = "(SELECT min(k) FROM blobs)";
    assert_eq!(index.execute(&format!("UPDATE blobs SET v = x'00' WHERE k = {first}"), []).unwrap(), 1);
    for round in 1..3 {
        let (mut bytes, mut damaged, mut steps) = (0, 0, 0);
        loop {
            let step = store.scrub(50_000).await.unwrap();
            (bytes, damaged, steps) = (bytes + step.bytes, damaged + step.damaged, steps + 1);
            if !step.more {
                break;
            }
            assert!(steps < 10, "it does not go on");
        }
        assert_eq!((bytes, damaged), (399_000, 1), "the others are read");
        let health = store.health().await.unwrap();
        assert_eq!((health.scrubs, health.damaged.len(), health.corrupt_blocks), (round, 1, round));
    }
}

#[tokio::test]
async fn a_frozen_state_is_copied_whole_while_everything_in_it_goes_away() {
    let directory = tempfile::tempdir().unwrap();
    let store = fill(directory.path()).await;
    is_copied(&store, directory.path(), SIZES.to_vec()).await;
    // nothing lives any more in the segment that is packed into
    is_copied(&store, directory.path(), Vec::new()).await;
}

async fn is_copied(store: &Local, directory: &Path, held: Vec<usize>) {
    let copy = tempfile::tempdir().unwrap();
    let frozen = store.freeze().unwrap();
    let gone = SIZES.map(|size| Delete::latest(key(format!("{size}"))));
    store.delete(BUCKET, gone.into(), second(1)).await.unwrap();
    let later = format!("later {}", held.len());
    put(store, &later, Random(7).bytes(200_000)).await;
    while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}

    fs::create_dir(copy.path().join("segments")).unwrap();
    fs::copy(directory.join("format"), copy.path().join("format")).unwrap();
    frozen.copy_index(&copy.path().join("index.sqlite")).unwrap();
    for segment in frozen.segments().unwrap() {
        let name = format!("segments/{}", segment.name);
        let bytes = fs::read(directory.join(&name)).unwrap();
        fs::write(copy.path().join(&name), &bytes[..bytes.len().min(segment.bytes as usize)]).unwrap();
    }
    drop(frozen);
    assert_eq!(inspect(copy.path(), &NoKeys, true, &mut |_| {}).unwrap().problems, Vec::new());
    let restored = support::open(copy.path());
    for size in held {
        assert_eq!(get(&restored, at(format!("{size}"))).await.unwrap(), Random(size as u64).bytes(size));
    }
    assert!(get(&restored, at(later)).await.is_err());
    put(&restored, "new", Random(8).bytes(5_000)).await;
    assert_eq!(restored.check(true).await.unwrap().problems, Vec::new());
    // and nothing of it is held any more
    store.collect(Timestamp(u64::MAX)).await.unwrap();
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}
