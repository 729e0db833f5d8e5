//! The comparison that makes a claim a proof.

use std::fmt;

use aws_lc_rs::digest;
use time::OffsetDateTime;

use super::canonical::{self, PathForm};
use super::claim::{Claim, Credential, PayloadMode};
use super::payload::{BodyKind, ChunkSigner, PayloadVerifier};
use super::percent::{parse_hash, push_hex};
use super::timestamp::{RequestTime, basic, shifted};
use super::{
    ALGORITHM, AuthForm, Family, MAX_SKEW_SECONDS, Mismatch, ScopeFault, SigError, SigningKey, TERMINATOR,
};

/// A canonical request longer than this is not shown.
const MAX_SHOWN: usize = 16 * 1024;

/// What a signature has to be for. It comes from us, never from the request.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The signing name of the service that handles the request.
    pub service: &'a str,
    /// Whether the service answers for this region.
    pub regions: &'a dyn Fn(&str) -> bool,
    /// The region that an answer about a wrong one recommends.
    pub home_region: &'a str,
    /// Our time.
    pub now: OffsetDateTime,
}

/// Why there is no key to verify a claim with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The access key is not known, not active, or a session's without its token.
    UnknownAccessKey,
    /// The session token does not open, or is not of this access key.
    InvalidToken,
    /// The session is over.
    ExpiredToken,
}

impl NoKey {
    /// What the sender is told.
    pub(super) fn error(self, access_key_id: &str) -> SigError {
        match self {
            Self::UnknownAccessKey => SigError::UnknownAccessKey { access_key_id: access_key_id.into() },
            Self::InvalidToken => SigError::InvalidToken,
            Self::ExpiredToken => SigError::ExpiredToken,
        }
    }
}

/// A request whose signature was verified: the proof that its sender holds the secret of its access key.
///
/// Only [`Claim::verify`], [`Claim::verify_head`] and [`FormClaim::verify`](super::FormClaim::verify) make one.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    credential: String,
    form: AuthForm,
    request_time: OffsetDateTime,
    content_sha256: Option<String>,
}

impl Verified {
    pub(super) fn new(
        credential: &str,
        form: AuthForm,
        request_time: OffsetDateTime,
        content_sha256: Option<String>,
    ) -> Self {
        Self { credential: credential.to_owned(), form, request_time, content_sha256 }
    }

    /// The access key whose secret signed the request.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.part(0)
    }

    /// The region that the request was signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(2)
    }

    /// The service that the request was signed for.
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(3)
    }

    /// How the request was authenticated (`s3:authType`).
    #[must_use]
    pub fn form(&self) -> AuthForm {
        self.form
    }

    /// When the request says that it was signed (`s3:signatureAge` is counted from it).
    #[must_use]
    pub fn request_time(&self) -> OffsetDateTime {
        self.request_time
    }

    /// S3: what the signature says of the body (`s3:x-amz-content-sha256`).
    #[must_use]
    pub fn content_sha256(&self) -> Option<&str> {
        self.content_sha256.as_deref()
    }

    fn part(&self, index: usize) -> &str {
        self.credential.split('/').nth(index).unwrap_or_default()
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("credential", &self.credential).field("form", &self.form).finish()
    }
}

