//! The query protocol of IAM and STS, and EC2's variant of it.

use daypass_model::{Fields, Kind, List, Map, Operation, Protocol, Structure, Value};

use crate::validate::{Path, Violations};
use crate::xml::Writer;
use crate::{Fault, Form, scalar};

/// Parameters that are the protocol's own, wherever they stand.
const PROTOCOL: &[&str] = &[
    "Action",
    "Version",
    "AWSAccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SecurityToken",
    "Timestamp",
    "Expires",
];

pub(crate) fn read(operation: &Operation, form: &Form, found: &mut Violations) -> Result<Value, Fault> {
    let ec2 = operation.service.protocol == Protocol::Ec2;
    if ec2 {
        let known = |name: &str| {
            PROTOCOL.contains(&name)
                || name.to_ascii_lowercase().starts_with("x-amz-")
                || operation.input.members.iter().any(|m| m.wire_in == name)
        };
        if let Some((unknown, _)) = form.children().find(|(name, _)| !known(name)) {
            return Err(Fault::coded(
                "UnknownParameter",
                400,
                format!("The parameter {unknown} is not recognized"),
            ));
        }
    }
    Ok(structure(form, operation.input, ec2, &Path::root(), found))
}

fn structure(form: &Form, shape: &Structure, ec2: bool, path: &Path<'_>, found: &mut Violations) -> Value {
    let mut fields = Fields::default();
    for (index, member) in (0..).zip(shape.members) {
        let Some(node) = form.get(member.wire_in) else { continue };
        let name = if ec2 { member.wire_in } else { member.name };
        if let Some(value) = value(node, &member.kind, ec2, &path.member(name), found) {
            fields.push(index, value);
        }
    }
    Value::Structure(fields)
}

fn value(node: &Form, kind: &Kind, ec2: bool, path: &Path<'_>, found: &mut Violations) -> Option<Value> {
    match kind {
        Kind::Structure(shape) => Some(structure(node, shape, ec2, path, found)),
        Kind::List(shape) => list(node, shape, ec2, path, found),
        Kind::Map(shape) => map(node, shape, ec2, path, found),
        _ => {
            let text = node.value()?;
            let value = scalar::read(text, kind);
            if value.is_none() {
                found.malformed(path, text, kind);
            }
            value
        }
    }
}

/// The children of a list or map whose names are numbers, in the order of the numbers.
fn numbered<'a>(node: &'a Form, path: &Path<'_>, found: &mut Violations) -> Vec<(u32, &'a Form)> {
    let mut items: Vec<(u32, &Form)> = vec![];
    for (name, child) in node.children() {
        match name.parse() {
            Ok(number) => items.push((number, child)),
            Err(_) => found.not_a_list(path, name),
        }
    }
    items.sort_by_key(|(number, _)| *number);
    items
}

fn list(node: &Form, shape: &List, ec2: bool, path: &Path<'_>, found: &mut Violations) -> Option<Value> {
    if node.value() == Some("") && node.children().next().is_none() {
        return Some(Value::List(vec![]));
    }
    let node = if shape.flattened { node } else { node.get(shape.item_name)? };
    let items = numbered(node, path, found);
    let read = |(number, child)| value(child, &shape.item, ec2, &path.item(number), found);
    Some(Value::List(items.into_iter().filter_map(read).collect()))
}

fn map(node: &Form, shape: &Map, ec2: bool, path: &Path<'_>, found: &mut Violations) -> Option<Value> {
    let node = if shape.flattened { node } else { node.get("entry")? };
    let mut entries = vec![];
    for (number, child) in numbered(node, path, found) {
        let (Some(key), Some(node)) = (child.text(shape.key_name), child.get(shape.value_name)) else {
            continue;
        };
        if let Some(value) = value(node, &shape.value, ec2, &path.item(number), found) {
            entries.push((key.to_owned(), value));
        }
    }
    Some(Value::Map(entries))
}

/// The body of a success.
pub(crate) fn write(operation: &Operation, value: &Value, request_id: &str) -> String {
    let mut xml = Writer::new(operation.service.protocol);
    let namespace = [("xmlns", operation.service.xml_namespace)];
    let root = format!("{}Response", operation.name);
    if operation.service.protocol == Protocol::Ec2 {
        xml.declare();
        xml.open(&root, &namespace);
        xml.leaf("requestId", request_id);
        if operation.output.members.is_empty() {
            xml.leaf("return", "true");
        }
        xml.members(value, operation.output);
    } else {
        xml.open(&root, &namespace);
        if let Some(wrapper) = operation.result_wrapper {
            xml.open(wrapper, &[]);
            xml.members(value, operation.output);
            xml.close(wrapper);
        } else {
            xml.members(value, operation.output);
        }
        xml.open("ResponseMetadata", &[]);
        xml.leaf("RequestId", request_id);
        xml.close("ResponseMetadata");
    }
    xml.close(&root);
    xml.finish()
}

/// The body of an error.
pub(crate) fn write_fault(protocol: Protocol, namespace: &str, fault: &Fault, request_id: &str) -> String {
    let mut xml = Writer::new(protocol);
    if protocol == Protocol::Ec2 {
        xml.declare();
        xml.open("Response", &[]);
        xml.open("Errors", &[]);
        xml.open("Error", &[]);
        xml.leaf("Code", &fault.code);
        xml.leaf("Message", &fault.message);
        xml.close("Error");
        xml.close("Errors");
        xml.leaf("RequestID", request_id);
        xml.close("Response");
    } else {
        xml.open("ErrorResponse", &[("xmlns", namespace)]);
        xml.open("Error", &[]);
        xml.leaf("Type", if fault.is_senders() { "Sender" } else { "Receiver" });
        xml.leaf("Code", &fault.code);
        xml.leaf("Message", &fault.message);
        xml.close("Error");
        xml.leaf("RequestId", request_id);
        xml.close("ErrorResponse");
    }
    xml.finish()
}
