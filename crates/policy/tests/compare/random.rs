//! Policies at random: every witness holds, and where nothing is new a hundred thousand requests find nothing.

use crate::dice::Dice;
use crate::{allows, near, policy, resource_allows};
use daypass_policy::compare::{Certainty, ComparedPolicies, Differences, compare};
use daypass_policy::{DocumentKind, Policy};
use std::sync::Arc;

const ACTIONS: [&str; 8] =
    ["*", "s3:*", "s3:Get*", "s3:?et*", "s3:*Object", "s3:GetObject", "s3:PutObject", "ec2:Run*"];
const RESOURCES: [&str; 9] = [
    "*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a/b/*",
    "arn:aws:s3:::*/b/*",
    "arn:aws:s3:::a/${aws:username}/*",
    "arn:aws:s3:::${aws:username}",
    "arn:aws:*",
    "arn:aws:s3:::a?b",
    "bucket",
];
/// Operators with a key and values that go together.
const TESTS: [(&[&str], &str, &[&str]); 11] = [
    (
        &["ArnLike", "ArnNotLike", "StringEquals"],
        "aws:PrincipalArn",
        &[
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::*:user/alice",
            "arn:aws:iam::999988887777:user/eve",
            "arn:aws:iam::*:role/${aws:PrincipalTag/x}",
        ],
    ),
    (
        &["StringEquals", "StringNotEquals", "StringLike"],
        "aws:PrincipalAccount",
        &["111122223333", "1*", "444455556666"],
    ),
    (
        &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIfExists",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
        ],
        "aws:SourceVpc",
        &["vpc-1", "vpc-*", "VPC-1", "vpc-?", ""],
    ),
    (
        &["IpAddress", "NotIpAddress", "IpAddressIfExists"],
        "aws:SourceIp",
        &["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0"],
    ),
    (
        &["NumericLessThan", "NumericGreaterThanEquals", "NumericEquals", "NumericNotEquals"],
        "s3:max-keys",
        &["10", "10.0", "2", "-1", "x"],
    ),
    (
        &["DateLessThan", "DateGreaterThan"],
        "aws:CurrentTime",
        &["2026-01-01T00:00:00Z", "2026-01-02", "1767225600"],
    ),
    (&["Bool", "BoolIfExists"], "aws:SecureTransport", &["true", "false", "TRUE"]),
    (
        &[
            "ForAllValues:StringEquals",
            "ForAnyValue:StringLike",
            "ForAllValues:StringNotLike",
            "ForAnyValue:StringNotEquals",
            "StringEquals",
        ],
        "aws:TagKeys",
        &["a", "b", "a*"],
    ),
    (&["Null"], "aws:TagKeys", &["true", "false"]),
    (
        &["StringLike", "StringNotEquals", "ForAnyValue:StringLike"],
        "s3:prefix",
        &["${aws:username}/*", "a/*", "*", "${aws:username}"],
    ),
    (
        &["ArnLike", "ArnNotEquals", "StringLike"],
        "aws:SourceArn",
        &["arn:aws:s3:::a*", "arn:aws:*:*:*:a", "x"],
    ),
];

