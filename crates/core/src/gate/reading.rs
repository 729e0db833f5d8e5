//! What the head of a request tells of it, and what a signature is refused with.

use daypass_model::{Operation, Protocol, Service, services};
use daypass_wire::sigv4::{BodyKind, Family, RequestHead, SigError};
use daypass_wire::{Fault, Form, Protocols};
use http::request::Parts;

pub(super) fn read_form(protocols: Protocols, head: &Parts, body: &[u8]) -> Result<Option<Form>, Fault> {
    let text = match protocols {
        Protocols::FormBody => std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8"))?,
        Protocols::FormQuery => head.uri.query().unwrap_or(""),
        _ => return Ok(None),
    };
    Form::parse(text).map(Some).map_err(|error| malformed(&error.to_string()))
}

fn malformed(why: &str) -> Fault {
    Fault::coded("MalformedQueryString", 404, format!("The query string contains a syntax error: {why}"))
}

/// The service whose words a request is refused in that names no operation.
pub(super) fn service_of(protocols: Protocols, head: &Parts) -> &'static Service {
    let target = head.headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or("");
    let find = |name: &str| services().iter().copied().find(|s| s.name == name);
    let found = match protocols {
        Protocols::S3 => find("s3"),
        Protocols::RestJson => find("accessanalyzer"),
        Protocols::Json => services()
            .iter()
            .copied()
            .find(|s| s.protocol == Protocol::Json && target.starts_with(s.target_prefix))
            .or_else(|| find("ssm")),
        Protocols::FormBody | Protocols::FormQuery => find("sts"),
    };
    found.unwrap_or(services().first().copied().unwrap_or(&daypass_model::sts::SERVICE))
}

pub(super) fn family(service: &Service) -> Family {
    match service.protocol {
        Protocol::Query => Family::Query,
        Protocol::Ec2 => Family::Ec2,
        Protocol::Json => Family::Json,
        Protocol::RestJson => Family::RestJson,
        Protocol::RestXml => Family::S3,
    }
}

pub(super) fn signature_fault(error: &SigError, family: Family) -> Fault {
    let (code, status) = error.code(family);
    let mut fault = Fault::coded(code, status, error.message(family));
    if family == Family::S3 {
        fault.details = error.details();
    }
    fault
}

/// Why a request is not read that does not say where it is to, or says two things.
///
/// # Errors
/// In the words in which each family refuses what is not a request.
pub(super) fn directed(head: &Parts, service: &Service) -> Result<(), Fault> {
    if RequestHead::from(head).is_directed() {
        return Ok(());
    }
    let code = match service.protocol {
        Protocol::RestXml | Protocol::Ec2 | Protocol::Query => "InvalidRequest",
        Protocol::Json | Protocol::RestJson => "ValidationException",
    };
    Err(Fault::coded(code, 400, "The request needs one Host header, which its target must not contradict."))
}

/// What an S3 operation does with its body decides how it may be sent.
pub(super) fn body_kind(operation: &Operation) -> BodyKind {
    match operation.name {
        "PutObject" | "UploadPart" => BodyKind::Object,
        "CompleteMultipartUpload" => BodyKind::Manifest,
        _ => BodyKind::Document,
    }
}

/// A region of AWS, by its form: `us-east-1`, `us-gov-west-1`.
pub(super) fn is_region(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let letters = |p: &&str| !p.is_empty() && p.len() <= 12 && p.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] if words.len() >= 2 => {
            words.iter().all(letters)
                && number.len() <= 2
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}
