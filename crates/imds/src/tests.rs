//! The service as its clients see it, without a socket.

use std::sync::Arc;

use bytes::Bytes;
use daypass_core::store::records::{
    Endpoint, HttpTokens, Instance, InstanceProfile, InstanceState, MetadataOptions, NetworkInterface,
    Policies, ProfileAssociation, Role, Tag,
};
use daypass_core::store::{StoreError, TransactError};
use daypass_core::testing::{TestServer, account};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};

use crate::Metadata;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

fn instance(id: &str) -> Instance {
    Instance {
        account: account(),
        region: "us-east-1".into(),
        id: id.into(),
        reservation_id: "r-0123456789abcdef0".into(),
        launch_index: 0,
        client_token: None,
        image_id: "ami-0123456789abcdef0".into(),
        instance_type: "t3.micro".into(),
        key_name: Some("key".into()),
        public_key: Some("ssh-ed25519 AAAA key".into()),
        launched: daypass_core::model::Timestamp::from_seconds(daypass_core::testing::NOW),
        desired: InstanceState::Running,
        state: InstanceState::Running,
        state_reason: None,
        transition_reason: String::new(),
        generation: 1,
        reached: 1,
        stop_forced: false,
        ended: None,
        network: NetworkInterface {
            id: "eni-0123456789abcdef0".into(),
            attachment_id: "eni-attach-0123456789abcdef0".into(),
            vpc_id: "vpc-0123456789abcdef0".into(),
            subnet_id: "subnet-0123456789abcdef0".into(),
            vpc_cidr: "10.0.0.0/16".into(),
            subnet_cidr: "10.0.1.0/24".into(),
            availability_zone: "us-east-1a".into(),
            availability_zone_id: "use1-az1".into(),
            private_ip: [10, 0, 1, 5].into(),
            mac: "02:42:0a:00:01:05".into(),
            security_groups: vec!["sg-0123456789abcdef0".into()],
            security_group_names: vec!["default".into()],
            description: String::new(),
            tags: vec![],
        },
        metadata: MetadataOptions {
            http_tokens: HttpTokens::Required,
            hop_limit: 2,
            http_endpoint: Endpoint::Enabled,
            http_protocol_ipv6: Endpoint::Disabled,
            instance_metadata_tags: Endpoint::Disabled,
        },
        user_data: Some("aGVsbG8=".into()),
        profile: Some(ProfileAssociation {
            id: "iip-assoc-0123456789abcdef0".into(),
            profile_name: "app".into(),
            profile_id: "AIPAQQQQQQQQQQQQQQQQQ".into(),
            profile_arn: "arn:aws:iam::123456789012:instance-profile/app".into(),
            since: daypass_core::model::Timestamp::from_seconds(daypass_core::testing::NOW),
        }),
        disable_api_termination: false,
        disable_api_stop: false,
        shutdown_behavior: "stop".into(),
        monitoring: false,
        ebs_optimized: false,
        source_dest_check: true,
        cpu_credits: None,
        volumes: vec![],
        tags: vec![Tag { key: "Name".into(), value: "web".into() }],
    }
}

fn role(trust: &str) -> Role {
    Role {
        account: account(),
        path: "/".into(),
        name: "app-role".into(),
        id: "AROAQQQQQQQQQQQQQQQQQ".into(),
        created: daypass_core::model::Timestamp::default(),
        description: None,
        trust_policy: trust.into(),
        max_session_seconds: 3600,
        policies: Policies::default(),
        permissions_boundary: None,
        tags: vec![],
        instance_profiles: vec!["app".into()],
    }
}

fn app_profile() -> InstanceProfile {
    InstanceProfile {
        account: account(),
        path: "/".into(),
        name: "app".into(),
        id: "AIPAQQQQQQQQQQQQQQQQQ".into(),
        created: daypass_core::model::Timestamp::default(),
        role: Some("app-role".into()),
        tags: vec![],
    }
}

