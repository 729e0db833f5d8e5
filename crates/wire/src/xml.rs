//! XML, written and read by shape tables. Documents are read without DTDs, entities or processing instructions.

use std::fmt::Write as _;

use daypass_model::{Fields, Kind, List, Location, Map, Member, Protocol, Structure, Value};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use thiserror::Error;

use crate::scalar;
use crate::validate::{Path, Violations};

/// The deepest document that is read.
const MAX_DEPTH: usize = 64;

/// A document without a namespace, of elements that hold text: what S3 answers beside the shapes of its model.
pub fn flat_document(root: &str, elements: &[(&str, &str)]) -> String {
    let mut writer = Writer::new(Protocol::RestXml);
    writer.declare();
    writer.open(root, &[]);
    for (name, text) in elements {
        writer.leaf(name, text);
    }
    writer.close(root);
    writer.finish()
}

/// Writes elements one after the other.
pub(crate) struct Writer {
    out: String,
    protocol: Protocol,
}

impl Writer {
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self { out: String::with_capacity(512), protocol }
    }

    pub(crate) fn declare(&mut self) {
        self.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }

    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes.iter().filter(|(_, v)| !v.is_empty()) {
            let _ = write!(self.out, " {key}=\"");
            self.text(value);
            self.out.push('"');
        }
        self.out.push('>');
    }

    pub(crate) fn close(&mut self, name: &str) {
        let _ = write!(self.out, "</{name}>");
    }

    pub(crate) fn leaf(&mut self, name: &str, text: &str) {
        self.open(name, &[]);
        self.text(text);
        self.close(name);
    }

    pub(crate) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '&' => self.out.push_str("&amp;"),
                '"' => self.out.push_str("&quot;"),
                // Left as they are, a reader would turn them into spaces or refuse the document.
                '\r' => self.out.push_str("&#xD;"),
                c if c < ' ' && c != '\n' && c != '\t' => {
                    let _ = write!(self.out, "&#x{:X};", u32::from(c));
                }
                c => self.out.push(c),
            }
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// The members of a structure that belong into a body.
    pub(crate) fn members(&mut self, value: &Value, shape: &Structure) {
        let Some(fields) = value.fields() else { return };
        for (index, member) in (0..).zip(shape.members) {
            if member.location == Location::Body
                && !member.xml_attribute
                && let Some(value) = fields.get(index)
            {
                self.element(member.wire_out, value, &member.kind);
            }
        }
    }

    /// One member as its element, or as several where it is flattened.
    pub(crate) fn element(&mut self, name: &str, value: &Value, kind: &Kind) {
        match (value, kind) {
            (Value::Structure(_), Kind::Structure(shape)) => {
                let attributes = attributes(value, shape, self.protocol);
                let attributes: Vec<_> = attributes.iter().map(|(k, v)| (*k, v.as_str())).collect();
                self.open(name, &attributes);
                self.members(value, shape);
                self.close(name);
            }
            (Value::List(items), Kind::List(shape)) => self.list(name, items, shape),
            (Value::Map(entries), Kind::Map(shape)) => self.map(name, entries, shape),
            _ => {
                if let Some(text) = scalar::write(value, kind, self.protocol) {
                    self.leaf(name, &text);
                }
            }
        }
    }

    fn list(&mut self, name: &str, items: &[Value], shape: &List) {
        // EC2 flattens lists in requests alone.
        if shape.flattened && self.protocol != Protocol::Ec2 {
            for item in items {
                self.element(name, item, &shape.item);
            }
        } else {
            self.open(name, &[]);
            for item in items {
                self.element(shape.item_name, item, &shape.item);
            }
            self.close(name);
        }
    }

    fn map(&mut self, name: &str, entries: &[(String, Value)], shape: &Map) {
        if !shape.flattened {
            self.open(name, &[]);
        }
        let entry = if shape.flattened { name } else { "entry" };
        for (key, value) in entries {
            self.open(entry, &[]);
            self.leaf(shape.key_name, key);
            self.element(shape.value_name, value, &shape.value);
            self.close(entry);
        }
        if !shape.flattened {
            self.close(name);
        }
    }
}

/// The members of a structure that are attributes of its element (S3's `xsi:type`).
fn attributes(value: &Value, shape: &'static Structure, protocol: Protocol) -> Vec<(&'static str, String)> {
    let mut out = vec![];
    let Some(fields) = value.fields() else { return out };
    for (index, member) in (0..).zip(shape.members) {
        if member.xml_attribute
            && let Some(text) = fields.get(index).and_then(|v| scalar::write(v, &member.kind, protocol))
        {
            if member.wire_out.starts_with("xsi:") {
                out.push(("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance".to_owned()));
            }
            out.push((member.wire_out, text));
        }
    }
    out
}

/// The bytes are not a document that AWS would take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a well-formed XML document")]
pub struct MalformedXml;

