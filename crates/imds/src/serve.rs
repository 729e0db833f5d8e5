//! HTTP, as the metadata service speaks it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use daypass_core::State;
use daypass_core::model::AccountId;
use daypass_core::store::records::{Endpoint, HttpTokens, Instance, InstanceState};
use daypass_core::store::{Read as _, StoreError};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::credentials::{Credentials, Delivery, Profile, profile};
use crate::paths::{Found, find};
use crate::token;

const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The most connections of one instance at a time.
const MAX_CONNECTIONS: usize = 1024;
/// A request's head has to arrive within this time.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// The most bytes of a request's head.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// What packets carry that have no hop limit.
const ORDINARY_TTL: u32 = 64;
/// What is kept ready is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The versions of the tree that SDKs and people ask for, beside `latest`.
const VERSIONS: &[&str] = &[
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "2011-01-01",
    "2011-05-01",
    "2012-01-12",
    "2014-02-25",
    "2014-11-05",
    "2015-10-20",
    "2016-04-19",
    "2016-06-30",
    "2016-09-02",
    "2018-03-28",
    "2018-08-17",
    "2018-09-24",
    "2019-10-01",
    "2020-10-27",
    "2021-01-03",
    "2021-03-23",
    "2021-07-15",
    "2022-09-24",
    "2024-04-11",
    "latest",
];

/// Answers for one instance.
pub struct Metadata {
    state: Arc<State>,
    account: AccountId,
    region: String,
    instance_id: String,
    credentials: Credentials,
}

impl Metadata {
    /// The service of the instance of that id.
    #[must_use]
    pub fn new(state: Arc<State>, account: AccountId, region: String, instance_id: String) -> Self {
        Self { state, account, region, instance_id, credentials: Credentials::default() }
    }

    fn instance(&self) -> Result<Option<Instance>, StoreError> {
        let key = Instance::key_of(&self.account, &self.region, &self.instance_id);
        self.state.store.read(|tx| tx.get::<Instance>(&key))
    }

    /// Has the credentials ready before anybody asks.
    async fn prepare(&self) {
        let Ok(Some(instance)) = self.instance() else { return };
        if let Ok(Some(Profile { role: Some(role), .. })) = profile(&self.state, &instance)
            && let Err(error) = self.credentials.document(&self.state, &instance, &role, Delivery::V2).await
        {
            tracing::warn!(%error, instance = self.instance_id, "credentials could not be made ready");
        }
    }

    /// Answers one request; with it, the hop limit of the answer's packets.
    pub(crate) async fn answer(&self, request: &Request<impl Sized>) -> (Response<Full<Bytes>>, u32) {
        let answer = match self.instance() {
            Ok(Some(instance)) => self.route(request, &instance).await,
            Ok(None) => Ok(plain(StatusCode::NOT_FOUND)),
            Err(error) => Err(error),
        };
        let answer = answer.unwrap_or_else(|error| {
            tracing::error!(%error, instance = self.instance_id, "the metadata service failed");
            plain(StatusCode::INTERNAL_SERVER_ERROR)
        });
        // Only the answer that carries a token is kept from travelling on.
        let hops = answer.extensions().get::<HopLimit>().map_or(ORDINARY_TTL, |limit| limit.0);
        (answer, hops)
    }

    async fn route(
        &self,
        request: &Request<impl Sized>,
        instance: &Instance,
    ) -> Result<Response<Full<Bytes>>, StoreError> {
        let off = instance.metadata.http_endpoint == Endpoint::Disabled;
        if off || matches!(instance.state, InstanceState::Stopped | InstanceState::Terminated) {
            return Ok(plain(StatusCode::FORBIDDEN));
        }
        // A client of a proxy asks for a whole address; this is none.
        if request.uri().authority().is_some() {
            return Ok(plain(StatusCode::BAD_REQUEST));
        }
        // No request has a body. One whose end two proxies may see in different places carries another request.
        if request.headers().contains_key(http::header::TRANSFER_ENCODING) {
            return Ok(plain(StatusCode::BAD_REQUEST));
        }
        let path = request.uri().path();
        match *request.method() {
            Method::PUT if is_token_path(path) => Ok(self.give_token(request.headers(), instance)),
            Method::GET | Method::HEAD if is_token_path(path) => Ok(plain(StatusCode::METHOD_NOT_ALLOWED)),
            Method::GET | Method::HEAD => self.read(request.headers(), path, instance).await,
            _ => Ok(plain(StatusCode::METHOD_NOT_ALLOWED)),
        }
    }

    fn give_token(&self, headers: &HeaderMap, instance: &Instance) -> Response<Full<Bytes>> {
        // A request that came through a proxy may be somebody else's.
        if headers.contains_key(FORWARDED_FOR) {
            return plain(StatusCode::FORBIDDEN);
        }
        let ttl = only(headers, &TTL).and_then(|value| token::parse_ttl(value.as_bytes()));
        let Some(ttl) = ttl else { return plain(StatusCode::BAD_REQUEST) };
        let Some(token) = token::issue(&self.state.ring, instance, self.state.clock.now(), ttl) else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let mut answer = text(token);
        answer.headers_mut().insert(TTL, HeaderValue::from(ttl));
        answer.extensions_mut().insert(HopLimit(u32::from(instance.metadata.hop_limit)));
        answer
    }

