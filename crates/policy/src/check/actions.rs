//! `Action` and `NotAction`: that services and actions exist, and that the kind of policy takes them.

use super::code::Code;
use super::finding::Report;
use super::glob::{covers, has_wildcard};
use super::nearest::nearest;
use super::services::{self, Action, Service};
use super::view::{Entry, Statement};
use super::{PolicyType, ResourceType};

/// Operations whose permission has another name: the API's name and the action (service authorization reference of S3).
const OTHER_NAMES: [(&str, &str); 8] = [
    ("s3:listbuckets", "s3:ListAllMyBuckets"),
    ("s3:headbucket", "s3:ListBucket"),
    ("s3:headobject", "s3:GetObject"),
    ("s3:listobjects", "s3:ListBucket"),
    ("s3:listobjectsv2", "s3:ListBucket"),
    ("s3:listobjectversions", "s3:ListBucketVersions"),
    ("s3:copyobject", "s3:PutObject"),
    ("s3:deleteobjects", "s3:DeleteObject"),
];

/// The actions of trust policies (`reference_policies_elements_principal`, STS's part of the service authorization reference).
pub(super) const TRUST_ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:setcontext",
    "sts:setsourceidentity",
    "sts:tagsession",
];

pub(super) fn check(statement: &Statement<'_>, policy: PolicyType, report: &mut Report) {
    let entries = statement.action.as_ref().map_or(&[][..], |clause| &clause.entries);
    for entry in entries.iter().filter(|entry| entry.text != "*" && !entry.text.contains("${")) {
        exists(entry, report);
        if let PolicyType::Resource(Some(kind)) = policy {
            belongs(entry, kind, report);
        }
    }
}

fn exists(entry: &Entry<'_>, report: &mut Report) {
    let lower = entry.text.to_ascii_lowercase();
    let Some((prefix, name)) = lower.split_once(':') else {
        return report.find(Code::InvalidAction, &[entry.text, ""], entry.item.place());
    };
    if has_wildcard(prefix) {
        return report.find(Code::WildcardInServiceName, &[], entry.item.place());
    }
    let Some(service) = services::service(prefix) else {
        let meant = nearest(prefix, services::prefixes());
        let text = entry.text.split(':').next().unwrap_or_default();
        let asked = meant.map(|meant| format!(" Did you mean {meant}?")).unwrap_or_default();
        let message = Code::InvalidServiceInAction.message(&[text, &asked]);
        let action = entry.text.split_once(':').map_or("", |(_, action)| action);
        let suggestion = meant.map(|meant| format!("{meant}:{action}"));
        return report.say(Code::InvalidServiceInAction, message, vec![entry.item.place()], suggestion);
    };
    let known = if has_wildcard(name) {
        matching(service, name, report).is_none_or(|found| !found.is_empty())
    } else {
        service.action(name).is_some()
    };
    if !known {
        unknown(entry, &lower, service, report);
    }
}

fn unknown(entry: &Entry<'_>, lower: &str, service: &Service, report: &mut Report) {
    let (prefix, name) = lower.split_once(':').unwrap_or((lower, ""));
    let (suggestion, asked) = match OTHER_NAMES.iter().find(|(other, _)| *other == lower) {
        Some((_, action)) => {
            let api = entry.text.split_once(':').map_or("", |(_, name)| name);
            let asked = format!(
                " Did you mean {action}? The API called {api} authorizes against the IAM action {action}."
            );
            (Some((*action).to_owned()), asked)
        }
        None => {
            let names = service.actions_from("").map(|(_, action)| action.name);
            let meant = nearest(name, names).filter(|_| !has_wildcard(name));
            let meant = meant.map(|meant| format!("{prefix}:{meant}"));
            let asked = meant.as_ref().map(|meant| format!(" Did you mean {meant}?")).unwrap_or_default();
            (meant, asked)
        }
    };
    let message = Code::InvalidAction.message(&[entry.text, &asked]);
    report.say(Code::InvalidAction, message, vec![entry.item.place()], suggestion);
}

/// The actions of a service that a name in lower case takes; `None` where looking would take too long.
pub(super) fn matching<'s>(service: &'s Service, name: &str, report: &mut Report) -> Option<Vec<&'s Action>> {
    if !has_wildcard(name) {
        return Some(service.action(name).into_iter().collect());
    }
    let literal = name.split(['*', '?']).next().unwrap_or_default();
    let mut found = Vec::new();
    for (action, data) in service.actions_from(literal) {
        if !report.spend(name.len() + action.len()) {
            return None;
        }
        if covers(name, action) {
            found.push(data);
        }
    }
    Some(found)
}

/// Whether the policy of a resource of this type can be about the action.
fn belongs(entry: &Entry<'_>, kind: ResourceType, report: &mut Report) {
    let lower = entry.text.to_ascii_lowercase();
    let Some((prefix, name)) = lower.split_once(':') else { return };
    let supported = match kind {
        ResourceType::RoleTrust => TRUST_ACTIONS.iter().any(|action| covers(&lower, action)),
        _ if has_wildcard(prefix) => true,
        _ if prefix != kind.service() => services::service(prefix).is_none(),
        _ => {
            let Some(service) = services::service(prefix) else { return };
            let Some(found) = matching(service, name, report) else { return };
            found.is_empty() || found.iter().any(|action| service.is_for(action, kind.resource_names()))
        }
    };
    if !supported {
        let parts = [entry.text, kind.as_str()];
        report.find(Code::UnsupportedActionInPolicy, &parts, entry.item.place());
    }
}
