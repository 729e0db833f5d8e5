//! Ways out of an organization: `RemoveAccountFromOrganization`, `LeaveOrganization`, `CloseAccount`.

use daypass_core::model::organizations::{CloseAccountRequest, RemoveAccountFromOrganizationRequest, ops};
use daypass_core::store::records::{Membership, Organization, OrganizationNode};
use daypass_core::store::{Record as _, Tx};
use daypass_core::{Cx, Error, operation};

use crate::fault::{already_closed, constraint, management_cannot_leave, no_account};
use crate::node::{self, Kind};
use crate::{all_features, home};

operation!(
    REMOVE_ACCOUNT_FROM_ORGANIZATION,
    ops::RemoveAccountFromOrganization,
    |cx, tx, input| home::checks(cx, tx, &[&input.account_id]),
    remove
);
operation!(LEAVE_ORGANIZATION, ops::LeaveOrganization, |cx, tx, ()| home::checks(cx, tx, &[]), leave);
operation!(
    CLOSE_ACCOUNT,
    ops::CloseAccount,
    |cx, tx, input| home::checks(cx, tx, &[&input.account_id]),
    close
);

fn remove(cx: &Cx, tx: &mut Tx<'_>, input: RemoveAccountFromOrganizationRequest) -> Result<(), Error> {
    let organization = home::managed(cx, tx)?;
    let node = node::load(tx, &organization, &input.account_id, &[Kind::Account], no_account)?;
    part(cx, tx, &organization, &node)
}

fn leave(cx: &Cx, tx: &mut Tx<'_>, (): ()) -> Result<(), Error> {
    let organization = home::any(cx, tx)?;
    let own = cx.account();
    let node = node::load(tx, &organization, own.as_str(), &[Kind::Account], no_account)?;
    part(cx, tx, &organization, &node)
}

/// Takes an account out. On AWS it must be able to pay for itself first; here nothing costs anything.
fn part(cx: &Cx, tx: &mut Tx<'_>, organization: &Organization, node: &OrganizationNode) -> Result<(), Error> {
    let Some(account) = &node.account else { return Err(no_account().into()) };
    if account.id == organization.management_account {
        return Err(management_cannot_leave().into());
    }
    if !account.delegated.is_empty() {
        let words = "You can't remove an account that is registered as a delegated administrator for a service. Deregister it first.";
        return Err(constraint("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG", words).into());
    }
    if account.closed.is_some() {
        let words = "You can't remove a closed account from the organization.";
        return Err(constraint("ACCOUNT_CANNOT_LEAVE_ORGANIZATION", words).into());
    }
    tx.delete(&node.key());
    tx.delete(&Membership::key_of(&account.id));
    all_features::left(cx, tx, organization, &account.id)
}

/// From now on nobody in the account is anybody. It stays in the organization, as on AWS for 90 days.
fn close(cx: &Cx, tx: &mut Tx<'_>, input: CloseAccountRequest) -> Result<(), Error> {
    let organization = home::managed(cx, tx)?;
    let mut node = node::load(tx, &organization, &input.account_id, &[Kind::Account], no_account)?;
    let Some(account) = &mut node.account else { return Err(no_account().into()) };
    if account.id == organization.management_account {
        let words = "You can't close the management account of an organization.";
        return Err(constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", words).into());
    }
    if account.closed.is_some() {
        return Err(already_closed().into());
    }
    account.closed = Some(cx.now());
    Ok(tx.put(&node)?)
}
