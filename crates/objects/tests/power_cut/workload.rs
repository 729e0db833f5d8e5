//! What is done until the power is cut, and how the store is judged after it.

use crate::disk::{Plan, PowerDisk, StoreDisk};
use crate::random::Random;
use crate::vfs;
use bytes::Bytes;
use daypass_objects::local::{Local, Options};
use daypass_objects::{
    Algorithms, At, Body, BucketId, Checksums, Commit, CompleteUpload, Copy, CreateUpload, Delete,
    Description, Entry, Error, Key, Keys, ListedPart, Note, Objects, Preconditions, Put, PutPart, Source,
    Timestamp, Upload, UploadAt,
};
use futures_util::TryStreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

const BUCKET: BucketId = BucketId(1);
const WRITERS: u64 = 3;
const KEYS: u64 = 3;
const CHANGES: u64 = 12;
const LIVES: u64 = 3;
const SIZES: [usize; 7] = [0, 60, 700, 5_000, 40_000, 140_000, 300_000];

/// Lives through some power cuts; answers how many of them came while something was under way.
pub(crate) fn lives(seed: u64) -> u64 {
    let directory = tempfile::Builder::new().tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut random = Random(seed);
    let mut disk = PowerDisk::new(plan(&mut random));
    let mut known = Known::default();
    let mut interrupted = 0;
    for life in 0..LIVES {
        vfs::mount(directory.path(), Arc::clone(&disk));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let done = runtime.block_on(live(directory.path(), &disk, seed, life));
        interrupted += u64::from(done.iter().any(|writer| writer.open.is_some()));
        vfs::unmount(directory.path());
        // what is found when the power is back is looked at on a disk that works, and then used on one that does not
        let never = Plan { cut_at: u64::MAX, fail_sync_at: u64::MAX };
        disk = disk.after_the_cut(never, &mut random);
        vfs::mount(directory.path(), Arc::clone(&disk));
        runtime.block_on(judge(directory.path(), &disk, seed, done, &mut known));
        vfs::unmount(directory.path());
        disk = disk.after_the_cut(plan(&mut random), &mut random);
    }
    interrupted
}

fn plan(random: &mut Random) -> Plan {
    let within = [40, 100, 300][(random.next() % 3) as usize];
    let moment = 1 + random.next() % within;
    match random.next() % 4 {
        0 => Plan { cut_at: moment + 60, fail_sync_at: moment },
        _ => Plan { cut_at: moment, fail_sync_at: u64::MAX },
    }
}

fn open(directory: &Path, disk: &Arc<PowerDisk>, seed: u64) -> Result<Local, Error> {
    let mut random = Random(seed);
    let mut options = Options::new(Box::new(move |bytes: &mut [u8]| {
        bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
    }));
    options.inline_bytes = 100;
    options.packed_bytes = 100_000;
    options.packed_segment_bytes = 512 << 10;
    options.stream_segment_bytes = 512 << 10;
    options.reserve_bytes = 0;
    (options.read_threads, options.write_threads) = (1, 2);
    options.disk = Arc::new(StoreDisk(Arc::clone(disk)));
    options.index_vfs = Some(vfs::NAME.to_owned());
    Local::open(directory, options)
}

/// What one operation does to its key. All of it follows from the numbers.
#[derive(Clone, Copy, Debug)]
struct Change {
    seed: u64,
    life: u64,
    writer: u64,
    number: u64,
}

enum What {
    Put(Bytes),
    Parts(Vec<Bytes>),
    /// Of the bytes that the key after this one has.
    Copy,
    Delete,
}

/// Bytes that are another's nowhere, cheaply made.
fn many(random: &mut Random, size: usize) -> Bytes {
    let mut bytes = random.bytes(1024).repeat(size.div_ceil(1024));
    bytes.truncate(size);
    bytes.into()
}

type Held = BTreeMap<(u64, u64), Bytes>;

