//! Assertions that are encrypted (XML encryption 1.1, SAML core 2.0, section 6): one element under one key, which stands with
//! it and is not looked for anywhere else.
//!
//! Anybody can encrypt for a provider's key, and change what others encrypted: that something opens proves nothing, and why
//! it does not is nobody's business. What is asked of the private keys is the same work whatever comes of it.

use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm as Block, DecryptionContext, PaddedBlockDecryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use roxmltree::Node;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{DSIG, InvalidResponse, base64, children, is, only, text};

/// The namespace of XML encryption, and what its algorithms begin with.
const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
/// The namespace of what version 1.1 adds, and what its algorithms begin with.
const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
/// What is encrypted is an element.
const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";
/// What a reference to a key of another place is of.
const ENCRYPTED_KEY: &str = "http://www.w3.org/2001/04/xmlenc#EncryptedKey";
/// Bytes of a modulus: 2048 to 4096 bits. Longer ones would make what anybody may send cost too much.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// The longest key of a cipher, in bytes.
const MAX_KEY_BYTES: usize = 32;

/// A private key that assertions could be encrypted for is not one, or too short or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an RSA private key of 2048 to 4096 bits")]
pub struct InvalidPrivateKey;

/// A key of the receiver's that opens assertions.
pub struct DecryptionKey(OaepPrivateDecryptingKey);

impl DecryptionKey {
    /// Checks a key as it stands in a PEM block of that label; PKCS #8, to keep.
    ///
    /// # Errors
    /// If it is not a private key of RSA, in the clear, of 2048 to 4096 bits.
    pub fn import(label: &str, der: &[u8]) -> Result<Zeroizing<Vec<u8>>, InvalidPrivateKey> {
        let pair = match label {
            "PRIVATE KEY" => KeyPair::from_pkcs8(der),
            "RSA PRIVATE KEY" => KeyPair::from_der(der),
            _ => return Err(InvalidPrivateKey),
        };
        let pair = pair.ok().filter(|pair| MODULUS_BYTES.contains(&pair.public_modulus_len()));
        let pkcs8 = pair.ok_or(InvalidPrivateKey)?.as_der().map_err(|_| InvalidPrivateKey)?;
        Ok(Zeroizing::new(pkcs8.as_ref().to_vec()))
    }

    /// A key that was checked before.
    ///
    /// # Errors
    /// If it was not.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, InvalidPrivateKey> {
        let key = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| InvalidPrivateKey)?;
        Ok(Self(OaepPrivateDecryptingKey::new(key).map_err(|_| InvalidPrivateKey)?))
    }

    fn open(&self, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(vec![0; self.0.min_output_size()]);
        let opened = self.0.decrypt(sealed.transport, &sealed.key, &mut out, Some(&sealed.label)).ok()?;
        let right = opened.len() == sealed.cipher.key_bytes();
        right.then(|| Zeroizing::new(opened.to_vec()))
    }
}

