//! Which services policies let somebody use, and which policies those are: the basis of the last-accessed operations.

use std::collections::BTreeSet;

use daypass_core::model::iam::{PolicyGrantingServiceAccess, PolicyOwnerEntityType, PolicyType};
use daypass_core::policy::{Clause, Document, DocumentKind, Effect, Located, check};
use daypass_core::store::records::{Group, ManagedPolicy, Role, User};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{AwsManagedPolicy, Cx, Error};

use crate::entity::{Entity as _, Identity};
use crate::policy_arn::PolicyArn;
use crate::policy_source;

/// A policy that somebody has, and the services that it lets use.
pub(crate) struct Granting {
    pub(crate) policy: PolicyGrantingServiceAccess,
    pub(crate) services: BTreeSet<&'static str>,
}

/// What a service is called in full.
pub(crate) fn full_name(service: &str) -> &str {
    let names = include_str!("../data/service-names.tsv");
    let line = names.lines().find_map(|line| line.split_once('\t').filter(|(prefix, _)| *prefix == service));
    line.map_or(service, |(_, name)| name)
}

/// The services that a document lets use, one action at least. What else may forbid it does not count (IAM user guide,
/// "Things to know about last accessed information").
pub(crate) fn of_document(text: &str) -> BTreeSet<&'static str> {
    let document = Document::load(DocumentKind::Managed, text);
    let mut services = BTreeSet::new();
    for statement in document.statements.iter().filter(|s| s.effect.value == Effect::Allow) {
        let Some(clause) = &statement.action else { continue };
        let patterns = patterns(clause);
        services.extend(check::services().filter(|service| {
            let mut here = patterns.iter().filter(|(pattern, _)| fits(pattern, service));
            // Of what is not excepted as a whole, something is left.
            if clause.inverted { !here.any(|(_, name)| name == "*") } else { here.next().is_some() }
        }));
    }
    services
}

/// The services that a document forbids as a whole: each of their actions, on everything, on no condition.
pub(crate) fn shut_by(text: &str) -> BTreeSet<&'static str> {
    let document = Document::load(DocumentKind::ServiceControl, text);
    let mut services = BTreeSet::new();
    for statement in document.statements.iter().filter(|s| s.effect.value == Effect::Deny) {
        let everything = statement.resource.as_ref().is_some_and(|resource| {
            !resource.inverted && resource.entries.iter().any(|entry| &*entry.value == "*")
        });
        let Some(clause) =
            statement.action.as_ref().filter(|_| everything && statement.conditions.is_empty())
        else {
            continue;
        };
        let patterns = patterns(clause);
        services.extend(check::services().filter(|service| {
            let mut here = patterns.iter().filter(|(pattern, _)| fits(pattern, service));
            if clause.inverted { here.next().is_none() } else { here.any(|(_, name)| name == "*") }
        }));
    }
    services
}

/// The services and the names of an element with actions, as patterns in lower case.
fn patterns(clause: &Clause<Box<str>>) -> Vec<(String, String)> {
    let pattern = |entry: &Located<Box<str>>| {
        let lower = entry.value.to_ascii_lowercase();
        let (service, name) = lower.split_once(':').unwrap_or((&lower, "*"));
        (service.to_owned(), name.to_owned())
    };
    clause.entries.iter().map(pattern).collect()
}

/// Whether a service's prefix fits a pattern with `*` and `?`.
fn fits(pattern: &str, service: &str) -> bool {
    match pattern.chars().next() {
        None => service.is_empty(),
        Some('*') => {
            let rest = pattern.strip_prefix('*').unwrap_or_default();
            (0..=service.len()).any(|at| service.get(at..).is_some_and(|tail| fits(rest, tail)))
        }
        Some(first) => {
            let mut characters = service.chars();
            let next = characters.next();
            let matches = next.is_some_and(|next| first == '?' || first == next);
            matches && fits(pattern.strip_prefix(first).unwrap_or_default(), characters.as_str())
        }
    }
}

