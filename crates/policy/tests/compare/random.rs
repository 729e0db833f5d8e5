//! Policies and requests at random: every witness holds, and where nothing is new no request finds anything.

use crate::{allows, policy, resource_allows};
use daypass_policy::compare::{Certainty, ComparedPolicies, Differences, compare};
use daypass_policy::{
    AccountId, Action, Context, DocumentKind, Key, Policies, Policy, PolicySet, Principal, PrincipalPolicies,
    Request, Resource, ResourcePolicy,
};
use std::sync::Arc;

/// A small generator of numbers that look random: the same ones each time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn some(&mut self, from: &[&str]) -> String {
        let list: Vec<String> = (0..=self.below(2)).map(|_| format!("{:?}", self.pick(from))).collect();
        format!("[{}]", list.join(","))
    }
}

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

/// A request that the policies may have something to say about.
struct Drawn {
    principal: usize,
    action: &'static str,
    resource: &'static str,
    context: Context<'static>,
}

fn draw(dice: &mut Dice, principals: &[Principal]) -> Drawn {
    let action = dice.pick(&[
        "s3:GetObject",
        "s3:GetBucket",
        "s3:PutObject",
        "ec2:RunInstances",
        "iam:GetUser",
        "s3:set",
    ]);
    let resource = dice.pick(&[
        "*",
        "arn:aws:s3:::a/b/c",
        "arn:aws:s3:::a/x",
        "arn:aws:s3:::c/b/",
        "arn:aws:s3:::a/alice/k",
        "arn:aws:s3:::alice",
        "arn:aws:s3:::a-b",
        "arn:aws:ec2:us-east-1:111122223333:instance/i",
    ]);
    let mut context = Context::new();
    for (key, values) in [
        ("aws:SourceVpc", &["vpc-1", "vpc-2", "VPC-1", "", "vpc-12", "x"][..]),
        ("aws:SourceIp", &["10.1.2.3", "10.1.0.0", "10.2.0.0", "11.0.0.1", "::1", "x"]),
        ("s3:max-keys", &["10", "2", "9", "11", "-1", "-2", "x", "3.5"]),
        ("aws:CurrentTime", &["2026-01-01", "2025-12-31", "2026-01-01T12:00:00Z", "2026-01-03", "x"]),
        ("aws:SecureTransport", &["true", "false", "x"]),
        ("aws:username", &["alice", "b", "*", ""]),
        ("s3:prefix", &["alice/", "alice", "a/b", "*", "b/x"]),
        ("aws:SourceArn", &["arn:aws:s3:::a", "arn:aws:s3:::ab:a", "arn:aws:x:y:z:a", "x"]),
    ] {
        match dice.below(3) {
            0 => (),
            _ if key == "s3:prefix" && dice.below(3) == 0 => {
                context.set_list(key, [dice.pick(values), dice.pick(values)]);
            }
            _ => context.set(key, dice.pick(values)),
        }
    }
    if dice.below(3) > 0 {
        let count = dice.below(3);
        context.set_list(
            "aws:TagKeys",
            (0..count).map(|_| dice.pick(&["a", "b", "c", "ab"])).collect::<Vec<_>>(),
        );
    }
    let principal = dice.below(principals.len());
    let mut described = Context::new();
    principals[principal].describe(&mut described);
    context.remove("aws:username");
    for (key, values) in described.iter() {
        context.set(Key::from(key.as_str().to_owned()), values[0].to_string());
    }
    Drawn { principal, action, resource, context }
}

fn principals() -> Vec<Principal> {
    let user = |arn: &str, id: &str| Principal::user(&arn.parse().unwrap(), id).unwrap();
    let role =
        |arn: &str, name: &str| Principal::role_session(&arn.parse().unwrap(), "AROAWEB", name).unwrap();
    vec![
        Principal::anonymous(),
        user("arn:aws:iam::111122223333:user/alice", "AIDAX"),
        user("arn:aws:iam::111122223333:user/bob", "AIDAALICE"),
        user("arn:aws:iam::999988887777:user/eve", "AIDAEVE"),
        role("arn:aws:iam::111122223333:role/web", "s"),
        role("arn:aws:iam::111122223333:role/other", "s"),
        Principal::root("444455556666".parse().unwrap()),
        Principal::service("ec2.amazonaws.com"),
        Principal::identity_provider("accounts.google.com"),
    ]
}

