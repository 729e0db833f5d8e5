//! Base64 with padding, read without allocating: the values of `BinaryEquals`.

/// The bytes of a base64 text, each `Ok`, or one `Err` where the text is not base64.
pub(crate) fn decode(text: &str) -> impl Iterator<Item = Result<u8, ()>> + '_ {
    let bad_length = !text.len().is_multiple_of(4);
    text.as_bytes().chunks(4).enumerate().flat_map(move |(index, chunk)| {
        let last = (index + 1) * 4 == text.len();
        let bytes = if bad_length { None } else { decode_chunk(chunk, last) };
        let (bytes, count) = bytes.map_or(([Err(()); 3], 1), |(bytes, count)| (bytes.map(Ok), count));
        bytes.into_iter().take(count)
    })
}

fn decode_chunk(chunk: &[u8], last: bool) -> Option<([u8; 3], usize)> {
    let padding = chunk.iter().rev().take_while(|&&b| b == b'=').count();
    if padding > 2 || (padding > 0 && !last) {
        return None;
    }
    let mut bits = 0_u32;
    for (place, &byte) in chunk.iter().enumerate() {
        let value = if place >= 4 - padding { 0 } else { value_of(byte)? };
        bits = bits << 6 | value;
    }
    let [_, first, second, third] = bits.to_be_bytes();
    Some(([first, second, third], 3 - padding))
}

fn value_of(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rfc_4648_lists() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text).collect::<Result<Vec<u8>, ()>>().unwrap(), bytes.as_bytes(), "{text}");
        }
        assert_eq!(decode("+/8=").collect::<Result<Vec<u8>, ()>>().unwrap(), [0xfb, 0xff]);
    }

    #[test]
    fn what_is_not_base64_is_an_error() {
        for text in ["Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Z g=", "Zm9v!A==", "é"] {
            assert!(decode(text).any(|byte| byte.is_err()), "{text}");
        }
    }
}
