//! Roles for those whom a SAML provider vouches for; and what attackers make of its responses.
//!
//! The responses here are written in their canonical form and signed as text, so that what they are signed with is not what
//! verifies them; others were made by another implementation (signxml 4 on lxml).

mod encrypted;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_core::model::Timestamp;
use daypass_core::store::records::{Indexed as _, SamlProvider};
use daypass_core::store::{StoreError, TransactError};
use daypass_core::testing::{Client, TestAnswer, TestServer, account};
use serde_json::{Value, json};

use crate::support::{ROLE, World, outcome};

const PROVIDER: &str = "arn:aws:iam::123456789012:saml-provider/corp";
const IDP: &str = "https://idp.example.com/saml";
const SIGN_IN: &str = "https://signin.aws.amazon.com/saml";
const INVALID: &str = "InvalidIdentityToken";

/// An identity provider.
struct Idp(KeyPair);

impl Idp {
    fn new() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// Its metadata, with as little of a certificate as holds a key.
    fn metadata(&self) -> String {
        let der = self.0.public_key().as_der().unwrap();
        let nothing = [&[0x02, 1, 1][..], &[0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0]].concat();
        let certificate = sequence(&sequence(&[&nothing[..], der.as_ref()].concat()));
        let certificate = STANDARD.encode(certificate);
        format!(
            r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{IDP}"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>"#
        )
    }

    /// The signature of an element that is in its canonical form.
    fn signature(&self, element: &str, id: &str) -> String {
        self.signature_of(element, &format!("#{id}"), RSA_SHA256, SHA_256, TRANSFORMS)
    }

    fn signature_of(&self, element: &str, uri: &str, method: &str, hash: &str, transforms: &str) -> String {
        let value = STANDARD.encode(digest(&SHA256, element.as_bytes()));
        let info = |xmlns: &str| {
            format!(
                r#"<ds:SignedInfo{xmlns}><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod><ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod Algorithm="{hash}"></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue></ds:Reference></ds:SignedInfo>"#
            )
        };
        let mut signature = vec![0; self.0.public_modulus_len()];
        let message = info(DS);
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        let signature = STANDARD.encode(signature);
        format!(
            r"<ds:Signature{DS}>{}<ds:SignatureValue>{signature}</ds:SignatureValue></ds:Signature>",
            info("")
        )
    }

    /// A signed assertion.
    fn signed(&self, assertion: &str, id: &str) -> String {
        with(assertion, &self.signature(assertion, id))
    }
}

const DS: &str = r#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA_256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const TRANSFORMS: &str = r#"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>"#;

fn sequence(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82][..], &length, content].concat()
}

/// The element with something after its issuer, where signatures stand.
fn with(element: &str, inside: &str) -> String {
    element.replacen("</saml:Issuer>", &format!("</saml:Issuer>{inside}"), 1)
}

/// What an assertion says.
#[derive(Clone)]
struct Says {
    id: &'static str,
    subject: &'static str,
    issued: &'static str,
    ends: &'static str,
    recipient: &'static str,
    audience: &'static str,
    session: &'static str,
    attributes: String,
}

fn says() -> Says {
    Says {
        id: "_a1",
        subject: "alice",
        issued: "2026-11-22T02:13:30Z",
        ends: "2026-11-22T02:18:30Z",
        recipient: SIGN_IN,
        audience: "urn:amazon:webservices",
        session: "",
        attributes: attribute("Role", &format!("{ROLE},{PROVIDER}"))
            + &attribute("RoleSessionName", "alice@example.com"),
    }
}

fn attribute(name: &str, value: &str) -> String {
    named(&format!("https://aws.amazon.com/SAML/Attributes/{name}"), value)
}

fn named(name: &str, value: &str) -> String {
    format!(
        r#"<saml:Attribute Name="{name}"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"#
    )
}

/// An assertion in its canonical form.
fn assertion(says: &Says) -> String {
    let Says { id, subject, issued, ends, recipient, audience, session, attributes } = says;
    format!(
        r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" IssueInstant="{issued}" Version="2.0"><saml:Issuer>{IDP}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{subject}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{ends}" Recipient="{recipient}"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{issued}" NotOnOrAfter="{ends}"><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{issued}"{session}></saml:AuthnStatement><saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"#
    )
}

