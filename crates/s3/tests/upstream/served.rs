//! A server of this crate behind a socket, so that another can take it for a store of somebody else's.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use daypass_core::testing::TestServer;
use daypass_core::{BodyError, Gate, Peer};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Serves it on this machine until the runtime ends.
pub(crate) async fn serve(server: &TestServer) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let gate = server.gate.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(gate.clone(), TokioIo::new(stream)));
        }
    });
    address
}

async fn connection(gate: Gate, stream: TokioIo<tokio::net::TcpStream>) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let gate = gate.clone();
        async move {
            let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false, instance: None };
            let request = request.map(|body| body.map_err(BodyError::new).boxed_unsync());
            Ok::<_, Infallible>(gate.serve(peer, request).await)
        }
    });
    // A client that goes away is no failure.
    let _ = http1::Builder::new().serve_connection(stream, service).await;
}
