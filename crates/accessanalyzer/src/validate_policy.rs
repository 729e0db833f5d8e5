//! `access-analyzer:ValidatePolicy`: what is wrong with a policy, and what could be better.

use daypass_core::model::Enumeration as _;
use daypass_core::model::accessanalyzer::{
    Location, PathElement, PolicyType, Position, Span, Substring, ValidatePolicyFinding,
    ValidatePolicyFindingType, ValidatePolicyRequest, ValidatePolicyResponse, errors, ops,
};
use daypass_core::policy::{self, check};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Purpose, operation};

operation!(VALIDATE_POLICY, ops::ValidatePolicy, checks, run);

/// The findings of an answer where the request does not say, and the most of any. AWS names neither.
const PAGE: usize = 100;

fn checks(_: &Cx, _: &Tx<'_>, _: &ValidatePolicyRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all("access-analyzer:ValidatePolicy").into())
}

/// The texts are English whatever `locale` says: AWS does not publish the others.
fn run(cx: &Cx, _: &mut Tx<'_>, input: ValidatePolicyRequest) -> Result<ValidatePolicyResponse, Error> {
    let most = match input.max_results {
        None => PAGE,
        Some(asked) => match usize::try_from(asked) {
            Ok(asked @ 1..) => asked.min(PAGE),
            _ => return Err(invalid("maxResults must be greater than 0.").into()),
        },
    };
    let first = input.next_token.as_deref().map(|token| open_token(cx, token)).transpose()?.unwrap_or(0);
    // The same document always has the same findings, so a token is how many were given.
    let findings = check::check(&input.policy_document, policy_type(&input));
    let more = findings.len() > first.saturating_add(most);
    let next_token = if more { Some(seal_token(cx, first.saturating_add(most))?) } else { None };
    let findings = findings.into_iter().skip(first).take(most).map(describe).collect();
    Ok(ValidatePolicyResponse { findings, next_token })
}

/// A type of resource only counts for a policy of a resource.
fn policy_type(input: &ValidatePolicyRequest) -> check::PolicyType {
    match input.policy_type {
        PolicyType::IDENTITYPOLICY => check::PolicyType::Identity,
        PolicyType::RESOURCEPOLICY => {
            let kind = input.validate_policy_resource_type;
            check::PolicyType::Resource(kind.and_then(|kind| check::ResourceType::from_name(kind.as_str())))
        }
        PolicyType::SERVICECONTROLPOLICY => check::PolicyType::ServiceControl,
        PolicyType::RESOURCECONTROLPOLICY => check::PolicyType::ResourceControl,
    }
}

fn describe(finding: check::Finding) -> ValidatePolicyFinding {
    ValidatePolicyFinding {
        finding_type: match finding.code.finding_type() {
            check::FindingType::Error => ValidatePolicyFindingType::ERROR,
            check::FindingType::SecurityWarning => ValidatePolicyFindingType::SECURITYWARNING,
            check::FindingType::Warning => ValidatePolicyFindingType::WARNING,
            check::FindingType::Suggestion => ValidatePolicyFindingType::SUGGESTION,
        },
        issue_code: finding.code.as_str().to_owned(),
        learn_more_link: finding.code.learn_more(),
        finding_details: finding.message,
        locations: finding.locations.into_iter().map(location).collect(),
    }
}

fn location(location: check::Location) -> Location {
    Location {
        span: Span {
            start: position(location.span.start, location.start_offset),
            end: position(location.span.end, location.end_offset),
        },
        path: location.path.into_iter().map(path_element).collect(),
    }
}

/// Lines are counted from one, columns and offsets from zero (Access Analyzer API Reference, Position).
fn position(at: policy::Position, offset: usize) -> Position {
    let column = i32::try_from(at.column).unwrap_or(i32::MAX);
    Position {
        line: i32::try_from(at.line).unwrap_or(i32::MAX),
        column: column.saturating_sub(1),
        offset: number(offset),
    }
}

fn path_element(element: check::PathElement) -> PathElement {
    let none = PathElement::default();
    match element {
        check::PathElement::Index(index) => PathElement { index: Some(number(index)), ..none },
        check::PathElement::Key(key) => PathElement { key: Some(key.into()), ..none },
        check::PathElement::Value(key) => PathElement { value: Some(key.into()), ..none },
        check::PathElement::Substring { start, length } => {
            let substring = Substring { start: number(start), length: number(length) };
            PathElement { substring: Some(substring), ..none }
        }
    }
}

/// Documents are far smaller than what does not fit.
fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn invalid(words: &'static str) -> Fault {
    Fault::new(&errors::VALIDATION_EXCEPTION, words)
}

/// How many findings were given, sealed for the account and the operation: callers cannot make one.
fn seal_token(cx: &Cx, given: usize) -> Result<String, Error> {
    Ok(cx.state().ring.seal(Purpose::Pagination, bound_to(cx).as_bytes(), given.to_string().as_bytes())?)
}

fn open_token(cx: &Cx, token: &str) -> Result<usize, Fault> {
    let invalid = || invalid("The specified nextToken is not valid.");
    let plain = cx.state().ring.open(Purpose::Pagination, bound_to(cx).as_bytes(), token);
    let plain = plain.map_err(|_| invalid())?;
    std::str::from_utf8(plain.expose()).ok().and_then(|text| text.parse().ok()).ok_or_else(invalid)
}

fn bound_to(cx: &Cx) -> String {
    format!("access-analyzer:ValidatePolicy {}", cx.account())
}

#[cfg(test)]
mod tests {
    use daypass_core::testing::{Client, TestServer};
    use serde_json::{Value, json};

