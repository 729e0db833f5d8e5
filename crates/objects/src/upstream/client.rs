//! The way to another store: one signed request, one answer, bounded in every respect.

use super::outgoing::{Outgoing, Sent};
use super::sign::{self, Signer, Target};
use super::text::encode;
use super::xml;
use crate::{CallerError, Error, Key, Result, Timestamp};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, StatusCode, Uri};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

/// A connection is made within this.
const CONNECT: Duration = Duration::from_secs(10);
/// Nothing moves for longer than this: neither a body on its way there nor one on its way here, nor an answer.
const STALL: Duration = Duration::from_secs(60);
/// Connections that are kept for the next request, and for how long.
const IDLE_CONNECTIONS: usize = 64;
const IDLE: Duration = Duration::from_secs(20);
/// The head of an answer, in bytes and in headers.
const MAX_HEAD: usize = 128 << 10;
const MAX_HEADERS: usize = 128;
/// What an answer says of an error, in bytes.
const MAX_ERROR: usize = 64 << 10;

/// Gives the time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A store, and the key for it.
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Wire>,
    scheme: http::uri::Scheme,
    authority: http::uri::Authority,
    signer: Signer,
    bucket: String,
    now: Now,
}

/// What is asked.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// As the other store knows it; the bucket itself if there is none.
    pub(super) key: Option<&'a str>,
    pub(super) query: Vec<(&'a str, String)>,
    pub(super) headers: HeaderMap,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, key: Option<&'a str>) -> Self {
        Self { method, key, query: Vec::new(), headers: HeaderMap::new() }
    }

    pub(super) fn query(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a header; one that cannot be written is an error.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Result<Self> {
        let value = HeaderValue::from_bytes(value.as_bytes());
        self.headers.insert(name, value.map_err(|_| Error::Unsupported("headers with control characters"))?);
        Ok(self)
    }
}

/// What is sent along.
pub(super) enum Payload {
    None,
    Document(Vec<u8>),
    Stream(Outgoing),
}

/// An answer that is no refusal.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Incoming,
    /// Whether a change was asked for.
    changes: bool,
}

/// What an answer refuses with.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) headers: HeaderMap,
    /// Whether a change was asked for.
    pub(super) changes: bool,
}

/// Why there is no answer that could be used.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(Box<Refusal>),
    Failed(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Where another store is and how it is spoken to.
pub(super) struct Place<'a> {
    pub(super) endpoint: &'a str,
    pub(super) bucket: &'a str,
    pub(super) signer: Signer,
    /// Certificates of authorities, PEM, instead of those that this machine knows.
    pub(super) authorities: Option<&'a str>,
    /// Those that this machine knows.
    pub(super) known: &'a RootCertStore,
    /// Whether it may be spoken to without TLS.
    pub(super) plain: bool,
}

impl Http {
    pub(super) fn new(place: Place<'_>, now: Now) -> Result<Self> {
        let uri: Uri = place.endpoint.parse().map_err(|_| Error::BadOption("an endpoint that is no URL"))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(Error::BadOption("an endpoint is `https://host[:port]`"));
        };
        let is_root = parts.path_and_query.is_none_or(|path| path.as_str() == "/");
        if !is_root || authority.as_str().contains('@') {
            return Err(Error::BadOption("an endpoint is `https://host[:port]` and nothing else"));
        }
        if scheme != http::uri::Scheme::HTTPS && !place.plain {
            return Err(Error::BadOption("an endpoint without TLS must be asked for"));
        }
        let tls = tls(place.authorities, place.known)?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_buf_size(MAX_HEAD)
            .http1_max_headers(MAX_HEADERS)
            .build(connector);
        Ok(Self { client, scheme, authority, signer: place.signer, bucket: place.bucket.to_owned(), now })
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Asks, and hands on what the store answers.
    pub(super) async fn ask(&self, ask: Ask<'_>, payload: Payload) -> Result<Answer, Failure> {
        let sent = match &payload {
            Payload::Stream(outgoing) => outgoing.sent.clone(),
            _ => Sent::default(),
        };
        let changes = !matches!(ask.method, Method::GET | Method::HEAD);
        let request = self.request(ask, payload).ok_or(Error::Unsupported("such a request"))?;
        let answer = watched(self.client.request(request), &sent).await;
        let answer = match answer {
            Ok(answer) => answer,
            // Our own end refused the body: that is why there is no answer.
            Err(error) => {
                return Err(match sent.take() {
                    Some(Err(refused)) => Failure::Failed(refused),
                    _ if changes => Failure::Failed(error),
                    _ => Failure::Failed(only_asked(error)),
                });
            }
        };
        let (head, body) = answer.into_parts();
        if head.status.is_success() {
            return Ok(Answer { status: head.status, headers: head.headers, body, changes });
        }
        if let Some(Err(refused)) = sent.take() {
            return Err(Failure::Failed(refused));
        }
        let (code, message) = told(body).await;
        let (status, headers) = (head.status, head.headers);
        Err(Failure::Refused(Box::new(Refusal { status, code, message, headers, changes })))
    }