impl Claim<'_> {
    /// Verifies a request of any service but S3, with its whole body.
    ///
    /// `key` has to be derived for the claim's own scope, from the secret of its access key.
    ///
    /// These services sign the path in normal form (RFC 3986, section 5.2.4): whoever routes by the path has to
    /// read `/a/../b` as `/b`, or not at all.
    ///
    /// # Errors
    /// A date, scope or signature that is wrong. [`SigError::WrongBody`] if the service is S3.
    pub fn verify(
        &self,
        key: &SigningKey,
        body: &[u8],
        expected: &Expected<'_>,
    ) -> Result<Verified, SigError> {
        if self.family == Family::S3 {
            return Err(SigError::WrongBody);
        }
        self.check_terms(expected)?;
        self.check_signature(key, &self.whole_body_hash(body))?;
        Ok(self.verified())
    }

    /// Verifies the head of an S3 request. The body is verified as it passes the second value.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and headers that describe the body and are wrong.
    pub fn verify_head(
        &self,
        key: &SigningKey,
        body: BodyKind,
        expected: &Expected<'_>,
    ) -> Result<(Verified, PayloadVerifier), SigError> {
        if self.family != Family::S3 {
            return Err(SigError::WrongBody);
        }
        self.check_terms(expected)?;
        if self.payload.is_chunked() && body != BodyKind::Object {
            return Err(SigError::StreamingNotAllowed);
        }
        self.check_signature(key, self.payload_hash.as_bytes())?;
        let signer = match self.payload {
            PayloadMode::SignedChunks { .. } => Some(self.chunk_signer(key)),
            _ => None,
        };
        let payload = PayloadVerifier::new(self.payload, body, self.head.headers, signer)?;
        Ok((self.verified(), payload))
    }

    /// Refuses a claim that has no key, at the cost of verifying it: time does not tell an unknown access key from
    /// a wrong secret. A fault that would be found before the key is looked at is reported first, as AWS does.
    #[must_use]
    pub fn refuse(&self, why: NoKey, body: &[u8], expected: &Expected<'_>) -> SigError {
        if let Err(fault) = self.check_terms(expected) {
            return fault;
        }
        let verdict = match self.family {
            Family::S3 => self.check_signature(SigningKey::decoy(), self.payload_hash.as_bytes()),
            _ => self.check_signature(SigningKey::decoy(), &self.whole_body_hash(body)),
        };
        std::hint::black_box(verdict).ok();
        why.error(self.access_key_id())
    }

    fn verified(&self) -> Verified {
        let content_sha256 = (self.family == Family::S3).then(|| self.payload_hash.clone().into_owned());
        Verified::new(self.credential.text(), self.form, self.time.instant(), content_sha256)
    }

    /// Date, expiry and scope, in the order in which AWS finds fault with them: S3 looks at the scope of a
    /// presigned URL before its expiry, everything else at the date first.
    fn check_terms(&self, expected: &Expected<'_>) -> Result<(), SigError> {
        if self.family == Family::S3 && self.form == AuthForm::Query {
            check_scope(&self.credential, self.form, self.time, expected)?;
            return self.check_expiry(expected.now);
        }
        let skew = (expected.now - self.time.instant()).abs();
        if skew > time::Duration::seconds(MAX_SKEW_SECONDS) {
            return Err(SigError::TimeSkewed { request_time: self.time.instant(), now: expected.now });
        }
        check_scope(&self.credential, self.form, self.time, expected)
    }

    fn check_expiry(&self, now: OffsetDateTime) -> Result<(), SigError> {
        let begins = self.time.instant();
        let expires_seconds = self.expires_seconds.unwrap_or(0);
        let expires = shifted(begins, i64::from(expires_seconds));
        if begins > shifted(now, MAX_SKEW_SECONDS) {
            return Err(SigError::PresignedNotYetValid { begins, expires, now });
        }
        if now > expires || expires_seconds == 0 {
            return Err(SigError::PresignedExpired { expires_seconds, expires, now });
        }
        Ok(())
    }

    /// The hash of the body; nothing if the request states another one, which makes any signature wrong.
    fn whole_body_hash(&self, body: &[u8]) -> Vec<u8> {
        let mut hash = Vec::with_capacity(64);
        push_hex(&mut hash, digest::digest(&digest::SHA256, body).as_ref());
        if !self.payload_hash.is_empty() && self.payload_hash.as_bytes() != hash {
            hash.clear();
        }
        hash
    }

    fn check_signature(&self, key: &SigningKey, payload_hash: &[u8]) -> Result<(), SigError> {
        let signature = parse_hash(self.signature.as_bytes())
            .filter(|_| !self.signature.bytes().any(|byte| byte.is_ascii_uppercase()));
        let mut compared = None;
        for form in self.path_forms().into_iter().flatten() {
            let parts = canonical::Parts {
                head: &self.head,
                host: self.host,
                query: &self.query,
                signed: &self.signed_headers,
                payload_hash,
            };
            let request = canonical::request(&parts, form);
            let text = self.string_to_sign(&request);
            let verifies = key.verifies(&text, &signature.unwrap_or_default());
            if verifies && signature.is_some() && !payload_hash.is_empty() {
                return Ok(());
            }
            compared = Some((request, text));
        }
        let (request, text) = compared.unwrap_or_default();
        Err(SigError::Mismatch(Box::new(self.mismatch(request, text))))
    }

    /// The forms of the path that a signature may cover. S3's own comes last, so that it is the one shown.
    fn path_forms(&self) -> [Option<PathForm>; 2] {
        match self.family {
            Family::S3 => {
                let reencoded = canonical::path(self.head.path, PathForm::Reencoded);
                let differs = !reencoded.is_empty() && reencoded != self.head.path.as_bytes();
                [Some(PathForm::AsSent), differs.then_some(PathForm::Reencoded)]
            }
            _ => [Some(PathForm::Normalised), None],
        }
    }

    fn string_to_sign(&self, canonical_request: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(192);
        text.extend_from_slice(ALGORITHM.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&self.date_and_scope());
        text.push(b'\n');
        push_hex(&mut text, digest::digest(&digest::SHA256, canonical_request).as_ref());
        text
    }

    fn date_and_scope(&self) -> Vec<u8> {
        [self.time.as_bytes(), b"\n", self.credential.scope().as_bytes()].concat()
    }

    fn chunk_signer(&self, key: &SigningKey) -> ChunkSigner {
        ChunkSigner::new(key.clone(), self.access_key_id().to_owned(), self.date_and_scope(), &self.signature)
    }

    fn mismatch(&self, request: Vec<u8>, text: Vec<u8>) -> Mismatch {
        let shown = self.session_token().is_none() && request.len() <= MAX_SHOWN;
        Mismatch {
            access_key_id: self.access_key_id().to_owned(),
            string_to_sign: String::from_utf8_lossy(&text).into_owned(),
            signature_provided: self.signature.clone().into_owned(),
            canonical_request: shown.then(|| String::from_utf8_lossy(&request).into_owned()),
        }
    }
}

/// Whether a scope is of the day of the request, and of a region and the service that answer it.
pub(super) fn check_scope(
    credential: &Credential<'_>,
    form: AuthForm,
    time: RequestTime,
    expected: &Expected<'_>,
) -> Result<(), SigError> {
    let wrong = |found: &str, right: bool| (!right).then(|| found.to_owned());
    let date = wrong(credential.date(), credential.date().as_bytes() == time.day());
    let region = wrong(credential.region(), (expected.regions)(credential.region()));
    let service = wrong(credential.service(), credential.service() == expected.service);
    let terminator = wrong(credential.terminator(), credential.terminator() == TERMINATOR);
    if date.is_none() && region.is_none() && service.is_none() && terminator.is_none() {
        return Ok(());
    }
    Err(SigError::WrongScope(Box::new(ScopeFault {
        form,
        region,
        service,
        terminator,
        date,
        expected_region: expected.home_region.to_owned(),
        expected_service: expected.service.to_owned(),
        request_time: basic(time.instant()),
    })))
}
