//! REST bindings: what S3 and Access Analyzer put into the path, the query, the headers and the body.

use daypass_model::{Blob, Fields, Kind, List, Location, Member, Operation, Protocol, Value};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;

use crate::form::percent_decode;
use crate::validate::{Path, Violations, malformed_xml};
use crate::xml::Element;
use crate::{Fault, Routed, json, scalar};

/// What the path's template names, as `Bucket` and `Key`, decoded.
pub type Labels = Vec<(&'static str, String)>;

/// A query as decoded names and values, in the order they came. `a` and `a=` are the same.
pub(crate) fn query_pairs(query: &str) -> Result<Vec<(String, String)>, Fault> {
    let decode = |text: &str| percent_decode(text, true).map_err(|_| invalid_uri());
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

/// S3's answer to a path or query that is not percent-encoded UTF-8.
pub(crate) fn invalid_uri() -> Fault {
    Fault::coded("InvalidURI", 400, "Couldn't parse the specified URI.")
}

pub(crate) fn read(
    routed: &Routed,
    head: &Parts,
    body: &[u8],
    found: &mut Violations,
) -> Result<Value, Fault> {
    let shape = routed.operation.input;
    let query = query_pairs(head.uri.query().unwrap_or(""))?;
    let root = Path::root();
    let mut fields = Fields::default();
    for (index, member) in (0..).zip(shape.members) {
        let path = root.member(member.name);
        found.within(member.location);
        let value = match member.location {
            Location::Uri => label(&routed.labels, member),
            Location::Query => from_query(&query, member, &path, found)?,
            Location::Header => from_header(&head.headers, member, &path, found),
            Location::Headers => from_headers(&head.headers, member),
            Location::Body | Location::Status => None,
        };
        if let Some(value) = value {
            fields.push(index, value);
        }
    }
    found.within(Location::Body);
    match shape.payload.and_then(|index| Some((index, shape.member(index)?))) {
        Some((_, member)) if member.streaming => {}
        Some((index, member)) => {
            if let Some(value) = payload(routed.operation.service.protocol, member, body, found)? {
                fields.push(index, value);
            }
        }
        None => merge_body(routed, body, &mut fields, found)?,
    }
    Ok(Value::Structure(fields))
}

/// Reads the input of an operation from the fields of a form, where headers stand in the tables.
pub(crate) fn read_fields(routed: &Routed, form: &[(String, String)], found: &mut Violations) -> Value {
    let root = Path::root();
    let mut fields = Fields::default();
    for (index, member) in (0..).zip(routed.operation.input.members) {
        let path = root.member(member.name);
        found.within(member.location);
        let name = member.wire_in.to_ascii_lowercase();
        let value = match member.location {
            Location::Uri => label(&routed.labels, member),
            Location::Header => form
                .iter()
                .find(|(known, _)| *known == name)
                .and_then(|(_, text)| read_scalar(text, &member.kind, &path, found)),
            // `*` is all of them.
            Location::Headers => {
                let name = name.trim_end_matches('*');
                let entries = form.iter().filter_map(|(known, value)| {
                    let rest = known.strip_prefix(name)?;
                    Some((rest.to_owned(), Value::String(value.clone())))
                });
                Some(Value::Map(entries.collect()))
            }
            _ => None,
        };
        if let Some(value) = value {
            fields.push(index, value);
        }
    }
    Value::Structure(fields)
}

/// Reads the document that is an operation's body.
pub(crate) fn read_document(
    operation: &Operation,
    document: &[u8],
    found: &mut Violations,
) -> Result<Option<Value>, Fault> {
    let member = operation.input.payload.and_then(|index| operation.input.member(index));
    match member.filter(|member| !member.streaming) {
        Some(member) => payload(operation.service.protocol, member, document, found),
        None => Ok(None),
    }
}

fn label(labels: &Labels, member: &Member) -> Option<Value> {
    let (_, text) = labels.iter().find(|(name, _)| *name == member.wire_in)?;
    scalar::read(text, &member.kind)
}

fn from_query(
    query: &[(String, String)],
    member: &Member,
    path: &Path<'_>,
    found: &mut Violations,
) -> Result<Option<Value>, Fault> {
    let mut given = query.iter().filter(|(name, _)| name == member.wire_in).map(|(_, value)| value.as_str());
    if let Kind::List(List { item, .. }) = &member.kind {
        let items: Vec<Value> = given.filter_map(|text| read_scalar(text, item, path, found)).collect();
        return Ok(if items.is_empty() { None } else { Some(Value::List(items)) });
    }
    let Some(text) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        let fault = Fault::coded("InvalidArgument", 400, "A query parameter may be given only once.");
        return Err(fault.with("ArgumentName", member.wire_in));
    }
    Ok(read_scalar(text, &member.kind, path, found))
}

fn read_scalar(text: &str, kind: &Kind, path: &Path<'_>, found: &mut Violations) -> Option<Value> {
    let value = scalar::read(text, kind);
    if value.is_none() {
        found.malformed(path, text, kind);
    }
    value
}

/// A header's values as one text, joined as HTTP says. Bytes beyond ASCII are UTF-8, else Latin-1.
fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| {
            let bytes = value.as_bytes();
            std::str::from_utf8(bytes)
                .map_or_else(|_| bytes.iter().map(|b| char::from(*b)).collect(), str::to_owned)
        })
        .collect();
    if texts.is_empty() { None } else { Some(texts.join(",")) }
}