/// The policies of the user, group or role of an ARN; of a user, those of its groups too.
///
/// # Errors
/// If the ARN is of nothing that has policies, or there is no such thing.
pub(crate) fn of_arn(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<Vec<Granting>, Error> {
    let source = policy_source::own(cx, arn)?;
    let mut found = vec![];
    match source.kind {
        "user" => {
            let user = User::load(cx, tx, source.name)?;
            collect(cx, tx, &user, PolicyOwnerEntityType::USER, &mut found)?;
            for name in &user.groups {
                if let Some(group) = Group::find(cx, tx, name)? {
                    collect(cx, tx, &group, PolicyOwnerEntityType::GROUP, &mut found)?;
                }
            }
        }
        "group" => {
            let group = Group::load(cx, tx, source.name)?;
            collect(cx, tx, &group, PolicyOwnerEntityType::GROUP, &mut found)?;
        }
        _ => {
            let role = Role::load(cx, tx, source.name)?;
            collect(cx, tx, &role, PolicyOwnerEntityType::ROLE, &mut found)?;
        }
    }
    Ok(found)
}

fn collect<I: Identity>(
    cx: &Cx,
    tx: &Tx<'_>,
    identity: &I,
    kind: PolicyOwnerEntityType,
    found: &mut Vec<Granting>,
) -> Result<(), StoreError> {
    for (name, text) in &identity.policies().inline {
        found.push(Granting {
            policy: PolicyGrantingServiceAccess {
                policy_name: name.clone(),
                policy_type: PolicyType::INLINE,
                policy_arn: None,
                entity_type: Some(kind),
                entity_name: Some(identity.name().to_owned()),
            },
            services: of_document(text),
        });
    }
    for arn in &identity.policies().attached {
        let Some(text) = managed_document(cx, tx, arn)? else { continue };
        found.push(Granting {
            policy: PolicyGrantingServiceAccess {
                policy_name: PolicyArn::parse(arn).map_or(arn.as_str(), |arn| arn.name).to_owned(),
                policy_type: PolicyType::MANAGED,
                policy_arn: Some(arn.clone()),
                entity_type: None,
                entity_name: None,
            },
            services: of_document(&text),
        });
    }
    Ok(())
}

/// The document of a managed policy in its default version, AWS's or the account's own.
pub(crate) fn managed_document(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<Option<String>, StoreError> {
    if let Some(policy) = AwsManagedPolicy::find(arn) {
        return Ok(Some(policy.document.clone()));
    }
    let policy = ManagedPolicy::find(cx, tx, arn)?;
    Ok(policy.as_ref().and_then(ManagedPolicy::default_document).map(|version| version.document.clone()))
}

#[cfg(test)]
mod tests {
    use super::{fits, full_name, of_document, shut_by};

    fn document(element: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{element},"Resource":"*"}}]}}"#)
    }

    #[test]
    fn a_document_lets_use_what_its_actions_name() {
        let services =
            |element: &str| of_document(&document(element)).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(services(r#""Action":["S3:GetObject","sqs:*"]"#), "s3 sqs");
        assert_eq!(services(r#""Action":"elasticfiles*:x""#), "elasticfilesystem");
        assert_eq!(services(r#""Action":"nothing:Do""#), "");
        assert!(of_document(&document(r#""Action":"*""#)).len() > 400);
        let but = of_document(&document(r#""NotAction":["s3:*","iam:CreateUser"]"#));
        assert!(!but.contains("s3") && but.contains("iam") && but.contains("sqs"));
        let denied = document(r#""Action":"s3:*""#).replace("Allow", "Deny");
        assert!(of_document(&denied).is_empty());
    }

    #[test]
    fn a_document_shuts_a_service_only_as_a_whole() {
        let shut = |element: &str, rest: &str| {
            let text = document(element).replace("Allow", "Deny").replace(r#""Resource":"*""#, rest);
            shut_by(&text).into_iter().take(2).collect::<Vec<_>>().join(" ")
        };
        let everything = r#""Resource":"*""#;
        assert_eq!(shut(r#""Action":["s3:*","sqs:SendMessage"]"#, everything), "s3");
        assert_eq!(shut(r#""Action":"s3:*""#, r#""Resource":"arn:aws:s3:::bucket""#), "");
        let condition = r#""Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#;
        assert_eq!(shut(r#""Action":"s3:*""#, condition), "");
        let but = document(r#""NotAction":["iam:GetUser","sts:*"]"#).replace("Allow", "Deny");
        let but = shut_by(&but);
        assert!(but.contains("s3") && !but.contains("iam") && !but.contains("sts"));
        assert!(shut_by(&document(r#""Action":"s3:*""#)).is_empty());
    }

    #[test]
    fn patterns_fit_as_in_policies() {
        for (pattern, service, expected) in [
            ("s3", "s3", true),
            ("s?", "s3", true),
            ("*", "s3", true),
            ("s*3", "s3", true),
            ("s*", "ec2", false),
            ("s3*", "s3-outposts", true),
            ("", "s3", false),
            ("s33", "s3", false),
        ] {
            assert_eq!(fits(pattern, service), expected, "{pattern} {service}");
        }
    }

    #[test]
    fn services_have_names() {
        assert_eq!(full_name("iam"), "AWS Identity and Access Management");
        assert_eq!(full_name("nothing"), "nothing");
    }
}
