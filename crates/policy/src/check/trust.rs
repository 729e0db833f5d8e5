//! Statements about who may assume a role: trust policies, also those that come as a resource's policy of no type.

use std::collections::HashSet;

use super::code::Code;
use super::finding::Report;
use super::glob::{covers, has_wildcard};
use super::view::{Entry, Statement};
use super::{PolicyType, ResourceType};

const GITHUB: &str = "token.actions.githubusercontent.com";

/// Whether a statement is about assuming roles: all its actions are STS's.
pub(super) fn is_about_roles(statement: &Statement<'_>) -> bool {
    let actions = statement.plain_actions();
    let of_sts =
        |entry: &Entry<'_>| entry.text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sts:"));
    !actions.is_empty() && actions.iter().all(of_sts)
}

pub(super) fn check(statement: &Statement<'_>, policy: PolicyType, report: &mut Report) {
    let PolicyType::Resource(kind) = policy else { return };
    if kind == Some(ResourceType::RoleTrust) {
        if let Some(clause) = &statement.resource {
            report.find(Code::RoleTrustPolicySyntaxErrorResource, &[], clause.key_place.clone());
        }
    } else if kind.is_some() || !is_about_roles(statement) {
        return;
    }
    let Some(principal) = statement.principal.as_ref().filter(|clause| !clause.inverted) else { return };
    let federated: Vec<&Entry<'_>> =
        principal.entries.iter().filter(|(key, _)| *key == "Federated").map(|(_, entry)| entry).collect();
    for entry in &federated {
        if !is_provider(entry.text) && !has_wildcard(entry.text) {
            let code = Code::InvalidFederatedPrincipalSyntaxInRoleTrustPolicy;
            report.find(code, &[], entry.item.place());
        }
    }
    actions_for_principals(statement, report);
    sessions_of_roles(statement, report);
    if statement.allows() {
        actions_for_keys(statement, report);
        roles_anywhere(statement, report);
        web_identities(statement, &federated, report);
    }
}

/// A SAML provider's ARN.
fn is_saml(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "iam", _, _, resource] if resource.starts_with("saml-provider/"))
}

/// The address of an OpenID Connect provider, from its ARN or as it is.
fn oidc_address(text: &str) -> Option<&str> {
    match text.split_once(":oidc-provider/") {
        Some((start, address)) => start.starts_with("arn:").then_some(address),
        None => is_domain(text.split('/').next().unwrap_or_default()).then_some(text),
    }
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.contains('.') && text.split('.').all(label)
}

fn is_provider(text: &str) -> bool {
    is_saml(text) || oidc_address(text).is_some()
}

/// Each AssumeRole action is for its own kind of principal.
fn actions_for_principals(statement: &Statement<'_>, report: &mut Report) {
    let Some(principal) = &statement.principal else { return };
    for action in statement.plain_actions() {
        let fits: fn(&str, &str) -> bool = match action.text.to_ascii_lowercase().as_str() {
            "sts:assumerole" => |key, _| key != "Federated",
            "sts:assumerolewithsaml" => |key, text| key == "Federated" && is_saml(text),
            "sts:assumerolewithwebidentity" => |key, text| key == "Federated" && !is_saml(text),
            _ => continue,
        };
        let wrong: Vec<_> = principal.entries.iter().filter(|(key, entry)| !fits(key, entry.text)).collect();
        if !wrong.is_empty() {
            let names = wrong.iter().map(|(_, entry)| entry.text).collect::<Vec<_>>().join(", ");
            let mut places = vec![action.item.place()];
            places.extend(wrong.iter().map(|(_, entry)| entry.item.place()));
            report.find_at(Code::MismatchedActionForPrincipal, &[action.text, &names], places);
        }
    }
}

