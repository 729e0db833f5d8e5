//! Names for keys: `kms:CreateAlias`, `kms:UpdateAlias`, `kms:DeleteAlias`, `kms:ListAliases`. An alias is asked about for
//! itself, by policies of IAM alone, beside the keys that it stands for (KMS developer guide, "Controlling access to aliases").

use daypass_core::kms::{Alias, Key, Missing, Name};
use daypass_core::model::kms::{
    AliasListEntry, CreateAliasRequest, DeleteAliasRequest, ListAliasesRequest, ListAliasesResponse,
    UpdateAliasRequest, errors, ops,
};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use crate::describe::MANAGED;
use crate::fault::{self, limit_exceeded};
use crate::paging::{Wanted, page};
use crate::subject::{self, Reach};

operation!(CREATE_ALIAS, ops::CreateAlias, create_checks, create);
operation!(UPDATE_ALIAS, ops::UpdateAlias, update_checks, update);
operation!(DELETE_ALIAS, ops::DeleteAlias, delete_checks, delete);
operation!(LIST_ALIASES, ops::ListAliases, list_checks, list);

/// A slash, as the store's order has it. No name has a percent sign.
const SLASH: &str = "%2F";
/// Aliases of a key (KMS developer guide, "Resource quotas").
const MAX_ALIASES: usize = 50;

fn arn(cx: &Cx, name: &str) -> String {
    format!("arn:aws:kms:{}:{}:{name}", cx.region(), cx.account())
}

fn about_alias(cx: &Cx, name: &str) -> Check {
    Check::new(cx.operation().action, arn(cx, name)).with("kms:CallerAccount", cx.account().as_str())
}

fn create_checks(cx: &Cx, tx: &Tx<'_>, input: &CreateAliasRequest) -> Result<Checks, StoreError> {
    let key = subject::check(cx, tx, &input.target_key_id, Reach::Own)?;
    Ok(Checks::from(about_alias(cx, &input.alias_name)).and(key))
}

/// The key that the alias leaves, and that which it comes to.
fn update_checks(cx: &Cx, tx: &Tx<'_>, input: &UpdateAliasRequest) -> Result<Checks, StoreError> {
    let checks = Checks::from(about_alias(cx, &input.alias_name));
    let to = subject::check(cx, tx, &input.target_key_id, Reach::Own)?;
    Ok(checks.and_all(of_target(cx, tx, &input.alias_name)?).and(to))
}

fn delete_checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteAliasRequest) -> Result<Checks, StoreError> {
    let checks = Checks::from(about_alias(cx, &input.alias_name));
    Ok(checks.and_all(of_target(cx, tx, &input.alias_name)?))
}

fn of_target(cx: &Cx, tx: &Tx<'_>, name: &str) -> Result<Option<Check>, StoreError> {
    let alias = tx.get::<Alias>(&Alias::key_of(&cx.account(), cx.region(), name))?;
    alias.map(|alias| subject::check(cx, tx, &alias.key_id, Reach::Own)).transpose()
}

fn create(cx: &Cx, tx: &mut Tx<'_>, input: CreateAliasRequest) -> Result<(), Error> {
    may_be_made(&input.alias_name)?;
    let place = Alias::key_of(&cx.account(), cx.region(), &input.alias_name);
    if tx.get::<Alias>(&place)?.is_some() {
        let words = format!("An alias with the name {} already exists", arn(cx, &input.alias_name));
        return Err(Fault::new(&errors::ALREADY_EXISTS_EXCEPTION, words).into());
    }
    let mut key = subject::staying(cx, tx, &input.target_key_id)?;
    let now = cx.now().truncated();
    let alias = Alias {
        account: key.account.clone(),
        region: key.region.clone(),
        name: input.alias_name,
        key_id: key.id.clone(),
        created: now,
        updated: now,
    };
    name(&mut key, &alias.name)?;
    tx.put(&alias)?;
    Ok(tx.put(&key)?)
}

fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdateAliasRequest) -> Result<(), Error> {
    may_be_made(&input.alias_name)?;
    let mut alias = load(cx, tx, &input.alias_name)?;
    let mut to = subject::staying(cx, tx, &input.target_key_id)?;
    if alias.key_id == to.id {
        return Ok(());
    }
    leave(tx, &alias)?;
    name(&mut to, &alias.name)?;
    alias.key_id.clone_from(&to.id);
    alias.updated = cx.now().truncated();
    tx.put(&alias)?;
    Ok(tx.put(&to)?)
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteAliasRequest) -> Result<(), Error> {
    may_be_made(&input.alias_name)?;
    let alias = load(cx, tx, &input.alias_name)?;
    leave(tx, &alias)?;
    tx.delete(&Alias::key_of(&alias.account, &alias.region, &alias.name));
    Ok(())
}

