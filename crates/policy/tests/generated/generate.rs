//! Policies and requests made up from small vocabularies, so that they meet often. Each list holds what is usual, what is
//! on the edge, and what AWS would refuse to store.

use crate::case::{Asked, ContextValue, OWN, OfResource, Who, World};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use serde_json::{Map, Value, json};

const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:GetObject",
    "s3:GetObject",
    "s3:PutObject",
    "S3:getobject",
    "ec2:RunInstances",
    "sts:AssumeRole",
    "kms:Decrypt",
    "kms:RetireGrant",
    "kms:DeleteAlias",
    "iam:GetPolicy",
    "iam:DeleteRole",
    "sts:GetCallerIdentity",
];

const ACTION_PATTERNS: &[&str] = &[
    "*",
    "*",
    "s3:*",
    "s3:*",
    "s3:Get*",
    "S3:GETOBJECT",
    "s3:?etObject",
    "s3:*Object",
    "s3:Put*",
    "ec2:*",
    "iam:*",
    "sts:*",
    "kms:*",
    "*:*",
    "s3:",
    "*:GetObject",
    "GetObject",
    "s3:${aws:username}",
];

const RESOURCES: &[&str] = &[
    "arn:aws:s3:::b/alice/k",
    "arn:aws:s3:::b/alice/k",
    "arn:aws:s3:::b/x*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/a:b/\n😀",
    "arn:aws:sqs:us-east-1:111122223333:q:1",
    "arn:aws:iam::111122223333:role/aws-reserved/x",
    "arn:aws:iam::aws:policy/P",
    "arn:aws:iam::111122223333:role/app",
    "arn:aws:kms:us-east-1:111122223333:alias/aws/s3",
];

const RESOURCE_PATTERNS: &[&str] = &[
    "*",
    "*",
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::b/${aws:username}/*",
    "arn:aws:s3:::b/${aws:username, 'x'}*",
    "arn:aws:s3:::b/x${*}",
    "arn:aws:s3:::?/*/k",
    "arn:aws:s3:::b",
    "arn:aws:*:::b/*",
    "arn:aws:s3:*:*:*",
    "arn:aws:sqs:*",
    "arn:aws:sqs:us-*:q:?",
    "arn:aws:sqs:*:111122223333:q*",
    "arn:aws:sqs",
    "arn:*:*",
    "arn:aws:iam::*:*",
    "bucket",
    "",
    "arn:aws:s3:::b/${",
    "arn:aws:s3::${aws:PrincipalAccount}:b",
    "arn:aws:s3:::b/${aws:TagKeys}",
    "arn:aws:s3:::b/${aws:TagKeys, 'alice'}/*",
    "arn:aws:s3:::B/*",
    "arn:aws:kms:*:*:*",
];

/// Keys with the values that a request may carry and those that a policy may list.
const STRINGS: (&[&str], &[&str]) = (
    &["alice", "alice", "alice", "Alice", "al*ce", "", "bob/x"],
    &[
        "alice",
        "alice",
        "ALICE",
        "al*",
        "al?ce",
        "*",
        "",
        "${aws:username}",
        "${aws:userid, 'alice'}",
        "${aws:TagKeys, 'alice'}",
        "${*}",
        "${",
        "bob/*",
    ],
);
const NUMBERS: (&[&str], &[&str]) =
    (&["10", "10", "9", "-5", "10.0", "x"], &["10", "10.00", "9", "-5", "abc", ""]);
