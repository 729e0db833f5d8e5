//! Authentication in the fields of a form: what is signed is the policy document, and with it everything that the form may
//! say (S3 API reference, "Browser-based uploads using POST", "Creating an HTML form using AWS Signature Version 4").

use std::borrow::Cow;

use super::algorithm::{ALGORITHM, Algorithm};
use super::claim::Credential;
use super::timestamp::RequestTime;
use super::verify::{check_scope, wrong_region};
use super::{AuthForm, Expected, Family, MAX_TOKEN_LENGTH, Mismatch, NoKey, SigError, SigningKey, Verified};

/// An authentication that was found in a form, complete and well formed, and **not verified**.
pub struct FormClaim<'a> {
    credential: Credential<'a>,
    time: RequestTime,
    policy: &'a str,
    signature: &'a str,
    token: Option<&'a str>,
}

impl<'a> FormClaim<'a> {
    /// Finds the authentication among fields, whose names are in lower case. `None` if there is none of any kind.
    ///
    /// # Errors
    /// What is half there, malformed or of a kind that is not accepted.
    pub fn parse(fields: &'a [(String, String)]) -> Result<Option<Self>, SigError> {
        let field =
            |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let names = ["policy", "x-amz-signature", "x-amz-credential", "x-amz-algorithm", "x-amz-date"];
        if field("awsaccesskeyid").is_some() || field("signature").is_some() {
            return Err(SigError::LegacySignature);
        }
        let [policy, signature, credential, algorithm, date] = names.map(field);
        let token = field("x-amz-security-token");
        if [policy, signature, credential, algorithm, date, token].iter().all(Option::is_none) {
            return Ok(None);
        }
        let there =
            |value: Option<&'a str>, field: &'static str| value.ok_or(SigError::MissingFormField { field });
        let (policy, signature) = (there(policy, "policy")?, there(signature, "X-Amz-Signature")?);
        let credential = there(credential, "X-Amz-Credential")?;
        let algorithm = there(algorithm, "X-Amz-Algorithm")?;
        let date = there(date, "X-Amz-Date")?;
        let form = AuthForm::Post;
        if algorithm != ALGORITHM {
            return Err(SigError::UnsupportedAlgorithm { form, algorithm: algorithm.into() });
        }
        if token.is_some_and(|token| token.len() > MAX_TOKEN_LENGTH) {
            return Err(SigError::InvalidToken);
        }
        let time = RequestTime::parse_basic(date);
        let time = time.ok_or_else(|| SigError::MalformedDate { form, date: date.into() })?;
        let credential = Credential::parse(Cow::Borrowed(credential), Family::S3, form, Algorithm::Hmac)?;
        Ok(Some(Self { credential, time, policy, signature, token }))
    }

    /// The access key that the form claims to be signed with.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credential.access_key_id()
    }

    /// The date of the scope.
    #[must_use]
    pub fn date(&self) -> &str {
        self.credential.date()
    }

    /// The region of the scope.
    #[must_use]
    pub fn region(&self) -> &str {
        self.credential.region()
    }

    /// The service of the scope.
    #[must_use]
    pub fn service(&self) -> &str {
        self.credential.service()
    }

    /// The session token.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.token
    }

    /// Verifies the policy's signature. Its expiration is in the policy, which its reader checks.
    ///
    /// # Errors
    /// A scope or signature that is wrong.
    pub fn verify(&self, key: &SigningKey, expected: &Expected<'_>) -> Result<Verified, SigError> {
        let region = wrong_region(&self.credential, expected);
        check_scope(&self.credential, AuthForm::Post, self.time, region, expected)?;
        if key.verifies_hex(self.policy.as_bytes(), self.signature.as_bytes()) {
            return Ok(Verified::new(
                self.credential.text(),
                AuthForm::Post,
                Some(self.time.instant()),
                None,
            ));
        }
        Err(SigError::Mismatch(Box::new(Mismatch {
            access_key_id: self.access_key_id().to_owned(),
            // A session's token is a condition of the policy: not shown.
            string_to_sign: if self.token.is_some() { String::new() } else { self.policy.to_owned() },
            signature_provided: self.signature.to_owned(),
            canonical_request: None,
        })))
    }

    /// Refuses a claim that has no key, at the cost of verifying it.
    #[must_use]
    pub fn refuse(&self, why: NoKey, expected: &Expected<'_>) -> SigError {
        match self.verify(SigningKey::decoy(), expected) {
            Err(fault @ SigError::WrongScope(_)) => fault,
            _ => why.error(self.access_key_id()),
        }
    }
}
