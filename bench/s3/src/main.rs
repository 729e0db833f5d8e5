//! Loads an S3 server over keep-alive connections, each request signed with AWS Signature Version 4 and the payload's
//! real hash, and says for each point how many requests were answered, how long they took, and what they cost the server:
//! its CPU time and memory, from `/proc`.
//!
//! `s3-load --endpoint HOST:PORT --pid PID --bucket NAME [--seconds 4] [--connections 1,32,128] [--points put-4k,get-4k,…]`
//! with `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and perhaps `AWS_SESSION_TOKEN` in the environment. The bucket is made.
//!
//! Points: `put-4k`, `get-4k`, `delete-4k`, the same with `64k` and `8m`, `list` (pages of 1000 of `--keys` keys), `folders` (pages
//! of a delimiter), `mixed` (three gets, a put, a head). Only ratios and CPU time compare between machines.

mod client;
mod sign;

use anyhow::{Context as _, Result, bail};
use client::Connection;
use sign::Signer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What every body is made of, so that bodies of one length are one body.
const FILLING: u8 = 0xa5;

struct Settings {
    endpoint: String,
    pid: u32,
    bucket: String,
    seconds: u64,
    connections: Vec<usize>,
    points: Vec<String>,
    keys: u64,
    /// Ends each point after so many requests, if not by time.
    requests: u64,
}

