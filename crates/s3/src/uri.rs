//! Percent-encoding, where S3 has it in headers and documents.

/// The text behind percent-encoding; `+` is a space where it is in a query. `None` if it is none.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The text as `encoding-type=url` writes it: what XML cannot carry or S3's own clients do not expect is encoded, a slash
/// is not (S3 API reference, ListObjectsV2, `EncodingType`).
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_decodes() {
        for text in ["", "a/b", "a b+c", "é\u{1}%", "test_file(3).png"] {
            assert_eq!(decode(&encode(text), true).as_deref(), Some(text));
        }
        assert_eq!(encode("test_file(3).png"), "test_file%283%29.png");
        assert_eq!(decode("a+b%2B", false).as_deref(), Some("a+b+"));
        for bad in ["%", "%1", "%zz", "%ff", "%+1"] {
            assert_eq!(decode(bad, true), None, "{bad}");
        }
    }
}
