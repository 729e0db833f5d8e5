//! Authentication in the query string: presigned URLs.
//! Source: *Authenticating Requests: Using Query Parameters (AWS Signature Version 4)* of the S3 API reference.

use super::algorithm::Algorithm;
use super::header_auth::Components;
use super::query::Query;
use super::{AuthForm, ExpiresFault, Family, MAX_EXPIRES_SECONDS, QueryFault, SigError};

pub(super) const SIGNATURE: &str = "X-Amz-Signature";
pub(super) const TOKEN: &str = "X-Amz-Security-Token";
pub(super) const CONTENT_SHA256: &str = "X-Amz-Content-Sha256";
pub(super) const REGION_SET: &str = "X-Amz-Region-Set";
const ALGORITHM_PARAMETER: &str = "X-Amz-Algorithm";
const CREDENTIAL: &str = "X-Amz-Credential";
const DATE: &str = "X-Amz-Date";
const EXPIRES: &str = "X-Amz-Expires";
const SIGNED_HEADERS: &str = "X-Amz-SignedHeaders";

/// A presigned request's own parameters.
pub(super) struct Presigned {
    pub(super) components: Components<'static>,
    pub(super) date: String,
    pub(super) expires_seconds: Option<u32>,
}

/// Whether any part of an authentication is in the query: a half one is refused, never taken for none.
pub(super) fn is_attempted(query: &Query) -> bool {
    [ALGORITHM_PARAMETER, CREDENTIAL, SIGNATURE, SIGNED_HEADERS, DATE, EXPIRES, TOKEN, REGION_SET]
        .iter()
        .any(|name| query.contains(name))
}

/// Reads the parameters of a presigned URL, each exactly once. S3 wants `X-Amz-Expires`; the other services do
/// without, and hold every presigned request to 15 minutes (which is how STS treats the tokens of EKS).
pub(super) fn parse(query: &Query, family: Family) -> Result<Presigned, SigError> {
    let get = |name| {
        query.single(name).map(|value| value.filter(|text| !text.is_empty() || name == SIGNED_HEADERS))
    };
    let algorithm = get(ALGORITHM_PARAMETER)?;
    let (credential, signature) = (get(CREDENTIAL)?, get(SIGNATURE)?);
    let (signed_headers, date, expires) = (get(SIGNED_HEADERS)?, get(DATE)?, get(EXPIRES)?);
    let unsupported =
        |name: &str| SigError::UnsupportedAlgorithm { form: AuthForm::Query, algorithm: name.into() };
    let algorithm = match algorithm.as_deref() {
        Some(name) => Some(Algorithm::named(name, family).ok_or_else(|| unsupported(name))?),
        None => None,
    };
    let fault = QueryFault {
        algorithm: algorithm.is_none(),
        credential: credential.is_none(),
        signature: signature.is_none(),
        signed_headers: signed_headers.is_none(),
        date: date.is_none(),
    };
    let lacks_expires = family == Family::S3 && expires.is_none();
    match (algorithm, credential, signature, signed_headers, date) {
        (Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date))
            if !lacks_expires =>
        {
            Ok(Presigned {
                components: Components { algorithm, credential, signed_headers, signature },
                date: date.into_owned(),
                expires_seconds: expires.as_deref().map(parse_expires).transpose()?,
            })
        }
        _ => Err(SigError::MissingQueryParameters(fault)),
    }
}

fn parse_expires(text: &str) -> Result<u32, SigError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let fault = if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        ExpiresFault::NotANumber
    } else if negative {
        ExpiresFault::Negative
    } else {
        match digits.parse() {
            Ok(seconds) if seconds <= MAX_EXPIRES_SECONDS => return Ok(seconds),
            _ => ExpiresFault::TooLarge,
        }
    };
    Err(SigError::MalformedExpires(fault))
}
