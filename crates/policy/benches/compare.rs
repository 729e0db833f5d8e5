//! How long comparisons take: every pair among AWS's largest managed policies, and single ones.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark reads its input from outside and may stop where that is wrong"
)]

use daypass_policy::compare::{Certainty, ComparedPolicies, Comparison, compare};
use daypass_policy::{Document, DocumentKind, Policy, PolicySource};
use divan::Bencher;
use serde_json::Value;
use std::hint::black_box;

fn main() {
    divan::main();
}

const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/data/aws-managed-policies.jsonl");

/// The largest managed policies, the largest first.
fn largest(count: usize) -> Vec<(String, ComparedPolicies)> {
    let text = std::fs::read_to_string(CATALOGUE).unwrap();
    let mut policies: Vec<(String, String)> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|own| (own["name"].as_str().unwrap().into(), own["document"].as_str().unwrap().into()))
        .collect();
    policies.sort_by_key(|(_, document)| std::cmp::Reverse(document.len()));
    let compile = |(name, text): (String, String)| {
        let document = Document::load(DocumentKind::Managed, &text);
        let policy = Policy::compile(PolicySource::named(name.as_str()), document);
        (name, ComparedPolicies::identity([policy]))
    };
    policies.into_iter().take(count).map(compile).collect()
}

fn total(comparison: &Comparison) -> (usize, bool) {
    let sides = [&comparison.added, &comparison.removed];
    let exact = sides.iter().all(|side| side.certainty == Certainty::Exact);
    (sides.iter().map(|side| side.list.len()).sum(), exact)
}

/// Every pair once, both ways: 4,950 comparisons of 100 policies.
#[divan::bench(sample_count = 1, sample_size = 1, args = [30, 100])]
fn every_pair_among_the_largest(bencher: Bencher<'_, '_>, count: usize) {
    let policies = largest(count);
    bencher.bench(|| {
        let mut found = (0, 0, 0);
        for (at, (_, one)) in policies.iter().enumerate() {
            for (_, other) in policies.iter().skip(at + 1) {
                let (differences, exact) = total(&compare(black_box(one), black_box(other)));
                found = (found.0 + 1, found.1 + differences, found.2 + usize::from(exact));
            }
        }
        found
    });
}

/// The two that take longest to read, and a change of one statement.
#[divan::bench]
fn the_two_largest(bencher: Bencher<'_, '_>) {
    let policies = largest(2);
    bencher.bench(|| compare(&policies[0].1, &policies[1].1));
}

#[divan::bench]
fn a_policy_with_itself(bencher: Bencher<'_, '_>) {
    let (one, other) = (largest(5), largest(5));
    bencher.bench(|| compare(&one[4].1, &other[4].1));
}
