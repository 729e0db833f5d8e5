//! A file system that is really full.

use crate::support::{BUCKET, Random, at, get, key, put_of, second, small_options};
use daypass_objects::local::{Local, Options};
use daypass_objects::{Body, Delete, Error, Objects, Timestamp};
use std::path::Path;
use std::process::Command;

/// A small file system of its own, gone at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None where we may not mount.
    fn mount(megabytes: u32) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(directory.path()).output();
        mount.is_ok_and(|done| done.status.success()).then_some(Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

async fn fill_up(store: &Local, size: usize) -> Vec<String> {
    let mut written = Vec::new();
    for n in 0..10_000_u64 {
        let name = format!("{size} {n}");
        match store.put(put_of(&name), Body::from_bytes(Random(n).bytes(size))).await {
            Ok(_) => written.push(name),
            Err(Error::Full) => return written,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the disk is never full");
}

/// Needs the right to mount; where that lacks, nothing is tested, and the output says so.
#[tokio::test]
async fn a_full_disk_is_survived_needs_root() {
    for (reserve_bytes, size) in
        [(2 << 20, 300), (2 << 20, 20_000), (2 << 20, 400_000), (0, 20_000), (0, 400_000)]
    {
        let Some(disk) = SmallDisk::mount(12) else {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: no right to mount\n");
            return;
        };
        let options = || Options { reserve_bytes, ..small_options(5) };
        let store = Local::open(disk.path(), options()).unwrap();
        store.open_bucket(BUCKET, second(0)).await.unwrap();
        let written = fill_up(&store, size).await;
        assert!(written.len() > 5);
        assert_eq!(store.health().await.unwrap().read_only, None);
        for name in &written {
            assert_eq!(get(&store, at(name)).await.unwrap().len(), size);
        }
        // what is deleted gives room again, without an opening in between
        let gone: Vec<_> = written.iter().map(|name| Delete::latest(key(name))).collect();
        for gone in gone.chunks(100) {
            let deleted = store.delete(BUCKET, gone.to_vec(), second(1)).await;
            assert!(deleted.is_ok() || reserve_bytes == 0, "the reserve is for this: {deleted:?}");
        }
        let collected = store.collect(Timestamp(u64::MAX)).await;
        assert!(collected.is_ok() || reserve_bytes == 0, "{collected:?}");
        if reserve_bytes > 0 {
            let again = fill_up(&store, size).await;
            assert!(again.len() * 4 > written.len(), "{} after {}", again.len(), written.len());
        }
        assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
        drop(store);
        let store = Local::open(disk.path(), Options { reserve_bytes, ..small_options(6) });
        if let Ok(store) = store {
            assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
        } else {
            assert_eq!(reserve_bytes, 0, "the reserve is also for opening");
        }
    }
}

/// What is moved together needs room before it gives any: the reserve, which a new segment must not take.
#[tokio::test]
async fn a_full_disk_of_which_little_lives_gives_its_room_back_needs_root() {
    let Some(disk) = SmallDisk::mount(24) else {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: no right to mount\n");
        return;
    };
    let mut options = small_options(7);
    (options.packed_segment_bytes, options.reserve_bytes) = (2 << 20, 2 << 20);
    let store = Local::open(disk.path(), options).unwrap();
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    let written = [fill_up(&store, 90_000).await, fill_up(&store, 400_000).await].concat();
    let (kept, gone): (Vec<_>, Vec<_>) = written.into_iter().partition(|name| name.ends_with('7'));
    assert!(kept.len() > 5);
    let gone: Vec<_> = gone.iter().map(|name| Delete::latest(key(name))).collect();
    for gone in gone.chunks(100) {
        store.delete(BUCKET, gone.to_vec(), second(1)).await.unwrap();
    }
    for _ in 0..3 {
        store.collect(Timestamp(u64::MAX)).await.unwrap();
    }
    assert!(fill_up(&store, 90_000).await.len() > gone.len() / 3, "{} were deleted", gone.len());
    for name in &kept {
        get(&store, at(name)).await.unwrap();
    }
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}
