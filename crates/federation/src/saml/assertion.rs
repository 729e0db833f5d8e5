//! A response, and the one assertion in it.

use std::collections::HashSet;

use roxmltree::{Document, Node};
use thiserror::Error;

use super::{ASSERTION, DSIG, Metadata, PROTOCOL, children, is, only, parse, seconds, signature, text};

/// Nodes of a response at most.
const MAX_NODES: u32 = 5000;
/// Values of attributes at most.
const MAX_VALUES: usize = 500;
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
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

    /// What it says, as one of the provider.
    ///
    /// # Errors
    /// If it is of another provider, or not signed by this one.
    pub fn verify(&self, provider: &Metadata) -> Result<Assertion, InvalidResponse> {
        let response = self.0.root_element();
        let assertion = form(response).ok_or(InvalidResponse::Form)?;
        verified(response, assertion, provider)
    }
}

fn verified(
    response: Node<'_, '_>,
    assertion: Node<'_, '_>,
    provider: &Metadata,
) -> Result<Assertion, InvalidResponse> {
    let issuer = |node| only(node, ASSERTION, "Issuer").and_then(text).map(str::trim);
    let of_response = children(response, ASSERTION, "Issuer").count();
    let same = of_response == 0 || issuer(response) == Some(provider.entity_id.as_str());
    if !same || issuer(assertion) != Some(provider.entity_id.as_str()) {
        return Err(InvalidResponse::Issuer);
    }
    let mut signed = false;
    for element in [response, assertion] {
        if let Some(signature) = only(element, DSIG, "Signature") {
            if !signature::verify(element, signature, &provider.keys) {
                return Err(InvalidResponse::Signature);
            }
            signed = true;
        }
    }
    if !signed {
        return Err(InvalidResponse::Signature);
    }
    read(assertion, &provider.entity_id).ok_or(InvalidResponse::Form)
}

/// The assertion of a response: the only one in the whole document, right below the root; and signatures are children of
/// these two alone, one of each at most. No id stands twice.
fn form<'a, 'i: 'a>(response: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    if !is(response, PROTOCOL, "Response") || response.attribute("Version") != Some("2.0") {
        return None;
    }
    let assertion =
        only(response, ASSERTION, "Assertion").filter(|a| a.attribute("Version") == Some("2.0"))?;
    let mut ids = HashSet::new();
    for node in response.descendants().filter(Node::is_element) {
        let is_other = |name: &str| node.tag_name().name() == name && node != assertion;
        if is_other("Assertion") || is_other("EncryptedAssertion") || is_other("Response") && node != response
        {
            return None;
        }
        if node.tag_name().name() == "Signature"
            && ![Some(response), Some(assertion)].contains(&node.parent())
        {
            return None;
        }
        let ids_of = node.attributes().filter(|a| a.name().eq_ignore_ascii_case("id"));
        for id in ids_of {
            if !ids.insert(id.value()) {
                return None;
            }
        }
    }
    let one_at_most = |node| children(node, DSIG, "Signature").count() <= 1;
    (one_at_most(response) && one_at_most(assertion)).then_some(assertion)
}

fn succeeded(response: Node<'_, '_>) -> bool {
    let status = only(response, PROTOCOL, "Status").and_then(|status| only(status, PROTOCOL, "StatusCode"));
    status.and_then(|code| code.attribute("Value")) == Some(SUCCESS)
}

fn read(assertion: Node<'_, '_>, issuer: &str) -> Option<Assertion> {
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
