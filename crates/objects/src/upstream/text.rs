//! Percent-encoding and times, as S3 writes them.

use crate::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// The text as paths and queries have it (AWS General Reference, "UriEncode"): everything but letters, digits and `-_.~`,
/// and a slash where it parts a path.
pub(super) fn encode(text: &str, is_path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b'/' if is_path => out.push('/'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What `encoding-type=url` wrote. Stores differ in what a space is: `+` is one, for a plus sign is always encoded.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            b'+' => b' ',
            byte => byte,
        });
    }
    Some(out)
}

/// The time of a header, as `Sun, 22 Nov 2026 13:00:00 GMT`.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    millis(OffsetDateTime::parse(text, &Rfc2822).ok()?)
}

/// The time of a document, as `2026-11-22T13:00:00.000Z`.
pub(super) fn iso_date(text: &str) -> Option<Timestamp> {
    millis(OffsetDateTime::parse(text, &Rfc3339).ok()?)
}

/// The same, to be sent.
pub(super) fn to_iso_date(at: Timestamp) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000).ok()?;
    at.format(&Rfc3339).ok()
}

fn millis(at: OffsetDateTime) -> Option<Timestamp> {
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_both_forms_write_them() {
        assert_eq!(http_date("Fri, 24 May 2013 00:00:00 GMT"), Some(Timestamp(1_369_353_600_000)));
        assert_eq!(iso_date("2013-05-24T00:00:00.250Z"), Some(Timestamp(1_369_353_600_250)));
        assert_eq!(to_iso_date(Timestamp(1_369_353_600_000)).as_deref(), Some("2013-05-24T00:00:00Z"));
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn what_is_encoded_reads_again() {
        for text in ["a b+c/é%\u{1}", "", "~"] {
            assert_eq!(decode(&encode(text, false)).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(encode("a/b c", true), "a/b%20c");
        assert_eq!(decode("a+b").as_deref(), Some(&b"a b"[..]));
        assert_eq!(decode("%zz"), None);
    }
}
