//! Signing keys: what a signature is verified with, and all that this module ever sees of a secret.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256};
use zeroize::{Zeroize, Zeroizing};

use super::TERMINATOR;

/// The key of one secret for one day, region and service (`kSigning`).
///
/// Cheap to clone, so that a cache can hand it out; it is wiped when the last clone goes, and cannot be
/// printed. It signs for its scope alone: cache it by access key, day, region and service.
///
/// Source: *Create a signed AWS API request*, "Calculate the signature".
#[derive(Clone)]
pub struct SigningKey(Arc<hmac::Key>);

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
        Self(Arc::new(key))
    }

    /// The key of `secret` for Signature Version 2, which knows neither day nor service: not to be cached.
    pub(super) fn v2(secret: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret)))
    }

    /// A key to spend on a caller without one the time that a real one takes. Its verdict is never read.
    pub(super) fn decoy() -> &'static Self {
        static DECOY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::derive(b"", "", "", ""));
        &DECOY
    }

    /// Compares, in constant time, the signature of `text` with the one `provided`.
    pub(super) fn verifies(&self, text: &[u8], provided: &[u8]) -> bool {
        hmac::verify(&self.0, text, provided).is_ok()
    }
}
