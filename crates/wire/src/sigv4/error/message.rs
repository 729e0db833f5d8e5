//! AWS's words for each fault, and the elements that S3 adds to them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use super::{AuthForm, ExpiresFault, HeaderFault, Mismatch, QueryFault, ScopeFault, SigError};
use crate::sigv4::percent::push_hex;
use crate::sigv4::timestamp::{basic, extended, shifted};
use crate::sigv4::{Family, MAX_SKEW_SECONDS};

const NONCONFORMING: &str = "The request signature does not conform to AWS standards.";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. \
     Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const S3_MISMATCH: &str = "The request signature we calculated does not match the signature you provided. \
     Check your key and signing method.";
const S3_NO_DATE: &str = "AWS authentication requires a valid Date or x-amz-date header";
const S3_QUERY_PARAMETERS: &str = "Query-string authentication version 4 requires the X-Amz-Algorithm, \
     X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
const S3_COMPONENTS: &str = "the authorization header requires three components: \
     Credential, SignedHeaders, and Signature.";
const S3_CONTENT_SHA256: &str = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, \
     STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
     STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, \
     STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";

impl SigError {
    /// The message beside the code. It may repeat what the caller wrote, never a token or a whole
    /// `Authorization` header: the protocol that carries it escapes it.
    ///
    /// Sources: as for [`code`](Self::code). The order and the texts of the services other than S3 are those that
    /// mhart/dynalite and kinesalite recorded from AWS; the digests in place of the header are of its answers
    /// since 2023.
    #[must_use]
    pub fn message(&self, family: Family) -> Cow<'static, str> {
        match family {
            Family::S3 => self.s3_message(),
            Family::Ec2 => self.ec2_message(),
            Family::Query | Family::Json | Family::RestJson => self.coral_message(family),
        }
    }

    fn ec2_message(&self) -> Cow<'static, str> {
        match self.code(Family::Ec2).0 {
            "AuthFailure" => "AWS was not able to validate the provided access credentials".into(),
            "MissingParameter" => "The request must contain the parameter AWSAccessKeyId".into(),
            "RequestExpired" => "Request has expired.".into(),
            _ => self.coral_message(Family::Query),
        }
    }

    fn coral_message(&self, family: Family) -> Cow<'static, str> {
        match self {
            Self::MissingAuthentication if family == Family::RestJson => {
                "Missing Authentication Token".into()
            }
            Self::MissingAuthentication => "Request is missing Authentication Token".into(),
            Self::BothForms => {
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
                    .into()
            }
            Self::MalformedAuthorization { fault, sha256 } => coral_header(fault, sha256),
            Self::UnsupportedAlgorithm { algorithm, .. } => {
                format!("Unsupported AWS 'algorithm': '{algorithm}'.").into()
            }
            Self::MissingQueryParameters(fault) => coral_query(*fault).into(),
            Self::MalformedQuery { not_hex: None } => "Incomplete trailing escape % sequence".into(),
            Self::MalformedQuery { not_hex: Some(pair) } => {
                let pair = String::from_utf8_lossy(pair).into_owned();
                format!("Illegal hex character in escape % pattern: %{pair}").into()
            }
            Self::MalformedCredential { credential, .. } => format!(
                "Credential must have exactly 5 slash-delimited elements, \
                 e.g. keyid/date/region/service/term, got '{credential}'"
            )
            .into(),
            Self::MalformedDate { date, .. } => format!(
                "Date must be in ISO-8601 'basic format'. Got '{date}'. \
                 See http://en.wikipedia.org/wiki/ISO_8601"
            )
            .into(),
            Self::HeadersNotSigned { names, .. } => coral_not_signed(names).into(),
            Self::TimeSkewed { request_time, now } => coral_skew(*request_time, *now).into(),
            Self::WrongScope(fault) => coral_scope(fault).into(),
            Self::UnknownAccessKey { .. } => "The security token included in the request is invalid.".into(),
            Self::InvalidToken => "The security token included in the request is invalid".into(),
            Self::ExpiredToken => "The security token included in the request is expired".into(),
            Self::AmbiguousHost | Self::MalformedSignedHeaders | Self::Mismatch(_) => MISMATCH.into(),
            Self::WrongBody => {
                "The request processing has failed because of an unknown error, exception or failure.".into()
            }
            _ => NONCONFORMING.into(),
        }
    }

    fn s3_message(&self) -> Cow<'static, str> {
        match self {
            Self::MissingAuthentication => "Access Denied".into(),
            Self::BothForms => "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, \
                 Signature query string parameter or the Authorization header should be specified"
                .into(),
            Self::TooLarge { .. } => "Your request header section exceeds the maximum allowed size.".into(),
            Self::LegacySignature => "The authorization mechanism you have provided is not supported. \
                 Please use AWS4-HMAC-SHA256."
                .into(),
            Self::MalformedAuthorization { fault: HeaderFault::NoSpace, .. } => {
                "Authorization header is invalid -- one and only one ' ' (space) required.".into()
            }
            Self::MalformedAuthorization { fault: HeaderFault::Missing { date: true, .. }, .. }
            | Self::MalformedDate { form: AuthForm::Header, .. } => S3_NO_DATE.into(),
            Self::UnsupportedAlgorithm { form: AuthForm::Header, .. } => {
                "Unsupported Authorization Type".into()
            }
            Self::UnsupportedAlgorithm { form: AuthForm::Query, .. } => {
                "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"".into()
            }
            Self::MissingQueryParameters(_) | Self::Nonconforming { form: AuthForm::Query } => {
                S3_QUERY_PARAMETERS.into()
            }
            Self::MalformedExpires(fault) => s3_expires(*fault).into(),
            Self::MalformedQuery { .. } => "Couldn't parse the specified URI.".into(),
            Self::MalformedDate { form: AuthForm::Query, .. } => {
                "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"".into()
            }
            Self::HeadersNotSigned { .. } => {
                "There were headers present in the request which were not signed".into()
            }
            Self::MissingContentSha256 => {
                "Missing required header for this request: x-amz-content-sha256".into()
            }
            Self::InvalidContentSha256 { .. } => S3_CONTENT_SHA256.into(),
            Self::UnsupportedStreaming => {
                "A header you provided implies functionality that is not implemented".into()
            }
            Self::StreamingNotAllowed => "The value of x-amz-content-sha256 header is invalid.".into(),
            Self::TimeSkewed { .. } => {
                "The difference between the request time and the current time is too large.".into()
            }
            Self::PresignedNotYetValid { .. } => "Request is not yet valid".into(),
            Self::PresignedExpired { .. } => "Request has expired".into(),
            Self::UnknownAccessKey { .. } => {
                "The AWS Access Key Id you provided does not exist in our records.".into()
            }
            Self::InvalidToken => "The provided token is malformed or otherwise invalid.".into(),
            Self::ExpiredToken => "The provided token has expired.".into(),
            Self::MalformedSignedHeaders | Self::Mismatch(_) => S3_MISMATCH.into(),
            Self::DuplicateHeader { .. } | Self::AmbiguousHost => "Invalid Request".into(),
            Self::WrongBody => "We encountered an internal error. Please try again.".into(),
            Self::Payload(error) => error.message(),
            Self::MalformedAuthorization { .. }
            | Self::Nonconforming { form: AuthForm::Header }
            | Self::MalformedCredential { .. }
            | Self::MalformedScopeDate { .. }
            | Self::WrongScope(_) => self.s3_malformed().into(),
        }
    }

    /// The faults that S3 words alike for the header and for the credential of a presigned URL.
    fn s3_malformed(&self) -> String {
        let (form, what) = match self {
            Self::MalformedAuthorization { fault, .. } => (AuthForm::Header, s3_header(fault)),
            Self::MalformedCredential { form, .. } => (
                *form,
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
                    .into(),
            ),
            Self::MalformedScopeDate { form, date } => (
                *form,
                format!(
                    "incorrect date format \"{date}\". \
                     This date in the credential must be in the format \"yyyyMMdd\"."
                ),
            ),
            Self::WrongScope(fault) => match s3_scope(fault) {
                (what, false) if fault.form == AuthForm::Query => return what,
                (what, _) => (fault.form, what),
            },
            _ => (AuthForm::Header, S3_COMPONENTS.into()),
        };
        match form {
            AuthForm::Header => format!("The authorization header is malformed; {what}"),
            AuthForm::Query => format!("Error parsing the X-Amz-Credential parameter; {what}"),
        }
    }

    /// The elements that S3 puts beside `Code` and `Message` in its answer. The other services have none.
    #[must_use]
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::BothForms | Self::MalformedAuthorization { fault: HeaderFault::NoSpace, .. } => {
                vec![("ArgumentName", "Authorization".into())]
            }
            Self::UnsupportedAlgorithm { form: AuthForm::Header, algorithm } => {
                vec![("ArgumentName", "Authorization".into()), ("ArgumentValue", algorithm.to_string())]
            }
            Self::InvalidContentSha256 { value } => {
                vec![("ArgumentName", "x-amz-content-sha256".into()), ("ArgumentValue", value.to_string())]
            }
            Self::HeadersNotSigned { names, .. } => vec![("HeadersNotSigned", names.join(", "))],
            Self::TimeSkewed { request_time, now } => vec![
                ("RequestTime", basic(*request_time)),
                ("ServerTime", extended(*now)),
                ("MaxAllowedSkewMilliseconds", (MAX_SKEW_SECONDS * 1000).to_string()),
            ],
            Self::PresignedNotYetValid { begins, expires, now } => vec![
                ("X-Amz-Date", (begins.unix_timestamp() * 1000).to_string()),
                ("Expires", extended(*expires)),
                ("ServerTime", extended(*now)),
            ],
            Self::PresignedExpired { expires_seconds, expires, now } => expires_seconds
                .map(|seconds| ("X-Amz-Expires", seconds.to_string()))
                .into_iter()
                .chain([("Expires", extended(*expires)), ("ServerTime", extended(*now))])
                .collect(),
            Self::WrongScope(fault)
                if fault.region.is_some() && fault.service.is_none() && fault.terminator.is_none() =>
            {
                vec![("Region", fault.expected_region.clone())]
            }
            Self::UnknownAccessKey { access_key_id } => vec![("AWSAccessKeyId", access_key_id.to_string())],
            Self::Mismatch(mismatch) => mismatch.details(),
            Self::Payload(error) => error.details(),
            _ => Vec::new(),
        }
    }
}

