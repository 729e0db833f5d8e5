//! Event notifications: who may configure them and how, what is told of a change, and to whom.

use std::collections::BTreeSet;

use daypass_core::outbox::Told as Noted;
use daypass_core::store::Read as _;
use daypass_core::testing::DESTINATIONS;
use serde_json::{Value, json};

use crate::support::{Account, ask, ask_with, refusal, refused};

const QUEUE: &str = DESTINATIONS[0];
const TOPIC: &str = DESTINATIONS[1];
const FUNCTION: &str = DESTINATIONS[2];
const BUS: &str = DESTINATIONS[3];

fn configuration(inside: &str) -> String {
    format!("<NotificationConfiguration>{inside}</NotificationConfiguration>")
}

/// A configuration of one destination.
fn one(arn: &str, id: &str, events: &[&str], filter: &[(&str, &str)]) -> String {
    let (element, name) = match arn.split(':').nth(2) {
        Some("sqs") => ("QueueConfiguration", "Queue"),
        Some("sns") => ("TopicConfiguration", "Topic"),
        _ => ("CloudFunctionConfiguration", "CloudFunction"),
    };
    let events: String = events.iter().map(|event| format!("<Event>{event}</Event>")).collect();
    let rules: String = filter
        .iter()
        .map(|(name, value)| format!("<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>"))
        .collect();
    let filter =
        if rules.is_empty() { String::new() } else { format!("<Filter><S3Key>{rules}</S3Key></Filter>") };
    format!("<{element}><Id>{id}</Id><{name}>{arn}</{name}>{events}{filter}</{element}>")
}

const EVERYTHING: [&str; 5] = [
    "s3:ObjectCreated:*",
    "s3:ObjectRemoved:*",
    "s3:ObjectTagging:*",
    "s3:ObjectAcl:Put",
    "s3:LifecycleExpiration:*",
];
const BRIDGE: &str = "<EventBridgeConfiguration></EventBridgeConfiguration>";

async fn notify(account: &Account, inside: &str) {
    account.ok("PUT", "/b-1", "notification", &configuration(inside)).await;
}

/// What waits for a destination, and then no more.
pub(crate) async fn taken(account: &Account, destination: &str) -> Vec<Value> {
    let state = account.server.gate.state();
    daypass_core::outbox::drain(state).await.unwrap();
    daypass_s3::queue_events(state).await.unwrap();
    let waiting = daypass_core::event_queue::waiting_events(state, destination, 10_000).unwrap();
    daypass_core::event_queue::forget_events(state, &waiting, false).await.unwrap();
    waiting.iter().map(|event| serde_json::from_str(&event.body).unwrap()).collect()
}

/// The types and keys of what waits for the queue.
async fn told(account: &Account) -> Vec<(String, String)> {
    let text = |message: &Value, place: &str| message.pointer(place).unwrap().as_str().unwrap().to_owned();
    let messages = taken(account, QUEUE).await;
    let pair = |message| (text(message, "/Records/0/eventName"), text(message, "/Records/0/s3/object/key"));
    messages.iter().map(pair).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, key)| ((*name).to_owned(), (*key).to_owned())).collect()
}

