//! Accounts as they stand in the tree: `DescribeAccount`, `ListAccounts`, `ListAccountsForParent`, `MoveAccount`.

use daypass_core::model::organizations::{
    Account, DescribeAccountRequest, DescribeAccountResponse, ListAccountsForParentRequest,
    ListAccountsForParentResponse, ListAccountsRequest, ListAccountsResponse, MoveAccountRequest, ops,
};
use daypass_core::store::records::{Organization, OrganizationNode};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Cx, Error, operation};

use crate::fault::{no_account, no_destination_parent, no_parent, no_source_parent, same_place};
use crate::home;
use crate::node::{self, Kind};
use crate::paging::page;

operation!(
    DESCRIBE_ACCOUNT,
    ops::DescribeAccount,
    |cx, tx, input| home::checks(cx, tx, &[&input.account_id]),
    describe
);
operation!(LIST_ACCOUNTS, ops::ListAccounts, |cx, tx, _| home::checks(cx, tx, &[]), list);
operation!(
    LIST_ACCOUNTS_FOR_PARENT,
    ops::ListAccountsForParent,
    |cx, tx, input| home::checks(cx, tx, &[&input.parent_id]),
    list_for_parent
);
operation!(
    MOVE_ACCOUNT,
    ops::MoveAccount,
    |cx, tx, input| home::checks(
        cx,
        tx,
        &[&input.account_id, &input.source_parent_id, &input.destination_parent_id]
    ),
    move_account
);

fn describe(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeAccountRequest,
) -> Result<DescribeAccountResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.account_id])?)?;
    let node = node::load(tx, &organization, &input.account_id, &[Kind::Account], no_account)?;
    Ok(DescribeAccountResponse { account: node::account(tx, &organization, &node)? })
}

fn shown(
    tx: &Tx<'_>,
    organization: &Organization,
    nodes: Vec<OrganizationNode>,
) -> Result<Vec<(String, Account)>, StoreError> {
    let mut accounts = vec![];
    for node in nodes {
        accounts.extend(node::account(tx, organization, &node)?.map(|account| (node.id, account)));
    }
    Ok(accounts)
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListAccountsRequest) -> Result<ListAccountsResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[])?)?;
    let accounts = shown(tx, &organization, node::all(tx, &organization)?)?;
    let (accounts, next_token) = page(cx, accounts, input.next_token.as_deref(), input.max_results)?;
    Ok(ListAccountsResponse { accounts: Some(accounts), next_token })
}

fn list_for_parent(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListAccountsForParentRequest,
) -> Result<ListAccountsForParentResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.parent_id])?)?;
    node::load(tx, &organization, &input.parent_id, &[Kind::Root, Kind::Unit], no_parent)?;
    let nodes = node::children(tx, &organization, &input.parent_id, Kind::Account)?;
    let accounts = shown(tx, &organization, nodes)?;
    let (accounts, next_token) = page(cx, accounts, input.next_token.as_deref(), input.max_results)?;
    Ok(ListAccountsForParentResponse { accounts: Some(accounts), next_token })
}

fn move_account(cx: &Cx, tx: &mut Tx<'_>, input: MoveAccountRequest) -> Result<(), Error> {
    let organization = home::managed(cx, tx)?;
    let mut node = node::load(tx, &organization, &input.account_id, &[Kind::Account], no_account)?;
    let parents = [Kind::Root, Kind::Unit];
    node::load(tx, &organization, &input.source_parent_id, &parents, no_source_parent)?;
    node::load(tx, &organization, &input.destination_parent_id, &parents, no_destination_parent)?;
    if node.parent.as_deref() == Some(input.destination_parent_id.as_str()) {
        return Err(same_place().into());
    }
    if node.parent.as_deref() != Some(input.source_parent_id.as_str()) {
        return Err(no_source_parent().into());
    }
    node.parent = Some(input.destination_parent_id);
    Ok(tx.put(&node)?)
}
