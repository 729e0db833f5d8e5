//! What can be wrong with a request's authentication, and AWS's code for it in each protocol family.

mod message;
mod payload;

use http::header::HeaderName;
use time::OffsetDateTime;

pub use payload::PayloadError;

use super::Family;
use super::percent::EscapeFault;

/// Where an authentication was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthForm {
    /// In the `Authorization` header. IAM's `s3:authType` is `REST-HEADER`.
    Header,
    /// In the query string: a presigned URL. IAM's `s3:authType` is `REST-QUERY-STRING`.
    Query,
}

/// Why a request is not authenticated.
///
/// [`code`](Self::code) and [`message`](Self::message) are what the caller sees, in AWS's words;
/// [`Display`](std::fmt::Display) is for our own log, and holds nothing that the caller wrote.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigError {
    /// No authentication, or one of a scheme that is not AWS's.
    #[error("no authentication")]
    MissingAuthentication,
    /// An `Authorization` header and a presigned query at once.
    #[error("two forms of authentication")]
    BothForms,
    /// A header that may come once came twice, or beside its query parameter.
    #[error("a header that may come once was repeated")]
    DuplicateHeader {
        /// The header.
        name: HeaderName,
    },
    /// Two `Host` headers, or one that contradicts the request target.
    #[error("the host is ambiguous")]
    AmbiguousHost,
    /// Something is longer than we read.
    #[error("the {what} is too long")]
    TooLarge {
        /// What is too long.
        what: &'static str,
    },
    /// S3: SigV2, outside of a presigned URL or with what it does not cover.
    #[error("signature version 2")]
    LegacySignature,
    /// The `Authorization` header does not have the three components.
    #[error("the authorization header is malformed")]
    MalformedAuthorization {
        /// What is wrong with it.
        fault: HeaderFault,
        /// The digest of the header: AWS's messages show no more of it.
        sha256: Box<[u8; 32]>,
    },
    /// An algorithm other than `AWS4-HMAC-SHA256`.
    #[error("unsupported algorithm")]
    UnsupportedAlgorithm {
        /// Where it was named.
        form: AuthForm,
        /// Its name.
        algorithm: Box<str>,
    },
    /// A parameter that is repeated or not text.
    #[error("a parameter is repeated or not text")]
    Nonconforming {
        /// Where it was found.
        form: AuthForm,
    },
    /// A presigned query lacks parameters.
    #[error("the presigned query is incomplete")]
    MissingQueryParameters(QueryFault),
    /// `X-Amz-Expires` is not a number of seconds up to a week.
    #[error("the expiry is malformed")]
    MalformedExpires(ExpiresFault),
    /// A broken escape in the query string.
    #[error("the query string has a broken escape")]
    MalformedQuery {
        /// The two bytes that should have been digits; none if the text ended first.
        not_hex: Option<[u8; 2]>,
    },
    /// The credential does not have five elements.
    #[error("the credential is malformed")]
    MalformedCredential {
        /// Where it was found.
        form: AuthForm,
        /// The credential as sent.
        credential: Box<str>,
    },
    /// S3: the scope's date is not `YYYYMMDD`.
    #[error("the date of the scope is malformed")]
    MalformedScopeDate {
        /// Where it was found.
        form: AuthForm,
        /// The date as sent.
        date: Box<str>,
    },
    /// The date of the request cannot be read.
    #[error("the date is malformed")]
    MalformedDate {
        /// Where it was found.
        form: AuthForm,
        /// The date as sent.
        date: Box<str>,
    },
    /// The list of signed headers is not sorted, not in lower case, or names a header twice.
    #[error("the list of signed headers is malformed")]
    MalformedSignedHeaders,
    /// Headers that have to be signed are not.
    #[error("headers that must be signed are not")]
    HeadersNotSigned {
        /// Where the list was found.
        form: AuthForm,
        /// Their names, sorted.
        names: Vec<String>,
    },
    /// S3: header authentication without `x-amz-content-sha256`.
    #[error("the content hash is missing")]
    MissingContentSha256,
    /// S3: `x-amz-content-sha256` is neither a hash nor one of the words for something else.
    #[error("the content hash is malformed")]
    InvalidContentSha256 {
        /// The value as sent.
        value: Box<str>,
    },
    /// S3: chunks signed with SigV4A.
    #[error("chunks signed with sigv4a")]
    UnsupportedStreaming,
    /// S3: a streamed body for an operation that takes no object.
    #[error("a streamed body for an operation without one")]
    StreamingNotAllowed,
    /// The date is more than 15 minutes from ours.
    #[error("the date is too far from ours")]
    TimeSkewed {
        /// The date of the request.
        request_time: OffsetDateTime,
        /// Ours.
        now: OffsetDateTime,
    },
    /// S3: a presigned URL from the future.
    #[error("the presigned url is not yet valid")]
    PresignedNotYetValid {
        /// When it begins.
        begins: OffsetDateTime,
        /// When it expires.
        expires: OffsetDateTime,
        /// Our time.
        now: OffsetDateTime,
    },
    /// S3: a presigned URL past its expiry.
    #[error("the presigned url has expired")]
    PresignedExpired {
        /// `X-Amz-Expires`.
        expires_seconds: Option<u32>,
        /// When it expired.
        expires: OffsetDateTime,
        /// Our time.
        now: OffsetDateTime,
    },
    /// The scope is not that of the service, region and day that handle the request.
    #[error("the credential scope is wrong")]
    WrongScope(Box<ScopeFault>),
    /// There is no such access key; or it is not active; or it is a session's and came without its token.
    #[error("unknown access key")]
    UnknownAccessKey {
        /// The access key id as sent.
        access_key_id: Box<str>,
    },
    /// The session token is not one of ours, or not of this access key.
    #[error("invalid session token")]
    InvalidToken,
    /// The session is over.
    #[error("expired session token")]
    ExpiredToken,
    /// The signature is not the one of this request.
    #[error("the signature does not match")]
    Mismatch(Box<Mismatch>),
    /// A body was verified in the wrong way for its service: a mistake of ours, which lets nobody in.
    #[error("the body was given in the wrong way for its service")]
    WrongBody,
    /// S3: the headers that describe the body are wrong.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