struct Fixture {
    server: TestServer,
    metadata: Metadata,
}

impl Fixture {
    async fn new(change: impl FnOnce(&mut Instance)) -> Self {
        let server = TestServer::new([]).await;
        let mut instance = instance("i-0123456789abcdef0");
        change(&mut instance);
        let metadata = Metadata::new(
            Arc::clone(server.gate.state()),
            account(),
            "us-east-1".into(),
            instance.id.clone(),
        );
        let fixture = Self { server, metadata };
        fixture.put(&instance).await;
        fixture.put(&role(TRUST)).await;
        fixture.put(&app_profile()).await;
        fixture
    }

    async fn put(&self, record: &impl daypass_core::store::Record) {
        let put: Result<(), TransactError<StoreError>> =
            self.server.gate.state().store.transact(|tx| tx.put(record)).await;
        put.unwrap();
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String, u32) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (answer, hops) = self.metadata.answer(&request.body(()).unwrap()).await;
        (answer.status().as_u16(), body(answer).await, hops)
    }

    async fn token(&self) -> String {
        let ttl = [("X-aws-ec2-metadata-token-ttl-seconds", "60")];
        let (status, token, hops) = self.ask("PUT", "/latest/api/token", &ttl).await;
        assert_eq!((status, hops), (200, 2));
        token
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let token = self.token().await;
        let (status, text, hops) = self.ask("GET", path, &[("X-aws-ec2-metadata-token", &token)]).await;
        assert_eq!(hops, 64, "only the token's answer has the hop limit");
        (status, text)
    }
}