fn settings() -> Result<Settings> {
    let mut settings = Settings {
        endpoint: "127.0.0.1:4566".into(),
        pid: 0,
        bucket: "s3-load".into(),
        seconds: 4,
        connections: vec![1, 32, 128],
        points: [
            "put-4k",
            "get-4k",
            "put-64k",
            "get-64k",
            "put-8m",
            "get-8m",
            "list",
            "folders",
            "mixed",
            "delete-4k",
        ]
        .map(str::to_owned)
        .into(),
        keys: 10_000,
        requests: u64::MAX,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("`{name}` has no value"))?;
        match name.as_str() {
            "--endpoint" => settings.endpoint = value,
            "--pid" => settings.pid = value.parse()?,
            "--bucket" => settings.bucket = value,
            "--seconds" => settings.seconds = value.parse()?,
            "--connections" => {
                settings.connections = value.split(',').map(str::parse).collect::<Result<_, _>>()?
            }
            "--points" => settings.points = value.split(',').map(str::to_owned).collect(),
            "--keys" => settings.keys = value.parse()?,
            "--requests" => settings.requests = value.parse()?,
            _ => bail!("`{name}` is unknown"),
        }
    }
    Ok(settings)
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let settings = settings()?;
    let signer = Arc::new(Signer::from_environment(&settings.endpoint)?);
    let mut connection = Connection::open(&settings.endpoint, Arc::clone(&signer)).await?;
    let made = connection.send("PUT", &format!("/{}", settings.bucket), "", b"").await?;
    if !matches!(made.status, 200 | 409) {
        bail!("the bucket could not be made: {} {}", made.status, String::from_utf8_lossy(&made.body));
    }
    println!(
        "point\tconnections\trequests_per_s\tMB_per_s\tp50_ms\tp99_ms\tserver_cpu_us\tserver_rss_mib\tfailed"
    );
    for name in &settings.points {
        let point = Point::parse(name)?;
        prepare(&settings, &signer, point).await?;
        for connections in &settings.connections {
            let told = measure(&settings, &signer, point, *connections).await?;
            println!("{name}\t{connections}\t{told}");
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Put,
    Get,
    Delete,
    List,
    Folders,
    Mixed,
}

#[derive(Clone, Copy)]
struct Point {
    what: What,
    bytes: usize,
}

impl Point {
    fn parse(name: &str) -> Result<Self> {
        let (what, size) = name.split_once('-').unwrap_or((name, "4k"));
        let bytes = match size {
            "4k" => 4 << 10,
            "64k" => 64 << 10,
            "8m" => 8 << 20,
            _ => bail!("`{size}` is no size"),
        };
        let what = match what {
            "put" => What::Put,
            "get" => What::Get,
            "delete" => What::Delete,
            "list" => What::List,
            "folders" => What::Folders,
            "mixed" => What::Mixed,
            _ => bail!("`{what}` is no point"),
        };
        Ok(Self { what, bytes })
    }

    /// How many objects gets are spread over.
    fn spread(self) -> u64 {
        if self.bytes > 1 << 20 { 8 } else { 500 }
    }
}

/// Puts what the point reads.
async fn prepare(settings: &Settings, signer: &Arc<Signer>, point: Point) -> Result<()> {
    let (count, bytes, folder) = match point.what {
        What::Get | What::Mixed => (point.spread(), point.bytes, format!("get-{}", point.bytes)),
        What::List | What::Folders => (settings.keys, 64, "keys".to_owned()),
        What::Put | What::Delete => return Ok(()),
    };
    let next = Arc::new(AtomicU64::new(0));
    let body: Arc<[u8]> = vec![FILLING; bytes].into();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..16.min(count) {
        let (next, body, folder) = (Arc::clone(&next), Arc::clone(&body), folder.clone());
        let mut connection = Connection::open(&settings.endpoint, Arc::clone(signer)).await?;
        let bucket = settings.bucket.clone();
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(());
                }
                let path = if folder == "keys" {
                    format!("/{bucket}/keys/{:04}/{number:08}", number % 100)
                } else {
                    format!("/{bucket}/{folder}/{number}")
                };
                let answer = connection.send("PUT", &path, "", &body).await?;
                if answer.status != 200 {
                    bail!("preparing: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
                }
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done??;
    }
    Ok(())
}

/// One worker's requests.
struct Worker {
    bucket: String,
    point: Point,
    number: u64,
    body: Arc<[u8]>,
    /// Where the next page begins.
    after: String,
}

impl Worker {
    async fn step(&mut self, connection: &mut Connection, count: u64) -> Result<bool> {
        let Self { bucket, point, .. } = &*self;
        let seed = count.wrapping_mul(0x9e37_79b9).wrapping_add(self.number) % point.spread();
        let get = format!("/{bucket}/get-{}/{seed}", point.bytes);
        let own = format!("/{bucket}/own/{}/{}", self.number, count % 2000);
        let (method, path, query) = match point.what {
            What::Put => ("PUT", own, String::new()),
            What::Get => ("GET", get, String::new()),
            What::Delete => ("DELETE", own, String::new()),
            What::List => ("GET", format!("/{bucket}"), page("", &self.after)),
            What::Folders => ("GET", format!("/{bucket}"), page("delimiter=%2F&", &self.after)),
            What::Mixed => match count % 5 {
                0 => ("PUT", own, String::new()),
                1 => ("HEAD", get, String::new()),
                _ => ("GET", get, String::new()),
            },
        };
        let body: &[u8] = if method == "PUT" { &self.body } else { b"" };
        let answer = connection.send(method, &path, &query, body).await?;
        if matches!(point.what, What::List | What::Folders) {
            self.after = client::between(&answer.body, "<NextContinuationToken>", "</NextContinuationToken>");
        }
        let whole = method != "GET" || !path.contains("/get-") || answer.length == self.point.bytes;
        Ok(matches!(answer.status, 200 | 204) && whole)
    }
}

fn page(more: &str, after: &str) -> String {
    // parameters in the order that they are signed in
    let token = match after {
        "" => String::new(),
        token => format!("continuation-token={}&", sign::escape(token)),
    };
    format!("{token}{more}list-type=2&max-keys=1000&prefix=keys%2F")
}

async fn measure(
    settings: &Settings,
    signer: &Arc<Signer>,
    point: Point,
    connections: usize,
) -> Result<String> {
    let stop = Arc::new(AtomicBool::new(false));
    let left = Arc::new(AtomicU64::new(settings.requests));
    let body: Arc<[u8]> = vec![FILLING; point.bytes].into();
    let mut opened = vec![];
    for _ in 0..connections {
        opened.push(Connection::open(&settings.endpoint, Arc::clone(signer)).await?);
    }
    let (cpu, began) = (cpu_seconds(settings.pid), Instant::now());
    let mut workers = tokio::task::JoinSet::new();
    for (number, mut connection) in opened.into_iter().enumerate() {
        let (stop, left) = (Arc::clone(&stop), Arc::clone(&left));
        let (bucket, body) = (settings.bucket.clone(), Arc::clone(&body));
        let mut worker = Worker { bucket, point, number: number as u64, body, after: String::new() };
        workers.spawn(async move {
            let (mut times, mut failed) = (vec![], 0_u64);
            for count in 0.. {
                let none_left = left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .is_err();
                if none_left || stop.load(Ordering::Relaxed) {
                    break;
                }
                let at = Instant::now();
                let ok = worker.step(&mut connection, count).await?;
                times.push(at.elapsed().as_secs_f64() * 1000.0);
                failed += u64::from(!ok);
            }
            Ok::<_, anyhow::Error>((times, failed))
        });
    }
    if settings.requests == u64::MAX {
        tokio::time::sleep(Duration::from_secs(settings.seconds)).await;
        stop.store(true, Ordering::Relaxed);
    }
    let (mut times, mut failed) = (vec![], 0);
    while let Some(done) = workers.join_next().await {
        let (some, bad) = done??;
        times.extend(some);
        failed += bad;
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds(settings.pid) - cpu);
    times.sort_by(f64::total_cmp);
    let count = times.len().max(1);
    let at = |share: f64| times.get(((count as f64 * share) as usize).min(count - 1)).copied().unwrap_or(0.0);
    Ok(format!(
        "{:.0}\t{:.1}\t{:.2}\t{:.2}\t{:.1}\t{}\t{failed}",
        times.len() as f64 / seconds,
        (times.len() * point.bytes) as f64 / seconds / 1e6,
        at(0.5),
        at(0.99),
        cpu / count as f64 * 1e6,
        resident_mib(settings.pid)
    ))
}

/// User and system time of a process and its threads, from `/proc/PID/stat` (proc(5)); 0 without one.
fn cpu_seconds(pid: u32) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        rest.split_whitespace().skip(11).take(2).filter_map(|number| number.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
