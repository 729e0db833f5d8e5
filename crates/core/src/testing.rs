//! A server for tests: the real gate on a store in memory, a clock that stands still, and a client that signs as AWS's do.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod organization;
mod outside;
mod required;
mod web;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use daypass_model::{AccountId, Operation, Service, Timestamp, services};
use daypass_objects::local::{Local, Options};
use daypass_objects::upstream::Attached;
use daypass_store::records::{AccessKey, AccessKeyStatus, Indexed as _, Policies, Sealed, User};
use daypass_store::{AuditQuery, AuditRecord, Order, Store};
use http::Request;
use http_body_util::BodyExt as _;

use crate::key_ring::Purpose;
use crate::{
    Attempts, Clock, Destinations, Entropy, Entry, Gate, Identities, InstanceSupport, Kept, KeyRing,
    ObjectKeys, Opened, Organizations, Peer, ProviderKeys, Secret, SetQuota, State, Web, administrator, full,
};

pub use outside::DESTINATIONS;
pub use web::StillWeb;

/// When every test begins: 2026-11-22T02:14:00Z.
pub const NOW: i64 = 1_795_313_640;
/// The account of every test.
pub const ACCOUNT: &str = "123456789012";

/// A clock that moves when it is told to.
pub struct StillClock(AtomicI64);

impl StillClock {
    /// A clock at [`NOW`].
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a clock is made where a test begins, and nowhere else")]
    pub fn new() -> Self {
        Self(AtomicI64::new(NOW * 1000))
    }

    /// Moves on.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Counts: the same in every run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let block = digest::digest(&digest::SHA256, &number.to_be_bytes());
            chunk.copy_from_slice(block.as_ref().get(..chunk.len()).unwrap());
        }
    }
}

/// A server without sockets.
pub struct TestServer {
    /// The gate.
    pub gate: Gate,
    /// Its clock.
    pub clock: Arc<StillClock>,
    /// What others publish.
    pub web: Arc<StillWeb>,
    /// Its object store, to which other stores can be attached.
    pub engine: Arc<Attached>,
    /// Where its objects are, until it is dropped.
    _objects: tempfile::TempDir,
}

impl TestServer {
    /// A server with these operations, one account and nothing else.
    pub async fn new(entries: impl IntoIterator<Item = &'static Entry>) -> Self {
        Self::with_quotas(entries, &[]).await
    }

    /// The same with quotas that are set, as `iam:RolesPerAccount=7`.
    pub async fn with_quotas(entries: impl IntoIterator<Item = &'static Entry>, quotas: &[&str]) -> Self {
        let store = Store::in_memory().unwrap();
        let clock = Arc::new(StillClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
        let ring = KeyRing::load(&store, &Secret::new([7; 32]), &*clock, Arc::clone(&entropy)).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let web = Arc::new(StillWeb::default());
        let engine =
            Arc::new(Attached::new(Arc::new(objects(folder.path(), &ring, &entropy))).await.unwrap());
        let state = State {
            identities: Identities::of(&store),
            organizations: Organizations::of(&store),
            kept: Kept::of(&store),
            opened: Opened::default(),
            attempts: Attempts::default(),
            decryptions: Attempts::default(),
            moving: crate::outbox::Moving::default(),
            objects: Arc::clone(&engine) as _,
            store,
            ring,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy,
            provider_keys: ProviderKeys::of(Arc::clone(&web) as Arc<dyn Web>),
            endpoint: "https://daypass.example".to_owned(),
            account: account(),
            region: "us-east-1".to_owned(),
            instances: InstanceSupport::available(),
            quotas: quotas.iter().map(|quota| quota.parse::<SetQuota>().unwrap()).collect(),
            hosts: daypass_wire::Hosts::default(),
            destinations: Destinations::new(DESTINATIONS),
            lifecycle_day: Duration::from_secs(86_400),
        };
        administrator::prepare(&state, &account()).await.unwrap();
        Self { gate: Gate::new(Arc::new(state), entries), clock, web, engine, _objects: folder }
    }

    /// A client of the account's administrator.
    pub async fn administrator(&self) -> Client {
        let state = self.gate.state();
        let session = administrator::session(state, &account(), "tester", 3600).await.unwrap();
        self.client(
            &session.access_key_id,
            session.secret_access_key.expose(),
            Some(session.session_token.clone()),
        )
    }

    /// A client that does not sign.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        self.client("", "", None)
    }

