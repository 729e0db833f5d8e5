//! Keys that seal bytes at rest. Whose they are and how they are kept is the caller's business.

use std::fmt;
use zeroize::Zeroizing;

/// Names a key; stored with what it sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct KeyId(pub [u8; 16]);

impl KeyId {
    /// The key comes with the bytes, and again with whoever reads them: nothing keeps it, and no [`Keyring`] has it.
    pub const GIVEN: Self = Self(*b"given by callers");
}

/// A 256-bit key, zeroed when dropped and never printed.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// Takes the key.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

/// Where the engine finds the key that a stored object names.
pub trait Keyring: Send + Sync {
    /// The key of this id, if it is at hand.
    fn key(&self, id: KeyId) -> Option<SealKey>;
}

/// No keys: nothing can be sealed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeys;

impl Keyring for NoKeys {
    fn key(&self, _: KeyId) -> Option<SealKey> {
        None
    }
}
