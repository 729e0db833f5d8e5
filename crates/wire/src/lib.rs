//! AWS's protocols, both directions, as functions of bytes: which operation a request asks for, its input as a
//! [`Value`](daypass_model::Value), and a value or a [`Fault`] as the answer that AWS would give.
//!
//! Everything works by walking the shape tables of `daypass-model`; nothing here knows an operation by name. There are
//! no sockets, no clock and no identity.

mod answer;
mod fault;
mod form;
mod json;
mod page;
mod query;
mod rest;
mod route;
mod scalar;
pub mod sigv4;
mod upload_form;
mod validate;
mod xml;

pub use answer::{Answer, host_id, write_fault, write_output};
pub use fault::Fault;
pub use form::{Form, MalformedForm};
pub use json::{json_of_value, value_of_json};
pub use page::write_page;
pub use rest::Labels;
pub use route::{Hosts, Protocols, Routed, S3Address, decoded_path, protocol_of, route};
pub use upload_form::{FormFile, FormHead, UploadForm};
pub use xml::{MalformedXml, flat_document};

use daypass_model::{Operation, Protocol, Value};
use http::request::Parts;

/// The most bytes of a body that is held in memory: what a form, a JSON document or an XML document may be. (The
/// largest that AWS documents for these is EC2's and IAM's, far below; S3's `DeleteObjects` of 1,000 keys of 1,024
/// bytes, each escaped, is the largest of all.)
pub const MAX_BODY_BYTES: usize = 8 << 20;

/// Reads the input of the operation that was found, and checks it against every constraint of the model.
///
/// # Errors
/// In AWS's words for the service: what is missing, malformed or out of bounds.
pub fn read_input(routed: &Routed, head: &Parts, form: Option<&Form>, body: &[u8]) -> Result<Value, Fault> {
    let mut found = validate::Violations::default();
    let value = parse(routed, head, form, body, &mut found)?;
    validate::input(routed.operation, &value, &mut found);
    found.into_result(routed.operation)?;
    Ok(value)
}

/// Reads the input of an operation whose members are the fields of a form, their names in lower case; checked like any
/// other.
///
/// # Errors
/// As [`read_input`].
pub fn read_fields(routed: &Routed, fields: &[(String, String)]) -> Result<Value, Fault> {
    let mut found = validate::Violations::default();
    let value = rest::read_fields(routed, fields, &mut found);
    validate::input(routed.operation, &value, &mut found);
    found.into_result(routed.operation)?;
    Ok(value)
}

/// Reads a document that is what an operation takes as its body, where it comes by another way.
///
/// # Errors
/// In AWS's words: what is malformed or out of bounds.
pub fn read_document(operation: &Operation, document: &[u8]) -> Result<Option<Value>, Fault> {
    let mut found = validate::Violations::default();
    let value = rest::read_document(operation, document, &mut found)?;
    found.into_result(operation)?;
    Ok(value)
}

/// Reads the input without its constraints: what the bytes say, if they say anything of the right types.
///
/// # Errors
/// In AWS's words for the service: what is malformed.
pub fn parse_input(routed: &Routed, head: &Parts, form: Option<&Form>, body: &[u8]) -> Result<Value, Fault> {
    let mut found = validate::Violations::default();
    let value = parse(routed, head, form, body, &mut found)?;
    found.into_result(routed.operation)?;
    Ok(value)
}

fn parse(
    routed: &Routed,
    head: &Parts,
    form: Option<&Form>,
    body: &[u8],
    found: &mut validate::Violations,
) -> Result<Value, Fault> {
    let operation = routed.operation;
    match operation.service.protocol {
        Protocol::Query | Protocol::Ec2 => query::read(operation, form.unwrap_or(&Form::default()), found),
        Protocol::Json => json::read_document(operation, body, found),
        Protocol::RestJson | Protocol::RestXml => rest::read(routed, head, body, found),
    }
}
