//! A value of the API as JSON, by the names of its table, and back: how launch templates keep what they were given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_core::model::{Blob, Fields, Kind, Structure, Timestamp, Value};
use serde_json::{Map, Value as Json};

/// A structure as JSON.
pub(crate) fn write(value: &Value, shape: &Structure) -> Map<String, Json> {
    let fields = value.fields().map(|fields| fields.iter().collect::<Vec<_>>()).unwrap_or_default();
    let named = fields.into_iter().filter_map(|(index, value)| {
        let member = shape.member(index)?;
        Some((member.name.to_owned(), item(value, &member.kind)?))
    });
    named.collect()
}

fn item(value: &Value, kind: &Kind) -> Option<Json> {
    Some(match (value, kind) {
        (Value::Structure(_), Kind::Structure(shape)) => Json::Object(write(value, shape)),
        (Value::List(items), Kind::List(list)) => {
            Json::Array(items.iter().filter_map(|i| item(i, &list.item)).collect())
        }
        (Value::Map(entries), Kind::Map(map)) => Json::Object(
            entries.iter().filter_map(|(k, v)| Some((k.clone(), item(v, &map.value)?))).collect(),
        ),
        (Value::String(text), _) => text.clone().into(),
        (Value::Integer(number), _) => (*number).into(),
        (Value::Double(number), _) => serde_json::Number::from_f64(*number)?.into(),
        (Value::Boolean(flag), _) => (*flag).into(),
        (Value::Timestamp(time), _) => time.millis().into(),
        (Value::Blob(blob), _) => STANDARD.encode(&blob.0).into(),
        _ => return None,
    })
}

/// A structure from JSON. Names that its table does not have are left out.
pub(crate) fn read(json: &Map<String, Json>, shape: &Structure) -> Value {
    let mut fields = Fields::default();
    for (index, member) in (0..).zip(shape.members) {
        if let Some(value) = json.get(member.name).and_then(|json| read_item(json, &member.kind)) {
            fields.push(index, value);
        }
    }
    Value::Structure(fields)
}

fn read_item(json: &Json, kind: &Kind) -> Option<Value> {
    Some(match (json, kind) {
        (Json::Object(object), Kind::Structure(shape)) => read(object, shape),
        (Json::Array(items), Kind::List(list)) => {
            Value::List(items.iter().filter_map(|i| read_item(i, &list.item)).collect())
        }
        (Json::Object(entries), Kind::Map(map)) => {
            let entries = entries.iter().filter_map(|(k, v)| Some((k.clone(), read_item(v, &map.value)?)));
            Value::Map(entries.collect())
        }
        (Json::String(text), Kind::Blob) => Value::Blob(Blob(STANDARD.decode(text).ok()?)),
        (Json::String(text), Kind::String(_)) => Value::String(text.clone()),
        (Json::Number(number), Kind::Double) => Value::Double(number.as_f64()?),
        (Json::Number(number), Kind::Timestamp(_)) => {
            Value::Timestamp(Timestamp::from_millis(number.as_i64()?))
        }
        (Json::Number(number), Kind::Integer(_) | Kind::Long(_)) => Value::Integer(number.as_i64()?),
        (Json::Bool(flag), Kind::Boolean) => Value::Boolean(*flag),
        _ => return None,
    })
}