const STATUS: &str = r#"<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>"#;

fn response(content: &str) -> String {
    format!(
        r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" IssueInstant="2026-11-22T02:13:30Z" Version="2.0"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{IDP}</saml:Issuer>{STATUS}{content}</samlp:Response>"#
    )
}

fn trust(condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"Federated":"{PROVIDER}"}},"Action":["sts:AssumeRoleWithSAML","sts:TagSession","sts:SetSourceIdentity"],"Condition":{{{condition}}}}}}}"#
    )
}

struct Corp {
    world: World,
    idp: Idp,
}

impl Corp {
    async fn new(condition: &str) -> Self {
        let idp = Idp::new();
        let metadata = idp.metadata();
        Self { world: corp(&trust(condition), &metadata).await, idp }
    }

    async fn assume(&self, xml: &str) -> TestAnswer {
        assume(&self.world.anonymous, xml, &[]).await
    }

    async fn says(&self, says: &Says) -> TestAnswer {
        self.assume(&response(&self.idp.signed(&assertion(says), says.id))).await
    }
}

async fn corp(trust: &str, metadata: &str) -> World {
    let world = World::trusting(trust).await;
    let provider = SamlProvider {
        account: account(),
        name: "corp".into(),
        id: "ASAMEXAMPLEQQQQQQQQQQQ".into(),
        metadata: metadata.to_owned(),
        valid_until: None,
        created: Timestamp::default(),
        tags: vec![],
        encryption: None,
        private_keys: vec![],
    };
    let put: Result<(), TransactError<StoreError>> =
        world.server.gate.state().store.transact(|tx| provider.save(tx)).await;
    put.unwrap();
    world
}

async fn assume(client: &Client, xml: &str, more: &[(&str, &str)]) -> TestAnswer {
    let encoded = STANDARD.encode(xml);
    let mut form = vec![("SAMLAssertion", encoded.as_str())];
    for (name, value) in [("RoleArn", ROLE), ("PrincipalArn", PROVIDER)] {
        if !more.iter().any(|(given, _)| *given == name) {
            form.push((name, value));
        }
    }
    form.extend(more);
    client.query("sts", "AssumeRoleWithSAML", &form).await
}

