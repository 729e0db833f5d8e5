//! A server of this crate behind a socket, as another store, and somebody on the way to it who changes what it answers, loses
//! it, or answers in its stead.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use daypass_core::testing::TestServer;
use daypass_core::{BodyError, Gate, Peer};
use http::request::Parts;
use http::{Method, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// What is done to a request.
pub(crate) enum Meddling {
    /// Nothing.
    Pass,
    /// The store is not asked; this status and body are answered.
    Instead(u16, &'static str),
    /// The store does what it is asked, and this is done to its answer.
    Changed(fn(&mut Response<Vec<u8>>)),
    /// The store does what it is asked, and its answer never comes.
    Lost,
}

type Meddle = Box<dyn FnMut(&Parts) -> Meddling + Send>;

/// Who meddles; nobody, at first.
#[derive(Clone)]
pub(crate) struct Meddler(Arc<Mutex<Meddle>>);

impl Meddler {
    /// From now on, this is done.
    pub(crate) fn begin(&self, meddle: impl FnMut(&Parts) -> Meddling + Send + 'static) {
        *self.0.lock().unwrap() = Box::new(meddle);
    }

    /// From now on, nothing is.
    pub(crate) fn end(&self) {
        self.begin(|_| Meddling::Pass);
    }
}

/// Serves it on this machine until the runtime ends.
pub(crate) async fn serve(server: &TestServer) -> (SocketAddr, Meddler) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (gate, meddler) =
        (server.gate.clone(), Meddler(Arc::new(Mutex::new(Box::new(|_: &Parts| Meddling::Pass)))));
    let of_connections = meddler.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(gate.clone(), of_connections.clone(), TokioIo::new(stream)));
        }
    });
    (address, meddler)
}

async fn connection(gate: Gate, meddler: Meddler, stream: TokioIo<TcpStream>) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (gate, meddler) = (gate.clone(), meddler.clone());
        async move { answer(&gate, &meddler, request).await }
    });
    // A client that goes away is no failure.
    let _ = http1::Builder::new().serve_connection(stream, service).await;
}

async fn answer(
    gate: &Gate,
    meddler: &Meddler,
    request: http::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let (parts, body) = request.into_parts();
    let (is_head, meddling) = (parts.method == Method::HEAD, meddler.0.lock().unwrap()(&parts));
    if let Meddling::Instead(status, text) = meddling {
        let _ = body.collect().await;
        return Ok(Response::builder().status(status).body(Full::from(text)).unwrap());
    }
    let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: None, instance: None };
    let body = body.map_err(BodyError::new).boxed_unsync();
    let answer = gate.serve(peer, http::Request::from_parts(parts, body)).await;
    let (head, body) = answer.into_parts();
    let mut answer = Response::from_parts(head, body.collect().await.unwrap().to_bytes().to_vec());
    match meddling {
        Meddling::Lost => return Err("the answer is lost"),
        Meddling::Changed(change) => change(&mut answer),
        Meddling::Pass | Meddling::Instead(..) => {}
    }
    if !is_head {
        answer.headers_mut().remove("content-length");
    }
    Ok(answer.map(|body| Full::from(Bytes::from(body))))
}
