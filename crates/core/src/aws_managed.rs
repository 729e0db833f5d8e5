//! AWS's own managed policies: data of the program, the same in every account.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, LazyLock, OnceLock};

use daypass_model::Timestamp;
use daypass_policy::{Document, DocumentKind, Policy, PolicySource};
use serde::Deserialize;

static DATA: &str = include_str!("../data/aws-managed-policies.jsonl");

/// The lines of the data by the ARNs of their policies; each line is read when somebody asks for it.
static INDEX: LazyLock<BTreeMap<String, Entry>> = LazyLock::new(|| {
    DATA.lines()
        .filter_map(|line| {
            let head: Head<'_> = serde_json::from_str(line).ok()?;
            let arn = format!("arn:aws:iam::aws:policy{}{}", head.path, head.name);
            Some((arn, Entry { line, policy: OnceLock::new() }))
        })
        .collect()
});

struct Entry {
    line: &'static str,
    policy: OnceLock<Option<AwsManagedPolicy>>,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    name: &'a str,
    path: &'a str,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    path: String,
    version: String,
    created: String,
    updated: String,
    document: String,
}

/// One of AWS's own managed policies.
pub struct AwsManagedPolicy {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its path, as `/service-role/`.
    pub path: String,
    /// Its default version, as `v3`; AWS keeps older ones, the catalogue does not.
    pub version: String,
    /// When AWS made it.
    pub created: Timestamp,
    /// When AWS last changed it.
    pub updated: Timestamp,
    /// Its document.
    pub document: String,
    compiled: OnceLock<Arc<Policy>>,
}

impl AwsManagedPolicy {
    /// The policy of that ARN.
    #[must_use]
    pub fn find(arn: &str) -> Option<&'static Self> {
        INDEX.get(arn)?.read()
    }

    /// All of them, sorted by ARN.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        INDEX.values().filter_map(Entry::read)
    }

    /// Those that come after an ARN, sorted by ARN: a page of the list costs no more than what is on it.
    pub fn after(arn: Option<&str>) -> impl Iterator<Item = &'static Self> + use<> {
        let start = arn.map_or(Bound::Unbounded, |arn| Bound::Excluded(arn.to_owned()));
        INDEX.range::<String, _>((start, Bound::Unbounded)).filter_map(|(_, entry)| entry.read())
    }

    /// Its unique id. AWS's own are not in the catalogue: this one follows from the name, so that it is always the same.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.arn.as_bytes());
        let letters = digest.as_ref().iter().take(17).map(|b| char::from(b'A' + b % 26));
        "ANPA".chars().chain(letters).collect()
    }

    pub(crate) fn compiled(&self) -> Arc<Policy> {
        let compile =
            || Policy::compile(source(&self.arn), Document::load(DocumentKind::Managed, &self.document));
        Arc::clone(self.compiled.get_or_init(compile))
    }
}

/// What a policy of that ARN is called in explanations.
pub(crate) fn source(arn: &str) -> PolicySource {
    arn.parse().map_or_else(|_| PolicySource::named(arn), PolicySource::Arn)
}

impl Entry {
    fn read(&'static self) -> Option<&'static AwsManagedPolicy> {
        self.policy
            .get_or_init(|| {
                let line: Line = serde_json::from_str(self.line).ok()?;
                Some(AwsManagedPolicy {
                    arn: format!("arn:aws:iam::aws:policy{}{}", line.path, line.name),
                    name: line.name,
                    path: line.path,
                    version: line.version,
                    created: Timestamp::parse_iso8601(&line.created).ok()?,
                    updated: Timestamp::parse_iso8601(&line.updated).ok()?,
                    document: line.document,
                    compiled: OnceLock::new(),
                })
            })
            .as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_policy_that_iam_would_take() {
        assert_eq!(AwsManagedPolicy::all().count(), DATA.lines().count());
        for policy in AwsManagedPolicy::all() {
            // The policies for root tasks name the root user, which IAM's message to customers does not list.
            let text = policy.document.replace("arn:aws:iam::*:root", "*");
            Document::parse(DocumentKind::Managed, &text).unwrap_or_else(|e| panic!("{}: {e}", policy.arn));
        }
    }

    #[test]
    fn a_list_goes_on_after_any_arn() {
        let all: Vec<&str> = AwsManagedPolicy::all().map(|p| p.arn.as_str()).collect();
        assert!(all.is_sorted());
        let rest = |arn| AwsManagedPolicy::after(arn).map(|p| p.arn.as_str()).collect::<Vec<_>>();
        assert_eq!(rest(None), all);
        assert_eq!(rest(Some(all[6])), all[7..]);
        assert_eq!(rest(all.last().copied()), [""; 0]);
    }

    #[test]
    fn policies_are_found_by_their_arns() {
        let found =
            AwsManagedPolicy::find("arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforSSM").unwrap();
        assert_eq!((found.name.as_str(), found.path.as_str()), ("AmazonEC2RoleforSSM", "/service-role/"));
        assert!(AwsManagedPolicy::find("arn:aws:iam::aws:policy/Nothing").is_none());
    }
}