    async fn read(
        &self,
        headers: &HeaderMap,
        path: &str,
        instance: &Instance,
    ) -> Result<Response<Full<Bytes>>, StoreError> {
        let given = headers.contains_key(TOKEN);
        let valid = only(headers, &TOKEN).is_some_and(|t| {
            token::is_valid(&self.state.ring, instance, self.state.clock.now(), t.as_bytes())
        });
        // A token that is wrong is refused even where none is needed.
        if given != valid || (!given && instance.metadata.http_tokens == HttpTokens::Required) {
            return Ok(plain(StatusCode::UNAUTHORIZED));
        }
        let Some(below) = below_version(path) else {
            return Ok(if path == "/" { text(VERSIONS.join("\n")) } else { plain(StatusCode::NOT_FOUND) });
        };
        let profile = profile(&self.state, instance)?;
        if profile.is_none() {
            self.credentials.clear();
        }
        let delivery = if given { Delivery::V2 } else { Delivery::V1 };
        Ok(match find(below, instance, profile.as_ref()) {
            None => plain(StatusCode::NOT_FOUND),
            Some(Found::Text(found)) => text(found),
            Some(Found::Bytes(bytes)) => {
                let mut answer = Response::new(Full::new(Bytes::from(bytes)));
                answer
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
                answer
            }
            Some(Found::Credentials { extended }) => {
                let Some(role) = profile.and_then(|p| p.role) else {
                    return Ok(plain(StatusCode::NOT_FOUND));
                };
                let document = self.credentials.document(&self.state, instance, &role, delivery).await?;
                text(if extended { with_account(&document, instance) } else { document })
            }
        })
    }
}

/// How far the packets of an answer travel.
#[derive(Clone)]
struct HopLimit(u32);

fn is_token_path(path: &str) -> bool {
    path == "/latest/api/token"
}

/// What stands behind `/latest/` or `/<date>/`.
fn below_version(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/')?;
    let (version, rest) = path.split_once('/').unwrap_or((path, ""));
    VERSIONS.contains(&version).then_some(rest)
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// The document with the account's id, as newer SDKs ask for it.
fn with_account(document: &str, instance: &Instance) -> String {
    let Ok(serde_json::Value::Object(mut object)) = serde_json::from_str(document) else {
        return document.to_owned();
    };
    if object.contains_key("AccessKeyId") {
        object.insert("AccountId".to_owned(), instance.account.as_str().into());
    }
    crate::credentials::pretty(&serde_json::Value::Object(object))
}

fn text(body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}

/// A refusal, which repeats nothing of the request.
fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let words = format!("{} - {}", status.as_u16(), status.canonical_reason().unwrap_or(""));
    let mut answer = text(words);
    *answer.status_mut() = status;
    answer
}

/// Answers what arrives at a listener, until it is dropped: for one instance, whoever the packets say they are from.
pub async fn serve(metadata: Arc<Metadata>, listener: TcpListener) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let ready = Arc::clone(&metadata);
    let looking = tokio::spawn(async move {
        loop {
            ready.prepare().await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    let _stop = StopWith(looking);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors: wait for some to come back.
                tracing::warn!(%error, "a metadata connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else { continue };
        let metadata = Arc::clone(&metadata);
        tokio::spawn(async move {
            connection(metadata, stream).await;
            drop(permit);
        });
    }
}

/// Ends a task with the one that began it.
struct StopWith(tokio::task::JoinHandle<()>);

impl Drop for StopWith {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn connection(metadata: Arc<Metadata>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let stream = Arc::new(stream);
    let socket = Arc::clone(&stream);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (metadata, socket) = (Arc::clone(&metadata), Arc::clone(&socket));
        async move {
            let (mut answer, hops) = metadata.answer(&request).await;
            set_hops(&socket, hops);
            answer.headers_mut().insert(http::header::SERVER, HeaderValue::from_static("EC2ws"));
            Ok::<_, Infallible>(answer)
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Shared(stream)), service);
    // How a client ends its connection is its own affair.
    let _ = served.await;
}

/// How many hops the packets that follow may travel.
fn set_hops(stream: &TcpStream, hops: u32) {
    let socket = socket2::SockRef::from(stream);
    let set = match stream.local_addr() {
        Ok(address) if address.is_ipv6() => socket.set_unicast_hops_v6(hops),
        _ => socket.set_ttl_v4(hops),
    };
    if let Err(error) = set {
        tracing::warn!(%error, "a hop limit could not be set");
    }
}

/// A stream that is also at hand for its socket options.
struct Shared(Arc<TcpStream>);

impl tokio::io::AsyncRead for Shared {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        loop {
            std::task::ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return std::task::Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return std::task::Poll::Ready(Err(error)),
            }
        }
    }
}

impl tokio::io::AsyncWrite for Shared {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        loop {
            std::task::ready!(self.0.poll_write_ready(cx))?;
            match self.0.try_write(bytes) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                done => return std::task::Poll::Ready(done),
            }
        }
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(socket2::SockRef::from(&*self.0).shutdown(std::net::Shutdown::Write))
    }
}