    async fn validate(client: &Client, query: &str, input: &Value) -> Value {
        let answer = client.rest("accessanalyzer", "POST", "/policy/validation", query, input).await.ok();
        serde_json::from_str(&answer.body).unwrap()
    }

    fn codes(answer: &Value) -> Vec<&str> {
        let findings = answer["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["issueCode"].as_str().unwrap()).collect()
    }

    fn policy(statement: &Value) -> String {
        json!({"Version": "2012-10-17", "Statement": statement}).to_string()
    }

    #[tokio::test]
    async fn findings_have_aws_shape_and_places() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        let document = "{\"Version\": \"2012-10-17\",\n \"Statement\": {\"Effect\": \"Allow\", \"Action\": [],\n  \
                        \"Resource\": \"arn:aws:s3:::b/${}\"}}";
        let input = json!({"policyDocument": document, "policyType": "IDENTITY_POLICY", "locale": "EN"});
        let answer = validate(&administrator, "", &input).await;
        assert_eq!(codes(&answer), ["EMPTY_ARRAY_ACTION", "EMPTY_VARIABLE"]);
        let [first, second] = answer["findings"].as_array().unwrap().as_slice() else { panic!("{answer}") };
        assert_eq!(
            *first,
            json!({
                "findingDetails": "This statement includes no actions and does not affect the policy. Specify actions.",
                "findingType": "SUGGESTION",
                "issueCode": "EMPTY_ARRAY_ACTION",
                "learnMoreLink": "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html\
                    #access-analyzer-reference-policy-checks-suggestion-empty-array-action",
                "locations": [{
                    "path": [{"value": "Statement"}, {"value": "Action"}],
                    "span": {
                        "start": {"line": 2, "column": 44, "offset": 70},
                        "end": {"line": 2, "column": 46, "offset": 72},
                    },
                }],
            })
        );
        let path = second["locations"][0]["path"].as_array().unwrap();
        assert_eq!(path.last().unwrap(), &json!({"substring": {"start": 15, "length": 3}}));
        assert!(answer.get("nextToken").is_none());
    }

    #[tokio::test]
    async fn each_type_of_policy_is_checked_as_what_it_is() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        let document =
            policy(&json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}));
        for (policy_type, resource_type, expected) in [
            ("IDENTITY_POLICY", None, vec!["UNSUPPORTED_PRINCIPAL"]),
            ("RESOURCE_POLICY", None, vec![]),
            ("RESOURCE_POLICY", Some("AWS::S3::Bucket"), vec!["UNSUPPORTED_ACTION_IN_POLICY"]),
            (
                "RESOURCE_POLICY",
                Some("AWS::IAM::AssumeRolePolicyDocument"),
                vec![
                    "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
                    "UNSUPPORTED_ACTION_IN_POLICY",
                    "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE",
                ],
            ),
            ("SERVICE_CONTROL_POLICY", None, vec!["SCP_SYNTAX_ERROR_PRINCIPAL"]),
            ("RESOURCE_CONTROL_POLICY", None, vec![]),
        ] {
            let mut input = json!({"policyDocument": document, "policyType": policy_type});
            if let Some(kind) = resource_type {
                input["validatePolicyResourceType"] = json!(kind);
            }
            let answer = validate(&administrator, "", &input).await;
            let (mut found, mut expected) = (codes(&answer), expected);
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{policy_type} {resource_type:?}");
        }
    }

    #[tokio::test]
    async fn pages_follow_each_other_without_gap_or_repeat() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        let actions: Vec<String> = (0..5).map(|number| format!("s3:Nothing{number}")).collect();
        let document = policy(&json!({"Effect": "Deny", "Action": actions, "Resource": "*"}));
        let input = json!({"policyDocument": document, "policyType": "IDENTITY_POLICY"});
        let (mut seen, mut query) = (vec![], "maxResults=2".to_owned());
        loop {
            let page = validate(&administrator, &query, &input).await;
            let findings = page["findings"].as_array().unwrap();
            assert!(findings.len() <= 2);
            seen.extend(findings.iter().map(|f| f["locations"][0]["path"][2]["index"].as_i64().unwrap()));
            let Some(token) = page["nextToken"].as_str() else { break };
            let encoded = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            query = format!("maxResults=2&nextToken={encoded}");
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        for query in ["maxResults=0", "maxResults=-1", "nextToken=AAAA"] {
            let answer =
                administrator.rest("accessanalyzer", "POST", "/policy/validation", query, &input).await;
            assert_eq!(answer.refused().0, "ValidationException", "{query}");
        }
    }

    #[tokio::test]
    async fn it_asks_for_permission_and_takes_only_what_aws_knows() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let document = policy(&json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
        let input = json!({"policyDocument": document, "policyType": "IDENTITY_POLICY"});
        let path = "/policy/validation";
        let nobody = server.user("nobody", &[]).await;
        let refused = nobody.rest("accessanalyzer", "POST", path, "", &input).await.refused();
        assert_eq!(refused.0, "AccessDeniedException");
        assert_eq!(
            refused.1,
            "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: access-analyzer:ValidatePolicy \
             because no identity-based policy allows the access-analyzer:ValidatePolicy action"
        );
        let allowed = json!({"Effect": "Allow", "Action": "access-analyzer:ValidatePolicy", "Resource": "*"});
        let checker = server.user("checker", &[("check", &policy(&allowed))]).await;
        assert!(codes(&validate(&checker, "", &input).await).is_empty());
        let odd = json!({"policyDocument": document, "policyType": "BUCKET_POLICY"});
        let refused = checker.rest("accessanalyzer", "POST", path, "", &odd).await.refused();
        assert_eq!(refused.0, "ValidationException");
    }
}
