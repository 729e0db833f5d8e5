//! Condition operators and the values that they compare.

use std::collections::HashMap;
use std::net::IpAddr;

use super::code::Code;
use super::finding::Report;
use super::glob::has_wildcard;
use super::view::{Condition, Statement};
use crate::document::{Comparison, Operator, Quantifier};
use crate::json::Json;
use crate::value::{Decimal, Network, Timestamp, base64};

pub(super) fn check(statement: &Statement<'_>, report: &mut Report) {
    repeated_keys(statement, report);
    operators(statement, report);
    for condition in &statement.conditions {
        types(condition, report);
        let Some(operator) = condition.operator else { continue };
        if condition.values.is_empty_list() {
            empty(condition, operator, report);
        }
        if operator.comparison == Comparison::Bool && condition.entries.len() > 1 {
            report.find(Code::InvalidConditionMultipleBoolean, &[], condition.values.place());
        }
        values(condition, operator, report);
        redundant_numbers(condition, operator, report);
        addresses(condition, operator, report);
        always_or_never(condition, operator, report);
    }
}

/// Keys ignore case, so two that differ in nothing else are one (`reference_policies_elements_condition`).
fn repeated_keys(statement: &Statement<'_>, report: &mut Report) {
    let mut seen: HashMap<(&str, String), &Condition<'_>> = HashMap::new();
    for condition in &statement.conditions {
        let id = (condition.operator_text, condition.key.to_ascii_lowercase());
        match seen.get(&id) {
            Some(first) if first.key != condition.key => {
                let places = vec![condition.key_place.clone(), first.key_place.clone()];
                report.find_at(Code::DuplicateKeysWithDifferentCase, &[condition.key], places);
            }
            Some(_) => (),
            None => {
                seen.insert(id, condition);
            }
        }
    }
}

fn operators(statement: &Statement<'_>, report: &mut Report) {
    let block = statement.item.members().into_iter().find(|member| member.key() == "Condition");
    let Some(block) = block else { return };
    for member in block.value().members() {
        match Operator::parse(member.key()) {
            Some(Operator { quantifier: Some(_), comparison: Comparison::Null, .. }) => {
                report.find(Code::NullWithQualifier, &[], member.key_place());
            }
            Some(_) => (),
            None if member.key().rsplit(':').next() == Some("NullIfExists") => {
                report.find(Code::NullWithIfExists, &[], member.key_place());
            }
            None => {
                let known = Comparison::ALL.iter().map(|comparison| comparison.name());
                let meant = super::nearest::nearest(member.key(), known).map(str::to_owned);
                let message = Code::InvalidConditionOperator.message(&[member.key()]);
                report.say(Code::InvalidConditionOperator, message, vec![member.key_place()], meant);
            }
        }
    }
}

/// The JSON types of the values: texts, numbers and booleans, one of them in one list.
fn types(condition: &Condition<'_>, report: &mut Report) {
    let mut kinds = Vec::new();
    for element in condition.values.elements() {
        match &element.node.value {
            Json::Text(_) => kinds.push("String"),
            Json::Number(_) => kinds.push("Number"),
            Json::Bool(_) => kinds.push("Boolean"),
            _ => report.find(Code::DataTypeMismatch, &["String"], element.place()),
        }
    }
    kinds.dedup();
    if kinds.len() > 1 {
        report.find(Code::InvalidConditionDataType, &[], condition.values.place());
    }
}

fn empty(condition: &Condition<'_>, operator: Operator, report: &mut Report) {
    let code = match operator.quantifier {
        Some(Quantifier::ForAllValues) => Code::EmptyArrayConditionForAllValues,
        Some(Quantifier::ForAnyValue) => Code::EmptyArrayConditionForAnyValue,
        None if operator.if_exists => Code::EmptyArrayConditionIfExists,
        None => Code::EmptyArrayCondition,
    };
    report.find(code, &[condition.key], condition.values.place());
}

/// Whether the values can be what the operator compares.
fn values(condition: &Condition<'_>, operator: Operator, report: &mut Report) {
    let name = operator.comparison.name();
    let text_like = name.starts_with("String") || name.starts_with("Arn");
    for (text, item) in &condition.entries {
        if text.contains("${") {
            if !text_like {
                report.find(Code::InvalidVariableForOperator, &[], item.place());
            }
            if !text_like || !has_wildcard(text) {
                continue;
            }
        }
        let wrong = match name {
            "Bool" | "Null" if !["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word)) => {
                Code::TypeMismatchBoolean
            }
            "BinaryEquals" if base64::decode(text).any(|byte| byte.is_err()) => Code::TypeMismatchString,
            "IpAddress" | "NotIpAddress" if Network::parse(text).is_none() => Code::TypeMismatchIpRange,
            _ if name.starts_with("Numeric") && Decimal::parse(text).is_none() => Code::TypeMismatchNumber,
            _ if operator.comparison.is_date()
                && text.bytes().all(|b| b.is_ascii_digit())
                && text.len() > 4 =>
            {
                report.find(Code::InvalidDateValue, &[text], item.place());
                continue;
            }
            _ if operator.comparison.is_date() && Timestamp::parse(text).is_none() => Code::TypeMismatchDate,
            _ if name.starts_with("String") && !name.ends_with("Like") && has_wildcard(text) => {
                Code::WildcardWithoutLikeOperator
            }
            _ => continue,
        };
        report.find(wrong, &[condition.operator_text], item.place());
    }
}

