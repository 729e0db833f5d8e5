use std::sync::Mutex;

use bytes::Bytes;
use daypass_core::testing::{Client, DESTINATIONS, TestServer};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::*;

/// What a receiver answers to a message about a key; 0 is to break off.
type Answer = fn(&str) -> u16;

/// A bucket whose changes a receiver is told, that answers what it is told to.
struct Told {
    server: TestServer,
    client: Client,
    turn: Turn,
    answer: Arc<Mutex<Answer>>,
    /// The keys of what it took.
    took: Arc<Mutex<Vec<String>>>,
}

impl Told {
    async fn new(answer: Answer) -> Self {
        let server = TestServer::new(daypass_s3::OPERATIONS.iter().copied()).await;
        let client = server.administrator().await;
        let answer = Arc::new(Mutex::new(answer));
        let took = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("http://{}/h00k-s3cret?token=s3cret", listener.local_addr().unwrap());
        tokio::spawn(receive(listener, Arc::clone(&answer), Arc::clone(&took)));
        let deliveries = Deliveries::open(&[format!("{}={place}", DESTINATIONS[0])]).unwrap();
        let delivery = deliveries.0.into_iter().next().unwrap();
        let told = Self { server, client, turn: Turn::new(delivery), answer, took };
        told.client.s3("PUT", "/b-1", "", &[], b"").await.ok();
        let document = format!(
            "<NotificationConfiguration><QueueConfiguration><Queue>{}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>",
            DESTINATIONS[0]
        );
        told.client.s3_document("PUT", "/b-1", "notification", &[], &document).await.ok();
        told
    }

    async fn put(&self, keys: &[&str]) {
        for key in keys {
            self.client.s3("PUT", &format!("/b-1/{key}"), "", &[], b"x").await.ok();
        }
        daypass_core::outbox::drain(self.server.gate.state()).await.unwrap();
        daypass_s3::queue_events(self.server.gate.state()).await.unwrap();
    }

    /// So many rounds; says what was taken by then, how many wait and how many were let go, and why they wait.
    async fn rounds(&mut self, number: usize) -> (Vec<String>, u64, u64, String) {
        let mut why = String::new();
        for _ in 0..number {
            let round = self.turn.round(self.server.gate.state()).await.unwrap();
            why = round.failure.unwrap_or_default();
        }
        let [queue] = &daypass_core::event_queue::event_queues(self.server.gate.state()).unwrap()[..] else {
            panic!("one queue")
        };
        (self.took.lock().unwrap().clone(), queue.waiting, queue.dropped, why)
    }
}

