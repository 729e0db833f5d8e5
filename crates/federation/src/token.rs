//! JSON Web Tokens of others (RFC 7519, in the compact form of RFC 7515).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::algorithm::Algorithm;
use crate::json::parse_object;
use crate::key_set::KeySet;

/// Nothing longer is read: the longest that STS takes (STS API reference, AssumeRoleWithWebIdentity).
const MAX_LENGTH: usize = 20_000;
/// The longest id of a key.
const MAX_KEY_ID: usize = 512;

/// The text is no token that could be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a signed JSON Web Token")]
pub struct NotAToken;

/// A claim is not what claims of its name are.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the claim `{0}` is not of its type")]
pub struct InvalidClaim(pub String);

/// Why a token's signature is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unverified {
    /// None of the keys is the one that the token names, for the algorithm that it names.
    #[error("no key of that id and algorithm")]
    NoKey,
    /// The key that it names did not sign it.
    #[error("the signature is not the key's")]
    Signature,
}

/// A token that was read, and whose signature may or may not be good.
#[derive(Debug)]
pub struct Token<'t> {
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Claims,
    signed: &'t str,
    signature: Vec<u8>,
}

impl<'t> Token<'t> {
    /// Reads a token.
    ///
    /// # Errors
    /// If it is not three parts of base64url, if its header or claims are not plain JSON objects, if its algorithm is not
    /// taken, or if its header says that something must be understood that is not.
    pub fn parse(text: &'t str) -> Result<Self, NotAToken> {
        if text.len() > MAX_LENGTH {
            return Err(NotAToken);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(NotAToken)?;
        let (header, claims) = signed.split_once('.').ok_or(NotAToken)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| NotAToken);
        let object = |part: &str| parse_object(&decode(part)?).map_err(|_| NotAToken);
        let header = object(header)?;
        // Whatever must be understood is not (RFC 7515, section 4.1.11; RFC 7797).
        if header.contains_key("crit") || header.contains_key("b64") || header.contains_key("enc") {
            return Err(NotAToken);
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse);
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) if id.len() <= MAX_KEY_ID => Some(id.clone()),
            Some(_) => return Err(NotAToken),
        };
        Ok(Self {
            algorithm: algorithm.ok_or(NotAToken)?,
            key_id,
            claims: Claims(object(claims)?),
            signed,
            signature: decode(signature)?,
        })
    }

    /// The key that it names.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The algorithm that it names.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What it says; nobody vouches for it before [`verify`](Self::verify).
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// If none of the keys made it.
    pub fn verify(&self, keys: &KeySet) -> Result<(), Unverified> {
        if !keys.has(self.key_id(), self.algorithm) {
            return Err(Unverified::NoKey);
        }
        if keys.verify(self.key_id(), self.algorithm, self.signed.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(Unverified::Signature)
        }
    }
}

/// What a token says.
#[derive(Clone, Debug)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A claim, whatever it is.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The names of all claims with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A claim that is a text.
    ///
    /// # Errors
    /// If it is something else.
    pub fn text(&self, name: &str) -> Result<Option<&str>, InvalidClaim> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(InvalidClaim(name.to_owned())),
        }
    }

    /// A claim that is a text or a list of texts.
    ///
    /// # Errors
    /// If it is something else.
    pub fn texts(&self, name: &str) -> Result<Vec<&str>, InvalidClaim> {
        let invalid = || InvalidClaim(name.to_owned());
        match self.0.get(name) {
            None => Ok(vec![]),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(items)) => items.iter().map(|item| item.as_str().ok_or_else(invalid)).collect(),
            Some(_) => Err(invalid()),
        }
    }

    /// A claim that is a point in time: seconds since 1970, perhaps with a fraction, which is left out.
    ///
    /// # Errors
    /// If it is something else, or out of all bounds.
    pub fn seconds(&self, name: &str) -> Result<Option<i64>, InvalidClaim> {
        let invalid = || InvalidClaim(name.to_owned());
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let Value::Number(number) = value else { return Err(invalid()) };
        let whole = number.as_i64().or_else(|| {
            let fraction = number.as_f64().filter(|f| f.is_finite() && f.abs() < 1e12)?;
            format!("{:.0}", fraction.floor()).parse().ok()
        });
        whole.filter(|seconds| (0..=253_402_300_799).contains(seconds)).map(Some).ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str, signature: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", encode(header), encode(claims), encode(signature))
    }

    #[test]
    fn what_is_not_plainly_a_signed_token_is_none() {
        let good = token(r#"{"alg":"RS256","kid":"k"}"#, r#"{"iss":"x"}"#, "s");
        let read = Token::parse(&good).unwrap();
        assert_eq!((read.key_id(), read.algorithm()), (Some("k"), Algorithm::Rs256));
        let parts: Vec<&str> = good.split('.').collect();
        for text in [
            String::new(),
            "..".to_owned(),
            format!("{}.{}", parts[0], parts[1]),
            format!("{good}.x"),
            format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
            format!(" {good}"),
            token(r#"{"alg":"none"}"#, "{}", ""),
            token(r#"{"alg":"None"}"#, "{}", ""),
            token(r#"{"alg":"HS256"}"#, "{}", "s"),
            token(r#"{"alg":"rs256"}"#, "{}", "s"),
            token(r#"{"alg":["RS256"]}"#, "{}", "s"),
            token(r"{}", "{}", "s"),
            token(r#"{"alg":"RS256","alg":"ES256"}"#, "{}", "s"),
            token(r#"{"alg":"RS256","crit":["exp"]}"#, "{}", "s"),
            token(r#"{"alg":"RS256","b64":false}"#, "{}", "s"),
            token(r#"{"alg":"RS256","kid":1}"#, "{}", "s"),
            token(r#"{"alg":"RS256"}"#, r#"{"sub":"a","sub":"b"}"#, "s"),
            token(r#"{"alg":"RS256"}"#, "[]", "s"),
            token(r#"{"alg":"RS256"}"#, &format!(r#"{{"a":"{}"}}"#, "x".repeat(20_000)), "s"),
        ] {
            assert_eq!(Token::parse(&text).err(), Some(NotAToken), "{text}");
        }
    }

    #[test]
    fn claims_are_of_their_type_or_wrong() {
        let text = token(
            r#"{"alg":"ES256"}"#,
            r#"{"a":"x","l":["x","y"],"m":["x",1],"t":1700000000,"f":1700000000.9,"n":-1,"big":1e300,"o":{}}"#,
            "s",
        );
        let token = Token::parse(&text).unwrap();
        let claims = token.claims();
        assert_eq!(claims.text("a"), Ok(Some("x")));
        assert_eq!(claims.text("none"), Ok(None));
        assert!(claims.text("l").is_err());
        assert_eq!(claims.texts("a"), Ok(vec!["x"]));
        assert_eq!(claims.texts("l"), Ok(vec!["x", "y"]));
        assert!(claims.texts("m").is_err() && claims.texts("o").is_err());
        assert_eq!(claims.seconds("t"), Ok(Some(1_700_000_000)));
        assert_eq!(claims.seconds("f"), Ok(Some(1_700_000_000)));
        for name in ["n", "big", "a", "o"] {
            assert!(claims.seconds(name).is_err(), "{name}");
        }
    }
}
