//! The names of buckets (S3 user guide, "Bucket naming rules").

use daypass_core::Fault;

use crate::fault::invalid_bucket_name;

/// Prefixes that are AWS's own.
const RESERVED_PREFIXES: [&str; 4] = ["xn--", "sthree-", "amzn-s3-demo-", "aws:"];
/// Suffixes that are AWS's own.
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// A name that a new bucket can have.
///
/// # Errors
/// `InvalidBucketName`.
pub(crate) fn may_be_made(name: &str) -> Result<(), Fault> {
    let letter_or_digit = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<&u8>| b.is_some_and(letter_or_digit);
    let bytes = name.as_bytes();
    let good = (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| letter_or_digit(b) || matches!(b, b'.' | b'-'))
        && ends(bytes.first())
        && ends(bytes.last())
        // A label neither begins nor ends with a hyphen: such a name is no host name.
        && !["..", ".-", "-."].iter().any(|pair| name.contains(pair))
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !looks_like_an_address(name)
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if good { Ok(()) } else { Err(invalid_bucket_name(name)) }
}

/// A name that a bucket may have had once: what is none of these cannot be asked about.
///
/// # Errors
/// `InvalidBucketName`.
pub(crate) fn may_exist(name: &str) -> Result<(), Fault> {
    let good = (3..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if good { Ok(()) } else { Err(invalid_bucket_name(name)) }
}

/// Four numbers, also such as no address has: `999.1.1.1`.
fn looks_like_an_address(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    parts.len() == 4 && parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_rules_say() {
        for name in ["abc", "my-bucket", "my.bucket.1", "1a2", &"a".repeat(63), "192.168.5.4a"] {
            assert!(may_be_made(name).is_ok(), "{name}");
        }
        for name in [
            "ab",
            &"a".repeat(64),
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            ".abc",
            "abc.",
            "a..b",
            "a.-b",
            "a-.b",
            "192.168.5.4",
            "999.1.1.1",
            "xn--abc",
            "sthree-abc",
            "amzn-s3-demo-abc",
            "abc-s3alias",
            "abc--ol-s3",
            "abc.mrap",
            "abc--x-s3",
            "a b",
            "a/b",
            "äbc",
        ] {
            assert_eq!(may_be_made(name).unwrap_err().code, "InvalidBucketName", "{name}");
        }
    }
}
