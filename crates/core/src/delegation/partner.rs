//! Partners: who may ask accounts for access, and with which templates. AWS takes them on by hand (IAM user guide,
//! `access_policies-temporary-delegation-partner-guide`); here the operator of the server does.

use daypass_model::{AccountId, Timestamp};
use daypass_policy::{Document, DocumentKind};
use daypass_store::records::Account;
use daypass_store::{Key, Prefix, Read as _, Record, StoreError, TransactError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;

use super::template::{Template, TemplateError};
use crate::aws_managed::AwsManagedPolicy;
use crate::ids::Ids;
use crate::operator::Operated;
use crate::state::State;

/// The most partners of a server, the templates of one and the boundaries of one. AWS does not name its own.
const MAX_PARTNERS: usize = 100;
const MAX_TEMPLATES: usize = 50;
const MAX_BOUNDARIES: usize = 200;
/// Boundaries of one template.
const MAX_OF_TEMPLATE: usize = 10;
/// Characters of a partner's name (IAM API reference, DelegationRequest: `RequestorName`).
const MAX_NAME: usize = 30;
/// Characters of a domain and of a name in an ARN.
const MAX_PART: usize = 128;
/// Characters of a boundary, white space apart: those of any managed policy (`reference_iam-quotas`).
const MAX_BOUNDARY: usize = 6144;
/// Where the ARNs of boundaries begin. AWS's guide has `permission_boundary`; AWS's managed policies name partners' boundaries
/// with this (`VercelMarketplaceServiceRoleBoundary_2026_04_16`).
const BOUNDARIES: &str = "arn:aws:iam::partner:policy/permissions-boundary/";
/// Those of templates: AWS does not show one.
const TEMPLATES: &str = "arn:aws:iam::partner:delegation-template/";

/// An account that was taken on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// The account.
    pub account: AccountId,
    /// What customers are shown.
    pub name: String,
    /// Its domain: what the ARNs of its templates and boundaries hold.
    pub domain: String,
    /// Since when.
    pub since: Timestamp,
    /// Another each time that the account is taken on: what it had asked for before is not asked for by what it is then.
    #[serde(default)]
    pub generation: String,
}

impl Partner {
    /// Where a partner stands.
    #[must_use]
    pub fn key_of(account: &AccountId) -> Key {
        Key::new(&["delegation", "partner", account.as_str()])
    }

    fn all() -> Prefix {
        Prefix::new(&["delegation", "partner"])
    }
}

impl Record for Partner {
    fn key(&self) -> Key {
        Self::key_of(&self.account)
    }
}

/// Whose domain it is, for ever: roles may be bounded by what is named after it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Domain {
    domain: String,
    account: AccountId,
}

impl Domain {
    fn key_of(domain: &str) -> Key {
        Key::new(&["delegation", "domain", domain])
    }
}

impl Record for Domain {
    fn key(&self) -> Key {
        Self::key_of(&self.domain)
    }
}

/// A template of a partner's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyTemplate {
    domain: String,
    name: String,
    /// The template's text.
    pub document: String,
    /// The ARNs of boundaries of which one has to be on each role that is made.
    pub boundaries: Vec<String>,
    created: Timestamp,
}

impl PolicyTemplate {
    fn key_of(domain: &str, name: &str) -> Key {
        Key::new(&["delegation", "template", domain, name])
    }

    fn all(domain: &str) -> Prefix {
        Prefix::new(&["delegation", "template", domain])
    }

    fn arn(&self) -> String {
        format!("{TEMPLATES}{}/{}", self.domain, self.name)
    }

    /// A partner's own template of that ARN.
    ///
    /// # Errors
    /// If the store fails.
    pub fn find(tx: &Tx<'_>, partner: &Partner, arn: &str) -> Result<Option<Self>, StoreError> {
        let own = arn.strip_prefix(TEMPLATES).and_then(|rest| rest.strip_prefix(partner.domain.as_str()));
        match own.and_then(|rest| rest.strip_prefix('/')) {
            Some(name) => tx.get(&Self::key_of(&partner.domain, name)),
            None => Ok(None),
        }
    }
}

impl Record for PolicyTemplate {
    fn key(&self) -> Key {
        Self::key_of(&self.domain, &self.name)
    }
}

/// A permissions boundary of a partner's: the same for all accounts, and never changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerBoundary {
    domain: String,
    /// Its name.
    pub name: String,
    /// The policy.
    pub document: String,
    /// Since when.
    pub created: Timestamp,
}

impl PartnerBoundary {
    /// Where the boundary of that ARN stands, if it is the ARN of one.
    #[must_use]
    pub fn place_of(arn: &str) -> Option<Key> {
        let (domain, name) = arn.strip_prefix(BOUNDARIES)?.split_once('/')?;
        (is_part(domain) && is_part(name)).then(|| Self::key_of(domain, name))
    }

