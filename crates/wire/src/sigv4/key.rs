//! Signing keys: what a signature is verified with, and all that this module ever sees of a secret.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use zeroize::{Zeroize, Zeroizing};

use super::TERMINATOR;
use super::algorithm::Algorithm;
use super::percent::{hex_digit, parse_hash};

/// The longest signature of SigV4A: DER of two numbers of 33 bytes.
pub(super) const MAX_DER: usize = 72;

/// The order of the group of P-256, less two: the greatest number that a private key is made of.
const ORDER_LESS_TWO: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];

/// The key of one secret for one day, region and service (`kSigning`), or, of SigV4A, the public half of its key pair.
///
/// Cheap to clone, so that a cache can hand it out; it is wiped when the last clone goes, and cannot be
/// printed. It signs for its scope alone: cache it by access key, day, region and service.
///
/// Source: *Create a signed AWS API request*, "Calculate the signature".
#[derive(Clone)]
pub struct SigningKey(Key);

/// What the key of a secret depends on: the algorithm, and the scope's day, region and service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyScope {
    pub(super) algorithm: Algorithm,
    pub(super) date: Box<str>,
    pub(super) region: Box<str>,
    pub(super) service: Box<str>,
}

#[derive(Clone)]
enum Key {
    Hmac(Arc<hmac::Key>),
    /// A point, uncompressed; none where there is no key, which verifies nothing.
    P256(Arc<[u8]>),
}

impl SigningKey {
    /// Derives the key of `secret` for a scope. `date` is the scope's, `YYYYMMDD`.
    #[must_use]
    pub fn derive(secret: &[u8], date: &str, region: &str, service: &str) -> Self {
        let mut prefixed = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
        prefixed.extend_from_slice(b"AWS4");
        prefixed.extend_from_slice(secret);
        let mut key = hmac::Key::new(HMAC_SHA256, &prefixed);
        for part in [date, region, service, TERMINATOR] {
            let mut next = [0; 32];
            // The buffer has the length of a tag, the only thing that this call can find wrong.
            let _ = hmac::sign_to_buffer(&key, part.as_bytes(), &mut next);
            key = hmac::Key::new(HMAC_SHA256, &next);
            next.zeroize();
        }
        Self(Key::Hmac(Arc::new(key)))
    }

    /// Derives the key pair of `secret` for SigV4A, which knows neither day, region nor service, and keeps its public half.
    ///
    /// A counter runs until a number comes out that can be a private key, which is practically always the first (NIST SP
    /// 800-108, in counter mode; *Create a signed AWS API request*, "Derive a signing key for SigV4A").
    #[must_use]
    pub fn derive_asymmetric(secret: &[u8], access_key_id: &str) -> Self {
        let mut prefixed = Zeroizing::new(Vec::with_capacity(5 + secret.len()));
        prefixed.extend_from_slice(b"AWS4A");
        prefixed.extend_from_slice(secret);
        let key = hmac::Key::new(HMAC_SHA256, &prefixed);
        let point = (1..=254_u8).find_map(|counter| {
            let mut input = 1_u32.to_be_bytes().to_vec();
            input.extend_from_slice(Algorithm::Ecdsa.name().as_bytes());
            input.push(0);
            input.extend_from_slice(access_key_id.as_bytes());
            input.push(counter);
            input.extend_from_slice(&256_u32.to_be_bytes());
            let mut number = Zeroizing::new([0; 32]);
            let _ = hmac::sign_to_buffer(&key, &input, &mut *number);
            if *number > ORDER_LESS_TWO {
                return None;
            }
            increment(&mut number);
            let private = PrivateKey::from_private_key(&ECDH_P256, &*number).ok()?;
            Some(private.compute_public_key().ok()?.as_ref().to_vec())
        });
        Self(Key::P256(point.unwrap_or_default().into()))
    }

    /// The key of `secret` for Signature Version 2, which knows neither day nor service: not to be cached.
    pub(super) fn v2(secret: &[u8]) -> Self {
        Self(Key::Hmac(Arc::new(hmac::Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret))))
    }

    /// A key to spend on a caller without one the time that a real one takes. Its verdict is never read.
    pub(super) fn decoy() -> &'static Self {
        static DECOY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::derive(b"", "", "", ""));
        &DECOY
    }

    /// Compares, in constant time, the signature of `text` with the one `provided`. No key pair verifies anything here.
    pub(super) fn verifies(&self, text: &[u8], provided: &[u8]) -> bool {
        match &self.0 {
            Key::Hmac(key) => hmac::verify(key, text, provided).is_ok(),
            Key::P256(_) => false,
        }
    }

    /// The same of a signature in hexadecimal, as Signature Version 4 writes it: in lower case.
    ///
    /// A signature of SigV4A is DER as it must be written and no other way, which the library sees to. It may have either of
    /// the two values that verify, for signers send both.
    pub(super) fn verifies_hex(&self, text: &[u8], provided: &[u8]) -> bool {
        let written_right = !provided.iter().any(u8::is_ascii_uppercase);
        match &self.0 {
            Key::Hmac(key) => {
                let signature = parse_hash(provided);
                let verifies = hmac::verify(key, text, &signature.unwrap_or_default()).is_ok();
                verifies && signature.is_some() && written_right
            }
            Key::P256(point) => {
                let signature = parse_hex(provided).unwrap_or_default();
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
                key.verify(text, &signature).is_ok() && written_right
            }
        }
    }
}

/// One more. The greatest number has room for it.
fn increment(number: &mut [u8; 32]) {
    for byte in number.iter_mut().rev() {
        let (next, carry) = byte.overflowing_add(1);
        *byte = next;
        if !carry {
            return;
        }
    }
}

fn parse_hex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 2 * MAX_DER {
        return None;
    }
    let pairs = text.chunks_exact(2);
    pairs
        .map(
            |pair| if let &[high, low] = pair { Some(hex_digit(high)? << 4 | hex_digit(low)?) } else { None },
        )
        .collect()
}
