//! Keys of our own, and the tokens that are signed with them.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::der::element;

/// The library refused a key or to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signing key is not usable")]
pub struct SigningError;

/// A key that signs tokens: of RSA (2048 bits) for `RS256`, or on P-384 for `ES384`, the algorithms of AWS's tokens (STS API
/// reference, GetWebIdentityToken).
pub struct SigningKey {
    id: String,
    jwk: Value,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

impl SigningKey {
    /// Makes a key; PKCS #8.
    ///
    /// # Errors
    /// If the algorithm is not one that we sign with, or the library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        match algorithm {
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| SigningError)?;
                let der = pair.as_der().map_err(|_| SigningError)?;
                Ok(Zeroizing::new(der.as_ref().to_vec()))
            }
            Algorithm::Es384 => {
                let random = SystemRandom::new();
                let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random);
                Ok(Zeroizing::new(der.map_err(|_| SigningError)?.as_ref().to_vec()))
            }
            _ => Err(SigningError),
        }
    }

    /// A key that was made before.
    ///
    /// # Errors
    /// If it is not one of this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, SigningError> {
        let (pair, thumbprint, extra) = match algorithm {
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| SigningError)?;
                let (n, e) = rsa_numbers(pair.public_key().as_ref()).ok_or(SigningError)?;
                // The members that RFC 7638 takes, in its order.
                let members = json!({ "e": encode(e), "kty": "RSA", "n": encode(n) });
                (Pair::Rsa(Box::new(pair)), members, "RS256")
            }
            Algorithm::Es384 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der)
                    .map_err(|_| SigningError)?;
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..).and_then(|p| p.split_at_checked(48)).ok_or(SigningError)?;
                let members = json!({ "crv": "P-384", "kty": "EC", "x": encode(x), "y": encode(y) });
                (Pair::Ec(Box::new(pair)), members, "ES384")
            }
            _ => return Err(SigningError),
        };
        let id = encode(digest::digest(&digest::SHA256, thumbprint.to_string().as_bytes()).as_ref());
        let mut jwk = thumbprint;
        if let Some(members) = jwk.as_object_mut() {
            members.insert("alg".to_owned(), extra.into());
            members.insert("use".to_owned(), "sig".into());
            members.insert("kid".to_owned(), id.clone().into());
        }
        Ok(Self { id, jwk, pair })
    }

    /// Its id: the thumbprint of RFC 7638.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public key as key sets have it.
    #[must_use]
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// Signs a token.
    ///
    /// # Errors
    /// If the library fails.
    pub fn sign(&self, claims: &Map<String, Value>) -> Result<String, SigningError> {
        let name = match &self.pair {
            Pair::Rsa(_) => Algorithm::Rs256.name(),
            Pair::Ec(_) => Algorithm::Es384.name(),
        };
        let header = json!({ "alg": name, "kid": self.id, "typ": "JWT" });
        let claims = Value::Object(claims.clone()).to_string();
        let signed = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.as_bytes()));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)
                    .map_err(|_| SigningError)?;
                signature
            }
            Pair::Ec(pair) => {
                pair.sign(&random, signed.as_bytes()).map_err(|_| SigningError)?.as_ref().to_vec()
            }
        };
        Ok(format!("{signed}.{}", encode(&signature)))
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017): a sequence of two integers.
fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = element(der, 0x30)?;
    let (n, rest) = element(sequence, 0x02)?;
    let (e, _) = element(rest, 0x02)?;
    Some((n.strip_prefix(&[0]).unwrap_or(n), e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeySet, Token, Unverified};

    #[test]
    fn what_we_sign_is_verified_with_the_key_set_and_with_no_other() {
        let claims = json!({ "sub": "x" }).as_object().unwrap().clone();
        let keys: Vec<SigningKey> = [Algorithm::Rs256, Algorithm::Es384]
            .map(|a| SigningKey::from_pkcs8(a, &SigningKey::generate(a).unwrap()).unwrap())
            .into();
        let set = |keys: &[&SigningKey]| {
            let jwks: Vec<&Value> = keys.iter().map(|key| key.jwk()).collect();
            KeySet::parse(json!({ "keys": jwks }).to_string().as_bytes()).unwrap()
        };
        for key in &keys {
            let text = key.sign(&claims).unwrap();
            let token = Token::parse(&text).unwrap();
            assert_eq!(token.key_id(), Some(key.id()));
            assert_eq!(token.verify(&set(&[&keys[0], &keys[1]])), Ok(()));
            let other = keys.iter().find(|other| other.id() != key.id()).unwrap();
            assert_eq!(token.verify(&set(&[other])), Err(Unverified::NoKey));
            let (signed, signature) = text.rsplit_once('.').unwrap();
            let wrong = format!("{}x.{signature}", signed.strip_suffix('x').unwrap_or(signed));
            if let Ok(token) = Token::parse(&wrong) {
                assert_eq!(token.verify(&set(&[key])), Err(Unverified::Signature));
            }
        }
    }
}
