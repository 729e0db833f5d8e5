//! The headers that a signature lists, and the ones that it has to.

use std::borrow::Cow;

use super::request::{RequestHead, names};
use super::{AuthForm, Family, MAX_SIGNED_HEADERS, SigError};

/// A list of header names as a signature gives it: lower case, sorted, each once.
pub(super) struct SignedHeaders<'a>(Cow<'a, str>);

impl<'a> SignedHeaders<'a> {
    /// Reads `host;x-amz-date`. An empty list is a list, which then lacks `host`.
    ///
    /// Signers have to sort the names and write them in lower case; a list that is not so was not signed as it
    /// stands by anything that follows the specification.
    pub(super) fn parse(list: Cow<'a, str>) -> Result<Self, SigError> {
        if list.split(';').nth(MAX_SIGNED_HEADERS).is_some() {
            return Err(SigError::TooLarge { what: "list of signed headers" });
        }
        let mut previous = "";
        for name in list.split(';').filter(|_| !list.is_empty()) {
            let written_right =
                !name.is_empty() && !name.bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_whitespace());
            if !written_right || name <= previous {
                return Err(SigError::MalformedSignedHeaders);
            }
            previous = name;
        }
        Ok(Self(list))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(';').filter(|name| !name.is_empty())
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.iter().any(|signed| signed == name)
    }

    /// Refuses a request with a header that should have been signed and was not.
    ///
    /// `host` and whatever `x-amz-*` is present, in both forms of authentication. S3 adds `content-md5`
    /// (*CanonicalHeaders*, "Signature Calculations for the Authorization Header"; AWS's answer
    /// `HeadersNotSigned: content-md5` is on record for presigned uploads and for `DeleteObjects`). Its
    /// `x-amz-content-sha256` may stand outside the list, because its value is what the canonical request
    /// ends with. Other headers, `content-type` too, may be added freely.
    pub(super) fn check_complete(
        &self,
        head: &RequestHead<'_>,
        family: Family,
        form: AuthForm,
    ) -> Result<(), SigError> {
        let mut missing = Vec::new();
        if !self.contains("host") {
            missing.push("host".to_owned());
        }
        for name in head.headers.keys() {
            let s3 = family == Family::S3;
            let required = name.as_str().starts_with("x-amz-") && !(s3 && *name == names::CONTENT_SHA256)
                || s3 && *name == names::CONTENT_MD5;
            if required && !self.contains(name.as_str()) {
                missing.push(name.as_str().to_owned());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        Err(SigError::HeadersNotSigned { form, names: missing })
    }
}
