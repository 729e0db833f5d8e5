//! Sessions: sealed into their tokens, not stored. Any node opens one with the key ring alone; what may change (the
//! role, its policies, a revocation) is looked up at each request.

use daypass_model::{AccountId, Timestamp};
use daypass_wire::sigv4::MAX_TOKEN_LENGTH;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Secret;
use crate::delegation::Delegation;
use crate::ids::secret_access_key;
use crate::key_ring::{KeyRing, KeyRingError, Purpose};

/// What a session token holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The account of the principal.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// Whose session it is.
    #[serde(rename = "p")]
    pub principal: SessionPrincipal,
    /// When it was issued (`aws:TokenIssueTime`).
    #[serde(rename = "i")]
    pub issued: Timestamp,
    /// When it ends.
    #[serde(rename = "e")]
    pub expires: Timestamp,
    /// Inline session policy.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The ARNs of the managed session policies.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub policy_arns: Vec<String>,
    /// Session tags: key and value.
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// The keys of the tags that go on to the next session of a chain.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub transitive_tag_keys: Vec<String>,
    /// `aws:SourceIdentity`.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// When MFA was used, if it was.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<Timestamp>,
    /// The instance that it was issued to.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<SourceInstance>,
    /// Who vouched for whom it was issued to, and what of that policies may ask.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub federation: Option<Box<Federation>>,
    /// The partner that acts for the principal, and how far that goes.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Box<Delegation>>,
}

/// Who vouched for the identity behind a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Federation {
    /// `aws:FederatedProvider`: the provider's ARN.
    #[serde(rename = "p")]
    pub provider: String,
    /// The condition keys that last as long as the session: `token.example.com:sub`, `saml:sub`.
    #[serde(rename = "k")]
    pub keys: Vec<(String, FederationKey)>,
}

/// The value of a condition key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FederationKey {
    /// One text.
    Text(String),
    /// A set of texts.
    List(Vec<String>),
}

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionPrincipal {
    /// A role, assumed.
    #[serde(rename = "r")]
    AssumedRole {
        /// The role's name, as it is found by.
        #[serde(rename = "n")]
        role_name: String,
        /// The role's unique id: a role of the same name that came later is another.
        #[serde(rename = "i")]
        role_id: String,
        /// The session's name.
        #[serde(rename = "s")]
        session_name: String,
    },
    /// The root user, for a task of the organization's (`AssumeRoot`).
    #[serde(rename = "o")]
    Root {
        /// The organization whose session it is: it ends where the account leaves it.
        #[serde(rename = "g")]
        organization: String,
    },
    /// A user with temporary credentials (`GetSessionToken`).
    #[serde(rename = "u")]
    User {
        /// The user's name.
        #[serde(rename = "n")]
        name: String,
        /// The user's unique id.
        #[serde(rename = "i")]
        id: String,
    },
    /// A federated user (`GetFederationToken`).
    #[serde(rename = "f")]
    FederatedUser {
        /// Its name.
        #[serde(rename = "f")]
        name: String,
        /// The name of the user who made it.
        #[serde(rename = "n")]
        user_name: String,
        /// The unique id of the user who made it.
        #[serde(rename = "i")]
        user_id: String,
    },
}

/// The instance that a session was issued to, from our own record of it (`ec2:SourceInstanceARN` and its kin).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceInstance {
    /// The instance's ARN.
    #[serde(rename = "a")]
    pub arn: String,
    /// The VPC that it was in.
    #[serde(rename = "v")]
    pub vpc_id: String,
    /// The address that it had.
    #[serde(rename = "p")]
    pub private_ip: std::net::Ipv4Addr,
    /// By which version of the metadata service it was delivered: `1.0` or `2.0` (`ec2:RoleDelivery`).
    #[serde(rename = "d")]
    pub role_delivery: String,
}

/// What a caller is given.
pub struct Credentials {
    /// `ASIA…`.
    pub access_key_id: String,
    /// Derived from the token, and known to nobody else.
    pub secret_access_key: Secret<String>,
    /// The session, sealed.
    pub session_token: String,
    /// When they end.
    pub expires: Timestamp,
}

/// A session gets no credentials.
#[derive(Debug, Error)]
pub enum NotIssued {
    /// Its token would be longer than any that is taken: so many percent of that.
    #[error("the session's token would take {0} % of the room that there is for one")]
    TooLong(usize),
    /// The key ring failed.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
}

