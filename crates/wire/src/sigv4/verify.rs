//! The comparison that makes a claim a proof.

use std::fmt;

use aws_lc_rs::digest;
use time::OffsetDateTime;

use super::algorithm::{ALGORITHM, Algorithm, RegionSet};
use super::canonical::{self, PathForm};
use super::claim::{Claim, Credential, PayloadMode, Terms, V4Terms};
use super::payload::{BodyKind, ChunkSigner, PayloadVerifier};
use super::percent::push_hex;
use super::presigned_v2;
use super::timestamp::{RequestTime, basic, shifted};
use super::{AuthForm, Family, MAX_SKEW_SECONDS, Mismatch, ScopeFault, SigError, SigningKey, TERMINATOR};

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
    /// The bucket that S3 reads from the host (virtual-host style). Signature Version 2 signs it as part of the path.
    pub bucket_in_host: Option<&'a str>,
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
    request_time: Option<OffsetDateTime>,
    content_sha256: Option<String>,
    /// Of SigV4A: the regions that it is for, and the one that is meant where nothing else says.
    regions: Option<(RegionSet, String)>,
}

impl Verified {
    pub(super) fn new(
        credential: &str,
        form: AuthForm,
        request_time: Option<OffsetDateTime>,
        content_sha256: Option<String>,
    ) -> Self {
        Self { credential: credential.to_owned(), form, request_time, content_sha256, regions: None }
    }

