//! The document itself: its elements, their types, what lacks and what is empty, and its size.

use std::collections::{HashMap, HashSet};

use super::code::Code;
use super::finding::{PathElement, Place, Report};
use super::view::{Item, MemberItem, Statement};
use super::{PolicyType, ResourceType};
use crate::document::{size, size_without_white_space};
use crate::json::Json;
use crate::span::Span;

/// Checks what stands above the statements, and finds those.
pub(super) fn statements<'d>(root: &Item<'d>, report: &mut Report) -> Vec<Statement<'d>> {
    repeated_keys(root, report);
    if !matches!(root.node.value, Json::Object(_)) {
        report.find(Code::DataTypeMismatch, &["Object"], root.place());
        return Vec::new();
    }
    let members = root.members();
    version(root, &members, report);
    let mut found = Vec::new();
    for member in &members {
        match member.key() {
            "Version" => (),
            "Id" => is_text(&member.value(), report),
            "Statement" => {
                for item in member.value().elements() {
                    if matches!(item.node.value, Json::Object(_)) {
                        found.push(Statement::read(item));
                    } else {
                        report.find(Code::DataTypeMismatch, &["Object"], item.place());
                    }
                }
            }
            name => report.find(Code::InvalidPolicyElement, &[name], member.key_place()),
        }
    }
    let statement = members.iter().find(|member| member.key() == "Statement");
    match statement {
        None => report.find(Code::MissingStatement, &[], root.place()),
        Some(member) if member.value().is_empty_list() => {
            report.find(Code::MissingStatement, &[], member.value().place());
        }
        Some(_) => (),
    }
    found
}

/// A key that stands twice in one object is against the grammar (`reference_policies_grammar`).
fn repeated_keys(item: &Item<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for member in item.members() {
        if !seen.insert(member.key()) {
            report.find(Code::JsonSyntaxError, &[""], member.key_place());
        }
        repeated_keys(&member.value(), report);
    }
    if matches!(item.node.value, Json::List(_)) {
        item.elements().iter().for_each(|element| repeated_keys(element, report));
    }
}

fn version(root: &Item<'_>, members: &[MemberItem<'_>], report: &mut Report) {
    let Some(member) = members.iter().find(|member| member.key() == "Version") else {
        return report.find(Code::MissingVersion, &[], root.place());
    };
    let value = member.value();
    match value.text() {
        Some("2012-10-17" | "2008-10-17") => (),
        Some(text) => {
            report.say(
                Code::InvalidVersion,
                Code::InvalidVersion.message(&[text, "2012-10-17, 2008-10-17"]),
                vec![value.place()],
                Some("2012-10-17".into()),
            );
        }
        None => report.find(Code::DataTypeMismatch, &["String"], value.place()),
    }
}

fn is_text(item: &Item<'_>, report: &mut Report) {
    if item.text().is_none() {
        report.find(Code::DataTypeMismatch, &["String"], item.place());
    }
}

/// A text or a list of texts.
fn is_texts(item: &Item<'_>, report: &mut Report) {
    item.elements().iter().for_each(|element| is_text(element, report));
}

/// Checks which elements a statement has, and their types.
pub(super) fn statement(statement: &Statement<'_>, policy: PolicyType, report: &mut Report) {
    let members = statement.item.members();
    let has = |name: &str| members.iter().any(|member| member.key() == name);
    for member in &members {
        let (key, value) = (member.key(), member.value());
        match key {
            "Sid" => is_text(&value, report),
            "Effect" => effect(&value, report),
            "Action" | "NotAction" | "Resource" | "NotResource" => is_texts(&value, report),
            "Principal" | "NotPrincipal" => principal(&value, report),
            "Condition" => condition(&value, report),
            _ => report.find(Code::InvalidPolicyElement, &[key], member.key_place()),
        }
        let empty = match key {
            "Action" | "NotAction" => Some(Code::EmptyArrayAction),
            "Resource" | "NotResource" => Some(Code::EmptyArrayResource),
            "Principal" | "NotPrincipal" => Some(Code::EmptyArrayPrincipal),
            _ => None,
        };
        if let (Some(code), true) = (empty, value.is_empty_list()) {
            report.find(code, &[], value.place());
        }
    }
    for (plain, inverted) in
        [("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")]
    {
        if has(plain) && has(inverted) {
            let keys = members.iter().filter(|member| [plain, inverted].contains(&member.key()));
            let places = keys.map(MemberItem::key_place).collect();
            report.find_at(Code::UnsupportedElementCombination, &[plain, inverted], places);
        }
    }
    let place = || statement.item.place();
    if !has("Effect") {
        report.find(Code::MissingEffect, &[], place());
    }
    if !has("Action") && !has("NotAction") {
        report.find(Code::MissingAction, &[], place());
    }
    if !has("Resource") && !has("NotResource") && needs_resource(statement, policy) {
        report.find(Code::MissingResource, &[], place());
    }
    let of_resource = matches!(policy, PolicyType::Resource(_) | PolicyType::ResourceControl);
    if of_resource && !has("Principal") && !has("NotPrincipal") {
        report.find(Code::MissingPrincipal, &[], place());
    }
}