#[tokio::test]
async fn a_configuration_is_shown_as_it_was_put_and_can_be_taken_away() {
    let account = Account::with_bucket("b-1").await;
    let inside = format!(
        "{}{}{}{BRIDGE}",
        one(TOPIC, "t", &["s3:ObjectRemoved:*"], &[]),
        one(
            QUEUE,
            "q",
            &["s3:ObjectCreated:Put", "s3:ObjectCreated:Post"],
            &[("prefix", "in/"), ("suffix", ".jpg")]
        ),
        one(FUNCTION, "f", &["s3:ObjectTagging:Put"], &[]),
    );
    notify(&account, &inside).await;
    let shown = account.ok("GET", "/b-1", "notification", "").await.body;
    for part in [
        TOPIC,
        QUEUE,
        FUNCTION,
        "<Id>q</Id>",
        "in/",
        ".jpg",
        "EventBridgeConfiguration",
        "s3:ObjectCreated:Post",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    account.ok("PUT", "/b-1", "notification", &configuration(&inside.replace("<Id>q</Id>", ""))).await;
    let shown = account.ok("GET", "/b-1", "notification", "").await;
    assert!(
        shown.xml_all("Id").iter().all(|id| !id.is_empty()) && shown.xml_all("Id").len() == 3,
        "S3 names it"
    );
    notify(&account, "").await;
    let shown = account.ok("GET", "/b-1", "notification", "").await;
    assert!(shown.xml_all("Id").is_empty());
}

#[tokio::test]
async fn what_s3_would_not_take_is_refused_in_its_words() {
    let account = Account::with_bucket("b-1").await;
    let overlap =
        "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
    let ambiguous = "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.";
    let unknown = "Unable to validate the following destination configurations";
    let put = ["s3:ObjectCreated:Put"];
    let all = ["s3:ObjectCreated:*"];
    for (inside, words) in [
        (one(QUEUE, "a", &put, &[]) + &one(TOPIC, "b", &all, &[]), overlap),
        (one(QUEUE, "a", &put, &[("prefix", "a")]) + &one(TOPIC, "b", &all, &[]), ambiguous),
        (
            one(QUEUE, "a", &put, &[("suffix", "jpg")]) + &one(TOPIC, "b", &put, &[("suffix", "pg")]),
            ambiguous,
        ),
        (one(QUEUE, "a", &put, &[("prefix", "a")]) + &one(TOPIC, "b", &put, &[("suffix", "b")]), ambiguous),
        (
            one(QUEUE, "a", &put, &[]) + &one(TOPIC, "a", &["s3:ObjectRemoved:*"], &[]),
            "Same ID used for multiple configurations. IDs must be unique",
        ),
        (
            one(QUEUE, "a", &put, &[("prefix", "a"), ("prefix", "b")]),
            "Cannot specify more than one prefix rule in a filter.",
        ),
        (one("arn:aws:sqs:us-east-1:123456789012:other", "a", &put, &[]), unknown),
        (one("arn:aws:lambda:us-east-1:123456789012:function:other", "a", &put, &[]), unknown),
        (
            one("arn:aws:sqs:eu-west-1:123456789012:queue", "a", &put, &[]),
            "The notification destination service region is not valid for the bucket location constraint",
        ),
        (one(&format!("{QUEUE}{}", "q".repeat(600)), "a", &put, &[]), "The ARN is not well formed"),
        (
            one("arn:aws:sqs", "a", &put, &[])
                .replace("CloudFunctionConfiguration", "QueueConfiguration")
                .replace("CloudFunction", "Queue"),
            "The ARN is not well formed",
        ),
    ] {
        let is = account.refused("PUT", "/b-1", "notification", &configuration(&inside)).await;
        assert_eq!(is, refusal(400, "InvalidArgument", words), "{inside}");
    }
    for inside in [
        one(QUEUE, "a", &[], &[]),
        one(QUEUE, "a", &["s3:Nothing"], &[]),
        one(QUEUE, "a", &put, &[("middle", "a")]),
    ] {
        let is = account.refused("PUT", "/b-1", "notification", &configuration(&inside)).await;
        assert_eq!((is.0, is.1.as_str()), (400, "MalformedXML"), "{inside}");
    }
    let apart = one(QUEUE, "a", &put, &[("prefix", "a")]) + &one(TOPIC, "b", &all, &[("prefix", "b")]);
    notify(&account, &apart).await;
}

#[tokio::test]
async fn a_configuration_that_is_too_large_is_not_looked_at_further() {
    let account = Account::with_bucket("b-1").await;
    // Kept, each of the quotes takes two bytes.
    let inside = one(QUEUE, &"\"".repeat(600_000), &EVERYTHING, &[]);
    let is = refused(&account.administrator, "PUT", "/b-1", "notification", &configuration(&inside)).await;
    let words = "The configurations of a bucket together are limited to 1 MiB";
    assert_eq!(is, refusal(400, "InvalidRequest", words));
}

#[tokio::test]
async fn nobody_can_have_anything_delivered_where_only_another_account_may() {
    let account = Account::new().await;
    let allow = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let stranger = account.stranger("robin", &[("all", allow)]).await;
    ask(&stranger, "PUT", "/b-9", "", "").await.ok();
    let unknown = "Unable to validate the following destination configurations";
    for (inside, headers) in [
        (one(QUEUE, "a", &["s3:ObjectCreated:*"], &[]), &[][..]),
        (BRIDGE.to_owned(), &[("x-amz-skip-destination-validation", "true")]),
    ] {
        let is = ask_with(&stranger, "PUT", "/b-9", "notification", headers, &configuration(&inside)).await;
        assert_eq!(is.refused(), ("InvalidArgument".to_owned(), unknown.to_owned()));
    }
    // What is put without a look is kept, and told nobody: neither whom another account may tell nor whom nobody can.
    let skip = [("x-amz-skip-destination-validation", "true")];
    for arn in [QUEUE, "arn:aws:sqs:us-east-1:999988887777:queue"] {
        let inside = configuration(&one(arn, "a", &["s3:ObjectCreated:*"], &[]));
        ask_with(&stranger, "PUT", "/b-9", "notification", &skip, &inside).await.ok();
        ask(&stranger, "PUT", "/b-9/k", "", "x").await.ok();
        assert_eq!(taken(&account, arn).await, Vec::<Value>::new(), "{arn}");
    }
    assert_eq!(
        daypass_core::event_queue::event_queues(account.server.gate.state()).unwrap(),
        [],
        "nothing waits for anybody"
    );
    // Whoever has no right to the bucket's configuration has none to its notifications.
    account.ok("PUT", "/b-1", "", "").await;
    let inside = configuration(&one(QUEUE, "a", &["s3:ObjectCreated:*"], &[]));
    for (method, body) in [("PUT", inside.as_str()), ("GET", "")] {
        assert_eq!(refused(&stranger, method, "/b-1", "notification", body).await.1, "AccessDenied");
        assert_eq!(
            refused(&account.server.anonymous(), method, "/b-1", "notification", body).await.1,
            "AccessDenied"
        );
    }
}

#[tokio::test]
async fn a_destination_is_told_that_it_was_configured() {
    let account = Account::with_bucket("b-1").await;
    let events = |name: &'static str| [name];
    let inside = one(QUEUE, "q", &events("s3:ObjectCreated:*"), &[])
        + &one(TOPIC, "t", &events("s3:ObjectRemoved:*"), &[])
        + &one(FUNCTION, "f", &events("s3:ObjectTagging:*"), &[])
        + BRIDGE;
    notify(&account, &inside).await;
    let [message] = &taken(&account, QUEUE).await[..] else { panic!("one message") };
    assert_eq!(message["Event"], "s3:TestEvent");
    assert_eq!(message["Service"], "Amazon S3");
    assert_eq!(message["Bucket"], "b-1");
    assert_eq!(message["Time"], "2026-11-22T02:14:00.000Z");
    assert!(message["RequestId"].is_string() && message["HostId"].is_string());
    let [notification] = &taken(&account, TOPIC).await[..] else { panic!("one notification") };
    assert_eq!(notification["Type"], "Notification");
    assert_eq!(notification["TopicArn"], TOPIC);
    assert_eq!(notification["Subject"], "Amazon S3 Notification");
    let inner: Value = serde_json::from_str(notification["Message"].as_str().unwrap()).unwrap();
    assert_eq!(inner["Event"], "s3:TestEvent");
    assert!(taken(&account, FUNCTION).await.is_empty() && taken(&account, BUS).await.is_empty());
}

#[tokio::test]
async fn a_put_is_told_in_the_structure_that_s3_documents() {
    let account = Account::with_bucket("b-1").await;
    notify(&account, &(one(QUEUE, "q", &EVERYTHING, &[]) + BRIDGE)).await;
    taken(&account, QUEUE).await;
    let put = account.ok("PUT", "/b-1/red%20flower%2B%C3%A9.jpg", "", "petal").await;
    let [message] = &taken(&account, QUEUE).await[..] else { panic!("one message") };
    let mut record = message["Records"][0].clone();
    let principal = record["userIdentity"]["principalId"].take();
    assert!(principal.as_str().unwrap().starts_with("AWS:AROA"), "{principal}");
    let owner = record["s3"]["bucket"]["ownerIdentity"]["principalId"].take();
    assert!(owner.as_str().unwrap().starts_with('A') && owner.as_str().unwrap().len() == 14, "{owner}");
    let sequencer = record["s3"]["object"]["sequencer"].take();
    assert_eq!(sequencer.as_str().unwrap().len(), 18);
    let id = put.headers["x-amz-request-id"].to_str().unwrap();
    let host_id = put.headers["x-amz-id-2"].to_str().unwrap();
    assert_eq!(
        record,
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-11-22T02:14:00.000Z", "eventName": "ObjectCreated:Put",
            "userIdentity": { "principalId": null }, "requestParameters": { "sourceIPAddress": "192.0.2.1" },
            "responseElements": { "x-amz-request-id": id, "x-amz-id-2": host_id },
            "s3": {
                "s3SchemaVersion": "1.0", "configurationId": "q",
                "bucket": { "name": "b-1", "ownerIdentity": { "principalId": null }, "arn": "arn:aws:s3:::b-1" },
                "object": { "key": "red+flower%2B%C3%A9.jpg", "size": 5, "eTag": "89892465c3992f2a593905af8b79f64f", "sequencer": null },
            },
        })
    );
    let [event] = &taken(&account, BUS).await[..] else { panic!("one event") };
    assert_eq!((&event["source"], &event["detail-type"]), (&"aws.s3".into(), &"Object Created".into()));
    assert_eq!(event["detail"]["object"]["key"], "red flower+é.jpg");
    assert_eq!(event["detail"]["reason"], "PutObject");
    assert_eq!(event["detail"]["requester"], "123456789012");
    assert_eq!(event["resources"][0], "arn:aws:s3:::b-1");
}

