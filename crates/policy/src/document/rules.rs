//! What a document must, may and must not say, by its kind: the rules beyond the grammar.

use super::bucket;
use super::kind::{DocumentKind, Version};
use super::malformed::{Malformed, MalformedDocument};
use super::statement::{Effect, PrincipalName, Statement};
use super::{Clause, Document};
use crate::arn::ArnParts;
use crate::pattern::{Fit, Glob, Syntax};
use crate::span::{Located, Span};
use crate::value::storable_date;
use std::collections::HashSet;

/// The partitions that exist.
const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// What the last part of an IAM resource may begin with, in the order in which IAM's message lists them.
pub(super) const IAM_RESOURCE_TYPES: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// What the last part of an S3 resource begins with where the ARN has a region.
const S3_REGIONAL_TYPES: [&str; 6] =
    ["accesspoint/", "access-grants/", "async-request/", "job/", "storage-lens/", "storage-lens-group/"];

/// The actions that a trust policy can be about (service authorization reference of STS).
const TRUST_ACTIONS: [&str; 12] = [
    "assumerole",
    "assumerolewithsaml",
    "assumerolewithwebidentity",
    "setcontext",
    "setsourceidentity",
    "tagsession",
    "decodeauthorizationmessage",
    "getaccesskeyinfo",
    "getcalleridentity",
    "getfederationtoken",
    "getservicebearertoken",
    "getsessiontoken",
];

/// Notes what is wrong with a document beyond its grammar.
pub(super) fn check(document: &Document, problems: &mut Vec<MalformedDocument>) {
    let mut checker = Checker { kind: document.kind, problems };
    if document.doubt.is_some() && document.statements.iter().all(|statement| statement.doubt.is_some()) {
        return;
    }
    checker.version(document);
    checker.sids(document);
    for statement in &document.statements {
        checker.principal(statement);
        checker.action(statement);
        checker.resource(statement);
        checker.conditions(statement);
        if checker.kind == DocumentKind::ResourceControl && statement.effect.value == Effect::Allow {
            checker.note(Malformed::OnlyDeny, statement.effect.span);
        }
    }
}

struct Checker<'p> {
    kind: DocumentKind,
    problems: &'p mut Vec<MalformedDocument>,
}

impl Checker<'_> {
    fn note(&mut self, reason: Malformed, span: Span) {
        self.problems.push(MalformedDocument::new(self.kind, reason, span));
    }

    /// Managed policies and those of organizations are only taken with the version of 2012 (recorded in moto's cases; RCP
    /// syntax page); inline and resource policies with any.
    fn version(&mut self, document: &Document) {
        let needs_2012 = self.kind == DocumentKind::Managed || self.kind.is_of_organization();
        if needs_2012 && document.effective_version() == Version::V2008 {
            let span = document.version.as_ref().map_or(Span::START, |version| version.span);
            self.note(Malformed::OldVersion, span);
        }
    }

    fn sids(&mut self, document: &Document) {
        let mut seen = HashSet::new();
        for sid in document.statements.iter().filter_map(|statement| statement.sid.as_ref()) {
            if self.kind.is_read_by_iam() && !sid.value.bytes().all(|b| b.is_ascii_alphanumeric()) {
                self.note(Malformed::SidCharacters(sid.value.clone()), sid.span);
            }
            if !sid.value.is_empty() && !seen.insert(&sid.value) {
                self.note(Malformed::DuplicateSid(sid.value.clone()), sid.span);
            }
        }
    }

    fn principal(&mut self, statement: &Statement) {
        let Some(clause) = &statement.principal else {
            if self.kind.has_principals() {
                self.note(Malformed::MissingPrincipal, statement.span);
            }
            return;
        };
        let name = if clause.inverted { "NotPrincipal" } else { "Principal" };
        let without_not = matches!(self.kind, DocumentKind::Trust | DocumentKind::ResourceControl);
        if !self.kind.has_principals() || (clause.inverted && without_not) {
            self.note(Malformed::Prohibited(name), clause.span);
            return;
        }
        if clause.entries.is_empty() {
            self.note(Malformed::EmptyPrincipal, clause.span);
        }
        for entry in &clause.entries {
            if let Some(reason) = invalid_principal(self.kind, &entry.value) {
                self.note(reason, entry.span);
            }
        }
    }

    fn action(&mut self, statement: &Statement) {
        let entries = entries(&statement.action);
        if entries.is_empty() && statement.doubt.is_none() {
            self.note(Malformed::MissingAction, statement.span);
        }
        if self.kind == DocumentKind::ResourceControl
            && let Some(clause) = statement.action.as_ref().filter(|clause| clause.inverted)
        {
            self.note(Malformed::Prohibited("NotAction"), clause.span);
        }
        for entry in entries {
            if let Some(reason) = invalid_action(self.kind, &entry.value) {
                self.note(reason, entry.span);
            }
        }
    }

    fn resource(&mut self, statement: &Statement) {
        let entries = entries(&statement.resource);
        if self.kind == DocumentKind::Trust {
            if let Some(clause) = &statement.resource {
                self.note(
                    Malformed::Prohibited(if clause.inverted { "NotResource" } else { "Resource" }),
                    clause.span,
                );
            }
            return;
        }
        let optional = self.kind.resource_is_optional() && statement.resource.is_none();
        if entries.is_empty() && !optional && statement.doubt.is_none() {
            self.note(Malformed::MissingResource, statement.span);
        }
        for entry in entries {
            let invalid = match self.kind {
                DocumentKind::Bucket => bucket::invalid_resource(&entry.value),
                _ => invalid_resource(self.kind, &entry.value),
            };
            if let Some(reason) = invalid {
                self.note(reason, entry.span);
            }
        }
    }

    fn conditions(&mut self, statement: &Statement) {
        for condition in &statement.conditions {
            let is_date = condition.operator.value.1.is_some_and(|operator| operator.comparison.is_date());
            for value in condition.values.iter().filter(|value| is_date && !storable_date(&value.value)) {
                self.note(Malformed::InvalidDate(value.value.clone()), value.span);
            }
        }
    }
}