const DATES: (&[&str], &[&str]) = (
    &["2020-01-01T00:00:00Z", "1577836800", "2020-01-01T00:00:00.5Z", "2019-12-31T23:59:59Z", "nonsense"],
    &["2020-01-01", "2020-01-01T01:00:00+01:00", "1577836800", "2020-01-02T00:00:00Z", "not a date"],
);
const BOOLS: (&[&str], &[&str]) = (
    &["true", "TRUE", "false", "maybe"],
    &["true", "False", "${aws:SecureTransport}", "${aws:username}", "yes"],
);
const ADDRESSES: (&[&str], &[&str]) = (
    &["10.1.2.3", "10.1.2.3", "192.0.2.77", "2001:db8::5", "nowhere"],
    &["10.0.0.0/8", "192.0.2.77", "0.0.0.0/0", "2001:db8::/32", "::/0", "10.0.0.0/33", "10.0.0.0/a", "123"],
);
const ARNS: (&[&str], &[&str]) = (
    &["arn:aws:iam::111122223333:role/app", "arn:aws:sns:us-east-1:111122223333:t:x", "arn:aws:iam", "alice"],
    &[
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:sns:*:*:t*",
        "arn:*:*:*:*:*",
        "arn:aws:iam::${aws:PrincipalAccount}:role/app",
        "arn:aws:iam::111122223333:role/${aws:userid}",
        "arn:aws:sns:*:t",
        "*",
        "arn:aws:sns:us-????-1:1*3:t:x",
        "arn:aws:iam:::${",
    ],
);
const BYTES: (&[&str], &[&str]) = (&["QQ==", "QUI=", "?"], &["QQ==", "Qg==", "QUI=", "!!"]);
const NULLS: (&[&str], &[&str]) = (&["alice", ""], &["true", "false", "True", "null"]);

/// Operators, keys, and the values of their kind.
type Family =
    (&'static [&'static str], &'static [&'static str], (&'static [&'static str], &'static [&'static str]));

const FAMILIES: &[Family] = &[
    (
        &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ],
        &[
            "s3:prefix",
            "aws:username",
            "aws:PrincipalTag/Team",
            "AWS:principaltag/TEAM",
            "aws:TagKeys",
            "aws:TagKeys",
            "aws:TagKeys",
        ],
        STRINGS,
    ),
    (
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        &["s3:max-keys", "test:Numbers"],
        NUMBERS,
    ),
    (
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        &["aws:CurrentTime", "test:Dates"],
        DATES,
    ),
    (&["Bool"], &["aws:SecureTransport", "test:Bools"], BOOLS),
    (&["BinaryEquals"], &["test:Binary", "test:Binaries"], BYTES),
    (&["IpAddress", "NotIpAddress"], &["aws:SourceIp", "test:Addresses"], ADDRESSES),
    (&["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"], &["aws:PrincipalArn", "test:Arns"], ARNS),
    (&["Null"], &["s3:prefix", "aws:TagKeys", "aws:username"], NULLS),
    (&["StringEqualz", "Equals"], &["s3:prefix"], STRINGS),
];

/// What a request may carry for each key, and whether it is multivalued.
const KEYS: &[(&str, &[&str], bool)] = &[
    ("s3:prefix", STRINGS.0, false),
    ("aws:username", &["alice", "al*ce"], false),
    ("aws:PrincipalTag/Team", STRINGS.0, false),
    ("aws:PrincipalAccount", &[OWN], false),
    ("aws:TagKeys", STRINGS.0, true),
    ("s3:max-keys", NUMBERS.0, false),
    ("test:Numbers", NUMBERS.0, true),
    ("aws:CurrentTime", DATES.0, false),
    ("test:Dates", DATES.0, true),
    ("aws:SecureTransport", BOOLS.0, false),
    ("test:Bools", BOOLS.0, true),
    ("test:Binary", BYTES.0, false),
    ("test:Binaries", BYTES.0, true),
    ("aws:SourceIp", ADDRESSES.0, false),
    ("test:Addresses", ADDRESSES.0, true),
    ("aws:PrincipalArn", ARNS.0, false),
    ("test:Arns", ARNS.0, true),
    ("aws:MultiFactorAuthPresent", &["true", "false"], false),
];

const PRINCIPALS: &[(&str, &[&str])] = &[
    (
        "AWS",
        &[
            "*",
            "111122223333",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws:iam::111122223333:user/Alice",
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:iam::111122223333:role/x/y/app",
            "arn:aws:sts::111122223333:assumed-role/app/i-1",
            "arn:aws:sts::111122223333:assumed-role/app/i-2",
            "arn:aws:sts::111122223333:federated-user/fed",
            "arn:aws:iam::444455556666:role/app",
            "444455556666",
            "AIDAALICEALICEALICE",
            "AROAAPPAPPAPPAPP",
            "AROAGONEGONEGONE",
            "arn:aws:iam::111122223333:user/*",
        ],
    ),
    ("Service", &["ec2.amazonaws.com", "lambda.amazonaws.com", "*"]),
    ("Federated", &["accounts.google.com", "*"]),
    ("CanonicalUser", &["c0ffee", "beef"]),
    ("Robot", &["r2"]),
];

