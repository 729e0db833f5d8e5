//! AWS's own managed policies, the largest and hardest there are.

use crate::{confirm, near};
use daypass_policy::compare::{Certainty, ComparedPolicies, compare};
use daypass_policy::{Document, DocumentKind, Policy, PolicySource};
use serde_json::Value;
use std::sync::Arc;

const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/data/aws-managed-policies.jsonl");

fn catalogue() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(CATALOGUE).unwrap();
    let policies = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    policies
        .map(|own| (own["name"].as_str().unwrap().to_owned(), own["document"].as_str().unwrap().to_owned()))
        .collect()
}

fn compile(name: &str, text: &str) -> Arc<Policy> {
    Policy::compile(PolicySource::named(name), Document::load(DocumentKind::Managed, text))
}

#[test]
fn every_policy_is_equal_to_itself() {
    for (name, text) in catalogue().iter().step_by(3) {
        let set = || ComparedPolicies::identity([compile(name, text)]);
        let compared = compare(&set(), &set());
        assert!(compared.surely_equal(), "{name}\n{compared}");
    }
}

#[test]
fn every_witness_between_managed_policies_holds() {
    let mut policies = catalogue();
    policies.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
    let policies: Vec<_> =
        policies.iter().step_by(6).take(14).map(|(name, text)| compile(name, text)).collect();
    let mut exact = 0;
    for (at, one) in policies.iter().enumerate() {
        for other in policies.iter().skip(at + 1) {
            let set = |policy: &Arc<Policy>| ComparedPolicies::identity([Arc::clone(policy)]);
            let compared = compare(&set(one), &set(other));
            confirm(&compared.added, other, one);
            confirm(&compared.removed, one, other);
            if compared.added.surely_none() || compared.removed.surely_none() {
                near::search(&compared, one, other, false);
            }
            exact += usize::from(compared.added.certainty == Certainty::Exact);
            exact += usize::from(compared.removed.certainty == Certainty::Exact);
        }
    }
    // Both ways of 91 pairs.
    assert_eq!(exact, 182);
}

#[test]
fn read_only_access_is_within_power_user_access_but_for_what_that_leaves_out() {
    let policies = catalogue();
    let policy = |name: &str| {
        let (name, text) = policies.iter().find(|(own, _)| own == name).unwrap();
        compile(name, text)
    };
    let set = |name: &str| ComparedPolicies::identity([policy(name)]);
    let administrator = set("AdministratorAccess");
    for name in ["ReadOnlyAccess", "PowerUserAccess", "IAMFullAccess", "AmazonS3FullAccess"] {
        let compared = compare(&administrator, &set(name));
        assert!(compared.added.surely_none() && !compared.removed.list.is_empty(), "{name}\n{compared}");
        near::search(&compared, &policy("AdministratorAccess"), &policy(name), false);
    }
    // Every difference is about the services that PowerUserAccess leaves out.
    let compared = compare(&set("PowerUserAccess"), &set("ReadOnlyAccess"));
    assert_eq!(compared.added.certainty, Certainty::Exact);
    for action in compared.added.list.iter().flat_map(|difference| &difference.actions) {
        let service = action.pattern.split(':').next().unwrap();
        assert!(["iam", "organizations", "account"].contains(&service), "{}", action.pattern);
    }
    assert!(!compared.added.list.is_empty());
}