impl Mismatch {
    pub(super) fn details(&self) -> Vec<(&'static str, String)> {
        let mut details = vec![
            ("AWSAccessKeyId", self.access_key_id.clone()),
            ("StringToSign", self.string_to_sign.clone()),
            ("SignatureProvided", self.signature_provided.clone()),
            ("StringToSignBytes", spaced_hex(&self.string_to_sign)),
        ];
        if let Some(request) = &self.canonical_request {
            details.push(("CanonicalRequest", request.clone()));
            details.push(("CanonicalRequestBytes", spaced_hex(request)));
        }
        details
    }
}

/// Bytes as S3 prints them: `41 57 53`.
fn spaced_hex(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if !out.is_empty() {
            out.push(b' ');
        }
        push_hex(&mut out, &[byte]);
    }
    String::from_utf8(out).unwrap_or_default()
}

fn coral_header(fault: &HeaderFault, sha256: &[u8; 32]) -> Cow<'static, str> {
    let digest = STANDARD.encode(sha256);
    match fault {
        HeaderFault::NotKeyValue { .. } => format!(
            "Invalid key=value pair (missing equal-sign) in Authorization header \
             (hashed with SHA-256 and encoded with Base64): '{digest}'."
        )
        .into(),
        HeaderFault::Missing { credential, signature, signed_headers, date } => {
            let mut message = String::new();
            for (missing, name) in
                [(credential, "Credential"), (signature, "Signature"), (signed_headers, "SignedHeaders")]
            {
                if *missing {
                    message.push_str(&format!("Authorization header requires '{name}' parameter. "));
                }
            }
            if *date {
                message.push_str(
                    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
                );
            }
            message
                .push_str(&format!("(Hashed with SHA-256 and encoded with Base64) Authorization={digest}"));
            message.into()
        }
        HeaderFault::NoSpace
        | HeaderFault::NotText
        | HeaderFault::WrongCount
        | HeaderFault::Nonconforming => NONCONFORMING.into(),
    }
}

