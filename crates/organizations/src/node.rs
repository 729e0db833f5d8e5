//! Roots, organizational units and accounts: the nodes of the tree, as requests name and answers show them.

use daypass_core::model::AccountId;
use daypass_core::model::organizations::{
    Account, AccountJoinedMethod, AccountState, AccountStatus, OrganizationalUnit, PolicyTypeStatus,
    PolicyTypeSummary, Root,
};
use daypass_core::organizations::way_down;
use daypass_core::store::records::{MemberAccount, Organization, OrganizationNode};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Cx, Error, Fault};

use crate::policy;

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Root,
    Unit,
    Account,
}

/// What a node of that id is.
pub(crate) fn kind_of(id: &str) -> Kind {
    match id.split_once('-') {
        Some(("r", _)) => Kind::Root,
        Some(_) => Kind::Unit,
        None => Kind::Account,
    }
}

/// The node of that id, if it is of one of these kinds.
///
/// # Errors
/// `missing` if it is not there.
pub(crate) fn load(
    tx: &Tx<'_>,
    organization: &Organization,
    id: &str,
    kinds: &[Kind],
    missing: fn() -> Fault,
) -> Result<OrganizationNode, Error> {
    let node = tx.get::<OrganizationNode>(&OrganizationNode::key_of(&organization.id, id))?;
    node.filter(|node| kinds.contains(&kind_of(&node.id))).ok_or_else(|| missing().into())
}

/// Everything of an organization's tree.
pub(crate) fn all(tx: &Tx<'_>, organization: &Organization) -> Result<Vec<OrganizationNode>, StoreError> {
    tx.all(&OrganizationNode::all(&organization.id))
}

/// What is directly under a node, of one kind.
pub(crate) fn children(
    tx: &Tx<'_>,
    organization: &Organization,
    parent: &str,
    kind: Kind,
) -> Result<Vec<OrganizationNode>, StoreError> {
    let mut nodes = all(tx, organization)?;
    nodes.retain(|node| node.parent.as_deref() == Some(parent) && kind_of(&node.id) == kind);
    Ok(nodes)
}

/// A new node for an account: directly under the root, with AWS's own policies of every type that is enabled.
pub(crate) fn of_account(
    cx: &Cx,
    organization: &Organization,
    (id, name, email): (AccountId, String, String),
    created_here: bool,
) -> OrganizationNode {
    OrganizationNode {
        organization: organization.id.clone(),
        id: id.as_str().to_owned(),
        parent: Some(organization.root_id.clone()),
        name,
        policies: policy::full_access(organization),
        tags: vec![],
        account: Some(MemberAccount {
            id,
            email,
            joined: cx.now(),
            created_here,
            closed: None,
            delegated: vec![],
        }),
    }
}

/// `arn:aws:organizations::111111111111:ou/o-exampleorgid/ou-examplerootid111-exampleouid111`.
fn arn(organization: &Organization, kind: &str, id: &str) -> String {
    format!("arn:aws:organizations::{}:{kind}/{}/{id}", organization.management_account, organization.id)
}

/// The node's ARN.
pub(crate) fn arn_of(organization: &Organization, node: &OrganizationNode) -> String {
    let kind = match kind_of(&node.id) {
        Kind::Root => "root",
        Kind::Unit => "ou",
        Kind::Account => "account",
    };
    arn(organization, kind, &node.id)
}

/// The ids from the organization down to the node, as `Path` has them.
fn path_to(tx: &Tx<'_>, organization: &Organization, id: &str) -> Result<String, StoreError> {
    let way = way_down(tx, &organization.id, id)?;
    let ids: Vec<&str> = way.iter().map(|node| node.id.as_str()).collect();
    Ok(format!("{}/{}/", organization.id, ids.join("/")))
}

/// The root as answers show it.
pub(crate) fn root(organization: &Organization, node: &OrganizationNode) -> Root {
    let enabled = |kind| PolicyTypeSummary {
        type_: Some(policy::type_of(kind)),
        status: Some(PolicyTypeStatus::ENABLED),
    };
    Root {
        id: Some(node.id.clone()),
        arn: Some(arn_of(organization, node)),
        name: Some(node.name.clone()),
        policy_types: Some(organization.policy_types.iter().map(|kind| enabled(*kind)).collect()),
    }
}

/// An organizational unit as answers show it.
pub(crate) fn unit(
    tx: &Tx<'_>,
    organization: &Organization,
    node: &OrganizationNode,
) -> Result<OrganizationalUnit, StoreError> {
    Ok(OrganizationalUnit {
        id: Some(node.id.clone()),
        arn: Some(arn_of(organization, node)),
        name: Some(node.name.clone()),
        path: Some(path_to(tx, organization, &node.id)?),
    })
}

/// An account as answers show it; nothing of a node that is none.
pub(crate) fn account(
    tx: &Tx<'_>,
    organization: &Organization,
    node: &OrganizationNode,
) -> Result<Option<Account>, StoreError> {
    let Some(account) = &node.account else { return Ok(None) };
    let (status, state) = match account.closed {
        Some(_) => (AccountStatus::SUSPENDED, AccountState::CLOSED),
        None => (AccountStatus::ACTIVE, AccountState::ACTIVE),
    };
    let method =
        if account.created_here { AccountJoinedMethod::CREATED } else { AccountJoinedMethod::INVITED };
    Ok(Some(Account {
        id: Some(node.id.clone()),
        arn: Some(arn_of(organization, node)),
        email: Some(account.email.clone()),
        name: Some(node.name.clone()),
        status: Some(status),
        state: Some(state),
        paths: Some(vec![path_to(tx, organization, &node.id)?]),
        joined_method: Some(method),
        joined_timestamp: Some(account.joined),
    }))
}
