//! The keys themselves: made, read, and told apart by their fingerprints (EC2 User Guide, "Verify the fingerprint of
//! your key pair").

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{self, KeySize, PublicEncryptingKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_core::Secret;
use md5::{Digest as _, Md5};
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey};
use ssh_key::public::{KeyData, RsaPublicKey};
use ssh_key::{HashAlg, LineEnding, Mpint, PrivateKey, PublicKey};
use thiserror::Error;

use super::Algorithm;

/// A pair that was made.
pub(super) struct Made {
    /// In PEM: PKCS #1 for RSA, OpenSSH's own for Ed25519. EC2 gives the same.
    pub(super) private_key: Secret<String>,
    pub(super) public: Public,
}

/// A public key.
#[derive(Debug)]
pub(super) struct Public {
    pub(super) kind: Algorithm,
    /// As in `authorized_keys`.
    pub(super) text: String,
    pub(super) fingerprint: String,
}

/// A key could not be made.
#[derive(Clone, Copy, Debug, Error)]
#[error("a key pair could not be made")]
pub(super) struct NotMade;

/// A text is no public key that EC2 takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a public key of an algorithm and a length that can be imported")]
pub(super) struct InvalidKey;

/// Lengths of RSA keys in bits that can be imported (EC2 User Guide, "Create a key pair using a third-party tool and
/// import the public key").
const RSA_BITS: [usize; 3] = [1024, 2048, 4096];
/// The longest text that is read as a key.
const MAX_TEXT: usize = 16 * 1024;

/// An Ed25519 pair from 32 bytes that nobody can guess.
pub(super) fn make_ed25519(seed: &Secret<[u8; 32]>, name: &str) -> Result<Made, NotMade> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| NotMade)?;
    let private = Ed25519PrivateKey::from_bytes(seed.expose());
    let public = pair.public_key().as_ref().try_into().map_err(|_| NotMade)?;
    let pair = Ed25519Keypair { public, private };
    let private = PrivateKey::from(pair);
    let pem = private.to_openssh(LineEnding::LF).map_err(|_| NotMade)?;
    Ok(Made {
        private_key: Secret::new(pem.as_str().to_owned()),
        public: public_of(private.public_key().key_data(), name).map_err(|_| NotMade)?,
    })
}

/// An RSA pair of 2048 bits. The library takes its own randomness: it lets nobody else choose the primes.
pub(super) fn make_rsa(name: &str) -> Result<Made, NotMade> {
    let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(|_| NotMade)?;
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| NotMade)?;
    let pkcs1 = pkcs1_of(pkcs8.as_ref()).ok_or(NotMade)?;
    let key = public_part(pkcs1).ok_or(NotMade)?;
    let mut public = public_of(&KeyData::Rsa(key), name).map_err(|_| NotMade)?;
    // Of a pair that EC2 made, the fingerprint is that of the private key.
    public.fingerprint = colons(digest(&SHA1_FOR_LEGACY_USE_ONLY, pkcs8.as_ref()).as_ref());
    Ok(Made { private_key: Secret::new(pem("RSA PRIVATE KEY", pkcs1)), public })
}

/// Tags of DER.
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// The public part of a PKCS #1 key: modulus and exponent behind the version. DER's integers are written as SSH's.
fn public_part(pkcs1: &[u8]) -> Option<RsaPublicKey> {
    let (outer, _) = element(pkcs1, SEQUENCE)?;
    let (_, rest) = element(outer, INTEGER)?;
    let (n, rest) = element(rest, INTEGER)?;
    let (e, _) = element(rest, INTEGER)?;
    Some(RsaPublicKey { e: Mpint::from_bytes(e).ok()?, n: Mpint::from_bytes(n).ok()? })
}

/// The PKCS #1 key in a PKCS #8 one: the octet string behind the version and the algorithm.
fn pkcs1_of(pkcs8: &[u8]) -> Option<&[u8]> {
    let (outer, _) = element(pkcs8, SEQUENCE)?;
    let (_, rest) = element(outer, INTEGER)?;
    let (_, rest) = element(rest, SEQUENCE)?;
    Some(element(rest, OCTET_STRING)?.0)
}