fn coral_query(fault: QueryFault) -> String {
    let mut message = String::new();
    for (missing, name) in [
        (fault.algorithm, "X-Amz-Algorithm"),
        (fault.credential, "X-Amz-Credential"),
        (fault.signature, "X-Amz-Signature"),
        (fault.signed_headers, "X-Amz-SignedHeaders"),
        (fault.date, "X-Amz-Date"),
    ] {
        if missing {
            message.push_str(&format!("AWS query-string parameters must include '{name}'. "));
        }
    }
    message + "Re-examine the query-string parameters."
}

/// AWS's sentence for `host` is on record; the one for other headers follows its pattern.
fn coral_not_signed(names: &[String]) -> String {
    match names.iter().find(|name| *name != "host") {
        Some(name) if !names.iter().any(|name| name == "host") => {
            format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")
        }
        _ => "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".into(),
    }
}

fn coral_skew(request: OffsetDateTime, now: OffsetDateTime) -> String {
    let (request_text, now_text) = (basic(request), basic(now));
    if request < now {
        let limit = basic(shifted(now, -MAX_SKEW_SECONDS));
        format!("Signature expired: {request_text} is now earlier than {limit} ({now_text} - 15 min.)")
    } else {
        let limit = basic(shifted(now, MAX_SKEW_SECONDS));
        format!(
            "Signature not yet current: {request_text} is still later than {limit} ({now_text} + 15 min.)"
        )
    }
}

