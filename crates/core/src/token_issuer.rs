//! An account as an issuer of web identity tokens: its keys, and what it publishes for those who verify them.
//!
//! Each account is an issuer of its own, below a path of the server. A key signs for some months and is published for as long
//! as its successor signs; private keys are sealed in the record.

use daypass_federation::{Algorithm, SigningError, SigningKey};
use daypass_model::{AccountId, Timestamp};
use daypass_store::records::{Sealed, TokenIssuer, TokenIssuerId, TokenKey};
use daypass_store::{Read as _, StoreError};
use serde_json::{Value, json};
use thiserror::Error;

use crate::key_ring::{KeyRingError, Purpose};
use crate::state::State;

/// Where issuers stand below the server's address.
const PATH: &str = "/_daypass/oidc/";
/// A key signs for ninety days.
const KEY_SECONDS: i64 = 90 * 86_400;
/// Of each algorithm, so many keys are published: the one that signs, and the one before.
const PUBLISHED: usize = 2;

/// A key could not be made or used.
#[derive(Debug, Error)]
pub enum NoTokenKey {
    /// The library refused it.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The key ring failed.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// The record does not open: it is from another key ring.
    #[error("the key of a token issuer does not open")]
    Unopenable,
}

/// The URL of the issuer of that id: `iss` of its tokens.
#[must_use]
pub fn url(state: &State, id: &str) -> String {
    format!("{}{PATH}{id}", state.endpoint)
}

/// What an issuer publishes at a path of the server, as JSON: what it is, or its public keys. `None` where there is no such
/// issuer or document.
///
/// # Errors
/// If the store fails.
pub fn document(state: &State, path: &str) -> Result<Option<String>, StoreError> {
    let Some((id, file)) = path.strip_prefix(PATH).and_then(|rest| rest.split_once('/')) else {
        return Ok(None);
    };
    let issuer = state.store.read(|tx| {
        let Some(known) = tx.get::<TokenIssuerId>(&TokenIssuerId::key_of(id))? else { return Ok(None) };
        tx.get::<TokenIssuer>(&TokenIssuer::key_of(&known.account))
    })?;
    let Some(issuer) = issuer.filter(|issuer| issuer.enabled && issuer.id == id) else { return Ok(None) };
    let own = url(state, id);
    Ok(match file {
        ".well-known/openid-configuration" => Some(
            json!({
                "issuer": own,
                "jwks_uri": format!("{own}/.well-known/jwks.json"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES384"],
                "claims_supported": ["sub", "iss", "aud", "exp", "iat", "jti", "https://sts.amazonaws.com/"],
            })
            .to_string(),
        ),
        ".well-known/jwks.json" => {
            let keys: Vec<Value> =
                issuer.keys.iter().filter_map(|key| serde_json::from_str(&key.public).ok()).collect();
            Some(json!({ "keys": keys }).to_string())
        }
        _ => None,
    })
}

/// The key that signs, if there is one that is not too old.
#[must_use]
pub fn current(issuer: &TokenIssuer, algorithm: Algorithm, now: Timestamp) -> Option<&TokenKey> {
    let newest = issuer.keys.iter().rev().find(|key| key.algorithm == algorithm.name())?;
    (now.seconds() - newest.created.seconds() < KEY_SECONDS).then_some(newest)
}

/// A new key. Making one of RSA takes a while, and is done where nobody waits.
///
/// # Errors
/// If the library or the key ring fails.
pub async fn new_key(
    state: &State,
    account: &AccountId,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<TokenKey, NoTokenKey> {
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
    let private = made.map_err(|_| SigningError)??;
    let key = SigningKey::from_pkcs8(algorithm, &private)?;
    let context = TokenIssuer::seal_context(account);
    Ok(TokenKey {
        algorithm: algorithm.name().to_owned(),
        public: key.jwk().to_string(),
        private: Sealed(state.ring.seal(Purpose::Record, context.as_bytes(), &private)?),
        created: now,
    })
}

/// Adds a key, which signs from here on, and takes away those that nothing valid is signed with any more.
pub fn add_key(issuer: &mut TokenIssuer, key: TokenKey) {
    issuer.keys.push(key);
    let names: Vec<String> = issuer.keys.iter().map(|key| key.algorithm.clone()).collect();
    let mut at = 0;
    issuer.keys.retain(|key| {
        at += 1;
        names.iter().skip(at).filter(|name| **name == key.algorithm).count() < PUBLISHED
    });
}

/// A key, ready to sign.
///
/// # Errors
/// If it does not open or is none.
pub fn open(state: &State, issuer: &TokenIssuer, key: &TokenKey) -> Result<SigningKey, NoTokenKey> {
    let context = TokenIssuer::seal_context(&issuer.account);
    let opened = state.ring.open(Purpose::Record, context.as_bytes(), &key.private.0);
    let private = opened.map_err(|_| NoTokenKey::Unopenable)?;
    let algorithm = Algorithm::parse(&key.algorithm).ok_or(NoTokenKey::Unopenable)?;
    Ok(SigningKey::from_pkcs8(algorithm, private.expose())?)
}
