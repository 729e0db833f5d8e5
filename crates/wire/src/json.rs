//! JSON bodies, read and written by shape tables.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_model::{Blob, Fields, Kind, Location, Operation, Structure, Timestamp, TimestampFormat, Value};
use serde_json::{Map, Number, Value as Json};

use crate::validate::{Path, Violations};
use crate::{Fault, scalar};

/// The input of a JSON operation: the whole body is its structure.
pub(crate) fn read_document(
    operation: &Operation,
    body: &[u8],
    found: &mut Violations,
) -> Result<Value, Fault> {
    let json = parse(body)?;
    Ok(read(&json, &Kind::Structure(operation.input), &Path::root(), found).unwrap_or_else(Value::empty))
}

/// A body as JSON; an empty one is an empty object.
pub(crate) fn parse(body: &[u8]) -> Result<Json, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Json::Object(Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(json @ Json::Object(_)) => Ok(json),
        _ => Err(Fault::coded("SerializationException", 400, "Could not parse request body into json")),
    }
}

pub(crate) fn read(json: &Json, kind: &Kind, path: &Path<'_>, found: &mut Violations) -> Option<Value> {
    let value = match (json, kind) {
        (Json::Null, _) => return None,
        (Json::Object(object), Kind::Structure(shape)) => Some(structure(object, shape, path, found)),
        (Json::Array(items), Kind::List(shape)) => {
            let read = |(number, item)| read(item, &shape.item, &path.item(number), found);
            Some(Value::List((1..).zip(items).filter_map(read).collect()))
        }
        (Json::Object(object), Kind::Map(shape)) => {
            let read = |(number, (key, item)): (u32, (&String, &Json))| {
                Some((key.clone(), read(item, &shape.value, &path.item(number), found)?))
            };
            Some(Value::Map((1..).zip(object).filter_map(read).collect()))
        }
        (Json::String(s), Kind::String(_)) => Some(Value::String(s.clone())),
        (Json::String(s), Kind::Blob) => BASE64.decode(s).ok().map(|b| Value::Blob(Blob(b))),
        (Json::String(s), Kind::Timestamp(_)) => scalar::read(s, kind),
        (Json::Number(n), Kind::Integer(_) | Kind::Long(_)) => n.as_i64().map(Value::Integer),
        (Json::Number(n), Kind::Double) => n.as_f64().map(Value::Double),
        (Json::Number(n), Kind::Timestamp(_)) => {
            n.as_f64().map(|f| Value::Timestamp(scalar::from_unix_seconds(f)))
        }
        (Json::Bool(b), Kind::Boolean) => Some(Value::Boolean(*b)),
        _ => None,
    };
    if value.is_none() {
        found.malformed(path, &brief(json), kind);
    }
    value
}

/// A scalar as it stands; of anything larger only its kind.
fn brief(json: &Json) -> String {
    match json {
        Json::String(s) => s.clone(),
        Json::Array(_) => "[...]".to_owned(),
        Json::Object(_) => "{...}".to_owned(),
        scalar => scalar.to_string(),
    }
}

fn structure(
    object: &Map<String, Json>,
    shape: &Structure,
    path: &Path<'_>,
    found: &mut Violations,
) -> Value {
    let mut fields = Fields::default();
    for (index, member) in (0..).zip(shape.members) {
        if member.location == Location::Body
            && let Some(json) = object.get(member.wire_in)
            && let Some(value) = read(json, &member.kind, &path.member(member.name), found)
        {
            fields.push(index, value);
        }
    }
    Value::Structure(fields)
}

/// A structure of the API as JSON, to be kept: [`value_of_json`] makes the same value of it again.
#[must_use]
pub fn json_of_value(value: &Value, shape: &'static Structure) -> Json {
    write(value, &Kind::Structure(shape))
}

/// The structure that was kept as JSON; `None` if it is not one of that shape.
#[must_use]
pub fn value_of_json(json: &Json, shape: &'static Structure) -> Option<Value> {
    let mut found = Violations::default();
    read(json, &Kind::Structure(shape), &Path::root(), &mut found).filter(|_| found.is_empty())
}

/// The body of a success.
pub(crate) fn write_document(operation: &Operation, value: &Value) -> String {
    write(value, &Kind::Structure(operation.output)).to_string()
}

pub(crate) fn write(value: &Value, kind: &Kind) -> Json {
    match (value, kind) {
        (Value::Structure(fields), Kind::Structure(shape)) => Json::Object(
            (0..)
                .zip(shape.members)
                .filter(|(_, member)| member.location == Location::Body)
                .filter_map(|(index, member)| {
                    Some((member.wire_out.to_owned(), write(fields.get(index)?, &member.kind)))
                })
                .collect(),
        ),
        (Value::List(items), Kind::List(shape)) => items.iter().map(|i| write(i, &shape.item)).collect(),
        (Value::Map(entries), Kind::Map(shape)) => {
            Json::Object(entries.iter().map(|(k, v)| (k.clone(), write(v, &shape.value))).collect())
        }
        (Value::String(s), _) => Json::String(s.clone()),
        (Value::Integer(i), _) => Json::Number((*i).into()),
        (Value::Double(f), _) => Number::from_f64(*f).map_or(Json::Null, Json::Number),
        (Value::Boolean(b), _) => Json::Bool(*b),
        (Value::Blob(b), _) => Json::String(BASE64.encode(&b.0)),
        (Value::Timestamp(t), Kind::Timestamp(TimestampFormat::Iso8601)) => Json::String(t.to_string()),
        (Value::Timestamp(t), _) => unix_seconds(*t),
        _ => Json::Null,
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of the years 1 to 9999 fit a double's 53 bits")]
fn unix_seconds(t: Timestamp) -> Json {
    if t.millis() % 1000 == 0 {
        Json::Number(t.seconds().into())
    } else {
        Number::from_f64(t.millis() as f64 / 1000.0).map_or(Json::Null, Json::Number)
    }
}
