//! The keys that objects are sealed with at rest: derived from the key ring, so that the ring and the root key before it
//! guard objects as they guard everything else.

use daypass_objects::{KeyId, Keyring, SealKey};

use crate::key_ring::KeyRing;

/// What the id of such a key begins with; the number of the ring's key follows.
const NAMESPACE: &[u8; 12] = b"daypass ring";

/// The object store's view of the key ring.
pub struct ObjectKeys {
    ring: KeyRing,
}

impl ObjectKeys {
    /// Whether this is a key of some ring: one that says of an object that it is encrypted at rest, and nothing more.
    #[must_use]
    pub fn is_of_a_ring(id: KeyId) -> bool {
        id.0.starts_with(NAMESPACE)
    }

    /// The keys of a ring.
    #[must_use]
    pub fn of(ring: &KeyRing) -> Self {
        Self { ring: ring.clone() }
    }
}

impl Keyring for ObjectKeys {
    fn key(&self, id: KeyId) -> Option<SealKey> {
        let (namespace, number) = id.0.split_first_chunk::<12>()?;
        let number = u32::from_be_bytes(number.try_into().ok()?);
        (namespace == NAMESPACE).then(|| self.ring.object_key(number).map(|key| SealKey::new(*key)))?
    }
}

impl KeyRing {
    /// The key that new objects are sealed with.
    #[must_use]
    pub fn newest_object_key(&self) -> KeyId {
        let mut id = [0; 16];
        let (namespace, number) = id.split_at_mut(NAMESPACE.len());
        namespace.copy_from_slice(NAMESPACE);
        number.copy_from_slice(&self.newest().to_be_bytes());
        KeyId(id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::{Counting, StillClock};
    use crate::{Entropy, Secret};

    #[tokio::test]
    async fn the_newest_key_is_there_and_no_other_name_finds_one() {
        let store = daypass_store::Store::in_memory().unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
        let clock = StillClock::new();
        let ring = KeyRing::load(&store, &Secret::new([7; 32]), &clock, entropy).await.unwrap();
        let keys = ObjectKeys::of(&ring);
        let newest = ring.newest_object_key();
        assert!(keys.key(newest).is_some());
        for byte in [0, 15] {
            let mut other = newest;
            other.0[byte] ^= 1;
            assert!(keys.key(other).is_none());
        }
    }
}
