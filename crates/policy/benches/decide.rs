//! How long a decision takes. `DAYPASS_POLICY_WORKLOAD` may name a workload of one user's policies and the requests it
//! makes, as JSON with `principal`, `policies` and `requests`; without it one of the same kind is made up here.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads its input from outside and may stop where that is wrong"
)]

use daypass_policy::{
    Action, Context, Decision, Document, DocumentKind, Policies, Policy, PolicySource, Principal,
    PrincipalPolicies, Request, Resource,
};
use divan::{Bencher, counter::ItemsCount};
use serde_json::{Value, json};
use std::hint::black_box;
use std::sync::Arc;

fn main() {
    divan::main();
}

/// A small generator of numbers that look random: the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const ACTIONS: [&str; 6] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:RestoreObject",
];
const PATTERNS: [&str; 6] =
    ["s3:GetObject", "s3:Get*", "s3:*Object", "s3:PutObject*", "s3:Delete*", "s3:RestoreObject"];
const BUCKETS: [&str; 6] = ["app-prod", "data-dev", "logs-eu", "team-us", "backup-test", "media-eu"];
const KEYS: [&str; 5] = ["*", "home/${aws:username}/*", "*.csv", "reports/*/final.*", "in/*"];

fn made_up() -> Value {
    let mut dice = Dice(20_261_122);
    let statement = |dice: &mut Dice| {
        let mut statement = json!({
            "Effect": if dice.below(5) == 0 { "Deny" } else { "Allow" },
            "Action": [dice.pick(&PATTERNS), dice.pick(&PATTERNS)],
            "Resource": [format!("arn:aws:s3:::{}/{}", dice.pick(&BUCKETS), dice.pick(&KEYS))],
        });
        match dice.below(5) {
            0 => {
                statement["Condition"] =
                    json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/24"]}})
            }
            1 => statement["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}}),
            _ => (),
        }
        statement
    };
    let policies: Vec<Value> = (0..20)
        .map(|_| json!({"Version": "2012-10-17", "Statement": [statement(&mut dice), statement(&mut dice), statement(&mut dice)]}))
        .collect();
    let requests: Vec<Value> = (0..1000)
        .map(|_| {
            let file = dice.pick(&["home/alice/f.csv", "reports/2026/final.pdf", "in/x/y/z.bin"]);
            json!({
                "action": dice.pick(&ACTIONS),
                "resource": format!("arn:aws:s3:::{}/{file}", dice.pick(&BUCKETS)),
                "context": {"aws:username": "alice", "aws:SourceIp": "10.1.2.3", "aws:SecureTransport": "true"},
            })
        })
        .collect();
    json!({"principal": "arn:aws:iam::123456789012:user/alice", "policies": policies, "requests": requests})
}

fn workload() -> Value {
    match std::env::var_os("DAYPASS_POLICY_WORKLOAD") {
        Some(path) => serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
        None => made_up(),
    }
}

fn compile(document: &Value) -> Arc<Policy> {
    Policy::compile(
        PolicySource::named("bench"),
        Document::load(DocumentKind::Managed, &document.to_string()),
    )
}

/// Policies that are about other things: half about another service, half about other buckets.
fn unrelated(count: usize) -> impl Iterator<Item = Arc<Policy>> {
    (0..count).map(|number| {
        let (action, resource) = match number % 2 {
            0 => (format!("service{number}:Get*"), "*".to_owned()),
            _ => ("s3:GetObject".to_owned(), format!("arn:aws:s3:::unrelated-{number}/*")),
        };
        compile(&json!({
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": action, "Resource": resource},
        }))
    })
}

fn run(bencher: Bencher<'_, '_>, unrelated_policies: usize) {
    let workload = workload();
    let principal =
        Principal::user(&workload["principal"].as_str().unwrap().parse().unwrap(), "AIDAEXAMPLE").unwrap();
    let own = workload["policies"].as_array().unwrap().iter().map(compile);
    let attached = PrincipalPolicies::builder().identity(own).identity(unrelated(unrelated_policies)).build();
    let requests = workload["requests"].as_array().unwrap();
    let parts: Vec<_> = requests
        .iter()
        .map(|request| {
            let mut context = Context::new();
            for (key, value) in request["context"].as_object().unwrap() {
                context.set(key.as_str(), value.as_str().unwrap());
            }
            (
                Action::new(request["action"].as_str().unwrap()).unwrap(),
                Resource::arn(request["resource"].as_str().unwrap()).unwrap(),
                context,
            )
        })
        .collect();
    let policies = Policies::of(&attached);
    bencher.counter(ItemsCount::new(parts.len())).bench(|| {
        let decide = |(action, resource, context): &(Action<'_>, Resource<'_>, Context<'_>)| {
            policies.decide(black_box(&Request::new(&principal, action, *resource, context)))
        };
        parts.iter().filter(|part| decide(part) == Decision::Allowed).count()
    });
}

/// The workload with ever more policies beside it that are about something else.
#[divan::bench(args = [0, 10, 100, 1000])]
fn decisions(bencher: Bencher<'_, '_>, unrelated_policies: usize) {
    run(bencher, unrelated_policies);
}

/// What a front end does for each request: a context of twelve keys, the action and the resource.
#[divan::bench]
fn building_a_request(bencher: Bencher<'_, '_>) {
    use daypass_policy::{Timestamp, keys};
    let principal =
        Principal::user(&"arn:aws:iam::123456789012:user/alice".parse().unwrap(), "AIDAEXAMPLE").unwrap();
    let address: std::net::IpAddr = "192.0.2.1".parse().unwrap();
    bencher.bench(|| {
        let mut context = Context::with_capacity(16);
        principal.describe(&mut context);
        context.set(keys::SOURCE_IP, address);
        context.set(keys::SECURE_TRANSPORT, true);
        context.set(keys::CURRENT_TIME, Timestamp::from_seconds(1_790_000_000));
        context.set(keys::EPOCH_TIME, 1_790_000_000_i64);
        context.set(keys::REQUESTED_REGION, "us-east-1");
        context.set(keys::USER_AGENT, black_box("aws-cli/2"));
        let action = Action::new(black_box("s3:GetObject")).unwrap();
        let resource = Resource::arn(black_box("arn:aws:s3:::bucket/key")).unwrap();
        black_box((context, action, resource));
    });
}

/// Compiling a document of sixty statements.
#[divan::bench]
fn compiling_a_document(bencher: Bencher<'_, '_>) {
    let statements: Vec<Value> = made_up()["policies"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|p| p["Statement"].as_array().unwrap().clone())
        .collect();
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    bencher.bench(|| {
        Policy::compile(PolicySource::named("bench"), Document::parse(DocumentKind::Managed, &text).unwrap())
    });
}