    /// A client of a user with these inline policies (name and document) and a long-term key.
    pub async fn user(&self, name: &str, policies: &[(&str, &str)]) -> Client {
        self.user_of(&account(), name, policies).await
    }

    /// The same in another account, which is made if it is not there. Names must differ from those of other accounts.
    pub async fn user_of(&self, account: &AccountId, name: &str, policies: &[(&str, &str)]) -> Client {
        administrator::prepare(self.gate.state(), account).await.unwrap();
        let id = format!("AKIA{:Q<16}", name.to_uppercase());
        let secret = format!("{name:s<40}");
        let state = self.gate.state();
        let context = AccessKey::seal_context(&id);
        let sealed = state.ring.seal(Purpose::Record, context.as_bytes(), secret.as_bytes()).unwrap();
        let user = User {
            account: account.clone(),
            path: "/".to_owned(),
            name: name.to_owned(),
            id: format!("AIDA{:Q<17}", name.to_uppercase()),
            created: self.clock.now(),
            policies: Policies {
                inline: policies.iter().map(|(n, d)| ((*n).to_owned(), (*d).to_owned())).collect(),
                attached: vec![],
            },
            permissions_boundary: None,
            tags: vec![],
            groups: vec![],
            access_keys: vec![id.clone()],
        };
        let key = AccessKey {
            id: id.clone(),
            account: account.clone(),
            user_name: name.to_owned(),
            user_id: user.id.clone(),
            secret: Sealed(sealed),
            status: AccessKeyStatus::Active,
            created: self.clock.now(),
        };
        let put = state.store.transact(|tx| {
            user.save(tx)?;
            tx.put(&key)
        });
        let put: Result<(), daypass_store::TransactError<daypass_store::StoreError>> = put.await;
        put.unwrap();
        self.client(&id, &secret, None)
    }

    /// A client with these credentials.
    #[must_use]
    pub fn client(&self, access_key_id: &str, secret: &str, token: Option<String>) -> Client {
        Client {
            gate: self.gate.clone(),
            clock: Arc::clone(&self.clock),
            access_key_id: access_key_id.to_owned(),
            secret: secret.to_owned(),
            token,
            region: "us-east-1".to_owned(),
            peer: Mutex::new(peer()),
        }
    }

    /// Calls an operation of IAM, STS or EC2, with what its table requires, as a user without any rights: the user is
    /// refused, nothing changes, and there is one record of it.
    pub async fn refuses_a_stranger(&self, operation: &'static Operation) {
        let stranger = self.user("stranger", &[]).await;
        let (revision, records) = (self.gate.state().store.revision(), self.audit().len());
        let parameters = required::form(operation);
        let form: Vec<(&str, &str)> = parameters.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let (code, message) = stranger.query(operation.service.name, operation.name, &form).await.refused();
        let name = operation.name;
        assert!(
            matches!(code.as_str(), "AccessDenied" | "UnauthorizedOperation"),
            "{name}: {code} {message}"
        );
        assert_eq!(self.gate.state().store.revision(), revision, "{name} changed something");
        let audit = self.audit();
        assert_eq!(audit.len(), records + 1, "{name}");
        assert!(audit.last().is_some_and(|record| record.event_name == name), "{name}");
    }

    /// The audit log, oldest record first.
    #[must_use]
    pub fn audit(&self) -> Vec<AuditRecord> {
        let query = AuditQuery { order: Order::OldestFirst, limit: usize::MAX, ..AuditQuery::default() };
        self.gate.state().store.audit(&query).unwrap()
    }
}

