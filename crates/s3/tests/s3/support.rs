//! An account for a test: its server and its administrator.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::testing::{ACCOUNT, Client, TestAnswer, TestServer};

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
    let sum = BASE64.encode(crc32(body.as_bytes()).to_be_bytes());
    let mut all = headers.to_vec();
    if !body.is_empty() {
        all.extend([("x-amz-checksum-crc32", sum.as_str()), ("x-amz-sdk-checksum-algorithm", "CRC32")]);
    }
    client.s3(method, path, query, &all, body.as_bytes()).await
}

/// Asks S3's second API, in the name of the test's account.
pub(crate) async fn control(
    client: &Client,
    method: &str,
    path: &str,
    query: &str,
    body: &str,
) -> TestAnswer {
    control_of(client, ACCOUNT, method, path, query, body).await
}

/// The same in the name of another account.
pub(crate) async fn control_of(
    client: &Client,
    account: &str,
    method: &str,
    path: &str,
    query: &str,
    body: &str,
) -> TestAnswer {
    let path = format!("/v20180820/{path}");
    client.s3(method, &path, query, &[("x-amz-account-id", account)], body.as_bytes()).await
}

/// Asks for something that is refused.
pub(crate) async fn refused(client: &Client, method: &str, path: &str, query: &str, body: &str) -> Refusal {
    let answer = ask(client, method, path, query, body).await;
    let (code, message) = answer.refused();
    (answer.status, code, message)
}

/// A header of an answer.
pub(crate) fn header<'a>(answer: &'a TestAnswer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

/// What a refusal is expected to be.
pub(crate) fn refusal(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    (status, code.to_owned(), message.into())
}

/// The checksum that AWS's clients send by default, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