    /// The access key whose secret signed the request.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credential.split('/').next().unwrap_or_default()
    }

    /// The region that the request was signed for: of SigV4A, which is for several, the one to take where nothing else says.
    /// Signature Version 2 names none.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match &self.regions {
            Some((_, meant)) => Some(meant),
            None => self.credential.split('/').nth(2),
        }
    }

    /// Whether the request was signed for this region. Signature Version 2 is for all.
    #[must_use]
    pub fn covers(&self, region: &str) -> bool {
        match &self.regions {
            Some((set, _)) => set.covers(region),
            None => self.region().is_none_or(|signed| signed == region),
        }
    }

    /// Which version of the signature it was (`s3:signatureversion`): `AWS4-HMAC-SHA256`, `AWS4-ECDSA-P256-SHA256`, or `AWS`,
    /// which is Signature Version 2 of a presigned S3 URL.
    #[must_use]
    pub fn signature_version(&self) -> &'static str {
        match &self.regions {
            Some(_) => Algorithm::Ecdsa.name(),
            None if self.region().is_some() => ALGORITHM,
            None => "AWS",
        }
    }

    /// How the request was authenticated (`s3:authType`).
    #[must_use]
    pub fn form(&self) -> AuthForm {
        self.form
    }

    /// When the request says that it was signed (`s3:signatureAge` is counted from it). Signature Version 2 of a
    /// presigned URL does not say.
    #[must_use]
    pub fn request_time(&self) -> Option<OffsetDateTime> {
        self.request_time
    }

    /// S3: what the signature says of the body (`s3:x-amz-content-sha256`).
    #[must_use]
    pub fn content_sha256(&self) -> Option<&str> {
        self.content_sha256.as_deref()
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
        self.check_signature(key, &self.whole_body_hash(body), expected)?;
        Ok(self.verified(expected))
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
        self.check_signature(key, self.payload_hash.as_bytes(), expected)?;
        let signer = match (self.payload, &self.terms) {
            (PayloadMode::SignedChunks { .. }, Terms::V4(terms)) => Some(self.chunk_signer(key, terms)),
            _ => None,
        };
        let payload = PayloadVerifier::new(self.payload, body, self.head.headers, signer)?;
        Ok((self.verified(expected), payload))
    }

    /// Refuses a claim that has no key, at the cost of verifying it: time does not tell an unknown access key from
    /// a wrong secret. A fault that would be found before the key is looked at is reported first, as AWS does.
    #[must_use]
    pub fn refuse(&self, why: NoKey, body: &[u8], expected: &Expected<'_>) -> SigError {
        if let Err(fault) = self.check_terms(expected) {
            return fault;
        }
        // A key pair takes its time to derive, which is spent here too.
        let decoy = match &self.terms {
            Terms::V4(terms) if terms.algorithm() == Algorithm::Ecdsa => self.signing_key(b""),
            _ => SigningKey::decoy().clone(),
        };
        let verdict = match self.family {
            Family::S3 => self.check_signature(&decoy, self.payload_hash.as_bytes(), expected),
            _ => self.check_signature(&decoy, &self.whole_body_hash(body), expected),
        };
        std::hint::black_box(verdict).ok();
        why.error(self.access_key_id())
    }

    fn verified(&self, expected: &Expected<'_>) -> Verified {
        let (request_time, content_sha256, set) = match &self.terms {
            Terms::V4(terms) => {
                (Some(terms.time.instant()), self.family == Family::S3, terms.region_set.as_ref())
            }
            Terms::V2(_) => (None, false, None),
        };
        let content_sha256 = content_sha256.then(|| self.payload_hash.clone().into_owned());
        let meant = |set: &RegionSet| Some((set.clone(), set.meant(expected.home_region, expected.regions)?));
        let regions = set.and_then(meant);
        Verified { regions, ..Verified::new(self.credential.text(), self.form, request_time, content_sha256) }
    }

    /// Date, expiry and scope, in the order in which AWS finds fault with them: S3 looks at the scope of a
    /// presigned URL before its expiry, everything else at the date first.
    fn check_terms(&self, expected: &Expected<'_>) -> Result<(), SigError> {
        let terms = match &self.terms {
            Terms::V4(terms) => terms,
            Terms::V2(terms) => return terms.check_expiry(expected.now),
        };
        if self.family == Family::S3 && self.form == AuthForm::Query {
            self.check_scope(terms, expected)?;
            return terms.check_expiry(expected.now);
        }
        let request_time = terms.time.instant();
        if (expected.now - request_time).abs() > time::Duration::seconds(MAX_SKEW_SECONDS) {
            return Err(SigError::TimeSkewed { request_time, now: expected.now });
        }
        self.check_scope(terms, expected)
    }

    fn check_scope(&self, terms: &V4Terms<'_>, expected: &Expected<'_>) -> Result<(), SigError> {
        let region = match &terms.region_set {
            None => wrong_region(&self.credential, expected),
            Some(set) => {
                let meant = set.meant(expected.home_region, expected.regions);
                meant.is_none().then(|| set.text().to_owned())
            }
        };
        check_scope(&self.credential, self.form, terms.time, region, expected)
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

    fn check_signature(
        &self,
        key: &SigningKey,
        payload_hash: &[u8],
        expected: &Expected<'_>,
    ) -> Result<(), SigError> {
        match &self.terms {
            Terms::V4(terms) => self.check_v4_signature(terms, key, payload_hash),
            Terms::V2(terms) => {
                let text = terms.string_to_sign(&self.head, expected.bucket_in_host);
                let signature = presigned_v2::parse_signature(&self.signature);
                let verifies = key.verifies(&text, &signature.unwrap_or_default());
                if verifies && signature.is_some() {
                    return Ok(());
                }
                Err(SigError::Mismatch(Box::new(self.mismatch(None, &text))))
            }
        }
    }

    fn check_v4_signature(
        &self,
        terms: &V4Terms<'_>,
        key: &SigningKey,
        payload_hash: &[u8],
    ) -> Result<(), SigError> {
        let mut compared = None;
        for form in self.path_forms().into_iter().flatten() {
            let parts = canonical::Parts {
                head: &self.head,
                host: self.host,
                query: &self.query,
                signed: &terms.signed_headers,
                payload_hash,
            };
            let request = canonical::request(&parts, form);
            let text = self.string_to_sign(terms, &request);
            let verifies = key.verifies_hex(&text, self.signature.as_bytes());
            if verifies && !payload_hash.is_empty() {
                return Ok(());
            }
            compared = Some((request, text));
        }
        let (request, text) = compared.unwrap_or_default();
        Err(SigError::Mismatch(Box::new(self.mismatch(Some(request), &text))))
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

    fn string_to_sign(&self, terms: &V4Terms<'_>, canonical_request: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(192);
        text.extend_from_slice(terms.algorithm().name().as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&self.date_and_scope(terms));
        text.push(b'\n');
        push_hex(&mut text, digest::digest(&digest::SHA256, canonical_request).as_ref());
        text
    }

    fn date_and_scope(&self, terms: &V4Terms<'_>) -> Vec<u8> {
        [terms.time.as_bytes(), b"\n", self.credential.scope().as_bytes()].concat()
    }

    fn chunk_signer(&self, key: &SigningKey, terms: &V4Terms<'_>) -> ChunkSigner {
        let access_key_id = self.access_key_id().to_owned();
        let scope = self.date_and_scope(terms);
        ChunkSigner::new(key.clone(), terms.algorithm(), access_key_id, scope, &self.signature)
    }

    /// What did not match. A session's token is in the canonical request, and in all that SigV2 signs: not shown.
    fn mismatch(&self, request: Option<Vec<u8>>, text: &[u8]) -> Mismatch {
        let with_token = self.session_token().is_some();
        let hidden = with_token && matches!(self.terms, Terms::V2(_));
        let shown = request.filter(|request| !with_token && request.len() <= MAX_SHOWN);
        Mismatch {
            access_key_id: self.access_key_id().to_owned(),
            string_to_sign: if hidden { String::new() } else { String::from_utf8_lossy(text).into_owned() },
            signature_provided: self.signature.clone().into_owned(),
            canonical_request: shown.map(|request| String::from_utf8_lossy(&request).into_owned()),
        }
    }
}

/// The region of a scope, if the service does not answer for it.
pub(super) fn wrong_region(credential: &Credential<'_>, expected: &Expected<'_>) -> Option<String> {
    let region = credential.region();
    (!(expected.regions)(region)).then(|| region.to_owned())
}

/// Whether a scope is of the day of the request, and of the service that answers it; `region` is what is wrong of its region.
pub(super) fn check_scope(
    credential: &Credential<'_>,
    form: AuthForm,
    time: RequestTime,
    region: Option<String>,
    expected: &Expected<'_>,
) -> Result<(), SigError> {
    let wrong = |found: &str, right: bool| (!right).then(|| found.to_owned());
    let date = wrong(credential.date(), credential.date().as_bytes() == time.day());
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

impl V4Terms<'_> {
    fn check_expiry(&self, now: OffsetDateTime) -> Result<(), SigError> {
        let begins = self.time.instant();
        let expires_seconds = self.expires_seconds.unwrap_or(0);
        let expires = shifted(begins, i64::from(expires_seconds));
        if begins > shifted(now, MAX_SKEW_SECONDS) {
            return Err(SigError::PresignedNotYetValid { begins, expires, now });
        }
        if now > expires || expires_seconds == 0 {
            return Err(SigError::PresignedExpired { expires_seconds: Some(expires_seconds), expires, now });
        }
        Ok(())
    }
}
