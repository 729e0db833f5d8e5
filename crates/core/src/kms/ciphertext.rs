//! What a key seals: AES-256-GCM under a key of its own, derived from the material and 32 random bytes, with the encryption
//! context as what has to be given again. The ciphertext names its key and the material.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use daypass_model::AccountId;
use thiserror::Error;

use super::key::Key;
use crate::key_ring::{KeyRing, KeyRingError};
use crate::{Entropy, Secret};

/// What has to be given again to open: names and values, none of them secret.
pub type EncryptionContext = BTreeMap<String, String>;

/// The longest context, in bytes of its names and values (KMS developer guide, "Encryption context").
pub const MAX_CONTEXT_BYTES: usize = 8192;

/// Bytes of a data key of 256 bits.
pub const DATA_KEY_BYTES: usize = 32;

const VERSION: u8 = 1;
const SALT_BYTES: usize = 32;
/// Version, account, key id, place of the material, salt.
const HEADER_BYTES: usize = 1 + 8 + 16 + 4 + SALT_BYTES;
/// The longest that is looked at: `CiphertextType` of the API.
const MAX_BYTES: usize = 6144;
const INFO: &[&[u8]] = &[b"daypass kms: ciphertext key, version 1"];

/// What was given was not sealed by a key of KMS, or not by this one, or not under this context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a ciphertext of this key and context")]
pub struct NotCiphertext;

/// Whether a context is longer than one can be. Nothing is asked about such a one.
#[must_use]
pub fn is_too_long(context: &EncryptionContext) -> bool {
    context.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > MAX_CONTEXT_BYTES
}

/// A ciphertext, taken apart.
pub struct Ciphertext<'a> {
    /// The account of the key that sealed it.
    pub account: AccountId,
    /// The id of that key.
    pub key_id: String,
    material: usize,
    bytes: &'a [u8],
}

impl<'a> Ciphertext<'a> {
    /// Takes one apart.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NotCiphertext> {
        let (header, _) =
            bytes.split_at_checked(HEADER_BYTES).filter(|_| bytes.len() <= MAX_BYTES).ok_or(NotCiphertext)?;
        let (version, rest) = header.split_first().ok_or(NotCiphertext)?;
        let (account, rest) = rest.split_first_chunk::<8>().ok_or(NotCiphertext)?;
        let (id, rest) = rest.split_first_chunk::<16>().ok_or(NotCiphertext)?;
        let (material, _) = rest.split_first_chunk::<4>().ok_or(NotCiphertext)?;
        if *version != VERSION {
            return Err(NotCiphertext);
        }
        let account = format!("{:012}", u64::from_be_bytes(*account)).parse().map_err(|_| NotCiphertext)?;
        let material = usize::try_from(u32::from_be_bytes(*material)).map_err(|_| NotCiphertext)?;
        Ok(Self { account, key_id: uuid(id), material, bytes })
    }

    /// Opens it with its key; the id of the material that did.
    ///
    /// # Errors
    /// If it was not sealed by that key under that context.
    pub fn open<'k>(
        &self,
        ring: &KeyRing,
        key: &'k Key,
        context: &EncryptionContext,
    ) -> Result<(Secret<Vec<u8>>, &'k str), NotCiphertext> {
        if key.id != self.key_id || key.account != self.account {
            return Err(NotCiphertext);
        }
        let (header, sealed) = self.bytes.split_at_checked(HEADER_BYTES).ok_or(NotCiphertext)?;
        let salt = header.last_chunk::<SALT_BYTES>().ok_or(NotCiphertext)?;
        let material = key.material(ring, self.material).map_err(|_| NotCiphertext)?;
        let aead = aead(&material, salt).map_err(|_| NotCiphertext)?;
        let mut buffer = sealed.to_vec();
        let aad = Aad::from(said(header, context));
        let length = aead.open_in_place(nonce(), aad, &mut buffer).map_err(|_| NotCiphertext)?.len();
        buffer.truncate(length);
        let id = key.materials.get(self.material).map_or("", |material| material.id.as_str());
        Ok((Secret::new(buffer), id))
    }
}

