//! Values of condition keys.

use crate::value::{Decimal, Timestamp, base64, canonical};
use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::IpAddr;

/// One value of a condition key. Every kind can be compared by every operator that can read it: a text that holds
/// digits is a number for the Numeric operators, and a number is its digits for the String operators.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A text; also a number, date, address, ARN or base64 that the request carried as text.
    Text(Cow<'a, str>),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; seconds since the epoch where a date is asked for.
    Integer(i64),
    /// A point in time, `aws:CurrentTime`.
    Time(Timestamp),
    /// An IP address.
    Address(IpAddr),
    /// Bytes, compared by `BinaryEquals` only.
    Bytes(Cow<'a, [u8]>),
}

impl Value<'_> {
    /// The text that the String operators and variables see. Bytes have none.
    pub(crate) fn text<'b>(&'b self, buffer: &'b mut TextBuffer) -> Option<&'b str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Integer(integer) => buffer.print(integer),
            Self::Time(time) => buffer.print(time),
            Self::Address(address) => buffer.print(&canonical(*address)),
            Self::Bytes(_) => None,
        }
    }

    pub(crate) fn number(&self) -> Option<Decimal> {
        match self {
            Self::Integer(integer) => Some(Decimal::from_integer(*integer)),
            Self::Text(text) => Decimal::parse(text),
            _ => None,
        }
    }

    pub(crate) fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Integer(seconds) => Some(Timestamp::from_seconds(*seconds)),
            Self::Text(text) => Timestamp::parse(text),
            _ => None,
        }
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Text(text) => parse_bool(text),
            _ => None,
        }
    }

    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether this is exactly these bytes; a text is read as base64. `None` where it is not.
    pub(crate) fn equals_bytes(&self, bytes: &[u8]) -> Option<bool> {
        match self {
            Self::Bytes(own) => Some(own.as_ref() == bytes),
            Self::Text(text) if base64::decode(text).any(|byte| byte.is_err()) => None,
            Self::Text(text) => Some(base64::decode(text).eq(bytes.iter().map(|byte| Ok(*byte)))),
            _ => None,
        }
    }
}

/// `true` or `false` in any case.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<IpAddr> for Value<'_> {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

/// The value as an explanation shows it.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            other => f.write_str(other.text(&mut TextBuffer::default()).unwrap_or_default()),
        }
    }
}

/// Room on the stack for a number, a date or an address as text.
pub(crate) struct TextBuffer {
    bytes: [u8; 48],
    length: usize,
}

impl Default for TextBuffer {
    fn default() -> Self {
        Self { bytes: [0; 48], length: 0 }
    }
}

impl TextBuffer {
    fn print(&mut self, value: &dyn fmt::Display) -> Option<&str> {
        self.length = 0;
        write!(self, "{value}").ok()?;
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }
}

impl Write for TextBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_values_read_as_the_texts_that_aws_gives() {
        for (value, text) in [
            (Value::from(true), "true"),
            (Value::from(i64::MIN), "-9223372036854775808"),
            (Value::from(Timestamp::from_seconds(0)), "1970-01-01T00:00:00Z"),
            (Value::from("::ffff:192.0.2.1".parse::<IpAddr>().unwrap()), "192.0.2.1"),
            (
                Value::from("1111:2222:3333:4444:5555:6666:7777:8888".parse::<IpAddr>().unwrap()),
                "1111:2222:3333:4444:5555:6666:7777:8888",
            ),
        ] {
            assert_eq!(value.text(&mut TextBuffer::default()), Some(text));
            assert_eq!(value.to_string(), text);
        }
        assert_eq!(Value::from(&b"x"[..]).text(&mut TextBuffer::default()), None);
    }

    #[test]
    fn bytes_compare_with_base64_and_with_bytes() {
        assert_eq!(Value::from("QQ==").equals_bytes(b"A"), Some(true));
        assert_eq!(Value::from("Qg==").equals_bytes(b"A"), Some(false));
        assert_eq!(Value::from("?").equals_bytes(b"A"), None);
        assert_eq!(Value::from(&b"A"[..]).equals_bytes(b"A"), Some(true));
    }
}
