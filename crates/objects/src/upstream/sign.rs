//! Signatures of our own requests (AWS General Reference, "Signature Version 4 signing process"; S3 API reference,
//! "Authenticating Requests: Using the Authorization Header").

use super::text::encode;
use crate::Timestamp;
use crate::hex;
use aws_lc_rs::{digest, hmac};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use std::fmt::Write as _;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// What stands for the hash of a body that is not hashed beforehand.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// The same, and the body ends with a checksum.
pub(super) const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// Ours, which proxies may change.
const UNSIGNED_HEADERS: &[&str] = &["user-agent", "content-length", "expect"];

/// A key of the other store's.
pub(super) struct Signer {
    pub(super) access_key_id: String,
    pub(super) secret: Zeroizing<String>,
    pub(super) region: String,
}

/// What of a request is signed besides its headers. Path and query are encoded already.
pub(super) struct Target<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, String)],
    pub(super) payload: &'a str,
}

/// The hash of a body that is at hand.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The query as it is signed and sent.
pub(super) fn query_string(query: &[(&str, String)]) -> String {
    let mut pairs: Vec<(String, String)> =
        query.iter().map(|(name, value)| (encode(name, false), encode(value, false))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

impl Signer {
    /// Adds the headers of the signature. `None` if a header cannot be written.
    pub(super) fn sign(&self, target: &Target<'_>, headers: &mut HeaderMap, now: Timestamp) -> Option<()> {
        let (date, moment) = stamps(now)?;
        headers.insert("x-amz-date", HeaderValue::from_str(&moment).ok()?);
        headers.insert("x-amz-content-sha256", HeaderValue::from_str(target.payload).ok()?);
        let (names, canonical) = canonical_headers(headers);
        let request: Vec<u8> = [
            format!("{}\n{}\n{}\n", target.method, target.path, query_string(target.query)).as_bytes(),
            &canonical,
            format!("\n{names}\n{}", target.payload).as_bytes(),
        ]
        .concat();
        let scope = format!("{date}/{}/s3/aws4_request", self.region);
        let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", sha256(&request));
        let signature = hex::encode(self.key(&date).sign(to_sign.as_bytes()).as_ref());
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key_id
        );
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).ok()?);
        Some(())
    }

    fn key(&self, date: &str) -> Key {
        let secret = Zeroizing::new(format!("AWS4{}", &*self.secret));
        [date, &self.region, "s3", "aws4_request"]
            .into_iter()
            .fold(Key::new(secret.as_bytes()), |key, text| Key::new(key.sign(text.as_bytes()).as_ref()))
    }
}

struct Key(hmac::Key);

impl Key {
    fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    fn sign(&self, bytes: &[u8]) -> hmac::Tag {
        hmac::sign(&self.0, bytes)
    }
}

/// `20261122` and `20261122T130000Z`.
fn stamps(now: Timestamp) -> Option<(String, String)> {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(now.0 / 1000).ok()?).ok()?;
    let date = format!("{:04}{:02}{:02}", at.year(), u8::from(at.month()), at.day());
    let moment = format!("{date}T{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second());
    Some((date, moment))
}

/// The names that are signed, and their lines.
fn canonical_headers(headers: &HeaderMap) -> (String, Vec<u8>) {
    let mut names: Vec<&str> =
        headers.keys().map(|name| name.as_str()).filter(|name| !UNSIGNED_HEADERS.contains(name)).collect();
    names.sort_unstable();
    let mut lines = Vec::new();
    for name in &names {
        lines.extend_from_slice(name.as_bytes());
        lines.push(b':');
        for (place, value) in headers.get_all(*name).iter().enumerate() {
            if place > 0 {
                lines.push(b',');
            }
            lines.extend(folded(value.as_bytes()));
        }
        lines.push(b'\n');
    }
    (names.join(";"), lines)
}

/// Without space around it, and with one space for several.
fn folded(value: &[u8]) -> Vec<u8> {
    let words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

/// A text that says which server this is.
pub(super) fn user_agent() -> HeaderValue {
    HeaderValue::from_static(concat!("daypass/", env!("CARGO_PKG_VERSION")))
}

/// Base64 of the MD5 of a small document, which some requests must carry.
pub(super) fn content_md5(document: &[u8]) -> String {
    use base64::Engine as _;
    use md5::Digest as _;
    base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(document))
}

/// Text for XML, whatever it contains; `None` where XML 1.0 has no way to write it.
pub(super) fn escaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => write!(out, "&#{};", u32::from(character)).ok()?,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => return None,
            other => out.push(other),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the S3 API reference, "Example: GET Object".
    #[test]
    fn the_published_example_is_signed_as_published() {
        let signer = Signer {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: Zeroizing::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            region: "us-east-1".into(),
        };
        let mut headers = HeaderMap::new();
        headers.insert("host", "examplebucket.s3.amazonaws.com".parse().unwrap());
        headers.insert("range", "bytes=0-9".parse().unwrap());
        let target = Target { method: "GET", path: "/test.txt", query: &[], payload: &sha256(b"") };
        signer.sign(&target, &mut headers, Timestamp(1_369_353_600_000)).unwrap();
        let signed = headers.get(AUTHORIZATION).unwrap().to_str().unwrap();
        assert!(
            signed.ends_with("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
            "{signed}"
        );
        assert!(signed.contains("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date"));
    }

    #[test]
    fn a_query_is_signed_in_order_and_encoded() {
        let query = [("prefix", "a b/é".to_owned()), ("list-type", "2".to_owned()), ("acl", String::new())];
        assert_eq!(query_string(&query), "acl=&list-type=2&prefix=a%20b%2F%C3%A9");
        assert_eq!(folded(b"  a   b "), b"a b");
    }
}