    fn request(&self, mut ask: Ask<'_>, payload: Payload) -> Option<http::Request<Wire>> {
        let path = match ask.key {
            Some(key) => format!("/{}/{}", encode(&self.bucket, false), encode(key, true)),
            None => format!("/{}", encode(&self.bucket, false)),
        };
        let hash = match &payload {
            Payload::None => sign::sha256(b""),
            Payload::Document(bytes) => sign::sha256(bytes),
            Payload::Stream(outgoing) if outgoing.trailer.is_some() => sign::UNSIGNED_TRAILER.to_owned(),
            Payload::Stream(_) => sign::UNSIGNED.to_owned(),
        };
        ask.headers.insert(HOST, HeaderValue::from_str(self.authority.as_str()).ok()?);
        let query = sign::query_string(&ask.query);
        let target = Target { method: ask.method.as_str(), path: &path, query: &ask.query, payload: &hash };
        self.signer.sign(&target, &mut ask.headers, self.now())?;
        ask.headers.insert(USER_AGENT, sign::user_agent());
        let wire = Wire::of(payload);
        if wire.length > 0 || ask.method == Method::PUT || ask.method == Method::POST {
            ask.headers.insert(CONTENT_LENGTH, HeaderValue::from(wire.length));
        }
        let path = if query.is_empty() { path } else { format!("{path}?{query}") };
        let uri = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .ok()?;
        let mut request = http::Request::new(wire);
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (ask.method, uri, ask.headers);
        Some(request)
    }
}

fn tls(authorities: Option<&str>, known: &RootCertStore) -> Result<ClientConfig> {
    let roots = match authorities {
        None => known.clone(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|_| Error::BadOption("authorities that are no PEM"))?;
                roots.add(certificate).map_err(|_| Error::BadOption("a certificate of no authority"))?;
            }
            roots
        }
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::BadOption("no version of TLS"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Waits for an answer as long as something moves.
async fn watched<T>(
    request: impl Future<Output = Result<T, hyper_util::client::legacy::Error>>,
    sent: &Sent,
) -> Result<T, Error> {
    let mut request = std::pin::pin!(request);
    let mut seen = 0;
    loop {
        match tokio::time::timeout(STALL, &mut request).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if error.is_connect() => return Err(Error::Unavailable(cause(&error))),
            Ok(Err(error)) => return Err(Error::Unanswered(cause(&error))),
            Err(_) => {
                let moved = sent.progress.load(Ordering::Relaxed);
                if moved == seen {
                    return Err(Error::Unanswered(format!("nothing for {} seconds", STALL.as_secs())));
                }
                seen = moved;
            }
        }
    }
}

/// Of what only asks, no outcome is left open: it can be asked again.
fn only_asked(error: Error) -> Error {
    match error {
        Error::Unanswered(why) => Error::Unavailable(why),
        error => error,
    }
}

/// What is to be told of a change that the store said yes to, after which something went wrong: it may have been made.
pub(super) fn after_yes(error: Error) -> Error {
    match error {
        Error::Unanswered(why) => Error::Unanswered(why),
        error => Error::Unanswered(error.to_string()),
    }
}

/// The innermost reason, which is the one that says something.
fn cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn lost(changes: bool, why: String) -> Error {
    if changes { Error::Unanswered(why) } else { Error::Unavailable(why) }
}

/// The code of an error in the body of an answer that began as a success.
pub(super) fn refused_after_all(document: &[u8]) -> Option<String> {
    let code = |error: xml::Element<'_, '_>| Some(error.text("Code").unwrap_or_default().to_owned());
    xml::read(document.trim_ascii_start(), "Error", code).ok()
}

/// What a refusal says of itself.
async fn told(body: Incoming) -> (String, String) {
    let read = tokio::time::timeout(STALL, Limited::new(body, MAX_ERROR).collect()).await;
    let Ok(Ok(body)) = read else { return Default::default() };
    let words = |error: xml::Element<'_, '_>| {
        let text = |name| error.text(name).unwrap_or_default().to_owned();
        Some((text("Code"), text("Message")))
    };
    xml::read(&body.to_bytes(), "Error", words).unwrap_or_default()
}