/// What the evaluator says of many requests.
fn decisions(of: &Arc<Policy>, is_resource: bool, requests: &[Drawn], principals: &[Principal]) -> Vec<bool> {
    let everything = policy(DocumentKind::Managed, r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let own = if is_resource { everything } else { Arc::clone(of) };
    let attached = PrincipalPolicies::builder().identity([own]).build();
    let set = PolicySet::new([Arc::clone(of)]);
    let policies = if is_resource {
        Policies::of(&attached).resource(ResourcePolicy::Grants(&set))
    } else {
        Policies::of(&attached)
    };
    let owner: AccountId = "000000000000".parse().unwrap();
    let decide = |drawn: &Drawn| {
        let action = Action::new(drawn.action).unwrap();
        let resource = match drawn.resource {
            "*" => Resource::NONE,
            arn => Resource::arn(arn).unwrap(),
        };
        let principal = &principals[drawn.principal];
        let request = Request::new(principal, &action, resource, &drawn.context);
        policies.allows(&if is_resource { request.in_account(owner) } else { request })
    };
    requests.iter().map(decide).collect()
}

#[derive(Default)]
struct Counts {
    none: usize,
    found: usize,
    unknown: usize,
}

fn check(seed: u64, pairs: usize, requests: usize, is_resource: bool) -> Counts {
    let mut dice = Dice::new(seed);
    let kind = if is_resource { DocumentKind::Resource } else { DocumentKind::Managed };
    let principals = principals();
    let requests: Vec<Drawn> = (0..requests).map(|_| draw(&mut dice, &principals)).collect();
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
        let before = decisions(&left, is_resource, &requests, &principals);
        let after = decisions(&right, is_resource, &requests, &principals);
        for (differences, own, other, mine, theirs) in [
            (&compared.added, &right, &left, &after, &before),
            (&compared.removed, &left, &right, &before, &after),
        ] {
            witnesses_hold(differences, own, other, is_resource);
            let shown = mine.iter().zip(theirs).position(|(mine, theirs)| *mine && !*theirs);
            if let Some(at) = shown.filter(|_| differences.surely_none()) {
                let drawn = &requests[at];
                panic!(
                    "{} by {} on {} with {:?} was missed\nold {old}\nnew {new}\n{compared}",
                    drawn.action,
                    principals[drawn.principal].arn(),
                    drawn.resource,
                    drawn.context
                );
            }
            match (&differences.certainty, differences.list.is_empty()) {
                (Certainty::Exact, true) => counts.none += 1,
                (_, false) => counts.found += 1,
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

#[test]
fn comparisons_of_identity_policies_agree_with_the_evaluator() {
    let counts = check(20_261_122, 300, 1_000, false);
    assert!(counts.none > 100 && counts.found > 100, "{} {} {}", counts.none, counts.found, counts.unknown);
    assert!(counts.unknown * 20 < counts.none, "{} of {}", counts.unknown, counts.none);
}

#[test]
fn comparisons_of_resource_policies_agree_with_the_evaluator() {
    let counts = check(7, 200, 1_000, true);
    assert!(counts.none > 50 && counts.found > 50, "{} {} {}", counts.none, counts.found, counts.unknown);
    assert!(counts.unknown * 10 < counts.none, "{} of {}", counts.unknown, counts.none);
}

/// Fewer pairs, but a hundred thousand requests for each.
#[test]
fn where_nothing_is_new_a_hundred_thousand_requests_find_nothing() {
    let counts = check(11, 6, 100_000, false);
    assert!(counts.none > 1, "{}", counts.none);
    let counts = check(12, 6, 100_000, true);
    assert!(counts.none > 1, "{}", counts.none);
}
