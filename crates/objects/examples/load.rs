//! Measures a store in a directory: `load DIRECTORY [SECONDS]`.
//!
//! Puts of 4 KiB at 1, 32 and 128 writers, their syncs, gets of the same, puts and gets of 8 MiB, a listing.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for measuring, at a terminal"
)]

use bytes::Bytes;
use daypass_objects::local::{Entropy, Local, Options};
use daypass_objects::{
    Algorithm, Algorithms, At, Body, BucketId, Commit, Entry, Key, Keys, Note, Objects, Put, Timestamp,
};
use futures_util::StreamExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const BUCKET: BucketId = BucketId(1);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap_or_else(|| "load-store".into());
    let seconds = arguments.next().map_or(3, |text| text.parse().unwrap());
    let inline = arguments.next().map(|text| text.parse().unwrap());
    let small = arguments.next().map_or(4096, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(Path::new(&directory), Duration::from_secs(seconds), inline, small));
}

fn entropy() -> Entropy {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    Box::new(move |bytes| {
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
    })
}

async fn run(directory: &Path, time: Duration, inline: Option<u64>, small: usize) {
    let mut options = Options::new(entropy());
    options.inline_bytes = inline.unwrap_or(options.inline_bytes);
    let store = Arc::new(Local::open(directory, options).unwrap());
    // it is open already when the directory is used again
    let _ = store.open_bucket(BUCKET, Commit::default()).await;
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let mut most = 0;
    for writers in [1, 32, 128] {
        let health = store.health().await.unwrap();
        let count =
            measure(&format!("put {small} B, {writers} writers"), &store, writers, time, small, Act::Put)
                .await;
        let after = store.health().await.unwrap();
        let (syncs, commits) = (after.data_syncs - health.data_syncs, after.commits - health.commits);
        let per_put = (syncs + commits) as f64 / count as f64;
        println!("    {per_put:.3} syncs a put: {syncs} of data, {commits} of the index");
        if writers == 1 {
            most = count;
        }
    }
    for readers in [1, 32, 128] {
        measure(&format!("get {small} B, {readers} readers"), &store, readers, time, small, Act::Get(most))
            .await;
    }
    for writers in [1, 4] {
        measure(&format!("put 8 MiB, {writers} writers"), &store, writers, time, 8 << 20, Act::PutLarge)
            .await;
    }
    measure("put 8 MiB with SHA-256 and CRC64, 1 writer", &store, 1, time, 8 << 20, Act::PutHashed).await;
    for readers in [1, 4] {
        measure(&format!("get 8 MiB, {readers} readers"), &store, readers, time, 8 << 20, Act::Get(1)).await;
    }
    list(&store).await;
    let begun = Instant::now();
    let collected = store.collect(Timestamp(u64::MAX)).await.unwrap();
    println!("collect: {:?} in {:?}", collected, begun.elapsed());
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
}

#[derive(Clone, Copy)]
enum Act {
    Put,
    PutLarge,
    PutHashed,
    Get(u64),
}

/// Does it from many tasks for a while; prints and answers how often.
async fn measure(what: &str, store: &Arc<Local>, tasks: u64, time: Duration, size: usize, act: Act) -> u64 {
    let count = Arc::new(AtomicU64::new(0));
    let cpu = cpu_ticks();
    let begun = Instant::now();
    let tasks = (0..tasks).map(|task| {
        let (store, count) = (Arc::clone(store), Arc::clone(&count));
        tokio::spawn(async move {
            let mut times = Vec::new();
            let bytes = Bytes::from(vec![task as u8; size]);
            for round in 0.. {
                let start = Instant::now();
                if start - begun > time {
                    break;
                }
                one(&store, task, round, &bytes, act).await;
                times.push(start.elapsed());
                count.fetch_add(1, Ordering::Relaxed);
            }
            times
        })
    });
    let mut times: Vec<Duration> = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        times.extend(task.await.unwrap());
    }
    let seconds = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default();
    let count = count.load(Ordering::Relaxed);
    let megabytes = count as f64 * size as f64 / seconds / 1e6;
    let (all, committer) = cpu_ticks();
    let micros = |ticks: u64| ticks as f64 * 10_000.0 / count as f64;
    println!(
        "{what}: {:.0} µs of CPU each, {:.0} of them the committer's",
        micros(all - cpu.0),
        micros(committer - cpu.1)
    );
    println!(
        "    {:.0}/s, {megabytes:.0} MB/s, p50 {:?}, p99 {:?}",
        count as f64 / seconds,
        at(0.5),
        at(0.99)
    );
    count
}

/// CPU time so far of the process and of the committer, in ticks of 10 ms.
fn cpu_ticks() -> (u64, u64) {
    let ticks = |path: &Path| -> u64 {
        let stat = std::fs::read_to_string(path).unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
        fields.take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
    };
    let threads =
        std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten().map(|entry| entry.path());
    let is_committer = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "objects-commit")
    };
    let committer = threads.filter(is_committer).map(|path| ticks(&path.join("stat"))).sum();
    (ticks(Path::new("/proc/self/stat")), committer)
}

async fn one(store: &Local, task: u64, round: u64, bytes: &Bytes, act: Act) {
    let name = |task: u64, round: u64| Key::new(format!("photos/{}/{task}/{round:08}", bytes.len())).unwrap();
    let put = |checksums| {
        let note = Note::Fixed(Bytes::from_static(&[b'n'; 400]));
        let commit = Commit::at(Timestamp(1)).with_note(note);
        let key = if bytes.len() > 1 << 20 { name(task, round % 4) } else { name(task, round) };
        Put { checksums, ..Put::new(BUCKET, key, commit) }
    };
    match act {
        Act::Put | Act::PutLarge => {
            store.put(put(Algorithms::NONE), Body::from_bytes(bytes.clone())).await.unwrap();
        }
        Act::PutHashed => {
            let checksums = Algorithms::NONE.with(Algorithm::Sha256).with(Algorithm::Crc64Nvme);
            store.put(put(checksums), Body::from_bytes(bytes.clone())).await.unwrap();
        }
        Act::Get(most) => {
            let round = round.wrapping_mul(7919) % most.max(1);
            // what the first writer wrote
            let opened = store.get(At::latest(BUCKET, name(0, round))).await.unwrap();
            let mut body = opened.whole().unwrap();
            while let Some(chunk) = body.next().await {
                chunk.unwrap();
            }
        }
    }
}

async fn list(store: &Local) {
    let begun = Instant::now();
    let (mut pages, mut keys) = (0_u32, 0);
    let mut after = None;
    loop {
        let page = store.list(Keys::all(BUCKET), after).await.unwrap();
        keys += page.entries.iter().filter(|entry| matches!(entry, Entry::One(_))).count();
        pages += 1;
        after = page.next;
        if after.is_none() || pages == 100 {
            break;
        }
    }
    println!("list: {keys} keys, {pages} pages, {:?} a page", begun.elapsed() / pages);
}