#[tokio::test]
async fn a_good_response_is_worth_a_session_of_the_role() {
    let corp = Corp::new(r#""StringEquals":{"saml:aud":"https://signin.aws.amazon.com/saml"}"#).await;
    let answer = corp.says(&says()).await.ok();
    for (name, value) in [
        ("Arn", "arn:aws:sts::123456789012:assumed-role/ci/alice@example.com"),
        ("Subject", "alice"),
        ("SubjectType", "persistent"),
        ("Issuer", IDP),
        ("Audience", SIGN_IN),
        ("Expiration", "2026-11-22T03:14:00Z"),
    ] {
        assert_eq!(answer.xml(name), Some(value), "{name}");
    }
    let qualifier = answer.xml("NameQualifier").unwrap();
    let who = corp.world.session(&answer).query("sts", "GetCallerIdentity", &[]).await.ok();
    assert_eq!(who.xml("Arn"), Some("arn:aws:sts::123456789012:assumed-role/ci/alice@example.com"));
    let event: Value = serde_json::from_str(&corp.world.server.audit()[0].event).unwrap();
    assert_eq!(
        event["userIdentity"],
        json!({
            "type": "SAMLUser", "principalId": format!("{qualifier}:alice"), "userName": "alice",
            "identityProvider": qualifier,
        })
    );
    // The assertion itself is for nobody to read.
    assert!(!corp.world.server.audit()[0].event.contains(&STANDARD.encode("<samlp:Response")));
}

#[tokio::test]
async fn responses_of_another_implementation_are_understood() {
    for (metadata, responses) in [
        (
            include_str!("saml/metadata-rsa.xml"),
            [include_str!("saml/assertion-rsa.xml"), include_str!("saml/response-rsa.xml")],
        ),
        (
            include_str!("saml/metadata-ec.xml"),
            [include_str!("saml/assertion-ec.xml"), include_str!("saml/response-ec.xml")],
        ),
    ] {
        for xml in responses {
            let world = corp(&trust(""), metadata).await;
            let answer = assume(&world.anonymous, xml, &[]).await.ok();
            assert_eq!(answer.xml("Subject"), Some("alice&amp;co"));
            let world = corp(&trust(""), metadata).await;
            let changed = xml.replace("al&#105;ce", "mallory").replace("alice&amp;co", "mallory&amp;co");
            assert_ne!(changed, xml);
            let refused = assume(&world.anonymous, &changed, &[]).await.refused();
            assert_eq!(refused, (INVALID.to_owned(), "Response signature invalid".to_owned()));
        }
    }
}

#[tokio::test]
async fn refusals_are_in_aws_s_words() {
    let corp = Corp::new("").await;
    let role = attribute("Role", &format!("{ROLE},{PROVIDER}"));
    let named = |name: &str| says().attributes.replace("alice@example.com", name);
    let session_name = "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}";
    let late = "Token must be redeemed within 5 minutes of issuance";
    let audience = "Response does not contain the required audience.";
    let nobody = "Not authorized to perform sts:AssumeRoleWithSAML";
    for (says, code, words) in [
        (Says { issued: "2026-11-22T02:08:59Z", ..says() }, "ExpiredTokenException", late),
        (Says { ends: "2026-11-22T02:14:00Z", ..says() }, "ExpiredTokenException", late),
        (Says { issued: "2026-11-22T02:19:01Z", ..says() }, INVALID, "The assertion is not yet valid"),
        (Says { audience: "urn:elsewhere", ..says() }, INVALID, audience),
        (
            Says { recipient: "https://elsewhere.example/saml", ..says() },
            INVALID,
            "The assertion has no subject confirmation for this recipient",
        ),
        (Says { attributes: role, ..says() }, INVALID, "RoleSessionName is required in AuthnResponse"),
        (Says { attributes: named("a b"), ..says() }, INVALID, session_name),
        (Says { attributes: named("a"), ..says() }, INVALID, session_name),
        (Says { attributes: attribute("RoleSessionName", "alice"), ..says() }, "AccessDenied", nobody),
        (
            Says { attributes: says().attributes.replace("role/ci", "role/other"), ..says() },
            "AccessDenied",
            nobody,
        ),
        (
            Says { session: r#" SessionNotOnOrAfter="2026-11-22T02:14:00Z""#, ..says() },
            "ExpiredTokenException",
            "The session of the assertion has ended",
        ),
    ] {
        let refused = corp.says(&says).await.refused();
        assert_eq!((refused.0.as_str(), refused.1.as_str()), (code, words));
    }
    for (arn, words) in [
        ("arn:aws:iam::123456789012:saml-provider/other", "Specified provider doesn't exist"),
        ("arn:aws:iam::123456789012:saml-provider/CORP", "Specified provider doesn't exist"),
        ("arn:aws:iam::210987654321:saml-provider/corp", "Specified provider doesn't exist"),
        ("arn:aws:iam::123456789012:oidc-provider/token.example.com", "Specified provider doesn't exist"),
    ] {
        let xml = response(&corp.idp.signed(&assertion(&says()), "_a1"));
        let refused = assume(&corp.world.anonymous, &xml, &[("PrincipalArn", arn)]).await.refused();
        assert_eq!((refused.0.as_str(), refused.1.as_str()), (INVALID, words), "{arn}");
    }
    let denied = Corp::new(r#""StringEquals":{"saml:sub":"bob"}"#).await.says(&says()).await.refused();
    assert_eq!(denied, ("AccessDenied".to_owned(), nobody.to_owned()));
}

#[tokio::test]
async fn attributes_decide_name_length_tags_and_identity_of_the_session() {
    let corp = Corp::new("").await;
    let more = |more: &str| Says { attributes: says().attributes + more, ..says() };
    let answer = corp.says(&Says { id: "_d1", ..more(&attribute("SessionDuration", "900")) }).await.ok();
    assert_eq!(answer.xml("Expiration"), Some("2026-11-22T02:29:00Z"));
    let ends = Says { id: "_d2", session: r#" SessionNotOnOrAfter="2026-11-22T02:34:00Z""#, ..says() };
    assert_eq!(corp.says(&ends).await.ok().xml("Expiration"), Some("2026-11-22T02:34:00Z"));
    let xml = response(&corp.idp.signed(&assertion(&Says { id: "_d3", ..says() }), "_d3"));
    let answer = assume(&corp.world.anonymous, &xml, &[("DurationSeconds", "7200")]).await.ok();
    assert_eq!(answer.xml("Expiration"), Some("2026-11-22T04:14:00Z"));
    let answer = corp.says(&Says { id: "_d4", ..more(&attribute("SourceIdentity", "alice")) }).await.ok();
    assert_eq!(answer.xml("SourceIdentity"), Some("alice"));
    for (number, wrong) in [
        attribute("SessionDuration", "899"),
        attribute("SessionDuration", "x"),
        attribute("SourceIdentity", "aws:x"),
        attribute("PrincipalTag:aws:x", "1"),
        attribute("PrincipalTag:a", "1") + &attribute("PrincipalTag:A", "2"),
        attribute("TransitiveTagKeys", "b"),
        attribute("RoleSessionName", "another"),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(outcome(&corp.says(&more(wrong)).await), INVALID, "{number} {wrong}");
    }
    let tagged = Corp::new(
        r#""StringEquals":{"aws:RequestTag/Cost":"7","saml:edupersonprincipalname":"alice@corp"},"ForAnyValue:StringEquals":{"saml:edupersonaffiliation":["staff"]}"#,
    )
    .await;
    let tags = attribute("PrincipalTag:Cost", "7")
        + &attribute("TransitiveTagKeys", "Cost")
        + &named(
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
            "student</saml:AttributeValue><saml:AttributeValue>staff",
        )
        + &named("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "alice@corp");
    tagged.says(&more(&tags)).await.ok();
    assert_eq!(outcome(&tagged.says(&more(&tags.replace('7', "8"))).await), "AccessDenied");
}

#[tokio::test]
async fn an_assertion_is_worth_one_session_of_a_role() {
    let corp = Corp::new("").await;
    let other = "arn:aws:iam::123456789012:role/other";
    corp.world.role("other", &trust("")).await;
    let both =
        Says { attributes: says().attributes + &attribute("Role", &format!("{PROVIDER},{other}")), ..says() };
    let signed = corp.idp.signed(&assertion(&both), "_a1");
    let xml = response(&signed);
    corp.assume(&xml).await.ok();
    assert_eq!(outcome(&corp.assume(&xml).await), INVALID);
    // Nor in another response.
    assert_eq!(outcome(&corp.assume(&xml.replace("_r1", "_r2")).await), INVALID);
    assume(&corp.world.anonymous, &xml, &[("RoleArn", other)]).await.ok();
    corp.world.server.clock.advance(290);
    assert_eq!(outcome(&corp.assume(&xml).await), "ExpiredTokenException");
}

#[tokio::test]
async fn a_signature_vouches_for_nothing_but_what_it_stands_in() {
    let corp = Corp::new("").await;
    let (idp, good) = (&corp.idp, assertion(&says()));
    let signature = idp.signature(&good, "_a1");
    let signed = with(&good, &signature);
    let evil = |id: &'static str| assertion(&Says { id, subject: "mallory", ..says() });
    let inside = |outer: &str, inner: &str| with(outer, inner);
    let object = |content: &str| {
        signature.replace("</ds:Signature>", &format!("<ds:Object>{content}</ds:Object></ds:Signature>"))
    };
    let extensions = |content: &str| format!("<samlp:Extensions>{content}</samlp:Extensions>");
    let whole = response(&good);
    let signed_response = with(&whole, &idp.signature(&whole, "_r1"));
    let evil_response = |content: &str| response(&(evil("_e1") + content)).replacen("_r1", "_r2", 1);
    let attacks = [
        // The eight of "On Breaking SAML" (Somorovsky et al., 2012).
        (
            "XSW1",
            with(
                &evil_response(""),
                &idp.signature(&whole, "_r1")
                    .replace("</ds:Signature>", &format!("<ds:Object>{whole}</ds:Object></ds:Signature>")),
            ),
        ),
        ("XSW2", with(&evil_response(""), &(idp.signature(&whole, "_r1") + &whole))),
        ("XSW3", response(&(evil("_e1") + &signed))),
        ("XSW3 the other way round", response(&(signed.clone() + &evil("_e1")))),
        ("XSW4", response(&inside(&evil("_e1"), &signed))),
        ("XSW5", response(&(inside(&evil("_e1"), &signature) + &good))),
        ("XSW6", response(&inside(&evil("_e1"), &object(&good)))),
        ("XSW7", response(&(extensions(&signed) + &evil("_e1")))),
        ("XSW7 with the same id", response(&(extensions(&signed) + &evil("_a1")))),
        ("XSW8", response(&inside(&evil("_e1"), &object(&good).replace("ds:Object>", "ds:KeyInfo>")))),
        // And others.
        ("the signature of another assertion", response(&inside(&evil("_a1"), &signature))),
        ("the same id twice", response(&(inside(&evil("_a1"), &signature) + &extensions(&good)))),
        ("an assertion without a signature", response(&good)),
        ("a signature outside", response(&(good.clone() + &signature))),
        (
            "a signature that is empty",
            response(&inside(&good, &format!("<ds:Signature{DS}></ds:Signature>"))),
        ),
        ("two signatures", response(&inside(&good, &(signature.clone() + &signature)))),
        ("another response around a signed assertion, in a response", response(&response(&signed))),
        (
            "an assertion of another namespace",
            response(&(signed.replace("urn:oasis:names:tc:SAML:2.0:assertion", "urn:x"))),
        ),
        ("a signed response with another assertion", signed_response.replace(">alice<", ">mallory<")),
        ("the assertion alone", signed.clone()),
        ("a response of a failure", response(&signed).replace("status:Success", "status:Responder")),
        ("another issuer of the response", response(&signed).replacen(IDP, "https://evil.example", 1)),
        ("a key of one's own", response(&Idp::new().signed(&good, "_a1"))),
        ("a comment in the name", response(&signed).replace(">alice<", ">ali<!-- -->ce<")),
        ("a comment elsewhere", response(&signed).replace("<samlp:Status>", "<!-- --><samlp:Status>")),
        ("an element in the name", response(&signed).replace(">alice<", ">alice<x></x><")),
        ("an instruction in the name", response(&signed).replace(">alice<", ">ali<?x?>ce<")),
        ("a document type", format!("<!DOCTYPE x>{}", response(&signed))),
        (
            "an entity",
            format!(
                "<!DOCTYPE x [<!ENTITY e \"mallory\">]>{}",
                response(&signed).replace(">alice<", ">&e;<")
            ),
        ),
        (
            "a file",
            format!(
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}",
                response(&signed).replace(">alice<", ">&e;<")
            ),
        ),
        (
            "laughs",
            format!(
                "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>{}",
                response(&signed).replace(">alice<", ">&b;<")
            ),
        ),
        ("nesting without end", format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000))),
        ("elements without end", response(&(signed.clone() + &"<a></a>".repeat(6000)))),
        ("no XML", "x".repeat(100)),
        ("a white space more", response(&signed).replace(">alice<", "> alice<")),
        (
            "an attribute more",
            response(&signed)
                .replace(" Version=\"2.0\"><saml:Issuer>", " Version=\"2.0\" x=\"y\"><saml:Issuer>"),
        ),
        (
            "a value more",
            response(&signed).replace(
                "</saml:AttributeStatement>",
                &(attribute("Role", "x,y") + "</saml:AttributeStatement>"),
            ),
        ),
        ("a time later", response(&signed).replace("02:18:30Z", "03:18:30Z")),
        ("an encrypted assertion", response(&(signed.clone() + "<EncryptedAssertion></EncryptedAssertion>"))),
    ];
    for (what, xml) in attacks {
        assert_eq!(outcome(&corp.assume(&xml).await), INVALID, "{what}");
    }
    corp.assume(&response(&signed)).await.ok();
}

#[tokio::test]
async fn signatures_of_other_kinds_are_refused() {
    let corp = Corp::new("").await;
    let good = assertion(&says());
    let sign = |uri: &str, method: &str, hash: &str, transforms: &str| {
        response(&with(&good, &corp.idp.signature_of(&good, uri, method, hash, transforms)))
    };
    let (_, exclusive) = TRANSFORMS.split_once("</ds:Transform>").unwrap();
    let xslt = r#"<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"></ds:Transform>"#;
    let xpath = r#"<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"></ds:Transform>"#;
    for (what, xml) in [
        ("SHA-1", sign("#_a1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", SHA_256, TRANSFORMS)),
        ("a digest of SHA-1", sign("#_a1", RSA_SHA256, "http://www.w3.org/2000/09/xmldsig#sha1", TRANSFORMS)),
        ("HMAC", sign("#_a1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", SHA_256, TRANSFORMS)),
        (
            "ECDSA with a key of RSA",
            sign("#_a1", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", SHA_256, TRANSFORMS),
        ),
        ("no reference", sign("", RSA_SHA256, SHA_256, TRANSFORMS)),
        ("a reference to nothing", sign("#", RSA_SHA256, SHA_256, TRANSFORMS)),
        ("a reference to another", sign("#_r1", RSA_SHA256, SHA_256, TRANSFORMS)),
        ("a reference by XPointer", sign("#xpointer(id('_a1'))", RSA_SHA256, SHA_256, TRANSFORMS)),
        ("a reference elsewhere", sign("https://evil.example/#_a1", RSA_SHA256, SHA_256, TRANSFORMS)),
        ("no transforms", sign("#_a1", RSA_SHA256, SHA_256, "")),
        ("one transform", sign("#_a1", RSA_SHA256, SHA_256, exclusive)),
        ("XSLT", sign("#_a1", RSA_SHA256, SHA_256, &format!("{TRANSFORMS}{xslt}"))),
        ("XPath", sign("#_a1", RSA_SHA256, SHA_256, &format!("{xpath}{TRANSFORMS}"))),
        (
            "another canonical form",
            sign(
                "#_a1",
                RSA_SHA256,
                SHA_256,
                &TRANSFORMS.replace("2001/10/xml-exc-c14n#", "TR/2001/REC-xml-c14n-20010315"),
            ),
        ),
        (
            "with comments",
            sign(
                "#_a1",
                RSA_SHA256,
                SHA_256,
                &TRANSFORMS.replace("xml-exc-c14n#", "xml-exc-c14n#WithComments"),
            ),
        ),
    ] {
        assert_eq!(outcome(&corp.assume(&xml).await), INVALID, "{what}");
    }
    corp.assume(&sign("#_a1", RSA_SHA256, SHA_256, TRANSFORMS)).await.ok();
    // The response may be what is signed, too.
    let whole = response(&assertion(&Says { id: "_a2", ..says() }));
    corp.assume(&with(&whole, &corp.idp.signature(&whole, "_r1"))).await.ok();
}

#[tokio::test]
async fn what_is_no_response_is_refused_before_the_provider_is_looked_at() {
    let world = corp(&trust(""), "no metadata").await;
    let no_response = "Your request included an invalid SAML response";
    for xml in ["no XML", "<x/>", &response("")] {
        assert_eq!(
            assume(&world.anonymous, xml, &[]).await.refused(),
            (INVALID.to_owned(), no_response.to_owned())
        );
    }
    let form = [("SAMLAssertion", "no base64!"), ("RoleArn", ROLE), ("PrincipalArn", PROVIDER)];
    let refused = world.anonymous.query("sts", "AssumeRoleWithSAML", &form).await.refused();
    assert_eq!(refused, (INVALID.to_owned(), "Invalid base64 SAMLResponse".to_owned()));
    let signed = response(&Idp::new().signed(&assertion(&says()), "_a1"));
    assert_eq!(assume(&world.anonymous, &signed, &[]).await.refused().0, "InternalFailure");
}

#[tokio::test]
async fn metadata_that_has_ended_vouches_for_nobody() {
    let metadata = include_str!("saml/metadata-rsa.xml").replace("2036-01-01", "2026-01-01");
    let world = corp(&trust(""), &metadata).await;
    let answer = assume(&world.anonymous, include_str!("saml/assertion-rsa.xml"), &[]).await;
    assert_eq!(outcome(&answer), INVALID);
    let server: &TestServer = &world.server;
    assert_eq!(server.audit().len(), 1);
}