impl Change {
    fn random(self) -> Random {
        Random(
            self.seed.wrapping_mul(0x2545_f491_4f6c_dd1d)
                ^ (self.life << 32 | self.writer << 24 | self.number),
        )
    }

    fn key(self) -> u64 {
        self.random().next() % KEYS
    }

    fn name(self, key: u64) -> Key {
        Key::new(format!("{}/{}", self.writer, key % KEYS)).unwrap()
    }

    fn what(self) -> What {
        let mut random = self.random();
        random.next();
        let size = SIZES[(random.next() % SIZES.len() as u64) as usize];
        match random.next() % 10 {
            0..6 => What::Put(many(&mut random, size)),
            6 => What::Parts((1..3).map(|part| many(&mut random, size / part)).collect()),
            7 => What::Copy,
            _ => What::Delete,
        }
    }

    fn text(self) -> String {
        format!("{} {} {} {}", self.seed, self.life, self.writer, self.number)
    }

    /// Does to what is known what this does to the store.
    fn apply(self, held: &mut Held) {
        let place = (self.writer, self.key());
        let result = match self.what() {
            What::Put(bytes) => Some(bytes),
            What::Parts(parts) => Some(parts.concat().into()),
            What::Copy => Some(held[&(self.writer, (self.key() + 1) % KEYS)].clone()),
            What::Delete => None,
        };
        match result {
            Some(bytes) => held.insert(place, bytes),
            None => held.remove(&place),
        };
    }

    fn commit(self) -> Commit {
        Commit::at(Timestamp(self.number)).with_note(Note::Fixed(self.text().into()))
    }
}

/// What one writer got done.
#[derive(Default)]
struct Done {
    acknowledged: Vec<Change>,
    /// What it was told nothing good about.
    open: Option<Change>,
}

async fn live(directory: &Path, disk: &Arc<PowerDisk>, seed: u64, life: u64) -> Vec<Done> {
    let Ok(store) = open(directory, disk, seed) else { return Vec::new() };
    let _ = store.open_bucket(BUCKET, Commit::default()).await;
    let writers = (0..WRITERS).map(|writer| write(&store, seed, life, writer));
    let collecting = async {
        for _ in 0..4 {
            tokio::task::yield_now().await;
            let _ = store.collect(Timestamp(0)).await;
        }
    };
    futures_util::future::join(futures_util::future::join_all(writers), collecting).await.0
}

async fn write(store: &Local, seed: u64, life: u64, writer: u64) -> Done {
    let mut done = Done::default();
    for number in 0..CHANGES {
        let change = Change { seed, life, writer, number };
        match make(store, change).await {
            Ok(true) => done.acknowledged.push(change),
            Ok(false) => {}
            Err(_) => {
                done.open = Some(change);
                break;
            }
        }
    }
    done
}

/// Answers false where there was nothing to do.
async fn make(store: &Local, change: Change) -> Result<bool, Error> {
    let key = change.name(change.key());
    match change.what() {
        What::Put(bytes) => {
            store.put(Put::new(BUCKET, key, change.commit()), Body::from_bytes(bytes)).await?;
        }
        What::Parts(parts) => upload(store, change, key, parts).await?,
        What::Copy => {
            let at = At::latest(BUCKET, change.name(change.key() + 1));
            let version = match store.head(at.clone()).await {
                Err(Error::NoSuchKey { .. }) => return Ok(false),
                other => other?,
            };
            let source = Source { at, generation: version.generation };
            store.copy(Copy { source, to: Put::new(BUCKET, key, change.commit()) }).await?;
        }
        What::Delete => {
            store.delete(BUCKET, vec![Delete::latest(key)], change.commit()).await?;
        }
    }
    Ok(true)
}

