//! How long a decision takes. `DAYPASS_POLICY_WORKLOAD` may name a workload of one user's policies and the requests it
//! makes, as JSON with `principal`, `policies` and `requests`; without it one of the same kind is made up here.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads its input from outside and may stop where that is wrong"
)]

mod workload;

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

fn workload() -> Value {
    match std::env::var_os("DAYPASS_POLICY_WORKLOAD") {
        Some(path) => serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
        None => workload::made_up(),
    }
}

fn compile(document: &Value) -> Arc<Policy> {
    Policy::compile(
        PolicySource::named("bench"),
        Document::load(DocumentKind::Managed, &document.to_string()),
    )
}

fn run(bencher: Bencher<'_, '_>, unrelated_policies: usize) {
    let workload = workload();
    let principal =
        Principal::user(&workload["principal"].as_str().unwrap().parse().unwrap(), "AIDAEXAMPLE").unwrap();
    let own = workload["policies"].as_array().unwrap().iter().map(compile);
    let others = workload::unrelated(unrelated_policies).map(|document| compile(&document));
    let attached = PrincipalPolicies::builder().identity(own).identity(others).build();
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
    let statements: Vec<Value> = workload::made_up()["policies"]
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