async fn receive(
    listener: tokio::net::TcpListener,
    answer: Arc<Mutex<Answer>>,
    took: Arc<Mutex<Vec<String>>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (answer, took) = (Arc::clone(&answer), Arc::clone(&took));
        let service = hyper::service::service_fn(move |request: ::http::Request<hyper::body::Incoming>| {
            let (answer, took) = (Arc::clone(&answer), Arc::clone(&took));
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let message: Value = serde_json::from_slice(&body).unwrap();
                let key =
                    message.pointer("/Records/0/s3/object/key").and_then(Value::as_str).unwrap_or("test");
                let status = answer.lock().unwrap()(key);
                if status == 0 {
                    return Err(std::io::Error::other("broken off"));
                }
                if status == 200 {
                    took.lock().unwrap().push(key.to_owned());
                }
                let answer = ::http::Response::builder().status(status).body(Full::new(Bytes::new()));
                Ok(answer.unwrap())
            }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

#[tokio::test]
async fn one_message_that_is_never_taken_does_not_hold_up_the_others() {
    let refusals: [Answer; 4] = [
        |key| if key == "bad" { 413 } else { 200 },
        |key| if key == "bad" { 500 } else { 200 },
        |key| if key == "bad" { 403 } else { 200 },
        |key| if key == "bad" { 0 } else { 200 },
    ];
    for (place, answer) in refusals.into_iter().enumerate() {
        let mut told = Told::new(answer).await;
        told.put(&["a", "bad", "b", "c"]).await;
        let (took, waiting, dropped, why) = told.rounds(4).await;
        assert_eq!((took.as_slice(), waiting, dropped), (&["test".to_owned(), "a".to_owned()][..], 3, 0));
        assert!(why.contains("127.0.0.1") && !why.contains("s3cret"), "{why}");
        let (took, waiting, dropped, _) = told.rounds(1).await;
        assert_eq!((took.join(" ").as_str(), waiting, dropped), ("test a b c", 0, 1), "{place}");
    }
}

#[tokio::test]
async fn many_messages_that_are_never_taken_do_not_either() {
    let mut told = Told::new(|key| if key.starts_with("bad") { 500 } else { 200 }).await;
    let bad: Vec<String> = (0..30).map(|number| format!("bad{number}")).collect();
    told.put(&bad.iter().map(String::as_str).collect::<Vec<_>>()).await;
    told.put(&["a"]).await;
    assert_eq!(told.rounds(4).await.0, ["test"]);
    // Its being taken shows that the receiver is well.
    assert_eq!(told.rounds(1).await.0, ["test", "a"]);
    for number in 0.. {
        told.put(&[&format!("b{number}")]).await;
        if told.rounds(1).await.1 == 0 {
            break;
        }
        assert!(number < 60, "they do not wait for ever");
    }
    let (took, waiting, dropped, _) = told.rounds(1).await;
    assert_eq!((waiting, dropped), (0, 30));
    assert!(took.iter().skip(2).enumerate().all(|(place, key)| *key == format!("b{place}")), "{took:?}");
}

#[tokio::test]
async fn a_receiver_that_takes_nothing_loses_nothing() {
    for status in [|_: &str| 503, |_: &str| 403, |_: &str| 429, |_: &str| 0] as [Answer; 4] {
        let mut told = Told::new(status).await;
        told.put(&["a", "b", "c"]).await;
        let (took, waiting, dropped, _) = told.rounds(10).await;
        assert_eq!((took.len(), waiting, dropped), (0, 4, 0));
        *told.answer.lock().unwrap() = |_| 200;
        let (took, waiting, dropped, _) = told.rounds(1).await;
        assert_eq!((took.join(" ").as_str(), waiting, dropped), ("test a b c", 0, 0));
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_reached_loses_nothing_for_a_day() {
    let mut told = Told::new(|_| 200).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let place = format!("{}=http://{closed}/s3cret", DESTINATIONS[0]);
    told.turn = Turn::new(Deliveries::open(&[place]).unwrap().0.into_iter().next().unwrap());
    told.put(&["a"]).await;
    let (_, waiting, dropped, why) = told.rounds(10).await;
    assert_eq!((waiting, dropped), (2, 0));
    assert!(why.contains("127.0.0.1") && !why.contains("s3cret"), "{why}");
    told.server.clock.advance(24 * 3600 + 1);
    let (_, waiting, dropped, _) = told.rounds(1).await;
    assert_eq!((waiting, dropped), (0, 2));
}

#[test]
fn what_is_wrong_with_a_destination_is_said_without_its_place() {
    let arn = DESTINATIONS[0];
    for place in
        ["https://user:s3cret@example.com/", "ftp://s3cret", "file:s3cret", "https://exa mple/s3cret"]
    {
        let error = Deliveries::open(&[format!("{arn}={place}")]).map(|_| ()).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains(arn) && !error.contains("s3cret"), "{error}");
    }
}

#[test]
fn a_destination_is_an_arn_and_a_place() {
    let arn = "arn:aws:sqs:us-east-1:123456789012:q";
    for (text, ok) in [
        (format!("{arn}=https://example.com/hook?a=b"), true),
        (format!("{arn}=http://127.0.0.1:8080/"), true),
        (format!("{arn}=file:/var/log/events.jsonl"), true),
        (format!("{arn}=file:events.jsonl"), false),
        (format!("{arn}=ftp://example.com/"), false),
        (format!("{arn}=https://user:secret@example.com/"), false),
        (format!("{arn}="), false),
        (arn.to_owned(), false),
        ("arn:aws:s3:::bucket=file:/x".to_owned(), false),
        ("arn:aws:sqs:us-east-1::q=file:/x".to_owned(), false),
        ("arn:aws:events:us-east-1:123456789012:event-bus/other=file:/x".to_owned(), false),
        ("arn:aws:events:us-east-1:123456789012:event-bus/default=file:/x".to_owned(), true),
    ] {
        assert_eq!(text.parse::<EventDestination>().is_ok(), ok, "{text}");
    }
}
