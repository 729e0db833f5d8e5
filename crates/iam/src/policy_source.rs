//! The user, group or role whose policies a simulation is about, named by its ARN.

use daypass_core::policy::{Document, DocumentKind};
use daypass_core::store::records::{Group, ManagedPolicy, Role, User};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{AwsManagedPolicy, Check, Cx, Error, Fault};

use crate::entity::{Entity as _, Identity};
use crate::fault::invalid_input;
use crate::policy_arn::PolicyArn;
use crate::simulated_policy::SimulatedPolicy;

/// What the policies are taken from.
pub(crate) struct PolicySource {
    /// The ARN and unique id, if it is a user: the caller, unless the request names another.
    pub(crate) user: Option<(String, String)>,
    /// What is attached to it; of a user, also to its groups.
    pub(crate) policies: Vec<SimulatedPolicy>,
    /// Its permissions boundary.
    pub(crate) boundary: Option<SimulatedPolicy>,
}

/// An ARN of a user, group or role.
pub(crate) struct SourceArn<'a> {
    pub(crate) account: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> SourceArn<'a> {
    pub(crate) fn parse(arn: &'a str) -> Option<Self> {
        let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
        let (kind, path) = resource.split_once('/')?;
        let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
        matches!(kind, "user" | "group" | "role").then_some(Self { account, kind, name })
    }
}

/// The question about the source, by its own ARN if it is there.
pub(crate) fn check(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<Check, StoreError> {
    match SourceArn::parse(arn) {
        Some(source) if source.account == cx.account().to_string() => match source.kind {
            "user" => User::check(cx, tx, source.name),
            "group" => Group::check(cx, tx, source.name),
            _ => Role::check(cx, tx, source.name),
        },
        // It has no policies here; that is for the operation to say.
        Some(_) => Ok(Check::new(cx.operation().action, arn)),
        None => Ok(Check::on_all(cx.operation().action)),
    }
}

/// The policies of the source. It is found by its name; a path in the ARN need not be its own (observed on AWS).
///
/// # Errors
/// If the ARN names no user, group or role, one of another account, or one that is not there.
pub(crate) fn load(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<PolicySource, Error> {
    let source = own(cx, arn)?;
    let name = source.name;
    match source.kind {
        "user" => of_user(cx, tx, &User::load(cx, tx, name)?),
        "group" => of_identity(cx, tx, &Group::load(cx, tx, name)?),
        _ => of_identity(cx, tx, &Role::load(cx, tx, name)?),
    }
}

/// The source that an ARN names in the caller's account.
///
/// # Errors
/// If it names none, or one of another account.
pub(crate) fn own<'a>(cx: &Cx, arn: &'a str) -> Result<SourceArn<'a>, Fault> {
    let source = SourceArn::parse(arn).ok_or_else(|| unclear(arn))?;
    let own = cx.account().to_string();
    if source.account == own {
        return Ok(source);
    }
    Err(invalid_input(format!(
        "Invalid Policy Source Arn: caller's account {own} does not have access to policies in account {}",
        source.account
    )))
}

/// AWS's words for an ARN that is of no user, group or role.
pub(crate) fn unclear(arn: &str) -> Fault {
    invalid_input(format!("Invalid Entity Arn: {arn} does not clearly define entity type and name."))
}

fn of_user(cx: &Cx, tx: &Tx<'_>, user: &User) -> Result<PolicySource, Error> {
    let mut source = of_identity(cx, tx, user)?;
    for name in &user.groups {
        if let Some(group) = Group::find(cx, tx, name)? {
            attached(cx, tx, &group, &mut source.policies)?;
        }
    }
    source.user = Some((user.arn(), user.id.clone()));
    Ok(source)
}

fn of_identity<I: Identity>(cx: &Cx, tx: &Tx<'_>, identity: &I) -> Result<PolicySource, Error> {
    let mut policies = vec![];
    attached(cx, tx, identity, &mut policies)?;
    let boundary = match identity.boundary() {
        // A boundary that is not there bounds everything.
        Some(arn) => Some(managed(cx, tx, arn)?.unwrap_or_else(|| stored(arn, ""))),
        None => None,
    };
    Ok(PolicySource { user: None, policies, boundary })
}

fn attached<I: Identity>(
    cx: &Cx,
    tx: &Tx<'_>,
    identity: &I,
    policies: &mut Vec<SimulatedPolicy>,
) -> Result<(), Error> {
    for (name, text) in &identity.policies().inline {
        policies.push(stored(&format!("{}_{}_{name}", I::KIND, identity.name()), text));
    }
    for arn in &identity.policies().attached {
        policies.extend(managed(cx, tx, arn)?);
    }
    Ok(())
}

/// The managed policy of that ARN, in its default version.
fn managed(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<Option<SimulatedPolicy>, Error> {
    if let Some(policy) = AwsManagedPolicy::find(arn) {
        return Ok(Some(stored(&policy.name, &policy.document)));
    }
    let Some(policy) = ManagedPolicy::find(cx, tx, arn)? else { return Ok(None) };
    let version = policy.versions.iter().find(|version| version.number == policy.default_version);
    let name = PolicyArn::parse(arn).map_or(arn, |arn| arn.name);
    Ok(version.map(|version| stored(name, &version.document)))
}

/// What is stored is simulated as it is enforced, whatever is in it.
fn stored(id: &str, text: &str) -> SimulatedPolicy {
    SimulatedPolicy::new(id, text, Document::load(DocumentKind::Managed, text))
}