/// The content of the first DER element, which has to be of a kind, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk()?;
    let (length, rest) = match length {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (bytes.iter().try_fold(0_usize, |sum, b| Some(sum.checked_mul(256)? + usize::from(*b)))?, rest)
        }
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = zeroize::Zeroizing::new(STANDARD.encode(der));
    let lines: Vec<&str> = base64.as_bytes().chunks(64).filter_map(|l| std::str::from_utf8(l).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", lines.join("\n"))
}

/// Reads a public key as EC2 imports it: OpenSSH's form, RFC 4716's, or the bare base64 of the key.
pub(super) fn read(bytes: &[u8], name: &str) -> Result<Public, InvalidKey> {
    let text = std::str::from_utf8(bytes).map_err(|_| InvalidKey)?.trim();
    if text.len() > MAX_TEXT {
        return Err(InvalidKey);
    }
    if text.starts_with("ssh-") {
        let key = PublicKey::from_openssh(text).map_err(|_| InvalidKey)?;
        let mut public = public_of(key.key_data(), name)?;
        // It keeps the comment that it came with.
        public.text = key.to_openssh().map_err(|_| InvalidKey)?;
        return Ok(public);
    }
    let base64: String = match text.strip_prefix("---- BEGIN SSH2 PUBLIC KEY ----") {
        Some(rest) => rfc4716_body(rest)?,
        None => text.split_whitespace().collect(),
    };
    let blob = STANDARD.decode(base64).map_err(|_| InvalidKey)?;
    let key = PublicKey::from_bytes(&blob).map_err(|_| InvalidKey)?;
    public_of(key.key_data(), name)
}

/// The base64 between the headers and the end of RFC 4716's form. A header ends where a line ends without `\`.
fn rfc4716_body(text: &str) -> Result<String, InvalidKey> {
    let (body, _) = text.split_once("---- END SSH2 PUBLIC KEY ----").ok_or(InvalidKey)?;
    let (mut base64, mut in_header) = (String::new(), false);
    for line in body.lines() {
        let header = in_header || line.contains(':');
        in_header = header && line.trim_end().ends_with('\\');
        if !header {
            base64.push_str(line.trim());
        }
    }
    Ok(base64)
}

/// A public key with the fingerprint of one that was imported.
fn public_of(key: &KeyData, comment: &str) -> Result<Public, InvalidKey> {
    let (kind, fingerprint) = match key {
        KeyData::Rsa(rsa) => {
            let (n, e) = (rsa.n.as_positive_bytes(), rsa.e.as_positive_bytes());
            let (n, e) = (n.ok_or(InvalidKey)?, e.ok_or(InvalidKey)?);
            if !RSA_BITS.contains(&(n.len() * 8)) {
                return Err(InvalidKey);
            }
            (Algorithm::Rsa, colons(&Md5::digest(subject_public_key_info(n, e)?)))
        }
        KeyData::Ed25519(_) => {
            let hash = key.fingerprint(HashAlg::Sha256);
            (Algorithm::Ed25519, STANDARD.encode(hash.as_bytes()))
        }
        _ => return Err(InvalidKey),
    };
    let text = PublicKey::new(key.clone(), comment).to_openssh().map_err(|_| InvalidKey)?;
    Ok(Public { kind, text, fingerprint })
}

/// An RSA key in X.509's form.
fn subject_public_key_info(n: &[u8], e: &[u8]) -> Result<Vec<u8>, InvalidKey> {
    let key: PublicEncryptingKey = RsaPublicKeyComponents { n, e }.try_into().map_err(|_| InvalidKey)?;
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(&key).map_err(|_| InvalidKey)?;
    Ok(der.as_ref().to_vec())
}

