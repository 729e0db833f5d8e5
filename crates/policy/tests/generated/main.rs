//! Made-up policies and requests: the engine agrees with the oracle, and keeps the promises that hold for any policies.
//!
//! `DAYPASS_POLICY_CASES` says how many worlds of policies to make up, each with sixteen requests (default: 12,500 worlds,
//! 200,000 requests).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code"
)]

mod case;
mod conditions;
mod coverage;
mod generate;
mod oracle;
mod properties;
mod text;

use proptest::collection::vec;
use proptest::test_runner::{Config, TestRunner};

/// Runs a property on as many worlds as are asked for, or on a share of them.
#[expect(clippy::disallowed_methods, reason = "how long a test may take is for its caller to say")]
pub(crate) fn config(share: u32) -> Config {
    let worlds = std::env::var("DAYPASS_POLICY_CASES")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(12_500_u32);
    Config { cases: worlds.div_ceil(share), failure_persistence: None, ..Config::default() }
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was covered is worth reading")]
fn the_engine_agrees_with_the_oracle() {
    let strategy = (generate::world(), vec(generate::asked(), 16));
    TestRunner::new(config(1))
        .run(&strategy, |(world, requests)| {
            let compiled = world.compile();
            for (number, asked) in requests.iter().enumerate() {
                // Explanations take longer: some of them.
                let (decided, explained) = world.ask(&compiled, asked, |policies, request| {
                    (policies.decide(request), (number < 4).then(|| policies.explain(request)))
                });
                let explained = explained.map(|explanation| {
                    explanation.layers.iter().for_each(coverage::note_layer);
                    explanation.decision
                });
                let expected = oracle::decide(&world, asked);
                coverage::note(format!("decision {expected:?}"));
                coverage::note(format!("principal {:?} {expected:?}", asked.who));
                coverage::note(format!(
                    "requests, {} account",
                    if asked.other_account { "other" } else { "own" }
                ));
                proptest::prop_assert_eq!(decided, expected, "{:?}", asked);
                proptest::prop_assert_eq!(explained.unwrap_or(expected), expected, "explained: {:?}", asked);
            }
            world.documents().for_each(coverage::note_document);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let reached = coverage::reached();
    for (what, times) in &reached {
        println!("{times:>8} {what}");
    }
    println!("{} requests decided by both", u64::from(config(1).cases) * 16);
    // Few worlds reach little.
    if config(1).cases >= 12_500 {
        assert_everything_was_reached(&reached);
    }
}

/// Every operator with every modifier, with each outcome that it can have; every kind of principal allowed and denied; every
/// layer with each thing that it can say; every element.
fn assert_everything_was_reached(reached: &std::collections::BTreeMap<String, u64>) {
    use daypass_policy::Comparison;
    let mut wanted = Vec::new();
    for comparison in Comparison::ALL {
        for prefix in ["", "ForAllValues:", "ForAnyValue:"] {
            for suffix in ["", "IfExists"] {
                let name = format!("{prefix}{}{suffix}", comparison.name());
                let outcomes: &[&str] = match (comparison, suffix) {
                    (Comparison::Null, "IfExists") => &["unclear"],
                    _ => &["yes", "no"],
                };
                for outcome in outcomes {
                    wanted.push(format!("operator {name} {outcome}"));
                }
            }
        }
    }
    for who in case::Who::ALL {
        let decisions = ["Allowed", "ImplicitDeny", "ExplicitDeny"];
        wanted.extend(decisions.map(|decision| format!("principal {who:?} {decision}")));
    }
    for layer in coverage::LAYERS {
        wanted.extend(["Denies", "Allows", "Silent"].map(|said| format!("layer {layer:?} {said}")));
    }
    wanted.extend(coverage::ELEMENTS.map(|element| format!("element {element}")));
    wanted.extend(["own", "other"].map(|whose| format!("requests, {whose} account")));
    let lacking: Vec<_> = wanted.iter().filter(|what| !reached.contains_key(*what)).collect();
    assert!(lacking.is_empty(), "never reached: {lacking:?}");
}
