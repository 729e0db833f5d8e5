//! Whole decisions as tables: `tests/corpus/guide.jsonl` was written from AWS's IAM User Guide and each case names its
//! page. Tables that cannot be part of this project are read from the directory that `DAYPASS_POLICY_CORPUS` names.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "test code"
)]

use daypass_policy::{
    AccountId, Action, Context, Decision, Document, DocumentKind, Guardrails, Policies, Policy, PolicySet,
    PolicySource, Principal, PrincipalPolicies, Request, Resource, ResourcePolicy,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Case(Value);

impl Case {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    fn list(&self, field: &str) -> Vec<&Value> {
        self.0[field].as_array().map(|list| list.iter().collect()).unwrap_or_default()
    }

    fn is_set(&self, field: &str) -> bool {
        !self.0[field].is_null()
    }

    /// Each document with the kind it stands for.
    fn documents(&self) -> Vec<(DocumentKind, &Value)> {
        let mut documents = Vec::new();
        let levels = |field: &str| {
            self.list(field)
                .into_iter()
                .flat_map(|level| level["policies"].as_array().unwrap())
                .collect::<Vec<_>>()
        };
        for (kind, list) in [
            (DocumentKind::Inline, self.list("identity_policies")),
            (DocumentKind::Session, self.list("session_policies")),
            (DocumentKind::VpcEndpoint, self.list("vpce_policies")),
            (DocumentKind::ServiceControl, levels("scps")),
            (DocumentKind::ResourceControl, levels("rcps")),
            (DocumentKind::Inline, Some(&self.0["boundary"]).into_iter().filter(|b| !b.is_null()).collect()),
            (
                DocumentKind::Resource,
                Some(&self.0["resource_policy"]).into_iter().filter(|b| !b.is_null()).collect(),
            ),
        ] {
            documents.extend(list.into_iter().map(|document| (kind, document)));
        }
        documents
    }
}

fn load(kind: DocumentKind, document: &Value) -> Arc<Policy> {
    Policy::compile(PolicySource::named("case"), Document::load(kind, &document.to_string()))
}

fn principal(text: &str) -> Principal {
    let account = text.split(':').nth(4).unwrap_or_default();
    let iam = |rest: &str| format!("arn:aws:iam::{account}:{rest}").parse().unwrap();
    let resource = text.splitn(6, ':').nth(5).unwrap_or(text);
    match resource.split('/').collect::<Vec<_>>().as_slice() {
        ["anonymous"] => Principal::anonymous(),
        ["root"] => Principal::root(account.parse().unwrap()),
        ["user", ..] => Principal::user(&iam(resource), "AIDAEXAMPLEEXAMPLE").unwrap(),
        ["role", ..] => Principal::role_session(&iam(resource), "AROAEXAMPLEEXAMPLE", "session").unwrap(),
        ["assumed-role", role, session] => {
            Principal::role_session(&iam(&format!("role/{role}")), "AROAEXAMPLEEXAMPLE", session).unwrap()
        }
        ["federated-user", name] => {
            let user = Principal::user(&iam(&format!("user/{name}")), "AIDAEXAMPLEEXAMPLE").unwrap();
            Principal::federated_user(&user, name).unwrap()
        }
        ["oidc-provider" | "saml-provider", ..] => Principal::identity_provider(text),
        [service] if service.ends_with(".amazonaws.com") => Principal::service(service),
        other => panic!("principal {other:?}"),
    }
}

fn context(case: &Case) -> Context<'_> {
    let mut context = Context::new();
    for (key, value) in case.0["context"].as_object().unwrap() {
        match value {
            Value::Array(list) => context.set_list(key.as_str(), list.iter().map(|v| v.as_str().unwrap())),
            Value::String(text) => context.set(key.as_str(), text.as_str()),
            other => context.set(key.as_str(), other.to_string()),
        }
    }
    context
}

fn guardrails(kind: DocumentKind, levels: &[&Value]) -> Option<Guardrails> {
    let level = |level: &&Value| {
        let policies: Vec<_> = level["policies"].as_array().unwrap().iter().map(|p| load(kind, p)).collect();
        (level["org"].as_str().unwrap().to_owned(), policies)
    };
    (!levels.is_empty()).then(|| Guardrails::new(levels.iter().map(level)).unwrap())
}

fn decide(case: &Case) -> Decision {
    let identity = case.list("identity_policies");
    let session = case.list("session_policies");
    let mut attached = PrincipalPolicies::builder()
        .identity(identity.iter().map(|p| load(DocumentKind::Inline, p)))
        .session(session.iter().map(|p| load(DocumentKind::Session, p)));
    if case.is_set("boundary") {
        attached = attached.boundary(load(DocumentKind::Inline, &case.0["boundary"]));
    }
    let attached = attached.build();
    let (scps, rcps) = (case.list("scps"), case.list("rcps"));
    let (scps, rcps) =
        (guardrails(DocumentKind::ServiceControl, &scps), guardrails(DocumentKind::ResourceControl, &rcps));
    let endpoint = case.list("vpce_policies");
    let endpoint = PolicySet::new(endpoint.iter().map(|p| load(DocumentKind::VpcEndpoint, p)));
    let own = case
        .is_set("resource_policy")
        .then(|| PolicySet::from(load(DocumentKind::Resource, &case.0["resource_policy"])));

    let action = Action::new(case.text("action")).unwrap();
    let resource = match case.text("resource") {
        "*" => Resource::NONE,
        _ if case.0["wildcard_only_action"] == true => Resource::NONE,
        arn => Resource::arn(arn).unwrap(),
    };
    let needs_policy = (action.as_str().starts_with("sts:AssumeRole")
        && case.text("resource").contains(":role/"))
        || (action.as_str().starts_with("kms:") && case.text("resource").contains(":key/"));
    let mut policies = Policies::of(&attached).resource(match &own {
        own if needs_policy => ResourcePolicy::Required(own.as_ref()),
        Some(own) => ResourcePolicy::Grants(own),
        None => ResourcePolicy::None,
    });
    policies.service_control = scps.as_ref();
    policies.resource_control = rcps.as_ref();
    policies.endpoint = (!case.list("vpce_policies").is_empty()).then_some(&endpoint);

    let principal = principal(case.text("principal"));
    let context = context(case);
    let account: AccountId = case.text("resource_account").parse().unwrap();
    policies.decide(&Request::new(&principal, &action, resource, &context).in_account(account))
}

