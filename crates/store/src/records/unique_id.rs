use daypass_model::AccountId;
use serde::{Deserialize, Serialize};

use super::EntityKind;
use crate::{Key, Record};

/// Whose a unique id is, while that user or role exists: policies name principals by it, and ids are never used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UniqueId {
    /// `AIDA…` or `AROA…`.
    pub id: String,
    /// The account.
    pub account: AccountId,
    /// A user or a role.
    pub kind: EntityKind,
    /// Its name.
    pub name: String,
}

impl UniqueId {
    /// Where the owner of an id stands.
    #[must_use]
    pub fn key_of(id: &str) -> Key {
        Key::new(&["iam-id", id])
    }
}

impl Record for UniqueId {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}
