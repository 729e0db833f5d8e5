use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Counted, EntityKind, Index, Indexed, Policies, Reference};
use crate::{Key, Prefix, Record};

/// An IAM group. Its members are the users that refer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its account.
    pub account: AccountId,
    /// `/` or `/division/`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// `AGPA…`.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// What its members may do.
    #[serde(default)]
    pub policies: Policies,
}

impl Group {
    /// Where the group of that name stands.
    #[must_use]
    pub fn key_of(account: &AccountId, name: &str) -> Key {
        Key::new(&["iam", account.as_str(), "group", &name.to_lowercase()])
    }

    /// Where the account's groups stand.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "group"])
    }

    /// `arn:aws:iam::123456789012:group/division/name`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:group{}{}", self.account, self.path, self.name)
    }
}

impl Record for Group {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.name)
    }
}

impl Indexed for Group {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn index(&self) -> Index {
        let refer = |to| Reference {
            account: self.account.clone(),
            to,
            kind: EntityKind::Group,
            name: self.name.clone(),
            id: self.id.clone(),
            path: self.path.clone(),
        };
        Index {
            references: self.policies.targets(None).map(refer).collect(),
            unique_id: None,
            counts: vec![(Counted::Groups, 1)],
        }
    }
}
