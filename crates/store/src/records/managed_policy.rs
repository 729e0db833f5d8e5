use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Counted, Index, Indexed, Tag};
use crate::{Key, Prefix, Record};

/// A customer managed policy, with its versions. (AWS's own are data of the program, not records.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedPolicy {
    /// Its account.
    pub account: AccountId,
    /// `/` or `/division/`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// `ANPA…`.
    pub id: String,
    /// What it is for, in its owner's words.
    #[serde(default)]
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When a version last came or went.
    pub updated: Timestamp,
    /// Its versions, oldest first: one to five.
    pub versions: Vec<PolicyVersion>,
    /// The number of the version that counts.
    pub default_version: u32,
    /// The number that the next version gets: numbers are never used again.
    pub next_version: u32,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// One version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyVersion {
    /// 3 for `v3`.
    pub number: u32,
    /// The document, as it was put.
    pub document: String,
    /// When it came.
    pub created: Timestamp,
}

impl ManagedPolicy {
    /// Where the policy of that name stands; two of the same name cannot be, whatever their paths.
    #[must_use]
    pub fn key_of(account: &AccountId, name: &str) -> Key {
        Key::new(&["iam", account.as_str(), "policy", &name.to_lowercase()])
    }

    /// Where the account's policies stand.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "policy"])
    }

    /// `arn:aws:iam::123456789012:policy/division/name`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:policy{}{}", self.account, self.path, self.name)
    }

    /// The version that counts.
    #[must_use]
    pub fn default_document(&self) -> Option<&PolicyVersion> {
        self.versions.iter().find(|v| v.number == self.default_version)
    }
}

impl Record for ManagedPolicy {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.name)
    }
}

impl Indexed for ManagedPolicy {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn index(&self) -> Index {
        let versions = i64::try_from(self.versions.len()).unwrap_or(i64::MAX);
        let counts = vec![(Counted::Policies, 1), (Counted::PolicyVersions, versions)];
        Index { counts, ..Index::default() }
    }
}
