//! Requests to the websites of buckets: anybody's, for reading alone.

use daypass_model::{Service, services};
use daypass_wire::sigv4::{BodyKind, PayloadVerifier};
use daypass_wire::{Answer, Fault, Routed};
use http::{HeaderMap, Method};
use http_body::Body as _;

use super::reading::{family, signature_fault};
use super::{Admitted, Arrival, Arrived, Gate, Message, preflight};
use crate::caller::Caller;
use crate::cx::Website;
use crate::payload::{Body, Payload};

/// What refuses a visitor: the operation, if it is one.
pub(super) type Refusal = (Option<&'static daypass_model::Operation>, Fault);

/// The service of websites.
pub(super) fn service() -> &'static Service {
    let found = services().iter().copied().find(|service| service.name == "s3");
    found.unwrap_or(&daypass_model::s3::SERVICE)
}

impl Gate {
    /// A visitor is nobody: a website does not take signatures (S3 user guide, "Key differences between a website endpoint
    /// and a REST API endpoint": publicly readable content, GET and HEAD requests). The key keeps the slash that it begins
    /// with, so that the root has one.
    pub(super) fn admit_visitor(
        &self,
        arrival: &Arrival,
        site: &Website,
        body: Body,
    ) -> Result<Admitted, Refusal> {
        let head = &arrival.head;
        if let Some(value) = head.headers.get("authorization") {
            let kind = value.to_str().unwrap_or("").split(' ').next().unwrap_or("").to_owned();
            let fault = Fault::coded("InvalidArgument", 400, "Unsupported Authorization Type")
                .with("ArgumentName", "Authorization")
                .with("ArgumentValue", kind);
            return Err((None, fault));
        }
        let name = match head.method {
            Method::GET => "GetObject",
            Method::HEAD => "HeadObject",
            Method::OPTIONS => "OptionsObject",
            _ => return Err((None, not_allowed(head.method.as_str()))),
        };
        let Some(operation) = service().operation(name) else {
            return Err((None, not_allowed(head.method.as_str())));
        };
        let refuse = |fault| (Some(operation), fault);
        let key = daypass_wire::decoded_path(head.uri.path()).map_err(refuse)?;
        let labels = vec![("Bucket", site.bucket.clone()), ("Key", key)];
        let routed = Routed { operation, labels };
        let held = self.documents.hold();
        if name == "OptionsObject" {
            return Ok(preflight(routed, held));
        }
        let verifier = PayloadVerifier::anonymous(&HeaderMap::new(), BodyKind::Document);
        let verifier = verifier.map_err(|error| refuse(signature_fault(&error, family(service()))))?;
        let length = body.size_hint().exact();
        let body = Arrived::Streaming(Box::new(Payload::new(body, verifier, length)));
        let message = Message { routed, form: None, fields: None, body, held };
        Ok(Admitted { caller: Caller::anonymous(), message })
    }
}

fn not_allowed(method: &str) -> Fault {
    let words = "The specified method is not allowed against this resource.";
    Fault::coded("MethodNotAllowed", 405, words)
        .with("Method", method)
        .with("ResourceType", "OBJECT")
        .with_header("allow", "HEAD, GET")
}

/// A refusal in the form that who asked expects.
pub(super) fn write_refusal(
    website: bool,
    service: &Service,
    fault: &Fault,
    request_id: &str,
    is_head: bool,
) -> Answer {
    match website {
        true => daypass_wire::write_page(fault, request_id, is_head),
        false => daypass_wire::write_fault(service, fault, request_id, is_head),
    }
}