/// Every policy names resources but the trust policy of a role, which may come without saying that it is one.
fn needs_resource(statement: &Statement<'_>, policy: PolicyType) -> bool {
    match policy {
        PolicyType::Resource(Some(ResourceType::RoleTrust)) => false,
        PolicyType::Resource(None) => !super::trust::is_about_roles(statement),
        _ => true,
    }
}

fn effect(value: &Item<'_>, report: &mut Report) {
    match value.text() {
        Some("Allow" | "Deny") => (),
        Some(text) => {
            let meant = ["Allow", "Deny"].into_iter().find(|effect| effect.eq_ignore_ascii_case(text));
            let message = Code::InvalidEffect.message(&[text]);
            report.say(Code::InvalidEffect, message, vec![value.place()], meant.map(str::to_owned));
        }
        None => report.find(Code::DataTypeMismatch, &["String"], value.place()),
    }
}

fn principal(value: &Item<'_>, report: &mut Report) {
    let members = value.members();
    match &value.node.value {
        Json::Object(_) if members.is_empty() => report.find(Code::EmptyObjectPrincipal, &[], value.place()),
        Json::Object(_) => {
            for member in members {
                if !["AWS", "CanonicalUser", "Federated", "Service"].contains(&member.key()) {
                    report.find(Code::InvalidPrincipalKey, &[member.key()], member.key_place());
                }
                let names = member.value();
                if names.is_empty_list() {
                    report.find(Code::EmptyArrayPrincipal, &[], names.place());
                }
                is_texts(&names, report);
            }
        }
        Json::Text(text) if &**text == "*" => (),
        Json::Text(_) => report.find(Code::InvalidPrincipalFormat, &[], value.place()),
        Json::List(list) if list.is_empty() => (),
        Json::List(_) => report.find(Code::InvalidPrincipalFormat, &[], value.place()),
        _ => report.find(Code::DataTypeMismatch, &["Object"], value.place()),
    }
}

fn condition(block: &Item<'_>, report: &mut Report) {
    let members = block.members();
    match &block.node.value {
        Json::Object(_) if members.is_empty() => report.find(Code::EmptyObjectCondition, &[], block.place()),
        Json::Object(_) => (),
        _ => report.find(Code::DataTypeMismatch, &["Object"], block.place()),
    }
    for operator in members {
        let keys = operator.value();
        match &keys.node.value {
            Json::Object(keys_of) if keys_of.is_empty() => {
                report.find(Code::EmptyObjectCondition, &[], keys.place());
            }
            Json::Object(_) => (),
            _ => report.find(Code::DataTypeMismatch, &["Object"], keys.place()),
        }
    }
}

/// Checks the statement ids against each other and for what they may hold.
pub(super) fn sids(statements: &[Statement<'_>], policy: PolicyType, report: &mut Report) {
    let of_iam = matches!(policy, PolicyType::Identity | PolicyType::Resource(Some(ResourceType::RoleTrust)));
    let repeated = match policy {
        PolicyType::Resource(None) => Code::UniqueSidsRecommended,
        PolicyType::Resource(Some(kind)) if kind != ResourceType::RoleTrust => Code::UniqueSidsRecommended,
        _ => Code::UniqueSidsRequired,
    };
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for sid in statements.iter().filter_map(|statement| statement.sid.as_ref()) {
        if sid.text.is_empty() {
            report.find(Code::EmptySidValue, &[], sid.item.place());
            continue;
        }
        if of_iam && !sid.text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            report.find(Code::UnsupportedSid, &[], sid.item.place());
        }
        match seen.get(sid.text) {
            Some(first) => report.find_at(repeated, &[], vec![sid.item.place(), first.clone()]),
            None => {
                seen.insert(sid.text, sid.item.place());
            }
        }
    }
}

/// Checks the size against the quota of the type (`reference_iam-quotas`; Organizations' page of quotas; S3's of bucket
/// policies). What is not known to be in a bucket, a role or a table has no quota that holds for all.
pub(super) fn policy_size(text: &str, policy: PolicyType, whole: Span, report: &mut Report) {
    let (code, size, quota) = match policy {
        PolicyType::Identity => {
            (Code::PolicySizeExceedsIdentityPolicyQuota, size_without_white_space(text), 6144)
        }
        PolicyType::ServiceControl => (Code::PolicySizeExceedsScpQuota, size(text), 5120),
        PolicyType::ResourceControl => (Code::PolicySizeExceedsRcpQuota, size(text), 5120),
        PolicyType::Resource(Some(ResourceType::RoleTrust)) => {
            (Code::PolicySizeExceedsRoleTrustPolicyQuota, size_without_white_space(text), 2048)
        }
        PolicyType::Resource(Some(_)) => (Code::PolicySizeExceedsResourcePolicyQuota, size(text), 20 * 1024),
        PolicyType::Resource(None) => return,
    };
    if size > quota {
        let place = Place { path: Vec::<PathElement>::new(), span: whole };
        report.find(code, &[&size.to_string(), &quota.to_string()], place);
    }
}
