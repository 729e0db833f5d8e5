//! A decision allocates nothing: counted by an allocator that counts.
#![expect(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; this one hands everything on to the system's"
)]

use daypass_policy::{
    Action, Context, Decision, Document, DocumentKind, Guardrails, Policies, Policy, PolicySet, PolicySource,
    Principal, PrincipalPolicies, Request, Resource, ResourcePolicy, Timestamp, keys,
};
use serde_json::Value;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator unchanged; counting touches no memory but its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

fn policy(kind: DocumentKind, text: &str) -> Arc<Policy> {
    Policy::compile(PolicySource::named("test"), Document::load(kind, text))
}

/// The counter counts, or all else would pass for nothing.
#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

const IDENTITY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Deny","Action":"s3:Delete*","Resource":"arn:aws:s3:::b/locked/*"},
    {"Effect":"Deny","NotAction":["s3:*","sts:*"],"Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}},
    {"Effect":"Allow","Action":["s3:Get*","s3:*Object"],"Resource":["arn:aws:s3:::b/*/reports/*/final.*","arn:aws:s3:::b/home/${aws:username}/*",
        "arn:aws:s3:*:*:b/*?${aws:username}*","arn:aws:sqs:*"],
     "Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]},
        "StringLike":{"aws:UserAgent":["*cli*${aws:username, 'nobody'}*","aws-?li/*"]},
        "StringEqualsIgnoreCase":{"aws:username":"ALICE"},
        "DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"},
        "NumericLessThanEquals":{"aws:EpochTime":"9999999999"},
        "ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]},
        "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${aws:PrincipalAccount}:user/*"},
        "BinaryEquals":{"test:Binary":"QUI="},
        "Null":{"aws:SourceVpce":"true"}}}]}"#;

/// Every layer, most operators, and requests that end each way.
#[test]
fn no_decision_allocates() {
    let everything = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let to_everyone = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
    let to_account = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["111122223333","AROAX"]},"Action":"s3:*","Resource":"*"}}"#;
    let attached = PrincipalPolicies::builder()
        .identity([policy(DocumentKind::Managed, IDENTITY)])
        .boundary(policy(DocumentKind::Managed, everything))
        .session([policy(DocumentKind::Session, everything)])
        .build();
    let scps = Guardrails::new([("root", [policy(DocumentKind::ServiceControl, everything)])]).unwrap();
    let rcps = Guardrails::new([("root", [policy(DocumentKind::ResourceControl, to_everyone)])]).unwrap();
    let endpoint = PolicySet::from(policy(DocumentKind::VpcEndpoint, to_everyone));
    let bucket = PolicySet::from(policy(DocumentKind::Bucket, to_account));
    let policies = Policies::of(&attached)
        .service_control(&scps)
        .resource_control(&rcps)
        .endpoint(&endpoint)
        .resource(ResourcePolicy::Grants(&bucket));

    let alice = Principal::user(&"arn:aws:iam::111122223333:user/alice".parse().unwrap(), "AIDAX").unwrap();
    let mut context = Context::new();
    alice.describe(&mut context);
    context.set(keys::SOURCE_IP, "10.1.2.3");
    context.set(keys::USER_AGENT, "aws-cli/2 alice");
    context.set(keys::CURRENT_TIME, Timestamp::from_seconds(1_790_000_000));
    context.set(keys::EPOCH_TIME, 1_790_000_000_i64);
    context.set_list(keys::TAG_KEYS, ["team"]);
    context.set("test:Binary", &b"AB"[..]);

    for (action, resource, expected) in [
        ("s3:GetObject", "arn:aws:s3:::b/home/alice/x", Decision::Allowed),
        ("s3:PutObject", "arn:aws:s3:::b/2026/reports/q3/final.pdf", Decision::Allowed),
        ("s3:GetObject", "arn:aws:s3:::b/x alice y", Decision::Allowed),
        ("s3:GetObject", "arn:aws:s3:::b/home/bob/x", Decision::ImplicitDeny),
        ("s3:DeleteObject", "arn:aws:s3:::b/locked/x", Decision::ExplicitDeny),
        ("s3:GetObject", "arn:aws:sqs:us-east-1:111122223333:q", Decision::Allowed),
    ] {
        let mut decision = None;
        let count = allocations(|| {
            let action = Action::new(action).unwrap();
            let request = Request::new(&alice, &action, Resource::arn(resource).unwrap(), &context);
            decision = Some(policies.decide(&request));
        });
        assert_eq!((decision, count), (Some(expected), 0), "{action} {resource}");
    }
}

/// The benchmark's workload with its expected decisions, where somebody has them: `DAYPASS_POLICY_WORKLOAD` names the file,
/// `expected.json` lies beside it.
#[test]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the workload lies outside of the project"
)]
fn the_workload_is_decided_as_expected_and_allocates_nothing() {
    let Some(path) = std::env::var_os("DAYPASS_POLICY_WORKLOAD").map(std::path::PathBuf::from) else {
        println!("skipped: DAYPASS_POLICY_WORKLOAD names no file");
        return;
    };
    let read =
        |path: &std::path::Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let (workload, expected) = (read(&path), read(&path.with_file_name("expected.json")));
    let own = workload["policies"].as_array().unwrap();
    let attached = PrincipalPolicies::builder()
        .identity(own.iter().map(|document| policy(DocumentKind::Managed, &document.to_string())))
        .build();
    let policies = Policies::of(&attached);
    let principal =
        Principal::user(&workload["principal"].as_str().unwrap().parse().unwrap(), "AIDAX").unwrap();
    for (asked, expected) in workload["requests"].as_array().unwrap().iter().zip(expected.as_array().unwrap())
    {
        let mut context = Context::new();
        for (key, value) in asked["context"].as_object().unwrap() {
            context.set(key.as_str(), value.as_str().unwrap());
        }
        let action = Action::new(asked["action"].as_str().unwrap()).unwrap();
        let resource = Resource::arn(asked["resource"].as_str().unwrap()).unwrap();
        let mut decision = None;
        let count = allocations(|| {
            decision = Some(policies.decide(&Request::new(&principal, &action, resource, &context)))
        });
        let decided = match decision.unwrap() {
            Decision::Allowed => "Allowed",
            Decision::ImplicitDeny => "ImplicitlyDenied",
            Decision::ExplicitDeny => "ExplicitlyDenied",
        };
        assert_eq!((decided, count), (expected.as_str().unwrap(), 0), "{asked}");
    }
}

/// What is compiled is shared among threads as it is.
#[test]
fn what_is_compiled_is_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Policy>();
    shared::<PolicySet>();
    shared::<Guardrails>();
    shared::<PrincipalPolicies>();
    shared::<Document>();
    shared::<Principal>();
}
