//! Policy documents, on their way in and out.

use std::fmt::Write as _;

use daypass_core::Fault;
use daypass_core::policy::{Document, DocumentKind};

use crate::fault::malformed_policy;

/// Reads a document as AWS does when it is stored.
pub(crate) fn parse(kind: DocumentKind, text: &str) -> Result<Document, Fault> {
    Document::parse(kind, text).map_err(|error| malformed_policy(error.aws_message()))
}

/// A document as answers have it: URL-encoded once, by RFC 3986.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn everything_but_letters_digits_and_four_signs_is_encoded_once() {
        assert_eq!(encoded("aZ09-_.~"), "aZ09-_.~");
        assert_eq!(encoded("{\"A\": \"s3:*\"}\n"), "%7B%22A%22%3A%20%22s3%3A%2A%22%7D%0A");
        assert_eq!(encoded("%3A+é"), "%253A%2B%C3%A9");
    }
}
