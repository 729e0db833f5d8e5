use daypass_model::sts::{GetCallerIdentityRequest, GetCallerIdentityResponse, ops};
use daypass_store::{AuditRecord, StoreError, Tx};
use daypass_wire::Fault;
use http::Request;
use serde_json::Value as Json;

use super::bounds::MAX_EVENT;
use crate::check::Checks;
use crate::cx::{Cx, Peer};
use crate::error::Error;
use crate::operation;
use crate::payload::full;
use crate::testing::TestServer;

const LONG: usize = 1 << 20;

operation!(BOAST, ops::GetCallerIdentity, boast_checks, boast);

fn boast_checks(_: &Cx, _: &Tx<'_>, _: &GetCallerIdentityRequest) -> Result<Checks, StoreError> {
    Ok(Checks::authenticated_only("a test"))
}

/// Says more of itself than fits, in the way that the caller's name is of.
fn boast(cx: &Cx, _: &mut Tx<'_>, _: GetCallerIdentityRequest) -> Result<GetCallerIdentityResponse, Error> {
    let long = "\u{1}".repeat(LONG);
    match cx.caller().username() {
        "adds" => cx.note("long", long),
        "explains" => {
            cx.trail().explanation =
                Some(format!(r#"{{"decision":"allowed","reason":"{}"}}"#, "x".repeat(LONG)))
        }
        "names" => {
            cx.trail().resources = (0..5000)
                .map(|n| format!("arn:aws:iam::123456789012:policy/{n}/{}", "p".repeat(5000)))
                .collect()
        }
        "code" => return Err(Fault::coded(long, 400, "").into()),
        _ => return Err(Fault::coded("Failed", 400, long).into()),
    }
    Ok(GetCallerIdentityResponse::default())
}

/// What a record holds besides its event.
fn beside(record: &AuditRecord) -> usize {
    let resources: usize = record.resources.iter().map(|(kind, name)| kind.len() + name.len()).sum();
    let explanation = record.explanation.as_deref().map_or(0, str::len);
    record.event_name.len() + record.username.len() + record.access_key_id.len() + resources + explanation
}

fn parsed(record: &AuditRecord) -> Json {
    serde_json::from_str(&record.event).unwrap()
}

#[tokio::test]
async fn who_proves_nothing_leaves_no_more_than_a_little_in_the_log() {
    let server = TestServer::new([&BOAST]).await;
    let peer = || Peer { address: [192, 0, 2, 1].into(), tls: None, instance: None };
    let form = ("content-type", "application/x-www-form-urlencoded");
    let long = |prefix: &str, length: usize| format!("{prefix}{}", "\u{1}".repeat(length));
    let quotes = "\"".repeat(100 << 10);
    let visible = "a".repeat(30 << 10);
    let whole = format!("/{visible}?{visible}");
    let bucket = format!("/{}", "%01".repeat(20 << 10));
    let target = format!("AmazonSSM.{visible}");
    for (method, uri, headers, body) in [
        ("POST", "/", vec![form], long("Action=", LONG)),
        ("POST", "/", vec![form], long("Action=x&Version=", LONG)),
        ("POST", "/", vec![form], format!("a{0}=b&a{0}=c", long("", LONG / 2))),
        ("POST", "/", vec![("x-amz-target", target.as_str())], long("", LONG)),
        ("POST", "/", vec![form, ("user-agent", &quotes)], "Action=x".to_owned()),
        ("GET", &whole, vec![("user-agent", &quotes), ("host", "127.0.0.1:4566")], String::new()),
        ("GET", &bucket, vec![("referer", &quotes)], String::new()),
        ("PUT", &bucket, vec![("origin", &visible)], String::new()),
        ("GET", "/", vec![("host", &visible), ("authorization", &visible)], String::new()),
    ] {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        server.gate.serve(peer(), request.body(full(body.into_bytes())).unwrap()).await;
        let record = server.audit().pop().unwrap();
        let sizes = (record.event.len(), beside(&record));
        assert!(sizes.0 <= 16 << 10 && sizes.1 <= 4 << 10, "{method} {sizes:?} {}", record.event_name);
        assert_eq!(parsed(&record)["eventName"], record.event_name.as_str());
    }
    let names: Vec<String> = server.audit().into_iter().map(|record| record.event_name).collect();
    assert!(names.iter().all(|name| name.chars().count() <= 128), "{names:?}");
}

#[tokio::test]
async fn no_record_is_longer_than_it_may_be_whatever_makes_it_long() {
    let server = TestServer::new([&BOAST]).await;
    for name in ["adds", "explains", "names", "code", "message"] {
        server.user(name, &[]).await.query("sts", "GetCallerIdentity", &[]).await;
        let record = server.audit().pop().unwrap();
        let sizes = (record.event.len(), beside(&record));
        assert!(sizes.0 <= MAX_EVENT && sizes.1 <= 2 * MAX_EVENT, "{name}: {sizes:?}");
        let event = parsed(&record);
        // Who did what when is never left out.
        assert_eq!(event["userIdentity"]["userName"], name);
        assert_eq!(
            (&event["eventName"], &event["eventID"]),
            (&"GetCallerIdentity".into(), &record.event_id.into())
        );
        if let Some(explanation) = record.explanation {
            assert_eq!(serde_json::from_str::<Json>(&explanation).unwrap()["decision"], "allowed");
        }
    }
}
