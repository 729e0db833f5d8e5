//! The `Authorization` header.
//! Source: *Create a signed AWS API request*, "Add the signature to the request".

use std::borrow::Cow;

use aws_lc_rs::digest;
use http::header::HeaderValue;

use super::algorithm::Algorithm;
use super::{AuthForm, Family, HeaderFault, MAX_AUTHORIZATION_LENGTH, SigError};

/// The parts of an authentication, whichever way it came.
pub(super) struct Components<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) credential: Cow<'a, str>,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
}

/// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`: each component once, none other, in any
/// order, with or without spaces after the commas.
pub(super) fn parse(
    header: &HeaderValue,
    family: Family,
    has_date: bool,
) -> Result<Components<'_>, SigError> {
    if header.len() > MAX_AUTHORIZATION_LENGTH {
        return Err(SigError::TooLarge { what: "authorization header" });
    }
    let fault = |fault| malformed(header, fault);
    let text = header.to_str().map_err(|_| fault(HeaderFault::NotText))?.trim();
    let (algorithm, rest) = match text.split_once(' ') {
        Some(parts) => parts,
        None if family == Family::S3 && !text.is_empty() => return Err(fault(HeaderFault::NoSpace)),
        None => (text, ""),
    };
    let algorithm = read_algorithm(algorithm, family)?;
    let [credential, signed_headers, signature] = match family {
        Family::S3 => s3_components(rest).map_err(fault)?,
        _ => components(rest, has_date).map_err(fault)?,
    };
    Ok(Components {
        algorithm,
        credential: credential.into(),
        signed_headers: signed_headers.into(),
        signature: signature.into(),
    })
}

/// The refusal of a header that could not be read. It carries the header's digest, which is all that AWS shows
/// of it.
pub(super) fn malformed(header: &HeaderValue, fault: HeaderFault) -> SigError {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest::digest(&digest::SHA256, header.as_bytes()).as_ref());
    SigError::MalformedAuthorization { fault, sha256: Box::new(sha256) }
}

/// DynamoDB and STS take what does not begin with `AWS4-` for no authentication at all; S3 names what it is.
fn read_algorithm(algorithm: &str, family: Family) -> Result<Algorithm, SigError> {
    if let Some(known) = Algorithm::named(algorithm, family) {
        return Ok(known);
    }
    match (algorithm, family) {
        ("", _) => Err(SigError::MissingAuthentication),
        ("AWS", Family::S3) => Err(SigError::LegacySignature),
        (_, Family::S3) => Err(unsupported(algorithm)),
        _ if algorithm.starts_with("AWS4-") => Err(unsupported(algorithm)),
        _ => Err(SigError::MissingAuthentication),
    }
}

fn unsupported(algorithm: &str) -> SigError {
    SigError::UnsupportedAlgorithm { form: AuthForm::Header, algorithm: algorithm.into() }
}

/// The grammar of every service but S3, with AWS's own distinctions between the ways of being incomplete.
fn components(text: &str, has_date: bool) -> Result<[&str; 3], HeaderFault> {
    let mut found = [None; 3];
    let mut nonconforming = false;
    for component in text.split(',').filter(|_| !text.is_empty()) {
        let component = component.trim();
        let Some((name, value)) = component.split_once('=') else {
            return Err(HeaderFault::NotKeyValue { component: None });
        };
        match slot(name, &mut found) {
            Some(slot @ None) => *slot = Some(value),
            _ => nonconforming = true,
        }
    }
    let [credential, signed_headers, signature] = found;
    let credential = credential.filter(|value| !value.is_empty());
    let signature = signature.filter(|value| !value.is_empty());
    match (credential, signed_headers, signature) {
        _ if nonconforming => Err(HeaderFault::Nonconforming),
        (Some(credential), Some(signed_headers), Some(signature)) if has_date => {
            Ok([credential, signed_headers, signature])
        }
        _ => Err(HeaderFault::Missing {
            credential: credential.is_none(),
            signature: signature.is_none(),
            signed_headers: signed_headers.is_none(),
            date: !has_date,
        }),
    }
}

/// S3 counts the components first, then wants one `=` in each, then the names.
fn s3_components(text: &str) -> Result<[&str; 3], HeaderFault> {
    if text.split(',').count() != 3 {
        return Err(HeaderFault::WrongCount);
    }
    let mut found = [None; 3];
    for component in text.split(',') {
        let component = component.trim();
        match component.split_once('=') {
            Some((name, value)) if !value.contains('=') => {
                if let Some(slot) = slot(name, &mut found) {
                    *slot = Some(value);
                }
            }
            _ => return Err(HeaderFault::NotKeyValue { component: Some(component.into()) }),
        }
    }
    match found {
        [Some(credential), Some(signed_headers), Some(signature)] => {
            Ok([credential, signed_headers, signature])
        }
        [credential, signed_headers, signature] => Err(HeaderFault::Missing {
            credential: credential.is_none(),
            signature: signature.is_none(),
            signed_headers: signed_headers.is_none(),
            date: false,
        }),
    }
}

fn slot<'s, 'a>(name: &str, found: &'s mut [Option<&'a str>; 3]) -> Option<&'s mut Option<&'a str>> {
    let [credential, signed_headers, signature] = found;
    match name {
        "Credential" => Some(credential),
        "SignedHeaders" => Some(signed_headers),
        "Signature" => Some(signature),
        _ => None,
    }
}
