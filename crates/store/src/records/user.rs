use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Counted, EntityKind, Index, Indexed, Policies, Reference, Tag, Target, UniqueId};
use crate::{Key, Prefix, Record};

/// An IAM user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its account.
    pub account: AccountId,
    /// `/` or `/division/`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// `AIDA…`.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// What it may do by itself.
    #[serde(default)]
    pub policies: Policies,
    /// The ARN of the policy that bounds what it may do.
    #[serde(default)]
    pub permissions_boundary: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The names of the groups that it is in.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The ids of its access keys.
    #[serde(default)]
    pub access_keys: Vec<String>,
}

impl User {
    /// Where the user of that name stands.
    #[must_use]
    pub fn key_of(account: &AccountId, name: &str) -> Key {
        Key::new(&["iam", account.as_str(), "user", &name.to_lowercase()])
    }

    /// Where the account's users stand.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "user"])
    }

    /// `arn:aws:iam::123456789012:user/division/name`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:user{}{}", self.account, self.path, self.name)
    }
}

impl Record for User {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.name)
    }
}

impl Indexed for User {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn index(&self) -> Index {
        let refer = |to| Reference {
            account: self.account.clone(),
            to,
            kind: EntityKind::User,
            name: self.name.clone(),
            id: self.id.clone(),
            path: self.path.clone(),
        };
        let policies = self.policies.targets(self.permissions_boundary.as_deref());
        let groups = self.groups.iter().map(|group| Target::Group(group.clone()));
        Index {
            references: policies.chain(groups).map(refer).collect(),
            unique_id: Some(UniqueId {
                id: self.id.clone(),
                account: self.account.clone(),
                kind: EntityKind::User,
                name: self.name.clone(),
            }),
            counts: vec![(Counted::Users, 1)],
        }
    }
}