#[tokio::test]
async fn every_change_of_an_object_has_its_event() {
    let account = Account::with_bucket("b-1").await;
    notify(&account, &one(QUEUE, "q", &EVERYTHING, &[])).await;
    taken(&account, QUEUE).await;
    account.ok("PUT", "/b-1/a", "", "x").await;
    let copy = [("x-amz-copy-source", "/b-1/a")];
    ask_with(&account.administrator, "PUT", "/b-1/c", "", &copy, "").await.ok();
    let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
    account.ok("PUT", "/b-1/a", "tagging", tags).await;
    account.ok("DELETE", "/b-1/a", "tagging", "").await;
    account.ok("DELETE", "/b-1/a", "", "").await;
    account.ok("DELETE", "/b-1/never-there", "", "").await;
    let upload = account.ok("POST", "/b-1/m", "uploads", "").await;
    let upload = upload.xml("UploadId").unwrap().to_owned();
    let part = account.ok("PUT", "/b-1/m", &format!("partNumber=1&uploadId={upload}"), "part").await;
    let tag = part.headers["etag"].to_str().unwrap();
    let parts = format!(
        "<CompleteMultipartUpload><Part><ETag>{tag}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
    );
    for _ in 0..2 {
        let query = format!("uploadId={upload}");
        account.administrator.s3("POST", "/b-1/m", &query, &[], parts.as_bytes()).await.ok();
    }
    account
        .ok(
            "PUT",
            "/b-1",
            "versioning",
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        )
        .await;
    account.ok("DELETE", "/b-1/m", "", "").await;
    let delete = "<Delete><Object><Key>c</Key></Object><Object><Key>c</Key><VersionId>null</VersionId></Object></Delete>";
    account.ok("POST", "/b-1", "delete", delete).await;
    assert_eq!(
        told(&account).await,
        pairs(&[
            ("ObjectCreated:Put", "a"),
            ("ObjectCreated:Copy", "c"),
            ("ObjectTagging:Put", "a"),
            ("ObjectTagging:Delete", "a"),
            ("ObjectRemoved:Delete", "a"),
            ("ObjectCreated:CompleteMultipartUpload", "m"),
            ("ObjectRemoved:DeleteMarkerCreated", "m"),
            ("ObjectRemoved:DeleteMarkerCreated", "c"),
            ("ObjectRemoved:Delete", "c"),
        ])
    );
}

