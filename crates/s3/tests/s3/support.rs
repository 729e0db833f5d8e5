//! An account for a test: its server and its administrator.

use daypass_core::testing::{Client, TestAnswer, TestServer};

/// The server and its administrator.
pub(crate) struct Account {
    pub(crate) server: TestServer,
    pub(crate) administrator: Client,
}

/// A refusal: status, code and message.
pub(crate) type Refusal = (u16, String, String);

impl Account {
    pub(crate) async fn new() -> Self {
        let server = TestServer::new(daypass_s3::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        Self { server, administrator }
    }

    /// The same with a bucket.
    pub(crate) async fn with_bucket(name: &str) -> Self {
        let account = Self::new().await;
        account.ok("PUT", &format!("/{name}"), "", "").await;
        account
    }

    /// Asks for something that is given.
    pub(crate) async fn ok(&self, method: &str, path: &str, query: &str, body: &str) -> TestAnswer {
        ask(&self.administrator, method, path, query, body).await.ok()
    }

    /// Asks for something that is refused.
    pub(crate) async fn refused(&self, method: &str, path: &str, query: &str, body: &str) -> Refusal {
        refused(&self.administrator, method, path, query, body).await
    }

    /// A client of another account.
    pub(crate) async fn stranger(&self, name: &str, policies: &[(&str, &str)]) -> Client {
        self.server.user_of(&"999988887777".parse().unwrap(), name, policies).await
    }

    /// Puts the bucket's policy.
    pub(crate) async fn policy(&self, bucket: &str, text: &str) {
        self.ok("PUT", &format!("/{bucket}"), "policy", text).await;
    }

    /// Lets the public in where a policy does.
    pub(crate) async fn unblock(&self, bucket: &str) {
        self.ok("DELETE", &format!("/{bucket}"), "publicAccessBlock", "").await;
    }
}

/// Asks; a document goes with its checksum, as S3 wants it.
pub(crate) async fn ask(client: &Client, method: &str, path: &str, query: &str, body: &str) -> TestAnswer {
    ask_with(client, method, path, query, &[], body).await
}

/// The same with further headers.
pub(crate) async fn ask_with(
    client: &Client,
    method: &str,
    path: &str,
    query: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> TestAnswer {
    client.s3_document(method, path, query, headers, body).await
}

/// Asks for something that is refused.
pub(crate) async fn refused(client: &Client, method: &str, path: &str, query: &str, body: &str) -> Refusal {
    let answer = ask(client, method, path, query, body).await;
    let (code, message) = answer.refused();
    (answer.status, code, message)
}

/// What a refusal is expected to be.
pub(crate) fn refusal(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    (status, code.to_owned(), message.into())
}
