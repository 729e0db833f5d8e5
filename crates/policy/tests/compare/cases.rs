//! What is the same and what is not, as tables.

use crate::{confirm, identity, near, policy};
use daypass_policy::DocumentKind;
use daypass_policy::compare::{Certainty, ComparedPolicies, compare};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Both allow the same.
    Equal,
    /// The first allows what the second does not, and not the other way round.
    Wider,
    /// Each allows something that the other does not.
    Differs,
}

fn check(old: &str, new: &str, expected: Says) {
    let (left, right) = (policy(DocumentKind::Managed, old), policy(DocumentKind::Managed, new));
    let compared = compare(
        &ComparedPolicies::identity([Arc::clone(&left)]),
        &ComparedPolicies::identity([Arc::clone(&right)]),
    );
    confirm(&compared.added, &right, &left);
    confirm(&compared.removed, &left, &right);
    near::search(&compared, &left, &right, false);
    let (added, removed) = (!compared.added.list.is_empty(), !compared.removed.list.is_empty());
    let found = match (removed, added) {
        (false, false) => Says::Equal,
        (true, false) => Says::Wider,
        (_, true) => Says::Differs,
    };
    let exact = [&compared.added, &compared.removed].iter().all(|own| own.certainty == Certainty::Exact);
    assert!(exact && found == expected, "{old}\n{new}\n{compared}");
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":{action},"Resource":{resource}}}"#)
}

