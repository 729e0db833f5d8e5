//! The head of a request as it came over the wire.

use std::fmt;

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};

use super::SigError;

/// A view of a request's head: what a signature covers, as it was sent.
///
/// Path and query are the bytes of the request line, neither decoded nor normalised.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, in the letter case in which it was sent.
    pub method: &'a str,
    /// The path as sent, starting with `/`.
    pub path: &'a str,
    /// What follows the first `?`, as sent.
    pub query: Option<&'a str>,
    /// The authority of the request target: HTTP/2's `:authority`, or that of an absolute-form target.
    pub authority: Option<&'a str>,
    /// The headers, with repeated ones in the order in which they came.
    pub headers: &'a HeaderMap,
}

/// Prints neither query nor headers: signatures and tokens are there.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<'a> From<&'a http::request::Parts> for RequestHead<'a> {
    fn from(parts: &'a http::request::Parts) -> Self {
        Self {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query(),
            authority: parts.uri.authority().map(http::uri::Authority::as_str),
            headers: &parts.headers,
        }
    }
}

impl<'a> RequestHead<'a> {
    /// Whether the request says in one `Host` header where it is to, and its target says nothing else (RFC 9112, section 3.2:
    /// everything else is answered with 400). Who routes by the header must not read any other request: the signature
    /// of one without it would be for the target's authority.
    #[must_use]
    pub fn is_directed(&self) -> bool {
        let header = self.headers.get(header::HOST).map(HeaderValue::to_str);
        matches!((header, self.host()), (Some(Ok(header)), Ok(host)) if header.as_bytes() == host)
    }

    /// The host that the request was sent to: its `Host` header, or the authority of its target. Never a
    /// forwarding header, which anybody can write.
    ///
    /// Two hosts, or a header that contradicts the target (RFC 9112, section 3.2.2), are refused rather than
    /// chosen from.
    pub(super) fn host(&self) -> Result<&'a [u8], SigError> {
        let header = self.single(&header::HOST)?.map(HeaderValue::as_bytes);
        match (header, self.authority) {
            (Some(host), Some(authority)) if !host.eq_ignore_ascii_case(authority.as_bytes()) => {
                Err(SigError::AmbiguousHost)
            }
            (_, Some(authority)) if authority.contains('@') => Err(SigError::AmbiguousHost),
            (Some(host), _) => Ok(host),
            (None, Some(authority)) => Ok(authority.as_bytes()),
            (None, None) => Ok(b""),
        }
    }

    /// The value of a header that may come only once.
    pub(super) fn single(&self, name: &HeaderName) -> Result<Option<&'a HeaderValue>, SigError> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next();
        match values.next() {
            Some(_) if *name == header::HOST => Err(SigError::AmbiguousHost),
            // Two tokens are no token.
            Some(_) if *name == names::TOKEN => Err(SigError::InvalidToken),
            Some(_) => Err(SigError::DuplicateHeader { name: name.clone() }),
            None => Ok(first),
        }
    }
}

/// Names of the headers that this module reads.
pub(super) mod names {
    use http::header::HeaderName;

    pub(in crate::sigv4) const DATE: HeaderName = HeaderName::from_static("x-amz-date");
    pub(in crate::sigv4) const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
    pub(in crate::sigv4) const REGION_SET: HeaderName = HeaderName::from_static("x-amz-region-set");
    pub(in crate::sigv4) const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
    pub(in crate::sigv4) const DECODED_LENGTH: HeaderName =
        HeaderName::from_static("x-amz-decoded-content-length");
    pub(in crate::sigv4) const TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");
    pub(in crate::sigv4) const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
    pub(in crate::sigv4) const SDK_ALGORITHM: HeaderName =
        HeaderName::from_static("x-amz-sdk-checksum-algorithm");
}
