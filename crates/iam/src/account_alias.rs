//! The account's alias: `CreateAccountAlias`, `DeleteAccountAlias` and `ListAccountAliases`. An account has one at most;
//! another takes its place (observed on AWS). Aliases are unique among all accounts.

use daypass_core::model::iam::{
    CreateAccountAliasRequest, DeleteAccountAliasRequest, ListAccountAliasesRequest,
    ListAccountAliasesResponse, ops,
};
use daypass_core::store::records::{Account, AccountAlias};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use crate::fault::{already_exists, no_such_entity, validation};
use crate::paging::Paging;

operation!(CREATE_ACCOUNT_ALIAS, ops::CreateAccountAlias, |cx, _, _| checks(cx), create);
operation!(DELETE_ACCOUNT_ALIAS, ops::DeleteAccountAlias, |cx, _, _| checks(cx), delete);
operation!(LIST_ACCOUNT_ALIASES, ops::ListAccountAliases, |cx, _, _| checks(cx), list);

fn checks(cx: &Cx) -> Result<Checks, StoreError> {
    Ok(Check::on_all(cx.operation().action).into())
}

fn account(cx: &Cx, tx: &Tx<'_>) -> Result<Account, Error> {
    let account = tx.get::<Account>(&Account::key_of(&cx.account()))?;
    account.ok_or_else(|| cx.internal_failure().into())
}

fn create(cx: &Cx, tx: &mut Tx<'_>, input: CreateAccountAliasRequest) -> Result<(), Error> {
    let alias = input.account_alias;
    well_formed(&alias)?;
    if tx.get::<AccountAlias>(&AccountAlias::key_of(&alias))?.is_some() {
        return Err(already_exists(format!("The account alias {alias} already exists.")).into());
    }
    let mut account = account(cx, tx)?;
    if let Some(old) = account.alias.take() {
        tx.delete(&AccountAlias::key_of(&old));
    }
    tx.put(&AccountAlias { alias: alias.clone(), account: account.id.clone() })?;
    account.alias = Some(alias);
    Ok(tx.put(&account)?)
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteAccountAliasRequest) -> Result<(), Error> {
    let alias = input.account_alias;
    well_formed(&alias)?;
    let mut account = account(cx, tx)?;
    if account.alias.as_deref() != Some(alias.as_str()) {
        // AWS's words were not seen recorded: after those for other entities.
        let words = format!("The account alias with name {alias} cannot be found.");
        return Err(no_such_entity(words).into());
    }
    account.alias = None;
    tx.delete(&AccountAlias::key_of(&alias));
    Ok(tx.put(&account)?)
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListAccountAliasesRequest,
) -> Result<ListAccountAliasesResponse, Error> {
    let aliases: Vec<String> = account(cx, tx)?.alias.into_iter().collect();
    let page = Paging::new(cx, input.marker.as_deref(), input.max_items)?.list(aliases)?;
    Ok(ListAccountAliasesResponse {
        account_aliases: page.items,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// The model's pattern looks ahead, which the engine that checks patterns does not; it says: small letters, digits and
/// single hyphens between them.
fn well_formed(alias: &str) -> Result<(), Fault> {
    let signs = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let hyphens = alias.starts_with('-') || alias.ends_with('-') || alias.contains("--");
    if alias.bytes().all(signs) && !hyphens {
        return Ok(());
    }
    Err(validation(format!(
        "1 validation error detected: Value '{alias}' at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){{1,61}}[a-z0-9]$"
    )))
}