/// What is wrong with an `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderFault {
    /// S3: there is no space after the algorithm, or the header is there twice.
    NoSpace,
    /// It is not ASCII text.
    NotText,
    /// S3: it does not have three components.
    WrongCount,
    /// A component has no `=` (S3: not exactly one).
    NotKeyValue {
        /// S3: the component as sent, which its message repeats. The others show a digest of the header.
        component: Option<Box<str>>,
    },
    /// A component is repeated or unknown.
    Nonconforming,
    /// Components are missing, or the date that goes with them.
    Missing {
        /// `Credential`.
        credential: bool,
        /// `Signature`.
        signature: bool,
        /// `SignedHeaders`.
        signed_headers: bool,
        /// Neither `X-Amz-Date` nor `Date`.
        date: bool,
    },
}

impl HeaderFault {
    pub(super) fn no_date() -> Self {
        Self::Missing { credential: false, signature: false, signed_headers: false, date: true }
    }
}

/// The parameters that a presigned query lacks. All `false` if it is only S3's `X-Amz-Expires`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryFault {
    /// `X-Amz-Algorithm`.
    pub algorithm: bool,
    /// `X-Amz-Credential`.
    pub credential: bool,
    /// `X-Amz-Signature`.
    pub signature: bool,
    /// `X-Amz-SignedHeaders`.
    pub signed_headers: bool,
    /// `X-Amz-Date`.
    pub date: bool,
}

/// What is wrong with `X-Amz-Expires`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiresFault {
    /// Not a decimal integer.
    NotANumber,
    /// Below zero.
    Negative,
    /// Over a week.
    TooLarge,
}

/// A scope beside the one that was expected. What is `None` was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeFault {
    /// Where it was found.
    pub form: AuthForm,
    /// The region as sent.
    pub region: Option<String>,
    /// The service as sent.
    pub service: Option<String>,
    /// The terminator as sent.
    pub terminator: Option<String>,
    /// The day as sent.
    pub date: Option<String>,
    /// The region to use.
    pub expected_region: String,
    /// The service that handles the request.
    pub expected_service: String,
    /// The request's date, of which the scope has to have the day.
    pub request_time: String,
}

