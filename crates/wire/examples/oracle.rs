//! The other half of `tests/wire_oracle.py`: reads requests that botocore wrote and says what was understood, and
//! writes answers for botocore to read. One JSON object a line in, one a line out.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a tool of the tests; JSON's index never panics"
)]

use std::io::BufRead as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_model::{Blob, Fields, Kind, Operation, Service, Structure, Timestamp, Value, services};
use daypass_wire::{
    Fault, Form, Hosts, Protocols, parse_input, protocol_of, route, write_fault, write_output,
};
use serde_json::{Value as Json, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in std::io::stdin().lock().lines() {
        let line: Json = serde_json::from_str(&line?)?;
        let answer = match line["kind"].as_str() {
            Some("request") => request(&line)?,
            Some("answer") => answer(&line)?,
            _ => fault(&line)?,
        };
        println!("{answer}");
    }
    Ok(())
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or("")
}

fn request(line: &Json) -> Result<Json, Box<dyn std::error::Error>> {
    let mut request = http::Request::builder().method(text(line, "method")).uri(text(line, "uri"));
    for (name, value) in line["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap_or(""));
    }
    let head = request.body(())?.into_parts().0;
    let body = BASE64.decode(text(line, "body"))?;
    let protocols = protocol_of(&head, line["scope"].as_str());
    let form = match protocols {
        Protocols::FormBody => Some(Form::parse(std::str::from_utf8(&body)?)?),
        Protocols::FormQuery => Some(Form::parse(head.uri.query().unwrap_or(""))?),
        _ => None,
    };
    let routed = match route(protocols, &head, form.as_ref(), &Hosts::default()) {
        Ok(routed) => routed,
        Err(fault) => return Ok(json!({"fault": fault.code, "message": fault.message})),
    };
    let operation = routed.operation;
    Ok(match parse_input(&routed, &head, form.as_ref(), &body) {
        Ok(value) => json!({
            "operation": operation.name,
            "service": operation.service.name,
            "input": to_json(&value, &Kind::Structure(operation.input)),
        }),
        Err(fault) => json!({"operation": operation.name, "fault": fault.code, "message": fault.message}),
    })
}

fn find(line: &Json) -> Result<(&'static Service, Option<&'static Operation>), String> {
    let service = services().iter().find(|s| s.name == text(line, "service")).ok_or("no such service")?;
    Ok((service, service.operation(text(line, "operation"))))
}

fn answer(line: &Json) -> Result<Json, Box<dyn std::error::Error>> {
    let operation = find(line)?.1.ok_or("no such operation")?;
    let value = from_json(&line["output"], &Kind::Structure(operation.output)).unwrap_or_else(Value::empty);
    Ok(printed(write_output(operation, &value, "request-1")))
}

fn fault(line: &Json) -> Result<Json, Box<dyn std::error::Error>> {
    let fault = Fault::coded(text(line, "code").to_owned(), 418, text(line, "message"));
    Ok(printed(write_fault(find(line)?.0, &fault, "request-1", false)))
}

fn printed(answer: daypass_wire::Answer) -> Json {
    let headers: serde_json::Map<String, Json> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    json!({"status": answer.status, "headers": headers, "body": BASE64.encode(answer.body)})
}

/// A value by the model's own names, as botocore's parameters are.
fn to_json(value: &Value, kind: &Kind) -> Json {
    match (value, kind) {
        (Value::Structure(fields), Kind::Structure(shape)) => {
            let name = |index| shape.member(index);
            Json::Object(
                fields
                    .iter()
                    .filter_map(|(i, v)| Some((name(i)?.name.to_owned(), to_json(v, &name(i)?.kind))))
                    .collect(),
            )
        }
        (Value::List(items), Kind::List(shape)) => items.iter().map(|i| to_json(i, &shape.item)).collect(),
        (Value::Map(entries), Kind::Map(shape)) => {
            Json::Object(entries.iter().map(|(k, v)| (k.clone(), to_json(v, &shape.value))).collect())
        }
        (Value::String(s), _) => s.clone().into(),
        (Value::Integer(i), _) => (*i).into(),
        (Value::Double(f), _) => (*f).into(),
        (Value::Boolean(b), _) => (*b).into(),
        (Value::Timestamp(t), _) => t.to_string().into(),
        (Value::Blob(b), _) => BASE64.encode(&b.0).into(),
        _ => Json::Null,
    }
}

fn from_json(json: &Json, kind: &Kind) -> Option<Value> {
    Some(match (json, kind) {
        (Json::Object(object), Kind::Structure(shape)) => Value::Structure(structure(object, shape)),
        (Json::Array(items), Kind::List(shape)) => {
            Value::List(items.iter().filter_map(|i| from_json(i, &shape.item)).collect())
        }
        (Json::Object(object), Kind::Map(shape)) => Value::Map(
            object.iter().filter_map(|(k, v)| Some((k.clone(), from_json(v, &shape.value)?))).collect(),
        ),
        (Json::String(s), Kind::Timestamp(_)) => Value::Timestamp(Timestamp::parse_iso8601(s).ok()?),
        (Json::String(s), Kind::Blob) => Value::Blob(Blob(BASE64.decode(s).ok()?)),
        (Json::String(s), _) => Value::String(s.clone()),
        (Json::Bool(b), _) => Value::Boolean(*b),
        (Json::Number(n), Kind::Double) => Value::Double(n.as_f64()?),
        (Json::Number(n), _) => Value::Integer(n.as_i64()?),
        _ => return None,
    })
}

fn structure(object: &serde_json::Map<String, Json>, shape: &Structure) -> Fields {
    let mut fields = Fields::default();
    for (index, member) in (0..).zip(shape.members) {
        if let Some(value) = object.get(member.name).and_then(|v| from_json(v, &member.kind)) {
            fields.push(index, value);
        }
    }
    fields
}
