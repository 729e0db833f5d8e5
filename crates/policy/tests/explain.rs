//! What explanations and messages of denials say.
#![expect(clippy::unwrap_used, reason = "test code")]

use daypass_policy::{
    Action, Arn, Audience, Context, Document, DocumentKind, Explanation, Guardrails, Policies, Policy,
    PolicySet, PolicySource, Principal, PrincipalPolicies, Request, Resource, ResourcePolicy, keys,
};
use std::sync::Arc;

const ACCOUNT: &str = "111122223333";

fn arn(text: &str) -> Arn {
    text.parse().unwrap()
}

fn managed(name: &str, text: &str) -> Arc<Policy> {
    let source = PolicySource::from(arn(&format!("arn:aws:iam::{ACCOUNT}:policy/{name}")));
    Policy::compile(source, Document::load(DocumentKind::Managed, text))
}

fn named(kind: DocumentKind, name: &str, text: &str) -> Arc<Policy> {
    Policy::compile(PolicySource::named(name), Document::load(kind, text))
}

fn statement(effect: &str, rest: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}",{rest}}}}}"#)
}

const ALL: &str = r#""Action":"*","Resource":"*""#;
const EC2: &str = r#""Action":"ec2:*","Resource":"*""#;

fn alice() -> Principal {
    Principal::user(&arn(&format!("arn:aws:iam::{ACCOUNT}:user/alice")), "AIDAALICE").unwrap()
}

fn app() -> Principal {
    Principal::role_session(&arn(&format!("arn:aws:iam::{ACCOUNT}:role/app")), "AROAAPP", "i-0abc").unwrap()
}

fn explain(policies: &Policies<'_>, principal: &Principal, action: &str, resource: &str) -> Explanation {
    let mut context = Context::new();
    principal.describe(&mut context);
    context.set(keys::SOURCE_IP, "198.51.100.7");
    context.set_list(keys::TAG_KEYS, ["team", "cost"]);
    let action = Action::new(action).unwrap();
    let resource = if resource == "*" { Resource::NONE } else { Resource::arn(resource).unwrap() };
    let request = Request::new(principal, &action, resource, &context).in_account(ACCOUNT.parse().unwrap());
    let explanation = policies.explain(&request);
    assert_eq!(explanation.decision, policies.decide(&request));
    explanation
}

