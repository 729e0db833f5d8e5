//! Bytes that rot: an error, or the right bytes, never wrong ones.

use crate::support::{self, BUCKET, Random, at, get, put, second};
use bytes::Bytes;
use daypass_objects::local::Local;
use daypass_objects::{Error, Objects, Timestamp};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const SIZES: [usize; 5] = [50, 101, 5_000, 99_000, 300_000];

fn bytes(size: usize) -> Bytes {
    Random(size as u64).bytes(size)
}

async fn fill(directory: &Path) -> Local {
    let store = support::open(directory);
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    for size in SIZES {
        put(&store, format!("{size}"), bytes(size)).await;
    }
    store
}

fn segments(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join("segments")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Reads everything; answers how many objects could not be read. Panics at a wrong byte.
async fn unreadable(store: &Local) -> usize {
    let mut failed = 0;
    for size in SIZES {
        match get(store, at(format!("{size}"))).await {
            Ok(found) => assert_eq!(found, bytes(size), "wrong bytes for the object of {size}"),
            Err(Error::Corrupt(_)) => failed += 1,
            Err(error) => panic!("{error}"),
        }
    }
    failed
}

#[tokio::test]
async fn a_flipped_bit_in_a_segment_is_never_given_out() {
    let directory = tempfile::tempdir().unwrap();
    let store = fill(directory.path()).await;
    let used = store.health().await.unwrap().used_bytes;
    let mut flips = 0;
    let mut seen = 0;
    let mut random = Random(1);
    for path in segments(directory.path()) {
        let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut offset = 0;
        while offset < file.metadata().unwrap().len().min(used) {
            let mut byte = [0];
            file.read_exact_at(&mut byte, offset).unwrap();
            file.write_all_at(&[byte[0] ^ 1 << (random.next() % 8)], offset).unwrap();
            flips += 1;
            seen += unreadable(&store).await;
            file.write_all_at(&byte, offset).unwrap();
            offset += 1 + random.next() % 3000;
        }
    }
    assert_eq!(unreadable(&store).await, 0, "nothing is wrong once all is back");
    // most of the files is data; heads, padding and free space may be flipped unseen
    assert!(flips > 100 && seen * 3 > flips, "{seen} of {flips} flips were seen");
    assert!(store.health().await.unwrap().corrupt_blocks as usize >= seen);
}

#[tokio::test]
async fn every_byte_of_an_extent_counts() {
    let directory = tempfile::tempdir().unwrap();
    let store = support::open(directory.path());
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    put(&store, "k", bytes(101)).await;
    let path = &segments(directory.path())[0];
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    // the head of the file has 4096 bytes, that of the extent 40; then data, then 4 bytes of table
    for offset in 4136..4136 + 101 + 4 {
        for bit in 0..8 {
            let mut byte = [0];
            file.read_exact_at(&mut byte, offset).unwrap();
            file.write_all_at(&[byte[0] ^ 1 << bit], offset).unwrap();
            assert!(matches!(get(&store, at("k")).await, Err(Error::Corrupt(_))), "bit {bit} of {offset}");
            file.write_all_at(&byte, offset).unwrap();
        }
    }
    assert_eq!(get(&store, at("k")).await.unwrap(), bytes(101));
}

#[tokio::test]
async fn a_segment_that_is_missing_cut_or_exchanged_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    drop(fill(directory.path()).await);
    let all = segments(directory.path());
    let aside = directory.path().join("aside");
    let [first, .., last] = all.as_slice() else { panic!("segments") };

    fs::rename(last, &aside).unwrap();
    let store = support::open(directory.path());
    assert_eq!(unreadable(&store).await, 1);
    assert_eq!(store.check(true).await.unwrap().problems.len(), 1);
    drop(store);
    fs::rename(&aside, last).unwrap();

    fs::copy(first, &aside).unwrap();
    fs::rename(last, first).unwrap();
    fs::rename(&aside, last).unwrap();
    let exchanged = Local::open(directory.path(), support::small_options(1));
    // the segment to pack into is the wrong one: it is not written to
    assert!(matches!(exchanged, Err(Error::Corrupt(_))));
}

