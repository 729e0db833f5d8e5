//! Identities that others vouch for, and ours that others trust: web identity tokens (JWT) and SAML assertions verified,
//! tokens of our own signed. Everything is a function of bytes, keys and a time; what is fetched, somebody else fetches.
//!
//! Nothing here trusts what it has not verified: a token is read strictly (no name twice, no unknown critical header), the
//! algorithm is one of a short list and belongs to the key, and the keys that a token names itself (`jku`, `x5u`, `jwk`,
//! `x5c`) are not looked at.

mod algorithm;
mod der;
mod issuer;
mod json;
mod key_set;
mod signer;
mod token;

pub use algorithm::Algorithm;
pub use issuer::{InvalidIssuer, Issuer};
pub use json::{NotStrict, parse_object};
pub use key_set::{InvalidKeySet, KeySet};
pub use signer::{SigningError, SigningKey};
pub use token::{Claims, InvalidClaim, NotAToken, Token, Unverified};
