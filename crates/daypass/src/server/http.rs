//! HTTP/1.1 for the API.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use daypass_core::wire::Hosts;
use daypass_core::{Body, BodyError, Peer, PeerInstance, full, token_issuer};
use http::header::{CONNECTION, EXPECT, HOST, HeaderValue, SERVER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Server;

/// The most connections at a time.
const MAX_CONNECTIONS: usize = 8192;
/// The most connections of one instance: it cannot take the place of the others.
const MAX_CONNECTIONS_OF_INSTANCE: usize = 1024;
/// A request's head has to arrive within this time; an idle connection is kept as long.
const HEAD_WITHIN: Duration = Duration::from_secs(60);
/// A TLS handshake has to end within this time.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// The most bytes of a request's head: presigned URLs with long keys and tokens, and all headers.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// The most headers of a request.
const MAX_HEADERS: usize = 256;
/// So much of a body that nobody wanted is read, and for so long, for the connection to go on.
const MAX_UNREAD_BYTES: u64 = 256 << 10;
const UNREAD_WITHIN: Duration = Duration::from_secs(2);
/// Requests that are being answered when the server stops have this long to end.
pub(crate) const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// The end of a server, as its connections see it.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// The signal, and who gives it.
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (give, seen) = watch::channel(false);
        (give, Self(seen))
    }

    /// The same as a future of one type.
    fn future(mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { self.given().await })
    }

    /// Resolves when the server is to stop.
    pub(crate) async fn given(&mut self) {
        while !*self.0.borrow_and_update() {
            // A signal that nobody can give any more is as good as given.
            if self.0.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Answers what arrives at a listener, until the server stops; returns when its last connection has ended. Connections that do not
/// end in time are broken off.
pub(crate) async fn serve(
    server: Arc<Server>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    instance: Option<PeerInstance>,
    mut stop: Stop,
) {
    let most = if instance.is_some() { MAX_CONNECTIONS_OF_INSTANCE } else { MAX_CONNECTIONS };
    let room = Arc::new(Semaphore::new(most));
    let _serving = server.serving().read_owned().await;
    let mut connections = JoinSet::new();
    loop {
        let (stream, address, permit) = tokio::select! {
            accepted = accept(&listener, &room) => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors: wait for some to come back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stop.given() => break,
        };
        while connections.try_join_next().is_some() {}
        let _ = stream.set_nodelay(true);
        let stream = server.connections().enter(stream);
        let (server, tls, instance, stop) =
            (Arc::clone(&server), tls.clone(), instance.clone(), stop.clone());
        connections.spawn(async move {
            let mut peer = Peer { address: address.ip().to_canonical(), tls: None, instance };
            match tls {
                None => connection(server, stream, peer, stop).await,
                Some(tls) => match tokio::time::timeout(HANDSHAKE_WITHIN, tls.accept(stream)).await {
                    Ok(Ok(stream)) => {
                        peer.tls = Some(super::tls::agreed(&stream));
                        connection(server, stream, peer, stop).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%error, %address, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
                },
            }
            drop(permit);
        });
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_WITHIN, all).await.is_err() {
        connections.shutdown().await;
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, permit))
}

async fn connection(
    server: Arc<Server>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    stop: Stop,
) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (server, peer) = (Arc::clone(&server), peer.clone());
        async move { Ok::<_, Infallible>(answer(server, peer, request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    // How a client ends its connection is its own affair.
    let mut served = std::pin::pin!(served);
    let mut stop = Some(stop.future());
    let _ = std::future::poll_fn(|cx| {
        if stop.as_mut().is_some_and(|stop| stop.as_mut().poll(cx).is_ready()) {
            stop = None;
            served.as_mut().graceful_shutdown();
        }
        served.as_mut().poll(cx)
    })
    .await;
}

async fn answer(server: Arc<Server>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    let (request, sent) = noted(request);
    let state = server.state();
    let mut response = match own(&state.hosts, &state.endpoint, &request) {
        Some(Own::Health) => health(),
        Some(Own::Published(path)) => published(&server, path),
        None => {
            let request = request.map(|body| body.map_err(BodyError::new).boxed_unsync());
            server.gate().serve(peer, request).await
        }
    };
    response.headers_mut().insert(SERVER, HeaderValue::from_static("Daypass"));
    if !sent.leads_to_the_next().await {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What the server answers beside AWS's services.
#[derive(Debug, PartialEq, Eq)]
enum Own<'a> {
    Health,
    /// What token issuers publish, by its path.
    Published(&'a str),
}

/// Whether the request is for the server itself. In the host of a bucket or its website the path is an object's, unless that host
/// is the one that the server is known by.
fn own<'a, B>(hosts: &Hosts, endpoint: &str, request: &'a Request<B>) -> Option<Own<'a>> {
    let path = request.uri().path();
    let asked = match path {
        "/_daypass/health" => Own::Health,
        path if path.starts_with("/_daypass/oidc/") => Own::Published(path),
        _ => return None,
    };
    let host = request.headers().get(HOST).map_or(Some(""), |host| host.to_str().ok())?;
    let known = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let known = known.split('/').next().unwrap_or(known).eq_ignore_ascii_case(host);
    let is_of_server = known || hosts.bucket_of(host).is_none() && hosts.website_of(host).is_none();
    (is_of_server && request.method() == Method::GET).then_some(asked)
}

/// What the accounts' token issuers publish: for everybody, as their tokens are for.
fn published(server: &Server, path: &str) -> Response<Body> {
    let (status, body) = match token_issuer::document(server.state(), path) {
        Ok(Some(document)) => (StatusCode::OK, document),
        Ok(None) => (StatusCode::NOT_FOUND, r#"{"error":"not_found"}"#.to_owned()),
        Err(error) => {
            tracing::error!(%error, "what a token issuer publishes could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, r#"{"error":"server_error"}"#.to_owned())
        }
    };
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// What becomes of a request's body.
struct Sent<B> {
    /// Its first bytes came, or are not waited for.
    began: AtomicBool,
    /// All of it was read.
    ended: AtomicBool,
    /// What nobody read.
    rest: Mutex<Option<B>>,
}

/// A body that tells what becomes of it.
struct Noted<B: hyper::body::Body + Unpin> {
    body: Option<B>,
    sent: Arc<Sent<B>>,
}

fn noted<B: hyper::body::Body + Unpin>(request: Request<B>) -> (Request<Noted<B>>, Arc<Sent<B>>) {
    let sent = Arc::new(Sent {
        began: AtomicBool::new(!request.headers().contains_key(EXPECT)),
        ended: AtomicBool::new(!request.headers().contains_key(EXPECT) && request.body().is_end_stream()),
        rest: Mutex::new(None),
    });
    let noted = Arc::clone(&sent);
    (request.map(|body| Noted { body: Some(body), sent: noted }), sent)
}

impl<B: hyper::body::Body + Unpin> Sent<B> {
    /// Whether the next thing on the connection is a request. It is not where the client waits for a `100 Continue` and has the
    /// answer instead: botocore sends no body then, and its next request would be read as the body of this one; or it takes
    /// the next answer for that of this one. Nor is it where much of the body is still to come. Such a connection ends with the
    /// answer, which says so: or else the client's next request would meet its end.
    async fn leads_to_the_next(&self) -> bool {
        if !self.began.load(Ordering::Relaxed) {
            return false;
        }
        if self.ended.load(Ordering::Relaxed) {
            return true;
        }
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
        match rest {
            Some(rest) if rest.size_hint().upper().is_some_and(|bytes| bytes <= MAX_UNREAD_BYTES) => {
                tokio::time::timeout(UNREAD_WITHIN, rest.collect()).await.is_ok_and(|read| read.is_ok())
            }
            _ => false,
        }
    }
}

impl<B: hyper::body::Body + Unpin> hyper::body::Body for Noted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *body).poll_frame(cx);
        let ended = match &polled {
            Poll::Ready(Some(Ok(_))) => body.is_end_stream(),
            Poll::Ready(None) => true,
            _ => false,
        };
        if matches!(polled, Poll::Ready(Some(Ok(_)))) {
            self.sent.began.store(true, Ordering::Relaxed);
        }
        if ended {
            self.sent.ended.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(B::is_end_stream)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.as_ref().map_or_else(Default::default, B::size_hint)
    }
}

impl<B: hyper::body::Body + Unpin> Drop for Noted<B> {
    fn drop(&mut self) {
        *self.sent.rest.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

fn health() -> Response<Body> {
    let body = serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") });
    let mut response = Response::new(full(body.to_string()));
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Opens a listener, in words that say what to do if it cannot be.
pub(crate) fn listen(address: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "`{address}` is in use by another program: stop it, or give another `--listen ADDRESS`"
        ),
        _ => anyhow::Error::new(error).context(format!("`{address}` cannot be listened on")),
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_paths_are_objects_where_the_host_names_a_bucket() {
        let hosts = Hosts {
            s3_domains: vec!["s3.example.com".to_owned()],
            s3_website_domains: vec!["pages.example.com".to_owned()],
        };
        let own_name = "https://daypass.s3.example.com:4566";
        let published = "/_daypass/oidc/1/.well-known/jwks.json";
        for (method, host, path, expected) in [
            (Method::GET, Some("127.0.0.1:4566"), "/_daypass/health", Some(Own::Health)),
            (Method::GET, None, "/_daypass/health", Some(Own::Health)),
            (Method::GET, Some("s3.example.com"), published, Some(Own::Published(published))),
            (Method::GET, Some("Daypass.s3.example.com:4566"), published, Some(Own::Published(published))),
            (Method::GET, Some("daypass.s3.example.com"), published, None),
            (Method::GET, Some("bucket.s3.example.com"), "/_daypass/health", None),
            (Method::GET, Some("bucket.localhost:4566"), published, None),
            (Method::GET, Some("bucket.pages.example.com"), "/_daypass/health", None),
            (Method::PUT, Some("127.0.0.1:4566"), "/_daypass/health", None),
            (Method::GET, Some("127.0.0.1:4566"), "/_daypass/other", None),
        ] {
            let request = Request::builder().method(&method).uri(path);
            let request = host.into_iter().fold(request, |request, host| request.header(HOST, host));
            let request = request.body(()).unwrap();
            assert_eq!(own(&hosts, own_name, &request), expected, "{method} {host:?} {path}");
        }
    }

    #[tokio::test]
    async fn a_connection_goes_on_where_its_next_bytes_are_the_next_request() {
        let large = "x".repeat(MAX_UNREAD_BYTES as usize + 1);
        for (expects, body, read, goes_on) in [
            (true, "", true, false),
            (true, "x", false, false),
            (true, "x", true, true),
            (false, "", true, true),
            (false, "", false, true),
            (false, "x", false, true),
            (false, &large, false, false),
            (false, &large, true, true),
            (true, &large, true, true),
        ] {
            let mut request =
                Request::new(http_body_util::Full::new(bytes::Bytes::copy_from_slice(body.as_bytes())));
            if expects {
                request.headers_mut().insert(EXPECT, HeaderValue::from_static("100-continue"));
            }
            let (request, sent) = noted(request);
            let held = request.into_body();
            if read {
                assert_eq!(held.collect().await.unwrap().to_bytes(), body);
            } else {
                drop(held);
            }
            assert_eq!(sent.leads_to_the_next().await, goes_on, "{expects} {} {read}", body.len());
        }
    }
}
