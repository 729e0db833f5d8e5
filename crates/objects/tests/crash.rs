//! A process that writes is killed at some moment, again and again. After each time: what was acknowledged is there,
//! what was not is there wholly or not at all, each change has exactly one note, and nothing is left over.
//!
//! The test starts itself as the process that is killed. `DAYPASS_CRASH_ROUNDS` says how often; 12 if it does not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect"
)]

#[path = "store/random.rs"]
mod random;

use bytes::Bytes;
use daypass_objects::local::{Local, Options};
use daypass_objects::{
    Algorithms, At, Body, BucketId, Checksums, Commit, CompleteUpload, Copy, CreateUpload, Delete,
    Description, Error, Key, Keys, ListedPart, Note, Objects, Preconditions, Put, PutPart, Source, Timestamp,
    UploadAt,
};
use futures_util::{StreamExt, TryStreamExt};
use libtest_mimic::{Arguments, Trial};
use random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const BUCKET: BucketId = BucketId(1);
const WRITERS: u64 = 6;
const KEYS: u64 = 3;
const SIZES: [usize; 7] = [0, 60, 3_000, 40_000, 99_000, 300_000, 1_300_000];

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--write") {
        let directory = arguments.next().unwrap();
        let round = arguments.next().unwrap().parse().unwrap();
        return runtime().block_on(write_for_ever(Path::new(&directory), round));
    }
    #[expect(clippy::disallowed_methods, reason = "the knob of the test")]
    let rounds = std::env::var("DAYPASS_CRASH_ROUNDS").map_or(12, |text| text.parse().unwrap());
    let trial = Trial::test("what_was_acknowledged_survives_being_killed", move || {
        runtime().block_on(kill_again_and_again(rounds));
        Ok(())
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn open(directory: &Path, round: u64) -> Local {
    let mut random = Random(round);
    let mut options = Options::new(Box::new(move |bytes: &mut [u8]| {
        bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
    }));
    options.inline_bytes = 100;
    options.packed_bytes = 100_000;
    options.packed_segment_bytes = 1 << 20;
    options.stream_segment_bytes = 2 << 20;
    options.reserve_bytes = 0;
    (options.read_threads, options.write_threads, options.lookups_here) = (2, 4, 1);
    Local::open(directory, options).unwrap()
}

/// What one operation does to its key. All of it follows from the numbers, so that the parent knows it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    round: u64,
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

impl Change {
    fn random(self) -> Random {
        Random(self.round << 40 | self.writer << 32 | self.number)
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
            0..6 => What::Put(random.bytes(size)),
            6 => What::Parts((1..4).map(|part| random.bytes(size / part)).collect()),
            7 => What::Copy,
            _ => What::Delete,
        }
    }

    fn text(self) -> String {
        format!("{} {} {}", self.round, self.writer, self.number)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(|number| number.parse().unwrap());
        Some(Self { round: numbers.next()?, writer: numbers.next()?, number: numbers.next()? })
    }

    /// What the key holds after this, given what all keys of the writer held before. None if there is nothing to copy.
    fn result(self, before: &BTreeMap<(u64, u64), Bytes>) -> Option<Option<Bytes>> {
        match self.what() {
            What::Put(bytes) => Some(Some(bytes)),
            What::Parts(parts) => Some(Some(parts.concat().into())),
            What::Copy => {
                before.get(&(self.writer, (self.key() + 1) % KEYS)).map(|bytes| Some(bytes.clone()))
            }
            What::Delete => Some(None),
        }
    }

    fn commit(self) -> Commit {
        Commit::at(Timestamp(self.number)).with_note(Note::Fixed(self.text().into()))
    }

    fn silent(self) -> Commit {
        Commit::at(Timestamp(self.number))
    }
}

/// Writes until it is killed; says each operation before it begins and after it is acknowledged.
async fn write_for_ever(directory: &Path, round: u64) {
    let store = Arc::new(open(directory, round));
    let _ = store.open_bucket(BUCKET, Commit::default()).await;
    let writers = (0..WRITERS).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for number in 0.. {
                let change = Change { round, writer, number };
                say(&format!("begin {}", change.text()));
                let done = make(&store, change).await;
                say(&format!("{} {}", if done { "done" } else { "nothing" }, change.text()));
            }
        })
    });
    let _writers: Vec<_> = writers.collect();
    loop {
        store.collect(Timestamp(0)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn say(line: &str) {
    // one write: a pipe takes it whole or not at all
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap();
}

async fn make(store: &Local, change: Change) -> bool {
    let key = change.name(change.key());
    match change.what() {
        What::Put(bytes) => {
            let put = Put::new(BUCKET, key, change.commit());
            store.put(put, Body::from_bytes(bytes)).await.unwrap();
        }
        What::Parts(parts) => upload(store, change, key, parts).await,
        What::Copy => {
            let at = At::latest(BUCKET, change.name(change.key() + 1));
            let Ok(version) = store.head(at.clone()).await else { return false };
            let source = Source { at, generation: version.generation };
            store.copy(Copy { source, to: Put::new(BUCKET, key, change.commit()) }).await.unwrap();
        }
        What::Delete => {
            store.delete(BUCKET, vec![Delete::latest(key)], change.commit()).await.unwrap();
        }
    }
    true
}

async fn upload(store: &Local, change: Change, key: Key, parts: Vec<Bytes>) {
    let description = Description::default();
    let create = CreateUpload {
        bucket: BUCKET,
        key: key.clone(),
        description,
        checksum: None,
        seal: None,
        commit: change.silent(),
    };
    let upload = UploadAt { bucket: BUCKET, key, id: store.create_upload(create).await.unwrap() };
    let mut listed = Vec::new();
    for (number, bytes) in (1..).zip(parts) {
        let part =
            PutPart { upload: upload.clone(), number, checksums: Algorithms::NONE, commit: change.silent() };
        let etag = store.put_part(part, Body::from_bytes(bytes)).await.unwrap().etag;
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
    store.complete_upload(complete).await.unwrap();
}

/// What the parent knows that the store must hold.
#[derive(Default)]
struct Known {
    /// By writer and key.
    held: BTreeMap<(u64, u64), Bytes>,
    changes: u64,
    unanswered: u64,
    unanswered_made: u64,
}

async fn kill_again_and_again(rounds: u64) {
    let directory = tempfile::tempdir().unwrap();
    let mut known = Known::default();
    let mut random = Random(rounds);
    for round in 0..rounds {
        let lines = run_and_kill(directory.path(), round, Duration::from_millis(30 + random.next() % 500));
        judge(directory.path(), round, lines, &mut known).await;
    }
    assert!(known.changes > rounds, "{} changes were acknowledged", known.changes);
    assert!(known.unanswered > 0, "nobody was ever interrupted");
}

/// Starts a writer, kills it after a while, and answers what it said.
fn run_and_kill(directory: &Path, round: u64, after: Duration) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            std::ffi::OsStr::new("--write"),
            directory.as_os_str(),
            std::ffi::OsStr::new(&round.to_string()),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // the time runs from its first word on: opening is not what is tested
    let first = lines.next().unwrap().unwrap();
    let reader = std::thread::spawn(move || lines.map(Result::unwrap).collect::<Vec<_>>());
    std::thread::sleep(after);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "it was killed, it did not fail by itself");
    let mut said = vec![first];
    said.extend(reader.join().unwrap());
    said
}

async fn judge(directory: &Path, round: u64, lines: Vec<String>, known: &mut Known) {
    let mut open_changes = BTreeMap::new();
    let mut noted = BTreeSet::new();
    for line in lines {
        let (word, change) = line.split_once(' ').unwrap();
        let change = Change::parse(change).unwrap();
        match word {
            "begin" => {
                open_changes.insert(change.writer, change);
            }
            _ => {
                open_changes.remove(&change.writer);
            }
        }
        if word == "done" {
            let result = change.result(&known.held).unwrap();
            match result {
                Some(bytes) => known.held.insert((change.writer, change.key()), bytes),
                None => known.held.remove(&(change.writer, change.key())),
            };
            noted.insert(change.text());
            known.changes += 1;
        }
    }
    let store = open(directory, round + 1_000_000);
    let mut notes: Vec<String> = Vec::new();
    loop {
        let page = store.notes(0, 1000).await.unwrap();
        let Some(last) = page.last() else { break };
        let number = last.number;
        notes.extend(page.into_iter().map(|record| String::from_utf8(record.note.to_vec()).unwrap()));
        store.acknowledge(number).await.unwrap();
    }
    assert_eq!(notes.iter().collect::<BTreeSet<_>>().len(), notes.len(), "each note is there once");
    let mut notes: BTreeSet<String> = notes.into_iter().collect();
    for change in noted {
        assert!(notes.remove(&change), "the note of {change} is lost");
    }
    for change in open_changes.into_values() {
        known.unanswered += 1;
        if notes.remove(&change.text()) {
            known.unanswered_made += 1;
            match change.result(&known.held).unwrap() {
                Some(bytes) => known.held.insert((change.writer, change.key()), bytes),
                None => known.held.remove(&(change.writer, change.key())),
            };
        }
    }
    assert_eq!(notes, BTreeSet::new(), "notes of what nobody did");
    holds(&store, known).await;
    while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}
    holds(&store, known).await;
    is_tidy(&store, directory).await;
}

