//! Condition keys: that they exist, are compared as what they are, and stand beside the keys that they need.

use super::code::Code;
use super::finding::{Place, Report};
use super::nearest::nearest;
use super::services::{self, KeyType};
use super::view::{Condition, Statement};
use super::{PolicyType, ResourceType};
use crate::document::{Comparison, Effect, Operator, Quantifier};

/// Keys that say whatever the caller likes (`reference_policies_condition-keys`).
const SPOOFABLE: [&str; 2] = ["aws:Referer", "aws:UserAgent"];

/// Keys that mean something only together: one, what it needs any of, and what the guide recommends.
const PAIRS: [(&str, &[&str], &str); 2] = [
    ("aws:VpcSourceIp", &["aws:SourceVpc", "aws:SourceVpce", "aws:SourceVpcArn"], "aws:SourceVpc"),
    ("aws:Ec2InstanceSourcePrivateIPv4", &["aws:Ec2InstanceSourceVpc"], "aws:Ec2InstanceSourceVpc"),
];

pub(super) fn check(statement: &Statement<'_>, policy: PolicyType, report: &mut Report) {
    for condition in &statement.conditions {
        if exists(condition, report)
            && let Some(operator) = condition.operator
        {
            compared(condition, operator, report);
        }
        if SPOOFABLE.iter().any(|key| condition.is(key)) {
            report.find(Code::UntrustworthyConditionKey, &[condition.key], condition.key_place.clone());
        }
        let of_s3 = matches!(
            policy,
            PolicyType::Resource(Some(
                ResourceType::S3Bucket | ResourceType::S3AccessPoint | ResourceType::S3MultiRegionAccessPoint
            ))
        );
        if let (true, true, PolicyType::Resource(Some(kind))) =
            (of_s3, condition.is("s3:ResourceAccount"), policy)
        {
            let parts = [condition.key, kind.as_str()];
            report.find(Code::IrrelevantConditionKeyInPolicy, &parts, condition.key_place.clone());
        }
    }
    paired(statement, report);
    dynamodb_attributes(statement, report);
    s3_prefixes(statement, report);
}

/// Whether AWS has the key; notes where not.
fn exists(condition: &Condition<'_>, report: &mut Report) -> bool {
    let key = condition.key;
    let place = || condition.key_place.clone();
    let Some((prefix, rest)) =
        key.split_once(':').filter(|(prefix, rest)| !prefix.is_empty() && !rest.is_empty())
    else {
        report.find(Code::InvalidConditionKeyFormat, &[], place());
        return false;
    };
    if services::key(key).is_some() {
        return true;
    }
    if let Some(slashed) = tagged(key) {
        report.find(Code::MissingTagKeyInCondition, &[&slashed, &slashed], place());
        return false;
    }
    let prefix = prefix.to_ascii_lowercase();
    if prefix == "aws" {
        if rest.eq_ignore_ascii_case("arn") {
            report.find(Code::UnsupportedGlobalConditionKey, &[], place());
        } else {
            unknown(Code::InvalidGlobalConditionKey, &[key], key, place(), report);
        }
        return false;
    }
    if services::service(&prefix).is_some() {
        unknown(Code::InvalidServiceConditionKey, &[key, &prefix], key, place(), report);
        return false;
    }
    // Identity providers name their own keys, by their addresses.
    if !prefix.contains('.') && services::keys_of(&prefix).next().is_none() {
        let written = key.split(':').next().unwrap_or_default();
        report.find(Code::InvalidService, &[written], place());
    }
    false
}

fn unknown(code: Code, parts: &[&str], key: &str, place: Place, report: &mut Report) {
    let prefix = key.split(':').next().unwrap_or_default().to_ascii_lowercase();
    // In some order that is always the same.
    let mut known: Vec<&str> = services::keys_of(&prefix).filter(|known| !known.contains("${")).collect();
    known.sort_unstable();
    let meant = nearest(key, known.into_iter()).map(str::to_owned);
    report.say(code, code.message(parts), vec![place], meant);
}