#[tokio::test]
async fn a_write_that_was_lost_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let store = support::open(directory.path());
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    let path = segments(directory.path())[0].clone();
    let before = fs::read(&path).unwrap();
    put(&store, "k", bytes(5_000)).await;
    let after = fs::read(&path).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&before, 0).unwrap();
    assert!(matches!(get(&store, at("k")).await, Err(Error::Corrupt(_))));
    // or it went elsewhere: the bytes of one object in the place of another, whole with their sums
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&after, 0).unwrap();
    put(&store, "l", Random(9).bytes(5_000)).await;
    let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut extent = vec![0; 5_000 + 4];
    let length = (40_u64 + 5_004).next_multiple_of(8);
    file.read_exact_at(&mut extent, 4136 + length).unwrap();
    assert_eq!(extent[..5_000], Random(9).bytes(5_000));
    file.write_all_at(&extent, 4136).unwrap();
    assert!(matches!(get(&store, at("k")).await, Err(Error::Corrupt(_))));
    assert_eq!(get(&store, at("l")).await.unwrap(), Random(9).bytes(5_000));
}

/// How many bytes are flipped; `DAYPASS_FLIPS` says so.
fn flips() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the knob of the test")]
    std::env::var("DAYPASS_FLIPS").map_or(150, |text| text.parse().unwrap())
}

/// The files of a store that was closed, without the zeros that its segments end with.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>, usize)> {
    let names = ["index.sqlite", "index.sqlite-wal", "format"].map(|name| directory.join(name));
    let all = names.into_iter().chain(segments(directory));
    all.map(|path| {
        let bytes = fs::read(&path).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        (path, bytes, used)
    })
    .filter(|(_, _, used)| *used > 0)
    .collect()
}

/// Opens what is damaged. Everything reads as it was, or as an error; what is found by nothing else is found by a check.
async fn judge_flip(directory: &Path) -> bool {
    let Ok(store) = Local::open(directory, support::small_options(1)) else { return true };
    let mut seen = false;
    for size in SIZES {
        match get(&store, at(format!("{size}"))).await {
            Ok(found) => assert_eq!(found, bytes(size)),
            // a row that is not found is as bad as one that cannot be read; it is not a wrong answer about bytes
            Err(_) => seen = true,
        }
    }
    seen
}

#[tokio::test]
async fn a_log_that_rots_before_its_last_commit_is_refused_and_not_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let killed = tempfile::tempdir().unwrap();
    let store = fill(directory.path()).await;
    for n in 0..5 {
        put(&store, "changing", Random(n).bytes(300)).await;
    }
    // as a kill leaves it: the log is full
    fs::create_dir(killed.path().join("segments")).unwrap();
    let copy = |to: &Path| {
        for (path, bytes, _) in files(directory.path()) {
            fs::write(to.join(path.strip_prefix(directory.path()).unwrap()), bytes).unwrap();
        }
    };
    copy(killed.path());
    let log = killed.path().join("index.sqlite-wal");
    let sound = fs::read(&log).unwrap();
    let frames = (sound.len() - 32) / 4120;
    assert!(frames > 20, "{frames}");
    let mut refused = 0;
    for frame in 0..frames {
        let mut damaged = sound.clone();
        damaged[32 + frame * 4120 + 1000] ^= 1;
        copy(killed.path());
        fs::write(&log, damaged).unwrap();
        match Local::open(killed.path(), support::small_options(1)) {
            Err(Error::Corrupt(_)) => refused += 1,
            // of the last commit alone nobody can tell whether it was finished
            opened => {
                let store = opened.unwrap();
                assert!(frame * 3 > frames * 2, "frame {frame} of {frames}");
                assert_eq!(unreadable(&store).await, 0);
                let changing = get(&store, at("changing")).await.unwrap();
                assert!(changing == Random(3).bytes(300) || changing == Random(4).bytes(300));
            }
        }
        let _ = fs::remove_file(killed.path().join("index.sqlite-shm"));
    }
    assert!(refused * 10 > frames * 6, "{refused} of {frames}");
    // a sector that was lost with the header
    copy(killed.path());
    fs::write(&log, [&[0; 512], &sound[512..]].concat()).unwrap();
    let Err(Error::Corrupt(why)) = Local::open(killed.path(), support::small_options(1)) else {
        panic!("a log without its header is believed")
    };
    assert!(why.contains("restore a backup, and leave the log where it is"), "{why}");
    drop(store);
    let left = fs::metadata(directory.path().join("index.sqlite-wal")).map_or(0, |log| log.len());
    assert_eq!(left, 0, "a store that was closed has an empty log");
}

