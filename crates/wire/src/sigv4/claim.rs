//! Who a request claims to be from.

use std::borrow::Cow;
use std::fmt;

use http::header::{self, HeaderValue};

use super::algorithm::{Algorithm, RegionSet};
use super::header_auth::{self, Components};
use super::percent::parse_hash;
use super::presigned_v2::{self, V2Terms};
use super::query::Query;
use super::query_auth;
use super::request::{RequestHead, names};
use super::signed_headers::SignedHeaders;
use super::timestamp::RequestTime;
use super::{
    AuthForm, Family, HeaderFault, KeyScope, MAX_ACCESS_KEY_ID_LENGTH, MAX_TOKEN_LENGTH, SigError, SigningKey,
};

/// What `x-amz-content-sha256` says where the signature does not cover the body.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// An authentication that was found in a request, complete and well formed, and **not verified**.
///
/// It names the secret to look up: access key id, session token, and the scope of the signing key. Only
/// [`Verified`](super::Verified) may be used as an identity.
pub struct Claim<'a> {
    pub(super) family: Family,
    pub(super) form: AuthForm,
    pub(super) head: RequestHead<'a>,
    pub(super) host: &'a [u8],
    pub(super) query: Query,
    pub(super) credential: Credential<'a>,
    pub(super) signature: Cow<'a, str>,
    pub(super) terms: Terms<'a>,
    pub(super) payload: PayloadMode,
    pub(super) payload_hash: Cow<'a, str>,
    token: Option<Cow<'a, str>>,
}

/// What a signature covers and for how long, by the version that it is of.
pub(super) enum Terms<'a> {
    V4(V4Terms<'a>),
    V2(V2Terms),
}

/// The terms of Signature Version 4.
pub(super) struct V4Terms<'a> {
    pub(super) signed_headers: SignedHeaders<'a>,
    pub(super) time: RequestTime,
    pub(super) expires_seconds: Option<u32>,
    /// The regions that a signature of SigV4A is for; the others have one in their scope.
    pub(super) region_set: Option<RegionSet>,
}

impl V4Terms<'_> {
    pub(super) fn algorithm(&self) -> Algorithm {
        if self.region_set.is_some() { Algorithm::Ecdsa } else { Algorithm::Hmac }
    }
}

/// What a signature says of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadMode {
    /// The hash of the whole body is in the canonical request: every service but S3.
    Whole,
    /// S3: the SHA-256 of the body is in `x-amz-content-sha256`.
    Sha256([u8; 32]),
    /// S3: `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// S3: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, and `…-TRAILER`; of SigV4A `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD`.
    SignedChunks {
        /// Whether signed trailers follow the last chunk.
        trailer: bool,
    },
    /// S3: `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
    UnsignedChunks,
}

impl<'a> Claim<'a> {
    /// Finds the authentication of a request to a service of `family`. `None` if there is none of any kind.
    ///
    /// # Errors
    /// What is half there, there twice, out of bounds, or of a kind that is not accepted. Nothing that fails here
    /// depends on a secret.
    pub fn parse(head: RequestHead<'a>, family: Family) -> Result<Option<Self>, SigError> {
        let query = Query::parse(head.query)?;
        let authorization = single_authorization(&head, family)?;
        let presigned = query_auth::is_attempted(&query);
        match authorization {
            None if !presigned && family == Family::S3 && presigned_v2::is_attempted(&query) => {
                Self::from_v2_query(head, query).map(Some)
            }
            None if !presigned => Ok(None),
            Some(_) if presigned => Err(SigError::BothForms),
            Some(authorization) => Self::from_header(head, family, query, authorization).map(Some),
            None => Self::from_query(head, family, query).map(Some),
        }
    }