impl Answer {
    /// The document in the body.
    pub(super) async fn document(self) -> Result<Bytes> {
        let read = tokio::time::timeout(STALL, Limited::new(self.body, xml::MAX_BYTES).collect()).await;
        match read {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) => Err(lost(self.changes, error.to_string())),
            Err(_) => Err(lost(self.changes, "the document did not come".to_owned())),
        }
    }

    /// The document of a request that takes long: stores send spaces while they work.
    pub(super) async fn slow_document(mut self) -> Result<Bytes> {
        let mut whole = Vec::new();
        loop {
            match tokio::time::timeout(STALL, self.body.frame()).await {
                Ok(None) => return Ok(whole.into()),
                Ok(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    let begun = if whole.is_empty() { data.trim_ascii_start() } else { &data };
                    whole.extend_from_slice(begun);
                    if whole.len() > xml::MAX_BYTES {
                        return Err(Error::Upstream("a document without end".to_owned()));
                    }
                }
                Ok(Some(Err(error))) => return Err(Error::Unanswered(error.to_string())),
                Err(_) => return Err(Error::Unanswered("the document did not come".to_owned())),
            }
        }
    }

    /// The bytes in the body, exactly this many.
    pub(super) fn bytes(self, expected: u64) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        let short = || Error::Io("the other store ended an object early".to_owned());
        stream::unfold(Some((self.body, expected)), move |state| async move {
            let (mut body, rest) = state?;
            loop {
                let frame = tokio::time::timeout(STALL, body.frame()).await;
                let data = match frame {
                    Ok(None) if rest == 0 => return None,
                    Ok(None) | Err(_) => return Some((Err(short()), None)),
                    Ok(Some(Err(error))) => return Some((Err(Error::Io(error.to_string())), None)),
                    Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                };
                if data.is_empty() {
                    continue;
                }
                let Some(rest) = rest.checked_sub(data.len() as u64) else {
                    return Some((Err(Error::Io("the other store sent too much".to_owned())), None));
                };
                return Some((Ok(data), Some((body, rest))));
            }
        })
    }

    /// Reads what nobody needs, so that the connection can be used again.
    pub(super) async fn finish(self) {
        let _ = tokio::time::timeout(STALL, Limited::new(self.body, MAX_ERROR).collect()).await;
    }

    /// Reads the rest of the answer to a change, which has to come whole and must be no error: some stores say yes first and
    /// no then.
    pub(super) async fn done(self) -> Result<()> {
        let read = tokio::time::timeout(STALL, Limited::new(self.body, MAX_ERROR).collect()).await;
        let lost = |why: String| Err(Error::Unanswered(why));
        match read {
            Ok(Ok(body)) => match refused_after_all(&body.to_bytes()) {
                None => Ok(()),
                Some(code) => lost(code),
            },
            Ok(Err(error)) => lost(error.to_string()),
            Err(_) => lost("the end of the answer did not come".to_owned()),
        }
    }
}

/// A body on the wire.
pub(super) struct Wire {
    bytes: stream::BoxStream<'static, Result<Bytes, CallerError>>,
    length: u64,
    rest: u64,
}

impl Wire {
    fn of(payload: Payload) -> Self {
        let (bytes, length) = match payload {
            Payload::None => (stream::empty().boxed(), 0),
            Payload::Document(bytes) => {
                let length = bytes.len() as u64;
                (stream::iter([Ok(Bytes::from(bytes))]).boxed(), length)
            }
            Payload::Stream(outgoing) => (outgoing.bytes, outgoing.length),
        };
        Self { bytes, length, rest: length }
    }
}

impl HttpBody for Wire {
    type Data = Bytes;
    type Error = CallerError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CallerError>>> {
        let next = std::task::ready!(self.bytes.poll_next_unpin(cx));
        Poll::Ready(next.map(|chunk| {
            chunk.map(|bytes| {
                self.rest = self.rest.saturating_sub(bytes.len() as u64);
                Frame::data(bytes)
            })
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest)
    }
}

/// The text of a key. Other stores know no keys that are not UTF-8.
pub(super) fn text_of(key: &Key) -> Result<&str> {
    std::str::from_utf8(key.as_bytes()).map_err(|_| Error::Unsupported("keys that are not UTF-8"))
}
