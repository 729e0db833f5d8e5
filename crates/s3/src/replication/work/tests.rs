use daypass_core::store::records::{Indexed as _, Policies, Role};
use daypass_core::store::{Key, Read as _, Record, TransactError};
use daypass_core::testing::{Client, TestServer, account};
use serde::{Deserialize, Serialize};

use super::*;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
const PASS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}]}"#;
const ENABLED: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

/// A server with some buckets that keep versions, and a role `r` that may do everything with them.
struct Replicating {
    server: TestServer,
    client: Client,
}

impl Replicating {
    async fn new() -> Self {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let client = server.administrator().await;
        let this = Self { server, client };
        this.buckets(&this.client, &["b-1", "b-2", "b-3"]).await;
        let role = Role {
            account: account(),
            path: "/".to_owned(),
            name: "r".to_owned(),
            id: "AROAREPLICATIONROLE00".to_owned(),
            created: this.state().clock.now(),
            description: None,
            trust_policy: TRUST.to_owned(),
            max_session_seconds: 3600,
            policies: Policies {
                attached: vec![],
                inline: [("p".to_owned(), ALL.to_owned())].into_iter().collect(),
            },
            permissions_boundary: None,
            tags: vec![],
            instance_profiles: vec![],
        };
        let saved = this.state().store.transact(|tx| role.save(tx)).await;
        saved.map_err(|error: TransactError<StoreError>| error).unwrap();
        this
    }

    fn state(&self) -> &Arc<State> {
        self.server.gate.state()
    }

    async fn buckets(&self, client: &Client, names: &[&str]) {
        for name in names {
            client.s3_document("PUT", &format!("/{name}"), "", &[], "").await.ok();
            client.s3_document("PUT", &format!("/{name}"), "versioning", &[], ENABLED).await.ok();
        }
    }

    /// Configures a bucket: a role, and where everything goes.
    async fn configure(&self, client: &Client, bucket: &str, role: &str, to: &[&str]) {
        let rule = |(priority, to): (usize, &&str)| {
            format!(
                "<Rule><Priority>{priority}</Priority><Filter/><Status>Enabled</Status><DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication><Destination><Bucket>arn:aws:s3:::{to}</Bucket></Destination></Rule>"
            )
        };
        let rules: String = to.iter().enumerate().map(rule).collect();
        let document =
            format!("<ReplicationConfiguration><Role>{role}</Role>{rules}</ReplicationConfiguration>");
        client.s3_document("PUT", &format!("/{bucket}"), "replication", &[], &document).await.ok();
    }

    /// Takes the notes of changes to their queues.
    async fn queue(&self) {
        daypass_core::outbox::drain(self.state()).await.unwrap();
        crate::queue_events(self.state()).await.unwrap();
    }

    async fn status(&self, client: &Client, path: &str) -> Option<String> {
        let answer = client.s3("HEAD", path, "", &[], b"").await;
        let status = answer.headers.get("x-amz-replication-status");
        status.map(|status| status.to_str().unwrap().to_owned())
    }

    async fn is_there(&self, path: &str) -> bool {
        self.client.s3("HEAD", path, "", &[], b"").await.status == 200
    }
}

fn arn(role: &str) -> String {
    format!("arn:aws:iam::{}:role/{role}", account())
}

#[tokio::test]
async fn a_session_of_one_role_does_not_follow_the_rules_that_came_with_another() {
    let this = Replicating::new().await;
    let state = this.state();
    for (is_there_before, name) in [(true, "other"), (false, "r")] {
        if is_there_before {
            this.configure(&this.client, "b-1", &arn("r"), &["b-2"]).await;
        }
        this.client.s3("PUT", "/b-1/k", "", &[], b"x").await.ok();
        this.queue().await;
        let task = queue::due(state, 10).unwrap().pop().unwrap();
        if !is_there_before {
            this.client.s3("DELETE", "/b-1", "replication", &[], b"").await.ok();
        }
        let sessions = sessions(state, std::slice::from_ref(&task)).await.unwrap();
        // The configuration is another between the one and the other.
        this.configure(&this.client, "b-1", &arn(name), &["b-3"]).await;
        assert!(!replicate(state, &task, sessions.get(&task.bucket_number)).await, "it is tried again");
        assert_eq!(this.status(&this.client, "/b-1/k").await.as_deref(), Some("PENDING"));
        assert!(!this.is_there("/b-3/k").await);
        this.configure(&this.client, "b-1", &arn("r"), &["b-2"]).await;
        assert_eq!(replicate_due(state).await.unwrap().done, 1);
        assert_eq!(this.status(&this.client, "/b-1/k").await.as_deref(), Some("COMPLETED"));
    }
}

