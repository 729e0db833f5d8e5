//! Percent-encoding in the one form that SigV4 knows: everything but `A-Z a-z 0-9 - . _ ~`, upper-case digits.
//! Source: *Create a signed AWS API request*, `UriEncode()`.

/// What is wrong with an escape, in the words of AWS's `MalformedQueryString`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EscapeFault {
    /// The text ends inside an escape.
    Incomplete,
    /// These two bytes are not hexadecimal digits.
    NotHex([u8; 2]),
}

/// Appends one byte, escaped unless it is unreserved.
pub(super) fn push_encoded(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    if is_unreserved(byte) {
        out.push(byte);
    } else {
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
        out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 0x0f)]);
    }
}

/// The bytes that `text` stands for. `plus_is_space` is the rule of query strings, not of paths.
pub(super) fn decoded(
    text: &[u8],
    plus_is_space: bool,
) -> impl Iterator<Item = Result<u8, EscapeFault>> + use<'_> {
    let mut bytes = text.iter().copied();
    std::iter::from_fn(move || {
        Some(match bytes.next()? {
            b'%' => match (bytes.next(), bytes.next()) {
                (Some(high), Some(low)) => match (hex_digit(high), hex_digit(low)) {
                    (Some(high), Some(low)) => Ok(high << 4 | low),
                    _ => Err(EscapeFault::NotHex([high, low])),
                },
                _ => Err(EscapeFault::Incomplete),
            },
            b'+' if plus_is_space => Ok(b' '),
            byte => Ok(byte),
        })
    })
}

/// The value of a hexadecimal digit of either case.
pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Appends bytes in lower-case hexadecimal.
pub(super) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    for &byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
    }
}

/// 32 bytes from 64 hexadecimal digits; `None` for anything else.
pub(super) fn parse_hash(text: &[u8]) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = hex_digit(high)? << 4 | hex_digit(low)?;
    }
    Some(hash)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
