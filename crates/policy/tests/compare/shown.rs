//! What a comparison looks like to people and to programs.

use crate::{identity, of_resource};
use daypass_policy::DocumentKind;
use daypass_policy::compare::{ComparedPolicies, compare};
use daypass_policy::{Document, Policy, PolicySource};

const OLD: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]},
    {"Sid": "Office", "Effect": "Allow", "Action": "ec2:*", "Resource": "*",
     "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
    {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::reports/secret/*"}
  ]
}"#;

const NEW: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": ["s3:Get*", "s3:ListBucket"], "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]},
    {"Sid": "Office", "Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*",
     "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/24"]}}},
    {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::reports/secret/*",
     "Condition": {"StringNotEquals": {"aws:username": "alice"}}}
  ]
}"#;

fn managed(text: &str) -> ComparedPolicies {
    let document = Document::parse(DocumentKind::Managed, text).unwrap();
    ComparedPolicies::identity([Policy::compile(PolicySource::named("reports.json"), document)])
}

#[test]
fn a_pull_request_reads_like_this() {
    let compared = compare(&managed(OLD), &managed(NEW));
    insta::assert_snapshot!("pull_request_text", compared);
    // Whether a `Value` keeps the order of its members depends on who else is built.
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(
            "pull_request_json",
            serde_json::from_str::<serde_json::Value>(&compared.to_json()).unwrap()
        );
    });
    assert_eq!(compare(&managed(OLD), &managed(NEW)).to_json(), compared.to_json());
}

#[test]
fn no_difference_reads_like_this() {
    insta::assert_snapshot!("equal_text", compare(&managed(OLD), &managed(OLD)));
}

#[test]
fn what_is_not_sure_says_why() {
    let old = identity(
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"${aws:username}"}}}"#,
    );
    let new = identity(
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":["x","${aws:username}"]},"NumericLessThan":{"s3:prefix":"5"}}}"#,
    );
    insta::assert_snapshot!("unknown_text", compare(&old, &new));
}

#[test]
fn principals_are_named() {
    let old = of_resource(
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sqs:*","Resource":"*"}"#,
    );
    let new = of_resource(
        r#"{"Effect":"Allow","Principal":{"AWS":["111122223333","444455556666"]},"Action":"sqs:*","Resource":"*"}"#,
    );
    insta::assert_snapshot!("principals_text", compare(&old, &new));
}