fn from_header(
    headers: &HeaderMap,
    member: &Member,
    path: &Path<'_>,
    found: &mut Violations,
) -> Option<Value> {
    let text = header_text(headers, member.wire_in)?;
    match &member.kind {
        Kind::List(List { item, .. }) => Some(Value::List(
            text.split(',').map(str::trim).filter_map(|text| read_scalar(text, item, path, found)).collect(),
        )),
        // A condition on a date that is none is ignored (RFC 9110, section 13.1.3), not an error.
        Kind::Timestamp(_) if member.wire_in.starts_with("If-") => scalar::read(&text, &member.kind),
        kind => read_scalar(&text, kind, path, found),
    }
}

/// A header of metadata. Bytes beyond ASCII are Latin-1 whatever they were meant as: a name in UTF-8 comes back as S3's guide
/// shows it (S3 user guide, "Working with object metadata", "User-defined object metadata").
fn described(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let latin = |value: &HeaderValue| value.as_bytes().iter().map(|b| char::from(*b)).collect();
    let texts: Vec<String> = headers.get_all(name).iter().map(latin).collect();
    if texts.is_empty() { None } else { Some(texts.join(",")) }
}

fn from_headers(headers: &HeaderMap, member: &Member) -> Option<Value> {
    let prefix = member.wire_in.to_ascii_lowercase();
    let mut entries: Vec<(String, Value)> = vec![];
    for name in headers.keys() {
        if let Some(rest) = name.as_str().strip_prefix(&prefix)
            && let Some(text) = described(headers, name)
        {
            entries.push((rest.to_owned(), Value::String(text)));
        }
    }
    if entries.is_empty() { None } else { Some(Value::Map(entries)) }
}

fn payload(
    protocol: Protocol,
    member: &Member,
    body: &[u8],
    found: &mut Violations,
) -> Result<Option<Value>, Fault> {
    if body.is_empty() {
        return Ok(None);
    }
    let root = Path::root();
    let path = root.member(member.name);
    Ok(match (&member.kind, protocol) {
        (Kind::String(_), _) => {
            let text = std::str::from_utf8(body);
            let refused = |_| Fault::coded("InvalidRequest", 400, "The request body is not UTF-8.");
            Some(Value::String(text.map_err(refused)?.to_owned()))
        }
        (Kind::Blob, _) => Some(Value::Blob(Blob(body.to_vec()))),
        (kind, Protocol::RestJson) => json::read(&json::parse(body)?, kind, &path, found),
        (kind, _) => {
            let element = Element::parse(body).map_err(|_| malformed_xml())?;
            let named = if let Kind::Structure(s) = kind { s.xml_name } else { None };
            if element.name() != member.wire_in && Some(element.name()) != named {
                return Err(malformed_xml());
            }
            element.read(kind, &path, found)
        }
    })
}

/// The members that are in the body without being the whole of it.
fn merge_body(
    routed: &Routed,
    body: &[u8],
    fields: &mut Fields,
    found: &mut Violations,
) -> Result<(), Fault> {
    let shape = routed.operation.input;
    if body.is_empty() || !shape.members.iter().any(|m| m.location == Location::Body) {
        return Ok(());
    }
    let root = Path::root();
    let kind = Kind::Structure(shape);
    let value = match routed.operation.service.protocol {
        Protocol::RestJson => json::read(&json::parse(body)?, &kind, &root, found),
        _ => Element::parse(body).map_err(|_| malformed_xml())?.read(&kind, &root, found),
    };
    for (index, value) in value.iter().filter_map(Value::fields).flat_map(Fields::iter) {
        fields.set(index, value.clone());
    }
    Ok(())
}
