use super::*;

/// What AWS answers to a managed policy with this statement, or nothing where it is taken.
fn answer(kind: DocumentKind, text: &str) -> Option<String> {
    Document::parse(kind, text).err().map(|error| error.aws_message())
}

fn managed(statement: &str) -> Option<String> {
    answer(DocumentKind::Managed, &format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#))
}

const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";
const OLD: &str = "Policy document must be version 2012-10-17 or greater.";
const NO_ACTIONS: &str = "Policy statement must contain actions.";
const NO_RESOURCES: &str = "Policy statement must contain resources.";
const PREFACED: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";

/// Messages for managed policies as recorded from AWS in moto's `test_iam_policies.py` (Apache-2.0).
#[test]
fn documents_are_refused_with_the_recorded_messages() {
    let ok = r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}"#;
    for (text, message) in [
        ("This is not a json document".to_owned(), SYNTAX),
        (format!(r#"{{"Statement":{ok}}}"#), OLD),
        (format!(r#"{{"Version":"2008-10-17","Statement":{ok}}}"#), OLD),
        (format!(r#"{{"Version":"2013-10-17","Statement":{ok}}}"#), SYNTAX),
        (r#"{"Version":"2012-10-17"}"#.to_owned(), SYNTAX),
        (format!(r#"{{"Version":"2012-10-17","Statement":{ok},"Extra field":"value"}}"#), SYNTAX),
        (format!(r#"{{"Version":"2012-10-17","Id":["x"],"Statement":{ok}}}"#), SYNTAX),
        (format!(r#"{{"Version":"2012-10-17","Id":{{}},"Statement":{ok}}}"#), SYNTAX),
        // The version comes before what is found in the statements.
        (r#"{"Statement":{"Effect":"denY","Action":"s3:L","Resource":"arn:aws:s3:::b"}}"#.to_owned(), OLD),
    ] {
        assert_eq!(answer(DocumentKind::Managed, &text).as_deref(), Some(message), "{text}");
    }
}

#[test]
fn statements_are_refused_with_the_recorded_messages() {
    for (statement, message) in [
        (r#"["afd"]"#, SYNTAX),
        ("[]", SYNTAX),
        (r#"{"Effect":"Allow","Action":"s3:L","Resource":"arn:aws:s3:::b","Extra field":"value"}"#, SYNTAX),
        (r#"{"Effect":"invalid","Action":"s3:L","Resource":"arn:aws:s3:::b"}"#, SYNTAX),
        (r#"{"Action":"s3:L","Resource":"arn:aws:s3:::b"}"#, SYNTAX),
        (r#"{"Effect":"Allow"}"#, NO_ACTIONS),
        (r#"{"Effect":"Allow","Action":[],"Resource":"arn:aws:s3:::b"}"#, NO_ACTIONS),
        (r#"{"Effect":"Allow","Resource":"arn:aws:s3:::b"}"#, NO_ACTIONS),
        (r#"{"Effect":"Allow","Action":"s3:L"}"#, NO_RESOURCES),
        (r#"{"Effect":"Allow","Action":"s3:L","Resource":[]}"#, NO_RESOURCES),
        (r#"{"Effect":"Allow","Action":"invalid","Resource":"arn:aws:s3:::b"}"#, PREFACED),
        (r#"{"Effect":"Allow","NotAction":"","Resource":"arn:aws:s3:::b"}"#, PREFACED),
        (r#"{"Effect":"Allow","Action":"invalid"}"#, PREFACED),
        (r#"{"Effect":"Allow","Action":"a a:L","Resource":"arn:aws:s3:::b"}"#, "Vendor a a is not valid"),
        (
            r#"{"Effect":"Allow","Action":"s3:List:Bucket","Resource":"arn:aws:s3:::b"}"#,
            "Actions/Condition can contain only one colon.",
        ),
        (r#"{"Effect":"Allow","Action":["s3:L",[]],"Resource":"arn:aws:s3:::b"}"#, SYNTAX),
        (r#"{"Effect":"Allow","Action":{},"Resource":"arn:aws:s3:::b"}"#, SYNTAX),
        (r#"{"Effect":"Allow","NotAction":"s3:L","Action":[],"Resource":"arn:aws:s3:::b"}"#, SYNTAX),
        (r#"{"Effect":"Allow","Action":"s3:L","Resource":"arn:aws:s3:::b","NotResource":"*"}"#, SYNTAX),
        (r#"{"Effect":"Allow","Action":"s3:L","Resource":{"a":"arn:aws:s3:::b"}}"#, SYNTAX),
        (r#"{"Sid":{},"Effect":"Allow","Action":"s3:L","Resource":"arn:aws:s3:::b"}"#, SYNTAX),
        (
            r#"[{"Sid":"a","Effect":"Allow","Action":"s3:L","Resource":"*"},{"Sid":"a","Effect":"Allow"}]"#,
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            r#"{"Sid":"a b","Effect":"Allow","Action":"s3:L","Resource":"*"}"#,
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"s3:L","Resource":"*"}"#,
            "Policy document should not specify a principal.",
        ),
        (r#"{"Effect":"denY","Action":"s3:L","Resource":"arn:aws:s3:::b"}"#, LEGACY),
        (r#"{"Effect":"allow","Resource":"arn:aws:s3:us-east-1::b"}"#, LEGACY),
        (r#"{"Effect":"Allow","Effect":"Allow","Action":"s3:L","Resource":"*"}"#, SYNTAX),
    ] {
        assert_eq!(managed(statement).as_deref(), Some(message), "{statement}");
    }
}

#[test]
fn resources_are_refused_with_the_recorded_messages() {
    let types = "user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, \
                 saml-provider/, oidc-provider/, report/, access-report/";
    for (resource, message) in [
        ("invalid resource", "Resource invalid resource must be in ARN format or \"*\"."),
        ("", "Resource  must be in ARN format or \"*\"."),
        ("a:bsdfdsafsad", "Partition \"bsdfdsafsad\" is not valid for resource \"arn:bsdfdsafsad:*:*:*:*\"."),
        ("a:b:cadfsdf", "Partition \"b\" is not valid for resource \"arn:b:cadfsdf:*:*:*\"."),
        ("a:b:c:d:e:f:g:h", "Partition \"b\" is not valid for resource \"arn:b:c:d:e:f:g:h\"."),
        ("aws:s3:::b", "Partition \"s3\" is not valid for resource \"arn:s3:::b:*\"."),
        ("arn:error:s3:::b", "Partition \"error\" is not valid for resource \"arn:error:s3:::b\"."),
        ("arn:aws", "Resource vendor must be fully qualified and cannot contain regexes."),
        ("arn:aws:*:::b", "Resource vendor must be fully qualified and cannot contain regexes."),
        (
            "arn:aws:iam:us-east-1::b",
            "IAM resource arn:aws:iam:us-east-1::b cannot contain region information.",
        ),
        ("arn:aws:s3:us-east-1::b", "Resource arn:aws:s3:us-east-1::b can not contain region information."),
        ("arn:aws:iam:::b", &format!("IAM resource path must either be \"*\" or start with {types}.")),
        ("arn:aws:s3::b", LEGACY),
        ("arn:aws::::b", LEGACY),
        ("arn:aws::fdsasf", LEGACY),
    ] {
        let statement = format!(r#"{{"Effect":"Allow","Action":"s3:L","Resource":"{resource}"}}"#);
        assert_eq!(managed(&statement).as_deref(), Some(message), "{resource}");
    }
}

#[test]
fn conditions_are_refused_with_the_recorded_messages() {
    for (condition, message) in [
        ("[]", SYNTAX),
        (r#""a""#, SYNTAX),
        (r#"{"a":"b"}"#, SYNTAX),
        (r#"{"DateGreaterThan":"b"}"#, SYNTAX),
        (r#"{"DateGreaterThan":{"a":{}}}"#, SYNTAX),
        (r#"{"x":{"a":"1"}}"#, SYNTAX),
        (r#"{"ForAnyValue::StringEqualsIfExists":{"a":"asf"}}"#, SYNTAX),
        (r#"{"NullIfExists":{"a":"true"}}"#, SYNTAX),
        (r#"{"StringEquals":{"a":"1"},"StringEquals":{"b":"1"}}"#, SYNTAX),
        (r#"{"StringEquals":{"a":"1","a":"2"}}"#, SYNTAX),
        (r#"{"DateGreaterThan":{"a":"sdfdsf"}}"#, LEGACY),
        (r#"{"DateLessThan":{"a":["2020-01-01","9223372036854775808"]}}"#, LEGACY),
    ] {
        let statement =
            format!(r#"{{"Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{condition}}}"#);
        assert_eq!(managed(&statement).as_deref(), Some(message), "{condition}");
    }
}

#[test]
fn what_aws_takes_is_taken() {
    for statement in [
        r#"{"Effect":"Allow","Action":"iam: asdf safdsf af ","Resource":["arn:aws:s3:::b","*"]}"#,
        r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam:::user/b"}"#,
        r#"{"Effect":"Allow","Action":"*:*","Resource":"arn:aws:fdsasf"}"#,
        r#"{"Effect":"Allow","Action":"s3-s.x:L","Resource":"arn:aws:sqs:*"}"#,
        r#"{"Effect":"Allow","NotAction":"s3:L","NotResource":"arn:aws-cn:ec2:us-east-1::b"}"#,
        r#"{"Effect":"Allow","Action":"kms:X","Resource":["arn:aws:kms:*:111122223333:key/*",null]}"#,
        r#"{"Effect":"Allow","Action":"s3:L","Resource":"arn:aws:s3:us-west-2:111122223333:accesspoint/x/object/*"}"#,
        r#"[{"Sid":"","Effect":"Allow","Action":"s3:L","Resource":"*"},{"Sid":"","Effect":"Deny","Action":"s3:L","Resource":"*"}]"#,
        r#"{"Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{}}"#,
        r#"{"Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"x":{},"DateGreaterThan":{"a":[]}}}"#,
        r#"{"Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"Bool":{"a":true},"NumericEquals":{"b":[1,2.5,"3"]}}}"#,
        r#"{"Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"DateLessThan":{"a":"-292275054"}}}"#,
    ] {
        assert_eq!(managed(statement), None, "{statement}");
    }
}

#[test]
fn trust_policies_have_their_own_rules_and_messages() {
    let trust = |statement: &str| answer(DocumentKind::Trust, &format!(r#"{{"Statement":{statement}}}"#));
    assert_eq!(
        trust(r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}"#),
        None
    );
    assert_eq!(
        trust(
            r#"{"Effect":"Allow","Principal":{"AWS":["111122223333","AROAEXAMPLEEXAMPLE123"]},"Action":["sts:AssumeRole","sts:Tag*"]}"#
        ),
        None
    );
    for (statement, message) in [
        (
            r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":"*"}"#,
            "Has prohibited field Resource",
        ),
        (r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#, "Missing required field Principal"),
        (
            r#"{"Effect":"Allow","Principal":{},"Action":"sts:AssumeRole"}"#,
            "Missing required field Principal cannot be empty!",
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#,
            "AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".",
        ),
        (
            r#"{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}"#,
            "AssumeRole policy must not contain NotPrincipal field.",
        ),
        (
            r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:TagSessions"}"#,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject"}"#,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::*:root"},"Action":"sts:AssumeRole"}"#,
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::*:root\"",
        ),
        (
            r#"{"Effect":"Allow","Principal":{"Service":"*"},"Action":"sts:AssumeRole"}"#,
            "Invalid principal in policy: \"SERVICE\":\"*\"",
        ),
    ] {
        assert_eq!(trust(statement).as_deref(), Some(message), "{statement}");
    }
}

#[test]
fn bucket_policies_have_s3s_rules_and_messages() {
    let bucket = |statement: &str| answer(DocumentKind::Bucket, &format!(r#"{{"Statement":{statement}}}"#));
    assert_eq!(
        answer(DocumentKind::Bucket, "x").as_deref(),
        Some("Policies must be valid JSON and the first byte must be '{'")
    );
    assert_eq!(answer(DocumentKind::Bucket, "{}").as_deref(), Some("Missing required field Statement"));
    for (statement, message) in [
        (r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#, None),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#,
            Some("Missing required field Principal"),
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Resource":"arn:aws:s3:::b/*"}"#,
            Some("Missing required field Action"),
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}"#,
            Some("Missing required field Resource"),
        ),
        (
            r#"{"Effect":"hello","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b"}"#,
            Some("Invalid effect: hello"),
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#,
            Some("Policy has invalid resource"),
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"ec2:X","Resource":"arn:aws:s3:::b"}"#,
            Some("Policy has invalid action"),
        ),
        (
            r#"{"Effect":"Allow","Principal":{"AWS":"x"},"Action":"s3:*","Resource":"arn:aws:s3:::b"}"#,
            Some("Invalid principal in policy"),
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b","X":1}"#,
            Some("Unknown field X"),
        ),
    ] {
        assert_eq!(bucket(statement).as_deref(), message, "{statement}");
    }
}

#[test]
fn a_bucket_policy_is_about_its_bucket() {
    let about = |resource: &str| {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","{resource}"]}}}}"#
        );
        Document::parse(DocumentKind::Bucket, &text)
            .unwrap()
            .check_bucket("b")
            .map_err(|error| error.aws_message())
    };
    assert_eq!(about("arn:aws:s3:::b/*"), Ok(()));
    for other in ["arn:aws:s3:::c", "arn:aws:s3:::bb/x", "arn:aws:s3:::*"] {
        assert_eq!(about(other), Err("Policy has invalid resource".into()), "{other}");
    }
}

#[test]
fn organizations_say_one_thing_whatever_is_wrong() {
    let message = "The provided policy document does not meet the requirements of the specified policy type.";
    for (kind, statement, taken) in [
        (DocumentKind::ServiceControl, r#"{"Effect":"Allow","NotAction":"iam:*User","Resource":"*"}"#, true),
        (
            DocumentKind::ServiceControl,
            r#"{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::b","Condition":{"Bool":{"a":"true"}}}"#,
            true,
        ),
        (
            DocumentKind::ServiceControl,
            r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#,
            false,
        ),
        (DocumentKind::ServiceControl, r#"{"Effect":"Deny","Action":"*","Resource":"arn:aws:sqs:*"}"#, false),
        (
            DocumentKind::ResourceControl,
            r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#,
            true,
        ),
        (
            DocumentKind::ResourceControl,
            r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#,
            false,
        ),
        (
            DocumentKind::ResourceControl,
            r#"{"Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}"#,
            false,
        ),
        (
            DocumentKind::ResourceControl,
            r#"{"Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*"}"#,
            false,
        ),
    ] {
        let answer = answer(kind, &format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#));
        assert_eq!(answer.as_deref(), (!taken).then_some(message), "{statement}");
    }
}

#[test]
fn inline_and_session_policies_may_be_of_2008() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"s3:L","Resource":"*"}}"#;
    for kind in [DocumentKind::Inline, DocumentKind::Session] {
        assert_eq!(Document::parse(kind, text).unwrap().effective_version(), Version::V2008);
    }
}

#[test]
fn the_characters_of_iam_documents_are_limited() {
    let text = |sid: &str| {
        format!(
            "{{\"Version\":\"2012-10-17\",\n \"Id\":\"{sid}\",\"Statement\":{{\"Effect\":\"Allow\",\"Action\":\"s3:L\",\"Resource\":\"*\"}}}}"
        )
    };
    assert!(Document::parse(DocumentKind::Managed, &text("é")).is_ok());
    let error = Document::parse(DocumentKind::Managed, &text("日")).unwrap_err();
    assert_eq!(error.to_string(), "2:8: the character `\\u{65e5}` is not taken in a policy");
    assert!(
        Document::parse(
            DocumentKind::Resource,
            &text("日").replace("\"Resource\"", "\"Principal\":\"*\",\"Resource\"")
        )
        .is_ok()
    );
}

#[test]
fn errors_name_the_place() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Effect\": \"Allow\", \"Action\": \"s3:*\",\n     \"Resource\": [\"*\", \"b\"]}\n  ]\n}";
    let error = Document::parse(DocumentKind::Managed, text).unwrap_err();
    assert_eq!(error.to_string(), "5:24: the resource `b` is neither an ARN nor `*`");
    assert_eq!(error.reason, Malformed::ResourceNotArn("b".into()));
}

#[test]
fn sizes_count_characters_with_and_without_white_space() {
    let text = "{ \"Sid\":\t\"é é\"\r\n}";
    assert_eq!(size(text), 17);
    assert_eq!(size_without_white_space(text), 12);
}

#[test]
fn the_document_keeps_every_element_and_its_place() {
    let text = r#"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"s","Effect":"Deny","NotPrincipal":{"AWS":["111122223333"],"Service":"a.b"},
"NotAction":["s3:*"],"NotResource":"*","Condition":{"Bool":{"k":true},"NumericEquals":{"n":[1,"2"]}}}]}"#;
    let document = Document::parse(DocumentKind::Resource, text).unwrap();
    let statement = &document.statements[0];
    assert_eq!(
        (document.id.as_ref().unwrap().value.as_ref(), statement.sid.as_ref().unwrap().value.as_ref()),
        ("i", "s")
    );
    assert_eq!(statement.effect.value, Effect::Deny);
    let principal = statement.principal.as_ref().unwrap();
    assert!(principal.inverted);
    let names: Vec<_> = principal.entries.iter().map(|entry| entry.value.clone()).collect();
    assert_eq!(names, [PrincipalName::Aws("111122223333".into()), PrincipalName::Service("a.b".into())]);
    assert!(statement.action.as_ref().unwrap().inverted && statement.resource.as_ref().unwrap().inverted);
    let conditions: Vec<String> = statement
        .conditions
        .iter()
        .map(|c| {
            format!(
                "{} {} {:?} at {}",
                c.operator.value.0,
                c.key.value,
                c.values.iter().map(|v| &*v.value).collect::<Vec<_>>(),
                c.key.span
            )
        })
        .collect();
    assert_eq!(conditions, ["Bool k [\"true\"] at 2:61", "NumericEquals n [\"1\", \"2\"] at 2:88"]);
}
