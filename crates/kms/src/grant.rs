//! Grants: `kms:CreateGrant`, `kms:ListGrants`, `kms:ListRetirableGrants`, `kms:RevokeGrant`, `kms:RetireGrant`. They count at
//! once, so that a grant token is a name for the grant and no more.

use std::collections::BTreeMap;

use daypass_core::kms::{Constraint, EncryptionContext, Grant, Key};
use daypass_core::model::Enumeration as _;
use daypass_core::model::kms::{
    CreateGrantRequest, CreateGrantResponse, GrantConstraints, GrantListEntry, GrantOperation,
    ListGrantsRequest, ListGrantsResponse, ListRetirableGrantsRequest, RetireGrantRequest,
    RevokeGrantRequest, errors, ops,
};
use daypass_core::policy::{Document, DocumentKind};
use daypass_core::principals::{self, Unresolved};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Guard, operation};
use serde_json::{Value, json};

use crate::fault::{self, dry_run, invalid, limit_exceeded, unsupported};
use crate::paging::{Page, Wanted, page};
use crate::subject::{self, Reach};
use crate::walk;

operation!(CREATE_GRANT, ops::CreateGrant, create_checks, create);
operation!(
    LIST_GRANTS,
    ops::ListGrants,
    |cx, tx, input| Ok(subject::check(cx, tx, &input.key_id, Reach::Any)?.into()),
    list
);
operation!(LIST_RETIRABLE_GRANTS, ops::ListRetirableGrants, retirable_checks, list_retirable);
operation!(
    REVOKE_GRANT,
    ops::RevokeGrant,
    |cx, tx, input| Ok(subject::check(cx, tx, &input.key_id, Reach::Any)?.into()),
    revoke
);
operation!(RETIRE_GRANT, ops::RetireGrant, retire_checks, retire);

/// Grants of a key. (AWS's quota is 50,000; here they stand in the key's record.)
const MAX_GRANTS: usize = 500;

/// The most pairs of a constraint's encryption context, and characters of its names and values (KMS API reference, CreateGrant,
/// `Constraints`).
const MAX_CONSTRAINT_PAIRS: usize = 8;
const MAX_CONSTRAINT_CHARACTERS: usize = 384;

/// What a symmetric key can be granted for. To make further grants cannot be granted here: what a child may not do that its
/// parent may not is not built.
const OPERATIONS: &[GrantOperation] = &[
    GrantOperation::Decrypt,
    GrantOperation::Encrypt,
    GrantOperation::GenerateDataKey,
    GrantOperation::GenerateDataKeyWithoutPlaintext,
    GrantOperation::ReEncryptFrom,
    GrantOperation::ReEncryptTo,
    GrantOperation::RetireGrant,
    GrantOperation::DescribeKey,
];

fn create_checks(cx: &Cx, tx: &Tx<'_>, input: &CreateGrantRequest) -> Result<Checks, StoreError> {
    // Of that which the grant will have; what is refused has none.
    let constraint = input.constraints.clone().and_then(|constraints| constraint(constraints).ok()?);
    let constraint = constraint.map(|constraint| match constraint {
        Constraint::Equals(_) => "EncryptionContextEquals",
        Constraint::Subset(_) => "EncryptionContextSubset",
    });
    let operations = input.operations.iter().map(|operation| operation.as_str().to_owned()).collect();
    let check = subject::check(cx, tx, &input.key_id, Reach::Any)?
        .with_list("kms:GrantOperations", operations)
        .with("kms:GranteePrincipal", input.grantee_principal.clone())
        .with_some("kms:RetiringPrincipal", input.retiring_principal.clone())
        .with_some("kms:GrantConstraintType", constraint)
        .with_flag("kms:GrantIsForAWSResource", false);
    Ok(check.into())
}

fn create(cx: &Cx, tx: &mut Tx<'_>, input: CreateGrantRequest) -> Result<CreateGrantResponse, Error> {
    let mut key = subject::load_by_id(cx, tx, &input.key_id)?;
    key.usable().map_err(|why| fault::unusable(&key.arn(), why))?;
    if input.operations.iter().any(|operation| !OPERATIONS.contains(operation)) {
        return Err(unsupported("A grant to make grants, or to use a key that is not symmetric,").into());
    }
    let mut operations: Vec<String> = vec![];
    for operation in input.operations.iter().map(|operation| operation.as_str()) {
        if !operations.iter().any(|known| known == operation) {
            operations.push(operation.to_owned());
        }
    }
    let grant = Grant {
        id: hex(&cx.ids().id_bytes()),
        name: input.name,
        grantee: id_of(tx, &input.grantee_principal)?,
        retiring: input.retiring_principal.as_deref().map(|retiring| id_of(tx, retiring)).transpose()?,
        operations,
        constraint: input.constraints.map(constraint).transpose()?.flatten(),
        created: cx.now().truncated(),
        issuer: format!("arn:aws:iam::{}:root", cx.account()),
    };
    if grant.policy(&key.id).is_none() {
        return Err(invalid("The grant cannot be read as a policy.").into());
    }
    dry_run(input.dry_run)?;
    // The same request again names the same grant (KMS API reference, CreateGrant, `Name`).
    let same = |known: &&Grant| {
        let other = Grant { id: known.id.clone(), created: known.created, ..grant.clone() };
        grant.name.is_some() && **known == other
    };
    if let Some(known) = key.grants.iter().find(same) {
        return Ok(answer(&key, known));
    }
    if key.grants.len() >= MAX_GRANTS {
        return Err(limit_exceeded(format!("{} has {MAX_GRANTS} grants.", key.arn())).into());
    }
    let answer = answer(&key, &grant);
    key.change_grants(|grants| grants.push(grant));
    tx.put(&key)?;
    Ok(answer)
}

