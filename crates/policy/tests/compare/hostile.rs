//! Documents that would make a comparison explode: it ends, and says that it does not know.

use crate::{identity, of_resource};
use daypass_policy::compare::{Access, Certainty, compare, grants, public_access};

fn list(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(|n| format!("{:?}", one(n))).collect::<Vec<_>>().join(",")
}

fn allow(action: &str, resource: &str, condition: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":[{action}],"Resource":[{resource}],"Condition":{{{condition}}}}}"#)
}

/// That a comparison ends is what is tested; where it does not know everything it must not say that it does.
fn ends(old: &str, new: &str) -> bool {
    let compared = compare(&identity(old), &identity(new));
    compared.added.certainty == Certainty::Exact && compared.removed.certainty == Certainty::Exact
}

#[test]
fn patterns_that_multiply_are_given_up() {
    let many = |end: &str| list(60, |n| format!("s3:*a{}{end}", "?".repeat(n)));
    let apart: Vec<String> =
        (0..60).map(|n| allow(&format!("\"s3:*a{}b\"", "?".repeat(n)), "\"*\"", "")).collect();
    assert!(!ends(&apart.join(","), &allow(&many("c"), "\"*\"", "")));
    let resources = list(60, |n| format!("arn:aws:s3:::*a{}b", "?".repeat(n)));
    let denied = format!(
        r#"{},{{"Effect":"Deny","Action":"*","NotResource":[{resources}]}}"#,
        allow("\"s3:*\"", "\"*\"", "")
    );
    assert!(!ends(&allow("\"s3:*\"", "\"arn:aws:s3:::*a*\"", ""), &denied));
}

#[test]
fn values_that_multiply_are_given_up() {
    let values = list(60, |n| format!("*a{}b", "?".repeat(n)));
    let like = |key: &str| format!(r#""StringLike":{{"{key}":[{values}]}}"#);
    assert!(!ends(&allow("\"*\"", "\"*\"", &like("aws:SourceVpc")), &allow("\"*\"", "\"*\"", "")));
    // Sets of values: one test for each.
    let sets: Vec<String> = (0..40)
        .map(|n| allow("\"*\"", "\"*\"", &format!(r#""ForAnyValue:StringEquals":{{"aws:TagKeys":"{n}"}}"#)))
        .collect();
    assert!(!ends(&sets.join(","), &allow("\"*\"", "\"*\"", r#""Null":{"aws:TagKeys":"false"}"#)));
    let variables: Vec<String> = (0..20)
        .map(|n| {
            allow("\"*\"", "\"*\"", &format!(r#""StringEquals":{{"s3:prefix":"${{aws:PrincipalTag/{n}}}"}}"#))
        })
        .collect();
    assert!(!ends(&variables.join(","), &allow("\"*\"", "\"*\"", r#""StringEquals":{"s3:prefix":"x"}"#)));
}

#[test]
fn long_documents_end() {
    let actions = list(1_000, |n| format!("s{}:Action{n}*", n % 50));
    let resources = list(300, |n| format!("arn:aws:s3:::bucket{n}/*/x"));
    let one = allow(&actions, &resources, "");
    ends(&one, &one.replace("bucket", "bucked"));
    let values = list(1_000, |n| format!("value-{n}"));
    let other = values.replace("value-77", "valve-77");
    let equals =
        |values: &str| allow("\"*\"", "\"*\"", &format!(r#""StringEquals":{{"aws:SourceVpc":[{values}]}}"#));
    ends(&equals(&values), &equals(&other));
    let statements = |step: usize| {
        let one = |n: usize| allow(&format!("\"s3:Get{n}*\""), &format!("\"arn:aws:s3:::{n}*\""), "");
        (0..200).map(|n| one(n * step)).collect::<Vec<_>>().join(",")
    };
    ends(&statements(1), &statements(2));
}

#[test]
fn variables_that_multiply_are_no_end() {
    let variables: String = (0..100).map(|n| format!("${{aws:RequestTag/k{n}}}")).collect();
    let tagged = allow("\"s3:*\"", &format!("\"arn:aws:s3:::b/{variables}\""), "");
    let one = allow("\"s3:*\"", "\"arn:aws:s3:::b/x\"", "");
    assert!(!compare(&identity(&one), &identity(&tagged)).added.surely_none());
}

#[test]
fn choices_that_nest_are_given_up() {
    let deny = |n: usize| {
        format!(
            r#"{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"s3:a{n}":"x","s3:b{n}":"y"}}}}}}"#
        )
    };
    let denies = |count| (0..count).map(deny).collect::<Vec<_>>().join(",");
    let all = allow("\"s3:*\"", "\"*\"", "");
    let added = |denied: &str| compare(&identity(denied), &identity(&all)).added;
    let few = added(&format!("{all},{}", denies(100)));
    assert!(!few.list.is_empty(), "{few:?}");
    let nothing = identity(&allow("\"ec2:*\"", "\"*\"", ""));
    let many = compare(&nothing, &identity(&format!("{all},{}", denies(4_000)))).added;
    assert_ne!(many.certainty, Certainty::Exact);
}

#[test]
fn a_crowd_of_principals_is_given_up() {
    let users = list(3_000, |n| format!("arn:aws:iam::{:012}:user/u{n}", n));
    let ids = list(50, |n| format!("AIDA{n}"));
    let crowd =
        format!(r#"{{"Effect":"Allow","Principal":{{"AWS":[{users},{ids}]}},"Action":"*","Resource":"*"}}"#);
    assert_ne!(public_access(&of_resource(&crowd)).certainty, Certainty::Exact);
    assert_ne!(grants(of_resource(&crowd), [Access::default()]).unwrap().certainty, Certainty::Exact);
}

#[test]
fn texts_that_are_no_policies_allow_nothing() {
    for text in ["", "}", r#"{"Effect":"Allow"}"#, r#"{"Effect":"Deny","Action":[1],"Resource":{}}"#] {
        let compared =
            compare(&identity(text), &identity(r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#));
        assert!(compared.surely_equal(), "{text}\n{compared}");
    }
}