#[tokio::test]
async fn a_flipped_bit_in_any_file_is_never_believed() {
    let directory = tempfile::tempdir().unwrap();
    drop(fill(directory.path()).await);
    // once more, so that some is in the database and some in its log
    drop(support::open(directory.path()));
    let pristine = files(directory.path());
    let mut random = Random(3);
    let (mut seen, mut harmless) = (0, 0);
    for _ in 0..flips() {
        let (path, bytes, used) = &pristine[(random.next() % pristine.len() as u64) as usize];
        let mut damaged = bytes.clone();
        let place = (random.next() % *used as u64) as usize;
        damaged[place] ^= 1 << (random.next() % 8);
        fs::write(path, &damaged).unwrap();
        if judge_flip(directory.path()).await {
            seen += 1
        } else {
            harmless += 1
        }
        let _ = fs::remove_file(directory.path().join("index.sqlite-shm"));
        for left in segments(directory.path()) {
            fs::remove_file(left).unwrap();
        }
        for (path, bytes, _) in &pristine {
            fs::write(path, bytes).unwrap();
        }
    }
    let line = format!("flips: {} passed, 0 failed; {seen} seen, {harmless} harmless\n", flips());
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    assert!(seen * 10 > flips(), "{seen} were seen");
}

#[tokio::test]
async fn a_collection_does_not_spread_damage() {
    let directory = tempfile::tempdir().unwrap();
    let store = support::open(directory.path());
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    for n in 0..60 {
        put(&store, format!("{n}"), Random(n).bytes(20_000)).await;
    }
    let path = &segments(directory.path())[0];
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    // one byte of the data of the first object, and one of the header of the second
    let second_header = 4096 + (40_u64 + 20_004).next_multiple_of(8);
    for offset in [5_000, second_header] {
        let mut byte = [0];
        file.read_exact_at(&mut byte, offset).unwrap();
        file.write_all_at(&[!byte[0]], offset).unwrap();
    }
    let gone =
        (2..60).filter(|n| n % 4 != 0).map(|n| daypass_objects::Delete::latest(support::key(format!("{n}"))));
    store.delete(BUCKET, gone.collect(), second(1)).await.unwrap();
    let collected = store.collect(Timestamp(0)).await.unwrap();
    assert_eq!(collected.corrupt, 1);
    assert!(collected.moved_bytes > 0);
    assert!(matches!(get(&store, at("0")).await, Err(Error::Corrupt(_))), "it is as it was");
    assert_eq!(get(&store, at("1")).await.unwrap(), Random(1).bytes(20_000), "found without its header");
    for n in (4..60).step_by(4) {
        assert_eq!(get(&store, at(format!("{n}"))).await.unwrap(), Random(n).bytes(20_000));
    }
    let again = store.collect(Timestamp(0)).await.unwrap();
    assert_eq!((again.corrupt, again.more), (0, false), "what cannot be moved is not tried again and again");
    assert_eq!(store.check(true).await.unwrap().problems.len(), 1);
}
