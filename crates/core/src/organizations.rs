//! Where accounts stand in their organizations, with the control policies that reach them, compiled, and kept until
//! something in an organization changes.
//!
//! A decision never reads the store. A commit on this node takes what it made stale out of here before it is
//! acknowledged: the next request sees a policy that was attached, changed or moved away from.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use daypass_model::AccountId;
use daypass_policy::{Document, DocumentKind, Guardrails, Policy};
use daypass_store::records::{
    ControlPolicyType, Membership, Organization, OrganizationNode, OrganizationPolicy,
};
use daypass_store::{Change, Read, Store, StoreError, Tx};

use crate::aws_managed::source;

/// The most accounts whose standing is kept.
const MAX_ACCOUNTS: usize = 20_000;
/// The most levels from the root to an account: the root, five levels of organizational units, the account.
const MAX_DEPTH: usize = 16;
/// What the keys of all records of organizations begin with.
const KEYS: &str = "organization";

/// A control policy of AWS's own, which allows everything so that others can deny.
pub struct FullAccess {
    /// Its id.
    pub id: &'static str,
    /// Its ARN.
    pub arn: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its description.
    pub description: &'static str,
    /// Its document.
    pub document: &'static str,
    /// Its type.
    pub kind: ControlPolicyType,
}

/// AWS's own control policies (Organizations user guide, `orgs_manage_policies_scps`, `orgs_manage_policies_rcps`).
pub static FULL_ACCESS: [FullAccess; 2] = [
    FullAccess {
        id: "p-FullAWSAccess",
        arn: "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
        name: "FullAWSAccess",
        description: "Allows access to every operation",
        document: "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}",
        kind: ControlPolicyType::ServiceControlPolicy,
    },
    FullAccess {
        id: "p-RCPFullAWSAccess",
        arn: "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess",
        name: "RCPFullAWSAccess",
        description: "Allows access to every resource",
        document: "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Principal\": \"*\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}",
        kind: ControlPolicyType::ResourceControlPolicy,
    },
];

/// Where an account stands in its organization.
pub struct Standing {
    /// The organization.
    pub organization: Organization,
    /// `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`, as `aws:PrincipalOrgPaths` has it.
    pub path: String,
    /// Whether the account was closed.
    pub closed: bool,
    /// The services that the account administers for its organization.
    pub delegated: Vec<String>,
    service_control: Option<Guardrails>,
    service_control_bytes: usize,
    resource_control: Option<Guardrails>,
}

impl Standing {
    /// What limits the account's principals.
    #[must_use]
    pub fn service_control(&self) -> Option<&Guardrails> {
        self.service_control.as_ref()
    }

    /// How long the documents are that limit its principals, in bytes: what a decision by them costs.
    #[must_use]
    pub fn service_control_bytes(&self) -> usize {
        self.service_control_bytes
    }

    /// What limits who can be let to the account's resources.
    pub(crate) fn resource_control(&self) -> Option<&Guardrails> {
        self.resource_control.as_ref()
    }
}

/// The standing of every account that was asked for lately. Cheap to clone.
#[derive(Clone)]
pub struct Organizations {
    store: Store,
    cache: Arc<RwLock<Cache>>,
}

#[derive(Default)]
struct Cache {
    accounts: HashMap<AccountId, Option<Arc<Standing>>>,
    /// Counts the changes of organizations: what was read while one changed is not kept.
    generation: u64,
}

impl Organizations {
    /// The organizations of a store; they follow its commits.
    #[must_use]
    pub fn of(store: &Store) -> Self {
        let cache = Arc::new(RwLock::new(Cache::default()));
        let follower = Arc::clone(&cache);
        store.on_commit(move |changes: &[Change]| {
            if changes.iter().any(|change| change.key.as_str().starts_with(KEYS)) {
                let mut cache = follower.write().unwrap_or_else(PoisonError::into_inner);
                cache.generation += 1;
                cache.accounts.clear();
            }
        });
        Self { store: store.clone(), cache }
    }

    /// Where an account stands; `None` where it is in no organization.
    ///
    /// # Errors
    /// If the store fails, or if what it holds of the organization does not fit together.
    pub fn standing(&self, account: &AccountId) -> Result<Option<Arc<Standing>>, StoreError> {
        let before = {
            let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = cache.accounts.get(account) {
                return Ok(known.clone());
            }
            cache.generation
        };
        let found = self.store.read(|tx| build(tx, account))?.map(Arc::new);
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        // What changed while it was read serves this request, which began before, and no other.
        if cache.generation == before {
            if cache.accounts.len() >= MAX_ACCOUNTS {
                cache.accounts.clear();
            }
            cache.accounts.insert(account.clone(), found.clone());
        }
        Ok(found)
    }
}

