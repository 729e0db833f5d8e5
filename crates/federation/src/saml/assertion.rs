//! A response, and the one assertion in it.

use std::collections::HashSet;

use roxmltree::{Document, Node};
use thiserror::Error;

use super::encryption::Sealed;
use super::{
    ASSERTION, DSIG, DecryptionKey, Metadata, PROTOCOL, children, is, only, parse, seconds, signature, text,
};

/// Nodes of a response at most.
const MAX_NODES: u32 = 5000;
/// Values of attributes at most.
const MAX_VALUES: usize = 500;
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const ENCRYPTED: &str = "EncryptedAssertion";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// Why a response is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidResponse {
    /// It is not of the form that is taken.
    #[error("not a SAML response with one assertion")]
    Form,
    /// It says that the identity provider did not vouch for anybody.
    #[error("the identity provider's status is not success")]
    Status,
    /// Another provider issued it.
    #[error("another issuer's")]
    Issuer,
    /// None of the provider's keys signed it.
    #[error("the signature is not the provider's")]
    Signature,
    /// It is encrypted with algorithms that are not taken.
    #[error("encrypted with an algorithm that is not taken")]
    Algorithm,
    /// What is encrypted does not come to an assertion of the provider's. There is no more to be known of it.
    #[error("no assertion of the provider's is encrypted there for these keys")]
    Decryption,
}

/// What a provider says of somebody: verified, and not yet held against the time or whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Its id.
    pub id: String,
    /// Who says so.
    pub issuer: String,
    /// When it was said, in seconds since 1970; likewise all times here.
    pub issued: i64,
    /// Of whom (`NameID`).
    pub subject: String,
    /// What kind of name that is (`Format`).
    pub subject_format: Option<String>,
    /// Where it may be shown, each with the time that it may be shown before.
    pub recipients: Vec<(String, i64)>,
    /// For whom it is: one list for each restriction, all of which count.
    pub audiences: Vec<Vec<String>>,
    /// From when on it counts.
    pub not_before: Option<i64>,
    /// Before when it counts.
    pub not_on_or_after: Option<i64>,
    /// When sessions that follow from it have to end.
    pub session_not_on_or_after: Option<i64>,
    /// Attributes: name and values, in their order. A name may stand more than once.
    pub attributes: Vec<(String, Vec<String>)>,
}

/// A response of the form that is taken, of which nothing is believed yet.
pub struct Response<'a>(Document<'a>);

impl<'a> Response<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// If it is not of the form that is taken, or one of a failure.
    pub fn parse(xml: &'a str) -> Result<Self, InvalidResponse> {
        let document = parse(xml, MAX_NODES).ok_or(InvalidResponse::Form)?;
        form(document.root_element()).ok_or(InvalidResponse::Form)?;
        if succeeded(document.root_element()) { Ok(Self(document)) } else { Err(InvalidResponse::Status) }
    }

    /// Whether the assertion in it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        form(self.0.root_element()).is_some_and(|content| is(content, ASSERTION, ENCRYPTED))
    }

    /// The key that the assertion is under, as a digest of it as it is encrypted, where nothing but what comes of opening tells
    /// whether the assertion was changed on its way (AES in CBC, which an attacker may also say of what was in GCM). Who captured
    /// one and may have it opened with changes often enough learns what it says, by how soon it is refused if by nothing else;
    /// under another key nothing is learnt of it. So tries are to be counted by this.
    #[must_use]
    pub fn malleable_key(&self) -> Option<[u8; 32]> {
        let content = form(self.0.root_element()).filter(|content| is(*content, ASSERTION, ENCRYPTED))?;
        Sealed::read(content).ok()?.malleable_key()
    }

    /// What it says, as one of the provider, opened with one of the keys if it is encrypted.
    ///
    /// # Errors
    /// If it is of another provider, or not signed by this one.
    pub fn verify(&self, provider: &Metadata, keys: &[DecryptionKey]) -> Result<Assertion, InvalidResponse> {
        let response = self.0.root_element();
        let content = form(response).ok_or(InvalidResponse::Form)?;
        let silent = children(response, ASSERTION, "Issuer").count() == 0;
        if !silent && !issued(response, provider) {
            return Err(InvalidResponse::Issuer);
        }
        if !is(content, ASSERTION, ENCRYPTED) {
            if !issued(content, provider) {
                return Err(InvalidResponse::Issuer);
            }
            let (whole, own) = (signed(response, provider)?, signed(content, provider)?);
            let signed = whole || own;
            return if signed { read(content, provider) } else { Err(InvalidResponse::Signature) };
        }
        // Before anything is decrypted: who signs the response answers for what is encrypted in it.
        let signed_as_encrypted = signed(response, provider)?;
        let opened = Sealed::read(content)?.open(keys);
        let opened = opened.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let opened = opened.and_then(|text| parse(text, MAX_NODES)).ok_or(InvalidResponse::Decryption)?;
        let assertion = opened.root_element();
        if !believed(assertion, provider, signed_as_encrypted) {
            return Err(InvalidResponse::Decryption);
        }
        read(assertion, provider)
    }
}

