//! Documents of another store: bounded, without declarations of types, and believed in nothing but their words.

use super::text;
use crate::{ETag, Error, Result, Timestamp};
use roxmltree::{Document, Node, ParsingOptions};

/// The longest document, in bytes: a page of a thousand versions whose keys are percent-encoded.
pub(super) const MAX_BYTES: usize = 16 << 20;
/// The most nodes of one.
const MAX_NODES: u32 = 200_000;

/// Reads a document with this element at its root, and hands it to `read`.
pub(super) fn read<T>(
    bytes: &[u8],
    root: &'static str,
    read: impl FnOnce(Element<'_, '_>) -> Option<T>,
) -> Result<T> {
    let odd = || Error::Upstream(format!("an answer that is no `{root}`"));
    let text = std::str::from_utf8(bytes).map_err(|_| odd())?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|_| odd())?;
    let element = document.root_element();
    if element.tag_name().name() != root {
        return Err(odd());
    }
    read(Element(element)).ok_or_else(odd)
}

/// An element.
#[derive(Clone, Copy)]
pub(super) struct Element<'a, 'input>(Node<'a, 'input>);

impl<'a, 'input> Element<'a, 'input> {
    /// Its children.
    pub(super) fn children(self) -> impl Iterator<Item = (&'a str, Self)> {
        self.0.children().filter(Node::is_element).map(|node| (node.tag_name().name(), Self(node)))
    }

    /// Those of a name.
    pub(super) fn all(self, name: &str) -> impl Iterator<Item = Self> {
        self.children().filter(move |(found, _)| *found == name).map(|(_, element)| element)
    }

    /// The first of a name.
    pub(super) fn child(self, name: &str) -> Option<Self> {
        self.all(name).next()
    }

    /// Its words.
    pub(super) fn words(self) -> &'a str {
        self.0.text().unwrap_or_default()
    }

    /// The words of its child.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.child(name).map(Self::words)
    }

    /// The same as bytes that were percent-encoded.
    pub(super) fn decoded(self, name: &str) -> Option<Vec<u8>> {
        text::decode(self.text(name)?)
    }

    /// The same as a truth.
    pub(super) fn is_true(self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.trim() == "true")
    }

    /// The same as a number.
    pub(super) fn number(self, name: &str) -> Option<u64> {
        self.text(name)?.trim().parse().ok()
    }

    /// The same as a time.
    pub(super) fn time(self, name: &str) -> Option<Timestamp> {
        text::iso_date(self.text(name)?.trim())
    }

    /// The entity tag.
    pub(super) fn etag(self) -> Option<ETag> {
        self.text("ETag").map(etag)
    }
}

/// A tag in its quotes.
pub(super) fn etag(text: &str) -> ETag {
    ETag::parse(text.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_and_endless_documents_are_not_read() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\">]><a><c>&b;</c></a>";
        assert!(read(bomb.as_bytes(), "a", |a| a.text("c").map(str::to_owned)).is_err());
        let many = format!("<a>{}</a>", "<c/>".repeat(MAX_NODES as usize));
        assert!(read(many.as_bytes(), "a", |_| Some(())).is_err());
        assert!(read(b"<other/>", "a", |_| Some(())).is_err());
        let plain = "<a xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><c>x&amp;%2By</c></a>";
        assert_eq!(read(plain.as_bytes(), "a", |a| a.decoded("c")).unwrap(), b"x&+y");
    }
}