/// The account of every test.
#[must_use]
pub fn account() -> AccountId {
    ACCOUNT.parse().unwrap()
}

/// A small object store.
fn objects(folder: &Path, ring: &KeyRing, entropy: &Arc<dyn Entropy>) -> Local {
    let entropy = Arc::clone(entropy);
    let mut options = Options::new(Box::new(move |buffer: &mut [u8]| entropy.fill(buffer)));
    options.packed_bytes = 64 << 10;
    options.packed_segment_bytes = 512 << 10;
    options.stream_segment_bytes = 8 << 20;
    options.reserve_bytes = 0;
    options.read_threads = 1;
    options.write_threads = 2;
    options.keyring = Arc::new(ObjectKeys::of(ring));
    Local::open(folder, options).unwrap()
}

fn peer() -> Peer {
    Peer { address: Ipv4Addr::new(192, 0, 2, 1).into(), tls: None, instance: None }
}

/// An answer.
pub struct TestAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: http::HeaderMap,
    /// Its body.
    pub body: String,
}

impl TestAnswer {
    /// The text of the first element of that name.
    #[must_use]
    pub fn xml(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        rest.split_once("</").map(|(text, _)| text)
    }

    /// The texts of all elements of that name.
    #[must_use]
    pub fn xml_all(&self, name: &str) -> Vec<&str> {
        self.body
            .split(&format!("<{name}>"))
            .skip(1)
            .filter_map(|r| r.split_once("</").map(|(t, _)| t))
            .collect()
    }

    /// The error's code, whatever the protocol.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        let json = || {
            serde_json::from_str::<serde_json::Value>(&self.body)
                .ok()?
                .get("__type")?
                .as_str()
                .map(str::to_owned)
        };
        // REST with JSON says it in a header.
        let header = || Some(self.headers.get("x-amzn-errortype")?.to_str().ok()?.to_owned());
        self.xml("Code").map(str::to_owned).or_else(json).or_else(header)
    }

    /// The error's message.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let unescape = |t: &str| {
            t.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        };
        let json = || {
            serde_json::from_str::<serde_json::Value>(&self.body)
                .ok()?
                .get("message")?
                .as_str()
                .map(str::to_owned)
        };
        self.xml("Message").map(unescape).or_else(json)
    }

    /// The same answer, if it is a success.
    pub fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self
    }

    /// The code and the message of a refusal.
    pub fn refused(&self) -> (String, String) {
        assert!(self.status >= 300, "{} {}", self.status, self.body);
        (self.code().unwrap_or_default(), self.message().unwrap_or_default())
    }
}

/// A client that signs.
pub struct Client {
    gate: Gate,
    clock: Arc<StillClock>,
    access_key_id: String,
    secret: String,
    token: Option<String>,
    /// The region that it signs for.
    pub region: String,
    /// Where it seems to come from.
    pub peer: Mutex<Peer>,
}

