//! Decisions a second beside other engines, in one run: one user's policies, and the requests that the user makes.
//!
//! `cargo run --release [WORKLOAD]` in this folder. A workload is JSON with `principal`, `policies` and `requests`, and may
//! have an `expected.json` beside it; without one it is made up as `crates/policy/benches/workload` says.
//!
//! One thread, CPU time, policies and requests parsed beforehand; the engines take turns, and the least time of each counts:
//! other programs on the machine only ever make it longer.

mod cedar;
mod clock;
mod heap;
mod iam_rs;
mod ours;
#[path = "../../../crates/policy/benches/workload/mod.rs"]
mod workload;

use serde_json::Value;
use std::fmt;
use std::path::PathBuf;

/// What an engine says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    ImplicitlyDenied,
    ExplicitlyDenied,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// An engine with its policies and requests parsed.
pub trait Engine {
    fn decide(&self, request: usize) -> Outcome;
}

/// How many times the engines take turns.
const TURNS: usize = 15;

fn main() {
    let path = std::env::args_os().nth(1).map(PathBuf::from);
    let read = |path: &PathBuf| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let workload = path.as_ref().map_or_else(workload::made_up, read);
    let requests = workload["requests"].as_array().unwrap().len();
    let expected = path.map(|path| path.with_file_name("expected.json")).filter(|path| path.exists());

    let owned = ours::Compiled::new(&workload, 0);
    let asked = ours::Asked::all(&workload);
    let ours = ours::Ours::new(&owned, &asked);
    let iam_rs = iam_rs::IamRs::new(&workload);
    let cedar = cedar::Cedar::new(&workload);
    let engines: [(&str, &dyn Engine, usize); 3] =
        [("daypass-policy", &ours, 50), ("iam-rs 0.8.0", &iam_rs, 1), ("cedar-policy 4.14.1", &cedar, 1)];

    describe(&workload);
    let reference: Vec<Outcome> = match expected.as_ref().map(read) {
        Some(expected) => expected.as_array().unwrap().iter().map(expected_outcome).collect(),
        None => (0..requests).map(|request| ours.decide(request)).collect(),
    };
    let source = if expected.is_some() { "expected.json" } else { "daypass-policy" };
    for (name, engine, _) in engines {
        report_agreement(name, engine, &reference, source);
    }
    time_side_by_side(&engines, requests);
    report_allocations(&ours, requests);
    report_growth(&workload, &asked);
    report_building(&workload);
    report_managed_policies();
}

fn expected_outcome(value: &Value) -> Outcome {
    match value.as_str().unwrap() {
        "Allowed" => Outcome::Allowed,
        "ImplicitlyDenied" => Outcome::ImplicitlyDenied,
        "ExplicitlyDenied" => Outcome::ExplicitlyDenied,
        other => panic!("`{other}` is no outcome"),
    }
}

fn describe(workload: &Value) {
    let policies = workload["policies"].as_array().unwrap();
    let statements = || policies.iter().flat_map(|policy| policy["Statement"].as_array().unwrap());
    println!(
        "workload: {} policies, {} statements ({} Deny, {} with conditions), {} requests",
        policies.len(),
        statements().count(),
        statements().filter(|statement| statement["Effect"] == "Deny").count(),
        statements().filter(|statement| statement.get("Condition").is_some()).count(),
        workload["requests"].as_array().unwrap().len(),
    );
}

/// What differs is timed all the same, but not passed over.
fn report_agreement(name: &str, engine: &dyn Engine, reference: &[Outcome], source: &str) {
    let decided = (0..reference.len()).map(|request| engine.decide(request));
    let differing: Vec<_> =
        decided.zip(reference).enumerate().filter(|(_, (own, expected))| own != *expected).collect();
    println!("{name}: {} of {} as {source} says", reference.len() - differing.len(), reference.len());
    for (request, (own, expected)) in differing.iter().take(5) {
        println!("  request {request}: {own}, not {expected}");
    }
}

fn time_side_by_side(engines: &[(&str, &dyn Engine, usize)], requests: usize) {
    let mut least = vec![f64::INFINITY; engines.len()];
    for _ in 0..TURNS {
        for ((_, engine, passes), least) in engines.iter().zip(&mut least) {
            *least = least.min(time_a_decision(*engine, requests, *passes));
        }
    }
    println!(
        "\n| engine | µs a decision | decisions/s | daypass-policy is faster by |\n| --- | --- | --- | --- |"
    );
    for ((name, ..), nanoseconds) in engines.iter().zip(&least) {
        println!(
            "| {name} | {:.3} | {:.0} | {:.0}× |",
            nanoseconds / 1e3,
            1e9 / nanoseconds,
            nanoseconds / least[0]
        );
    }
}

/// In nanoseconds.
fn time_a_decision(engine: &dyn Engine, requests: usize, passes: usize) -> f64 {
    let taken = clock::cpu_seconds(|| {
        for _ in 0..passes {
            for request in 0..requests {
                std::hint::black_box(engine.decide(std::hint::black_box(request)));
            }
        }
    });
    taken * 1e9 / (passes * requests) as f64
}

fn report_allocations(ours: &ours::Ours<'_>, requests: usize) {
    let count = |wanted: fn(Outcome) -> bool| {
        let (mut decisions, mut allocations) = (0, 0);
        for request in 0..requests {
            let (outcome, counted) = heap::allocations(|| ours.decide(request));
            if wanted(outcome) {
                decisions += 1;
                allocations += counted;
            }
        }
        format!("{allocations} in {decisions}")
    };
    println!(
        "\nallocations by daypass-policy: {} decisions that allow, {} that deny",
        count(|outcome| outcome == Outcome::Allowed),
        count(|outcome| outcome != Outcome::Allowed),
    );
}

fn report_growth(workload: &Value, asked: &[ours::Asked<'_>]) {
    const COUNTS: [usize; 4] = [0, 10, 100, 1000];
    let compiled: Vec<_> = COUNTS.iter().map(|count| ours::Compiled::new(workload, *count)).collect();
    let engines: Vec<_> = compiled.iter().map(|compiled| ours::Ours::new(compiled, asked)).collect();
    let mut least = [f64::INFINITY; COUNTS.len()];
    for _ in 0..TURNS {
        for (engine, least) in engines.iter().zip(&mut least) {
            *least = least.min(time_a_decision(engine, asked.len(), 50));
        }
    }
    println!("\n| policies about other things beside it | µs a decision |\n| --- | --- |");
    for (count, nanoseconds) in COUNTS.iter().zip(least) {
        println!("| {count} | {:.3} |", nanoseconds / 1e3);
    }
}

fn report_building(workload: &Value) {
    let requests = workload["requests"].as_array().unwrap();
    let taken = (0..TURNS)
        .map(|_| clock::cpu_seconds(|| drop(std::hint::black_box(ours::Asked::all(workload)))))
        .fold(f64::INFINITY, f64::min);
    println!(
        "\nreading a request (action, resource and context) for daypass-policy: {:.3} µs",
        taken * 1e6 / requests.len() as f64
    );
}

fn report_managed_policies() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/core/data/aws-managed-policies.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    let before = heap::live_bytes();
    let policies: Vec<_> = lines.lines().map(ours::compile_managed).collect();
    let compiled = heap::live_bytes() - before;
    let administrator = ours::all_in_one(&policies);
    let indexed = heap::live_bytes() - before;
    println!(
        "\n{} AWS managed policies compiled: {:.1} MiB of heap; all of them on one principal, {:.1} MiB",
        policies.len(),
        compiled as f64 / 1048576.0,
        indexed as f64 / 1048576.0,
    );
    drop(administrator);
}
