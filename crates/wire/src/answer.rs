//! Answers: a status, headers and a body.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_model::{Kind, Location, Operation, Protocol, Service, Value};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::xml::Writer;
use crate::{Fault, json, query, scalar};

/// What goes back to the caller. For an operation whose answer is a stream, the body is empty and the stream follows.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    fn new(status: u16, kind: &'static str, body: String) -> Self {
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Self { status, headers, body: body.into_bytes() }
    }

    /// Sets a header; what cannot be one (a control character) is left out.
    fn header(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
        {
            self.headers.insert(name, value);
        }
    }

    fn request_id(mut self, service: &Service, id: &str) -> Self {
        if service.protocol == Protocol::RestXml {
            self.header("x-amz-request-id", id);
            self.header("x-amz-id-2", &host_id(id));
        } else {
            self.header("x-amzn-RequestId", id);
        }
        self
    }
}

/// S3's second id of a request, which its support asks for; here it carries nothing that the first does not.
#[must_use]
pub fn host_id(request_id: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(request_id)
}

fn content_type(service: &Service) -> &'static str {
    match (service.protocol, service.json_version) {
        (Protocol::Query, _) => "text/xml",
        (Protocol::Ec2, _) => "text/xml;charset=UTF-8",
        (Protocol::RestXml, _) => "application/xml",
        (Protocol::Json, "1.0") => "application/x-amz-json-1.0",
        (Protocol::Json, _) => "application/x-amz-json-1.1",
        (Protocol::RestJson, _) => "application/json",
    }
}

/// The answer of a success.
#[must_use]
pub fn write_output(operation: &Operation, value: &Value, request_id: &str) -> Answer {
    let service = operation.service;
    let kind = content_type(service);
    let answer = match service.protocol {
        Protocol::Query | Protocol::Ec2 => Answer::new(200, kind, query::write(operation, value, request_id)),
        Protocol::Json => Answer::new(200, kind, json::write_document(operation, value)),
        Protocol::RestJson | Protocol::RestXml => rest(operation, value),
    };
    answer.request_id(service, request_id)
}

fn rest(operation: &Operation, value: &Value) -> Answer {
    let shape = operation.output;
    let kind = content_type(operation.service);
    let mut answer = Answer::new(operation.http.status, kind, rest_body(operation, value));
    let payload = shape.payload.and_then(|index| shape.member(index));
    if payload.is_some_and(|m| matches!(m.kind, Kind::String(_))) {
        // The only texts that are a whole answer are policies.
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let Some(fields) = value.fields() else { return answer };
    for (index, member) in (0..).zip(shape.members) {
        let Some(value) = fields.get(index) else { continue };
        match (member.location, value) {
            (Location::Header, Value::List(items)) => {
                let Kind::List(list) = member.kind else { continue };
                let texts = items.iter().filter_map(|i| scalar::write(i, &list.item, Protocol::RestXml));
                answer.header(member.wire_out, &texts.collect::<Vec<_>>().join(", "));
            }
            (Location::Header, value) => {
                if let Some(text) = scalar::write(value, &member.kind, Protocol::RestXml) {
                    answer.header(member.wire_out, &text);
                }
            }
            (Location::Headers, Value::Map(entries)) => {
                for (name, value) in entries {
                    let value = mail_safe(value.as_str().unwrap_or(""));
                    answer.header(&format!("{}{name}", member.wire_out), &value);
                }
            }
            (Location::Status, Value::Integer(status)) => {
                answer.status = u16::try_from(*status).unwrap_or(operation.http.status);
            }
            _ => {}
        }
    }
    answer
}

/// A value of metadata as a header has it: what is not ASCII is one encoded word (S3 user guide, "Working with object metadata":
/// encoded as of RFC 2047).
fn mail_safe(value: &str) -> Cow<'_, str> {
    match value.is_ascii() {
        true => Cow::Borrowed(value),
        false => Cow::Owned(format!("=?UTF-8?B?{}?=", BASE64.encode(value))),
    }
}