fn conditions(dice: &mut Dice) -> String {
    let list: Vec<String> = (0..dice.below(3))
        .map(|_| {
            let (operators, key, values) = TESTS[dice.below(TESTS.len())];
            format!(r#"{:?}:{{{key:?}:{}}}"#, dice.pick(operators), dice.some(values))
        })
        .collect();
    // An operator that is drawn twice would be a key that is there twice.
    let mut kept: Vec<&String> = Vec::new();
    for one in &list {
        let operator = one.split(":{").next().unwrap();
        if !kept.iter().any(|own| own.starts_with(operator)) {
            kept.push(one);
        }
    }
    kept.iter().map(|own| own.as_str()).collect::<Vec<_>>().join(",")
}

const PRINCIPALS: [&str; 8] = [
    r#""*""#,
    r#"{"AWS":"111122223333"}"#,
    r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#,
    r#"{"AWS":["arn:aws:iam::111122223333:role/web","arn:aws:iam::444455556666:root"]}"#,
    r#"{"Service":"ec2.amazonaws.com"}"#,
    r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/web/s"}"#,
    r#"{"AWS":"AIDAALICE"}"#,
    r#"{"Federated":"accounts.google.com"}"#,
];

fn statement(dice: &mut Dice, with_principal: bool) -> String {
    let effect = if dice.below(3) == 0 { "Deny" } else { "Allow" };
    let not = |dice: &mut Dice| if dice.below(6) == 0 { "Not" } else { "" };
    let (no_action, no_resource) = (not(dice), not(dice));
    let principal = if with_principal {
        format!(r#""{}Principal":{},"#, not(dice), dice.pick(&PRINCIPALS))
    } else {
        String::new()
    };
    let (actions, resources) = (dice.some(&ACTIONS), dice.some(&RESOURCES));
    format!(
        r#"{{"Effect":"{effect}",{principal}"{no_action}Action":{actions},"{no_resource}Resource":{resources},"Condition":{{{}}}}}"#,
        conditions(dice)
    )
}

fn statements(dice: &mut Dice, with_principal: bool) -> String {
    let list: Vec<String> = (0..=dice.below(3)).map(|_| statement(dice, with_principal)).collect();
    list.join(",")
}

/// The same statements with one more, one less, or one other.
fn changed(dice: &mut Dice, from: &str, with_principal: bool) -> String {
    match dice.below(3) {
        0 => format!("{from},{}", statement(dice, with_principal)),
        1 => from.replacen("s3:GetObject", "s3:Get*", 1).replacen("a/b/*", "a/*", 1),
        _ => statements(dice, with_principal),
    }
}

#[derive(Default)]
struct Counts {
    none: usize,
    found: usize,
    unknown: usize,
    /// Of what was found, what requests at random find too.
    drawn: usize,
}

fn check(seed: u64, pairs: usize, is_resource: bool) -> Counts {
    let mut dice = Dice::new(seed);
    let kind = if is_resource { DocumentKind::Resource } else { DocumentKind::Managed };
    let mut counts = Counts::default();
    for _ in 0..pairs {
        let old = statements(&mut dice, is_resource);
        let new = changed(&mut dice, &old, is_resource);
        let (left, right) = (policy(kind, &old), policy(kind, &new));
        let set = |policy: &Arc<Policy>| match is_resource {
            true => ComparedPolicies::resource([Arc::clone(policy)]),
            false => ComparedPolicies::identity([Arc::clone(policy)]),
        };
        let compared = compare(&set(&left), &set(&right));
        let found = near::search(&compared, &left, &right, is_resource);
        for (differences, own, other, drawn) in
            [(&compared.added, &right, &left, found.added), (&compared.removed, &left, &right, found.removed)]
        {
            witnesses_hold(differences, own, other, is_resource);
            match (&differences.certainty, differences.list.is_empty()) {
                (Certainty::Exact, true) => counts.none += 1,
                (_, false) => {
                    counts.found += 1;
                    counts.drawn += usize::from(drawn.is_some());
                }
                (Certainty::Unknown(_), true) => counts.unknown += 1,
            }
        }
    }
    counts
}

fn witnesses_hold(differences: &Differences, own: &Arc<Policy>, other: &Arc<Policy>, is_resource: bool) {
    for witness in differences.list.iter().map(|difference| &difference.witness) {
        if is_resource {
            let says = |policy| {
                let (principal, context) = (&witness.principal, &witness.context);
                resource_allows(policy, principal, &witness.action, &witness.resource, context)
            };
            assert!(says(own) && !says(other), "{witness}");
        } else {
            assert!(allows(own, witness) && !allows(other, witness), "{witness}");
        }
    }
}

/// Requests at random must be able to find what there is, or that they find nothing says nothing.
fn judge(counts: &Counts, least: usize) {
    let Counts { none, found, unknown, drawn } = counts;
    let all = format!("none {none}, found {found}, drawn too {drawn}, unknown {unknown}");
    assert!(*none > least && *found > least, "{all}");
    assert!(unknown * 10 < *none, "{all}");
    assert!(drawn * 10 > found * 7, "{all}");
}

#[test]
fn comparisons_of_identity_policies_agree_with_the_evaluator() {
    judge(&check(20_261_122, 120, false), 40);
}

#[test]
fn comparisons_of_resource_policies_agree_with_the_evaluator() {
    judge(&check(7, 80, true), 25);
}
