//! Condition keys against the actions beside them: a key that the requests do not bring decides nothing.

use std::collections::BTreeSet;

use super::actions::matching;
use super::code::Code;
use super::finding::Report;
use super::glob::has_wildcard;
use super::services;
use super::trust;
use super::view::{Condition, Statement};
use crate::document::Effect;

/// Services that say whose VPC endpoint a request came through, for each of the three keys
/// (`reference_policies_condition-keys`, `aws:VpceAccount`).
const WITH_ENDPOINT_ACCOUNT: [&str; 39] = [
    "acm-pca",
    "apprunner",
    "applicationinsights",
    "athena",
    "cloudformation",
    "comprehendmedical",
    "compute-optimizer",
    "datasync",
    "discovery",
    "dynamodb",
    "ebs",
    "ecr",
    "ecs",
    "firehose",
    "gamelift",
    "healthlake",
    "iam",
    "iotfleetwise",
    "iotwireless",
    "kinesisanalytics",
    "kms",
    "lambda",
    "medical-imaging",
    "omics",
    "payment-cryptography",
    "polly",
    "rbin",
    "rekognition",
    "route53",
    "s3",
    "scheduler",
    "servicediscovery",
    "servicequotas",
    "shield",
    "ssm-contacts",
    "storagegateway",
    "textract",
    "transcribe",
    "transfer",
];

/// Those that say whose organization's it was besides (the same page, `aws:VpceOrgID`).
const WITH_ENDPOINT_ORGANIZATION: [&str; 13] = [
    "b2bi",
    "cognito-identity",
    "dms",
    "ds-data",
    "identitystore",
    "iottwinmaker",
    "cassandra",
    "network-firewall",
    "sms-voice",
    "pricing",
    "ses",
    "sqs",
    "workmail",
];

pub(super) fn check(statement: &Statement<'_>, report: &mut Report) {
    for condition in &statement.conditions {
        actions_without_key(statement, condition, report);
        resource_tags(statement, condition, report);
        endpoint_owner(statement, condition, report);
    }
}

/// Whether an absent key makes the condition fail; with `IfExists`, `Null`, or negated it does not.
fn needs_key(condition: &Condition<'_>) -> bool {
    condition.operator.is_some_and(|operator| {
        !operator.if_exists && !operator.comparison.is_negated() && operator.comparison.name() != "Null"
    })
}

/// A service's own key beside actions that know nothing of it. Actions with wildcards are not looked at, as AWS says.
fn actions_without_key(statement: &Statement<'_>, condition: &Condition<'_>, report: &mut Report) {
    let known = services::key(condition.key).is_some() && !services::is_global(condition.key);
    let prefix = condition.key.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let always = condition.operator.is_some_and(|o| !o.if_exists && o.comparison.name() != "Null");
    if !known || !always || services::service(&prefix).is_none() || trust::is_about_roles(statement) {
        return;
    }
    let unsupported: Vec<_> = statement
        .plain_actions()
        .iter()
        .filter(|entry| {
            let lower = entry.text.to_ascii_lowercase();
            let Some((service, name)) = lower.split_once(':') else { return false };
            let Some(service) = services::service(service) else { return false };
            service.action(name).is_some_and(|action| !service.supports(action, condition.key))
        })
        .collect();
    if !unsupported.is_empty() {
        let names = unsupported.iter().map(|entry| entry.text).collect::<Vec<_>>().join(", ");
        let mut places = vec![condition.key_place.clone()];
        places.extend(unsupported.iter().map(|entry| entry.item.place()));
        report.find_at(Code::UnsupportedActionForConditionKey, &[&names, condition.key], places);
    }
}

/// `aws:ResourceTag` beside actions of services that bring no tags.
fn resource_tags(statement: &Statement<'_>, condition: &Condition<'_>, report: &mut Report) {
    let (Some(clause), Some(effect)) = (&statement.action, statement.effect) else { return };
    if !condition.is_under("aws:ResourceTag/") || !needs_key(condition) {
        return;
    }
    let place = condition.key_place.clone();
    if clause.inverted {
        let code = match effect {
            Effect::Deny => Code::DenyNotActionWithUnsupportedTagConditionKeyForService,
            Effect::Allow => Code::AllowNotActionWithUnsupportedTagConditionKeyForService,
        };
        return report.find(code, &[condition.key], place);
    }
    let mut without = BTreeSet::new();
    for entry in &clause.entries {
        let lower = entry.text.to_ascii_lowercase();
        let Some((prefix, name)) = lower.split_once(':') else { continue };
        let Some(service) = services::service(prefix) else { continue };
        let Some(found) = matching(service, name, report) else { return };
        // A pattern is only meant where nothing that it takes brings tags.
        if !found.is_empty() && !found.iter().any(|action| service.supports(action, condition.key)) {
            without.insert(prefix.to_owned());
        }
    }
    if !without.is_empty() {
        let names = without.into_iter().collect::<Vec<_>>().join(", ");
        let code = match effect {
            Effect::Deny => Code::DenyWithUnsupportedTagConditionKeyForService,
            Effect::Allow => Code::AllowWithUnsupportedTagConditionKeyForService,
        };
        report.find(code, &[condition.key, &names], place);
    }
}

fn endpoint_owner(statement: &Statement<'_>, condition: &Condition<'_>, report: &mut Report) {
    let of_organization = condition.is("aws:VpceOrgID") || condition.is("aws:VpceOrgPaths");
    if !of_organization && !condition.is("aws:VpceAccount") {
        return;
    }
    let supported = |action: &str| {
        let Some((prefix, _)) = action.split_once(':') else { return false };
        !has_wildcard(prefix)
            && !action.eq_ignore_ascii_case("iam:PassRole")
            && (WITH_ENDPOINT_ACCOUNT.iter().any(|known| known.eq_ignore_ascii_case(prefix))
                || (of_organization
                    && WITH_ENDPOINT_ORGANIZATION.iter().any(|known| known.eq_ignore_ascii_case(prefix))))
    };
    let Some(clause) = &statement.action else { return };
    if clause.inverted || !clause.entries.iter().all(|entry| supported(entry.text)) {
        let code = Code::UseConditionKeyOnlyWithSupportedServices;
        report.find(code, &[condition.key], condition.key_place.clone());
    }
}