/// Of several limits only one can matter.
fn redundant_numbers(condition: &Condition<'_>, operator: Operator, report: &mut Report) {
    let which = match operator.comparison {
        Comparison::NumericLessThan | Comparison::NumericLessThanEquals => "greatest",
        Comparison::NumericGreaterThan | Comparison::NumericGreaterThanEquals => "least",
        _ => return,
    };
    let mut numbers: Vec<Decimal> =
        condition.entries.iter().filter_map(|(text, _)| Decimal::parse(text)).collect();
    if numbers.len() < 2 {
        return;
    }
    numbers.sort();
    let kept = if which == "greatest" { numbers.last() } else { numbers.first() };
    let kept = condition.entries.iter().find(|(text, _)| Decimal::parse(text).as_ref() == kept);
    let message = Code::RedundantConditionValueNum.message(&[condition.operator_text, which, condition.key]);
    let suggestion = kept.map(|(text, _)| text.clone());
    report.say(Code::RedundantConditionValueNum, message, vec![condition.values.place()], suggestion);
}

/// Ranges with bits that do not count, and `aws:SourceIp` with addresses that never reach AWS.
fn addresses(condition: &Condition<'_>, operator: Operator, report: &mut Report) {
    let inverted = match operator.comparison {
        Comparison::IpAddress => false,
        Comparison::NotIpAddress => true,
        _ => return,
    };
    let mut private = Vec::new();
    let mut ranges = 0;
    for (text, item) in &condition.entries {
        if Network::parse(text).is_none() {
            continue;
        }
        ranges += 1;
        if let Some(better) = masked(text) {
            let message = Code::ImproveIpRange.message(&[&better]);
            report.say(Code::ImproveIpRange, message, vec![item.place()], Some(better));
        }
        if is_private(text) {
            private.push(item.place());
        }
    }
    if !condition.is("aws:SourceIp") || private.is_empty() {
        return;
    }
    let code = match (private.len() == ranges, inverted) {
        (true, false) => Code::PrivateIpAddress,
        (true, true) => Code::PrivateNotIpAddress,
        (false, false) => Code::PrivateIpAddressSubset,
        (false, true) => Code::PrivateNotIpAddressSubset,
    };
    report.find_at(code, &[], private);
}

/// The range without the bits that do not count, where it has some.
fn masked(text: &str) -> Option<String> {
    let (address, prefix) = text.split_once('/')?;
    let bits: u32 = prefix.parse().ok()?;
    let address: IpAddr = address.parse().ok()?;
    let masked: IpAddr = match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
            std::net::Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.checked_sub(bits)?).unwrap_or(0);
            std::net::Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    };
    (masked != address).then(|| format!("{masked}/{bits}"))
}

/// Whether the range begins within the private ones (RFC 1918, RFC 4193) and is not wider than they.
fn is_private(text: &str) -> bool {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits: u32 = prefix.and_then(|bits| bits.parse().ok()).unwrap_or(all);
    [("10.0.0.0/8", 8), ("172.16.0.0/12", 12), ("192.168.0.0/16", 16), ("fc00::/7", 7)].iter().any(
        |(range, least)| bits >= *least && Network::parse(range).is_some_and(|range| range.contains(address)),
    )
}

/// `*` under a Like operator asks for nothing but that the key is there, or not there, or not even that.
fn always_or_never(condition: &Condition<'_>, operator: Operator, report: &mut Report) {
    let negated = match operator.comparison {
        Comparison::StringLike => false,
        Comparison::StringNotLike => true,
        _ => return,
    };
    if !condition.entries.iter().any(|(text, _)| text == "*") {
        return;
    }
    let code = match (operator.quantifier, operator.if_exists, negated) {
        (Some(Quantifier::ForAllValues), _, false) | (_, true, false) => {
            Code::RedundantKeyDueToWildcardInCondition
        }
        (_, false, false) => Code::EquivalentToNullFalse,
        (Some(Quantifier::ForAnyValue), false, true) => Code::RedundantStatementDueToWildcardInCondition,
        (_, _, true) => Code::EquivalentToNullTrue,
    };
    let parts = [condition.key, condition.operator_text, condition.key];
    report.find(code, &parts, condition.key_place.clone());
}
