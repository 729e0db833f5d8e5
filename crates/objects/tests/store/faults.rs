//! A disk that fails: what was acknowledged stays, what was not is refused, and no sync is tried twice.

use crate::support::{self, BUCKET, Random, at, get, key, put, put_of, second};
use daypass_objects::local::disk::{Disk, DiskFile, RealDisk};
use daypass_objects::local::{Local, Options};
use daypass_objects::{Body, Delete, Error, Objects, Timestamp};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What the next calls do.
#[derive(Default)]
struct Faults {
    sync: AtomicBool,
    write: Mutex<Option<io::ErrorKind>>,
    create: AtomicBool,
    read: AtomicBool,
    remove: AtomicBool,
    free: Mutex<Option<u64>>,
    syncs: AtomicU64,
}

impl Faults {
    fn set(fault: &AtomicBool, on: bool) {
        fault.store(on, Ordering::SeqCst);
    }
}

fn fails(fault: &AtomicBool) -> io::Result<()> {
    if fault.load(Ordering::SeqCst) { Err(io::Error::other("a fault")) } else { Ok(()) }
}

struct FaultyDisk(Arc<Faults>);

struct FaultyFile(Arc<Faults>, Arc<dyn DiskFile>);

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        fails(&self.0.create)?;
        Ok(Arc::new(FaultyFile(Arc::clone(&self.0), RealDisk.create(path)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(FaultyFile(Arc::clone(&self.0), RealDisk.open(path)?)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fails(&self.0.remove)?;
        RealDisk.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_directory(path)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.0.free.lock().unwrap().map_or_else(|| RealDisk.free_bytes(path), Ok)
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        fails(&self.0.read)?;
        self.1.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if let Some(kind) = *self.0.write.lock().unwrap() {
            // as much as a disk that fills up would take
            self.1.write_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(kind.into());
        }
        self.1.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        fails(&self.0.sync)?;
        self.1.sync()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.1.truncate(length)
    }
}

fn options(faults: &Arc<Faults>) -> Options {
    Options {
        disk: Arc::new(FaultyDisk(Arc::clone(faults))),
        reserve_bytes: 1 << 20,
        ..support::small_options(2)
    }
}

/// One object of each way of storing.
const SIZES: [usize; 3] = [50, 5_000, 700_000];

fn bytes(size: usize) -> bytes::Bytes {
    Random(size as u64).bytes(size)
}

async fn store_with_objects(directory: &Path, faults: &Arc<Faults>) -> Local {
    let store = Local::open(directory, options(faults)).unwrap();
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    for size in SIZES {
        put(&store, format!("old {size}"), bytes(size)).await;
    }
    store
}

async fn old_objects_are_there(store: &Local) {
    for size in SIZES {
        assert_eq!(get(store, at(format!("old {size}"))).await.unwrap(), bytes(size));
    }
}

async fn try_put(store: &Local, size: usize) -> Result<(), Error> {
    store.put(put_of(format!("new {size}")), Body::from_bytes(bytes(size))).await.map(|_| ())
}

async fn is_sound(store: &Local) {
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}

#[tokio::test]
async fn a_failed_sync_ends_writing_and_is_never_repeated() {
    for size in &SIZES[1..] {
        let directory = tempfile::tempdir().unwrap();
        let faults = Arc::new(Faults::default());
        let store = store_with_objects(directory.path(), &faults).await;
        let before = store.head(at("old 50")).await.unwrap();
        Faults::set(&faults.sync, true);
        let error = try_put(&store, *size).await.unwrap_err();
        assert!(matches!(&error, Error::ReadOnly(reason) if reason.contains("sync")), "{error}");
        Faults::set(&faults.sync, false);
        let syncs = faults.syncs.load(Ordering::SeqCst);
        for size in SIZES {
            assert!(matches!(try_put(&store, size).await, Err(Error::ReadOnly(_))));
        }
        let delete = store.delete(BUCKET, vec![Delete::latest(key("old 50"))], second(1)).await;
        assert!(matches!(delete, Err(Error::ReadOnly(_))));
        assert!(matches!(store.collect(Timestamp(0)).await, Err(Error::ReadOnly(_))));
        assert_eq!(faults.syncs.load(Ordering::SeqCst), syncs, "no sync after the one that failed");
        assert!(store.health().await.unwrap().read_only.unwrap().contains("sync"));
        old_objects_are_there(&store).await;
        assert!(store.head(at(format!("new {size}"))).await.is_err());
        drop(store);
        let store = Local::open(directory.path(), options(&faults)).unwrap();
        old_objects_are_there(&store).await;
        assert_eq!(store.head(at("old 50")).await.unwrap(), before);
        assert!(store.head(at(format!("new {size}"))).await.is_err());
        try_put(&store, *size).await.unwrap();
        is_sound(&store).await;
    }
}

#[tokio::test]
async fn a_failed_write_ends_writing() {
    for size in &SIZES[1..] {
        let directory = tempfile::tempdir().unwrap();
        let faults = Arc::new(Faults::default());
        let store = store_with_objects(directory.path(), &faults).await;
        *faults.write.lock().unwrap() = Some(io::ErrorKind::Other);
        assert!(matches!(try_put(&store, *size).await, Err(Error::ReadOnly(_))));
        *faults.write.lock().unwrap() = None;
        assert!(matches!(try_put(&store, 50).await, Err(Error::ReadOnly(_))));
        old_objects_are_there(&store).await;
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = store_with_objects(directory.path(), &faults).await;
    for round in 0..3 {
        *faults.write.lock().unwrap() = Some(io::ErrorKind::StorageFull);
        for size in &SIZES[1..] {
            assert!(matches!(try_put(&store, *size).await, Err(Error::Full)));
            assert!(store.head(at(format!("new {size}"))).await.is_err());
        }
        old_objects_are_there(&store).await;
        put(&store, "inline", "needs no segment").await;
        *faults.write.lock().unwrap() = None;
        for size in SIZES {
            try_put(&store, size).await.unwrap();
            assert_eq!(get(&store, at(format!("new {size}"))).await.unwrap(), bytes(size), "round {round}");
            store.delete(BUCKET, vec![Delete::latest(key(format!("new {size}")))], second(1)).await.unwrap();
        }
        is_sound(&store).await;
    }
}

#[tokio::test]
async fn when_the_disk_is_almost_full_deleting_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = store_with_objects(directory.path(), &faults).await;
    *faults.free.lock().unwrap() = Some((1 << 20) - 1);
    for size in SIZES {
        assert!(matches!(try_put(&store, size).await, Err(Error::Full)));
    }
    old_objects_are_there(&store).await;
    assert_eq!(store.health().await.unwrap().free_bytes, (1 << 20) - 1);
    store.delete(BUCKET, vec![Delete::latest(key("old 700000"))], second(1)).await.unwrap();
    assert!(store.collect(Timestamp(0)).await.unwrap().freed_bytes > 700_000);
    // What is kept free, and what is written.
    *faults.free.lock().unwrap() = Some(4 << 20);
    for size in SIZES {
        try_put(&store, size).await.unwrap();
    }
    is_sound(&store).await;
}

#[tokio::test]
async fn on_an_almost_full_disk_what_lives_is_moved_together_to_make_room() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = store_with_objects(directory.path(), &faults).await;
    for n in 0..40 {
        put(&store, format!("{n}"), bytes(90_000)).await;
    }
    *faults.free.lock().unwrap() = Some((1 << 20) - 1);
    assert!(matches!(try_put(&store, 50).await, Err(Error::Full)));
    let gone = (0..40).filter(|n| n % 5 != 0).map(|n| Delete::latest(key(format!("{n}"))));
    store.delete(BUCKET, gone.collect(), second(1)).await.unwrap();
    let collected = store.collect(Timestamp(0)).await.unwrap();
    assert!(collected.moved_bytes > 0 && collected.freed_bytes > 1_000_000, "{collected:?}");
    for n in (0..40).step_by(5) {
        assert_eq!(get(&store, at(format!("{n}"))).await.unwrap(), bytes(90_000));
    }
    is_sound(&store).await;
}

#[tokio::test]
async fn no_new_segment_is_no_end() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = store_with_objects(directory.path(), &faults).await;
    Faults::set(&faults.create, true);
    // the segment in use fills up, then the one that was made beforehand
    let mut refused = 0;
    for n in 0..20 {
        refused += u32::from(try_put(&store, 90_000 + n).await.is_err());
    }
    assert!(refused > 0);
    assert!(matches!(try_put(&store, 90_000).await, Err(Error::Full)));
    try_put(&store, 50).await.unwrap();
    Faults::set(&faults.create, false);
    // the first attempt begins to make one, the next finds it
    let _ = try_put(&store, 90_000).await;
    try_put(&store, 90_000).await.unwrap();
    old_objects_are_there(&store).await;
    is_sound(&store).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = store_with_objects(directory.path(), &faults).await;
    Faults::set(&faults.read, true);
    for size in &SIZES[1..] {
        assert!(get(&store, at(format!("old {size}"))).await.is_err());
    }
    assert_eq!(get(&store, at("old 50")).await.unwrap(), bytes(50));
    Faults::set(&faults.read, false);
    old_objects_are_there(&store).await;
}