/// Whether what was encrypted is an assertion that the provider signed, itself or as it was encrypted. It is a document of
/// its own: nothing around it counts as part of it.
fn believed(assertion: Node<'_, '_>, provider: &Metadata, signed_as_encrypted: bool) -> bool {
    is(assertion, ASSERTION, "Assertion")
        && assertion.attribute("Version") == Some("2.0")
        && clear(assertion, assertion, &[assertion])
        && issued(assertion, provider)
        && signed(assertion, provider).is_ok_and(|own| own || signed_as_encrypted)
}

/// Whether the provider is the issuer of a response or an assertion.
fn issued(node: Node<'_, '_>, provider: &Metadata) -> bool {
    let issuer = only(node, ASSERTION, "Issuer").and_then(text).map(str::trim);
    issuer == Some(provider.entity_id.as_str())
}

/// Whether an element is signed.
///
/// # Errors
/// If it is, and not by the provider.
fn signed(element: Node<'_, '_>, provider: &Metadata) -> Result<bool, InvalidResponse> {
    match only(element, DSIG, "Signature") {
        None => Ok(false),
        Some(signature) if signature::verify(element, signature, &provider.keys) => Ok(true),
        Some(_) => Err(InvalidResponse::Signature),
    }
}

/// The assertion of a response, perhaps encrypted: the only one in the whole document, right below the root.
fn form<'a, 'i: 'a>(response: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    if !is(response, PROTOCOL, "Response") || response.attribute("Version") != Some("2.0") {
        return None;
    }
    let (plain, encrypted) = (only(response, ASSERTION, "Assertion"), only(response, ASSERTION, ENCRYPTED));
    let content = plain.or(encrypted)?;
    let current = plain.is_none_or(|plain| plain.attribute("Version") == Some("2.0"));
    let signable: &[Node<'_, '_>] = if plain.is_some() { &[response, content] } else { &[response] };
    (current && clear(response, content, signable)).then_some(content)
}

/// Whether nothing in an element could be taken for something else: there is no response or assertion but itself and this
/// one; signatures are children of these elements alone, of each one at most; and no id stands twice.
fn clear(root: Node<'_, '_>, assertion: Node<'_, '_>, signable: &[Node<'_, '_>]) -> bool {
    let mut ids = HashSet::new();
    let clear = root.descendants().filter(Node::is_element).all(|node| {
        let other = match node.tag_name().name() {
            "Assertion" | ENCRYPTED => node != assertion,
            "Response" => node != root,
            "Signature" => !node.parent().is_some_and(|parent| signable.contains(&parent)),
            _ => false,
        };
        let mut own = node.attributes().filter(|a| a.name().eq_ignore_ascii_case("id"));
        !other && own.all(|id| ids.insert(id.value()))
    });
    clear && signable.iter().all(|node| children(*node, DSIG, "Signature").count() <= 1)
}