/// A session beside its role names nobody more.
fn sessions_of_roles(statement: &Statement<'_>, report: &mut Report) {
    let Some(principal) = &statement.principal else { return };
    let names = || principal.entries.iter().filter(|(key, _)| *key == "AWS").map(|(_, entry)| entry);
    // The session's ARN lacks the role's path.
    let role = |text: &str| {
        let (start, rest) = text.split_once(":role/")?;
        Some(format!("{}/{}", start.split(':').nth(4)?, rest.rsplit('/').next()?))
    };
    let roles: Vec<(String, &str)> =
        names().filter_map(|entry| Some((role(entry.text)?, entry.text))).collect();
    let known: HashSet<&str> = roles.iter().map(|(role, _)| role.as_str()).collect();
    for entry in names() {
        let Some((start, session)) = entry.text.split_once(":assumed-role/") else { continue };
        let account = start.split(':').nth(4).unwrap_or_default();
        let own = format!("{account}/{}", session.split('/').next().unwrap_or_default());
        if known.contains(own.as_str()) {
            let parent = roles.iter().find(|(role, _)| *role == own).map_or("", |(_, arn)| arn);
            let parts = [entry.text, parent];
            report.find(Code::RedundantPrincipalInRoleTrustPolicy, &parts, entry.item.place());
        }
    }
}

fn permits(statement: &Statement<'_>, action: &str) -> bool {
    let Some(clause) = &statement.action else { return false };
    clause.entries.iter().any(|entry| covers(&entry.text.to_ascii_lowercase(), action)) != clause.inverted
}

/// What a key is about must be permitted before it can be set (`id_session-tags`, `id_credentials_temp_control-access_monitor`).
fn actions_for_keys(statement: &Statement<'_>, report: &mut Report) {
    for condition in &statement.conditions {
        let action = if condition.is("sts:SourceIdentity") {
            "sts:SetSourceIdentity"
        } else if condition.is("sts:TransitiveTagKeys")
            || condition.is("aws:TagKeys")
            || condition.is_under("aws:RequestTag/")
        {
            "sts:TagSession"
        } else {
            continue;
        };
        if !permits(statement, &action.to_ascii_lowercase()) {
            let parts = [action, condition.key, action];
            report.find(Code::MissingActionForConditionKey, &parts, condition.key_place.clone());
        }
    }
}

fn roles_anywhere(statement: &Statement<'_>, report: &mut Report) {
    let Some(principal) = &statement.principal else { return };
    let named = principal.entries.iter().find(|(_, entry)| entry.text == "rolesanywhere.amazonaws.com");
    let needed = ["sts:assumerole", "sts:setsourceidentity", "sts:tagsession"];
    if let Some((_, entry)) = named
        && !needed.iter().all(|action| permits(statement, action))
    {
        report.find(Code::MissingActionForRolesAnywhereTrustPolicy, &[], entry.item.place());
    }
}

fn web_identities(statement: &Statement<'_>, federated: &[&Entry<'_>], report: &mut Report) {
    for entry in federated.iter().filter(|entry| !is_saml(entry.text)) {
        let Some(address) = oidc_address(entry.text) else { continue };
        if !statement.conditions.iter().any(|condition| condition.is_under(&format!("{address}:"))) {
            report.find(Code::MissingConditionKeyForOidcPrincipal, &[], entry.item.place());
        }
        let sub = format!("{address}:sub");
        let is_github = address == GITHUB || address.starts_with(&format!("{GITHUB}/"));
        if is_github && !statement.has_key(&sub) {
            report.find(Code::MissingGithubRepoConditionKey, &[], entry.item.place());
        }
        if is_github {
            github_subjects(statement, &sub, statement.has_key(&format!("{address}:ref")), report);
        }
    }
}

/// `repo:OWNER/REPOSITORY:ref:refs/heads/BRANCH`: the repository without wildcards, and the branch here or under its own key.
fn github_subjects(statement: &Statement<'_>, key: &str, names_branch: bool, report: &mut Report) {
    for condition in statement.conditions.iter().filter(|condition| condition.is(key)) {
        let like = condition.operator.is_some_and(|operator| operator.comparison.name().ends_with("Like"));
        for (text, item) in condition.entries.iter().filter(|(text, _)| like && has_wildcard(text)) {
            let repository = text.strip_prefix("repo:").and_then(|rest| rest.split_once(':'));
            let exact = repository.is_some_and(|(name, _)| name.contains('/') && !has_wildcard(name));
            if !(exact && names_branch) {
                report.find(Code::SpecificGithubRepoAndBranchRecommended, &[], item.place());
            }
        }
    }
}