/// Something that reads as nothing, where something else is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Broken {
    at: String,
}

impl Record for Broken {
    fn key(&self) -> Key {
        Bucket::key_of(&self.at)
    }
}

#[tokio::test]
async fn a_destination_that_fails_for_now_keeps_the_others_from_nothing() {
    let this = Replicating::new().await;
    let state = this.state();
    this.configure(&this.client, "b-1", &arn("r"), &["b-3", "b-2"]).await;
    this.client.s3("PUT", "/b-1/k", "", &[], b"x").await.ok();
    this.client.s3("DELETE", "/b-1/l", "", &[], b"").await.ok();
    this.queue().await;
    let bucket = state.store.read(|tx| tx.get::<Bucket>(&Bucket::key_of("b-2"))).unwrap().unwrap();
    let broken = state.store.transact(|tx| tx.put(&Broken { at: "b-2".to_owned() })).await;
    broken.map_err(|error: TransactError<StoreError>| error).unwrap();
    assert_eq!(replicate_due(state).await.unwrap(), Replicated { done: 0, later: 2 });
    assert!(this.is_there("/b-3/k").await);
    let listed = this.client.s3("GET", "/b-3", "versions", &[], b"").await.ok();
    assert_eq!(listed.xml_all("Key"), ["k", "l"]);
    assert_eq!(this.status(&this.client, "/b-1/k").await.as_deref(), Some("PENDING"));
    let mended = state.store.transact(|tx| tx.put(&bucket)).await;
    mended.map_err(|error: TransactError<StoreError>| error).unwrap();
    this.server.clock.advance(2);
    assert_eq!(replicate_due(state).await.unwrap(), Replicated { done: 2, later: 0 });
    assert_eq!(this.status(&this.client, "/b-1/k").await.as_deref(), Some("COMPLETED"));
    assert!(this.is_there("/b-2/k").await);
}

#[tokio::test]
async fn what_finds_no_room_has_failed_and_takes_none_of_another_accounts() {
    let this = Replicating::new().await;
    let state = this.state();
    let number = "999988887777".parse().unwrap();
    let other = this.server.user_of(&number, "other", &[("all", ALL), ("pass", PASS)]).await;
    this.buckets(&other, &["b-4", "b-5"]).await;
    this.configure(&this.client, "b-1", &arn("r"), &["b-2"]).await;
    this.configure(&other, "b-4", "arn:aws:iam::999988887777:role/none", &["b-5"]).await;
    queue::fill(state, &account(), 1).await;
    for (client, path) in [(&this.client, "/b-1/one"), (&this.client, "/b-1/two"), (&other, "/b-4/k")] {
        client.s3("PUT", path, "", &[], b"x").await.ok();
    }
    this.client.s3("DELETE", "/b-1/marked", "", &[], b"").await.ok();
    this.queue().await;
    assert_eq!(this.status(&this.client, "/b-1/two").await.as_deref(), Some("FAILED"));
    for (client, path) in [(&this.client, "/b-1/one"), (&other, "/b-4/k")] {
        assert_eq!(this.status(client, path).await.as_deref(), Some("PENDING"), "{path}");
    }
    assert_eq!(replicate_due(state).await.unwrap(), Replicated { done: 2, later: 0 });
    assert_eq!(this.status(&this.client, "/b-1/one").await.as_deref(), Some("COMPLETED"));
    // There is room again.
    this.client.s3("PUT", "/b-1/two", "", &[], b"x").await.ok();
    this.queue().await;
    assert_eq!(replicate_due(state).await.unwrap().done, 1);
    assert_eq!(this.status(&this.client, "/b-1/two").await.as_deref(), Some("COMPLETED"));
}
