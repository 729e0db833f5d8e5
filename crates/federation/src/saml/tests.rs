use super::*;

fn canonical_of(xml: &str, path: &[&str], inclusive: &[&str]) -> String {
    let document = parse(xml, 1000).unwrap();
    let mut node = document.root_element();
    for name in path {
        node = node.children().find(|c| c.is_element() && c.tag_name().name() == *name).unwrap();
    }
    String::from_utf8(canonical::bytes(node, None, inclusive).unwrap()).unwrap()
}

/// What libxml2 (`xmllint --exc-c14n`) and the examples of the recommendation give.
#[test]
fn an_element_has_one_canonical_form() {
    for (xml, path, inclusive, expected) in [
        (
            r#"<n0:local xmlns:n0="foo:bar" xmlns:n3="ftp://example.org"><n1:elem2 xmlns:n1="http://example.net" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"/></n1:elem2></n0:local>"#,
            &["elem2"][..],
            &[][..],
            r#"<n1:elem2 xmlns:n1="http://example.net" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>"#,
        ),
        (
            r#"<a xmlns="u:a" xmlns:x="u:x" xmlns:y="u:y"><b z="1" x:a="2" a="3"  y:a='4'/></a>"#,
            &["b"],
            &[],
            r#"<b xmlns="u:a" xmlns:x="u:x" xmlns:y="u:y" a="3" z="1" x:a="2" y:a="4"></b>"#,
        ),
        (
            r#"<a xmlns="u:a" xmlns:x="u:x"><b><c xmlns=""/><d/></b></a>"#,
            &["b"],
            &["x"],
            r#"<b xmlns="u:a" xmlns:x="u:x"><c xmlns=""></c><d></d></b>"#,
        ),
        (
            "<a>&lt;&gt;&amp;\"'<![CDATA[<&]]>&#13;\r\n<b q='&quot;&lt;&#9;&#10;&#13;'/></a>",
            &[],
            &[],
            "<a>&lt;&gt;&amp;\"'&lt;&amp;&#xD;\n<b q=\"&quot;&lt;&#x9;&#xA;&#xD;\"></b></a>",
        ),
        (
            r#"<p:a xmlns:p="u:1"><p:b xmlns:p="u:2"/><p:c/></p:a>"#,
            &[],
            &[],
            r#"<p:a xmlns:p="u:1"><p:b xmlns:p="u:2"></p:b><p:c></p:c></p:a>"#,
        ),
    ] {
        assert_eq!(canonical_of(xml, path, inclusive), expected, "{xml}");
    }
}

#[test]
fn documents_that_are_more_than_elements_and_text_are_not_taken() {
    let deep = format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000));
    let hidden = format!("{}{}", "<a b='/>'>".repeat(900), "</a>".repeat(900));
    let wide = format!("<a {}/>", (0..65).map(|n| format!("a{n}='' ")).collect::<String>());
    let spaces = format!("<a {}/>", (0..65).map(|n| format!("xmlns:a{n}='u' ")).collect::<String>());
    let many = format!("<a>{}</a>", "<b/>".repeat(1001));
    for xml in [
        "",
        "<a>",
        "<a/><b/>",
        "<a b='1' b='2'/>",
        "<x:a/>",
        "<a>&unknown;</a>",
        "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<a><!-- c --></a>",
        "<!-- c --><a/>",
        "<a><?p x?></a>",
        deep.as_str(),
        many.as_str(),
        hidden.as_str(),
        wide.as_str(),
        spaces.as_str(),
    ] {
        assert!(parse(xml, 1000).is_none(), "{}", xml.get(..80).unwrap_or(xml));
    }
    assert!(parse("<?xml version='1.0' encoding='UTF-8'?>\n<a b='1'>x<c/></a>", 1000).is_some());
}

#[test]
fn metadata_without_a_name_or_a_signing_key_is_none() {
    for xml in [
        "<a/>",
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"/>"#,
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>MIIB</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>"#,
    ] {
        assert_eq!(Metadata::parse(xml), Err(InvalidMetadata), "{xml}");
    }
}

#[test]
fn a_short_document_does_not_come_to_a_long_text() {
    let siblings = |count: usize| {
        let namespace = "x".repeat(10_000);
        format!(r#"<a xmlns:p="{namespace}">{}</a>"#, "<p:b/>".repeat(count))
    };
    for (count, written) in [(10, true), (100, true), (110, false), (4000, false)] {
        let text = siblings(count);
        let document = parse(&text, 5000).unwrap();
        assert_eq!(canonical::bytes(document.root_element(), None, &[]).is_some(), written, "{count}");
    }
}
