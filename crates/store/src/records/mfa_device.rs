use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Counted, Index, Indexed, Sealed, Tag};
use crate::{Key, Prefix, Record};

/// A virtual MFA device: a seed that an app of a user has too.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MfaDevice {
    /// Its account.
    pub account: AccountId,
    /// `/` or `/division/`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The seed of its codes.
    pub seed: Sealed,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Whose it is; nobody's until it is enabled.
    #[serde(default)]
    pub user: Option<MfaUser>,
}

/// Whose device it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MfaUser {
    /// The user's unique id.
    pub id: String,
    /// When it was enabled for the user.
    pub enabled: Timestamp,
}

impl MfaDevice {
    /// Where the device of a serial number stands; `None` if it is no serial number of a device of this account.
    #[must_use]
    pub fn key_of_serial(account: &AccountId, serial: &str) -> Option<Key> {
        let place =
            serial.strip_prefix("arn:aws:iam::")?.strip_prefix(account.as_str())?.strip_prefix(":mfa")?;
        place.starts_with('/').then(|| Self::key_of(account, place))
    }

    /// Where the device of that path and name stands, both in one: `/division/name`.
    #[must_use]
    pub fn key_of(account: &AccountId, place: &str) -> Key {
        Key::new(&["iam", account.as_str(), "mfa-device", &place.to_lowercase()])
    }

    /// Where the account's devices stand.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "mfa-device"])
    }

    /// Its serial number: `arn:aws:iam::123456789012:mfa/division/name`.
    #[must_use]
    pub fn serial(&self) -> String {
        format!("arn:aws:iam::{}:mfa{}{}", self.account, self.path, self.name)
    }

    /// What the seed is sealed with, so that it opens in its own record only.
    #[must_use]
    pub fn seal_context(serial: &str) -> String {
        format!("mfa device {serial}")
    }
}

impl Record for MfaDevice {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &format!("{}{}", self.path, self.name))
    }
}

impl Indexed for MfaDevice {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn index(&self) -> Index {
        let mut counts = vec![(Counted::MfaDevices, 1)];
        if self.user.is_some() {
            counts.push((Counted::MfaDevicesInUse, 1));
        }
        Index { references: vec![], unique_id: None, counts }
    }
}

/// That a device is a user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MfaAssignment {
    /// The account of both.
    pub account: AccountId,
    /// The user's unique id.
    pub user_id: String,
    /// The device's serial number.
    pub serial: String,
    /// When it was enabled for the user.
    pub enabled: Timestamp,
}

impl MfaAssignment {
    /// Where it stands.
    #[must_use]
    pub fn key_of(account: &AccountId, user_id: &str, serial: &str) -> Key {
        Key::new(&["iam", account.as_str(), "mfa-of", user_id, serial])
    }

    /// Where those of a user stand.
    #[must_use]
    pub fn all_of(account: &AccountId, user_id: &str) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "mfa-of", user_id])
    }
}

impl Record for MfaAssignment {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.user_id, &self.serial)
    }
}

/// How far a device has come: no code is taken twice, and a clock that goes wrong is followed. Apart from the device,
/// since it changes with every code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MfaProgress {
    /// The device's serial number.
    pub serial: String,
    /// The step of the last code that was taken, counted by the device's clock in 30 seconds since 1970.
    pub step: i64,
    /// How many steps the device's clock is ahead of ours.
    pub drift: i64,
}

impl MfaProgress {
    /// Where it stands.
    #[must_use]
    pub fn key_of(serial: &str) -> Key {
        Key::new(&["mfa-progress", serial])
    }
}

impl Record for MfaProgress {
    fn key(&self) -> Key {
        Self::key_of(&self.serial)
    }
}
