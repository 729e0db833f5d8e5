//! The fuzz targets' entry points on the seeds and on mutations of them, without a fuzzer: the same ones each time.

mod entry;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngSeed, TestRunner};

const MUTATIONS: u32 = 5_000;

const DOCUMENTS: [&str; 9] = [
    include_str!("../fuzz/seeds/document/managed"),
    include_str!("../fuzz/seeds/document/inline"),
    include_str!("../fuzz/seeds/document/session"),
    include_str!("../fuzz/seeds/document/trust"),
    include_str!("../fuzz/seeds/document/bucket"),
    include_str!("../fuzz/seeds/document/resource"),
    include_str!("../fuzz/seeds/document/service-control"),
    include_str!("../fuzz/seeds/document/resource-control"),
    include_str!("../fuzz/seeds/document/vpc-endpoint"),
];
const REQUESTS: [&str; 4] = [
    include_str!("../fuzz/seeds/decision/identity"),
    include_str!("../fuzz/seeds/decision/resource"),
    include_str!("../fuzz/seeds/decision/every-layer"),
    include_str!("../fuzz/seeds/decision/limits"),
];

/// A seed with a few stretches taken out, doubled or put in.
fn mutated(seeds: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("{".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just("|".to_owned()),
        Just("${".to_owned()),
        Just("*".to_owned()),
        Just("\\u".to_owned()),
        Just("null".to_owned()),
        Just("\"Effect\":\"Deny\",".to_owned()),
        "\\PC{0,4}",
        any::<String>(),
    ];
    let change = (any::<prop::sample::Index>(), 0..12_usize, piece);
    let first = prop_oneof!["[0-9:;<=>?@A-O]", Just(String::new())];
    (select(seeds), first, proptest::collection::vec(change, 0..5)).prop_map(|(seed, first, changes)| {
        let mut characters: Vec<char> = seed.chars().collect();
        characters.splice(..first.len(), first.chars());
        for (at, taken, put) in changes {
            let at = at.index(characters.len() + 1);
            let end = (at + taken).min(characters.len());
            characters.splice(at..end, put.chars());
        }
        characters.into_iter().collect()
    })
}

/// Runs an entry point on the seeds, then on mutations of them.
fn run(seeds: &'static [&'static str], entry: fn(&str)) {
    seeds.iter().for_each(|seed| entry(seed));
    let config = ProptestConfig {
        cases: MUTATIONS,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_261_122),
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&mutated(seeds), |text| {
        entry(&text);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn any_text_can_be_read() {
    run(&DOCUMENTS, entry::document);
}

#[test]
fn any_request_can_be_decided() {
    run(&REQUESTS, entry::decision);
}

/// The smoke must reach the end, or it shows nothing.
#[test]
fn seeds_are_taken() {
    use daypass_policy::{Document, DocumentKind};
    for (seed, kind) in
        [(0, DocumentKind::Managed), (3, DocumentKind::Trust), (6, DocumentKind::ServiceControl)]
    {
        let (_, text) = DOCUMENTS[seed].split_at(1);
        assert_eq!(Document::parse(kind, text).map(|_| ()), Ok(()), "{text}");
    }
}
