//! `Resource` and `NotResource`: that ARNs have the form that the service gives its resources.

use super::code::Code;
use super::finding::Report;
use super::glob::{has_wildcard, may_be};
use super::nearest::nearest;
use super::services::{self, ResourceType as Known};
use super::view::{Entry, Statement};
use super::{PolicyType, ResourceType};

/// The partitions and their Regions, as botocore's `partitions.json` has them (1.43.11).
const PARTITIONS: [(&str, &[&str]); 8] = [
    (
        "aws",
        &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    ),
    ("aws-cn", &["cn-north-1", "cn-northwest-1"]),
    ("aws-eusc", &["eusc-de-east-1"]),
    ("aws-iso", &["us-iso-east-1", "us-iso-west-1"]),
    ("aws-iso-b", &["us-isob-east-1", "us-isob-west-1"]),
    ("aws-iso-e", &["eu-isoe-west-1"]),
    ("aws-iso-f", &["us-isof-east-1", "us-isof-south-1"]),
    ("aws-us-gov", &["us-gov-east-1", "us-gov-west-1"]),
];

/// Services with resources of AWS's own, for everybody, whose ARNs have no account, as the documents `AWS-…` of Systems
/// Manager; AWS's managed policies name them so.
const WITH_PUBLIC_RESOURCES: [&str; 2] = ["ssm", "resource-explorer-2"];

/// Whether AWS has the Region, in any partition.
pub(super) fn is_region(name: &str) -> bool {
    PARTITIONS.iter().any(|(_, regions)| regions.contains(&name))
}

/// The Region that was probably meant.
pub(super) fn nearest_region(name: &str) -> Option<&'static str> {
    nearest(name, PARTITIONS.iter().flat_map(|(_, regions)| regions.iter().copied()))
}

pub(super) fn check(statement: &Statement<'_>, policy: PolicyType, report: &mut Report) {
    let Some(clause) = &statement.resource else { return };
    for entry in clause.entries.iter().filter(|entry| entry.text != "*") {
        arn(entry, policy, report);
    }
}

/// Splits an ARN at its first five colons; those within `${…}` divide nothing.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut searched = 0;
    while parts.len() < 5 {
        let Some(colon) = rest.get(searched..).and_then(|text| text.find(':')).map(|at| at + searched) else {
            break;
        };
        let (before, after) =
            (rest.get(..colon).unwrap_or_default(), rest.get(colon + 1..).unwrap_or_default());
        let open = before.rfind("${").is_some_and(|at| !before.get(at..).unwrap_or_default().contains('}'));
        if open {
            searched = colon + 1;
            continue;
        }
        parts.push(before);
        (rest, searched) = (after, 0);
    }
    parts.push(rest);
    parts
}

/// A part that may be anything: nothing can be said of it.
fn is_open(part: &str) -> bool {
    part.contains("${") || has_wildcard(part)
}

fn arn(entry: &Entry<'_>, policy: PolicyType, report: &mut Report) {
    let place = || entry.item.place();
    let parts = split(entry.text);
    if parts.first() != Some(&"arn") {
        return report.find(Code::InvalidArnPrefix, &[], place());
    }
    let [_, partition, service, region, account, resource] = parts.as_slice() else {
        // A `*` at the end of a part may run past colons (`reference_policies_elements_resource`).
        if !entry.text.ends_with('*') {
            report.find(Code::MissingArnField, &["6"], place());
        }
        return;
    };
    if !is_open(partition) && !PARTITIONS.iter().any(|(known, _)| known == partition) {
        let known = PARTITIONS.map(|(known, _)| known).join(", ");
        report.find(Code::InvalidPartition, &[service, partition, &known], place());
    }
    if has_wildcard(service) {
        return report.find(Code::WildcardInServiceName, &[], place());
    }
    if service.contains("${") {
        return;
    }
    let types = services::resource_types(service);
    if types.is_empty() && services::service(service).is_none() {
        let lower = service.to_ascii_lowercase();
        let known = services::service(&lower).is_some() || !services::resource_types(&lower).is_empty();
        let (code, suggestion) = if lower != **service && known {
            (Code::InvalidArnServiceCase, Some(entry.text.replacen(service, &lower, 1)))
        } else {
            let meant = nearest(&lower, services::prefixes());
            (Code::InvalidService, meant.map(|meant| entry.text.replacen(service, meant, 1)))
        };
        return report.say(code, code.message(&[service]), vec![place()], suggestion);
    }
    let Some(fitting) = fitting(types, resource, report) else { return };
    if fitting.is_empty() {
        if !types.is_empty() {
            report.find(Code::InvalidArnResource, &[], place());
        }
        return;
    }
    self::region(entry, service, region, &fitting, report);
    self::account(entry, service, account, &fitting, report);
    if let PolicyType::Resource(Some(kind)) = policy
        && kind != ResourceType::RoleTrust
        && !fitting.iter().any(|known| is_of(known, kind, region, account))
    {
        report.find(Code::UnsupportedResourceArnInPolicy, &[kind.as_str()], place());
    }
}