/// A token did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a session token of this access key")]
pub struct InvalidToken;

impl Session {
    /// A session without policies, tags or anything else of its own.
    #[must_use]
    pub fn plain(
        account: AccountId,
        principal: SessionPrincipal,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Self {
        Self {
            account,
            principal,
            issued,
            expires,
            policy: None,
            policy_arns: vec![],
            tags: vec![],
            transitive_tag_keys: vec![],
            source_identity: None,
            mfa: None,
            instance: None,
            federation: None,
            delegation: None,
        }
    }

    /// Seals the session under an access key id. The token is of no use with another id. Every token that is given out is one
    /// that is taken.
    ///
    /// # Errors
    /// If there is more in the session than a token has room for, or encryption fails.
    pub fn issue(&self, ring: &KeyRing, access_key_id: String) -> Result<Credentials, NotIssued> {
        let plain = serde_json::to_vec(self).map_err(|_| KeyRingError::Crypto)?;
        let token = ring.seal(Purpose::Session, access_key_id.as_bytes(), &plain)?;
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(NotIssued::TooLong((token.len() * 100).div_ceil(MAX_TOKEN_LENGTH)));
        }
        let secret = secret_of(ring, &access_key_id, &token).map_err(|_| KeyRingError::Crypto)?;
        Ok(Credentials {
            access_key_id,
            secret_access_key: secret,
            session_token: token,
            expires: self.expires,
        })
    }

    /// Opens the token of an access key: the session, and the secret that its requests are signed with.
    ///
    /// # Errors
    /// If the token was not issued for this access key by this ring.
    pub fn open(
        ring: &KeyRing,
        access_key_id: &str,
        token: &str,
    ) -> Result<(Self, Secret<String>), InvalidToken> {
        let plain = ring.open(Purpose::Session, access_key_id.as_bytes(), token).map_err(|_| InvalidToken)?;
        let session = serde_json::from_slice(plain.expose()).map_err(|_| InvalidToken)?;
        let secret = secret_of(ring, access_key_id, token).map_err(|_| InvalidToken)?;
        Ok((session, secret))
    }
}

/// The secret of a session follows from its token, which nobody can make but the ring.
fn secret_of(ring: &KeyRing, access_key_id: &str, token: &str) -> Result<Secret<String>, InvalidToken> {
    let data = [access_key_id.as_bytes(), b"\0", token.as_bytes()].concat();
    let code = ring.code_beside(Purpose::SessionSecret, token, &data).map_err(|_| InvalidToken)?;
    Ok(secret_access_key(&code))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use daypass_store::Store;

    use super::*;
    use crate::testing::{Counting, StillClock, account};

    #[tokio::test]
    async fn a_session_is_given_a_token_that_is_taken_or_none() {
        let store = Store::in_memory().unwrap();
        let (root, entropy) = (Secret::new([7; 32]), Arc::new(Counting::default()));
        let ring = KeyRing::load(&store, &root, &StillClock::new(), entropy).await.unwrap();
        let (mut longest, mut refused) = (0, None);
        for length in (0..64 << 10).step_by(509) {
            let at = Timestamp::from_millis(0);
            let principal = SessionPrincipal::User { name: "n".into(), id: "i".into() };
            let mut session = Session::plain(account(), principal, at, at);
            let keys = vec![("saml:eduorghomepageuri".to_owned(), FederationKey::Text("x".repeat(length)))];
            session.federation = Some(Box::new(Federation { provider: String::new(), keys }));
            match session.issue(&ring, "ASIAEXAMPLE".to_owned()) {
                Ok(given) => {
                    assert!(given.session_token.len() <= MAX_TOKEN_LENGTH && refused.is_none(), "{length}");
                    let opened = Session::open(&ring, "ASIAEXAMPLE", &given.session_token);
                    assert!(opened.is_ok_and(|(opened, _)| opened == session), "{length}");
                    longest = given.session_token.len();
                }
                Err(NotIssued::TooLong(percent)) => {
                    assert!(percent > 100, "{percent}");
                    refused.get_or_insert(length);
                }
                Err(NotIssued::KeyRing(error)) => panic!("{error}"),
            }
        }
        assert!(longest > MAX_TOKEN_LENGTH - 1000 && refused.is_some(), "{longest} {refused:?}");
    }
}
