//! What an identity provider says of itself (SAML 2.0 metadata): its name, and the keys that it signs with.

use roxmltree::Node;
use thiserror::Error;

use super::{DSIG, METADATA, PROTOCOL, base64, children, is, parse, seconds};
use crate::der::public_key_of;

/// Nodes of a document at most.
const MAX_NODES: u32 = 50_000;
/// The longest name (SAML metadata 2.0, `entityIDType`).
const MAX_NAME: usize = 1024;
/// Keys at most.
const MAX_KEYS: usize = 20;

/// The document does not describe an identity provider whose assertions could be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the metadata of a SAML 2.0 identity provider with a signing certificate")]
pub struct InvalidMetadata;

/// An identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its name: what its assertions give as their issuer.
    pub entity_id: String,
    /// Until when the description is good, in seconds since 1970, if it says so.
    pub valid_until: Option<i64>,
    /// The keys that it signs with (`SubjectPublicKeyInfo`).
    pub(super) keys: Vec<Vec<u8>>,
}

impl Metadata {
    /// Reads a description.
    ///
    /// # Errors
    /// If it is none, or has no key to verify anything with.
    pub fn parse(text: &str) -> Result<Self, InvalidMetadata> {
        read(text).ok_or(InvalidMetadata)
    }
}

fn read(text: &str) -> Option<Metadata> {
    let document = parse(text.trim_start_matches('\u{feff}'), MAX_NODES)?;
    let root = document.root_element();
    let entity_id = root.attribute("entityID").filter(|id| (1..=MAX_NAME).contains(&id.len()))?;
    let valid_until = match root.attribute("validUntil") {
        Some(until) => Some(seconds(until)?),
        None => None,
    };
    let speaks = |role: &Node<'_, '_>| {
        let protocols = role.attribute("protocolSupportEnumeration").unwrap_or("");
        protocols.split_ascii_whitespace().any(|p| p == PROTOCOL)
    };
    let roles = children(root, METADATA, "IDPSSODescriptor").filter(speaks);
    let descriptors = roles.flat_map(|role| children(role, METADATA, "KeyDescriptor"));
    let signing = descriptors.filter(|d| d.attribute("use").is_none_or(|usage| usage == "signing"));
    let mut keys: Vec<Vec<u8>> = vec![];
    for certificate in signing.flat_map(certificates) {
        let der = base64(super::text(certificate)?)?;
        let key = public_key_of(&der)?.to_vec();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let described = is(root, METADATA, "EntityDescriptor") && (1..=MAX_KEYS).contains(&keys.len());
    described.then(|| Metadata { entity_id: entity_id.to_owned(), valid_until, keys })
}

fn certificates<'a, 'i: 'a>(descriptor: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    children(descriptor, DSIG, "KeyInfo")
        .flat_map(|info| children(info, DSIG, "X509Data"))
        .flat_map(|data| children(data, DSIG, "X509Certificate"))
}