#[test]
fn an_implicit_denial_names_what_came_close_and_by_what_it_failed() {
    let home = managed(
        "home",
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "OfficeOnly", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*",
     "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/24"]},
                   "Bool": {"aws:MultiFactorAuthPresent": true}}},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}/*",
     "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}},
    {"Effect": "Allow", "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": "arn:aws:s3:::b/*"},
    {"Effect": "Allow", "NotAction": ["s3:GetObject", "iam:*"], "NotResource": "arn:aws:s3:::b/*"},
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEqualz": {"a": "b"}}},
    {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::other/*"}
  ]
}"#,
    );
    let attached = PrincipalPolicies::builder().identity([home]).build();
    let explanation =
        explain(&Policies::of(&attached), &alice(), "s3:GetObject", "arn:aws:s3:::b/alice/*odd");
    insta::assert_snapshot!("implicit_text", explanation);
    // Whether a `Value` keeps the order of its members depends on who else is built.
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(
            "implicit_json",
            serde_json::from_str::<serde_json::Value>(&explanation.to_json()).unwrap()
        );
    });
}

#[test]
fn an_explicit_denial_names_the_statement_and_every_layer() {
    let allow = managed("allow", &statement("Allow", ALL));
    let deny = named(
        DocumentKind::ServiceControl,
        "region guard",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
  {"Sid":"Home","Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}"#,
    );
    let full = named(DocumentKind::ServiceControl, "FullAWSAccess", &statement("Allow", ALL));
    let levels = Guardrails::new([("Root", vec![full]), ("account", vec![deny])]).unwrap();
    let bucket = named(
        DocumentKind::Bucket,
        "bucket b",
        &statement(
            "Allow",
            r#""Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*""#,
        ),
    );
    let bucket = PolicySet::from(bucket);
    let attached = PrincipalPolicies::builder().identity([allow]).build();
    let policies = Policies::of(&attached).service_control(&levels).resource(ResourcePolicy::Grants(&bucket));
    let explanation = explain(&policies, &app(), "s3:GetObject", "arn:aws:s3:::b/k");
    insta::assert_snapshot!("explicit_text", explanation);
    insta::assert_snapshot!("explicit_json", explanation.to_json());
}

#[test]
fn an_allowance_names_who_allowed() {
    let bucket = named(
        DocumentKind::Bucket,
        "bucket b",
        &statement(
            "Allow",
            r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/x/app"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*""#,
        ),
    );
    let bucket = PolicySet::from(bucket);
    let attached = PrincipalPolicies::default();
    let policies = Policies::of(&attached).resource(ResourcePolicy::Grants(&bucket));
    insta::assert_snapshot!("allowed_text", explain(&policies, &app(), "s3:GetObject", "arn:aws:s3:::b/k"));
    let root = Principal::root(ACCOUNT.parse().unwrap());
    insta::assert_snapshot!(
        "root_text",
        explain(&Policies::of(&attached), &root, "s3:GetObject", "arn:aws:s3:::b/k")
    );
}

fn all() -> Arc<Policy> {
    managed("all", &statement("Allow", ALL))
}

fn deny() -> Arc<Policy> {
    managed("deny", &statement("Deny", ALL))
}

/// The clause for a session that asks for an object.
fn clause(policies: &Policies<'_>) -> Option<String> {
    explain(policies, &app(), "s3:GetObject", "arn:aws:s3:::b/k").clause(Audience::Organization)
}

/// The clauses of the guide's list (`troubleshoot_access-denied`), for what is attached to the principal.
#[test]
fn every_layer_of_the_principal_has_its_clauses() {
    let ec2 = || managed("ec2", &statement("Allow", EC2));
    let session = |text: &str| named(DocumentKind::Session, "session policy", text);
    let builder = PrincipalPolicies::builder;
    for (attached, expected) in [
        (builder(), "because no identity-based policy allows the s3:GetObject action"),
        (
            builder().identity([all(), deny()]),
            "with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/deny",
        ),
        (
            builder().identity([all()]).boundary(ec2()),
            "because no permissions boundary allows the s3:GetObject action",
        ),
        (
            builder().identity([all()]).boundary(deny()),
            "with an explicit deny in a permissions boundary: arn:aws:iam::111122223333:policy/deny",
        ),
        (
            builder().identity([all()]).session([session(&statement("Allow", EC2))]),
            "because no session policy allows the s3:GetObject action",
        ),
        (
            builder().identity([all()]).session([session(&statement("Deny", ALL))]),
            "with an explicit deny in a session policy",
        ),
    ] {
        let attached = attached.build();
        assert_eq!(clause(&Policies::of(&attached)).as_deref(), Some(expected));
    }
}

fn levels(kind: DocumentKind, name: &str, text: &str) -> Guardrails {
    let source = PolicySource::from(arn(&format!("arn:aws:organizations::999999999999:policy/o-1/{name}")));
    Guardrails::new([("Root", [Policy::compile(source, Document::load(kind, text))])]).unwrap()
}

/// The rest of the guide's list.
#[test]
fn every_other_layer_has_its_clauses() {
    let to_everyone = |effect: &str, actions: &str| {
        statement(effect, &format!(r#""Principal":"*","Action":"{actions}","Resource":"*""#))
    };
    let scp = |text: &str| levels(DocumentKind::ServiceControl, "service_control_policy/p-1", text);
    let rcp = |text: &str| levels(DocumentKind::ResourceControl, "resource_control_policy/p-2", text);
    let endpoint = |text: &str| PolicySet::from(named(DocumentKind::VpcEndpoint, "vpce-1", text));
    let (scp_silent, scp_deny) = (scp(&statement("Allow", EC2)), scp(&statement("Deny", ALL)));
    let (rcp_silent, rcp_deny) = (rcp(&to_everyone("Allow", "ec2:*")), rcp(&to_everyone("Deny", "*")));
    let (endpoint_silent, endpoint_deny) =
        (endpoint(&to_everyone("Allow", "ec2:*")), endpoint(&to_everyone("Deny", "*")));
    let bucket_deny = PolicySet::from(named(DocumentKind::Bucket, "bucket", &to_everyone("Deny", "s3:*")));
    let organization = "arn:aws:organizations::999999999999:policy/o-1";

    let allowed = PrincipalPolicies::builder().identity([all()]).build();
    let base = Policies::of(&allowed);
    for (policies, expected) in [
        (
            base.service_control(&scp_silent),
            "because no service control policy allows the s3:GetObject action",
        ),
        (
            base.service_control(&scp_deny),
            &format!(
                "with an explicit deny in a service control policy: {organization}/service_control_policy/p-1"
            ),
        ),
        (
            base.resource_control(&rcp_deny),
            &format!(
                "with an explicit deny in a resource control policy: {organization}/resource_control_policy/p-2"
            ),
        ),
        (base.endpoint(&endpoint_silent), "because no VPC endpoint policy allows the s3:GetObject action"),
        (base.endpoint(&endpoint_deny), "with an explicit deny in a VPC endpoint policy"),
        (
            base.resource(ResourcePolicy::Grants(&bucket_deny)),
            "with an explicit deny in a resource-based policy",
        ),
        (
            base.resource(ResourcePolicy::Required(None)),
            "because no resource-based policy allows the s3:GetObject action",
        ),
    ] {
        assert_eq!(clause(&policies).as_deref(), Some(expected));
    }
    // AWS has no words for a resource control policy that is silent.
    assert_eq!(clause(&base.resource_control(&rcp_silent)), None);
}

/// What the policy of each layer says, and who asks for what; all the other layers allow.
struct Layer {
    name: &'static str,
    policy: Arc<Policy>,
}

const LAYERS: [&str; 8] = [
    "identity",
    "boundary",
    "session",
    "resource",
    "trust",
    "endpoint",
    "service control",
    "resource control",
];

impl Layer {
    fn new(name: &'static str, effect: &str, actions: &str) -> Self {
        let principal = match name {
            "identity" | "boundary" | "session" | "service control" => "",
            _ => r#""Principal":{"AWS":"*"},"#,
        };
        let resource = if name == "trust" { "" } else { r#","Resource":"*""# };
        let kind = match name {
            "session" => DocumentKind::Session,
            "resource" => DocumentKind::Resource,
            "trust" => DocumentKind::Trust,
            "endpoint" => DocumentKind::VpcEndpoint,
            "service control" => DocumentKind::ServiceControl,
            "resource control" => DocumentKind::ResourceControl,
            _ => DocumentKind::Managed,
        };
        let condition = r#","Condition":{"StringEquals":{"aws:PrincipalType":"AssumedRole"}}"#;
        let text =
            statement(effect, &format!(r#""Sid":"It",{principal}"Action":"{actions}"{resource}{condition}"#));
        Self { name, policy: named(kind, &format!("the {name} policy"), &text) }
    }

    fn explain(&self) -> Explanation {
        let own = |name: &str| (self.name == name).then(|| Arc::clone(&self.policy));
        let all = || managed("all", &statement("Allow", ALL));
        let mut attached = PrincipalPolicies::builder().identity([own("identity").unwrap_or_else(all)]);
        if let Some(boundary) = own("boundary") {
            attached = attached.boundary(boundary);
        }
        let attached = attached.session(own("session")).build();
        let set = |name: &str| own(name).map(PolicySet::from);
        let (resource, trust, endpoint) = (set("resource"), set("trust"), set("endpoint"));
        let levels = |name: &str| own(name).map(|policy| Guardrails::new([("Root", [policy])]).unwrap());
        let (service, control) = (levels("service control"), levels("resource control"));
        let mut policies = Policies::of(&attached);
        if let Some(set) = &trust {
            policies = policies.resource(ResourcePolicy::Trust(set));
        }
        if let Some(set) = &resource {
            policies = policies.resource(ResourcePolicy::Required(Some(set)));
        }
        policies.endpoint = endpoint.as_ref();
        (policies.service_control, policies.resource_control) = (service.as_ref(), control.as_ref());
        let (action, target) = match self.name {
            "trust" => ("sts:AssumeRole", "arn:aws:iam::111122223333:role/web"),
            _ => ("s3:GetObject", "arn:aws:s3:::b/k"),
        };
        explain(&policies, &app(), action, target)
    }
}

/// One after the other, as text and as JSON.
fn every_layer(effect: &str, actions: &str) -> (String, Vec<serde_json::Value>) {
    let explained = LAYERS.map(|name| (name, Layer::new(name, effect, actions).explain()));
    let text = explained.iter().map(|(name, explained)| format!("== {name}\n{explained}"));
    let json = explained.iter().map(|(_, explained)| serde_json::from_str(&explained.to_json()).unwrap());
    (text.collect(), json.collect())
}

#[test]
fn a_silent_layer_says_what_came_close_and_the_least_that_would_allow_it() {
    let (text, json) = every_layer("Allow", "s3:Put*");
    insta::assert_snapshot!("silent_layers_text", text);
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!("silent_layers_json", json);
    });
    for (name, explained) in LAYERS.iter().zip(&json) {
        assert_eq!(explained["decision"], "implicitDeny", "{name}");
        assert_eq!(explained["nearMisses"][0]["sid"], "It", "{name}");
        assert!(explained["suggestions"].as_array().is_some_and(|list| list.len() == 1), "{name}");
    }
}

#[test]
fn a_layer_that_denies_names_the_statement_and_its_conditions() {
    let (text, json) = every_layer("Deny", "*");
    insta::assert_snapshot!("denying_layers_text", text);
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!("denying_layers_json", json);
    });
    for (name, explained) in LAYERS.iter().zip(&json) {
        assert_eq!(explained["decision"], "explicitDeny", "{name}");
        let denies = |layer: &&serde_json::Value| layer["verdict"] == "denies";
        let layer = explained["layers"].as_array().unwrap().iter().find(denies).unwrap();
        assert_eq!(layer["statements"][0]["conditions"][0]["actual"], "AssumedRole", "{name}");
    }
}

#[test]
fn a_trust_policy_has_its_own_clauses() {
    let attached = PrincipalPolicies::builder().identity([managed("all", &statement("Allow", ALL))]).build();
    let clause = |trust: &str| {
        let trust = PolicySet::from(named(DocumentKind::Trust, "trust of web", trust));
        let policies = Policies::of(&attached).resource(ResourcePolicy::Trust(&trust));
        explain(&policies, &alice(), "sts:AssumeRole", "arn:aws:iam::111122223333:role/web")
            .clause(Audience::Organization)
    };
    assert_eq!(
        clause(&statement(
            "Allow",
            r#""Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole""#
        ))
        .unwrap(),
        "because no role trust policy allows the sts:AssumeRole action"
    );
    assert_eq!(
        clause(&statement("Deny", r#""Principal":{"AWS":"*"},"Action":"sts:AssumeRole""#)).unwrap(),
        "with an explicit deny in the role trust policy"
    );
}

#[test]
fn messages_are_aws_s() {
    let attached = PrincipalPolicies::default();
    let policies = Policies::of(&attached);
    let of = |action: &str, resource: &str| explain(&policies, &alice(), action, resource);
    assert_eq!(
        of("s3:GetObject", "arn:aws:s3:::b/k").message(Audience::Organization, true),
        "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: s3:GetObject on resource: \
         \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:GetObject action"
    );
    assert_eq!(
        of("ec2:DescribeImages", "*").message(Audience::Organization, false),
        "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: ec2:DescribeImages because no \
         identity-based policy allows the ec2:DescribeImages action"
    );
    assert_eq!(
        of("iam:GetRole", "arn:aws:iam::111122223333:role/web").message(Audience::Outside, false),
        "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:GetRole on resource: \
         arn:aws:iam::111122223333:role/web"
    );
    assert_eq!(
        explain(&policies, &Principal::root(ACCOUNT.parse().unwrap()), "iam:X", "*")
            .clause(Audience::Organization),
        None
    );
}

#[test]
fn what_no_policy_decides_is_said_so() {
    let attached = PrincipalPolicies::builder().identity([managed("all", &statement("Allow", ALL))]).build();
    let policies = Policies::of(&attached);
    let explanation =
        explain(&policies, &alice(), "iam:DeletePolicy", "arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(&*explanation.reason, "the resource is owned by AWS and cannot be changed");
    assert!(explanation.suggestions.is_empty() && explanation.near_misses.is_empty());
    assert_eq!(explanation.clause(Audience::Organization), None);
    let deny = PrincipalPolicies::builder().identity([managed("deny", &statement("Deny", ALL))]).build();
    let explanation = explain(&Policies::of(&deny), &alice(), "sts:GetCallerIdentity", "*");
    assert!(explanation.decision.is_allowed());
    assert_eq!(&*explanation.reason, "the action needs no permission");
}

#[test]
fn what_a_request_says_cannot_break_a_line_or_flood_a_record() {
    let attached = PrincipalPolicies::builder()
        .identity([managed(
            "p",
            &statement(
                "Allow",
                r#""Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"x"}}"#,
            ),
        )])
        .build();
    let mut context = Context::new();
    let hostile = format!("a\n\"decision\":\"allowed\"\u{1b}[31m{}", "x".repeat(10_000));
    context.set("s3:prefix", hostile.as_str());
    let action = Action::new("s3:ListBucket").unwrap();
    let principal = alice();
    let request = Request::new(&principal, &action, Resource::arn("arn:aws:s3:::b").unwrap(), &context);
    let explanation = Policies::of(&attached).explain(&request);
    let (text, json) = (explanation.to_string(), explanation.to_json());
    assert!(!text.contains('\u{1b}') && !text.contains("\n\"decision\""), "{text}");
    assert_eq!(json.lines().count(), 1);
    assert!(json.len() < 2000 && text.len() < 2000, "{} {}", json.len(), text.len());
}