#[tokio::test]
async fn only_what_a_configuration_asks_for_is_told() {
    let account = Account::with_bucket("b-1").await;
    let filter = [("prefix", "in+put/"), ("suffix", ".jpg")];
    notify(&account, &one(QUEUE, "q", &["s3:ObjectCreated:Copy", "s3:ObjectRemoved:*"], &filter)).await;
    taken(&account, QUEUE).await;
    account.ok("PUT", "/b-1/in%20put/a.jpg", "", "x").await;
    let copy = [("x-amz-copy-source", "/b-1/in%20put/a.jpg")];
    for to in ["/b-1/in%20put/b.jpg", "/b-1/in%20put/b.png", "/b-1/b.jpg", "/b-1/in+put/b.jpg"] {
        ask_with(&account.administrator, "PUT", to, "", &copy, "").await.ok();
    }
    account.ok("DELETE", "/b-1/in%20put/a.jpg", "", "").await;
    assert_eq!(
        told(&account).await,
        pairs(&[("ObjectCreated:Copy", "in+put/b.jpg"), ("ObjectRemoved:Delete", "in+put/a.jpg")])
    );
}

#[tokio::test]
async fn a_refused_change_is_told_nobody() {
    let account = Account::with_bucket("b-1").await;
    notify(&account, &one(QUEUE, "q", &EVERYTHING, &[])).await;
    taken(&account, QUEUE).await;
    let stranger = account.stranger("robin", &[]).await;
    refused(&stranger, "PUT", "/b-1/a", "", "x").await;
    refused(&account.server.anonymous(), "DELETE", "/b-1/a", "", "").await;
    let never = [("if-match", "\"9fdbc6b7e3a3d5a51ef2f6cb1b5ad90d\"")];
    ask_with(&account.administrator, "PUT", "/b-1/a", "", &never, "x").await.refused();
    assert_eq!(told(&account).await, []);
}

