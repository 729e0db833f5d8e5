//! As much of DER as is needed to find the key in a certificate.

/// The content of an element of that tag, and what follows it.
pub(crate) fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, length], rest) = der.split_first_chunk::<2>()?;
    if first != tag {
        return None;
    }
    if length < 0x80 {
        return rest.split_at_checked(usize::from(length));
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f)).filter(|(b, _)| b.len() <= 4)?;
    rest.split_at_checked(bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

/// The `SubjectPublicKeyInfo` of an X.509 certificate (RFC 5280, section 4.1), whole. Nothing else of the certificate is
/// looked at: who gives it vouches for the key in it.
pub(crate) fn public_key_of(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    let (certificate, after) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE).filter(|_| after.is_empty())?;
    if let Some((_, after_version)) = element(rest, 0xa0) {
        rest = after_version;
    }
    // Serial number, algorithm, issuer, validity, subject.
    for tag in [0x02, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        (_, rest) = element(rest, tag)?;
    }
    let (_, after) = element(rest, SEQUENCE)?;
    rest.get(..rest.len() - after.len())
}