fn answer(key: &Key, grant: &Grant) -> CreateGrantResponse {
    let token = format!("{}/{}", key.arn(), grant.id);
    CreateGrantResponse { grant_token: Some(token), grant_id: Some(grant.id.clone()) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whom a principal's ARN means, as it is kept. Other names for it are not taken (KMS API reference, CreateGrant,
/// `GranteePrincipal`): what policies say of `kms:GranteePrincipal` is of the ARN.
fn id_of(tx: &Tx<'_>, name: &str) -> Result<String, Error> {
    let wrong = || {
        Error::from(Fault::new(
            &errors::INVALID_ARN_EXCEPTION,
            format!("ARN does not refer to a valid principal: {name}"),
        ))
    };
    if !name.starts_with("arn:") {
        return Err(wrong());
    }
    let text = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": name}, "Action": "kms:Decrypt", "Resource": "*",
    }]})
    .to_string();
    let document = Document::parse(DocumentKind::Resource, &text).map_err(|_| wrong())?;
    let kept = principals::to_ids(tx, &document, &text).map_err(|error| match error {
        Unresolved::Nobody(_) => wrong(),
        Unresolved::Store(error) => error.into(),
    })?;
    let kept: Value = serde_json::from_str(&kept).map_err(|error| Error::Internal(Box::new(error)))?;
    let id = kept.pointer("/Statement/0/Principal/AWS").and_then(Value::as_str);
    id.map(str::to_owned).ok_or_else(wrong)
}

fn constraint(constraints: GrantConstraints) -> Result<Option<Constraint>, Fault> {
    let contexts = [&constraints.encryption_context_equals, &constraints.encryption_context_subset];
    contexts.into_iter().flatten().try_for_each(admit)?;
    match (constraints.encryption_context_equals, constraints.encryption_context_subset) {
        // Some clients send both, of which one says nothing.
        (Some(equals), Some(subset)) if equals.is_empty() && !subset.is_empty() => {
            Ok(Some(Constraint::Subset(subset)))
        }
        (Some(_), Some(subset)) if !subset.is_empty() => Err(invalid("A grant has one constraint.")),
        (Some(equals), _) => Ok(Some(Constraint::Equals(equals))),
        (None, Some(subset)) if !subset.is_empty() => Ok(Some(Constraint::Subset(subset))),
        // Every context has all of nothing.
        (None, _) => Ok(None),
    }
}

fn admit(context: &EncryptionContext) -> Result<(), Fault> {
    let characters: usize =
        context.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
    if context.len() > MAX_CONSTRAINT_PAIRS || characters > MAX_CONSTRAINT_CHARACTERS {
        let words = format!(
            "A grant constraint has at most {MAX_CONSTRAINT_PAIRS} pairs and {MAX_CONSTRAINT_CHARACTERS} characters."
        );
        return Err(limit_exceeded(words));
    }
    Ok(())
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListGrantsRequest) -> Result<ListGrantsResponse, Error> {
    let key = subject::load_by_id(cx, tx, &input.key_id)?;
    let grantee = input.grantee_principal.as_deref().map(|grantee| id_of(tx, grantee)).transpose()?;
    if let Some(id) = &input.grant_id
        && !key.grants.iter().any(|grant| grant.id == *id)
    {
        return Err(no_such_grant(id).into());
    }
    let wanted = |grant: &&Grant| {
        input.grant_id.as_ref().is_none_or(|id| grant.id == *id)
            && grantee.as_ref().is_none_or(|grantee| grant.grantee == *grantee)
    };
    let shown = key.grants.iter().filter(wanted).map(|grant| entry(tx, &key, grant));
    answer_page(page(
        cx,
        shown.collect::<Result<_, _>>()?,
        &wanted_page(input.marker.as_deref(), input.limit),
    )?)
}

fn wanted_page(marker: Option<&str>, limit: Option<i32>) -> Wanted<'_> {
    Wanted { marker, limit, default: 50 }
}

fn answer_page(page: Page<GrantListEntry>) -> Result<ListGrantsResponse, Error> {
    Ok(ListGrantsResponse {
        truncated: page.is_truncated(),
        next_marker: page.next,
        grants: Some(page.items),
    })
}

/// It is asked by who may list all, of grants of the own account's keys.
fn retirable_checks(cx: &Cx, _: &Tx<'_>, _: &ListRetirableGrantsRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all(cx.operation().action).into())
}

