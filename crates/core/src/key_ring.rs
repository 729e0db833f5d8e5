//! The keys that seal sessions, secrets and messages. They stand in the store, each sealed with the root key, which
//! does not; what was sealed names the key that opens it, so that keys can be replaced while what they sealed lives.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_store::records::{KeyRing as Stored, RingKey, Sealed};
use daypass_store::{Read as _, Record as _, Store, StoreError, TransactError};
use thiserror::Error;

use crate::Secret;
use crate::surroundings::{Clock, Entropy, random};

/// Nothing longer is opened.
const MAX_SEALED_BYTES: usize = 64 << 10;

/// The key that is not in the store: who has it and the store has everything.
pub type RootKey = Secret<[u8; 32]>;

/// What a key of the ring is used for: each use has a key of its own, derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Session tokens.
    Session,
    /// The secret access keys of sessions.
    SessionSecret,
    /// Secrets in records.
    Record,
    /// Encoded authorization messages.
    Message,
    /// Tokens of the metadata service.
    Metadata,
    /// Tokens that continue a list.
    Pagination,
    /// Objects at rest.
    Objects,
}

impl Purpose {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Session => b"daypass session 1",
            Self::SessionSecret => b"daypass session secret 1",
            Self::Record => b"daypass record 1",
            Self::Message => b"daypass message 1",
            Self::Metadata => b"daypass metadata 1",
            Self::Pagination => b"daypass pagination 1",
            Self::Objects => b"daypass objects 1",
        }
    }
}

/// The ring could not be read, or something did not open.
#[derive(Debug, Error)]
pub enum KeyRingError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root key is not the one that sealed the ring.
    #[error("the root key does not open the key ring of this store")]
    WrongRootKey,
    /// The library refused a key or a length; it cannot with the ones that are used.
    #[error("encryption failed")]
    Crypto,
}

/// What was given is nothing that this ring sealed, or not for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not sealed by this key ring")]
pub struct Unopenable;

/// The ring, ready for use. Cheap to clone.
#[derive(Clone)]
pub struct KeyRing {
    keys: Arc<Vec<(u32, Secret<[u8; 32]>)>>,
    entropy: Arc<dyn Entropy>,
}

impl KeyRing {
    /// Reads the ring of a store; makes its first key if there is none.
    ///
    /// # Errors
    /// If the store fails or the root key is another.
    pub async fn load(
        store: &Store,
        root: &RootKey,
        clock: &dyn Clock,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyRingError> {
        let fresh = Secret::new(random::<32>(&*entropy));
        let first = RingKey {
            number: 1,
            secret: Sealed(seal(root.expose(), 0, b"ring key 1", fresh.expose(), &*entropy)?),
            created: clock.now(),
        };
        let stored = store
            .transact(|tx| match tx.get::<Stored>(&Stored::place())? {
                Some(ring) => Ok(ring),
                None => {
                    let ring = Stored { keys: vec![first.clone()] };
                    debug_assert_eq!(ring.key(), Stored::place());
                    tx.put(&ring)?;
                    Ok::<_, StoreError>(ring)
                }
            })
            .await;
        let stored = stored.map_err(|e| match e {
            TransactError::Aborted(e) | TransactError::Store(e) => e,
        })?;
        Self::of(stored, root, entropy)
    }

    /// The ring of a record.
    ///
    /// # Errors
    /// If the root key is another.
    pub fn of(stored: Stored, root: &RootKey, entropy: Arc<dyn Entropy>) -> Result<Self, KeyRingError> {
        let mut keys = vec![];
        for key in stored.keys {
            let aad = format!("ring key {}", key.number);
            let opened =
                open(root.expose(), aad.as_bytes(), &key.secret.0).map_err(|_| KeyRingError::WrongRootKey)?;
            let bytes = opened.expose().as_slice().try_into().map_err(|_| KeyRingError::WrongRootKey)?;
            keys.push((key.number, Secret::new(bytes)));
        }
        if keys.is_empty() {
            return Err(KeyRingError::WrongRootKey);
        }
        Ok(Self { keys: Arc::new(keys), entropy })
    }

    /// Encrypts; `context` is not in the result, but has to be given again to open it.
    ///
    /// # Errors
    /// If the library fails.
    pub fn seal(&self, purpose: Purpose, context: &[u8], plain: &[u8]) -> Result<String, KeyRingError> {
        let (number, key) = self.keys.last().ok_or(KeyRingError::Crypto)?;
        let key = derive(key, purpose)?;
        seal(&key, *number, context, plain, &*self.entropy)
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose and context.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &str,
    ) -> Result<Secret<Vec<u8>>, Unopenable> {
        let key = self.key(number_of(sealed)?).ok_or(Unopenable)?;
        let key = derive(key, purpose).map_err(|_| Unopenable)?;
        open(&key, context, sealed)
    }

    /// A code that only this ring can make for the data, under the key that sealed `sealed`.
    ///
    /// # Errors
    /// If `sealed` was not sealed by this ring.
    pub fn code_beside(&self, purpose: Purpose, sealed: &str, data: &[u8]) -> Result<[u8; 32], Unopenable> {
        let key = self.key(number_of(sealed)?).ok_or(Unopenable)?;
        let key = derive(key, purpose).map_err(|_| Unopenable)?;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*key), data);
        tag.as_ref().try_into().map_err(|_| Unopenable)
    }

    /// The number of the key that seals.
    pub(crate) fn newest(&self) -> u32 {
        self.keys.last().map_or(0, |(number, _)| *number)
    }

    /// The key that objects are sealed with under a key of the ring.
    pub(crate) fn object_key(&self, number: u32) -> Option<zeroize::Zeroizing<[u8; 32]>> {
        derive(self.key(number)?, Purpose::Objects).ok()
    }

    fn key(&self, number: u32) -> Option<&Secret<[u8; 32]>> {
        self.keys.iter().find(|(n, _)| *n == number).map(|(_, key)| key)
    }
}

