use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Counted, Index, Indexed, Tag};
use crate::{Key, Prefix, Record};

/// An instance profile: what puts a role on instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceProfile {
    /// Its account.
    pub account: AccountId,
    /// `/` or `/division/`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// `AIPA…`.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The name of the role in it: one at most.
    #[serde(default)]
    pub role: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

impl InstanceProfile {
    /// Where the profile of that name stands.
    #[must_use]
    pub fn key_of(account: &AccountId, name: &str) -> Key {
        Key::new(&["iam", account.as_str(), "instance-profile", &name.to_lowercase()])
    }

    /// Where the account's profiles stand.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "instance-profile"])
    }

    /// `arn:aws:iam::123456789012:instance-profile/division/name`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:instance-profile{}{}", self.account, self.path, self.name)
    }
}

impl Record for InstanceProfile {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.name)
    }
}

impl Indexed for InstanceProfile {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn index(&self) -> Index {
        Index { counts: vec![(Counted::InstanceProfiles, 1)], ..Index::default() }
    }
}