/// How the element is encrypted: what AWS takes (IAM API reference, CreateSAMLProvider: AES in GCM or CBC).
#[derive(Clone, Copy)]
enum Cipher {
    Gcm(&'static aws_lc_rs::aead::Algorithm),
    /// With nothing that tells whether it was changed: the signature within does.
    Cbc(&'static Block, usize),
}

impl Cipher {
    fn parse(name: &str) -> Option<Self> {
        Some(match (name.strip_prefix(XENC), name.strip_prefix(XENC11)) {
            (_, Some("aes128-gcm")) => Self::Gcm(&AES_128_GCM),
            (_, Some("aes192-gcm")) => Self::Gcm(&AES_192_GCM),
            (_, Some("aes256-gcm")) => Self::Gcm(&AES_256_GCM),
            (Some("aes128-cbc"), _) => Self::Cbc(&AES_128, 16),
            (Some("aes192-cbc"), _) => Self::Cbc(&AES_192, 24),
            (Some("aes256-cbc"), _) => Self::Cbc(&AES_256, 32),
            _ => return None,
        })
    }

    fn key_bytes(self) -> usize {
        match self {
            Self::Gcm(algorithm) => algorithm.key_len(),
            Self::Cbc(_, bytes) => bytes,
        }
    }

    fn open(self, key: &[u8], mut sealed: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
        let plain = match self {
            Self::Gcm(algorithm) => {
                let nonce = *sealed.first_chunk()?;
                let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_within(nonce, Aad::empty(), &mut sealed, 12..).ok()?.to_vec()
            }
            Self::Cbc(algorithm, _) => {
                let iv: [u8; 16] = *sealed.first_chunk()?;
                let key = UnboundCipherKey::new(algorithm, key).ok()?;
                // of the padding the last byte alone is said (XML encryption 1.1, section 5.2)
                let key = PaddedBlockDecryptingKey::cbc_iso10126(key).ok()?;
                let context = DecryptionContext::Iv128(FixedLength::from(iv));
                key.decrypt(sealed.get_mut(16..)?, context).ok()?.to_vec()
            }
        };
        Some(Zeroizing::new(plain))
    }
}

/// An encrypted assertion, of which nothing is known yet.
pub(super) struct Sealed {
    cipher: Cipher,
    transport: &'static OaepAlgorithm,
    label: Vec<u8>,
    key: Vec<u8>,
    element: Vec<u8>,
}

impl Sealed {
    /// Reads the parts of an `EncryptedAssertion`.
    ///
    /// # Errors
    /// If it is not one element under one key right there, or encrypted in a way that is not taken.
    pub(super) fn read(encrypted: Node<'_, '_>) -> Result<Self, InvalidResponse> {
        let data = only(encrypted, XENC, "EncryptedData").ok_or(InvalidResponse::Form)?;
        let key = key_of(encrypted, data).ok_or(InvalidResponse::Form)?;
        if data.attribute("Type").is_some_and(|of| of != ELEMENT) {
            return Err(InvalidResponse::Form);
        }
        let method = |node| only(node, XENC, "EncryptionMethod").ok_or(InvalidResponse::Form);
        let (of_data, of_key) = (method(data)?, method(key)?);
        let cipher = of_data.attribute("Algorithm").and_then(Cipher::parse);
        let label = match children(of_key, XENC, "OAEPparams").next() {
            Some(label) => text(label).and_then(base64).ok_or(InvalidResponse::Form)?,
            None => vec![],
        };
        Ok(Self {
            cipher: cipher.ok_or(InvalidResponse::Algorithm)?,
            transport: transport(of_key).ok_or(InvalidResponse::Algorithm)?,
            label,
            key: value(key).ok_or(InvalidResponse::Form)?,
            element: value(data).ok_or(InvalidResponse::Form)?,
        })
    }

    /// The digest of the encrypted key, where nothing of the encryption tells whether the element was changed.
    pub(super) fn malleable_key(&self) -> Option<[u8; 32]> {
        match self.cipher {
            Cipher::Gcm(_) => None,
            Cipher::Cbc(..) => digest(&SHA256, &self.key).as_ref().try_into().ok(),
        }
    }

    /// What it comes to with one of the keys, each of which is asked. Where none opens it, the rest is done all the same.
    pub(super) fn open(self, keys: &[DecryptionKey]) -> Option<Zeroizing<Vec<u8>>> {
        let opened: Vec<_> = keys.iter().map(|key| key.open(&self)).collect();
        let opened = opened.into_iter().flatten().next();
        let nothing = [0; MAX_KEY_BYTES];
        let key = opened.as_deref().map(Vec::as_slice).or_else(|| nothing.get(..self.cipher.key_bytes()))?;
        self.cipher.open(key, self.element).filter(|_| opened.is_some())
    }
}

/// The key of the data: in its key information, or beside it within the same encrypted assertion, where the information
/// names it if it says anything (SAML core 2.0, section 6.1). There is no other in the document.
fn key_of<'a, 'i: 'a>(encrypted: Node<'a, 'i>, data: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let root = encrypted.document().root_element();
    let count = |name: &str| root.descendants().filter(|node| is(*node, XENC, name)).count();
    if count("EncryptedData") != 1 || count("EncryptedKey") != 1 {
        return None;
    }
    let info = children(data, DSIG, "KeyInfo").next();
    if let Some(within) = info.and_then(|info| only(info, XENC, "EncryptedKey")) {
        return Some(within);
    }
    let beside = only(encrypted, XENC, "EncryptedKey")?;
    let reference = info.and_then(|info| children(info, DSIG, "RetrievalMethod").next());
    let named = reference.is_none_or(|reference| {
        let uri = reference.attribute("URI").and_then(|uri| uri.strip_prefix('#'));
        reference.attribute("Type").is_none_or(|of| of == ENCRYPTED_KEY)
            && uri.is_some_and(|id| beside.attribute("Id") == Some(id))
    });
    named.then_some(beside)
}

/// The bytes of a `CipherValue`; a `CipherReference` is not followed.
fn value(node: Node<'_, '_>) -> Option<Vec<u8>> {
    base64(text(only(only(node, XENC, "CipherData")?, XENC, "CipherValue")?)?)
}

/// RSA-OAEP. With PKCS #1 v1.5 whoever asks often enough reads the key from the answers; with two different hashes the
/// library does not do it.
fn transport(method: Node<'_, '_>) -> Option<&'static OaepAlgorithm> {
    let algorithm = |namespace: &'static str, name: &'static str| {
        children(method, namespace, name).next().map(|node| node.attribute("Algorithm").unwrap_or(""))
    };
    let hash = match algorithm(DSIG, "DigestMethod") {
        None | Some("http://www.w3.org/2000/09/xmldsig#sha1") => "sha1",
        Some("http://www.w3.org/2001/04/xmlenc#sha256") => "sha256",
        Some("http://www.w3.org/2001/04/xmldsig-more#sha384") => "sha384",
        Some("http://www.w3.org/2001/04/xmlenc#sha512") => "sha512",
        Some(_) => return None,
    };
    let mask = match method.attribute("Algorithm")? {
        "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" => "sha1",
        "http://www.w3.org/2009/xmlenc11#rsa-oaep" => match algorithm(XENC11, "MGF") {
            None => "sha1",
            Some(name) => name.strip_prefix(XENC11)?.strip_prefix("mgf1")?,
        },
        _ => return None,
    };
    Some(match (hash, mask) {
        ("sha1", "sha1") => &OAEP_SHA1_MGF1SHA1,
        ("sha256", "sha256") => &OAEP_SHA256_MGF1SHA256,
        ("sha384", "sha384") => &OAEP_SHA384_MGF1SHA384,
        ("sha512", "sha512") => &OAEP_SHA512_MGF1SHA512,
        _ => return None,
    })
}