async fn upload(store: &Local, change: Change, key: Key, parts: Vec<Bytes>) -> Result<(), Error> {
    let silent = || Commit::at(Timestamp(change.number));
    let create = CreateUpload {
        bucket: BUCKET,
        key: key.clone(),
        description: Description::default(),
        checksum: None,
        seal: None,
        commit: silent(),
    };
    let upload = UploadAt { bucket: BUCKET, key, id: store.create_upload(create).await? };
    let mut listed = Vec::new();
    for (number, bytes) in (1..).zip(parts) {
        let part = PutPart { upload: upload.clone(), number, checksums: Algorithms::NONE, commit: silent() };
        let etag = store.put_part(part, Body::from_bytes(bytes)).await?.etag;
        listed.push(ListedPart { number, etag, checksums: Checksums::default() });
    }
    let complete = CompleteUpload {
        upload,
        parts: listed,
        only_if: Preconditions::default(),
        min_part_bytes: 0,
        expected: None,
        expected_size: None,
        commit: change.commit(),
    };
    store.complete_upload(complete).await.map(|_| ())
}

#[derive(Default)]
struct Known {
    held: Held,
}

async fn judge(directory: &Path, disk: &Arc<PowerDisk>, seed: u64, done: Vec<Done>, known: &mut Known) {
    let store = open(directory, disk, seed ^ 1 << 63).unwrap();
    let mut notes = take_notes(&store).await;
    for writer in done {
        for change in writer.acknowledged {
            assert!(notes.remove(&change.text()), "the note of {change:?} is lost");
            change.apply(&mut known.held);
        }
        if let Some(change) = writer.open.filter(|change| notes.remove(&change.text())) {
            change.apply(&mut known.held);
        }
    }
    assert_eq!(notes, BTreeSet::new(), "notes of what nobody did");
    let _ = store.open_bucket(BUCKET, Commit::default()).await;
    holds(&store, &known.held).await;
    while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}
    holds(&store, &known.held).await;
    is_tidy(&store, directory, disk).await;
}

async fn take_notes(store: &Local) -> BTreeSet<String> {
    let notes = store.notes(0, 1000).await.unwrap();
    if let Some(last) = notes.last() {
        store.acknowledge(last.number).await.unwrap();
    }
    let texts: BTreeSet<String> =
        notes.iter().map(|record| String::from_utf8(record.note.to_vec()).unwrap()).collect();
    assert_eq!(texts.len(), notes.len(), "each note is there once");
    texts
}

/// Every key has the bytes it should, and there is no other.
async fn holds(store: &Local, held: &Held) {
    for place in (0..WRITERS).flat_map(|writer| (0..KEYS).map(move |key| (writer, key))) {
        let name = Key::new(format!("{}/{}", place.0, place.1)).unwrap();
        let found = match store.get(At::latest(BUCKET, name)).await {
            Ok(opened) => {
                let chunks: Vec<Bytes> = opened.whole().unwrap().try_collect().await.unwrap();
                Some(Bytes::from(chunks.concat()))
            }
            Err(Error::NoSuchKey { .. }) => None,
            Err(error) => panic!("{error}"),
        };
        let lengths = (found.as_ref().map(Bytes::len), held.get(&place).map(Bytes::len));
        assert!(found.as_ref() == held.get(&place), "{place:?}: {lengths:?}");
    }
    let listed = store.list(Keys::all(BUCKET), None).await.unwrap();
    assert_eq!(listed.entries.len(), held.len());
}

/// The books are right, and once nothing is under way, no file and no garbage is left over.
async fn is_tidy(store: &Local, directory: &Path, disk: &PowerDisk) {
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
    for entry in store.list_uploads(Keys::all(BUCKET), None).await.unwrap().entries {
        let Entry::One(Upload { key, id, .. }) = entry else { continue };
        store.abort_upload(UploadAt { bucket: BUCKET, key, id }, Commit::default()).await.unwrap();
    }
    while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}
    assert_eq!(store.check(false).await.unwrap().problems, Vec::new());
    let health = store.health().await.unwrap();
    assert_eq!(health.garbage, 0);
    assert_eq!(disk.files_in(&directory.join("segments")) as u64, health.segments, "files and books");
}
