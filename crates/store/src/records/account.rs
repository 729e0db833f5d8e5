use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Key, Prefix, Record};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// When it was made.
    pub created: Timestamp,
    /// Its alias, as the console's sign-in address has it.
    #[serde(default)]
    pub alias: Option<String>,
    /// 64 hexadecimal digits that name the account as an owner in S3.
    pub canonical_user_id: String,
    /// Its name, where it was given one.
    #[serde(default)]
    pub name: Option<String>,
    /// The address of its root user, where it was given one.
    #[serde(default)]
    pub email: Option<String>,
}

impl Account {
    /// Where the account stands.
    #[must_use]
    pub fn key_of(id: &AccountId) -> Key {
        Key::new(&["account", id.as_str()])
    }

    /// The address of its root user; of an account that was given none, one that leads nowhere.
    #[must_use]
    pub fn email(&self) -> String {
        self.email.clone().unwrap_or_else(|| format!("root@{}.daypass.internal", self.id))
    }

    /// Where all accounts stand.
    #[must_use]
    pub fn all() -> Prefix {
        Prefix::new(&["account"])
    }
}

impl Record for Account {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

/// Whose alias it is: no two accounts have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountAlias {
    /// The alias.
    pub alias: String,
    /// The account.
    pub account: AccountId,
}

impl AccountAlias {
    /// Where the owner of an alias stands.
    #[must_use]
    pub fn key_of(alias: &str) -> Key {
        Key::new(&["account-alias", alias])
    }
}

impl Record for AccountAlias {
    fn key(&self) -> Key {
        Self::key_of(&self.alias)
    }
}
