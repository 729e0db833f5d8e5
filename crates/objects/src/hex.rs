//! Lower-case hexadecimal: its order is that of the bytes.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub(crate) fn encode(bytes: &[u8]) -> String {
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Exactly `N` bytes, or nothing: upper case is not ours.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let nibble =
        |digit: &u8| DIGITS.iter().position(|known| known == digit).and_then(|at| u8::try_from(at).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(high)? << 4 | nibble(low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn only_the_form_that_is_written_is_read() {
        assert_eq!(encode(&[0x00, 0xa9, 0xff]), "00a9ff");
        assert_eq!(decode("00a9ff"), Some([0x00, 0xa9, 0xff]));
        for wrong in ["00A9ff", "00a9f", "00a9ff0", "00a9ff00", "00a9fg", "€€"] {
            assert_eq!(decode::<3>(wrong), None, "{wrong}");
        }
    }
}
