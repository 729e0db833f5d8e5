//! The findings of Access Analyzer: for each, the smallest document that has it and one beside it that has not.

mod cases;

use cases::{CASES, Case};
use daypass_policy::check::{Code, Finding, PathElement, PolicyType, ResourceType, check};
use std::collections::BTreeSet;

/// A case's text: a whole document, or a statement that one is put around.
fn document(text: &str) -> String {
    match text.strip_prefix('!') {
        Some(document) => document.into(),
        None => format!(r#"{{"Version": "2012-10-17", "Statement": [{text}]}}"#),
    }
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    let codes: BTreeSet<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.into_iter().collect()
}

#[test]
fn each_finding_is_found_where_it_is_and_not_beside_it() {
    let mut wrong = Vec::new();
    for Case { code, policy, has, also, has_not } in CASES {
        let found = codes(&check(&document(has), *policy));
        let mut expected: Vec<_> =
            std::iter::once(code.as_str()).chain(also.iter().map(|c| c.as_str())).collect();
        expected.sort_unstable();
        if found != expected {
            wrong.push(format!("{}\n  in {has}\n  found {found:?}", code.as_str()));
        }
        let found = codes(&check(&document(has_not), *policy));
        if !found.is_empty() {
            wrong.push(format!("{}\n  not in {has_not}\n  found {found:?}", code.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Quotas count characters; IAM's not those of white space.
#[test]
fn sizes_are_held_against_the_quota_of_the_type() {
    let trust = PolicyType::Resource(Some(ResourceType::RoleTrust));
    let bucket = PolicyType::Resource(Some(ResourceType::S3Bucket));
    for (policy, quota, code, with_white_space) in [
        (PolicyType::Identity, 6144, Code::PolicySizeExceedsIdentityPolicyQuota, false),
        (trust, 2048, Code::PolicySizeExceedsRoleTrustPolicyQuota, false),
        (bucket, 20_480, Code::PolicySizeExceedsResourcePolicyQuota, true),
        (PolicyType::ServiceControl, 5120, Code::PolicySizeExceedsScpQuota, true),
        (PolicyType::ResourceControl, 5120, Code::PolicySizeExceedsRcpQuota, true),
    ] {
        let bare = r#"{"Version":"2012-10-17","Id":"-","Statement":[]}"#;
        let of_size = |size: usize| {
            let filler = "x".repeat(size - bare.len() + 1);
            bare.replace(r#":"-""#, &format!(r#":"{filler}""#))
        };
        let has = |text: &str| check(text, policy).iter().any(|finding| finding.code == code);
        assert!(!has(&of_size(quota)), "{}", code.as_str());
        assert!(has(&of_size(quota + 1)), "{}", code.as_str());
        assert_eq!(has(&format!("{} ", of_size(quota))), with_white_space, "{}", code.as_str());
    }
}

/// Those of sizes have a test of their own.
#[test]
fn every_code_has_a_case() {
    let cases: BTreeSet<_> = CASES.iter().map(|case| case.code.as_str()).collect();
    let of_size = |code: &str| code.starts_with("POLICY_SIZE_EXCEEDS_");
    let codes = Code::ALL.iter().map(|code| code.as_str());
    let missing: Vec<_> = codes.filter(|code| !cases.contains(code) && !of_size(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_message_lacks_what_it_speaks_of() {
    for case in CASES {
        for finding in check(&document(case.has), case.policy) {
            assert!(!finding.message.contains("{}") && !finding.message.contains("  does"), "{finding:?}");
            assert!(!finding.locations.is_empty(), "{finding:?}");
        }
    }
}

/// The finding and the place of AWS's own example (AWS CLI, `accessanalyzer validate-policy`, Apache-2.0), in our document.
#[test]
fn places_are_counted_as_aws_counts_them() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Sid\": \"\", \"Effect\": \"Allow\",\n     \
                \"Principal\": {\"Federated\": \"cognito-identity.amazonaws.com\"},\n     \"Action\": [\"sts:AssumeRole\"],\n     \
                \"Condition\": {\"StringEquals\": {\"cognito-identity.amazonaws.com:aud\": \"x\"}}}\n  ]\n}";
    let findings = check(text, PolicyType::Resource(None));
    let [sid, action] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!(
        sid.to_json(),
        r#"{"findingDetails":"Add a value to the empty string in the Sid element.","findingType":"SUGGESTION","#
            .to_owned()
            + r#""issueCode":"EMPTY_SID_VALUE","learnMoreLink":"https://docs.aws.amazon.com/IAM/latest/UserGuide/"#
            + r#"access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-suggestion-empty-sid-value","#
            + r#""locations":[{"path":[{"value":"Statement"},{"index":0},{"value":"Sid"}],"#
            + r#""span":{"start":{"line":4,"column":12,"offset":58},"end":{"line":4,"column":14,"offset":60}}}]}"#
    );
    let paths: Vec<_> = action.locations.iter().map(|location| location.path.clone()).collect();
    let value = |key: &str| PathElement::Value(key.into());
    let statement = || vec![value("Statement"), PathElement::Index(0)];
    assert_eq!(
        paths,
        [
            [statement(), vec![value("Action"), PathElement::Index(0)]].concat(),
            [statement(), vec![value("Principal"), value("Federated")]].concat(),
        ]
    );
    assert_eq!(
        action.message,
        "The sts:AssumeRole action is invalid with the following principal(s): cognito-identity.amazonaws.com. Use a SAML \
         provider principal with the sts:AssumeRoleWithSAML action or use an OIDC provider principal with the \
         sts:AssumeRoleWithWebIdentity action. Ensure the provider is Federated if you use either of the two options."
    );
}

#[test]
fn offsets_count_characters_and_cut_out_what_is_meant() {
    let text = "{\"Version\": \"2012-10-17\",\n \"Id\": \"é😀\", \"Statement\": {\"Effect\": \"Allow\",\n\
                \"Action\": \"s3:GetObjekt\", \"Resource\": \"arn:aws:s3:::b/x${}\"}}";
    let findings = check(text, PolicyType::Identity);
    let cut = |finding: &Finding| -> String {
        let place = finding.locations.first().expect("a place");
        text.chars().skip(place.start_offset).take(place.end_offset - place.start_offset).collect()
    };
    let cuts: Vec<_> = findings.iter().map(|finding| (finding.code.as_str(), cut(finding))).collect();
    assert_eq!(cuts, [("INVALID_ACTION", "\"s3:GetObjekt\"".into()), ("EMPTY_VARIABLE", "${}".to_owned())]);
    assert_eq!(findings[0].suggestion.as_deref(), Some("s3:GetObject"));
    let path = &findings[1].locations[0].path;
    assert_eq!(path.last(), Some(&PathElement::Substring { start: 16, length: 3 }));
}

#[test]
fn messages_name_what_stands_in_the_policy() {
    for (statement, message) in [
        (
            r#"{"Effect": "Allow", "Action": "s3:ListBuckets", "Resource": "*"}"#,
            "The action s3:ListBuckets does not exist. Did you mean s3:ListAllMyBuckets? The API called ListBuckets \
             authorizes against the IAM action s3:ListAllMyBuckets.",
        ),
        (
            r#"{"Effect": "Allow", "Action": "sqs:DeleteMessageBatch", "Resource": "*"}"#,
            "The action sqs:DeleteMessageBatch does not exist.",
        ),
        (
            r#"{"Effect": "Allow", "Action": "s4:GetObject", "Resource": "*"}"#,
            "The service s4 specified in the action does not exist. Did you mean s3?",
        ),
        (
            r#"{"Effect": "Allow", "Action": ["iam:Get*", "iam:GetUser"], "Resource": "*"}"#,
            "The 1 action(s) are redundant because they provide similar permissions. Update the policy to remove the \
             redundant action such as: iam:GetUser.",
        ),
        (
            r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
                "Condition": {"StringLike": {"aws:username": "*"}}}"#,
            "We recommend replacing the key aws:username in the condition block of StringLike with {aws:username: false} \
             to ensure better enforcement of the condition.",
        ),
        (
            r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.7/24"}}}"#,
            "The non-zero bits in the IP address after the masked bits are ignored. Replace address with 203.0.113.0/24.",
        ),
    ] {
        let findings = check(&document(statement), PolicyType::Identity);
        let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, [message]);
    }
    let findings = check("{\n \"Version\" 1}", PolicyType::Identity);
    assert_eq!(findings[0].message, "Fix the JSON syntax error at index 13 line 2 column 11.");
}

/// What AWS wrote itself is no error; the data would be wrong, or the checks.
#[test]
fn the_guides_own_policies_have_no_errors() {
    for text in [
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
        r#"{"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::mybucket"],
            "Condition": {"StringLike": {"s3:prefix": ["${aws:username}/*"]}}}"#,
        r#"{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:us-east-2:123456789012:table/books*"}"#,
        r#"{"Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}"#,
        r#"{"Effect": "Allow", "Action": ["ec2:StartInstances", "ec2:StopInstances"],
            "Resource": "arn:aws:ec2:*:*:instance/*",
            "Condition": {"StringEquals": {"aws:ResourceTag/Owner": "${aws:username}"}}}"#,
        r#"{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "arn:aws:logs:*:*:log-group:/aws/*:*"}"#,
        r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/web"}"#,
        r#"{"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}}"#,
    ] {
        let findings = check(&document(text), PolicyType::Identity);
        let errors: Vec<_> = findings.iter().filter(|f| f.code.finding_type().as_str() == "ERROR").collect();
        assert!(errors.is_empty(), "{text}\n{errors:#?}");
    }
}

#[test]
fn hostile_documents_take_bounded_time() {
    let many = |entry: &str, count: usize| vec![format!("\"{entry}\""); count].join(",");
    let nested = "[".repeat(20_000);
    for text in [
        format!(
            r#"{{"Action": [{}], "Resource": [{}]}}"#,
            many("ec2:*a*a*a*b", 3_000),
            many("arn:aws:ec2:*:*:*a*a*b", 2_000)
        ),
        format!(
            r#"{{"Action": "iam:{}b", "Resource": "arn:aws:ec2:*:*:{}"}}"#,
            "*a".repeat(3_000),
            "*?".repeat(20_000)
        ),
        format!(r#"{{"Action": "x:{}"}}"#, "y".repeat(100_000)),
        format!(r#"{{"Resource": "{}"}}"#, "${".repeat(20_000)),
        format!(r#"{{"Principal": {{"AWS": [{}]}}}}"#, many("arn:aws:sts::1:assumed-role/a/b", 3_000)),
    ] {
        check(&document(&text), PolicyType::Resource(None));
    }
    assert_eq!(codes(&check(&nested, PolicyType::Identity)), ["JSON_SYNTAX_ERROR"]);
}
