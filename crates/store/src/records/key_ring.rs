use daypass_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::Sealed;
use crate::{Key, Record};

/// The keys that seal sessions and secrets, each sealed with the root key, which is not in the store.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRing {
    /// The keys, oldest first; the last is the one that seals.
    pub keys: Vec<RingKey>,
}

/// One key of the ring.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingKey {
    /// Its number: what was sealed names the key that opens it.
    pub number: u32,
    /// The key.
    pub secret: Sealed,
    /// When it was made.
    pub created: Timestamp,
}

impl KeyRing {
    /// Where the ring stands: there is one.
    #[must_use]
    pub fn place() -> Key {
        Key::new(&["key-ring"])
    }
}

impl Record for KeyRing {
    fn key(&self) -> Key {
        Self::place()
    }
}
