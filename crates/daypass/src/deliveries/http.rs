//! A server that gets a POST for each event.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use daypass_core::event_queue::QueuedEvent;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::{Failure, Fault, Outcome};
use crate::web;

/// From the name to a connection, and from there to the last byte of the answer.
const WITHIN: Duration = Duration::from_secs(15);
/// The longest answer that is read to its end, so that the connection can be used again.
const MAX_ANSWER: usize = 64 << 10;

/// A server of the operator's choice.
pub(super) struct Receiver {
    uri: Uri,
    host: String,
    tls: Option<TlsConnector>,
}

type Connection = SendRequest<Full<Bytes>>;

impl Receiver {
    pub(super) fn new(uri: Uri) -> Result<Self> {
        let tls = (uri.scheme_str() == Some("https")).then(connector).transpose()?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let here = matches!(host.as_str(), "localhost" | "::1") || host.starts_with("127.");
        if tls.is_none() && !here {
            tracing::warn!(
                "events go to `http://{host}` unencrypted: whoever sees the traffic can read them"
            );
        }
        Ok(Self { uri, host, tls })
    }

    /// Delivers in order, until one is not taken.
    pub(super) async fn deliver(&self, arn: &str, events: &[QueuedEvent]) -> Outcome {
        let mut connection = None;
        for (taken, event) in events.iter().enumerate() {
            if let Err(failure) = self.deliver_one(&mut connection, arn, event).await {
                return Outcome { taken, failure: Some(failure) };
            }
        }
        Outcome { taken: events.len(), failure: None }
    }

    async fn deliver_one(
        &self,
        connection: &mut Option<Connection>,
        arn: &str,
        event: &QueuedEvent,
    ) -> Result<(), Failure> {
        let failed = |at, why: String| Failure { why: format!("`{}` {why}", self.place()), at };
        let connected = match self.usable(connection).await {
            Ok(connected) => connected,
            Err(error) => return Err(failed(Fault::Place, format!("cannot be reached: {error:#}"))),
        };
        let sent = tokio::time::timeout(WITHIN, self.send(connected, connection, arn, event)).await;
        match sent {
            Ok(Ok(status)) if status.is_success() => Ok(()),
            Ok(Ok(status)) => Err(failed(fault_of(status), format!("answered {status}"))),
            Ok(Err(error)) => Err(failed(Fault::Unknown, format!("did not answer: {error:#}"))),
            Err(_) => Err(failed(Fault::Unknown, "took too long".to_owned())),
        }
    }

    /// The receiver as it may be told of: the rest of its address may be what lets in there.
    fn place(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let port = self.uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{}{port}", self.uri.host().unwrap_or_default())
    }

    /// The connection that is open, if it still can be used, or a new one.
    async fn usable(&self, connection: &mut Option<Connection>) -> Result<Connection> {
        if let Some(mut known) = connection.take()
            && known.ready().await.is_ok()
        {
            return Ok(known);
        }
        tokio::time::timeout(WITHIN, self.connect()).await.context("it took too long")?
    }

    async fn send(
        &self,
        mut usable: Connection,
        connection: &mut Option<Connection>,
        arn: &str,
        event: &QueuedEvent,
    ) -> Result<StatusCode> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let request = Request::post(path)
            .header(HOST, authority)
            .header(USER_AGENT, concat!("daypass/", env!("CARGO_PKG_VERSION")))
            .header("x-daypass-event-destination", arn);
        // As SNS sends to its subscribers (SNS developer guide, "HTTP/HTTPS headers").
        let request = if arn.starts_with("arn:aws:sns:") {
            request
                .header(CONTENT_TYPE, "text/plain; charset=UTF-8")
                .header("x-amz-sns-message-type", "Notification")
                .header("x-amz-sns-topic-arn", arn)
        } else {
            request.header(CONTENT_TYPE, "application/json")
        };
        let request = request.body(Full::new(Bytes::from(event.body.clone())))?;
        let answer = usable.send_request(request).await?;
        let status = answer.status();
        // What the server says besides is of no interest.
        if Limited::new(answer.into_body(), MAX_ANSWER).collect().await.is_ok() {
            *connection = Some(usable);
        }
        Ok(status)
    }

    async fn connect(&self) -> Result<Connection> {
        let port = self.uri.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let stream = web::open(&self.host, port).await?;
        let Some(tls) = &self.tls else {
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            return Ok(sender);
        };
        let name = ServerName::try_from(self.host.clone()).context("the host's name")?;
        let stream = tls.connect(name, stream).await.context("TLS")?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// Whose fault an answer says that it was. That of the message are those that neither the address, nor who asks, nor the moment
/// can have been the reason of.
fn fault_of(status: StatusCode) -> Fault {
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Fault::Place,
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::MISDIRECTED_REQUEST
        | StatusCode::LOCKED
        | StatusCode::TOO_EARLY => Fault::Unknown,
        status if status.is_client_error() => Fault::Message,
        _ => Fault::Unknown,
    }
}

/// Trusts the authorities that this machine trusts.
fn connector() -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
