//! `Principal` and `NotPrincipal`: whom the kind of policy can name, and how.

use super::code::Code;
use super::finding::Report;
use super::glob::has_wildcard;
use super::trust;
use super::view::{Entry, PrincipalClause, Statement};
use super::{PolicyType, ResourceType};
use crate::document::Effect;

/// Keys that say for whom a service acts (`confused-deputy`).
const SOURCE_KEYS: [&str; 4] =
    ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"];

/// Keys that were used for it and say less.
const LESSER_SOURCE_KEYS: [&str; 2] = ["aws:Referer", "aws:SourceOwner"];

/// Keys that requests of service principals do not bring (`reference_policies_condition-keys`, properties of the principal).
const KEYS_OF_OTHER_PRINCIPALS: [&str; 7] = [
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalType",
    "aws:username",
    "aws:userid",
];

pub(super) fn check(statement: &Statement<'_>, policy: PolicyType, report: &mut Report) {
    let Some(clause) = &statement.principal else { return };
    match policy {
        PolicyType::Identity => {
            report.find(Code::UnsupportedPrincipal, &["IDENTITY_POLICY"], clause.key_place.clone());
        }
        PolicyType::ServiceControl => {
            report.find(Code::ScpSyntaxErrorPrincipal, &[], clause.key_place.clone());
        }
        PolicyType::ResourceControl if !clause.is_everyone() => {
            report.find(Code::RcpSyntaxErrorPrincipal, &[], clause.item.place());
        }
        PolicyType::ResourceControl => (),
        PolicyType::Resource(kind) => of_resource(statement, clause, kind, report),
    }
}

fn of_resource(
    statement: &Statement<'_>,
    clause: &PrincipalClause<'_>,
    kind: Option<ResourceType>,
    report: &mut Report,
) {
    let is_trust = kind == Some(ResourceType::RoleTrust);
    if is_trust && clause.inverted {
        report.find(Code::RoleTrustPolicySyntaxErrorNotprincipal, &[], clause.key_place.clone());
    } else if clause.inverted && statement.allows() {
        report.find(Code::AllowWithNotPrincipal, &[], clause.key_place.clone());
    }
    if is_trust && clause.item.text() == Some("*") {
        report.find(Code::RoleTrustPolicyUnsupportedWildcardInPrincipal, &[], clause.item.place());
    }
    for (key, entry) in &clause.entries {
        name(key, entry, report);
        let not_federated = !is_trust && (kind.is_some() || !trust::is_about_roles(statement));
        if *key == "Federated" && not_federated {
            report.find(Code::FederatedPrincipalNotSupported, &[], entry.item.place());
        }
    }
    if !clause.inverted && !is_trust && !trust::is_about_roles(statement) {
        services(statement, clause, report);
    }
}

fn name(key: &str, entry: &Entry<'_>, report: &mut Report) {
    let place = || entry.item.place();
    if has_wildcard(entry.text) && !entry.text.contains("${") && !(key == "AWS" && entry.text == "*") {
        return report.find(Code::UnsupportedWildcardInPrincipal, &[key], place());
    }
    let is_id = |prefix: &str| {
        entry.text.starts_with(prefix)
            && entry.text.len() >= 16
            && entry.text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    match key {
        "AWS" if is_id("AROA") => report.find(Code::InvalidRoleReference, &[entry.text], place()),
        "AWS" if is_id("AIDA") => report.find(Code::InvalidUserReference, &[entry.text], place()),
        "Service" if !is_service_principal(entry.text) && !entry.text.contains("${") => {
            report.find(Code::InvalidServicePrincipalFormat, &["service-name.amazonaws.com"], place());
        }
        _ => (),
    }
}

/// Whether a name can be a service's: parts in lower case before one of AWS's domains.
pub(super) fn is_service_principal(text: &str) -> bool {
    let domains = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".amazon.com", ".aws.internal"];
    let own = domains.iter().find_map(|domain| text.strip_suffix(domain));
    own.is_some_and(|own| {
        own.split('.').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
        })
    })
}

fn services(statement: &Statement<'_>, clause: &PrincipalClause<'_>, report: &mut Report) {
    let named: Vec<_> = clause.entries.iter().filter(|(key, _)| *key == "Service").collect();
    let Some((_, first)) = named.first() else { return };
    let only_services = named.len() == clause.entries.len();
    let others: Vec<_> = statement
        .conditions
        .iter()
        .filter(|condition| {
            let always = condition.operator.is_some_and(|o| !o.if_exists && o.comparison.name() != "Null");
            always
                && (KEYS_OF_OTHER_PRINCIPALS.iter().any(|key| condition.is(key))
                    || condition.is_under("aws:PrincipalTag/"))
        })
        .collect();
    if only_services && !others.is_empty() {
        let names = others.iter().map(|condition| condition.key).collect::<Vec<_>>().join(", ");
        let places = others.iter().map(|condition| condition.key_place.clone()).collect();
        report.find_at(Code::UnsupportedConditionKeyForServicePrincipal, &[&names], places);
    }
    let has_source = SOURCE_KEYS.iter().any(|key| statement.has_key(key));
    if statement.effect != Some(Effect::Allow) || has_source {
        return;
    }
    let lesser = statement.conditions.iter().find(|c| LESSER_SOURCE_KEYS.iter().any(|key| c.is(key)));
    match lesser {
        Some(condition) => {
            let prefix = first.text.split(".amazonaws.").next().unwrap_or_default();
            let parts = [prefix, condition.key];
            report.find(
                Code::RecommendedConditionKeyForServicePrincipal,
                &parts,
                condition.key_place.clone(),
            );
        }
        None => {
            let places = named.iter().map(|(_, entry)| entry.item.place()).collect();
            report.find_at(Code::RestrictAccessToServicePrincipal, &[], places);
        }
    }
}
