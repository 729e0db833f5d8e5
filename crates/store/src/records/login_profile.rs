use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Sealed;
use crate::{Key, Record};

/// The password of a user, for the console.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginProfile {
    /// The account of the user.
    pub account: AccountId,
    /// The user's unique id.
    pub user_id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The password's argon2id hash in PHC form, sealed.
    pub password: Sealed,
    /// When the password was last set.
    pub changed: Timestamp,
    /// Whether the next sign-in has to set another.
    #[serde(default)]
    pub reset_required: bool,
    /// The hashes of the passwords before it, the latest first: as many as a policy can forbid to use again.
    #[serde(default)]
    pub earlier: Vec<Sealed>,
}

impl LoginProfile {
    /// Where the login profile of a user stands.
    #[must_use]
    pub fn key_of(account: &AccountId, user_id: &str) -> Key {
        Key::new(&["iam", account.as_str(), "login-profile", user_id])
    }

    /// What hashes are sealed with, so that they open in their own record only.
    #[must_use]
    pub fn seal_context(account: &AccountId, user_id: &str) -> String {
        format!("login profile {account} {user_id}")
    }
}

impl Record for LoginProfile {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.user_id)
    }
}

/// What passwords of an account's users must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, as the API has it")]
pub struct PasswordPolicy {
    /// The account.
    pub account: AccountId,
    /// How many characters a password has at least.
    pub minimum_length: u32,
    /// Whether it needs a sign that is neither letter nor digit.
    pub require_symbols: bool,
    /// Whether it needs a digit.
    pub require_numbers: bool,
    /// Whether it needs a capital letter.
    pub require_uppercase: bool,
    /// Whether it needs a small letter.
    pub require_lowercase: bool,
    /// Whether users may change their own without a policy that says so.
    pub users_may_change: bool,
    /// After how many days it ends.
    #[serde(default)]
    pub max_age_days: Option<u32>,
    /// How many earlier passwords cannot be used again.
    #[serde(default)]
    pub reuse_prevention: Option<u32>,
    /// Whether only an administrator can set one that ended.
    #[serde(default)]
    pub hard_expiry: Option<bool>,
}

impl PasswordPolicy {
    /// Where the policy of an account stands.
    #[must_use]
    pub fn key_of(account: &AccountId) -> Key {
        Key::new(&["iam", account.as_str(), "password-policy"])
    }
}

impl Record for PasswordPolicy {
    fn key(&self) -> Key {
        Self::key_of(&self.account)
    }
}