    fn key_of(domain: &str, name: &str) -> Key {
        Key::new(&["delegation", "boundary", domain, name])
    }

    fn all(domain: &str) -> Prefix {
        Prefix::new(&["delegation", "boundary", domain])
    }

    /// `arn:aws:iam::partner:policy/permissions-boundary/example.com/Name`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("{BOUNDARIES}{}/{}", self.domain, self.name)
    }

    /// `/permissions-boundary/example.com/`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/permissions-boundary/{}/", self.domain)
    }
}

impl Record for PartnerBoundary {
    fn key(&self) -> Key {
        Self::key_of(&self.domain, &self.name)
    }
}

/// A partner, as the operator is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownPartner {
    /// Its account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// Since when.
    pub since: String,
    /// Its templates.
    pub templates: Vec<ShownTemplate>,
    /// The ARNs of its boundaries.
    pub boundaries: Vec<String>,
}

/// A template, likewise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownTemplate {
    /// What requests name it by.
    pub arn: String,
    /// The names of its parameters.
    pub parameters: Vec<String>,
    /// The ARNs of the boundaries that it wants on roles.
    pub boundaries: Vec<String>,
}

/// What a template is to be.
pub struct NewTemplate {
    /// The partner's account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Its text.
    pub document: String,
    /// Boundaries.
    pub boundaries: Vec<NewBoundary>,
}

/// A boundary that a template wants on roles.
pub enum NewBoundary {
    /// One that is there: AWS's own policy, or one that the partner has.
    Known(String),
    /// A new one: its name and its document.
    New(String, String),
}