fn one_of(list: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(list).prop_map(str::to_owned)
}

/// A list, or a lone value.
fn listed(values: Vec<String>) -> Value {
    match values.as_slice() {
        [one] => json!(one),
        many => json!(many),
    }
}

fn patterns(list: &'static [&'static str]) -> impl Strategy<Value = Value> {
    vec(one_of(list), 1..4).prop_map(listed)
}

fn principals() -> impl Strategy<Value = Value> {
    let map = vec(
        (0..PRINCIPALS.len()).prop_flat_map(|kind| {
            let (kind, names) = PRINCIPALS[kind];
            (Just(kind), vec(one_of(names), 1..3))
        }),
        1..3,
    );
    let map = map.prop_map(|entries| {
        let map: Map<String, Value> =
            entries.into_iter().map(|(kind, names)| (kind.to_owned(), listed(names))).collect();
        Value::Object(map)
    });
    let aws = one_of(PRINCIPALS[0].1).prop_map(|name| json!({"AWS": name}));
    prop_oneof![3 => Just(json!("*")), 4 => aws, 3 => map, 1 => one_of(PRINCIPALS[0].1).prop_map(|name| json!(name))]
}

fn condition() -> impl Strategy<Value = (String, String, Value)> {
    (0..FAMILIES.len()).prop_flat_map(|family| {
        let (operators, keys, (_, values)) = FAMILIES[family];
        let prefix = one_of(&["", "", "", "ForAllValues:", "ForAnyValue:"]);
        let suffix = one_of(&["", "", "IfExists"]);
        let operator = (prefix, one_of(operators), suffix)
            .prop_map(|(prefix, name, suffix)| format!("{prefix}{name}{suffix}"));
        (operator, one_of(keys), vec(one_of(values), 0..3).prop_map(listed))
    })
}

fn conditions() -> impl Strategy<Value = Option<Value>> {
    let block = vec(condition(), 0..3).prop_map(|conditions| {
        let mut block: Map<String, Value> = Map::new();
        for (operator, key, values) in conditions {
            block.entry(operator).or_insert_with(|| json!({}))[key] = values;
        }
        (!block.is_empty()).then_some(Value::Object(block))
    });
    prop_oneof![1 => Just(None), 1 => block]
}

/// A statement; with principals where the kind of policy has them.
pub(crate) fn statement(names_principals: bool) -> impl Strategy<Value = Value> {
    let effect = prop_oneof![12 => Just(Some("Allow")), 3 => Just(Some("Deny")), 1 => select(vec![Some("allow"), Some("deny"), None])];
    let inverted = || prop_oneof![6 => Just(false), 1 => Just(true)];
    let resource = prop_oneof![12 => patterns(RESOURCE_PATTERNS).prop_map(Some), 1 => Just(None)];
    // Where principals do not belong, one is put in now and then.
    let usual = if names_principals { 20 } else { 1 };
    let principal = prop_oneof![usual => principals().prop_map(Some), (21 - usual) => Just(None)];
    let stray = prop_oneof![30 => Just(false), 1 => Just(true)];
    (
        effect,
        (inverted(), patterns(ACTION_PATTERNS)),
        (inverted(), resource),
        (inverted(), principal),
        conditions(),
        stray,
    )
        .prop_map(
            |(
                effect,
                (not_action, action),
                (not_resource, resource),
                (not_principal, principal),
                condition,
                stray,
            )| {
                let mut statement = Map::new();
                let name = |not: bool, name: &str| format!("{}{name}", if not { "Not" } else { "" });
                statement.extend(effect.map(|effect| ("Effect".to_owned(), json!(effect))));
                statement.insert(name(not_action, "Action"), action);
                statement.extend(resource.map(|resource| (name(not_resource, "Resource"), resource)));
                statement.extend(principal.map(|principal| (name(not_principal, "Principal"), principal)));
                statement.extend(condition.map(|condition| ("Condition".to_owned(), condition)));
                if stray {
                    statement.insert("Comment".to_owned(), json!("?"));
                }
                Value::Object(statement)
            },
        )
}

