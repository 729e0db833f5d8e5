use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Counted, EntityKind, Index, Indexed, Policies, Reference, Tag, UniqueId};
use crate::{Key, Prefix, Record};

/// An IAM role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its account.
    pub account: AccountId,
    /// `/` or `/division/`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// `AROA…`.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// What it is for, in its owner's words.
    #[serde(default)]
    pub description: Option<String>,
    /// Who may assume it: the document as it was put, but principals of IAM as unique ids, so that a user or role of
    /// the same name that comes later is not the one that was meant.
    pub trust_policy: String,
    /// The longest that a session of it may last.
    pub max_session_seconds: i32,
    /// What it may do.
    #[serde(default)]
    pub policies: Policies,
    /// The ARN of the policy that bounds what it may do.
    #[serde(default)]
    pub permissions_boundary: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The names of the instance profiles that hold it.
    #[serde(default)]
    pub instance_profiles: Vec<String>,
}

impl Role {
    /// Where the role of that name stands.
    #[must_use]
    pub fn key_of(account: &AccountId, name: &str) -> Key {
        Key::new(&["iam", account.as_str(), "role", &name.to_lowercase()])
    }

    /// Where the account's roles stand.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "role"])
    }

    /// `arn:aws:iam::123456789012:role/division/name`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role{}{}", self.account, self.path, self.name)
    }

    /// `arn:aws:sts::123456789012:assumed-role/name/session`.
    #[must_use]
    pub fn session_arn(&self, session_name: &str) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{session_name}", self.account, self.name)
    }
}

impl Record for Role {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.name)
    }
}

impl Indexed for Role {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn index(&self) -> Index {
        let refer = |to| Reference {
            account: self.account.clone(),
            to,
            kind: EntityKind::Role,
            name: self.name.clone(),
            id: self.id.clone(),
            path: self.path.clone(),
        };
        Index {
            references: self.policies.targets(self.permissions_boundary.as_deref()).map(refer).collect(),
            unique_id: Some(UniqueId {
                id: self.id.clone(),
                account: self.account.clone(),
                kind: EntityKind::Role,
                name: self.name.clone(),
            }),
            counts: vec![(Counted::Roles, 1)],
        }
    }
}

/// When a role was last used: apart from the role, since it changes all the time and decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleLastUsed {
    /// The role's account.
    pub account: AccountId,
    /// The role's unique id.
    pub role_id: String,
    /// When.
    pub time: Timestamp,
    /// In which region.
    pub region: String,
}

impl RoleLastUsed {
    /// Where it stands.
    #[must_use]
    pub fn key_of(account: &AccountId, role_id: &str) -> Key {
        Key::new(&["last-used", account.as_str(), "role", role_id])
    }
}

impl Record for RoleLastUsed {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.role_id)
    }
}
