//! The keys that an issuer publishes: a JSON Web Key Set (RFC 7517).

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::UnparsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::algorithm::{Algorithm, Curve};
use crate::json::parse_object;

/// The most keys of one type that are taken: AWS's limit, a hundred of RSA and a hundred of ECDSA.
const MAX_KEYS: usize = 200;
/// The longest modulus, in bytes: 8192 bits.
const MAX_MODULUS: usize = 1024;

/// The document is no key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a JSON Web Key Set")]
pub struct InvalidKeySet;

/// Public keys that signatures are verified with.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, if it says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point, not compressed.
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
}

impl KeySet {
    /// Reads a set. Keys of other types and for other uses are left out, as RFC 7517 says.
    ///
    /// # Errors
    /// If it is no key set or has too many keys.
    pub fn parse(text: &[u8]) -> Result<Self, InvalidKeySet> {
        let document = parse_object(text).map_err(|_| InvalidKeySet)?;
        let Some(Value::Array(keys)) = document.get("keys") else { return Err(InvalidKeySet) };
        if keys.len() > MAX_KEYS {
            return Err(InvalidKeySet);
        }
        Ok(Self { keys: keys.iter().filter_map(Value::as_object).filter_map(Key::read).collect() })
    }

    /// Whether a signature of this algorithm by the key of this id may be verified with one of the keys.
    #[must_use]
    pub fn has(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        !self.candidates(id, algorithm).is_empty()
    }

    /// Whether one of the keys that are meant made the signature.
    pub(crate) fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.candidates(id, algorithm).iter().any(|key| key.material.verify(algorithm, message, signature))
    }

    /// The keys of that id; of a token that names none, the only key that there is for the algorithm.
    fn candidates(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<&Key> {
        let fit = self.keys.iter().filter(|key| key.fits(algorithm));
        match id {
            Some(id) => fit.filter(|key| key.id.as_deref() == Some(id)).collect(),
            None => {
                let all: Vec<&Key> = fit.collect();
                if all.len() == 1 { all } else { vec![] }
            }
        }
    }
}

impl Key {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let for_signatures = text("use").is_none_or(|usage| usage == "sig");
        let verifies = match members.get("key_ops") {
            None => true,
            Some(Value::Array(operations)) => operations.iter().any(|o| o.as_str() == Some("verify")),
            Some(_) => false,
        };
        if !for_signatures || !verifies {
            return None;
        }
        let algorithm = match members.get("alg") {
            None | Some(Value::Null) => None,
            // A key for something else is not for this.
            Some(name) => Some(Algorithm::parse(name.as_str()?)?),
        };
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let material = match text("kty")? {
            "RSA" => {
                let (n, e) = (unsigned(bytes("n")?), unsigned(bytes("e")?));
                if n.len() > MAX_MODULUS || e.len() > 8 {
                    return None;
                }
                Material::Rsa { n, e }
            }
            "EC" => {
                let curve = Curve::parse(text("crv")?)?;
                let (x, y) = (bytes("x")?, bytes("y")?);
                let length = curve.coordinate_bytes();
                if x.len() != length || y.len() != length {
                    return None;
                }
                Material::Ec { curve, point: [&[4], &x[..], &y[..]].concat() }
            }
            _ => return None,
        };
        Some(Self { id: text("kid").map(str::to_owned), algorithm, material })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let type_fits = match &self.material {
            Material::Rsa { .. } => algorithm.rsa().is_some(),
            Material::Ec { curve, .. } => algorithm.ecdsa().is_some_and(|(named, _)| named == *curve),
        };
        type_fits && self.algorithm.is_none_or(|own| own == algorithm)
    }
}

/// A number without zeros before it: some issuers write them, against RFC 7518.
fn unsigned(mut bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    bytes.drain(..zeros);
    bytes
}

impl Material {
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { n, e } => algorithm.rsa().is_some_and(|parameters| {
                PublicKeyComponents { n: &n[..], e: &e[..] }.verify(parameters, message, signature).is_ok()
            }),
            Self::Ec { point, .. } => algorithm.ecdsa().is_some_and(|(_, scheme)| {
                UnparsedPublicKey::new(scheme, point).verify(message, signature).is_ok()
            }),
        }
    }
}