/// A key that needs the name of a tag and has none, with its slash.
fn tagged(key: &str) -> Option<String> {
    let slashed = format!("{}/", key.trim_end_matches('/'));
    let known = services::key(&format!("{slashed}x"))?;
    known.name.ends_with("/${TagKey}").then_some(slashed)
}

/// Whether the key is compared as what it is.
fn compared(condition: &Condition<'_>, operator: Operator, report: &mut Report) {
    let Some(known) = services::key(condition.key) else { return };
    if operator.comparison == Comparison::Null {
        return;
    }
    let place = || condition.key_place.clone();
    let is_audience = known.name.to_ascii_lowercase().ends_with(":aud");
    match operator.quantifier {
        None if known.multivalued => report.find(Code::MissingQualifier, &[condition.key], place()),
        Some(Quantifier::ForAllValues) if !known.multivalued => {
            report.find(Code::ForAllValuesWithSingleValuedKey, &[condition.key], place());
        }
        Some(Quantifier::ForAnyValue) if !known.multivalued && is_audience => {
            report.find(Code::ForAnyValueWithAudienceClaimType, &[condition.key], place());
        }
        _ => (),
    }
    // What a tag holds, only its owner knows.
    if known.name.contains("${") {
        return;
    }
    let name = operator.comparison.name();
    if known.kind == KeyType::Arn && name.starts_with("String") && name.ends_with("Like") {
        let allowed = name.replace("String", "Arn");
        let better = condition.operator_text.replace("String", "Arn");
        let code = Code::StringLikeOperatorWithArnConditionKeys;
        let message = code.message(&[&allowed, condition.operator_text, condition.key]);
        return report.say(code, message, vec![place()], Some(better));
    }
    let (allowed, fits) = match known.kind {
        KeyType::String => ("String", ["String", "Arn", "Binary"].iter().any(|kind| name.starts_with(kind))),
        KeyType::Arn => ("ARN", name.starts_with("Arn") || name.starts_with("String")),
        KeyType::Bool => ("Boolean", name == "Bool"),
        KeyType::Numeric => ("Numeric", name.starts_with("Numeric")),
        // Times may also be compared as seconds (`aws:EpochTime`).
        KeyType::Date => ("Date", name.starts_with("Date") || name.starts_with("Numeric")),
        KeyType::IpAddress => ("IP address", name.ends_with("IpAddress")),
    };
    if !fits {
        report.find(Code::TypeMismatch, &[allowed, condition.operator_text, condition.key], place());
    }
}

fn paired(statement: &Statement<'_>, report: &mut Report) {
    for (key, needed, recommended) in PAIRS {
        if needed.iter().any(|needed| statement.has_key(needed)) {
            continue;
        }
        for condition in statement.conditions.iter().filter(|condition| condition.is(key)) {
            let parts = [condition.key, recommended];
            report.find(Code::MissingPairedConditionKeys, &parts, condition.key_place.clone());
        }
    }
}

/// Attributes are only looked at where the request asks for some.
fn dynamodb_attributes(statement: &Statement<'_>, report: &mut Report) {
    let selects = statement.conditions.iter().any(|condition| {
        condition.is("dynamodb:Select")
            && condition.entries.iter().any(|(text, _)| text == "SPECIFIC_ATTRIBUTES")
    });
    for condition in statement.conditions.iter().filter(|condition| condition.is("dynamodb:Attributes")) {
        if statement.allows() && !selects {
            report.find(Code::DynamodbAttributesWithoutSelect, &[], condition.key_place.clone());
        }
    }
}

/// A shorter prefix lists the same objects and is another text.
fn s3_prefixes(statement: &Statement<'_>, report: &mut Report) {
    for condition in statement.conditions.iter().filter(|condition| condition.is("s3:prefix")) {
        let Some(operator) = condition.operator else { continue };
        let negated = operator.comparison.is_negated();
        let ineffective = match statement.effect {
            Some(Effect::Allow) => negated,
            Some(Effect::Deny) => !negated && operator.comparison.name().starts_with("String"),
            None => false,
        };
        if ineffective {
            report.find(Code::S3PrefixInNegativeContext, &[], condition.key_place.clone());
        }
    }
}
