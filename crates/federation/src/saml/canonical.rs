//! Exclusive XML Canonicalization 1.0, without comments, of an element (and perhaps without one child of it).

use std::collections::BTreeMap;

use roxmltree::{Attribute, Node};

/// The most bytes that are written. Each element may repeat the namespaces that were declared once, so that a short document
/// could come to a thousand times its length; no honest one comes to much more than its own.
const MAX_BYTES: usize = 1 << 20;

/// The bytes of an element; none if there are too many. `without` is left out; the namespaces of `inclusive` prefixes are
/// written wherever they are declared (`""` is the default one).
pub(super) fn bytes(
    element: Node<'_, '_>,
    without: Option<Node<'_, '_>>,
    inclusive: &[&str],
) -> Option<Vec<u8>> {
    let mut out = String::new();
    write(element, without, inclusive, &BTreeMap::new(), &mut out)?;
    Some(out.into_bytes())
}

/// Prefixes with the namespaces that are written for them so far.
type Rendered<'a> = BTreeMap<&'a str, &'a str>;

fn write<'a>(
    node: Node<'a, '_>,
    without: Option<Node<'_, '_>>,
    inclusive: &[&str],
    rendered: &Rendered<'a>,
    out: &mut String,
) -> Option<()> {
    let name = qualified(node);
    let mut rendered = rendered.clone();
    out.push('<');
    out.push_str(name);
    for (prefix, namespace) in needed(node, name, inclusive) {
        if rendered.get(prefix).copied().unwrap_or("") == namespace {
            continue;
        }
        rendered.insert(prefix, namespace);
        out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
        out.push_str(prefix);
        value(namespace, out);
    }
    let mut attributes: Vec<Attribute<'a, '_>> = node.attributes().collect();
    attributes.sort_by_key(|a| (a.namespace().unwrap_or(""), a.name()));
    for attribute in attributes {
        out.push(' ');
        out.push_str(name_of(node, &attribute));
        value(attribute.value(), out);
    }
    if out.len() > MAX_BYTES {
        return None;
    }
    out.push('>');
    for child in node.children() {
        if child.is_element() {
            if Some(child) != without {
                write(child, without, inclusive, &rendered, out)?;
            }
        } else if let Some(text) = child.text() {
            content(text, out);
        }
    }
    out.push_str("</");
    out.push_str(name);
    out.push('>');
    (out.len() <= MAX_BYTES).then_some(())
}

/// The namespaces that an element and its attributes visibly use, and those that are asked for, by prefix.
fn needed<'a>(node: Node<'a, '_>, name: &'a str, inclusive: &[&str]) -> Rendered<'a> {
    let mut prefixes: Vec<&str> = vec![prefix(name)];
    prefixes.extend(node.attributes().map(|a| prefix(name_of(node, &a))).filter(|p| !p.is_empty()));
    prefixes.extend(inclusive);
    let declared = |wanted: &str| {
        let found = node.namespaces().find(|n| n.name().unwrap_or("") == wanted);
        found.map(|namespace| (namespace.name().unwrap_or(""), namespace.uri()))
    };
    let mut needed: Rendered<'a> = BTreeMap::new();
    for wanted in prefixes.into_iter().filter(|prefix| *prefix != "xml") {
        match declared(wanted) {
            Some((prefix, namespace)) => {
                needed.insert(prefix, namespace);
            }
            // No default namespace: said where an outer one would count otherwise.
            None if wanted.is_empty() => {
                needed.insert("", "");
            }
            None => {}
        }
    }
    needed
}

/// The name of an element as it is written: the tree has its namespace, but not its prefix.
fn qualified<'a>(node: Node<'a, '_>) -> &'a str {
    let source = node.document().input_text().get(node.range()).unwrap_or("");
    let tag = source.strip_prefix('<').unwrap_or(source);
    let end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>').unwrap_or(tag.len());
    tag.get(..end).unwrap_or("")
}

fn name_of<'a>(node: Node<'a, '_>, attribute: &Attribute<'a, '_>) -> &'a str {
    node.document().input_text().get(attribute.range_qname()).unwrap_or("")
}

fn prefix(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

fn value(text: &str, out: &mut String) {
    out.push_str("=\"");
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn content(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}