fn entries(clause: &Option<Clause<Box<str>>>) -> &[Located<Box<str>>] {
    clause.as_ref().map_or(&[], |clause| &clause.entries)
}

/// Whether a principal can be one. Whether it exists is for those who know the accounts to say.
fn invalid_principal(kind: DocumentKind, name: &PrincipalName) -> Option<Malformed> {
    let invalid = |kind: &str, text: &str| Some(Malformed::InvalidPrincipal(kind.into(), text.into()));
    match name {
        _ if kind == DocumentKind::ResourceControl && *name != PrincipalName::Everyone => invalid("AWS", "*"),
        PrincipalName::Everyone => None,
        PrincipalName::Aws(text) => {
            let account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
            let unique_id =
                text.len() >= 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            let arn = ArnParts::split(text).is_some_and(|arn| {
                matches!(arn.service(), "iam" | "sts")
                    && !text.contains(['*', '?'])
                    && !arn.resource.is_empty()
            });
            if account || unique_id || arn { None } else { invalid("AWS", text) }
        }
        PrincipalName::Service(text) if text.is_empty() || text.contains(['*', '?']) => {
            invalid("Service", text)
        }
        PrincipalName::Federated(text) if text.is_empty() || text.contains(['*', '?']) => {
            invalid("Federated", text)
        }
        PrincipalName::CanonicalUser(text) if kind == DocumentKind::Trust || text.is_empty() => {
            invalid("CanonicalUser", text)
        }
        PrincipalName::Unknown(type_name, text) => invalid(type_name, text),
        _ => None,
    }
}

fn invalid_action(kind: DocumentKind, text: &str) -> Option<Malformed> {
    let service = match text.split(':').collect::<Vec<_>>().as_slice() {
        ["*"] if kind == DocumentKind::Trust => return Some(Malformed::TrustAction(text.into())),
        ["*"] => return None,
        [_] => return Some(Malformed::ActionWithoutService(text.into())),
        // Taken for `*` (recorded in moto's rules).
        ["*", "*"] if kind != DocumentKind::Trust => return None,
        [service, _] => *service,
        _ => return Some(Malformed::ActionWithTwoColons(text.into())),
    };
    if service.is_empty() || !service.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')) {
        return Some(Malformed::ActionService(service.into()));
    }
    match kind {
        DocumentKind::Trust if !is_trust_action(text) => Some(Malformed::TrustAction(text.into())),
        DocumentKind::Bucket if !bucket::is_bucket_action(service) => {
            Some(Malformed::BucketAction(text.into()))
        }
        _ => None,
    }
}

fn is_trust_action(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let Some(name) = lower.strip_prefix("sts:") else { return false };
    let no_variables = crate::Context::new();
    Glob::new(name, Syntax { wildcards: true, variables: false })
        .is_ok_and(|name| TRUST_ACTIONS.iter().any(|action| name.fit(action, &no_variables) == Fit::Yes))
}

/// The form of a resource, as IAM checks it when a policy is stored (moto's recorded cases). What stands before the
/// first colon is not looked at, and an ARN may lack its last parts as long as none before is empty: so `arn:aws:sqs:*`
/// is taken. Organizations takes whole ARNs only.
fn invalid_resource(kind: DocumentKind, text: &str) -> Option<Malformed> {
    if text == "*" {
        return None;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let part = |index: usize| parts.get(index).copied();
    let Some(partition) = part(1) else { return Some(Malformed::ResourceNotArn(text.into())) };
    if !PARTITIONS.contains(&partition) && !partition.contains(['*', '?']) {
        return Some(Malformed::ResourcePartition(partition.into(), completed(&parts).into()));
    }
    let Some(service) = part(2) else { return Some(Malformed::ResourceService(text.into())) };
    let lacks_parts = parts.len() < 6 && (text.contains("::") || kind.is_of_organization());
    if service.is_empty() || lacks_parts {
        return Some(Malformed::ResourceParts(text.into()));
    }
    if service.contains(['*', '?']) {
        return Some(Malformed::ResourceService(text.into()));
    }
    let (region, resource) = (part(3).unwrap_or("*"), part(5).unwrap_or_default());
    match service {
        "iam" if !region.is_empty() => Some(Malformed::ResourceRegion(text.into(), "iam")),
        // The root user is a resource of `sts:AssumeRoot` (service authorization reference of STS), and AWS's own policies for
        // its tasks name it, though IAM's message does not.
        "iam" if resource == "root" => None,
        "iam" if !(resource == "*" || IAM_RESOURCE_TYPES.iter().any(|start| resource.starts_with(start))) => {
            Some(Malformed::ResourcePath(text.into()))
        }
        "s3" if !region.is_empty() && !S3_REGIONAL_TYPES.iter().any(|start| resource.starts_with(start)) => {
            Some(Malformed::ResourceRegion(text.into(), "s3"))
        }
        _ => None,
    }
}

/// The ARN as IAM's message completes it: `arn`, whatever stood there, and `*` for what lacks.
fn completed(parts: &[&str]) -> String {
    let rest = (1..6).map(|index| match parts.get(index) {
        // An empty third part at the end counts as lacking.
        Some(&"") if index == 2 && parts.len() == 3 => "*",
        Some(part) => part,
        None => "*",
    });
    format!("arn:{}", rest.collect::<Vec<_>>().join(":"))
}