fn derive(key: &Secret<[u8; 32]>, purpose: Purpose) -> Result<zeroize::Zeroizing<[u8; 32]>, KeyRingError> {
    let mut out = zeroize::Zeroizing::new([0; 32]);
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(key.expose());
    prk.expand(&[purpose.info()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *out))
        .map_err(|_| KeyRingError::Crypto)?;
    Ok(out)
}

fn seal(
    key: &[u8; 32],
    number: u32,
    aad: &[u8],
    plain: &[u8],
    entropy: &dyn Entropy,
) -> Result<String, KeyRingError> {
    let nonce = random::<NONCE_LEN>(entropy);
    let mut sealed = plain.to_vec();
    aead(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
        .map_err(|_| KeyRingError::Crypto)?;
    Ok(BASE64.encode([&number.to_be_bytes()[..], &nonce, &sealed].concat()))
}

fn open(key: &[u8; 32], aad: &[u8], sealed: &str) -> Result<Secret<Vec<u8>>, Unopenable> {
    let bytes = decode(sealed)?;
    let (_, rest) = bytes.split_at_checked(4).ok_or(Unopenable)?;
    let (nonce, cipher) = rest.split_at_checked(NONCE_LEN).ok_or(Unopenable)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unopenable)?;
    let mut buffer = cipher.to_vec();
    let plain = aead(key).map_err(|_| Unopenable)?.open_in_place(nonce, Aad::from(aad), &mut buffer);
    let length = plain.map_err(|_| Unopenable)?.len();
    buffer.truncate(length);
    Ok(Secret::new(buffer))
}

fn aead(key: &[u8; 32]) -> Result<LessSafeKey, KeyRingError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| KeyRingError::Crypto)
}

fn number_of(sealed: &str) -> Result<u32, Unopenable> {
    let bytes = decode(sealed)?;
    bytes.first_chunk().map(|n| u32::from_be_bytes(*n)).ok_or(Unopenable)
}

/// Bounded before anything is decoded.
fn decode(sealed: &str) -> Result<Vec<u8>, Unopenable> {
    if sealed.len() > MAX_SEALED_BYTES {
        return Err(Unopenable);
    }
    BASE64.decode(sealed).map_err(|_| Unopenable)
}
