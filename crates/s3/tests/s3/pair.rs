//! A server with a bucket `front`, and another with a bucket `back` that it is attached to, with somebody in between who may
//! meddle with what they say.

use std::sync::Arc;

use daypass_core::Secret;
use daypass_core::objects::upstream::RootCertStore;
use daypass_core::testing::TestServer;
use daypass_s3::{Attachments, NewAttachment};

use crate::meddling::{self, Meddler};
use crate::support::Account;

/// A policy that allows all of S3.
pub(crate) const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

/// Both of them.
pub(crate) struct Pair {
    pub(crate) front: Account,
    pub(crate) back: Account,
    pub(crate) attachments: Attachments,
    pub(crate) meddler: Meddler,
    endpoint: String,
}

impl Pair {
    /// Not attached yet.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same, of buckets that are made with these headers.
    pub(crate) async fn with(headers: &[(&str, &str)]) -> Self {
        let (front, back) = (Account::new().await, Account::new().await);
        front.administrator.s3("PUT", "/front", "", headers, b"").await.ok();
        back.administrator.s3("PUT", "/back", "", headers, b"").await.ok();
        back.server.user("key", &[("all", EVERYTHING)]).await;
        let (address, meddler) = meddling::serve(&back.server).await;
        let attachments = opened(&front.server);
        Self { front, back, attachments, meddler, endpoint: format!("http://{address}") }
    }

    pub(crate) async fn attached() -> Self {
        Self::new().await.attach().await
    }

    /// Both with S3 Object Lock.
    pub(crate) async fn locked() -> Self {
        Self::with(&[("x-amz-bucket-object-lock-enabled", "true")]).await.attach().await
    }

    pub(crate) async fn attach(self) -> Self {
        self.attachments.attach(self.asked(), "operator").await.unwrap();
        self
    }

    pub(crate) fn asked(&self) -> NewAttachment {
        NewAttachment {
            bucket: "front".to_owned(),
            endpoint: self.endpoint.clone(),
            region: "us-east-1".to_owned(),
            there: "back".to_owned(),
            prefix: "of/".to_owned(),
            access_key_id: format!("AKIA{:Q<16}", "KEY"),
            secret: Secret::new(format!("{:s<40}", "key")),
            authorities: None,
            plain: true,
            vouched: false,
        }
    }

    /// Lets time pass for both.
    pub(crate) fn advance(&self, seconds: i64) {
        self.front.server.clock.advance(seconds);
        self.back.server.clock.advance(seconds);
    }

    /// What the bucket there keeps: versions, delete markers and uploads.
    pub(crate) async fn kept(&self) -> String {
        let versions = self.back.ok("GET", "/back", "versions=", "").await.body;
        let uploads = self.back.ok("GET", "/back", "uploads=", "").await.body;
        format!("{versions}{uploads}")
    }
}

/// What a server has attached.
pub(crate) fn opened(server: &TestServer) -> Attachments {
    let state = Arc::clone(server.gate.state());
    Attachments::open(state, Arc::clone(&server.engine), RootCertStore::empty()).unwrap()
}