#[tokio::test]
async fn sequencers_order_the_events_of_a_key() {
    let account = Account::with_bucket("b-1").await;
    notify(&account, &one(QUEUE, "q", &EVERYTHING, &[])).await;
    taken(&account, QUEUE).await;
    for _ in 0..5 {
        account.ok("PUT", "/b-1/a", "", "x").await;
        account.ok("DELETE", "/b-1/a", "", "").await;
    }
    let messages = taken(&account, QUEUE).await;
    let sequencers: Vec<&str> =
        messages.iter().map(|m| m["Records"][0]["s3"]["object"]["sequencer"].as_str().unwrap()).collect();
    assert_eq!(sequencers.len(), 10);
    assert!(sequencers.is_sorted_by(|a, b| a < b), "{sequencers:?}");
}

#[tokio::test]
async fn a_thousand_deletions_of_the_longest_keys_are_all_told() {
    let account = Account::with_bucket("b-1").await;
    // As many as can be are told, with the longest ids.
    let many = |number: usize| {
        let id = format!("{}{number:02}", "😀".repeat(253));
        one(QUEUE, &id, &EVERYTHING, &[("suffix", &format!("{number:02}"))])
    };
    notify(&account, &((0..100).map(many).collect::<String>() + BRIDGE)).await;
    account
        .ok(
            "PUT",
            "/b-1",
            "versioning",
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        )
        .await;
    taken(&account, QUEUE).await;
    let key = |number: usize| format!("{}{number:04}", "é".repeat(510));
    let objects: String = (0..1000).map(|n| format!("<Object><Key>{}</Key></Object>", key(n))).collect();
    account.ok("POST", "/b-1", "delete", &format!("<Delete><Quiet>true</Quiet>{objects}</Delete>")).await;
    assert_eq!(taken(&account, QUEUE).await.len(), 1000);
    assert_eq!(taken(&account, BUS).await.len(), 1000);
}

#[tokio::test]
async fn only_who_is_told_of_a_change_is_noted_with_it() {
    let account = Account::with_bucket("b-1").await;
    let inside: String = (0..50)
        .map(|number| one(QUEUE, &format!("q{number}"), &EVERYTHING, &[("prefix", &format!("{number:02}/"))]))
        .collect();
    notify(&account, &inside).await;
    taken(&account, QUEUE).await;
    account.ok("PUT", "/b-1/17/a", "", "x").await;
    account.ok("PUT", "/b-1/nobody's", "", "x").await;
    let state = account.server.gate.state();
    daypass_core::outbox::drain(state).await.unwrap();
    let noted = state.store.read(|tx| tx.all::<Noted>(&Noted::all())).unwrap();
    let [noted] = &noted[..] else { panic!("one change") };
    assert_eq!(noted.what["addressees"], json!([{ "destination": QUEUE, "id": "q17" }]));
    let [message] = &taken(&account, QUEUE).await[..] else { panic!("one message") };
    assert_eq!(message["Records"][0]["s3"]["configurationId"], "q17");
}