fn coral_scope(fault: &ScopeFault) -> String {
    let mut message = String::new();
    if let Some(region) = &fault.region {
        message.push_str(&format!("Credential should be scoped to a valid region, not '{region}'. "));
    }
    if fault.service.is_some() {
        let service = &fault.expected_service;
        message.push_str(&format!("Credential should be scoped to correct service: '{service}'. "));
    }
    if let Some(terminator) = &fault.terminator {
        message.push_str(&format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "
        ));
    }
    if let Some(date) = &fault.date {
        let (day, time) = (fault.expected_day(), &fault.request_time);
        message.push_str(&format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '{date}' != '{day}', from '{time}'."
        ));
    }
    message
}

impl ScopeFault {
    fn expected_day(&self) -> &str {
        self.request_time.split_once('T').map_or("", |(day, _)| day)
    }
}

fn s3_header(fault: &HeaderFault) -> String {
    match fault {
        HeaderFault::NotKeyValue { component } => {
            let component = component.as_deref().unwrap_or_default();
            format!("the authorization component \"{component}\" is malformed.")
        }
        HeaderFault::Missing { credential: true, .. } => "missing Credential.".into(),
        HeaderFault::Missing { signed_headers: true, .. } => "missing SignedHeaders.".into(),
        HeaderFault::Missing { .. } => "missing Signature.".into(),
        HeaderFault::NoSpace
        | HeaderFault::NotText
        | HeaderFault::WrongCount
        | HeaderFault::Nonconforming => S3_COMPONENTS.into(),
    }
}

/// S3 names one fault of a scope; and whether its sentence has a prefix in the query form.
fn s3_scope(fault: &ScopeFault) -> (String, bool) {
    match fault {
        ScopeFault { service: Some(service), expected_service, .. } => (
            format!("incorrect service \"{service}\". This endpoint belongs to \"{expected_service}\"."),
            true,
        ),
        ScopeFault { terminator: Some(terminator), .. } => {
            (format!("incorrect terminal \"{terminator}\". This endpoint uses \"aws4_request\"."), true)
        }
        ScopeFault { region: Some(region), expected_region, .. } => {
            (format!("the region '{region}' is wrong; expecting '{expected_region}'"), true)
        }
        ScopeFault { date, .. } => {
            let (date, day) = (date.as_deref().unwrap_or_default(), fault.expected_day());
            (
                format!(
                    "Invalid credential date \"{date}\". This date is not the same as X-Amz-Date: \"{day}\"."
                ),
                false,
            )
        }
    }
}

fn s3_expires(fault: ExpiresFault) -> &'static str {
    match fault {
        ExpiresFault::NotANumber => "X-Amz-Expires should be a number",
        ExpiresFault::Negative => "X-Amz-Expires must be non-negative",
        ExpiresFault::TooLarge => {
            "X-Amz-Expires must be less than a week (in seconds); \
             that is, the given X-Amz-Expires must be less than 604800 seconds"
        }
    }
}