#[tokio::test]
async fn a_segment_that_cannot_be_removed_is_removed_later() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = store_with_objects(directory.path(), &faults).await;
    store.delete(BUCKET, vec![Delete::latest(key("old 700000"))], second(1)).await.unwrap();
    let segments = store.health().await.unwrap().segments;
    Faults::set(&faults.remove, true);
    store.collect(Timestamp(0)).await.unwrap_err();
    Faults::set(&faults.remove, false);
    store.collect(Timestamp(0)).await.unwrap();
    assert_eq!(store.health().await.unwrap().segments, segments - 1);
    try_put(&store, 700_000).await.unwrap();
    is_sound(&store).await;
}

#[tokio::test]
async fn one_sync_of_data_serves_all_that_wait() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = store_with_objects(directory.path(), &faults).await;
    let before = (faults.syncs.load(Ordering::SeqCst), store.health().await.unwrap());
    let puts = (0..300).map(|n| {
        let store = &store;
        async move { put(store, format!("{n}"), bytes(1000)).await }
    });
    futures_util::future::join_all(puts).await;
    let syncs = faults.syncs.load(Ordering::SeqCst) - before.0;
    let after = store.health().await.unwrap();
    assert_eq!(after.changes - before.1.changes, 300);
    assert!(syncs < 30, "{syncs} syncs of data");
    assert!(after.commits - before.1.commits < 30);
}