/// The types whose last part the resource can be; `None` where looking would take too long.
fn fitting(types: &'static [Known], resource: &str, report: &mut Report) -> Option<Vec<&'static Known>> {
    let mut found = Vec::new();
    for known in types {
        if !report.spend(8 * resource.len()) {
            return None;
        }
        if may_be(resource, field(known, 5)) {
            found.push(known);
        }
    }
    Some(found)
}

fn field(known: &Known, number: usize) -> &'static str {
    known.arn.splitn(6, ':').nth(number).unwrap_or_default()
}

/// Whether a part that may hold wildcards can be as the type's form has it.
fn part_fits(part: &str, form: &str) -> bool {
    if form.is_empty() { part.is_empty() || part.chars().all(|c| c == '*') } else { !part.is_empty() }
}

fn is_of(known: &Known, kind: ResourceType, region: &str, account: &str) -> bool {
    known.service == kind.service()
        && kind.resource_names().contains(&known.name)
        && part_fits(region, field(known, 3))
        && part_fits(account, field(known, 4))
}

fn region(entry: &Entry<'_>, service: &str, region: &str, fitting: &[&Known], report: &mut Report) {
    if !fitting.iter().any(|known| part_fits(region, field(known, 3))) {
        let code = if region.is_empty() { Code::MissingArnRegion } else { Code::ArnRegionNotAllowed };
        return report.find(code, &[service], entry.item.place());
    }
    if !region.is_empty() && !is_open(region) && !is_region(region) {
        let meant = nearest_region(region).map(|meant| entry.text.replacen(region, meant, 1));
        let message = Code::InvalidArnRegion.message(&[region]);
        report.say(Code::InvalidArnRegion, message, vec![entry.item.place()], meant);
    }
}

fn account(entry: &Entry<'_>, service: &str, account: &str, fitting: &[&Known], report: &mut Report) {
    if !fitting.iter().any(|known| part_fits(account, field(known, 4))) {
        if account.is_empty() && !WITH_PUBLIC_RESOURCES.contains(&service) {
            let name = fitting.first().map_or("", |known| known.name);
            return report.find(Code::MissingArnAccount, &[name], entry.item.place());
        }
        if !account.is_empty() {
            report.find(Code::ArnAccountNotAllowed, &[service], entry.item.place());
        }
        return;
    }
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    // What AWS owns itself, as managed policies, has no account's number.
    let literal = account == "aws" || fitting.iter().any(|known| field(known, 4) == account);
    if !account.is_empty() && !is_open(account) && !is_account && !literal {
        report.find(Code::InvalidArnAccount, &[account], entry.item.place());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_within_variables_divide_nothing() {
        assert_eq!(split("arn:aws:s3:::b"), ["arn", "aws", "s3", "", "", "b"]);
        assert_eq!(
            split("arn:aws:s3:${aws:RequestedRegion}::${aws:username}:x"),
            ["arn", "aws", "s3", "${aws:RequestedRegion}", "", "${aws:username}:x"]
        );
        assert_eq!(split("${a:b"), ["${a:b"]);
    }
}
