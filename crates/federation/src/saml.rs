//! SAML 2.0: what identity providers say of themselves (metadata), and of others (assertions).
//!
//! A general verifier of XML signatures does what a document tells it to: transform, look elements up by id, follow
//! references. Attacks live there: what was verified is not what is read. So this takes one narrow profile and nothing
//! else, on one tree that is parsed once: a response with one assertion, no comments, no document type; a signature that is a
//! child of the very element that it signs, with one reference to that element, the two transforms that SAML needs, and
//! digests of the SHA-2 family; and the assertion that is read is that element, or the only one within it. An assertion that
//! is encrypted becomes a document of its own, to which all of this applies anew.

mod assertion;
mod canonical;
mod encryption;
mod metadata;
mod signature;

pub use assertion::{Assertion, InvalidResponse, Response};
pub use encryption::{DecryptionKey, InvalidPrivateKey};
pub use metadata::{InvalidMetadata, Metadata};

use roxmltree::{Document, Node, ParsingOptions};

/// The namespace of assertions.
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// The namespace of responses.
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// The namespace of metadata.
const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// The namespace of XML signatures.
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// The deepest nesting that is taken.
const MAX_DEPTH: usize = 64;
/// The most attributes of an element, and namespaces that it stands in.
const MAX_ATTRIBUTES: usize = 64;

/// A document without a document type, comments or instructions, and not nested without end.
fn parse(text: &str, max_nodes: u32) -> Option<Document<'_>> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: max_nodes, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).ok()?;
    let plain = |node: Node<'_, '_>| {
        let small = node.attributes().len() <= MAX_ATTRIBUTES && node.namespaces().len() <= MAX_ATTRIBUTES;
        let shallow = node.ancestors().take(MAX_DEPTH + 1).count() <= MAX_DEPTH;
        (node.is_element() && small || node.is_text() || node.is_root()) && shallow
    };
    document.root().descendants().all(plain).then_some(document)
}

/// Whether it is the element of that name.
fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.is_element() && node.has_tag_name((namespace, name))
}

/// The elements of that name right below.
fn children<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    namespace: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, namespace, name))
}

/// The element of that name right below, if there is exactly one.
fn only<'a, 'i: 'a>(node: Node<'a, 'i>, namespace: &'static str, name: &'static str) -> Option<Node<'a, 'i>> {
    let mut found = children(node, namespace, name);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The text of an element that has nothing but text.
fn text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let mut parts = node.children();
    match (parts.next(), parts.next()) {
        (None, _) => Some(""),
        (Some(part), None) if part.is_text() => part.text(),
        _ => None,
    }
}

/// Base64 with the white space that XML is written with.
fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(plain).ok()
}

/// A point in time, in seconds since 1970 (`2026-11-22T02:14:00Z`, perhaps with a fraction).
fn seconds(text: &str) -> Option<i64> {
    let parsed = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    Some(parsed.unix_timestamp())
}

#[cfg(test)]
mod tests;
