//! Presigned S3 URLs of Signature Version 2.
//!
//! SigV2 covers the method, `content-md5`, `content-type`, every `x-amz-*` header, the path, and of the query only the
//! parameters that it knows ([`COVERED`]). A parameter that it does not cover, and that somebody added to the URL, could
//! make another request of it; so any other is refused. Range and conditions are not covered, as on AWS.
//!
//! Source: *Signing and authenticating REST requests (AWS signature version 2)* of the S3 user guide, "Query string request
//! authentication alternative".

use std::borrow::Cow;

use aws_lc_rs::digest::SHA1_OUTPUT_LEN;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::HeaderName;
use time::OffsetDateTime;

use super::query::Query;
use super::request::{RequestHead, names};
use super::{AuthForm, SigError};

const ACCESS_KEY_ID: &str = "AWSAccessKeyId";
const SIGNATURE: &str = "Signature";
const EXPIRES: &str = "Expires";
const TOKEN: &str = "x-amz-security-token";

/// The parameters of the authentication itself, and headers that signers put beside it: the headers are what counts.
const OF_AUTHENTICATION: [&str; 6] =
    [ACCESS_KEY_ID, SIGNATURE, EXPIRES, TOKEN, "content-type", "content-md5"];

/// The parameters that are part of the canonicalised resource, sorted.
const COVERED: [&str; 23] = [
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "website",
];

/// A presigned request's own parameters.
pub(super) struct PresignedV2 {
    pub(super) access_key_id: Cow<'static, str>,
    pub(super) signature: Cow<'static, str>,
    pub(super) token: Option<Cow<'static, str>>,
    pub(super) terms: V2Terms,
}

/// What the signature covers besides the head of the request, and until when.
pub(super) struct V2Terms {
    expires: i64,
    token: Option<String>,
    covered: Vec<(&'static str, String)>,
}

/// Whether any part of such an authentication is in the query: a half one is refused, never taken for none.
pub(super) fn is_attempted(query: &Query) -> bool {
    query.contains(ACCESS_KEY_ID) || query.contains(SIGNATURE)
}

/// Reads the parameters of a presigned URL, each exactly once.
pub(super) fn parse(head: &RequestHead<'_>, query: &Query) -> Result<PresignedV2, SigError> {
    let get = |name| query.single(name).map(|value| value.filter(|text| !text.is_empty()));
    let (Some(access_key_id), Some(signature), Some(expires)) =
        (get(ACCESS_KEY_ID)?, get(SIGNATURE)?, get(EXPIRES)?)
    else {
        return Err(SigError::LegacySignature);
    };
    let expires = expires.parse().ok().filter(|seconds| *seconds >= 0);
    let expires = expires.ok_or(SigError::Nonconforming { form: AuthForm::Query })?;
    if query.names().any(|name| !OF_AUTHENTICATION.contains(&name) && !COVERED.contains(&name)) {
        return Err(SigError::LegacySignature);
    }
    let token = match (query.single(TOKEN)?, head.single(&names::TOKEN)?) {
        (Some(token), None) => Some(token),
        (None, Some(value)) => {
            Some(Cow::Owned(value.to_str().map_err(|_| SigError::InvalidToken)?.to_owned()))
        }
        (Some(_), Some(_)) => return Err(SigError::InvalidToken),
        (None, None) => None,
    };
    let mut covered = Vec::new();
    for name in COVERED {
        let Some(value) = query.single(name)? else { continue };
        // In what is signed values stand as they are: with an `&`, one would read as two.
        if value.contains('&') {
            return Err(SigError::LegacySignature);
        }
        covered.push((name, value.into_owned()));
    }
    let terms = V2Terms { expires, token: token.as_ref().map(|token| token.clone().into_owned()), covered };
    Ok(PresignedV2 { access_key_id, signature, token, terms })
}

/// The bytes of a signature.
pub(super) fn parse_signature(text: &str) -> Option<[u8; SHA1_OUTPUT_LEN]> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

impl V2Terms {
    /// # Errors
    /// If the URL is no longer valid.
    pub(super) fn check_expiry(&self, now: OffsetDateTime) -> Result<(), SigError> {
        if now.unix_timestamp() <= self.expires {
            return Ok(());
        }
        let expires = OffsetDateTime::from_unix_timestamp(self.expires).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Err(SigError::PresignedExpired { expires_seconds: None, expires, now })
    }

    /// What the signature is of.
    pub(super) fn string_to_sign(&self, head: &RequestHead<'_>, bucket_in_host: Option<&str>) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(head.method.as_bytes());
        out.push(b'\n');
        for name in ["content-md5", "content-type"] {
            push_values(&mut out, head, name);
            out.push(b'\n');
        }
        out.extend_from_slice(self.expires.to_string().as_bytes());
        out.push(b'\n');
        self.push_amz_headers(&mut out, head);
        if let Some(bucket) = bucket_in_host {
            out.push(b'/');
            out.extend_from_slice(bucket.as_bytes());
        }
        out.extend_from_slice(if head.path.is_empty() { b"/" } else { head.path.as_bytes() });
        for (index, (name, value)) in self.covered.iter().enumerate() {
            out.push(if index == 0 { b'?' } else { b'&' });
            out.extend_from_slice(name.as_bytes());
            if !value.is_empty() {
                out.push(b'=');
                out.extend_from_slice(value.as_bytes());
            }
        }
        out
    }

    /// Every `x-amz-*` header, sorted, and the token, wherever it was.
    fn push_amz_headers(&self, out: &mut Vec<u8>, head: &RequestHead<'_>) {
        let mut names: Vec<&str> =
            head.headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with("x-amz-")).collect();
        if self.token.is_some() && !names.contains(&TOKEN) {
            names.push(TOKEN);
        }
        names.sort_unstable();
        for name in names {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            match &self.token {
                Some(token) if name == TOKEN => out.extend_from_slice(token.as_bytes()),
                _ => push_values(out, head, name),
            }
            out.push(b'\n');
        }
    }
}

/// The values of a header, without white space around them, joined by commas.
fn push_values(out: &mut Vec<u8>, head: &RequestHead<'_>, name: &str) {
    for (index, value) in head.headers.get_all(name).iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(value.as_bytes().trim_ascii());
    }
}