fn build(tx: &Tx<'_>, account: &AccountId) -> Result<Option<Standing>, StoreError> {
    let Some(membership) = tx.get::<Membership>(&Membership::key_of(account))? else { return Ok(None) };
    let key = Organization::key_of(&membership.organization);
    let organization = tx.get::<Organization>(&key)?.ok_or_else(|| StoreError::torn(&key))?;
    let way = way_down(tx, &organization.id, account.as_str())?;
    let above: Vec<&str> =
        way.iter().map(|node| node.id.as_str()).filter(|id| *id != account.as_str()).collect();
    let path = format!("{}/{}/", organization.id, above.join("/"));
    let delegated = way
        .last()
        .and_then(|node| node.account.as_ref())
        .map(|account| account.delegated.iter().map(|service| service.principal.clone()).collect::<Vec<_>>());
    let closed = way.last().and_then(|node| node.account.as_ref()).is_some_and(|a| a.closed.is_some());
    let limited = *account != organization.management_account;
    let guard = |kind| match limited && organization.enables(kind) {
        true => guardrails(tx, &organization, &way, kind).map(Some),
        false => Ok(None),
    };
    let (service_control, service_control_bytes) = guard(ControlPolicyType::ServiceControlPolicy)?.unzip();
    let resource_control = guard(ControlPolicyType::ResourceControlPolicy)?.map(|(policies, _)| policies);
    let delegated = delegated.unwrap_or_default();
    let service_control_bytes = service_control_bytes.unwrap_or_default();
    Ok(Some(Standing {
        organization,
        path,
        closed,
        delegated,
        service_control,
        service_control_bytes,
        resource_control,
    }))
}

/// The nodes from the root down to one of them.
///
/// # Errors
/// If the store fails, or if one of them is not there.
pub fn way_down(read: &impl Read, organization: &str, id: &str) -> Result<Vec<OrganizationNode>, StoreError> {
    let (mut way, mut next) = (vec![], Some(id.to_owned()));
    while let Some(id) = next {
        let key = OrganizationNode::key_of(organization, &id);
        let node = read.get::<OrganizationNode>(&key)?.filter(|_| way.len() < MAX_DEPTH);
        let node = node.ok_or_else(|| StoreError::torn(&key))?;
        next = node.parent.clone();
        way.push(node);
    }
    way.reverse();
    Ok(way)
}

/// The policies of one type from the root down, and how long their documents are together. A level whose policies are not
/// there allows nothing.
fn guardrails(
    tx: &Tx<'_>,
    organization: &Organization,
    way: &[OrganizationNode],
    kind: ControlPolicyType,
) -> Result<(Guardrails, usize), StoreError> {
    let (mut levels, mut bytes) = (vec![], 0);
    for node in way {
        let mut policies = vec![];
        for id in &node.policies {
            let Some((policy, length)) = compiled(tx, organization, id, kind)? else { continue };
            policies.push(policy);
            bytes += length;
        }
        levels.push((node.id.clone(), policies));
    }
    // There are never so many: `way_down` ends before.
    let levels = Guardrails::new(levels);
    let levels = levels.map_err(|_| StoreError::torn(&Organization::key_of(&organization.id)))?;
    Ok((levels, bytes))
}

fn compiled(
    tx: &Tx<'_>,
    organization: &Organization,
    id: &str,
    kind: ControlPolicyType,
) -> Result<Option<(Arc<Policy>, usize)>, StoreError> {
    let read_as = match kind {
        ControlPolicyType::ServiceControlPolicy => DocumentKind::ServiceControl,
        ControlPolicyType::ResourceControlPolicy => DocumentKind::ResourceControl,
    };
    let compile =
        |arn: &str, text: &str| (Policy::compile(source(arn), Document::load(read_as, text)), text.len());
    if let Some(own) = FULL_ACCESS.iter().find(|own| own.id == id) {
        return Ok((own.kind == kind).then(|| compile(own.arn, own.document)));
    }
    let policy = tx.get::<OrganizationPolicy>(&OrganizationPolicy::key_of(&organization.id, id))?;
    let policy = policy.filter(|policy| policy.kind == kind);
    Ok(policy.map(|policy| compile(&policy_arn(organization, &policy), &policy.document)))
}

/// `arn:aws:organizations::123456789012:policy/o-a1b2c3d4e5/service_control_policy/p-11111111`.
#[must_use]
pub fn policy_arn(organization: &Organization, policy: &OrganizationPolicy) -> String {
    let kind = match policy.kind {
        ControlPolicyType::ServiceControlPolicy => "service_control_policy",
        ControlPolicyType::ResourceControlPolicy => "resource_control_policy",
    };
    let Organization { id, management_account, .. } = organization;
    format!("arn:aws:organizations::{management_account}:policy/{id}/{kind}/{}", policy.id)
}