fn rest_body(operation: &Operation, value: &Value) -> String {
    let shape = operation.output;
    let payload = shape.payload.and_then(|index| Some((shape.member(index)?, value.fields()?.get(index)?)));
    if shape.payload.is_some() && payload.is_none() {
        return String::new();
    }
    if let Some((member, Value::String(text))) = payload
        && matches!(member.kind, Kind::String(_))
    {
        return text.clone();
    }
    if operation.service.protocol == Protocol::RestJson {
        return match payload {
            Some((member, value)) => json::write(value, &member.kind).to_string(),
            None => json::write_document(operation, value),
        };
    }
    let (value, root, inner) = match payload {
        Some((member, value)) => {
            let Kind::Structure(inner) = member.kind else { return String::new() };
            (value, inner.xml_name.unwrap_or(member.wire_out), inner)
        }
        None => (value, shape.xml_name.unwrap_or(shape.name), shape),
    };
    if !inner.members.iter().any(|m| m.location == Location::Body) {
        return String::new();
    }
    let mut xml = Writer::new(Protocol::RestXml);
    xml.declare();
    xml.open(root, &[("xmlns", operation.service.xml_namespace)]);
    match inner.members {
        // `<LocationConstraint>eu-west-1</LocationConstraint>`: the one answer that is a text in its root.
        [only] if only.wire_out == root => {
            if let Some(text) = value.fields().and_then(|f| f.get(0)).and_then(Value::as_str) {
                xml.text(text);
            }
        }
        _ => xml.members(value, inner),
    }
    xml.close(root);
    xml.finish()
}

/// The answer of a refusal or a failure. An answer to `HEAD` has no body.
#[must_use]
pub fn write_fault(service: &Service, fault: &Fault, request_id: &str, head: bool) -> Answer {
    let kind = content_type(service);
    let mut answer = match service.protocol {
        Protocol::Query | Protocol::Ec2 => {
            let body = query::write_fault(service.protocol, service.xml_namespace, fault, request_id);
            Answer::new(fault.status, kind, body)
        }
        Protocol::Json | Protocol::RestJson => {
            let mut body = serde_json::Map::new();
            if service.protocol == Protocol::Json {
                body.insert("__type".to_owned(), fault.code.clone().into_owned().into());
            }
            body.insert("message".to_owned(), fault.message.clone().into());
            for (name, value) in &fault.details {
                body.insert((*name).to_owned(), value.clone().into());
            }
            Answer::new(fault.status, kind, serde_json::Value::Object(body).to_string())
        }
        Protocol::RestXml => Answer::new(fault.status, kind, s3_fault(service, fault, request_id)),
    };
    if service.protocol == Protocol::RestJson {
        answer.header("x-amzn-ErrorType", &fault.code);
    }
    if head || fault.status == 304 {
        answer.body.clear();
        answer.headers.remove(CONTENT_TYPE);
    }
    for (name, value) in &fault.headers {
        answer.header(name, value);
    }
    answer.request_id(service, request_id)
}

/// S3's two APIs say the same, but the second wraps it, which the SDKs rely on.
fn s3_fault(service: &Service, fault: &Fault, request_id: &str) -> String {
    let wrapped = service.name == "s3control";
    let mut xml = Writer::new(Protocol::RestXml);
    xml.declare();
    if wrapped {
        xml.open("ErrorResponse", &[("xmlns", service.xml_namespace)]);
    }
    xml.open("Error", &[]);
    xml.leaf("Code", &fault.code);
    xml.leaf("Message", &fault.message);
    for (name, value) in &fault.details {
        xml.leaf(name, value);
    }
    if wrapped {
        xml.close("Error");
    }
    xml.leaf("RequestId", request_id);
    xml.leaf("HostId", &host_id(request_id));
    xml.close(if wrapped { "ErrorResponse" } else { "Error" });
    xml.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_beyond_ascii_is_an_encoded_word() {
        // The example of S3's guide, whose UTF-8 S3 took for Latin-1.
        let arrived: String = "ÄMÄZÕÑ S3".bytes().map(char::from).collect();
        assert_eq!(mail_safe(&arrived), "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=");
        assert_eq!(mail_safe("Hello World\u{e9}"), "=?UTF-8?B?SGVsbG8gV29ybGTDqQ==?=");
        assert_eq!(mail_safe("AMAZONS3 =?UTF-8?B?Yg==?="), "AMAZONS3 =?UTF-8?B?Yg==?=");
    }
}
