//! What Organizations' control policies may say (`orgs_manage_policies_scps_syntax`, `orgs_manage_policies_rcps_syntax`).

use super::PolicyType;
use super::code::Code;
use super::finding::Report;
use super::services;
use super::view::{Condition, Statement};
use crate::document::Effect;

/// Keys about who asks.
const PRINCIPAL_KEYS: [&str; 4] =
    ["aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"];

/// Keys about for whom a service asks.
const SOURCE_KEYS: [&str; 4] =
    ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"];

pub(super) fn check(statement: &Statement<'_>, policy: PolicyType, report: &mut Report) {
    match policy {
        PolicyType::ServiceControl => service_control(statement, report),
        PolicyType::ResourceControl => resource_control(statement, report),
        _ => (),
    }
}

fn service_control(statement: &Statement<'_>, report: &mut Report) {
    let Some(clause) = &statement.action else { return };
    for entry in &clause.entries {
        let before_end = entry.text.strip_suffix('*').unwrap_or(entry.text);
        if before_end.contains(['*', '?']) {
            report.find(Code::ScpSyntaxErrorActionWildcard, &[entry.text], entry.item.place());
        }
    }
}

fn resource_control(statement: &Statement<'_>, report: &mut Report) {
    let allows = statement.allows();
    if let Some(clause) = &statement.action {
        if clause.inverted {
            report.find(Code::RcpSyntaxErrorNotaction, &[], clause.key_place.clone());
        }
        for entry in &clause.entries {
            let prefix = entry.text.split_once(':').map(|(prefix, _)| prefix.to_ascii_lowercase());
            // `*` alone stands in AWS's own RCPFullAWSAccess, which allows.
            let covered = match prefix {
                Some(prefix) => services::has_resource_control(&prefix),
                None => allows && entry.text == "*",
            };
            if !covered {
                report.find(Code::RcpSyntaxErrorAction, &[], entry.item.place());
            }
        }
    }
    if allows {
        let all_resources = statement
            .resource
            .as_ref()
            .is_none_or(|clause| !clause.inverted && clause.entries.iter().all(|entry| entry.text == "*"));
        let has_condition = statement.item.members().iter().any(|member| member.key() == "Condition");
        let everyone = statement.principal.as_ref().is_none_or(super::view::PrincipalClause::is_everyone);
        if !all_resources || has_condition || !everyone {
            report.find(Code::RcpSyntaxErrorAllow, &[], statement.item.place());
        }
    }
    if statement.effect == Some(Effect::Deny) {
        services_spared(statement, report);
    }
}

/// A denial that is meant for principals should spare services, and one for services should spare principals.
fn services_spared(statement: &Statement<'_>, report: &mut Report) {
    let tells_apart = statement.has_key("aws:PrincipalIsAWSService");
    let asks_for_source = statement.conditions.iter().any(|condition| {
        condition.operator.is_some_and(|operator| operator.comparison.name() == "Null")
            && (condition.is("aws:SourceAccount") || condition.is("aws:SourceArn"))
    });
    let is_any = |condition: &Condition<'_>, keys: &[&str]| keys.iter().any(|key| condition.is(key));
    for condition in &statement.conditions {
        if condition.operator.is_some_and(|operator| operator.comparison.name() == "Null") {
            continue;
        }
        let place = || condition.key_place.clone();
        let of_principal = is_any(condition, &PRINCIPAL_KEYS) || condition.is_under("aws:PrincipalTag/");
        if of_principal && !tells_apart {
            report.find(Code::RcpMissingRelatedPrincipalConditionKey, &[condition.key], place());
        }
        if is_any(condition, &SOURCE_KEYS) && !tells_apart {
            report.find(Code::RcpMissingRelatedServicePrincipalConditionKey, &[condition.key], place());
        }
        if is_any(condition, &SOURCE_KEYS) && !asks_for_source {
            let parts = [condition.key, condition.key];
            report.find(Code::RcpMissingServiceConditionKeyNullCheck, &parts, place());
        }
    }
}