fn succeeded(response: Node<'_, '_>) -> bool {
    let status = only(response, PROTOCOL, "Status").and_then(|status| only(status, PROTOCOL, "StatusCode"));
    status.and_then(|code| code.attribute("Value")) == Some(SUCCESS)
}

fn read(assertion: Node<'_, '_>, provider: &Metadata) -> Result<Assertion, InvalidResponse> {
    parts(assertion, &provider.entity_id).ok_or(InvalidResponse::Form)
}

fn parts(assertion: Node<'_, '_>, issuer: &str) -> Option<Assertion> {
    let time = |node: Node<'_, '_>, name: &str| match node.attribute(name) {
        Some(text) => seconds(text).map(Some),
        None => Some(None),
    };
    let subject = only(assertion, ASSERTION, "Subject")?;
    let name = only(subject, ASSERTION, "NameID")?;
    let conditions = only(assertion, ASSERTION, "Conditions")?;
    let mut session_not_on_or_after: Option<i64> = None;
    for statement in children(assertion, ASSERTION, "AuthnStatement") {
        let ends = time(statement, "SessionNotOnOrAfter")?;
        session_not_on_or_after = session_not_on_or_after.into_iter().chain(ends).min();
    }
    Some(Assertion {
        id: assertion.attribute("ID").filter(|id| !id.is_empty())?.to_owned(),
        issuer: issuer.to_owned(),
        issued: seconds(assertion.attribute("IssueInstant")?)?,
        subject: text(name)?.trim().to_owned(),
        subject_format: name.attribute("Format").map(str::to_owned),
        recipients: recipients(subject)?,
        audiences: audiences(conditions)?,
        not_before: time(conditions, "NotBefore")?,
        not_on_or_after: time(conditions, "NotOnOrAfter")?,
        session_not_on_or_after,
        attributes: attributes(assertion)?,
    })
}

/// Where who bears the assertion may show it, and until when; confirmations of other kinds count for nothing.
fn recipients(subject: Node<'_, '_>) -> Option<Vec<(String, i64)>> {
    let bearers =
        children(subject, ASSERTION, "SubjectConfirmation").filter(|c| c.attribute("Method") == Some(BEARER));
    bearers
        .map(|confirmation| {
            let data = only(confirmation, ASSERTION, "SubjectConfirmationData")?;
            // It must not have a beginning (SAML profiles 2.0, section 4.1.4.2).
            let ends = seconds(data.attribute("NotOnOrAfter")?)?;
            data.attribute("NotBefore").is_none().then_some((data.attribute("Recipient")?.to_owned(), ends))
        })
        .collect()
}

/// The restrictions of audiences; conditions that are not understood are not met (SAML core 2.0, section 2.5.1).
fn audiences(conditions: Node<'_, '_>) -> Option<Vec<Vec<String>>> {
    let mut restrictions = vec![];
    for condition in conditions.children().filter(Node::is_element) {
        if is(condition, ASSERTION, "OneTimeUse") {
            continue;
        }
        if !is(condition, ASSERTION, "AudienceRestriction") {
            return None;
        }
        let named = children(condition, ASSERTION, "Audience");
        restrictions.push(named.map(|a| Some(text(a)?.trim().to_owned())).collect::<Option<_>>()?);
    }
    Some(restrictions)
}

fn attributes(assertion: Node<'_, '_>) -> Option<Vec<(String, Vec<String>)>> {
    let statements = children(assertion, ASSERTION, "AttributeStatement");
    let mut count = 0;
    statements
        .flat_map(|statement| children(statement, ASSERTION, "Attribute"))
        .map(|attribute| {
            let values = children(attribute, ASSERTION, "AttributeValue");
            let values: Vec<String> =
                values.map(|value| Some(text(value)?.trim().to_owned())).collect::<Option<_>>()?;
            count += values.len();
            (count <= MAX_VALUES).then_some(())?;
            Some((attribute.attribute("Name")?.to_owned(), values))
        })
        .collect()
}