/// What was compared when a signature did not match.
///
/// S3 shows it to the caller, who sent every byte of it; nothing in it depends on the secret. The
/// canonical request stays out where it holds a session token, which AWS shows and people then paste into
/// bug reports, and where it is longer than 16 KiB.
#[derive(Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The access key id as sent.
    pub access_key_id: String,
    /// The string to sign.
    pub string_to_sign: String,
    /// The signature as sent.
    pub signature_provided: String,
    /// The canonical request.
    pub canonical_request: Option<String>,
}

/// Prints the key id alone: a canonical request may hold a customer's encryption key.
impl std::fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mismatch").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// The kinds that the services other than S3 tell apart.
#[derive(Clone, Copy)]
enum Kind {
    Missing,
    Incomplete,
    Mismatch,
    Identity,
    Expired,
    Query,
    Fault,
}

impl SigError {
    pub(super) fn malformed_query(fault: EscapeFault) -> Self {
        let not_hex = match fault {
            EscapeFault::Incomplete => None,
            EscapeFault::NotHex(bytes) => Some(bytes),
        };
        Self::MalformedQuery { not_hex }
    }

    /// AWS's error code and HTTP status.
    ///
    /// | | IAM, STS | EC2 | JSON | REST-JSON |
    /// |---|---|---|---|---|
    /// | no authentication | `MissingAuthenticationToken` 403 | `MissingParameter` 400 | `MissingAuthenticationTokenException` 400 | the same, 403 |
    /// | malformed | `IncompleteSignature` 400 | `IncompleteSignature` 400 | `IncompleteSignatureException` 400 | the same, 403 |
    /// | wrong signature, scope, date | `SignatureDoesNotMatch` 403 | `AuthFailure` 401 | `InvalidSignatureException` 400 | the same, 403 |
    /// | unknown key, bad token | `InvalidClientTokenId` 403 | `AuthFailure` 401 | `UnrecognizedClientException` 400 | the same, 403 |
    /// | expired token | `ExpiredToken` 403 | `RequestExpired` 400 | `ExpiredTokenException` 400 | the same, 403 |
    ///
    /// S3 has a code for each fault of its own.
    ///
    /// Sources: *Common errors* of IAM and STS, *Error codes for the Amazon EC2 API*, *Error responses* of S3; and
    /// answers on record: hashicorp/terraform-provider-aws#1102 and aws/aws-sdk-java#519 (EC2: `AuthFailure` 401 for
    /// wrong keys and for a wrong clock), aws/aws-sdk-go-v2#1674 (EC2: `RequestExpired` 400 for an expired token),
    /// test-kitchen/kitchen-ec2#440 (EC2: `MissingParameter`), aws/aws-sdk-js#254 and mhart/dynalite
    /// (JSON: 400), iann0036/iamlive#58 and aws-amplify/amplify-flutter#1539 (REST-JSON: 403),
    /// versity/versitygw's `s3err` and justincormack/argmin's `s3-tests`, both checked against S3.
    #[must_use]
    pub fn code(&self, family: Family) -> (&'static str, u16) {
        match family {
            Family::S3 => self.s3_code(),
            Family::Query => match self.kind() {
                Kind::Missing => ("MissingAuthenticationToken", 403),
                Kind::Incomplete => ("IncompleteSignature", 400),
                Kind::Mismatch => ("SignatureDoesNotMatch", 403),
                Kind::Identity => ("InvalidClientTokenId", 403),
                Kind::Expired => ("ExpiredToken", 403),
                Kind::Query => ("MalformedQueryString", 404),
                Kind::Fault => ("InternalFailure", 500),
            },
            Family::Ec2 => match self.kind() {
                Kind::Missing => ("MissingParameter", 400),
                Kind::Incomplete => ("IncompleteSignature", 400),
                Kind::Mismatch | Kind::Identity => ("AuthFailure", 401),
                Kind::Expired => ("RequestExpired", 400),
                Kind::Query => ("MalformedQueryString", 400),
                Kind::Fault => ("InternalError", 500),
            },
            Family::Json | Family::RestJson => {
                let status = if family == Family::Json { 400 } else { 403 };
                match self.kind() {
                    Kind::Missing => ("MissingAuthenticationTokenException", status),
                    Kind::Incomplete => ("IncompleteSignatureException", status),
                    Kind::Mismatch => ("InvalidSignatureException", status),
                    Kind::Identity => ("UnrecognizedClientException", status),
                    Kind::Expired => ("ExpiredTokenException", status),
                    Kind::Query => ("MalformedHttpRequestException", 400),
                    Kind::Fault => ("InternalFailure", 500),
                }
            }
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::MissingAuthentication => Kind::Missing,
            Self::DuplicateHeader { .. }
            | Self::TooLarge { .. }
            | Self::LegacySignature
            | Self::MalformedAuthorization { .. }
            | Self::UnsupportedAlgorithm { .. }
            | Self::Nonconforming { .. }
            | Self::MissingQueryParameters(_)
            | Self::MalformedExpires(_)
            | Self::MalformedCredential { .. }
            | Self::MalformedScopeDate { .. }
            | Self::MalformedDate { .. }
            | Self::MissingContentSha256
            | Self::InvalidContentSha256 { .. }
            | Self::UnsupportedStreaming
            | Self::StreamingNotAllowed
            | Self::Payload(_) => Kind::Incomplete,
            Self::BothForms
            | Self::AmbiguousHost
            | Self::MalformedSignedHeaders
            | Self::HeadersNotSigned { .. }
            | Self::TimeSkewed { .. }
            | Self::PresignedNotYetValid { .. }
            | Self::PresignedExpired { .. }
            | Self::WrongScope(_)
            | Self::Mismatch(_) => Kind::Mismatch,
            Self::UnknownAccessKey { .. } | Self::InvalidToken => Kind::Identity,
            Self::ExpiredToken => Kind::Expired,
            Self::MalformedQuery { .. } => Kind::Query,
            Self::WrongBody => Kind::Fault,
        }
    }