fn load(cx: &Cx, tx: &Tx<'_>, name: &str) -> Result<Alias, Error> {
    let found = tx.get::<Alias>(&Alias::key_of(&cx.account(), cx.region(), name))?;
    found.ok_or_else(|| fault::not_found(&Missing::Alias(arn(cx, name))).into())
}

fn name(key: &mut Key, alias: &str) -> Result<(), Fault> {
    if key.aliases.len() >= MAX_ALIASES {
        return Err(limit_exceeded(format!("{} has {MAX_ALIASES} aliases.", key.arn())));
    }
    key.aliases.push(alias.to_owned());
    Ok(())
}

/// Takes the alias from the key that it stands for.
fn leave(tx: &mut Tx<'_>, alias: &Alias) -> Result<(), Error> {
    let place = Key::key_of(&alias.account, &alias.region, &alias.key_id);
    if let Some(mut key) = tx.get::<Key>(&place)? {
        key.aliases.retain(|name| *name != alias.name);
        tx.put(&key)?;
    }
    Ok(())
}

/// Whether an alias may have that name. Those under `alias/aws/` are AWS's: what changes them is denied to everybody, whatever
/// policies say (`daypass_policy`).
fn may_be_made(name: &str) -> Result<(), Fault> {
    let Some(rest) = name.strip_prefix("alias/").filter(|rest| !rest.is_empty()) else {
        let words = "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
        return Err(fault::invalid(words));
    };
    if rest.contains(':') {
        return Err(Fault::new(
            &errors::INVALID_ALIAS_NAME_EXCEPTION,
            format!("{name} contains invalid characters for an alias"),
        ));
    }
    Ok(())
}

fn list_checks(cx: &Cx, _: &Tx<'_>, _: &ListAliasesRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all(cx.operation().action).into())
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListAliasesRequest) -> Result<ListAliasesResponse, Error> {
    let wanted = Wanted { marker: input.marker.as_deref(), limit: input.limit, default: 50 };
    let (account, region) = (cx.account(), cx.region());
    let place = |name: &str| Alias::key_of(&account, region, name);
    let found: Vec<Alias> = match &input.key_id {
        None => {
            let after = wanted.after(cx)?.map(|last| place(&last.replace(SLASH, "/")));
            tx.list(&Alias::all(&account, region), after.as_ref(), wanted.limit() + 1)?
        }
        Some(key_id) => {
            // Of other accounts' keys nothing is told.
            if !Name::parse(cx, key_id).is_ok_and(|name| *name.account() == account) {
                return Err(fault::not_found(&Missing::Name(key_id.clone())).into());
            }
            let key = subject::load(cx, tx, key_id)?;
            let aliases = key.aliases.iter().map(|name| tx.get::<Alias>(&place(name)));
            aliases.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()
        }
    };
    // In the order of the store, so that the next page goes on where this one ends.
    let shown = found.into_iter().map(|alias| (alias.name.replace('/', SLASH), entry(alias)));
    let mut shown: Vec<_> = shown.collect();
    if input.key_id.is_none() {
        shown.extend(predefined(cx, tx)?);
    }
    let page = page(cx, shown, &wanted)?;
    Ok(ListAliasesResponse {
        truncated: page.is_truncated(),
        next_marker: page.next,
        aliases: Some(page.items),
    })
}

/// The aliases of keys that AWS looks after and that nobody has used yet: they stand for no key (KMS API reference,
/// ListAliases).
fn predefined(cx: &Cx, tx: &Tx<'_>) -> Result<Vec<(String, AliasListEntry)>, StoreError> {
    let mut unused = vec![];
    for name in MANAGED.iter().map(|service| format!("alias/aws/{service}")) {
        if tx.get::<Alias>(&Alias::key_of(&cx.account(), cx.region(), &name))?.is_none() {
            let entry = AliasListEntry { alias_arn: Some(arn(cx, &name)), ..AliasListEntry::default() };
            unused.push((name.replace('/', SLASH), AliasListEntry { alias_name: Some(name), ..entry }));
        }
    }
    Ok(unused)
}

fn entry(alias: Alias) -> AliasListEntry {
    AliasListEntry {
        alias_arn: Some(alias.arn()),
        alias_name: Some(alias.name),
        target_key_id: Some(alias.key_id),
        creation_date: Some(alias.created),
        last_updated_date: Some(alias.updated),
    }
}
