//! Shows an observer what was asked of buckets and how it was answered.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use daypass_wire::S3Address;
use daypass_wire::sigv4::AuthForm;
use http::Response;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;

use super::{Arrival, Gate};
use crate::caller::CallerKind;
use crate::cx::Cx;
use crate::observer::{Exchange, Observer};
use crate::payload::{Body, BodyError};
use crate::surroundings::Clock;

/// What proves a caller in a query: whoever has it can ask again. And keys, which belong into headers.
const PROOF: [&str; 5] = [
    "x-amz-signature",
    "signature",
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
];

/// An address without what proves who asked, however its name is written.
fn without_proof(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else { return address.to_owned() };
    let plain = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_proof(name) => format!("{name}=REDACTED"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", plain.collect::<Vec<_>>().join("&"))
}

fn is_proof(name: &str) -> bool {
    // What does not decode proves nothing: the request is refused.
    let decoded = daypass_wire::decoded_path(name).unwrap_or_default();
    PROOF.iter().any(|proof| decoded.eq_ignore_ascii_case(proof))
}

/// What the gate found out of a request, left with its answer.
#[derive(Clone)]
pub(super) struct Found {
    operation: Option<&'static str>,
    region: Option<String>,
    requester: Option<String>,
    signed: Option<(&'static str, AuthForm)>,
    error_code: Option<String>,
    acl_required: bool,
}

impl Found {
    pub(super) fn of(cx: &Cx, error_code: Option<String>) -> Self {
        let caller = cx.caller();
        let requester = match (caller.kind(), caller.account()) {
            (CallerKind::Anonymous, _) | (CallerKind::Root(_), None) => None,
            (CallerKind::Root(_), Some(account)) => Some(account.to_string()),
            _ => Some(caller.arn().to_owned()),
        };
        let signed = caller.proof().map(|proof| (proof.signature_version(), proof.form()));
        let region = Some(cx.region().to_owned());
        let acl_required = cx.trail().acl_required;
        Self { operation: Some(cx.operation().name), region, requester, signed, error_code, acl_required }
    }

    pub(super) fn refused(operation: Option<&'static str>, error_code: &str) -> Self {
        let error_code = Some(error_code.to_owned());
        Self { operation, region: None, requester: None, signed: None, error_code, acl_required: false }
    }
}

/// A request that is watched: what there is to say before its answer.
pub(super) struct Watched {
    exchange: Exchange,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    declared: Option<u64>,
}

impl Gate {
    /// Leaves with the answer what was found out, where somebody watches.
    pub(super) fn found(
        &self,
        mut response: Response<Body>,
        found: impl FnOnce() -> Found,
    ) -> Response<Body> {
        if self.observer.is_some() {
            response.extensions_mut().insert(found());
        }
        response
    }

    /// Whether somebody wants to see this request.
    pub(super) fn watch(&self, arrival: &Arrival, length: Option<u64>) -> Option<Watched> {
        let observer = self.observer.as_ref()?;
        let head = &arrival.head;
        let address = match &arrival.website {
            Some(site) => {
                // A path that does not decode is refused, and names no key.
                let key = daypass_wire::decoded_path(head.uri.path()).ok();
                let key = key.and_then(|path| path.strip_prefix('/').map(str::to_owned));
                S3Address { bucket: Some(site.bucket.clone()), key }
            }
            None => S3Address::read(head, &self.state.hosts).ok()?,
        };
        let bucket = address.bucket.filter(|bucket| observer.wants(bucket))?;
        let text = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let number = |name: &str| text(name).and_then(|text| text.parse().ok());
        let query = head.uri.query().unwrap_or("").split('&');
        let version_id = query.filter_map(|pair| pair.strip_prefix("versionId=")).next();
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let exchange = Exchange {
            bucket,
            region: self.state.region.clone(),
            key: address.key.filter(|key| !key.is_empty()),
            operation: None,
            website: arrival.website.is_some(),
            time: arrival.now,
            address: arrival.peer.address,
            requester: None,
            request_id: String::new(),
            line: format!("{} {} {:?}", head.method, without_proof(target), head.version),
            host: text("host"),
            referer: text("referer").as_deref().map(without_proof),
            user_agent: text("user-agent"),
            version_id: version_id.map(str::to_owned),
            signed: None,
            acl_required: false,
            tls: arrival.peer.tls.clone(),
            status: 0,
            error_code: None,
            sent: 0,
            object_size: None,
            turn_around_millis: 0,
            total_millis: 0,
        };
        let declared = number("x-amz-decoded-content-length").or(length);
        let (observer, clock) = (Arc::clone(observer), Arc::clone(&self.state.clock));
        Some(Watched { exchange, observer, clock, declared })
    }
}

impl Watched {
    /// Goes on watching until the answer has been sent.
    pub(super) fn answered(mut self, response: Response<Body>) -> Response<Body> {
        let (mut head, body) = response.into_parts();
        let text = |name| head.headers.get(name).and_then(|v: &http::HeaderValue| v.to_str().ok());
        let exchange = &mut self.exchange;
        exchange.status = head.status.as_u16();
        exchange.request_id =
            head.headers.get("x-amz-request-id").and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
        let whole = text(CONTENT_RANGE).and_then(|range| range.rsplit('/').next()).or(text(CONTENT_LENGTH));
        let whole = whole.and_then(|size| size.parse().ok());
        let code = text(http::HeaderName::from_static("x-amz-error-code")).map(str::to_owned);
        if let Some(found) = head.extensions.remove::<Found>() {
            exchange.object_size = match found.operation {
                Some("GetObject" | "HeadObject") if found.error_code.is_none() => whole,
                Some("PutObject" | "UploadPart" | "PostObject") if found.error_code.is_none() => {
                    self.declared
                }
                _ => None,
            };
            exchange.operation = found.operation;
            exchange.region = found.region.unwrap_or(std::mem::take(&mut exchange.region));
            exchange.requester = found.requester;
            exchange.signed = found.signed;
            exchange.acl_required = found.acl_required;
            // A page of a website's own may stand for a refusal.
            exchange.error_code = found.error_code.or(code);
        }
        exchange.turn_around_millis = self.clock.now().millis() - exchange.time.millis();
        Response::from_parts(head, Watching { body, watched: self }.boxed_unsync())
    }
}

/// A body whose bytes are counted.
struct Watching {
    body: Body,
    watched: Watched,
}

impl http_body::Body for Watching {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(bytes) = frame.data_ref()
        {
            self.watched.exchange.sent += bytes.len() as u64;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut exchange = self.watched.exchange.clone();
        exchange.total_millis = self.watched.clock.now().millis() - exchange.time.millis();
        self.watched.observer.saw(exchange);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_a_caller_is_seen_by_nobody() {
        for (address, seen) in [
            ("/b/k", "/b/k"),
            ("/b/k?versionId=a&x-user=b", "/b/k?versionId=a&x-user=b"),
            (
                "/b/k?X-Amz-Credential=A&X-Amz-Security-Token=s3cr3t&X-Amz-Signature=0a",
                "/b/k?X-Amz-Credential=A&X-Amz-Security-Token=REDACTED&X-Amz-Signature=REDACTED",
            ),
            ("/b/k?AWSAccessKeyId=A&Signature=a%3D", "/b/k?AWSAccessKeyId=A&Signature=REDACTED"),
            (
                "/b/k?X-Amz-%53ignature=0a&%78-amz-security%2Dtoken=b",
                "/b/k?X-Amz-%53ignature=REDACTED&%78-amz-security%2Dtoken=REDACTED",
            ),
            (
                "/b/k?X-Amz-%zzSignature=0a&X-Amz-%2553ignature=0b",
                "/b/k?X-Amz-%zzSignature=0a&X-Amz-%2553ignature=0b",
            ),
        ] {
            assert_eq!(without_proof(address), seen);
        }
    }
}