    fn from_header(
        head: RequestHead<'a>,
        family: Family,
        query: Query,
        authorization: &'a HeaderValue,
    ) -> Result<Self, SigError> {
        let date = head.single(&names::DATE)?;
        let fallback = if date.is_none() { head.single(&header::DATE)? } else { None };
        let has_date = date.is_some() || fallback.is_some();
        let components = header_auth::parse(authorization, family, has_date)?;
        let text = |value: &'a HeaderValue| value.to_str().unwrap_or_default();
        let time = match (date, fallback) {
            (Some(date), _) => (text(date), RequestTime::parse_basic(text(date))),
            (None, Some(date)) => (text(date), RequestTime::parse_date_header(text(date))),
            (None, None) => return Err(header_auth::malformed(authorization, HeaderFault::no_date())),
        };
        let (_, Some(time)) = time else {
            return Err(SigError::MalformedDate { form: AuthForm::Header, date: time.0.into() });
        };
        let token = match head.single(&names::TOKEN)? {
            Some(value) => Some(Cow::Borrowed(value.to_str().map_err(|_| SigError::InvalidToken)?)),
            None => None,
        };
        let content_sha256 = match (content_sha256_header(&head)?, family) {
            (None, Family::S3) => return Err(SigError::MissingContentSha256),
            (value, _) => value,
        };
        let region_set = match head.single(&names::REGION_SET)? {
            Some(value) => Some(Cow::Borrowed(text(value))),
            None => None,
        };
        let form = AuthForm::Header;
        let found =
            Found { form, components, time, expires_seconds: None, token, content_sha256, region_set };
        Self::assemble(head, family, query, found)
    }

    fn from_query(head: RequestHead<'a>, family: Family, query: Query) -> Result<Self, SigError> {
        let form = AuthForm::Query;
        let presigned = query_auth::parse(&query, family)?;
        let time = RequestTime::parse_basic(&presigned.date)
            .ok_or_else(|| SigError::MalformedDate { form, date: presigned.date.into() })?;
        let in_header = head.single(&names::TOKEN)?;
        let token = match (query.single(query_auth::TOKEN)?, in_header) {
            (Some(token), _) => Some(token),
            (None, Some(value)) => Some(Cow::Borrowed(value.to_str().map_err(|_| SigError::InvalidToken)?)),
            (None, None) => None,
        };
        let content_sha256 = match query.single(query_auth::CONTENT_SHA256)? {
            Some(value) => Some(value),
            None => content_sha256_header(&head)?,
        };
        let (components, expires_seconds) = (presigned.components, presigned.expires_seconds);
        let region_set = query.single(query_auth::REGION_SET)?;
        let found = Found { form, components, time, expires_seconds, token, content_sha256, region_set };
        Self::assemble(head, family, query, found)
    }

    fn assemble(
        head: RequestHead<'a>,
        family: Family,
        query: Query,
        found: Found<'a>,
    ) -> Result<Self, SigError> {
        let Found { form, components, time, expires_seconds, token, content_sha256, region_set } = found;
        if token.as_ref().is_some_and(|token| token.len() > MAX_TOKEN_LENGTH) {
            // No token is that long.
            return Err(SigError::InvalidToken);
        }
        let algorithm = components.algorithm;
        let region_set = (algorithm == Algorithm::Ecdsa)
            .then(|| RegionSet::new(region_set.as_deref().unwrap_or_default()));
        let credential = Credential::parse(components.credential, family, form, algorithm)?;
        let signed_headers = SignedHeaders::parse(components.signed_headers)?;
        signed_headers.check_complete(&head, family, form)?;
        let (payload, payload_hash) = match family {
            Family::S3 => s3_payload(content_sha256, algorithm)?,
            _ => (PayloadMode::Whole, content_sha256.unwrap_or_default()),
        };
        let host = head.host()?;
        let signature = components.signature;
        let terms = Terms::V4(V4Terms { signed_headers, time, expires_seconds, region_set });
        Ok(Self {
            family,
            form,
            head,
            host,
            query,
            credential,
            signature,
            terms,
            payload,
            payload_hash,
            token,
        })
    }

