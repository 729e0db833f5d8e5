//! Principals in the policies of resources: unique ids in what is kept, ARNs in what is shown.
//!
//! A role's trust policy or a bucket's policy names users and roles by their ARNs. When it is stored, each becomes the
//! unique id of whom it means, so that a user or role of the same name that comes later is not the one that was meant;
//! when it is shown, the id becomes the ARN as it is then, or stays where its owner is gone (IAM user guide,
//! `reference_policies_elements_principal`). Nothing else in the document changes, not even its spaces.

use daypass_model::AccountId;
use daypass_policy::{Document, DocumentKind, Position, PrincipalName, Span};
use daypass_store::records::{EntityKind, Role, UniqueId, User};
use daypass_store::{Read, StoreError};
use thiserror::Error;

/// What the unique ids of users and roles begin with.
const PREFIXES: [&str; 2] = ["AIDA", "AROA"];

/// A document could not be stored.
#[derive(Debug, Error)]
pub enum Unresolved {
    /// It names somebody who does not exist.
    #[error("`{0}` is not a principal that exists")]
    Nobody(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The document with the users and roles that it names as unique ids: what is kept.
///
/// # Errors
/// If it names a user, a role or a role's session of which there is none here, or if the store fails. An account may be
/// any: nobody comes from one that is not here.
pub fn to_ids(read: &impl Read, document: &Document, text: &str) -> Result<String, Unresolved> {
    rewrite(document, text, |name| {
        let nobody = || Unresolved::Nobody(name.to_owned());
        match Named::parse(name).ok_or_else(nobody)? {
            Named::Account => Ok(None),
            Named::Id => owner(read, name)?.map(|_| None).ok_or_else(nobody),
            Named::User(account, user) => {
                let user = read.get::<User>(&User::key_of(&account, user))?.filter(|u| u.arn() == name);
                user.map(|u| Some(u.id)).ok_or_else(nobody)
            }
            Named::Role(account, role) => {
                let role = read.get::<Role>(&Role::key_of(&account, role))?.filter(|r| r.arn() == name);
                role.map(|r| Some(r.id)).ok_or_else(nobody)
            }
            // A session has no id of its own, and is named by its role.
            Named::Session(account, role) => {
                let known = read.get::<Role>(&Role::key_of(&account, role))?.filter(|r| r.name == role);
                known.map(|_| None).ok_or_else(nobody)
            }
        }
    })
}

/// The document with the unique ids in it as the ARNs of whom they are: what is shown.
///
/// # Errors
/// If the store fails.
pub fn to_arns(read: &impl Read, kind: DocumentKind, text: &str) -> Result<String, StoreError> {
    if !PREFIXES.iter().any(|prefix| text.contains(prefix)) {
        return Ok(text.to_owned());
    }
    rewrite(&Document::load(kind, text), text, |name| {
        if matches!(Named::parse(name), Some(Named::Id)) { owner(read, name) } else { Ok(None) }
    })
}

/// The ARN of the user or role of a unique id, while it exists.
///
/// # Errors
/// If the store fails.
pub fn owner(read: &impl Read, id: &str) -> Result<Option<String>, StoreError> {
    let Some(known) = read.get::<UniqueId>(&UniqueId::key_of(id))? else { return Ok(None) };
    Ok(match known.kind {
        EntityKind::User => read.get::<User>(&User::key_of(&known.account, &known.name))?.map(|u| u.arn()),
        EntityKind::Role => read.get::<Role>(&Role::key_of(&known.account, &known.name))?.map(|r| r.arn()),
        EntityKind::Group => None,
    })
}

/// What a principal of the type `AWS` names.
enum Named<'a> {
    /// An account, or whom it has in it that has no record: its root, its federated users.
    Account,
    Id,
    User(AccountId, &'a str),
    Role(AccountId, &'a str),
    Session(AccountId, &'a str),
}

impl<'a> Named<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        if name.parse::<AccountId>().is_ok() {
            return Some(Self::Account);
        }
        if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            return Some(Self::Id);
        }
        let mut parts = name.strip_prefix("arn:aws:")?.splitn(4, ':');
        let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
        let resource = parts.next().filter(|_| region.is_empty())?;
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let last = rest.rsplit('/').next().filter(|last| !last.is_empty());
        match (service, kind) {
            ("iam", "root") if rest.is_empty() => Some(Self::Account),
            ("sts", "federated-user") => Some(Self::Account),
            ("iam", "user") => Some(Self::User(account, last?)),
            ("iam", "role") => Some(Self::Role(account, last?)),
            ("sts", "assumed-role") => Some(Self::Session(account, rest.split_once('/')?.0)),
            _ => None,
        }
    }
}

