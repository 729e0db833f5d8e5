//! Texts as scalars and back: what all protocols but JSON share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_model::{Blob, Kind, Protocol, Timestamp, TimestampFormat, Value};

/// The text as a value of that kind; `None` if it is none.
pub(crate) fn read(text: &str, kind: &Kind) -> Option<Value> {
    match kind {
        Kind::String(_) => Some(Value::String(text.to_owned())),
        Kind::Integer(_) | Kind::Long(_) => integer(text).map(Value::Integer),
        Kind::Double => text.parse().ok().filter(|f: &f64| f.is_finite()).map(Value::Double),
        Kind::Boolean => boolean(text).map(Value::Boolean),
        Kind::Timestamp(format) => timestamp(text, *format).map(Value::Timestamp),
        Kind::Blob => BASE64.decode(text).ok().map(|b| Value::Blob(Blob(b))),
        Kind::Structure(_) | Kind::List(_) | Kind::Map(_) => None,
    }
}

/// Digits with an optional sign; nothing that only looks like a number.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// AWS takes any of its forms wherever a time is a text.
fn timestamp(text: &str, format: TimestampFormat) -> Option<Timestamp> {
    let any = || {
        Timestamp::parse_iso8601(text)
            .or_else(|_| Timestamp::parse_rfc822(text))
            .ok()
            .or_else(|| integer(text).map(Timestamp::from_seconds))
    };
    match format {
        TimestampFormat::UnixSeconds => text.parse().ok().map(from_unix_seconds).or_else(any),
        TimestampFormat::Iso8601 | TimestampFormat::Rfc822 => any(),
    }
}

/// Seconds with a fraction, to the millisecond.
#[expect(clippy::cast_possible_truncation, reason = "a cast of a float to an integer saturates")]
pub(crate) fn from_unix_seconds(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0).round() as i64)
}

/// The text of a scalar; `None` for what is none.
pub(crate) fn write(value: &Value, kind: &Kind, protocol: Protocol) -> Option<String> {
    Some(match value {
        Value::String(s) => s.clone(),
        Value::Integer(i) => i.to_string(),
        Value::Double(f) => f.to_string(),
        Value::Boolean(b) => b.to_string(),
        Value::Blob(b) => BASE64.encode(&b.0),
        Value::Timestamp(t) => write_timestamp(*t, kind, protocol),
        Value::List(_) | Value::Map(_) | Value::Structure(_) => return None,
    })
}

fn write_timestamp(t: Timestamp, kind: &Kind, protocol: Protocol) -> String {
    match kind {
        Kind::Timestamp(TimestampFormat::Rfc822) => t.rfc822(),
        Kind::Timestamp(TimestampFormat::UnixSeconds) => t.seconds().to_string(),
        // EC2 and S3 write milliseconds, IAM and STS do not.
        _ if matches!(protocol, Protocol::Ec2 | Protocol::RestXml) => t.iso8601_millis(),
        _ => t.to_string(),
    }
}