fn document(names_principals: bool, statements: std::ops::Range<usize>) -> impl Strategy<Value = Value> {
    let version = prop_oneof![10 => Just(Some("2012-10-17")), 1 => Just(Some("2008-10-17")), 1 => Just(None), 1 => Just(Some("2013-01-01"))];
    (version, vec(statement(names_principals), statements)).prop_map(|(version, statements)| {
        let mut document = Map::new();
        document.extend(version.map(|version| ("Version".to_owned(), json!(version))));
        document.insert(
            "Statement".to_owned(),
            if statements.len() == 1 { statements[0].clone() } else { json!(statements) },
        );
        Value::Object(document)
    })
}

fn full_access(names_principals: bool) -> Value {
    let mut statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    if names_principals {
        statement["Principal"] = json!("*");
    }
    json!({"Version": "2012-10-17", "Statement": statement})
}

/// Mostly full access and something beside it, as organizations have them.
fn levels(names_principals: bool) -> impl Strategy<Value = Option<Vec<Vec<Value>>>> {
    let with_full = vec(document(names_principals, 0..2), 0..2).prop_map(move |mut documents| {
        documents.push(full_access(names_principals));
        documents
    });
    let level = prop_oneof![5 => with_full, 1 => vec(document(names_principals, 1..3), 0..3)];
    prop_oneof![2 => Just(None), 1 => vec(level, 1..4).prop_map(Some)]
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let identity = prop_oneof![
        4 => vec(document(false, 0..4), 0..3),
        2 => vec(document(false, 0..3), 0..2).prop_map(|mut documents| { documents.push(full_access(false)); documents }),
    ];
    let limit = || prop_oneof![1 => document(false, 1..4), 1 => Just(full_access(false))];
    let of_resource = Union::new_weighted(vec![
        (3, Just(OfResource::None).boxed()),
        (4, document(true, 1..4).prop_map(OfResource::Grants).boxed()),
        (2, option::weighted(0.8, document(true, 1..4)).prop_map(OfResource::Required).boxed()),
        (2, document(true, 1..4).prop_map(OfResource::Trust).boxed()),
    ]);
    let endpoint =
        option::weighted(0.2, vec(prop_oneof![document(true, 1..3), Just(full_access(true))], 1..3));
    (
        identity,
        option::weighted(0.3, limit()),
        vec(limit(), 0..3),
        of_resource,
        levels(false),
        levels(true),
        endpoint,
    )
        .prop_map(|(identity, boundary, session, resource, scps, rcps, endpoint)| World {
            identity,
            boundary,
            session,
            resource,
            scps,
            rcps,
            endpoint,
        })
}

fn context() -> impl Strategy<Value = std::collections::BTreeMap<String, ContextValue>> {
    let key = |index: usize| {
        let (key, values, multivalued) = KEYS[index];
        let value = if multivalued {
            prop_oneof![6 => vec(one_of(values), 1..2), 3 => vec(one_of(values), 0..3)]
                .prop_map(ContextValue::List)
                .boxed()
        } else {
            one_of(values).prop_map(ContextValue::Single).boxed()
        };
        (Just(key.to_owned()), value)
    };
    vec((0..KEYS.len()).prop_flat_map(key), 0..32).prop_map(|entries| entries.into_iter().collect())
}

pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let who = prop_oneof![3 => Just(Who::User), 3 => Just(Who::Session { linked: false }), 4 => select(&Who::ALL[..])];
    let resource = option::weighted(0.9, one_of(RESOURCES));
    let token = prop_oneof![9 => Just(false), 1 => Just(true)];
    let other_account = prop_oneof![3 => Just(false), 1 => Just(true)];
    (who, token, one_of(ACTIONS), resource, other_account, context()).prop_map(
        |(who, session_token, action, resource, other_account, context)| Asked {
            who,
            session_token,
            action,
            resource,
            other_account,
            context,
        },
    )
}