/// Every key has the bytes it should, and there is no other.
async fn holds(store: &Local, known: &Known) {
    for writer in 0..WRITERS {
        for key in 0..KEYS {
            let name = Key::new(format!("{writer}/{key}")).unwrap();
            let found = match store.get(At::latest(BUCKET, name)).await {
                Ok(opened) => {
                    let chunks: Vec<Bytes> = opened.whole().unwrap().try_collect().await.unwrap();
                    Some(Bytes::from(chunks.concat()))
                }
                Err(Error::NoSuchKey { .. }) => None,
                Err(error) => panic!("{error}"),
            };
            let lengths = (found.as_ref().map(Bytes::len), known.held.get(&(writer, key)).map(Bytes::len));
            assert!(found.as_ref() == known.held.get(&(writer, key)), "{writer}/{key}: {lengths:?}");
        }
    }
    let listed = store.list(Keys::all(BUCKET), None).await.unwrap();
    assert_eq!(listed.entries.len(), known.held.len());
}

/// The books are right, and no file and no garbage is left over.
async fn is_tidy(store: &Local, directory: &Path) {
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
    let health = store.health().await.unwrap();
    assert_eq!(health.garbage, 0);
    let files = std::fs::read_dir(directory.join("segments")).unwrap().count();
    assert_eq!(files as u64, health.segments, "files and books");
    // abort what was under way: then only objects live
    let uploads = store.list_uploads(Keys::all(BUCKET), None).await.unwrap();
    assert!(uploads.entries.len() as u64 <= WRITERS);
    let abort = |entry| async move {
        let daypass_objects::Entry::One(daypass_objects::Upload { key, id, .. }) = entry else { return };
        store.abort_upload(UploadAt { bucket: BUCKET, key, id }, Commit::default()).await.unwrap();
    };
    futures_util::stream::iter(uploads.entries).for_each(abort).await;
    while store.collect(Timestamp(u64::MAX)).await.unwrap().more {}
    assert_eq!(store.check(false).await.unwrap().problems, Vec::new());
}