impl Client {
    /// Calls an operation of IAM, STS or EC2.
    pub async fn query(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> TestAnswer {
        let table = service_of(service);
        let mut form = vec![("Action", action), ("Version", table.api_version)];
        form.extend(parameters);
        let body: Vec<String> =
            form.iter().map(|(k, v)| format!("{}={}", encode(k, false), encode(v, false))).collect();
        let kind = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let body = body.join("&");
        self.send(Outgoing {
            service: table,
            method: "POST",
            path: "/",
            query: "",
            headers: &kind,
            body: body.as_bytes(),
        })
        .await
    }

    /// Calls an operation of a JSON service.
    pub async fn json(&self, service: &str, operation: &str, input: &serde_json::Value) -> TestAnswer {
        let table = service_of(service);
        let target = format!("{}.{operation}", table.target_prefix);
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let body = input.to_string();
        self.send(Outgoing {
            service: table,
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: body.as_bytes(),
        })
        .await
    }

    /// Calls an operation of a service that speaks REST with JSON: a path as it is sent, a query without its question mark.
    pub async fn rest(
        &self,
        service: &str,
        method: &str,
        path: &str,
        query: &str,
        input: &serde_json::Value,
    ) -> TestAnswer {
        let headers = [("content-type", "application/json")];
        let (service, body) = (service_of(service), input.to_string());
        self.send(Outgoing { service, method, path, query, headers: &headers, body: body.as_bytes() }).await
    }

    /// Calls S3: a path as it is sent, a query without its question mark; a host if it is another one.
    pub async fn s3(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> TestAnswer {
        self.send(Outgoing { service: service_of("s3"), method, path, query, headers, body }).await
    }

    /// Calls S3 with a document and the checksum that S3 wants with it; no document, no checksum.
    pub async fn s3_document(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        document: &str,
    ) -> TestAnswer {
        use base64::Engine as _;
        let digest = digest::digest(&digest::SHA256, document.as_bytes());
        let sum = base64::engine::general_purpose::STANDARD.encode(digest.as_ref());
        let mut all = headers.to_vec();
        if !document.is_empty() {
            all.push(("x-amz-checksum-sha256", &sum));
        }
        self.s3(method, path, query, &all, document.as_bytes()).await
    }

    /// Signs and sends.
    async fn send(&self, outgoing: Outgoing<'_>) -> TestAnswer {
        let Outgoing { method, path, query, headers, body, .. } = outgoing;
        let uri = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let mut all: Vec<(String, String)> =
            headers.iter().map(|(k, v)| (k.to_lowercase(), (*v).to_owned())).collect();
        if headers.iter().all(|(name, _)| *name != "host") {
            all.push(("host".to_owned(), "127.0.0.1:4566".to_owned()));
        }
        all.push(("x-amz-date".to_owned(), self.clock.now().basic()));
        all.push(("x-amz-content-sha256".to_owned(), hex(digest::digest(&digest::SHA256, body).as_ref())));
        if let Some(token) = &self.token {
            all.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        all.sort();
        let mut request = Request::builder().method(method).uri(uri);
        if self.access_key_id.is_empty() {
            all.retain(|(name, _)| !name.starts_with("x-amz-date") && name != "x-amz-content-sha256");
        } else {
            request = request.header("authorization", self.sign(&outgoing, &all));
        }
        for (name, value) in &all {
            request = request.header(name, value);
        }
        let request = request.body(full(body.to_vec())).unwrap();
        let peer = self.peer.lock().unwrap().clone();
        let (head, body) = self.gate.serve(peer, request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        TestAnswer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    fn sign(&self, outgoing: &Outgoing<'_>, headers: &[(String, String)]) -> String {
        let Outgoing { service, method, path, query, body, .. } = outgoing;
        let date = self.clock.now().basic();
        let day = date.get(..8).unwrap();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let mut pairs: Vec<String> = query
            .split('&')
            .filter(|p| !p.is_empty())
            .map(|p| if p.contains('=') { p.to_owned() } else { format!("{p}=") })
            .collect();
        pairs.sort();
        let path = if service.name == "s3" { (*path).to_owned() } else { encode(path, true) };
        let lines: String = headers.iter().map(|(k, v)| format!("{k}:{}\n", v.trim())).collect();
        let hash = hex(digest::digest(&digest::SHA256, body).as_ref());
        let canonical =
            format!("{method}\n{path}\n{}\n{lines}\n{}\n{hash}", pairs.join("&"), names.join(";"));
        let scope = format!("{day}/{}/{}/aws4_request", self.region, service.signing_name);
        let digest = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [day, &self.region, service.signing_name, "aws4_request"] {
            key = mac(&key, part);
        }
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={}",
            self.access_key_id,
            names.join(";"),
            hex(&mac(&key, &text))
        )
    }
}

/// A request before it is signed.
struct Outgoing<'a> {
    service: &'static Service,
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

fn service_of(name: &str) -> &'static Service {
    services().iter().find(|s| s.name == name).unwrap()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn encode(text: &str, keep_slash: bool) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
            b'/' if keep_slash => "/".to_owned(),
            b => format!("%{b:02X}"),
        })
        .collect()
}