fn list_retirable(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListRetirableGrantsRequest,
) -> Result<ListGrantsResponse, Error> {
    let retiring = id_of(tx, &input.retiring_principal)?;
    let wanted = wanted_page(input.marker.as_deref(), input.limit);
    let after = wanted.after(cx)?.unwrap_or_default();
    // The first ones, and one more: an account's keys can have millions.
    let mut first = BTreeMap::new();
    walk::each(tx, &Key::all(&cx.account(), cx.region()), |key| {
        let of_key = key.grants.iter().filter(|grant| grant.retiring.as_ref() == Some(&retiring));
        for grant in of_key.filter(|grant| grant.id > after && !key.is_gone(cx.now())) {
            let (id, entry) = entry(tx, &key, grant)?;
            first.insert(id, entry);
            if first.len() > wanted.limit() + 1 {
                first.pop_last();
            }
        }
        Ok(())
    })?;
    answer_page(page(cx, first.into_iter().collect(), &wanted)?)
}

fn entry(tx: &Tx<'_>, key: &Key, grant: &Grant) -> Result<(String, GrantListEntry), StoreError> {
    let shown = |id: &str| Ok::<_, StoreError>(principals::owner(tx, id)?.unwrap_or_else(|| id.to_owned()));
    let constraints = grant.constraint.as_ref().map(|constraint| match constraint {
        Constraint::Equals(context) => GrantConstraints {
            encryption_context_equals: Some(context.clone()),
            ..GrantConstraints::default()
        },
        Constraint::Subset(context) => GrantConstraints {
            encryption_context_subset: Some(context.clone()),
            ..GrantConstraints::default()
        },
    });
    let operations = grant.operations.iter().filter_map(|operation| GrantOperation::parse(operation));
    let entry = GrantListEntry {
        key_id: Some(key.arn()),
        grant_id: Some(grant.id.clone()),
        name: grant.name.clone(),
        creation_date: Some(grant.created),
        grantee_principal: Some(shown(&grant.grantee)?),
        retiring_principal: grant.retiring.as_deref().map(shown).transpose()?,
        issuing_account: Some(grant.issuer.clone()),
        operations: Some(operations.collect()),
        constraints,
    };
    Ok((grant.id.clone(), entry))
}

fn revoke(cx: &Cx, tx: &mut Tx<'_>, input: RevokeGrantRequest) -> Result<(), Error> {
    dry_run(input.dry_run)?;
    take_away(cx, tx, &input.key_id, &input.grant_id)
}

fn take_away(cx: &Cx, tx: &mut Tx<'_>, key_id: &str, grant_id: &str) -> Result<(), Error> {
    let mut key = subject::load_by_id(cx, tx, key_id)?;
    let before = key.grants.len();
    key.change_grants(|grants| grants.retain(|grant| grant.id != grant_id));
    if key.grants.len() == before {
        return Err(no_such_grant(grant_id).into());
    }
    Ok(tx.put(&key)?)
}

fn no_such_grant(id: &str) -> Fault {
    Fault::new(&errors::NOT_FOUND_EXCEPTION, format!("Grant ID {id} not found"))
}

/// The key and the grant that a request to retire one names: by both, or by the token.
fn named(input: &RetireGrantRequest) -> Option<(String, String)> {
    match (&input.grant_token, &input.key_id, &input.grant_id) {
        (Some(token), None, None) => {
            token.rsplit_once('/').map(|(key, grant)| (key.to_owned(), grant.to_owned()))
        }
        (None, Some(key), Some(grant)) => Some((key.clone(), grant.clone())),
        _ => None,
    }
}

/// Whom the grant names to retire it may, its grantee if that was granted, and whom the key's policy lets (KMS API reference,
/// RetireGrant). Another grant of the same key gives no right to this one.
fn retire_checks(cx: &Cx, tx: &Tx<'_>, input: &RetireGrantRequest) -> Result<Checks, StoreError> {
    let action = cx.operation().action;
    let Some((key_id, grant_id)) = named(input) else { return Ok(Check::on_all(action).into()) };
    let check = subject::check(cx, tx, &key_id, Reach::Any)?;
    let Ok(key) = subject::load(cx, tx, &key_id) else { return Ok(check.into()) };
    let mut only = key;
    only.change_grants(|grants| {
        grants.retain(|grant| grant.id == grant_id);
        let retiring = grants.iter().filter_map(|grant| {
            let (grantee, operations) = (grant.retiring.clone()?, vec!["RetireGrant".to_owned()]);
            Some(Grant { grantee, operations, constraint: None, ..grant.clone() })
        });
        let retiring: Vec<Grant> = retiring.collect();
        grants.extend(retiring);
    });
    Ok(check.guarded_by(Guard::Required(only.guard())).into())
}

fn retire(cx: &Cx, tx: &mut Tx<'_>, input: RetireGrantRequest) -> Result<(), Error> {
    let Some((key_id, grant_id)) = named(&input) else {
        return Err(invalid("Name a grant by its token, or by its key and its id.").into());
    };
    dry_run(input.dry_run)?;
    take_away(cx, tx, &key_id, &grant_id)
}