/// Puts what `resolve` gives in the place of the principals of the type `AWS`, and leaves everything else as it is.
fn rewrite<E>(
    document: &Document,
    text: &str,
    mut resolve: impl FnMut(&str) -> Result<Option<String>, E>,
) -> Result<String, E> {
    let clauses = document.statements.iter().filter_map(|statement| statement.principal.as_ref());
    let mut changes: Vec<(Span, String)> = vec![];
    for entry in clauses.flat_map(|clause| &clause.entries) {
        if let PrincipalName::Aws(name) = &entry.value
            && let Some(new) = resolve(name)?
        {
            changes.push((entry.span, serde_json::Value::from(new).to_string()));
        }
    }
    changes.sort_by_key(|(span, _)| span.start);
    let (mut out, mut rest, mut at) = (String::with_capacity(text.len()), text, Position::START);
    for (span, new) in changes {
        out.push_str(advance(&mut rest, &mut at, span.start));
        advance(&mut rest, &mut at, span.end);
        out.push_str(&new);
    }
    out.push_str(rest);
    Ok(out)
}

/// Goes on to a place of the text; what was passed.
fn advance<'t>(rest: &mut &'t str, at: &mut Position, to: Position) -> &'t str {
    let before = *rest;
    let mut characters = before.chars();
    while *at < to {
        match characters.next() {
            Some('\n') => *at = Position { line: at.line + 1, column: 1 },
            Some(_) => at.column += 1,
            None => break,
        }
    }
    *rest = characters.as_str();
    before.get(..before.len() - rest.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(text: &str) -> String {
        let document = Document::load(DocumentKind::Trust, text);
        let resolve = |name: &str| Ok::<_, ()>((name != "123456789012").then(|| format!("<{name}>")));
        rewrite(&document, text, resolve).unwrap()
    }

    #[test]
    fn only_principals_change_and_nothing_around_them() {
        let text = "{\n \"Statement\" : [ {\"Effect\":\"Allow\", \"Principal\" : {\"AWS\": [ \"a\" ,\t\"123456789012\",\r\n \"b\\u0062\" ],\n\
             \"Service\":\"a\"}, \"Action\":\"sts:AssumeRole\", \"Condition\":{\"StringEquals\":{\"aws:PrincipalArn\":\"a\"}}},\n\
             {\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"é\"},\"Action\":\"sts:*\"},{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:*\"}]} \n";
        let expected = text
            .replacen("\"a\" ,", "\"<a>\" ,", 1)
            .replace("\"b\\u0062\"", "\"<bb>\"")
            .replace("\"é\"", "\"<é>\"");
        assert_eq!(renamed(text), expected);
    }

    #[test]
    fn what_is_put_in_is_escaped() {
        let text =
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"a\"\\"},"Action":"sts:AssumeRole"}}"#;
        let expected =
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"<a\"\\>"},"Action":"sts:AssumeRole"}}"#;
        assert_eq!(renamed(text), expected);
    }

    #[test]
    fn a_name_is_an_account_a_user_a_role_a_session_or_nobody() {
        let kind = |name: &str| match Named::parse(name) {
            Some(Named::Account) => "account",
            Some(Named::Id) => "id",
            Some(Named::User(_, name) | Named::Role(_, name) | Named::Session(_, name)) => {
                ["alice", "app"].into_iter().find(|known| *known == name).unwrap_or("wrong")
            }
            None => "nobody",
        };
        for (name, expected) in [
            ("123456789012", "account"),
            ("arn:aws:iam::123456789012:root", "account"),
            ("arn:aws:sts::123456789012:federated-user/x", "account"),
            ("AIDAIOSFODNN7EXAMPLEX", "id"),
            ("arn:aws:iam::123456789012:user/a/b/alice", "alice"),
            ("arn:aws:iam::123456789012:role/app", "app"),
            ("arn:aws:sts::123456789012:assumed-role/app/a/b", "app"),
            ("arn:aws:iam::123456789012:root/x", "nobody"),
            ("arn:aws:iam::123456789012:group/admins", "nobody"),
            ("arn:aws:iam::123456789012:user/", "nobody"),
            ("arn:aws:iam:us-east-1:123456789012:user/alice", "nobody"),
            ("arn:aws-cn:iam::123456789012:user/alice", "nobody"),
            ("arn:aws:iam::1234:user/alice", "nobody"),
            ("alice", "nobody"),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
