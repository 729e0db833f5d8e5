use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Key, Prefix, Record};

/// When a user or role last used a service: apart from both, since it changes all the time and decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLastUsed {
    /// The account of the user or role.
    pub account: AccountId,
    /// Its unique id.
    pub principal_id: String,
    /// The service's prefix in actions, as `s3`.
    pub service: String,
    /// When.
    pub time: Timestamp,
    /// In which region.
    pub region: String,
}

impl ServiceLastUsed {
    /// Where it stands.
    #[must_use]
    pub fn key_of(account: &AccountId, principal_id: &str, service: &str) -> Key {
        Key::new(&["last-used", account.as_str(), "service", principal_id, service])
    }

    /// Where all of an account stand.
    #[must_use]
    pub fn all_in(account: &AccountId) -> Prefix {
        Prefix::new(&["last-used", account.as_str(), "service"])
    }

    /// Where all of a user or role stand.
    #[must_use]
    pub fn all_of(account: &AccountId, principal_id: &str) -> Prefix {
        Prefix::new(&["last-used", account.as_str(), "service", principal_id])
    }
}

impl Record for ServiceLastUsed {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.principal_id, &self.service)
    }
}
