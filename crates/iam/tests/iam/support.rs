//! An account for a test: its server and its administrator.

use daypass_core::testing::{Client, TestAnswer, TestServer};

/// Lets EC2 assume a role.
pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
/// Allows something that no test asks for.
pub(crate) const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}"#;

/// A certificate, signed by the one in `ca.pem`.
pub(crate) const SERVER_CERTIFICATE: &str = include_str!("../data/server.pem");

/// The server and its administrator.
pub(crate) struct Account {
    pub(crate) server: TestServer,
    pub(crate) administrator: Client,
}

/// A refusal: status, code and message.
pub(crate) type Refusal = (u16, String, String);

impl Account {
    pub(crate) async fn new() -> Self {
        Self::with_quotas(&[]).await
    }

    /// An account whose quotas are set, as `iam:RolesPerAccount=7`.
    pub(crate) async fn with_quotas(quotas: &[&str]) -> Self {
        let server = TestServer::with_quotas(daypass_iam::OPERATIONS.iter().copied(), quotas).await;
        let administrator = server.administrator().await;
        Self { server, administrator }
    }

    /// Calls an operation that succeeds.
    pub(crate) async fn ok(&self, action: &str, parameters: &[(&str, &str)]) -> TestAnswer {
        self.administrator.query("iam", action, parameters).await.ok()
    }

    /// Calls an operation that is refused.
    pub(crate) async fn refused(&self, action: &str, parameters: &[(&str, &str)]) -> Refusal {
        refused(&self.administrator, action, parameters).await
    }

    /// Makes a user.
    pub(crate) async fn user(&self, name: &str) {
        self.ok("CreateUser", &[("UserName", name)]).await;
    }

    /// Makes a group.
    pub(crate) async fn group(&self, name: &str) {
        self.ok("CreateGroup", &[("GroupName", name)]).await;
    }

    /// Makes a role.
    pub(crate) async fn role(&self, name: &str) {
        self.ok("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)]).await;
    }

    /// Uploads a server certificate.
    pub(crate) async fn server_certificate(&self, name: &str) {
        let body = ("CertificateBody", SERVER_CERTIFICATE);
        let key = ("PrivateKey", include_str!("../data/server.key"));
        self.ok("UploadServerCertificate", &[("ServerCertificateName", name), body, key]).await;
    }

    /// Makes a policy; its ARN.
    pub(crate) async fn policy(&self, name: &str) -> String {
        let answer = self.ok("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", DOCUMENT)]).await;
        answer.xml("Arn").unwrap().to_owned()
    }
}

/// Calls an operation that is refused.
pub(crate) async fn refused(client: &Client, action: &str, parameters: &[(&str, &str)]) -> Refusal {
    let answer = client.query("iam", action, parameters).await;
    let (code, message) = answer.refused();
    (answer.status, code, message)
}

/// What a refusal is expected to be.
pub(crate) fn refusal(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    (status, code.to_owned(), message.into())
}

/// The document in an answer.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// A document of so many characters, white space apart.
pub(crate) fn document_of(size: usize) -> String {
    let document = |resource: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/{resource}"}}]}}"#
        )
    };
    let empty = document("").chars().count();
    let long = document(&"x".repeat(size - empty));
    // White space does not count.
    long.replace(":[", ":   \n[")
}

/// A policy that allows these actions on these resources under this condition (`,"Condition":{…}` or nothing).
pub(crate) fn allow(actions: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":{actions},"Resource":"{resource}"{condition}}}}}"#
    )
}