/// Why a partner or a template is not as the operator wants it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PartnerError {
    /// There is no such account.
    #[error("there is no account `{0}` here: make it first, as with `daypass env --account {0} --create`")]
    NoAccount(AccountId),
    /// It is no partner.
    #[error(
        "the account `{0}` is not a partner: `daypass partner add --account {0} --name NAME --domain DOMAIN` makes it one"
    )]
    NoPartner(AccountId),
    /// It is one.
    #[error("the account `{0}` is a partner already: remove it first")]
    IsPartner(AccountId),
    /// The domain is another's.
    #[error("the domain `{0}` is another account's")]
    DomainTaken(String),
    /// A name is none.
    #[error("`{0}` is not a {1}")]
    BadName(String, &'static str),
    /// There is no such template.
    #[error("the partner has no template `{0}`")]
    NoTemplate(String),
    /// There is.
    #[error("the partner has a template `{0}` already: remove it first")]
    IsTemplate(String),
    /// There is a boundary of that name, with another document.
    #[error(
        "the boundary `{0}` is there already, and boundaries never change: give the new one another name, as with its date"
    )]
    IsBoundary(String),
    /// There is no such boundary.
    #[error("there is no boundary `{0}`: it is a policy of AWS's, or one that the partner gave before")]
    NoBoundary(String),
    /// A template that lets roles be made wants boundaries on them.
    #[error(
        "the template `{0}` allows `iam:CreateRole`: name the boundaries of such roles with `--boundary`"
    )]
    NoBoundaryOfTemplate(String),
    /// A boundary is no policy.
    #[error("the boundary `{0}` is not a policy: {1}")]
    BadBoundary(String, String),
    /// The template is none.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// There are as many as there may be.
    #[error("there are {0} {1}, which are all that may be")]
    TooMany(usize, &'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A part of an ARN that is nothing else.
fn is_part(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !text.is_empty() && text.len() <= MAX_PART && text.bytes().all(plain)
}

fn part(text: &str, what: &'static str) -> Result<(), PartnerError> {
    if is_part(text) {
        Ok(())
    } else {
        Err(PartnerError::BadName(text.chars().take(MAX_PART).collect(), what))
    }
}

fn partner_of(tx: &Tx<'_>, account: &AccountId) -> Result<Partner, PartnerError> {
    tx.get(&Partner::key_of(account))?.ok_or_else(|| PartnerError::NoPartner(account.clone()))
}

/// Changes something, and has it audited with the change; that it failed is audited too.
async fn operate<T>(
    state: &State,
    operated: Operated<'_>,
    mut change: impl FnMut(&mut Tx<'_>) -> Result<T, PartnerError>,
) -> Result<T, PartnerError> {
    let record = operated.record(state, None);
    let done = state.store.transact(|tx| {
        let value = change(tx)?;
        tx.audit(record.clone());
        Ok(value)
    });
    let done = done.await.map_err(|error: TransactError<PartnerError>| match error {
        TransactError::Aborted(error) => error,
        TransactError::Store(error) => error.into(),
    });
    if let Err(error) = &done {
        state.store.record(operated.record(state, Some(&error.to_string()))).await?;
    }
    done
}

const KIND: &str = "AWS::IAM::DelegationPartner";

/// Takes an account on as a partner. `by` is the operator.
///
/// # Errors
/// See [`PartnerError`]. Nothing has changed then.
pub async fn add(
    state: &State,
    by: &str,
    account: &AccountId,
    name: &str,
    domain: &str,
) -> Result<ShownPartner, PartnerError> {
    let cut = |text: &str| text.chars().take(MAX_PART).collect::<String>();
    let parameters = json!({ "account": account.as_str(), "name": cut(name), "domain": cut(domain) });
    let resource = (KIND, account.as_str());
    let operated = Operated { account, by, what: "AddDelegationPartner", resource, parameters };
    let since = state.clock.now().truncated();
    let generation = Ids::drawn(&*state.entropy).uuid();
    operate(state, operated, |tx| {
        if tx.get::<Account>(&Account::key_of(account))?.is_none() {
            return Err(PartnerError::NoAccount(account.clone()));
        }
        if tx.get::<Partner>(&Partner::key_of(account))?.is_some() {
            return Err(PartnerError::IsPartner(account.clone()));
        }
        // What AWS's model lets be shown: Latin characters (`requestorNameType`).
        let shown = |c: char| matches!(c, '\u{20}'..='\u{7e}' | '\u{a1}'..='\u{ff}');
        if name.trim().is_empty() || name.chars().count() > MAX_NAME || !name.chars().all(shown) {
            return Err(PartnerError::BadName(cut(name), "name of at most 30 Latin characters"));
        }
        part(domain, "domain, as `example.com`")?;
        match tx.get::<Domain>(&Domain::key_of(domain))? {
            Some(taken) if taken.account != *account => {
                return Err(PartnerError::DomainTaken(domain.to_owned()));
            }
            Some(_) => {}
            None => tx.put(&Domain { domain: domain.to_owned(), account: account.clone() })?,
        }
        if tx.keys(&Partner::all(), None, MAX_PARTNERS)?.len() >= MAX_PARTNERS {
            return Err(PartnerError::TooMany(MAX_PARTNERS, "partners"));
        }
        let (name, domain, generation) = (name.to_owned(), domain.to_owned(), generation.clone());
        let partner = Partner { account: account.clone(), name, domain, since, generation };
        tx.put(&partner)?;
        show(tx, partner)
    })
    .await
}

/// An account is no partner any more, and its templates are gone. What it was given ends at once, and stays ended when it is
/// taken on again; boundaries stay, for roles that are bounded by them.
///
/// # Errors
/// See [`PartnerError`].
pub async fn remove(state: &State, by: &str, account: &AccountId) -> Result<(), PartnerError> {
    let parameters = json!({ "account": account.as_str() });
    let resource = (KIND, account.as_str());
    let operated = Operated { account, by, what: "RemoveDelegationPartner", resource, parameters };
    operate(state, operated, |tx| {
        let partner = partner_of(tx, account)?;
        for key in tx.keys(&PolicyTemplate::all(&partner.domain), None, usize::MAX)? {
            tx.delete(&key);
        }
        tx.delete(&partner.key());
        Ok(())
    })
    .await
}

/// Gives a partner a template, with the boundaries that it wants on roles.
///
/// # Errors
/// See [`PartnerError`]. Nothing has changed then.
pub async fn add_template(state: &State, by: &str, new: NewTemplate) -> Result<ShownPartner, PartnerError> {
    let name: String = new.name.chars().take(MAX_PART).collect();
    let parameters = json!({
        "account": new.account.as_str(),
        "name": name,
        "document": new.document.chars().take(super::MAX_RENDERED).collect::<String>(),
    });
    let (account, resource) = (&new.account, (KIND, new.account.as_str()));
    let operated = Operated { account, by, what: "AddDelegationTemplate", resource, parameters };
    let created = state.clock.now().truncated();
    operate(state, operated, |tx| {
        let partner = partner_of(tx, account)?;
        part(&new.name, "name of a template")?;
        let template = Template::parse(&new.document)?;
        if new.boundaries.is_empty() && template.makes_roles()? {
            return Err(PartnerError::NoBoundaryOfTemplate(new.name.clone()));
        }
        if tx.get::<PolicyTemplate>(&PolicyTemplate::key_of(&partner.domain, &new.name))?.is_some() {
            return Err(PartnerError::IsTemplate(new.name.clone()));
        }
        if tx.keys(&PolicyTemplate::all(&partner.domain), None, MAX_TEMPLATES)?.len() >= MAX_TEMPLATES {
            return Err(PartnerError::TooMany(MAX_TEMPLATES, "templates of the partner"));
        }
        if new.boundaries.len() > MAX_OF_TEMPLATE {
            return Err(PartnerError::TooMany(MAX_OF_TEMPLATE, "boundaries of the template"));
        }
        let mut boundaries = vec![];
        for boundary in &new.boundaries {
            boundaries.push(match boundary {
                NewBoundary::Known(arn) => known_boundary(tx, &partner, arn)?,
                NewBoundary::New(name, document) => new_boundary(tx, &partner, name, document, created)?,
            });
        }
        let (domain, name, document) = (partner.domain.clone(), new.name.clone(), new.document.clone());
        tx.put(&PolicyTemplate { domain, name, document, boundaries, created })?;
        show(tx, partner)
    })
    .await
}

fn known_boundary(tx: &Tx<'_>, partner: &Partner, arn: &str) -> Result<String, PartnerError> {
    let is_own = arn.starts_with(&format!("{BOUNDARIES}{}/", partner.domain));
    let place = PartnerBoundary::place_of(arn).filter(|_| is_own);
    let is_there = match place {
        Some(place) => tx.get::<PartnerBoundary>(&place)?.is_some(),
        None => AwsManagedPolicy::find(arn).is_some(),
    };
    if is_there { Ok(arn.to_owned()) } else { Err(PartnerError::NoBoundary(arn.chars().take(256).collect())) }
}

fn new_boundary(
    tx: &mut Tx<'_>,
    partner: &Partner,
    name: &str,
    document: &str,
    created: Timestamp,
) -> Result<String, PartnerError> {
    part(name, "name of a boundary")?;
    let bad = |why: String| PartnerError::BadBoundary(name.to_owned(), why);
    if daypass_policy::size_without_white_space(document) > MAX_BOUNDARY {
        return Err(bad(format!("it has more than {MAX_BOUNDARY} characters")));
    }
    // A boundary is the same for everybody: there are no parameters in it.
    if document.contains("@{") {
        return Err(bad("it has parameters, and is the same for all accounts".to_owned()));
    }
    Document::parse(DocumentKind::Managed, document).map_err(|error| bad(error.aws_message()))?;
    let (domain, document) = (partner.domain.clone(), document.to_owned());
    let boundary = PartnerBoundary { domain, name: name.to_owned(), document, created };
    match tx.get::<PartnerBoundary>(&boundary.key())? {
        Some(known) if known.document != boundary.document => Err(PartnerError::IsBoundary(name.to_owned())),
        Some(known) => Ok(known.arn()),
        None if tx.keys(&PartnerBoundary::all(&partner.domain), None, MAX_BOUNDARIES)?.len()
            >= MAX_BOUNDARIES =>
        {
            Err(PartnerError::TooMany(MAX_BOUNDARIES, "boundaries of the partner"))
        }
        None => {
            tx.put(&boundary)?;
            Ok(boundary.arn())
        }
    }
}

/// Takes a template from a partner. What was asked for with it stays asked.
///
/// # Errors
/// See [`PartnerError`].
pub async fn remove_template(
    state: &State,
    by: &str,
    account: &AccountId,
    name: &str,
) -> Result<(), PartnerError> {
    let name: String = name.chars().take(MAX_PART).collect();
    let parameters = json!({ "account": account.as_str(), "name": name });
    let resource = (KIND, account.as_str());
    let operated = Operated { account, by, what: "RemoveDelegationTemplate", resource, parameters };
    operate(state, operated, |tx| {
        let partner = partner_of(tx, account)?;
        let key = PolicyTemplate::key_of(&partner.domain, &name);
        if tx.get::<PolicyTemplate>(&key)?.is_none() {
            return Err(PartnerError::NoTemplate(name.clone()));
        }
        tx.delete(&key);
        Ok(())
    })
    .await
}

/// All partners.
///
/// # Errors
/// If the store fails.
pub fn list(state: &State) -> Result<Vec<ShownPartner>, PartnerError> {
    state.store.read(|tx| {
        let partners = tx.all::<Partner>(&Partner::all())?;
        partners.into_iter().map(|partner| show(tx, partner)).collect()
    })
}

fn show(tx: &Tx<'_>, partner: Partner) -> Result<ShownPartner, PartnerError> {
    let mut templates = vec![];
    for template in tx.all::<PolicyTemplate>(&PolicyTemplate::all(&partner.domain))? {
        let parameters = Template::parse(&template.document)?.parameters().map(str::to_owned).collect();
        let (arn, boundaries) = (template.arn(), template.boundaries);
        templates.push(ShownTemplate { arn, parameters, boundaries });
    }
    let boundaries = tx.all::<PartnerBoundary>(&PartnerBoundary::all(&partner.domain))?;
    Ok(ShownPartner {
        boundaries: boundaries.iter().map(PartnerBoundary::arn).collect(),
        account: partner.account,
        name: partner.name,
        domain: partner.domain,
        since: partner.since.to_string(),
        templates,
    })
}