#[tokio::test]
async fn messages_are_queued_once_however_many_queue_them() {
    let account = Account::with_bucket("b-1").await;
    notify(&account, &one(QUEUE, "q", &EVERYTHING, &[])).await;
    taken(&account, QUEUE).await;
    let state = account.server.gate.state();
    let queue = async || daypass_s3::queue_events(state).await.unwrap();
    for number in 0..10 {
        account.ok("PUT", &format!("/b-1/{number}"), "", "x").await;
        daypass_core::outbox::drain(state).await.unwrap();
        let queued = tokio::join!(queue(), queue(), queue());
        assert_eq!((queued.0 + queued.1 + queued.2, told(&account).await.len()), (1, 1), "{number}");
    }
}

#[tokio::test]
async fn every_event_of_a_lifecycle_has_an_id_of_its_own() {
    let account = Account::with_bucket("b-1").await;
    // More than a change makes.
    for number in 0..1001 {
        account.ok("PUT", &format!("/b-1/{number}"), "", "").await;
    }
    notify(&account, BRIDGE).await;
    let rule = "<LifecycleConfiguration><Rule><ID>r</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    account.ok("PUT", "/b-1", "lifecycle", rule).await;
    account.server.clock.advance(3 * 86_400);
    assert_eq!(daypass_s3::end_lifetimes(account.server.gate.state()).await.unwrap(), 1001);
    let events = taken(&account, BUS).await;
    let ids: BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!((events.len(), ids.len()), (1001, 1001));
}

#[tokio::test]
async fn what_a_lifecycle_lets_go_is_told_as_such() {
    let account = Account::with_bucket("b-1").await;
    notify(&account, &(one(QUEUE, "q", &["s3:LifecycleExpiration:*"], &[]) + BRIDGE)).await;
    taken(&account, QUEUE).await;
    account.ok("PUT", "/b-1/old", "", "x").await;
    taken(&account, BUS).await;
    let rule = "<LifecycleConfiguration><Rule><ID>r</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    account.ok("PUT", "/b-1", "lifecycle", rule).await;
    account.server.clock.advance(3 * 86_400);
    assert_eq!(daypass_s3::end_lifetimes(account.server.gate.state()).await.unwrap(), 1);
    let [message] = &taken(&account, QUEUE).await[..] else { panic!("one message") };
    let record = &message["Records"][0];
    assert_eq!(
        (&record["eventName"], &record["eventVersion"]),
        (&"LifecycleExpiration:Delete".into(), &"2.3".into())
    );
    assert_eq!(record["userIdentity"]["principalId"], "s3.amazonaws.com");
    let [event] = &taken(&account, BUS).await[..] else { panic!("one event") };
    assert_eq!(
        (&event["detail"]["reason"], &event["detail"]["deletion-type"]),
        (&"Lifecycle Expiration".into(), &"Permanently Deleted".into())
    );
    assert_eq!(event["detail"]["requester"], "s3.amazonaws.com");
}

#[tokio::test]
async fn what_is_let_go_is_counted_once() {
    let account = Account::with_bucket("b-1").await;
    notify(&account, &one(QUEUE, "q", &EVERYTHING, &[])).await;
    let state = account.server.gate.state();
    let waiting = daypass_core::event_queue::waiting_events(state, QUEUE, 10).unwrap();
    daypass_core::event_queue::forget_events(state, &waiting, true).await.unwrap();
    // Forgetting twice counts once.
    daypass_core::event_queue::forget_events(state, &waiting, true).await.unwrap();
    let [queue] = &daypass_core::event_queue::event_queues(state).unwrap()[..] else { panic!("one queue") };
    assert_eq!((queue.waiting, queue.dropped), (0, 1));
}