async fn body(answer: Response<Full<Bytes>>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn leaves_and_folders_are_where_aws_has_them() {
    let fixture = Fixture::new(|_| {}).await;
    for (path, expected) in [
        ("/latest/meta-data/instance-id", "i-0123456789abcdef0"),
        ("/2021-07-15/meta-data/instance-id", "i-0123456789abcdef0"),
        ("/latest/meta-data/placement/availability-zone/", "us-east-1a"),
        ("/latest/meta-data/placement/region", "us-east-1"),
        ("/latest/meta-data/hostname", "ip-10-0-1-5.ec2.internal"),
        ("/latest/meta-data/mac", "02:42:0a:00:01:05"),
        ("/latest/meta-data/network/interfaces/macs/02:42:0a:00:01:05/vpc-id", "vpc-0123456789abcdef0"),
        ("/latest/meta-data/iam/security-credentials/", "app-role"),
        ("/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA key"),
        ("/latest/user-data", "hello"),
        ("/latest", "dynamic\nmeta-data\nuser-data"),
    ] {
        assert_eq!(fixture.get(path).await, (200, expected.to_owned()), "{path}");
    }
    let (_, listing) = fixture.get("/latest/meta-data/").await;
    assert!(listing.contains("\niam/\n") && !listing.contains("tags/"), "{listing}");
    let (_, document) = fixture.get("/latest/dynamic/instance-identity/document").await;
    assert!(
        document.contains("\"accountId\" : \"123456789012\"")
            || document.contains("\"accountId\": \"123456789012\"")
    );
    for path in [
        "/latest/meta-data/nothing",
        "/latest/meta-data/instance-id/x",
        "/latest/meta-data/tags/instance/Name",
        "/latest/meta-data/iam/security-credentials/other",
        "/latest/meta-data/iam/security-credentials/../../instance-id",
        "/1999-01-01/meta-data/",
        "/latest/dynamic/nothing",
    ] {
        assert_eq!(fixture.get(path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn tokens_are_needed_checked_and_bound() {
    let fixture = Fixture::new(|_| {}).await;
    let path = "/latest/meta-data/instance-id";
    assert_eq!(fixture.ask("GET", path, &[]).await.0, 401);
    let token = fixture.token().await;
    let with = |token: String| {
        let fixture = &fixture;
        async move { fixture.ask("GET", path, &[("X-aws-ec2-metadata-token", &token)]).await.0 }
    };
    assert_eq!(with(token.clone()).await, 200);
    for wrong in [format!("{token}A"), token.chars().rev().collect(), String::new(), "A".repeat(100_000)] {
        assert_eq!(with(wrong).await, 401);
    }
    let twice = [("X-aws-ec2-metadata-token", token.as_str()), ("X-aws-ec2-metadata-token", token.as_str())];
    assert_eq!(fixture.ask("GET", path, &twice).await.0, 401);
    // Another instance's, and this one's from before its last start.
    let other = Metadata::new(
        Arc::clone(fixture.server.gate.state()),
        account(),
        "us-east-1".into(),
        "i-0000".into(),
    );
    fixture.put(&instance("i-0000")).await;
    let request = Request::get(path).header("X-aws-ec2-metadata-token", &token).body(()).unwrap();
    assert_eq!(other.answer(&request).await.0.status().as_u16(), 401);
    let mut restarted = instance("i-0123456789abcdef0");
    restarted.generation = 2;
    fixture.put(&restarted).await;
    assert_eq!(with(token).await, 401);
    let token = fixture.token().await;
    fixture.server.clock.advance(59);
    assert_eq!(with(token.clone()).await, 200);
    fixture.server.clock.advance(1);
    assert_eq!(with(token).await, 401);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_as_aws_does() {
    let fixture = Fixture::new(|i| i.metadata.http_tokens = HttpTokens::Optional).await;
    let ttl = ("X-aws-ec2-metadata-token-ttl-seconds", "60");
    for (method, path, headers, status) in [
        ("PUT", "/latest/api/token", &[][..], 400),
        ("PUT", "/latest/api/token", &[ttl, ttl], 400),
        ("PUT", "/latest/api/token", &[ttl, ("x-forwarded-for", "")], 403),
        ("GET", "/latest/api/token", &[ttl], 405),
        ("POST", "/latest/api/token", &[ttl], 405),
        ("PUT", "/latest/meta-data/", &[], 405),
        ("OPTIONS", "/latest/meta-data/", &[], 405),
        ("GET", "http://example.com/latest/meta-data/", &[], 400),
        ("PUT", "/latest/api/token", &[ttl, ("transfer-encoding", "chunked")], 400),
        ("GET", "/latest/meta-data/", &[("X-aws-ec2-metadata-token", "wrong")], 401),
        ("GET", "/latest/meta-data/", &[], 200),
        ("HEAD", "/latest/meta-data/", &[], 200),
    ] {
        assert_eq!(fixture.ask(method, path, headers).await.0, status, "{method} {path} {headers:?}");
    }
    let fixture = Fixture::new(|i| i.metadata.http_endpoint = Endpoint::Disabled).await;
    assert_eq!(fixture.ask("PUT", "/latest/api/token", &[ttl]).await.0, 403);
    assert_eq!(fixture.ask("GET", "/latest/meta-data/", &[]).await.0, 403);
}

fn field(document: &str, name: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(document).unwrap();
    json.get(name).and_then(|v| v.as_str()).unwrap_or("").to_owned()
}

#[tokio::test]
async fn credentials_are_the_instances_own_kept_and_replaced() {
    let fixture = Fixture::new(|_| {}).await;
    let path = "/latest/meta-data/iam/security-credentials/app-role";
    let (_, first) = fixture.get(path).await;
    assert_eq!((field(&first, "Code"), field(&first, "Type")), ("Success".into(), "AWS-HMAC".into()));
    assert_eq!(field(&first, "Expiration"), "2026-11-22T08:14:00Z");
    assert_eq!(field(&first, "SecretAccessKey").len(), 40);
    assert_eq!(fixture.get(path).await.1, first, "kept");
    let session = fixture.server.client(
        &field(&first, "AccessKeyId"),
        &field(&first, "SecretAccessKey"),
        Some(field(&first, "Token")),
    );
    // The gate knows the session, and finds it allowed nothing.
    let (code, message) = session.query("iam", "ListUsers", &[]).await.refused();
    assert_eq!(code, "AccessDenied");
    assert!(message.contains("assumed-role/app-role/i-0123456789abcdef0 is not authorized"), "{message}");
    // Half their life later there are new ones.
    fixture.server.clock.advance(3 * 3600 + 60);
    let (_, second) = fixture.get(path).await;
    assert_ne!(field(&second, "AccessKeyId"), field(&first, "AccessKeyId"));
    // The extended path has the account too.
    let (_, extended) = fixture.get("/latest/meta-data/iam/security-credentials-extended/app-role").await;
    assert_eq!(field(&extended, "AccountId"), "123456789012");
    let minted: Vec<_> =
        fixture.server.audit().into_iter().filter(|r| r.event_name == "AssumeRole").collect();
    assert_eq!(minted.len(), 2);
    assert!(minted.iter().all(|r| !r.event.contains(&field(&first, "SecretAccessKey"))));
}

#[tokio::test]
async fn a_revocation_brings_new_credentials_at_once() {
    let fixture = Fixture::new(|_| {}).await;
    let path = "/latest/meta-data/iam/security-credentials/app-role";
    let (_, first) = fixture.get(path).await;
    let mut revoked = role(TRUST);
    revoked.policies.inline.insert("AWSRevokeOlderSessions".into(), "{}".into());
    fixture.put(&revoked).await;
    let (_, second) = fixture.get(path).await;
    assert_ne!(field(&second, "AccessKeyId"), field(&first, "AccessKeyId"));
    assert!(
        field(&second, "LastUpdated") > field(&first, "LastUpdated"),
        "issued after the moment of the revocation"
    );
}

#[tokio::test]
async fn without_a_profile_there_is_nothing_and_without_trust_there_is_the_reason() {
    let fixture = Fixture::new(|i| i.profile = None).await;
    assert_eq!(fixture.get("/latest/meta-data/iam/security-credentials/").await.0, 404);
    assert_eq!(fixture.get("/latest/meta-data/iam/info").await.0, 404);
    let fixture = Fixture::new(|_| {}).await;
    fixture.put(&role(&TRUST.replace("ec2.amazonaws.com", "lambda.amazonaws.com"))).await;
    let (status, document) = fixture.get("/latest/meta-data/iam/security-credentials/app-role").await;
    assert_eq!((status, field(&document, "Code")), (200, "AssumeRoleUnauthorizedAccess".into()));
    // A profile of the same name that came later is another.
    let mut later = app_profile();
    later.id = "AIPAZZZZZZZZZZZZZZZZZ".into();
    fixture.put(&later).await;
    assert_eq!(fixture.get("/latest/meta-data/iam/security-credentials/").await.0, 404);
}

#[tokio::test]
async fn ec2_assumes_no_role_of_a_closed_account() {
    for closed in [false, true] {
        let fixture = Fixture::new(|_| {}).await;
        fixture.server.organize(&["444455556666".parse().unwrap(), account()], |_| {}).await;
        if closed {
            fixture.server.close(&account()).await;
        }
        let (_, document) = fixture.get("/latest/meta-data/iam/security-credentials/app-role").await;
        assert_eq!(document.contains("SecretAccessKey"), !closed, "{document}");
    }
}

#[tokio::test]
async fn tags_are_told_only_where_that_is_on() {
    let fixture = Fixture::new(|i| i.metadata.instance_metadata_tags = Endpoint::Enabled).await;
    assert_eq!(fixture.get("/latest/meta-data/tags/instance").await, (200, "Name".into()));
    assert_eq!(fixture.get("/latest/meta-data/tags/instance/Name").await, (200, "web".into()));
    assert_eq!(fixture.get("/latest/meta-data/tags/instance/Other").await.0, 404);
}
