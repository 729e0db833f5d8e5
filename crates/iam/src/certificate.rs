//! X.509 certificates that are uploaded.

use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, KeyPair as _,
};
use daypass_core::Fault;
use daypass_core::model::Timestamp;
use daypass_core::model::iam::errors;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::pem;

/// The bytes of the certificate in a text that holds just that.
///
/// # Errors
/// If it holds anything else.
pub(crate) fn read(text: &str) -> Result<Vec<u8>, Fault> {
    pem::single(text, "CERTIFICATE").filter(|bytes| parse(bytes).is_some()).ok_or_else(unparsable)
}

/// The certificates of a chain, each signed by the next one, the first having signed `leaf`.
///
/// # Errors
/// If one is no certificate, or not signed so.
pub(crate) fn check_chain(leaf: &[u8], text: &str) -> Result<(), Fault> {
    let blocks = pem::blocks(text).filter(|blocks| blocks.iter().all(|(label, _)| label == "CERTIFICATE"));
    let blocks = blocks.ok_or_else(unparsable)?;
    let mut below = leaf;
    for (place, (_, above)) in blocks.iter().enumerate() {
        let (issued, issuer) = parse(below).zip(parse(above)).ok_or_else(unparsable)?;
        let signed =
            issued.issuer() == issuer.subject() && issued.verify_signature(Some(issuer.public_key())).is_ok();
        if !signed {
            // The one that is not signed by the next: the certificate itself stands before the first.
            let index = i64::try_from(place).unwrap_or(0) - 1;
            return Err(malformed(format!(
                "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: {index}"
            )));
        }
        below = above;
    }
    Ok(())
}

/// Whether a private key in PEM, not encrypted, is that of the certificate.
///
/// # Errors
/// If it is no key, or another's.
pub(crate) fn check_key(certificate: &[u8], text: &str) -> Result<(), Fault> {
    let public = public_of(text).ok_or_else(|| malformed("Invalid Private Key.".to_owned()))?;
    let certificate = parse(certificate).ok_or_else(unparsable)?;
    if *certificate.public_key().subject_public_key.data == *public {
        return Ok(());
    }
    let words = "The public key certificate and the private key do not match.";
    Err(Fault::new(&errors::KEY_PAIR_MISMATCH, words))
}

/// When the certificate ends.
pub(crate) fn expiration(certificate: &[u8]) -> Option<Timestamp> {
    let seconds = parse(certificate)?.validity().not_after.timestamp();
    Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
}

fn parse(bytes: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(bytes)
        .ok()
        .filter(|(rest, _)| rest.is_empty())
        .map(|(_, certificate)| certificate)
}

/// The public half of a private key, as certificates hold it.
fn public_of(text: &str) -> Option<Vec<u8>> {
    let (label, bytes) = pem::blocks(text)?.into_iter().find(|(label, _)| label.ends_with("PRIVATE KEY"))?;
    let curves =
        [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P521_SHA512_ASN1_SIGNING];
    let of_rsa = |key: RsaKeyPair| key.public_key().as_ref().to_vec();
    let of_curve = |key: EcdsaKeyPair| key.public_key().as_ref().to_vec();
    match label.as_str() {
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&bytes).ok().map(of_rsa),
        "EC PRIVATE KEY" => {
            curves.iter().find_map(|c| EcdsaKeyPair::from_private_key_der(c, &bytes).ok()).map(of_curve)
        }
        "PRIVATE KEY" => {
            let rsa = RsaKeyPair::from_pkcs8(&bytes).ok().map(of_rsa);
            rsa.or_else(|| curves.iter().find_map(|c| EcdsaKeyPair::from_pkcs8(c, &bytes).ok()).map(of_curve))
        }
        _ => None,
    }
}

fn unparsable() -> Fault {
    malformed("Unable to parse certificate. Please ensure the certificate is in PEM format.".to_owned())
}

fn malformed(words: String) -> Fault {
    Fault::new(&errors::MALFORMED_CERTIFICATE, words)
}