/// An element: its name without prefix, its attributes with theirs, and what it holds.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The document's root.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, MalformedXml> {
        let text = std::str::from_utf8(body).map_err(|_| MalformedXml)?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        reader.config_mut().expand_empty_elements = true;
        let mut open: Vec<Self> = vec![];
        let mut root = None;
        loop {
            match reader.read_event().map_err(|_| MalformedXml)? {
                Event::Start(start) if root.is_none() && open.len() < MAX_DEPTH => {
                    open.push(Self::start(&start)?)
                }
                Event::End(_) => {
                    let closed = open.pop().ok_or(MalformedXml)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(closed),
                        None => root = Some(closed),
                    }
                }
                Event::Text(text) => {
                    let text = text.xml10_content();
                    match open.last_mut() {
                        Some(element) => element.text.push_str(&text),
                        None if text.trim().is_empty() => {}
                        None => return Err(MalformedXml),
                    }
                }
                Event::GeneralRef(reference) => {
                    let element = open.last_mut().ok_or(MalformedXml)?;
                    element.text.push(character(&reference)?);
                }
                Event::CData(data) => {
                    let element = open.last_mut().ok_or(MalformedXml)?;
                    element.text.push_str(&data.xml10_content());
                }
                Event::Decl(_) | Event::Comment(_) => {}
                Event::Eof if open.is_empty() => return root.ok_or(MalformedXml),
                // A document type declaration is where entity bombs live.
                _ => return Err(MalformedXml),
            }
        }
    }

    fn start(start: &BytesStart<'_>) -> Result<Self, MalformedXml> {
        let name = start.local_name().into_inner().to_owned();
        let mut attributes = vec![];
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| MalformedXml)?;
            let key = attribute.key.into_inner().to_owned();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| MalformedXml)?;
            attributes.push((key, value.into_owned()));
        }
        Ok(Self { name, attributes, ..Self::default() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The element as a value; what the table does not know is a violation.
    pub(crate) fn read(&self, kind: &Kind, path: &Path<'_>, found: &mut Violations) -> Option<Value> {
        match kind {
            Kind::Structure(shape) => Some(self.structure(shape, path, found)),
            Kind::List(shape) => {
                let items = self.children.iter().filter(|c| c.name == shape.item_name);
                Some(Value::List(self.items(items, &shape.item, path, found)))
            }
            Kind::Map(_) => None,
            _ => {
                let value = scalar::read(&self.text, kind).or_else(|| scalar::read(self.text.trim(), kind));
                if value.is_none() {
                    found.malformed(path, &self.text, kind);
                }
                value
            }
        }
    }

    fn items<'a>(
        &'a self,
        items: impl Iterator<Item = &'a Self>,
        kind: &Kind,
        path: &Path<'_>,
        found: &mut Violations,
    ) -> Vec<Value> {
        (1..).zip(items).filter_map(|(number, item)| item.read(kind, &path.item(number), found)).collect()
    }

    fn structure(&self, shape: &Structure, path: &Path<'_>, found: &mut Violations) -> Value {
        let known =
            |name: &str| shape.members.iter().any(|m| m.location == Location::Body && m.wire_in == name);
        if let Some(unknown) = self.children.iter().find(|c| !known(&c.name)) {
            found.malformed(path, &unknown.name, &Kind::Structure(&UNKNOWN));
        }
        let mut fields = Fields::default();
        for (index, member) in (0..).zip(shape.members) {
            if member.location == Location::Body
                && let Some(value) = self.member(member, &path.member(member.name), found)
            {
                fields.push(index, value);
            }
        }
        Value::Structure(fields)
    }

    fn member(&self, member: &Member, path: &Path<'_>, found: &mut Violations) -> Option<Value> {
        if member.xml_attribute {
            let (_, value) = self.attributes.iter().find(|(key, _)| key == member.wire_in)?;
            return Some(Value::String(value.clone()));
        }
        let mut children = self.children.iter().filter(|c| c.name == member.wire_in);
        if let Kind::List(shape) = &member.kind
            && shape.flattened
        {
            let items = self.items(children, &shape.item, path, found);
            return if items.is_empty() { None } else { Some(Value::List(items)) };
        }
        let first = children.next()?;
        if children.next().is_some() {
            // Which one counts would be anybody's guess.
            found.malformed(path, &first.text, &member.kind);
        }
        first.read(&member.kind, path, found)
    }
}

static UNKNOWN: Structure =
    Structure { name: "", members: &[], payload: None, xml_name: None, sensitive: false };

/// A character reference or one of the five entities that every document has.
fn character(reference: &quick_xml::events::BytesRef<'_>) -> Result<char, MalformedXml> {
    if let Some(c) = reference.resolve_char_ref().map_err(|_| MalformedXml)? {
        return Ok(c);
    }
    match &**reference {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(MalformedXml),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was() {
        let text = "a<b>&\"'\r\n\tä\u{1}";
        let mut writer = Writer::new(Protocol::RestXml);
        writer.leaf("K", text);
        // The first control character is no XML 1.0 character; AWS refers to it all the same.
        assert_eq!(Element::parse(writer.finish().as_bytes()).unwrap().text, text);
    }

    #[test]
    fn only_one_plain_document_is_read() {
        for bad in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<a>&b;</a>",
            "<a><?php x ?></a>",
        ] {
            assert_eq!(Element::parse(bad.as_bytes()).err(), Some(MalformedXml), "{bad}");
        }
        assert_eq!(Element::parse(&[b'<', b'a', b'>', 0xff]).err(), Some(MalformedXml));
        let deep = |n: usize| "<a>".repeat(n) + &"</a>".repeat(n);
        assert!(Element::parse(deep(64).as_bytes()).is_ok());
        assert!(Element::parse(deep(65).as_bytes()).is_err());
        assert_eq!(
            Element::parse(b"<?xml version='1.0'?><!-- x --><p:a xmlns:p='u'>b</p:a>\n").unwrap().name,
            "a"
        );
    }
}
