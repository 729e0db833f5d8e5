//! Sealing the blocks of a blob with AES-256-GCM.
//!
//! Each blob has a key of its own, made by HKDF-SHA256 from the caller's key and 32 random bytes, so that the number of
//! a block serves as its nonce. What is authenticated beside the block is the blob's number.

use crate::{Error, Result, SealKey};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;

pub(super) const TAG_BYTES: usize = 16;
const TAG_INFO: &[u8] = b"daypass objects: entity tag, version 1";
const INFO: &[&[u8]] = &[b"daypass objects: blob key, version 1"];

pub(super) struct BlobCipher {
    key: LessSafeKey,
}

impl BlobCipher {
    pub(super) fn new(key: &SealKey, salt: &[u8; 32]) -> Result<Self> {
        let unusable = |_| Error::Io("no key could be derived".into());
        let derived = Salt::new(HKDF_SHA256, salt).extract(key.bytes());
        let key = derived.expand(INFO, &AES_256_GCM).map(UnboundKey::from).map_err(unusable)?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Seals in place and answers the tag.
    pub(super) fn seal(&self, blob: u64, block: u64, bytes: &mut [u8]) -> Result<[u8; TAG_BYTES]> {
        let sealed = self.key.seal_in_place_separate_tag(nonce(block), Aad::from(blob.to_be_bytes()), bytes);
        let tag = sealed.map_err(|_| Error::Io("sealing failed".into()))?;
        tag.as_ref().try_into().map_err(|_| Error::Io("sealing failed".into()))
    }

    /// Opens in place.
    pub(super) fn open(&self, blob: u64, block: u64, bytes: &mut [u8], tag: &[u8; TAG_BYTES]) -> Result<()> {
        self.key
            .open_in_place_separate_tag(nonce(block), Aad::from(blob.to_be_bytes()), tag, bytes)
            .map(|_| ())
            .map_err(|_| Error::Corrupt(format!("block {block} of blob {blob} is not what was sealed")))
    }
}

/// The entity tag of bytes that are sealed with a key that was given: 16 bytes that depend on the key, the blob and the MD5.
pub(super) fn tag_of(key: &SealKey, salt: &[u8; 32], md5: &[u8; 16]) -> [u8; 16] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.bytes());
    let tag = hmac::sign(&key, &[TAG_INFO, salt, md5].concat());
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

fn nonce(block: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    if let Some(low) = nonce.last_chunk_mut::<8>() {
        *low = block.to_be_bytes();
    }
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::BlobCipher;
    use crate::SealKey;

    #[test]
    fn a_block_opens_only_in_its_place_under_its_key_and_salt() {
        let cipher = |key, salt| BlobCipher::new(&SealKey::new([key; 32]), &[salt; 32]).unwrap();
        let mut sealed = *b"some bytes";
        let tag = cipher(1, 1).seal(5, 7, &mut sealed).unwrap();
        assert_ne!(&sealed, b"some bytes");
        for (key, salt, blob, block, opens) in [
            (1, 1, 5, 7, true),
            (2, 1, 5, 7, false),
            (1, 2, 5, 7, false),
            (1, 1, 6, 7, false),
            (1, 1, 5, 8, false),
        ] {
            let mut bytes = sealed;
            assert_eq!(cipher(key, salt).open(blob, block, &mut bytes, &tag).is_ok(), opens);
            assert_eq!(&bytes == b"some bytes", opens);
        }
    }
}
