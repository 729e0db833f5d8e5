use daypass_model::AccountId;
use serde::{Deserialize, Serialize};

use crate::{Key, Prefix, Record};

/// That one entity refers to another: what `ListEntitiesForPolicy` and `GetGroup` list, and what stands in the way of a
/// deletion, found without looking at every entity of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The account of both.
    pub account: AccountId,
    /// To what.
    pub to: Target,
    /// What refers to it.
    pub kind: EntityKind,
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub id: String,
    /// Its path.
    pub path: String,
}

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// The policy of this ARN, attached as permissions.
    Attached(String),
    /// The policy of this ARN, set as the permissions boundary.
    Boundary(String),
    /// The group of this name, of which it is a member.
    Group(String),
}

/// What can refer to another entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntityKind {
    /// A group.
    Group,
    /// A role.
    Role,
    /// A user.
    User,
}

impl EntityKind {
    /// As keys and ARNs have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Role => "role",
            Self::User => "user",
        }
    }
}

impl Target {
    /// What stands in keys: the relation, and to what.
    pub(super) fn parts(&self) -> (&'static str, String) {
        match self {
            Self::Attached(arn) => ("attached", arn.clone()),
            Self::Boundary(arn) => ("boundary", arn.clone()),
            Self::Group(name) => ("member", name.to_lowercase()),
        }
    }
}

impl Reference {
    /// Where the reference of the entity of that name stands.
    #[must_use]
    pub fn key_of(account: &AccountId, to: &Target, kind: EntityKind, name: &str) -> Key {
        let (relation, to) = to.parts();
        Key::new(&["iam", account.as_str(), relation, &to, kind.as_str(), &name.to_lowercase()])
    }

    /// Where all references to the target stand.
    #[must_use]
    pub fn all(account: &AccountId, to: &Target) -> Prefix {
        let (relation, to) = to.parts();
        Prefix::new(&["iam", account.as_str(), relation, &to])
    }

    /// Where the references of one kind of entity stand.
    #[must_use]
    pub fn all_of(account: &AccountId, to: &Target, kind: EntityKind) -> Prefix {
        let (relation, to) = to.parts();
        Prefix::new(&["iam", account.as_str(), relation, &to, kind.as_str()])
    }
}

impl Record for Reference {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.to, self.kind, &self.name)
    }
}