    fn s3_code(&self) -> (&'static str, u16) {
        match self {
            Self::MissingAuthentication
            | Self::HeadersNotSigned { .. }
            | Self::MalformedDate { form: AuthForm::Header, .. }
            | Self::MalformedAuthorization { fault: HeaderFault::Missing { date: true, .. }, .. }
            | Self::PresignedNotYetValid { .. }
            | Self::PresignedExpired { .. } => ("AccessDenied", 403),
            Self::BothForms
            | Self::UnsupportedAlgorithm { form: AuthForm::Header, .. }
            | Self::MalformedAuthorization { fault: HeaderFault::NoSpace, .. }
            | Self::InvalidContentSha256 { .. } => ("InvalidArgument", 400),
            Self::DuplicateHeader { .. }
            | Self::AmbiguousHost
            | Self::LegacySignature
            | Self::MissingContentSha256
            | Self::StreamingNotAllowed => ("InvalidRequest", 400),
            Self::TooLarge { .. } => ("RequestHeaderSectionTooLarge", 400),
            Self::MalformedAuthorization { .. }
            | Self::Nonconforming { form: AuthForm::Header }
            | Self::MalformedCredential { form: AuthForm::Header, .. }
            | Self::MalformedScopeDate { form: AuthForm::Header, .. } => {
                ("AuthorizationHeaderMalformed", 400)
            }
            Self::UnsupportedAlgorithm { form: AuthForm::Query, .. }
            | Self::Nonconforming { form: AuthForm::Query }
            | Self::MissingQueryParameters(_)
            | Self::MalformedExpires(_)
            | Self::MalformedCredential { form: AuthForm::Query, .. }
            | Self::MalformedScopeDate { form: AuthForm::Query, .. }
            | Self::MalformedDate { form: AuthForm::Query, .. } => ("AuthorizationQueryParametersError", 400),
            Self::WrongScope(fault) => match fault.form {
                AuthForm::Header => ("AuthorizationHeaderMalformed", 400),
                AuthForm::Query => ("AuthorizationQueryParametersError", 400),
            },
            Self::MalformedQuery { .. } => ("InvalidURI", 400),
            Self::MalformedSignedHeaders | Self::Mismatch(_) => ("SignatureDoesNotMatch", 403),
            Self::UnsupportedStreaming => ("NotImplemented", 501),
            Self::TimeSkewed { .. } => ("RequestTimeTooSkewed", 403),
            Self::UnknownAccessKey { .. } => ("InvalidAccessKeyId", 403),
            Self::InvalidToken => ("InvalidToken", 400),
            Self::ExpiredToken => ("ExpiredToken", 400),
            Self::WrongBody => ("InternalError", 500),
            Self::Payload(error) => error.code(),
        }
    }
}