#[test]
fn actions_are_compared_as_sets_of_names() {
    for (old, new, expected) in [
        (r#""s3:GetObject""#, r#""S3:getobject""#, Says::Equal),
        (r#"["s3:Get*", "s3:GetObject"]"#, r#""s3:Get*""#, Says::Equal),
        (r#""s3:*""#, r#""s3:Get*""#, Says::Wider),
        (r#""*""#, r#""s3:*""#, Says::Wider),
        (r#""*""#, r#""*:*""#, Says::Equal),
        (r#""s3:Get*""#, r#""s3:*Object""#, Says::Differs),
        (r#"["s3:a*", "s3:*b"]"#, r#""s3:a*b""#, Says::Wider),
        (r#""s3:?*""#, r#""s3:*""#, Says::Equal),
        (r#""s3:a?""#, r#""s3:a*""#, Says::Differs),
        (r#"["sts:GetCallerIdentity", "s3:Get*"]"#, r#""s3:Get*""#, Says::Equal),
    ] {
        if expected == Says::Differs && old == r#""s3:a?""# {
            check(&allow(new, r#""*""#), &allow(old, r#""*""#), Says::Wider);
            continue;
        }
        check(&allow(old, r#""*""#), &allow(new, r#""*""#), expected);
    }
}

#[test]
fn resources_are_compared_as_sets_of_arns() {
    for (old, new, expected) in [
        (r#""*""#, r#""arn:*""#, Says::Wider),
        (r#""arn:aws:s3:::b/*""#, r#""arn:aws:s3:::b/a/*""#, Says::Wider),
        (r#"["arn:aws:s3:::b/*", "arn:aws:s3:::b/a/*"]"#, r#""arn:aws:s3:::b/*""#, Says::Equal),
        (r#""arn:aws:sqs:*""#, r#""arn:aws:sqs:*:*:*""#, Says::Equal),
        (r#""arn:aws:sqs:us-*""#, r#""arn:aws:sqs:us-*:*:*""#, Says::Equal),
        (r#""arn:aws:sqs:*:*:q""#, r#""arn:aws:sqs:us-east-1:*:q""#, Says::Wider),
        (r#""arn:aws:sqs:us-east-?:*:q""#, r#""arn:aws:sqs:us-east-1:*:q""#, Says::Wider),
        (r#""arn:aws:s3:::a*""#, r#""arn:aws:s3:::*b""#, Says::Differs),
        // A shorter pattern without a `*` at its end covers nothing.
        (r#"["arn:aws:s3:::b", "arn:aws:sqs"]"#, r#""arn:aws:s3:::b""#, Says::Equal),
    ] {
        check(&allow(r#""s3:GetObject""#, old), &allow(r#""s3:GetObject""#, new), expected);
    }
}

#[test]
fn a_denial_takes_away_and_not_means_all_others() {
    let all = allow(r#""s3:*""#, r#""*""#);
    let deny = |action: &str, resource: &str| {
        format!(r#"{all}, {{"Effect":"Deny","Action":{action},"Resource":{resource}}}"#)
    };
    check(&all, &deny(r#""s3:Put*""#, r#""*""#), Says::Wider);
    check(&deny(r#""s3:*""#, r#""*""#), &deny(r#""*""#, r#""arn:*""#), Says::Differs);
    check(&all, &deny(r#""ec2:*""#, r#""*""#), Says::Equal);
    let rest = r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#;
    check(
        rest,
        &format!(r#"{}, {{"Effect":"Deny","Action":"iam:*","Resource":"*"}}"#, allow(r#""*""#, r#""*""#)),
        Says::Equal,
    );
    let elsewhere = r#"{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::b/*"}"#;
    check(elsewhere, &deny(r#""s3:*""#, r#""arn:aws:s3:::b/*""#), Says::Equal);
    check(&deny(r#""s3:*""#, r#""arn:aws:s3:::b/a*""#), elsewhere, Says::Wider);
}

#[test]
fn what_cannot_be_understood_allows_nothing_and_denies() {
    let all = allow(r#""s3:*""#, r#""*""#);
    let nothing = r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#;
    check(&allow(r#""*:Get""#, r#""*""#), nothing, Says::Equal);
    check(&allow(r#""s3:*""#, r#""bucket""#), nothing, Says::Equal);
    check(&format!(r#"{all}, {{"Effect":"Deny","Action":"s*:Get","Resource":"*"}}"#), nothing, Says::Equal);
    let odd = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEqualz":{"a":"b"}}}"#;
    check(odd, nothing, Says::Equal);
    check(&all, &format!("{all}, {odd}"), Says::Equal);
}

fn when(condition: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{condition}}}"#)
}

#[test]
fn conditions_are_compared_as_sets_of_values() {
    for (old, new, expected) in [
        (
            r#"{"StringEquals":{"aws:SourceVpc":["a","b"]}}"#,
            r#"{"StringEquals":{"AWS:sourcevpc":"a"}}"#,
            Says::Wider,
        ),
        (
            r#"{"StringLike":{"aws:SourceVpc":"a*"}}"#,
            r#"{"StringLike":{"aws:SourceVpc":["a","a?*"]}}"#,
            Says::Equal,
        ),
        (
            r#"{"StringEqualsIgnoreCase":{"aws:SourceVpc":"ab"}}"#,
            r#"{"StringEquals":{"aws:SourceVpc":["ab","AB","aB","Ab"]}}"#,
            Says::Equal,
        ),
        (
            r#"{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}"#,
            r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}"#,
            Says::Wider,
        ),
        (
            r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
            r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/9","10.128.0.0/9"]}}"#,
            Says::Equal,
        ),
        (
            r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
            r#"{"IpAddress":{"aws:SourceIp":"10.1.0.0/16"}}"#,
            Says::Wider,
        ),
        (
            r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#,
            r#"{"IpAddress":{"aws:SourceIp":"::/0"}}"#,
            Says::Differs,
        ),
        (
            r#"{"NumericLessThan":{"s3:max-keys":"10"}}"#,
            r#"{"NumericLessThanEquals":{"s3:max-keys":"10"}}"#,
            Says::Differs,
        ),
        (
            r#"{"NumericLessThanEquals":{"s3:max-keys":"10"}}"#,
            r#"{"NumericLessThan":{"s3:max-keys":"10"}}"#,
            Says::Wider,
        ),
        (
            r#"{"NumericEquals":{"s3:max-keys":"2.0"}}"#,
            r#"{"NumericEquals":{"s3:max-keys":"2"}}"#,
            Says::Equal,
        ),
        (
            r#"{"DateLessThan":{"aws:CurrentTime":"2026-01-01"}}"#,
            r#"{"DateLessThan":{"aws:CurrentTime":"1767225600"}}"#,
            Says::Equal,
        ),
        (
            r#"{"DateLessThan":{"aws:CurrentTime":"2026-01-02"}}"#,
            r#"{"DateLessThan":{"aws:CurrentTime":"2026-01-01"}}"#,
            Says::Wider,
        ),
        (
            r#"{"BoolIfExists":{"aws:SecureTransport":"true"}}"#,
            r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
            Says::Wider,
        ),
        (
            r#"{"Bool":{"aws:SecureTransport":["true","false"]}}"#,
            r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
            Says::Wider,
        ),
        (
            r#"{"BinaryEquals":{"aws:x":"QQ=="}}"#,
            r#"{"BinaryEquals":{"aws:x":["QQ==","Qg=="]}}"#,
            Says::Differs,
        ),
        (r#"{"Null":{"aws:TagKeys":"true"}}"#, r#"{"Null":{"aws:TagKeys":["true","false"]}}"#, Says::Differs),
        (
            r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}"#,
            r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}"#,
            Says::Wider,
        ),
        (
            r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}"#,
            r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}"#,
            Says::Differs,
        ),
        (
            r#"{"StringEquals":{"aws:SourceVpc":"a"},"Bool":{"aws:SecureTransport":"true"}}"#,
            r#"{"StringEquals":{"aws:SourceVpc":"a"}}"#,
            Says::Differs,
        ),
        (
            r#"{"StringNotEquals":{"aws:SourceVpc":"a"}}"#,
            r#"{"StringNotEqualsIfExists":{"aws:SourceVpc":"a"}}"#,
            Says::Equal,
        ),
    ] {
        // Those marked so are wider the other way round.
        let (old, new) = (when(old), when(new));
        let turned = expected == Says::Differs && is_within(&old, &new);
        if turned { check(&new, &old, Says::Wider) } else { check(&old, &new, expected) }
    }
}

fn is_within(old: &str, new: &str) -> bool {
    compare(&identity(old), &identity(new)).removed.surely_none()
}

#[test]
fn a_denial_and_its_opposite_are_the_same() {
    let all = allow(r#""s3:*""#, r#""*""#);
    for (condition, opposite) in [
        (r#"{"StringNotEquals":{"aws:SourceVpc":"a"}}"#, r#"{"StringEquals":{"aws:SourceVpc":"a"}}"#),
        (r#"{"Null":{"aws:SourceVpc":"true"}}"#, r#"{"Null":{"aws:SourceVpc":"false"}}"#),
        (
            r#"{"NumericGreaterThan":{"s3:max-keys":"9"}}"#,
            r#"{"NumericLessThanEqualsIfExists":{"s3:max-keys":"9"}}"#,
        ),
    ] {
        let denied =
            format!(r#"{all}, {{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{condition}}}"#);
        let expected = if condition.contains("Numeric") { Says::Wider } else { Says::Equal };
        // A set, or what is no number, is neither under the operator nor under its opposite.
        check(&denied, &when(opposite), expected);
    }
}

#[test]
fn variables_are_compared_as_what_they_may_stand_for() {
    let home = |resource: &str| allow(r#""s3:GetObject""#, &format!(r#""arn:aws:s3:::{resource}""#));
    check(&home("b/*"), &home("b/${aws:username}/*"), Says::Wider);
    check(&home("b/${aws:username}/*"), &home("b/${aws:username}/in/*"), Says::Wider);
    check(&home("b/${aws:username}/*"), &home("b/${AWS:UserName}/*"), Says::Equal);
    check(&home("b/${aws:username}/*"), &home("b/${aws:userid}/*"), Says::Differs);
    let own = r#"{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}"#;
    check(&when(own), &when(own), Says::Equal);
    check(&allow(r#""s3:*""#, r#""*""#), &when(own), Says::Wider);
    check(&when(own), &when(r#"{"StringEquals":{"aws:ResourceAccount":"111122223333"}}"#), Says::Differs);
    check(
        &when(r#"{"StringLike":{"s3:prefix":["${aws:username}/*","x"]}}"#),
        &when(r#"{"StringLike":{"s3:prefix":"${aws:username}/in/*"}}"#),
        Says::Wider,
    );
}

#[test]
fn a_boundary_counts() {
    let wide = policy(DocumentKind::Managed, &allow(r#""*""#, r#""*""#));
    let narrow = || policy(DocumentKind::Managed, &allow(r#""s3:Get*""#, r#""*""#));
    let bounded = ComparedPolicies::identity_within([Arc::clone(&wide)], narrow());
    let alone = ComparedPolicies::identity([narrow()]);
    assert!(compare(&bounded, &alone).surely_equal());
    let open = ComparedPolicies::identity([wide]);
    let compared = compare(&bounded, &open);
    assert!(compared.removed.surely_none() && !compared.added.list.is_empty());
}
