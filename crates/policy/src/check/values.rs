//! The values of single condition keys: Regions, networks, KMS keys, services, and keys that no wildcard may stand for.

use super::code::Code;
use super::finding::Report;
use super::glob::has_wildcard;
use super::principals::is_service_principal;
use super::resources::{is_region, nearest_region};
use super::services::{self, KeyType};
use super::view::{Condition, Item, Statement};

/// `reference_policies_condition-keys`, sensitive condition keys.
const SENSITIVE: [&str; 10] = [
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpceAccount",
    "aws:VpceOrgID",
];

/// Keys that name services as principals.
const SERVICES: [&str; 5] = [
    "aws:PrincipalServiceName",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "iam:PassedToService",
    "iam:AWSServiceName",
];

pub(super) fn check(statement: &Statement<'_>, report: &mut Report) {
    for condition in &statement.conditions {
        let Some(operator) = condition.operator else { continue };
        let name = operator.comparison.name();
        if !name.starts_with("String") && !name.starts_with("Arn") {
            continue;
        }
        for (text, item) in &condition.entries {
            too_permissive(condition, name, text, item, report);
            let like = name.starts_with("Arn") || name.ends_with("Like");
            let is_pattern = like && has_wildcard(text);
            if !text.contains("${") && !is_pattern {
                form(condition, text, item, report);
            }
            kms_key(condition, text, item, report);
        }
    }
}

/// The form of a value without wildcards.
fn form(condition: &Condition<'_>, text: &str, item: &Item<'_>, report: &mut Report) {
    if condition.is("aws:RequestedRegion") && !is_region(text) {
        let message = Code::InvalidRegion.message(&[text]);
        let meant = nearest_region(text).map(str::to_owned);
        report.say(Code::InvalidRegion, message, vec![item.place()], meant);
    }
    if condition.is("aws:SourceVpc") && !is_id(text, "vpc-") {
        report.find(Code::InvalidVpcFormat, &[], item.place());
    }
    if condition.is("aws:SourceVpce") && !is_id(text, "vpce-") {
        report.find(Code::InvalidVpceFormat, &[], item.place());
    }
    let format = if condition.is("kms:ViaService") {
        let with_region = text.split('.').nth(1).is_some_and(is_region);
        (!with_region || !is_service_principal(text)).then_some("service-name.AWS_region.amazonaws.com")
    } else if SERVICES.iter().any(|key| condition.is(key)) {
        (!is_service_principal(text)).then_some("service-name.amazonaws.com")
    } else {
        None
    };
    if let Some(format) = format {
        report.find(Code::InvalidServicePrincipalFormat, &[format], item.place());
    }
}

fn is_id(text: &str, prefix: &str) -> bool {
    let id = text.strip_prefix(prefix).unwrap_or_default();
    matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Keys of services that hold a KMS key's ARN must be compared with one.
fn kms_key(condition: &Condition<'_>, text: &str, item: &Item<'_>, report: &mut Report) {
    let lower = condition.key.to_ascii_lowercase();
    let names_key = lower.contains("kmskey") || lower.contains("kms-key");
    let is_arn = services::key(condition.key).is_some_and(|key| key.kind == KeyType::Arn);
    if !names_key || !is_arn || text.contains("${") || text == "*" {
        return;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let fits = match parts.as_slice() {
        ["arn", _, service, _, _, resource] => {
            *service == "kms" && (resource.starts_with("key/") || has_wildcard(resource))
        }
        _ => text.starts_with("arn:") && text.ends_with('*'),
    };
    if !fits {
        report.find(Code::InvalidKmsKeyValue, &[condition.key], item.place());
    }
}

/// Wildcards and variables where they would let in anyone.
fn too_permissive(
    condition: &Condition<'_>,
    operator: &str,
    text: &str,
    item: &Item<'_>,
    report: &mut Report,
) {
    let sensitive = SENSITIVE.iter().any(|key| condition.is(key));
    let like = operator.ends_with("Like");
    let plain = without_variables(text);
    if sensitive && like && has_wildcard(&plain) {
        report.find(Code::WildcardUsageTooPermissive, &[condition.key], item.place());
    }
    // A variable that only AWS can fill is as good as the text that it stands for.
    if sensitive && variables(text).any(|name| !SENSITIVE.iter().any(|key| key.eq_ignore_ascii_case(name))) {
        report.find(Code::VariableUsageTooPermissive, &[condition.key], item.place());
    }
    if !condition.is("aws:userid") {
        return;
    }
    let left = text.split_once(':').map(|(left, _)| left);
    if like
        && has_wildcard(left.unwrap_or(&plain))
        && left != Some("*")
        && !left.is_some_and(|l| l.contains("${"))
    {
        let message = "Overly permissive use of wildcard with aws:userID. Use the wildcard on the right side of \
                       colon or as the only character on the left side of a colon.";
        report.say(Code::WildcardUsageTooPermissive, message.into(), vec![item.place()], None);
    }
    let before = text.find("${").and_then(|at| text.get(..at));
    let alone = text.starts_with("${") && text.split_once('}').is_some_and(|(_, rest)| rest.starts_with(':'));
    if before.is_some_and(|before| !before.contains(':')) && !alone {
        let message = "Overly permissive use of policy variable with aws:userID. Use the policy variable on the right \
                       side of colon or as the only character on the left side of a colon.";
        report.say(Code::VariableUsageTooPermissive, message.into(), vec![item.place()], None);
    }
}

/// The names of the variables in a text.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
    names
        .map(|(inner, _)| inner.split(',').next().unwrap_or_default())
        .filter(|name| !["*", "?", "$"].contains(name))
}

fn without_variables(text: &str) -> String {
    let mut plain = String::new();
    for (index, part) in text.split("${").enumerate() {
        plain.push_str(if index == 0 { part } else { part.split_once('}').map_or("", |(_, rest)| rest) });
    }
    plain
}
