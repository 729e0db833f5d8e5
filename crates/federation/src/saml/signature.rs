//! The signature of an element, by the one profile that is taken.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, digest};
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use roxmltree::Node;

use super::{DSIG, base64, canonical, children, is, only, text};

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// The most prefixes that a signature may have written wherever they are declared.
const MAX_PREFIXES: usize = 20;

/// Whether the signature, a child of the element that it is to sign, is one of these keys' over that element as it is.
pub(super) fn verify(element: Node<'_, '_>, signature: Node<'_, '_>, keys: &[Vec<u8>]) -> bool {
    checked(element, signature, keys).is_some()
}

fn checked(element: Node<'_, '_>, signature: Node<'_, '_>, keys: &[Vec<u8>]) -> Option<()> {
    let parts = [("SignedInfo", 1), ("SignatureValue", 1), ("KeyInfo", 0)];
    exactly(signature, &parts)?;
    let info = only(signature, DSIG, "SignedInfo")?;
    exactly(info, &[("CanonicalizationMethod", 1), ("SignatureMethod", 1), ("Reference", 1)])?;
    let method = only(info, DSIG, "CanonicalizationMethod")?;
    if algorithm(method)? != EXCLUSIVE || method.has_children() && method.children().any(|c| c.is_element()) {
        return None;
    }
    digests(element, signature, only(info, DSIG, "Reference")?)?;
    let method = only(info, DSIG, "SignatureMethod")?;
    exactly(method, &[])?;
    let scheme = scheme(algorithm(method)?)?;
    let value = base64(text(only(signature, DSIG, "SignatureValue")?)?)?;
    let message = canonical::bytes(info, None, &[])?;
    let signed = |key: &Vec<u8>| UnparsedPublicKey::new(scheme, key).verify(&message, &value).is_ok();
    keys.iter().any(signed).then_some(())
}

/// The one reference: to the element that the signature is in, without the signature.
fn digests(element: Node<'_, '_>, signature: Node<'_, '_>, reference: Node<'_, '_>) -> Option<()> {
    exactly(reference, &[("Transforms", 1), ("DigestMethod", 1), ("DigestValue", 1)])?;
    let id = element.attribute("ID").filter(|id| !id.is_empty())?;
    if reference.attribute("URI")?.strip_prefix('#') != Some(id) {
        return None;
    }
    let transforms: Vec<_> =
        only(reference, DSIG, "Transforms")?.children().filter(Node::is_element).collect();
    let [enveloped, exclusive] = transforms.as_slice() else { return None };
    let transforms = is(*enveloped, DSIG, "Transform") && is(*exclusive, DSIG, "Transform");
    if !transforms || algorithm(*enveloped)? != ENVELOPED || algorithm(*exclusive)? != EXCLUSIVE {
        return None;
    }
    exactly(*enveloped, &[])?;
    let inclusive = prefixes(*exclusive)?;
    let method = only(reference, DSIG, "DigestMethod")?;
    exactly(method, &[])?;
    let hash = match algorithm(method)? {
        "http://www.w3.org/2001/04/xmlenc#sha256" => &digest::SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => &digest::SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => &digest::SHA512,
        _ => return None,
    };
    let expected = base64(text(only(reference, DSIG, "DigestValue")?)?)?;
    let actual = digest(hash, &canonical::bytes(element, Some(signature), &inclusive)?);
    verify_slices_are_equal(actual.as_ref(), &expected).ok()
}

/// `<InclusiveNamespaces PrefixList="xs #default"/>` of the transform, if it is there.
fn prefixes<'a>(transform: Node<'a, '_>) -> Option<Vec<&'a str>> {
    let elements: Vec<_> = transform.children().filter(Node::is_element).collect();
    let list = match elements.as_slice() {
        [] => return Some(vec![]),
        [list] if is(*list, EXCLUSIVE, "InclusiveNamespaces") => list.attribute("PrefixList")?,
        _ => return None,
    };
    let found: Vec<&str> =
        list.split_ascii_whitespace().map(|p| if p == "#default" { "" } else { p }).collect();
    (found.len() <= MAX_PREFIXES).then_some(found)
}

/// That an element of a signature has these elements below it and no others: each at most once, and exactly once if it is
/// said to be.
fn exactly(node: Node<'_, '_>, parts: &[(&'static str, usize)]) -> Option<()> {
    let known =
        |child: Node<'_, '_>| parts.iter().any(|(name, _)| is(child, DSIG, name)) || !child.is_element();
    let counted = parts.iter().all(|(name, least)| {
        let count = children(node, DSIG, name).count();
        count <= 1 && count >= *least
    });
    (node.children().all(known) && counted).then_some(())
}

fn algorithm<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.attribute("Algorithm")
}

/// RSA and ECDSA with SHA-2 (RFC 6931). What is signed with SHA-1 is as good as not signed.
fn scheme(name: &str) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match name.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#")? {
        "rsa-sha256" => &signature::RSA_PKCS1_2048_8192_SHA256,
        "rsa-sha384" => &signature::RSA_PKCS1_2048_8192_SHA384,
        "rsa-sha512" => &signature::RSA_PKCS1_2048_8192_SHA512,
        "ecdsa-sha256" => &signature::ECDSA_P256_SHA256_FIXED,
        "ecdsa-sha384" => &signature::ECDSA_P384_SHA384_FIXED,
        "ecdsa-sha512" => &signature::ECDSA_P521_SHA512_FIXED,
        _ => return None,
    })
}