    fn from_v2_query(head: RequestHead<'a>, query: Query) -> Result<Self, SigError> {
        let presigned = presigned_v2::parse(&head, &query)?;
        if presigned.token.as_ref().is_some_and(|token| token.len() > MAX_TOKEN_LENGTH) {
            return Err(SigError::InvalidToken);
        }
        Ok(Self {
            family: Family::S3,
            form: AuthForm::Query,
            head,
            host: head.host()?,
            query,
            credential: Credential::without_scope(presigned.access_key_id)?,
            signature: presigned.signature,
            terms: Terms::V2(presigned.terms),
            payload: PayloadMode::Unsigned,
            payload_hash: Cow::Borrowed(UNSIGNED_PAYLOAD),
            token: presigned.token,
        })
    }

    /// The key that verifies this claim, if `secret` is that of its access key.
    #[must_use]
    pub fn signing_key(&self, secret: &[u8]) -> SigningKey {
        match &self.terms {
            Terms::V4(terms) if terms.algorithm() == Algorithm::Ecdsa => {
                SigningKey::derive_asymmetric(secret, self.access_key_id())
            }
            Terms::V4(_) => SigningKey::derive(secret, self.date(), self.region(), self.service()),
            Terms::V2(_) => SigningKey::v2(secret),
        }
    }

    /// What the key depends on besides the secret; `None` of one that is not to be kept.
    #[must_use]
    pub fn key_scope(&self) -> Option<KeyScope> {
        let Terms::V4(terms) = &self.terms else { return None };
        let [date, region, service] = [self.date(), self.region(), self.service()].map(Box::from);
        Some(KeyScope { algorithm: terms.algorithm(), date, region, service })
    }

    /// The access key id that the request names.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credential.access_key_id()
    }

    /// The day of the scope, `YYYYMMDD`.
    #[must_use]
    pub fn date(&self) -> &str {
        self.credential.date()
    }

    /// The region of the scope; SigV4A has none there.
    #[must_use]
    pub fn region(&self) -> &str {
        self.credential.region()
    }

    /// The service of the scope. Not to route by: the service that handles the request is the one to expect.
    #[must_use]
    pub fn service(&self) -> &str {
        self.credential.service()
    }

    /// The session token, which may be empty and is whatever the sender wrote. It is signed.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Where the authentication was found.
    #[must_use]
    pub fn form(&self) -> AuthForm {
        self.form
    }

    /// What the signature says of the body.
    #[must_use]
    pub fn payload_mode(&self) -> PayloadMode {
        self.payload
    }
}

/// Prints the claim without signature and token.
impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("form", &self.form)
            .field("credential", &self.credential.text)
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}

/// What was read from either place.
struct Found<'a> {
    form: AuthForm,
    components: Components<'a>,
    time: RequestTime,
    expires_seconds: Option<u32>,
    token: Option<Cow<'a, str>>,
    content_sha256: Option<Cow<'a, str>>,
    region_set: Option<Cow<'a, str>>,
}

/// `keyid/date/region/service/terminator`, of which only the shape is known. SigV4A has no region, and SigV2 the key id alone.
pub(super) struct Credential<'a> {
    pub(super) text: Cow<'a, str>,
    has_region: bool,
}

impl<'a> Credential<'a> {
    pub(super) fn parse(
        text: Cow<'a, str>,
        family: Family,
        form: AuthForm,
        algorithm: Algorithm,
    ) -> Result<Self, SigError> {
        let has_region = algorithm == Algorithm::Hmac;
        if text.split('/').count() != 4 + usize::from(has_region) {
            return Err(SigError::MalformedCredential { form, credential: text.into() });
        }
        let credential = Self { text, has_region };
        if credential.access_key_id().len() > MAX_ACCESS_KEY_ID_LENGTH {
            return Err(SigError::TooLarge { what: "access key id" });
        }
        let date = credential.date();
        if family == Family::S3 && !(date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(SigError::MalformedScopeDate { form, date: date.into() });
        }
        Ok(credential)
    }

