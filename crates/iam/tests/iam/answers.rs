//! Requests and answers as AWS's documentation writes them: JSON, by the names of the model.

use daypass_core::model::{Kind, Operation, Structure};
use daypass_core::testing::{Client, TestAnswer};
use serde_json::{Map, Value, json};

/// The operation of that name.
pub(crate) fn operation(name: &str) -> &'static Operation {
    let mut all = daypass_iam::OPERATIONS.iter().map(|entry| entry.operation());
    all.find(|operation| operation.name == name).unwrap_or_else(|| panic!("{name} is not built"))
}

/// Sends a request.
pub(crate) async fn send(client: &Client, operation: &str, input: &Value) -> TestAnswer {
    let mut form = vec![];
    write(input, String::new(), &mut form);
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    client.query("iam", operation, &form).await
}

/// Sends a request that succeeds.
pub(crate) async fn ok(client: &Client, operation: &str, input: &Value) -> Value {
    read(operation, &send(client, operation, input).await.ok().body)
}

/// The members of a form.
fn write(value: &Value, name: String, form: &mut Vec<(String, String)>) {
    let below = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(part, value)| write(value, below(part), form)),
        Value::Array(items) => {
            (1..).zip(items).for_each(|(number, item)| write(item, below(&format!("member.{number}")), form));
        }
        Value::String(text) => form.push((name, text.clone())),
        Value::Null => {}
        other => form.push((name, other.to_string())),
    }
}

/// The answer of an operation; nothing where it has no members.
pub(crate) fn read(name: &str, body: &str) -> Value {
    let operation = operation(name);
    let document = roxmltree::Document::parse(body).unwrap();
    let wrapper = operation.result_wrapper.unwrap_or_default();
    let result = document.root_element().children().find(|node| node.tag_name().name() == wrapper);
    result.map_or(Value::Null, |result| structure(result, operation.output))
}

fn structure(node: roxmltree::Node<'_, '_>, shape: &Structure) -> Value {
    let mut members = Map::new();
    for child in node.children().filter(roxmltree::Node::is_element) {
        let name = child.tag_name().name();
        let member = shape.members.iter().find(|member| member.wire_out == name);
        let member = member.unwrap_or_else(|| panic!("{} has no {name}", shape.name));
        members.insert(member.name.to_owned(), value(child, member.kind));
    }
    Value::Object(members)
}

fn value(node: roxmltree::Node<'_, '_>, kind: Kind) -> Value {
    let children = || node.children().filter(roxmltree::Node::is_element);
    let text = || node.text().unwrap_or_default();
    match kind {
        Kind::Structure(shape) => structure(node, shape),
        Kind::List(list) => children().map(|item| value(item, list.item)).collect(),
        Kind::Map(map) => {
            let part = |entry: &roxmltree::Node<'_, '_>, name: &str, kind| {
                value(entry.children().find(|part| part.tag_name().name() == name).unwrap(), kind)
            };
            let entry = |entry| {
                let key = part(&entry, map.key_name, Kind::Blob);
                (key.as_str().unwrap().to_owned(), part(&entry, map.value_name, map.value))
            };
            Value::Object(children().map(entry).collect())
        }
        Kind::Boolean => json!(text() == "true"),
        Kind::Integer(_) | Kind::Long(_) => json!(text().parse::<i64>().unwrap()),
        _ => json!(text()),
    }
}