impl Key {
    /// Seals some bytes with the newest material.
    ///
    /// # Errors
    /// If the key ring or the library fails.
    pub fn seal(
        &self,
        (ring, entropy): (&KeyRing, &dyn Entropy),
        context: &EncryptionContext,
        plain: &[u8],
    ) -> Result<Vec<u8>, KeyRingError> {
        let at = self.materials.len().checked_sub(1).ok_or(KeyRingError::Crypto)?;
        let material = self.material(ring, at).map_err(|_| KeyRingError::Crypto)?;
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt);
        let account: u64 = self.account.as_str().parse().map_err(|_| KeyRingError::Crypto)?;
        let place = u32::try_from(at).map_err(|_| KeyRingError::Crypto)?;
        let mut out = vec![VERSION];
        out.extend_from_slice(&account.to_be_bytes());
        out.extend_from_slice(&bytes_of(&self.id).ok_or(KeyRingError::Crypto)?);
        out.extend_from_slice(&place.to_be_bytes());
        out.extend_from_slice(&salt);
        let aad = Aad::from(said(&out, context));
        let mut sealed = plain.to_vec();
        aead(&material, &salt)?
            .seal_in_place_append_tag(nonce(), aad, &mut sealed)
            .map_err(|_| KeyRingError::Crypto)?;
        out.append(&mut sealed);
        Ok(out)
    }

    /// A new data key, and the same sealed.
    ///
    /// # Errors
    /// As [`Key::seal`].
    pub fn data_key(
        &self,
        (ring, entropy): (&KeyRing, &dyn Entropy),
        context: &EncryptionContext,
        length: usize,
    ) -> Result<(Secret<Vec<u8>>, Vec<u8>), KeyRingError> {
        let mut plain = vec![0; length];
        entropy.fill(&mut plain);
        let plain = Secret::new(plain);
        let sealed = self.seal((ring, entropy), context, plain.expose())?;
        Ok((plain, sealed))
    }
}

/// The header and the context, with lengths, so that no two contexts say the same.
fn said(header: &[u8], context: &EncryptionContext) -> Vec<u8> {
    let mut said = header.to_vec();
    for text in context.iter().flat_map(|(key, value)| [key, value]) {
        said.extend_from_slice(&(text.len() as u64).to_be_bytes());
        said.extend_from_slice(text.as_bytes());
    }
    said
}

fn aead(material: &Secret<Vec<u8>>, salt: &[u8; SALT_BYTES]) -> Result<LessSafeKey, KeyRingError> {
    let derived = Salt::new(HKDF_SHA256, salt).extract(material.expose());
    let key = derived.expand(INFO, &AES_256_GCM).map(UnboundKey::from).map_err(|_| KeyRingError::Crypto)?;
    Ok(LessSafeKey::new(key))
}

/// Each derived key seals once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn uuid(bytes: &[u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("");
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

fn bytes_of(uuid: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = uuid
        .bytes()
        .filter(|byte| *byte != b'-')
        .map(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    rest.is_empty().then(|| bytes.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use daypass_model::Timestamp;

    use super::*;
    use crate::kms::Manager;
    use crate::testing::{Counting, StillClock};

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    async fn ring() -> (KeyRing, Arc<dyn Entropy>) {
        let store = daypass_store::Store::in_memory().unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
        let clock = StillClock::new();
        let ring = KeyRing::load(&store, &Secret::new([7; 32]), &clock, Arc::clone(&entropy)).await;
        (ring.unwrap(), entropy)
    }

    fn key(id: &str, ring: &KeyRing) -> Key {
        let account = "000000000012".parse().unwrap();
        let now = Timestamp::from_seconds(1);
        let mut key = Key::new((account, "us-east-1"), id.to_owned(), Manager::Customer, String::new(), now);
        key.add_material(ring, &Secret::new([1; 32]), &[2; 32], now, false).unwrap();
        key
    }

    #[tokio::test]
    async fn what_is_sealed_opens_with_its_key_and_context_alone() {
        let (ring, entropy) = ring().await;
        let mut mine = key(ID, &ring);
        let other = key("00000000-12ab-34cd-56ef-1234567890ab", &ring);
        let under = context(&[("a", "b"), ("c", "d")]);
        let sealed = mine.seal((&ring, &*entropy), &under, b"hello").unwrap();
        mine.add_material(&ring, &Secret::new([9; 32]), &[8; 32], Timestamp::from_seconds(2), false).unwrap();
        let parsed = Ciphertext::parse(&sealed).unwrap();
        assert_eq!((parsed.account.as_str(), parsed.key_id.as_str()), ("000000000012", ID));
        let (plain, material) = parsed.open(&ring, &mine, &under).unwrap();
        assert_eq!((plain.expose().as_slice(), material), (&b"hello"[..], "02".repeat(32).as_str()));
        let again = mine.seal((&ring, &*entropy), &under, b"hello").unwrap();
        assert_ne!(again, sealed);
        let (_, material) = Ciphertext::parse(&again).unwrap().open(&ring, &mine, &under).unwrap();
        assert_eq!(material, "08".repeat(32), "the newest material seals");
        for wrong in [&[][..], &[("a", "b")], &[("a", "bc"), ("", "d")], &[("c", "d"), ("A", "b")]] {
            assert!(parsed.open(&ring, &mine, &context(wrong)).is_err(), "{wrong:?}");
        }
        assert!(parsed.open(&ring, &other, &under).is_err());
        for at in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[at] ^= 1;
            let opened = Ciphertext::parse(&broken).is_ok_and(|c| c.open(&ring, &mine, &under).is_ok());
            assert!(!opened, "byte {at}");
        }
        for short in [0, 1, HEADER_BYTES - 1] {
            assert!(Ciphertext::parse(sealed.get(..short).unwrap()).is_err(), "{short}");
        }
    }
}