/// `1f:51:ae:…`.
fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA: &str = "AAAAB3NzaC1yc2EAAAADAQABAAABAQDusXfgTE4eBP50NglSzCSEGnIL6+cr6m3H6cZANOQ+P1o/W4BdtcAL3sor4iGi7SOeJgo8kweyMQrhrt6HaKGgromRiz37LQx4YIAcBi4Zd023mO/V7Rc2Chh18mWgLSmA6ng+j37ip6452zxtv0jHAz9pJolbKBpJzbZlPN45ZCTk9ck0fSVHRl6VRSSPQcpqi65XpRf+35zNOCGCc1mAOOTmw59Q2a6A3t8mL7r91aM5q6QOQm219lctFM8O7HRJnDgmhGpnjRwE1LyKktWTbgFZ4SNWU2XqusUO07jKuSxzPumXBeU+JEtx0J1tqZwJlpGt2R+0qN7nKnPl2+hx";
    /// Of the key above, as `openssl rsa -pubin -outform DER | openssl md5 -c` says it.
    const RSA_FINGERPRINT: &str = "6a:49:07:1c:7e:bd:d2:bd:96:25:fe:b5:74:83:ae:fd";
    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEwsSB9HbTeKCdkSlMZeTq9jZggaPJUwAsUi/7wakB+B me@example.com";

    #[test]
    fn every_form_of_a_key_is_the_same_key() {
        let folded = {
            let (start, end) = RSA.split_at(70);
            format!("{start}\n{end}")
        };
        for text in [
            format!("ssh-rsa {RSA} me@example.com\n"),
            format!("---- BEGIN SSH2 PUBLIC KEY ----\n{folded}\n---- END SSH2 PUBLIC KEY ----\n"),
            format!(
                "---- BEGIN SSH2 PUBLIC KEY ----\ncOmmENt: me@example.com\n{folded}\n---- END SSH2 PUBLIC KEY ----"
            ),
            format!(
                "---- BEGIN SSH2 PUBLIC KEY ----\nComment: for use on \\\nservers\nx-y: z\n{folded}\n---- END SSH2 PUBLIC KEY ----"
            ),
            folded.clone(),
        ] {
            let public = read(text.as_bytes(), "k").unwrap();
            assert_eq!(
                (public.kind, public.fingerprint.as_str()),
                (Algorithm::Rsa, RSA_FINGERPRINT),
                "{text}"
            );
            assert!(public.text.starts_with(&format!("ssh-rsa {RSA}")));
        }
        let public = read(ED25519.as_bytes(), "k").unwrap();
        assert_eq!(public.kind, Algorithm::Ed25519);
        assert_eq!(public.text, ED25519);
        assert_eq!(public.fingerprint.len(), 44);
        assert!(public.fingerprint.ends_with('='), "EC2 keeps the padding");
    }

    #[test]
    fn what_ec2_does_not_import_is_refused() {
        let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc= x";
        for text in
            ["", "ssh-rsa", "ssh-rsa !!", "ssh-ed25519 AAAA", ecdsa, "AAAA", "\u{0}", &"a".repeat(20_000)]
        {
            assert_eq!(read(text.as_bytes(), "k").map(|_| ()), Err(InvalidKey), "{text}");
        }
        assert!(read(&[0xff, 0xfe], "k").is_err());
    }

    #[test]
    fn a_made_pair_is_a_pair() {
        let made = make_ed25519(&Secret::new([7; 32]), "k").unwrap();
        let private = PrivateKey::from_openssh(made.private_key.expose()).unwrap();
        assert!(made.private_key.expose().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
        let public = PublicKey::from_openssh(&made.public.text).unwrap();
        assert_eq!(public.key_data(), private.public_key().key_data());
        assert_eq!(read(made.public.text.as_bytes(), "k").unwrap().fingerprint, made.public.fingerprint);
    }

    #[test]
    fn a_made_rsa_pair_is_a_pair() {
        let made = make_rsa("k").unwrap();
        let pem = made.private_key.expose();
        assert!(pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\nMII"));
        let body: String = pem.lines().filter(|l| !l.starts_with("---")).collect();
        let der = STANDARD.decode(body).unwrap();
        let pair = aws_lc_rs::signature::RsaKeyPair::from_der(&der).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        pair.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &random, b"words", &mut signature).unwrap();
        let public = PublicKey::from_openssh(&made.public.text).unwrap();
        let key = public.key_data().rsa().unwrap();
        let (n, e) = (key.n.as_positive_bytes().unwrap(), key.e.as_positive_bytes().unwrap());
        let verified = RsaPublicKeyComponents { n, e };
        let algorithm = &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
        assert!(verified.verify(algorithm, b"words", &signature).is_ok());
        // SHA-1 of the private key, not MD5 of the public one.
        assert_eq!(made.public.fingerprint.len(), 59);
    }

    #[test]
    fn what_is_no_der_gives_no_key() {
        for der in
            [&[][..], &[0x30], &[0x30, 0x05], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x02, 0x01, 0x00]]
        {
            assert_eq!(pkcs1_of(der), None);
        }
    }
}
