//! Server access logs: who configures them, what a line says, and where log delivery may write.

use std::collections::BTreeSet;
use std::sync::Arc;

use daypass_core::testing::{Client, TestServer};
use daypass_core::{Peer, full};
use daypass_s3::AccessLog;
use futures_util::FutureExt as _;

use crate::support::{ask, ask_with, control, refused};

/// A server whose bucket `b-1` is logged into `logs`.
struct Logged {
    server: TestServer,
    log: Arc<AccessLog>,
    administrator: Client,
}

const POLICY: &str = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/to/*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b-1"},"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}"#;

fn status(target: &str, prefix: &str, more: &str) -> String {
    format!(
        "<BucketLoggingStatus><LoggingEnabled><TargetBucket>{target}</TargetBucket>{more}<TargetPrefix>{prefix}</TargetPrefix></LoggingEnabled></BucketLoggingStatus>"
    )
}

impl Logged {
    async fn new() -> Self {
        let mut server = TestServer::new(daypass_s3::OPERATIONS.iter().copied()).await;
        let log = Arc::new(AccessLog::new(Arc::clone(server.gate.state())));
        server.gate = server.gate.clone().observed_by(Arc::clone(&log) as _);
        let allow = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let administrator = server.user("boss", &[("all", allow)]).await;
        for bucket in ["/b-1", "/logs"] {
            ask(&administrator, "PUT", bucket, "", "").await.ok();
        }
        Self { server, log, administrator }
    }

    async fn on(&self, prefix: &str, more: &str) {
        ask(&self.administrator, "PUT", "/b-1", "logging", &status("logs", prefix, more)).await.ok();
    }

    async fn policy(&self, text: &str) {
        ask(&self.administrator, "PUT", "/logs", "policy", text).await.ok();
    }

    /// The keys of the logs that were delivered.
    async fn keys(&self) -> Vec<String> {
        let list = ask(&self.administrator, "GET", "/logs", "", "").await.ok();
        list.xml_all("Key").into_iter().map(str::to_owned).collect()
    }

    /// Delivers, and reads what was delivered, line by line.
    async fn lines(&self) -> Vec<String> {
        self.log.deliver().await;
        let mut lines = vec![];
        for key in self.keys().await {
            let text = ask(&self.administrator, "GET", &format!("/logs/{key}"), "", "").await.ok().body;
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    }
}

#[tokio::test]
async fn a_configuration_is_shown_as_it_was_put_and_can_be_taken_away() {
    let logged = Logged::new().await;
    let format = "<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>EventTime</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat>";
    for more in ["", "<TargetObjectKeyFormat><SimplePrefix></SimplePrefix></TargetObjectKeyFormat>", format] {
        logged.on("to/", more).await;
        let is = ask(&logged.administrator, "GET", "/b-1", "logging", "").await.ok();
        assert_eq!((is.xml("TargetBucket"), is.xml("TargetPrefix")), (Some("logs"), Some("to/")));
        assert_eq!(is.body.contains("SimplePrefix"), more.contains("SimplePrefix"), "{}", is.body);
        assert_eq!(is.xml("PartitionDateSource"), more.contains("EventTime").then_some("EventTime"));
    }
    ask(&logged.administrator, "PUT", "/b-1", "logging", "<BucketLoggingStatus/>").await.ok();
    assert_eq!(ask(&logged.administrator, "GET", "/b-1", "logging", "").await.ok().xml("TargetBucket"), None);
}

#[tokio::test]
async fn a_target_is_a_bucket_of_the_same_owner_that_takes_logs() {
    let logged = Logged::new().await;
    let allow = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let stranger = logged.server.user_of(&"999988887777".parse().unwrap(), "robin", &[("all", allow)]).await;
    ask(&stranger, "PUT", "/theirs", "", "").await.ok();
    let lock = [("x-amz-bucket-object-lock-enabled", "true")];
    ask_with(&logged.administrator, "PUT", "/locked", "", &lock, "").await.ok();
    for target in ["nowhere", "theirs", "locked"] {
        let is = refused(&logged.administrator, "PUT", "/b-1", "logging", &status(target, "", "")).await;
        assert_eq!((is.0, is.1.as_str()), (400, "InvalidTargetBucketForLogging"), "{target}");
    }
    let grants = "<TargetGrants><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant></TargetGrants>";
    let is = refused(&logged.administrator, "PUT", "/b-1", "logging", &status("logs", "", grants)).await;
    assert_eq!(is.1, "AccessControlListNotSupported");
    for client in [&stranger, &logged.server.anonymous()] {
        let is = refused(client, "PUT", "/b-1", "logging", &status("theirs", "", "")).await;
        assert_eq!(is.1, "AccessDenied");
        assert_eq!(refused(client, "GET", "/b-1", "logging", "").await.1, "AccessDenied");
    }
}

#[tokio::test]
async fn a_line_has_every_field_that_s3_documents() {
    let logged = Logged::new().await;
    logged.policy(POLICY).await;
    logged.on("to/", "").await;
    let says = [("user-agent", "curl/8 \"quoted\""), ("referer", "http://example.com/")];
    let put = ask_with(&logged.administrator, "PUT", "/b-1/a%20b.txt", "", &says, "hello").await.ok();
    ask_with(&logged.administrator, "GET", "/b-1/a%20b.txt", "versionId=null", &[("range", "bytes=1-2")], "")
        .await
        .ok();
    refused(&logged.server.anonymous(), "GET", "/b-1/secret", "", "").await;
    ask(&logged.administrator, "GET", "/b-1", "location", "").await.ok();
    let lines = logged.lines().await;
    let [put_line, get_line, refused_line, location_line] = &lines[..] else { panic!("{lines:#?}") };
    let owner = ask(&logged.administrator, "GET", "/b-1", "acl", "").await.ok().xml("ID").unwrap().to_owned();
    let id = put.headers["x-amz-request-id"].to_str().unwrap();
    let host_id = put.headers["x-amz-id-2"].to_str().unwrap();
    let requester = put_line.split(' ').nth(5).unwrap();
    assert_eq!(requester, "arn:aws:iam::123456789012:user/boss");
    assert_eq!(
        *put_line,
        format!(
            "{owner} b-1 [22/Nov/2026:02:14:00 +0000] 192.0.2.1 {requester} {id} REST.PUT.OBJECT a+b.txt \"PUT /b-1/a%20b.txt HTTP/1.1\" 200 - - 5 0 0 \"http://example.com/\" \"curl/8 %22quoted%22\" - {host_id} SigV4 - AuthHeader 127.0.0.1:4566 - - -"
        )
    );
    assert!(
        get_line
            .contains(" REST.GET.OBJECT a+b.txt \"GET /b-1/a%20b.txt?versionId=null HTTP/1.1\" 206 - 2 5 "),
        "{get_line}"
    );
    assert!(get_line.contains(" null "), "{get_line}");
    assert!(
        refused_line.contains(" 192.0.2.1 - ")
            && refused_line.contains(" REST.GET.OBJECT secret ")
            && refused_line.contains(" 403 AccessDenied "),
        "{refused_line}"
    );
    assert!(location_line.contains(" REST.GET.LOCATION - "), "{location_line}");
    assert!(lines.iter().all(|line| line.matches('"').count() == 6), "{lines:#?}");
}

#[tokio::test]
async fn what_comes_through_an_access_point_is_logged_with_it() {
    let logged = Logged::new().await;
    let boss = &logged.administrator;
    logged.policy(POLICY).await;
    logged.on("to/", "").await;
    let made = "<CreateAccessPointRequest><Bucket>b-1</Bucket></CreateAccessPointRequest>";
    let made = control(boss, "PUT", "accesspoint/door", "", made).await.ok();
    let alias = made.xml("Alias").unwrap();
    ask(boss, "PUT", &format!("/{alias}/k"), "", "bytes").await.ok();
    let host = [("host", "door-123456789012.127.0.0.1:4566")];
    ask_with(boss, "GET", "/k", "", &host, "").await.ok();
    refused(&logged.server.anonymous(), "GET", &format!("/{alias}/k"), "", "").await;
    ask(boss, "GET", "/b-1/k", "", "").await.ok();
    ask(boss, "GET", "/nobody-123456789012", "", "").await.refused();
    let lines = logged.lines().await;
    let ends: Vec<&str> = lines.iter().map(|line| line.rsplit(' ').nth(1).unwrap()).collect();
    let door = "arn:aws:s3:us-east-1:123456789012:accesspoint/door";
    assert_eq!(ends, [door, door, door, "-"], "{lines:#?}");
    assert!(lines.iter().all(|line| line.split(' ').nth(1) == Some("b-1")), "{lines:#?}");
}

#[tokio::test]
async fn what_only_an_acl_allowed_is_said_to_have_needed_one() {
    let logged = Logged::new().await;
    let boss = &logged.administrator;
    logged.policy(POLICY).await;
    let controls =
        "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    ask(boss, "PUT", "/b-1", "ownershipControls", controls).await.ok();
    ask(boss, "DELETE", "/b-1", "publicAccessBlock", "").await.ok();
    let only = r#"{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
    let reader = logged.server.user("reader", &[("read", only)]).await;
    let elsewhere = "210987654321".parse().unwrap();
    let abroad = logged.server.user_of(&elsewhere, "abroad", &[("read", only)]).await;
    ask_with(boss, "PUT", "/b-1/k", "", &[("x-amz-acl", "public-read")], "bytes").await.ok();
    let nobody = logged.server.anonymous();
    logged.on("to/", "").await;
    for client in [&nobody, &reader, &abroad, boss] {
        ask(client, "GET", "/b-1/k", "", "").await.ok();
    }
    ask(&nobody, "DELETE", "/b-1/k", "", "").await.refused();
    let open = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b-1/*"}]}"#;
    ask(boss, "PUT", "/b-1", "policy", open).await.ok();
    for client in [&nobody, &abroad] {
        ask(client, "GET", "/b-1/k", "", "").await.ok();
    }
    let lines = logged.lines().await;
    let said = lines.iter().filter(|line| line.contains(".OBJECT k "));
    let said: Vec<&str> = said.map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(said, ["Yes", "-", "Yes", "-", "-", "-", "-"], "{lines:#?}");
    let events = logged.server.audit();
    let told = events
        .iter()
        .filter(|record| record.event.contains(r#""additionalEventData":{"aclRequired":"Yes"}"#));
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn log_delivery_writes_only_where_the_target_lets_it() {
    let logged = Logged::new().await;
    logged.on("to/", "").await;
    let visit = || ask(&logged.administrator, "GET", "/b-1", "location", "");
    for (policy, delivered) in [
        (None, false),
        (Some(POLICY.replace("logs/to/*", "logs/elsewhere/*")), false),
        (Some(POLICY.replace("arn:aws:s3:::b-1\"}", "arn:aws:s3:::b-2\"}")), false),
        (Some(POLICY.replace("\"aws:SourceAccount\":\"123456789012\"", "\"aws:SourceAccount\":\"999988887777\"")), false),
        (Some(POLICY.replace("\"Statement\":[", "\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::logs/*\"},")), false),
        (Some(POLICY.to_owned()), true),
    ] {
        if let Some(policy) = &policy {
            logged.policy(policy).await;
        }
        visit().await.ok();
        logged.log.deliver().await;
        assert_eq!(!logged.keys().await.is_empty(), delivered, "{policy:?}");
    }
    let [key] = &logged.keys().await[..] else { panic!("one object") };
    assert!(
        key.starts_with("to/2026-11-22-02-14-00-") && key.len() == "to/2026-11-22-02-14-00-".len() + 16,
        "{key}"
    );
}

#[tokio::test]
async fn what_a_target_became_later_is_judged_at_delivery() {
    let logged = Logged::new().await;
    logged.policy(POLICY).await;
    logged.on("to/", "").await;
    let encryption = |algorithm: &str| {
        format!(
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        )
    };
    let pays = |payer: &str| {
        format!("<RequestPaymentConfiguration><Payer>{payer}</Payer></RequestPaymentConfiguration>")
    };
    for (sub, document, delivered) in [
        ("encryption", encryption("aws:kms"), 0),
        ("encryption", encryption("AES256"), 1),
        ("requestPayment", pays("Requester"), 1),
        ("requestPayment", pays("BucketOwner"), 2),
    ] {
        ask(&logged.administrator, "PUT", "/logs", sub, &document).await.ok();
        ask(&logged.administrator, "GET", "/b-1", "location", "").await.ok();
        logged.log.deliver().await;
        assert_eq!(logged.keys().await.len(), delivered, "{document}");
    }
}

#[tokio::test]
async fn a_line_stays_small_whatever_is_asked() {
    let logged = Logged::new().await;
    logged.policy(POLICY).await;
    logged.on("to/", "").await;
    let long = "%C3%A9".repeat(5_000);
    let agent = "a".repeat(50_000);
    let says = [("user-agent", agent.as_str()), ("referer", agent.as_str())];
    let key =
        ask_with(&logged.administrator, "GET", &format!("/b-1/{long}"), &format!("x-a={long}"), &says, "")
            .await;
    assert_eq!(key.refused().0, "KeyTooLongError");
    ask(&logged.administrator, "GET", "/b-1", "location", "").await.ok();
    let lines = logged.lines().await;
    let [first, second] = &lines[..] else { panic!("{} lines", lines.len()) };
    assert!(
        first.len() < 16 << 10 && first.split(' ').nth(8) == Some("%C3%A9".repeat(512).as_str()),
        "{first}"
    );
    assert!(second.contains(" REST.GET.LOCATION "), "{second}");
}

#[tokio::test]
async fn a_delivery_that_is_broken_off_loses_no_line() {
    let logged = Logged::new().await;
    logged.policy(POLICY).await;
    logged.on("to/", "").await;
    for _ in 0..3 {
        ask(&logged.administrator, "GET", "/b-1", "location", "").await.ok();
        // As a stop breaks it off: at its first wait.
        assert!(logged.log.deliver().now_or_never().is_none(), "it waits for the object store");
    }
    let ids: BTreeSet<String> =
        logged.lines().await.iter().filter_map(|line| line.split(' ').nth(6).map(str::to_owned)).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(logged.log.deliver().await, 0, "and keeps none that was delivered");
}

#[tokio::test]
async fn who_comes_to_have_a_name_gets_no_lines_of_the_bucket_before() {
    let logged = Logged::new().await;
    logged.on("to/", "").await;
    ask(&logged.administrator, "PUT", "/b-1/s3cret", "", "").await.ok();
    // It goes on for longer than the bucket is there.
    let request =
        http::Request::get("/b-1/s3cret-too").header("host", "127.0.0.1:4566").body(full("")).unwrap();
    let peer = Peer { address: [192, 0, 2, 9].into(), tls: None, instance: None };
    let long = logged.server.gate.serve(peer, request).await;
    logged.server.clock.advance(10);
    ask(&logged.administrator, "DELETE", "/b-1/s3cret", "", "").await.ok();
    ask(&logged.administrator, "DELETE", "/b-1", "", "").await.ok();
    let allow = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let stranger = logged.server.user_of(&"999988887777".parse().unwrap(), "robin", &[("all", allow)]).await;
    for bucket in ["/b-1", "/theirs"] {
        ask(&stranger, "PUT", bucket, "", "").await.ok();
    }
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::theirs/*"}]}"#;
    ask(&stranger, "PUT", "/theirs", "policy", policy).await.ok();
    ask(&stranger, "PUT", "/b-1", "logging", &status("theirs", "", "")).await.ok();
    drop(long);
    ask(&stranger, "GET", "/b-1", "location", "").await.ok();
    logged.log.deliver().await;
    let list = ask(&stranger, "GET", "/theirs", "", "").await.ok();
    let [key] = &list.xml_all("Key")[..] else { panic!("{}", list.body) };
    let text = ask(&stranger, "GET", &format!("/theirs/{key}"), "", "").await.ok().body;
    assert!(text.contains("REST.GET.LOCATION") && !text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn an_acl_can_let_log_delivery_in_where_there_are_acls() {
    let logged = Logged::new().await;
    logged.on("", "").await;
    let ownership =
        "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    ask(&logged.administrator, "PUT", "/logs", "ownershipControls", ownership).await.ok();
    let grants = [("x-amz-acl", "log-delivery-write"), ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")];
    ask_with(&logged.administrator, "PUT", "/logs", "acl", &grants, "").await.ok();
    ask(&logged.administrator, "GET", "/b-1", "location", "").await.ok();
    assert_eq!(logged.lines().await.len(), 1);
    let deny = r#"{"Statement":[{"Effect":"Deny","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:*","Resource":"arn:aws:s3:::logs/*"}]}"#;
    logged.policy(deny).await;
    ask(&logged.administrator, "GET", "/b-1", "location", "").await.ok();
    logged.log.deliver().await;
    assert_eq!(logged.keys().await.len(), 1, "a denial counts");
}

#[tokio::test]
async fn logs_can_stand_by_source_and_day() {
    let logged = Logged::new().await;
    logged.policy(&POLICY.replace("logs/to/*", "logs/*")).await;
    let format = |source: &str| {
        format!(
            "<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>{source}</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat>"
        )
    };
    for (source, keys) in [
        (
            "EventTime",
            [
                "p/123456789012/us-east-1/b-1/2026/11/22/2026-11-22-00-00-00-",
                "p/123456789012/us-east-1/b-1/2026/11/23/2026-11-23-00-00-00-",
            ]
            .as_slice(),
        ),
        ("DeliveryTime", &["p/123456789012/us-east-1/b-1/2026/11/24/2026-11-24-02-14-00-"]),
    ] {
        logged.on("p/", &format(source)).await;
        ask(&logged.administrator, "GET", "/b-1", "location", "").await.ok();
        logged.server.clock.advance(86_400);
        ask(&logged.administrator, "GET", "/b-1", "location", "").await.ok();
        logged.log.deliver().await;
        let delivered = logged.keys().await;
        assert!(
            keys.iter().all(|prefix| delivered.iter().any(|key| key.starts_with(prefix))),
            "{delivered:?}"
        );
    }
}

#[tokio::test]
async fn buckets_without_logging_and_after_it_leave_no_lines() {
    let logged = Logged::new().await;
    logged.policy(POLICY).await;
    ask(&logged.administrator, "GET", "/b-1", "location", "").await.ok();
    assert_eq!(logged.log.deliver().await, 0);
    logged.on("to/", "").await;
    ask(&logged.administrator, "PUT", "/b-1", "logging", "<BucketLoggingStatus/>").await.ok();
    assert!(logged.lines().await.is_empty(), "whoever turned it off wants none");
}
