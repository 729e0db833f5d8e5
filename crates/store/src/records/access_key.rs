use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Sealed;
use crate::{Key, Record};

/// A long-term access key of a user. (Temporary keys are not kept: their sessions are sealed into their tokens.)
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// `AKIA…`, unique everywhere.
    pub id: String,
    /// The account of the user.
    pub account: AccountId,
    /// Whose key it is.
    pub user_name: String,
    /// The unique id of the user: a user of the same name that comes later is another.
    pub user_id: String,
    /// The secret access key.
    pub secret: Sealed,
    /// Whether it may be used.
    pub status: AccessKeyStatus,
    /// When it was made.
    pub created: Timestamp,
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessKeyStatus {
    /// It may.
    Active,
    /// It may not, until it is made active again.
    Inactive,
}

impl AccessKey {
    /// Where the key stands.
    #[must_use]
    pub fn key_of(id: &str) -> Key {
        Key::new(&["access-key", id])
    }

    /// What the secret is sealed with, so that it opens in its own record only.
    #[must_use]
    pub fn seal_context(id: &str) -> String {
        format!("access key {id}")
    }
}

impl Record for AccessKey {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

/// When an access key was last used: apart from the key, since it changes all the time and decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKeyLastUsed {
    /// The key.
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// For which service, as `s3`.
    pub service: String,
    /// In which region.
    pub region: String,
}

impl AccessKeyLastUsed {
    /// Where it stands.
    #[must_use]
    pub fn key_of(id: &str) -> Key {
        Key::new(&["last-used-access-key", id])
    }
}

impl Record for AccessKeyLastUsed {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}