    /// As it was sent.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn without_scope(access_key_id: Cow<'a, str>) -> Result<Self, SigError> {
        if access_key_id.len() > MAX_ACCESS_KEY_ID_LENGTH {
            return Err(SigError::TooLarge { what: "access key id" });
        }
        // No key id has a slash, and what follows one would be read as a scope.
        if access_key_id.contains('/') {
            return Err(SigError::LegacySignature);
        }
        Ok(Self { text: access_key_id, has_region: true })
    }

    pub(super) fn access_key_id(&self) -> &str {
        self.part(0)
    }

    pub(super) fn date(&self) -> &str {
        self.part(1)
    }

    pub(super) fn region(&self) -> &str {
        if self.has_region { self.part(2) } else { "" }
    }

    pub(super) fn service(&self) -> &str {
        self.part(2 + usize::from(self.has_region))
    }

    pub(super) fn terminator(&self) -> &str {
        self.part(3 + usize::from(self.has_region))
    }

    /// All but the access key id, as in the string to sign.
    pub(super) fn scope(&self) -> &str {
        self.text.split_once('/').map_or("", |(_, scope)| scope)
    }

    fn part(&self, index: usize) -> &str {
        self.text.split('/').nth(index).unwrap_or_default()
    }
}

fn single_authorization<'a>(
    head: &RequestHead<'a>,
    family: Family,
) -> Result<Option<&'a HeaderValue>, SigError> {
    let mut values = head.headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next();
    match (values.next(), family) {
        (None, _) => Ok(first),
        (Some(second), Family::S3) => Err(header_auth::malformed(second, HeaderFault::NoSpace)),
        (Some(second), _) => Err(header_auth::malformed(second, HeaderFault::Nonconforming)),
    }
}

fn content_sha256_header<'a>(head: &RequestHead<'a>) -> Result<Option<Cow<'a, str>>, SigError> {
    let Some(value) = head.single(&names::CONTENT_SHA256)? else { return Ok(None) };
    match value.to_str() {
        Ok(text) => Ok(Some(Cow::Borrowed(text))),
        Err(_) => Err(SigError::InvalidContentSha256 { value: "".into() }),
    }
}

/// Reads `x-amz-content-sha256`. A presigned URL without it is `UNSIGNED-PAYLOAD`.
fn s3_payload(
    value: Option<Cow<'_, str>>,
    algorithm: Algorithm,
) -> Result<(PayloadMode, Cow<'_, str>), SigError> {
    let value = value.unwrap_or(Cow::Borrowed(UNSIGNED_PAYLOAD));
    PayloadMode::parse(&value, algorithm).map(|mode| (mode, value))
}

impl PayloadMode {
    /// What the value says under a signature of that algorithm. Chunks are signed as the request is.
    pub(super) fn parse(value: &str, algorithm: Algorithm) -> Result<Self, SigError> {
        const BY_ECDSA: &str = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD";
        const BY_ECDSA_WITH_TRAILER: &str = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER";
        Ok(match (value, algorithm) {
            (UNSIGNED_PAYLOAD, _) => Self::Unsigned,
            ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Algorithm::Hmac) => Self::SignedChunks { trailer: false },
            ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Algorithm::Hmac) => {
                Self::SignedChunks { trailer: true }
            }
            (BY_ECDSA, Algorithm::Ecdsa) => Self::SignedChunks { trailer: false },
            (BY_ECDSA_WITH_TRAILER, Algorithm::Ecdsa) => Self::SignedChunks { trailer: true },
            ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", _) => Self::UnsignedChunks,
            (BY_ECDSA | BY_ECDSA_WITH_TRAILER, Algorithm::Hmac) => {
                return Err(SigError::UnsupportedStreaming);
            }
            (hash, _) => match parse_hash(hash.as_bytes()) {
                Some(hash) => Self::Sha256(hash),
                None => return Err(SigError::InvalidContentSha256 { value: hash.into() }),
            },
        })
    }

    /// Whether the body is in `aws-chunked` framing.
    pub(super) fn is_chunked(self) -> bool {
        matches!(self, Self::SignedChunks { .. } | Self::UnsignedChunks)
    }
}