fn expected(case: &Case) -> Decision {
    match case.text("expected") {
        "allowed" => Decision::Allowed,
        "implicit_deny" => Decision::ImplicitDeny,
        "explicit_deny" => Decision::ExplicitDeny,
        other => panic!("expected {other}"),
    }
}

fn read(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| Case(serde_json::from_str(line).unwrap())).collect()
}

fn own_table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/guide.jsonl")
}

/// Decides every case and returns a line for each that came out otherwise.
fn run(path: &Path) -> Vec<String> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let (mut passed, mut silent, mut silent_otherwise, mut failures) = (0, 0, 0, Vec::new());
    for case in read(path) {
        let (decided, expected) = (decide(&case), expected(&case));
        if case.is_set("guide_silent") {
            silent += 1;
            silent_otherwise += usize::from(decided != expected);
        } else if decided == expected {
            passed += 1;
        } else {
            failures.push(format!(
                "{} ({}): {decided:?}, expected {expected:?}",
                case.text("id"),
                case.text("name")
            ));
        }
    }
    println!(
        "{name}: {passed} passed, {} failed; the guide is silent on {silent}, of which {silent_otherwise} came out \
         otherwise than the source has them",
        failures.len()
    );
    failures
}

#[test]
fn every_case_of_the_guide_is_decided_as_the_guide_says() {
    let failures = run(&own_table());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The tables of other projects, where somebody has them.
#[test]
#[expect(clippy::disallowed_methods, reason = "the tables cannot be part of this project")]
fn every_case_of_other_projects_is_decided_as_the_guide_says() {
    let Some(directory) = std::env::var_os("DAYPASS_POLICY_CORPUS") else {
        println!("skipped: DAYPASS_POLICY_CORPUS names no directory");
        return;
    };
    let mut tables: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    tables.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    tables.sort();
    let failures: Vec<String> = tables.iter().flat_map(|path| run(path)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The one that comes with every organization: no customer could write it.
fn is_full_access(document: &Value) -> bool {
    document.to_string().contains("\"Allow\"")
}

/// Documents that AWS would not store are refused at the door, and those it would store are taken. Returns how many cases
/// were taken, refused, and taken with an ARN that the table holds for too short; and what was refused unexpectedly.
fn check_doors(path: &Path) -> ([usize; 3], Vec<String>) {
    let mut counts = [0; 3];
    let mut unexpected = Vec::new();
    for case in read(path) {
        let problems: Vec<String> = case
            .documents()
            .into_iter()
            .filter(|(kind, document)| *kind != DocumentKind::ResourceControl || !is_full_access(document))
            .filter_map(|(kind, document)| {
                Some(format!("{kind:?} {}", Document::parse(kind, &document.to_string()).err()?))
            })
            .collect();
        let reason = case.text("invalid_document");
        // The table says so in its own words.
        let refused_by_aws = case.text("ambiguous").contains("refused at write time");
        match (reason.is_empty() && !refused_by_aws, problems.is_empty()) {
            (true, true) => counts[0] += 1,
            (false, false) => counts[1] += 1,
            (true, false) => unexpected.push(format!("{}: {problems:?}", case.text("id"))),
            (false, true) => {
                // IAM takes an ARN that lacks its last parts, see `invalid_resource` in the rules; and the full access
                // that RCPs begin with is not written by customers.
                let known =
                    reason.ends_with("ARN with fewer than six parts") || reason == "rcps: no Principal";
                assert!(known, "{}: taken, but {reason}", case.text("id"));
                counts[2] += 1;
            }
        }
    }
    (counts, unexpected)
}

#[test]
fn the_door_takes_what_aws_takes() {
    let (counts, unexpected) = check_doors(&own_table());
    println!("guide.jsonl: documents of {counts:?} cases taken, refused, taken with a short ARN");
    assert_eq!(unexpected, Vec::<String>::new());
    assert_eq!(counts, [346, 1, 4]);
}

/// Other tables do not always say which of their documents AWS would refuse: what is refused here is only printed.
#[test]
#[expect(clippy::disallowed_methods, reason = "the tables cannot be part of this project")]
fn the_door_in_other_tables() {
    let Some(directory) = std::env::var_os("DAYPASS_POLICY_CORPUS") else {
        println!("skipped: DAYPASS_POLICY_CORPUS names no directory");
        return;
    };
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let (counts, unexpected) = check_doors(&path);
            println!(
                "{}: {counts:?} taken, refused, taken with a short ARN\n{}",
                path.display(),
                unexpected.join("\n")
            );
        }
    }
}
