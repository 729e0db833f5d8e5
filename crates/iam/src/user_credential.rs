//! Credentials of a user beside its access keys: what they have in common. They are kept below the user's unique id, so
//! that a user that is renamed keeps them.

use daypass_core::model::AccountId;
use daypass_core::model::iam::StatusType;
use daypass_core::store::records::User;
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::{Error, Fault};
use serde::{Deserialize, Serialize};

use crate::fault::{over_quota, validation};

/// A kind of credential.
pub(crate) trait UserCredential: Record {
    /// What it is called in keys.
    const KIND: &'static str;

    /// What is said where a user has none of that id.
    fn missing(id: &str) -> Fault;
}

/// Whether a credential may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    /// It may.
    Active,
    /// It may not.
    Inactive,
}

impl Status {
    /// The status that a request sets.
    ///
    /// # Errors
    /// If it is the one that time alone sets.
    pub(crate) fn read(status: StatusType) -> Result<Self, Fault> {
        match status {
            StatusType::Active => Ok(Self::Active),
            StatusType::Inactive => Ok(Self::Inactive),
            // The model has one enumeration for credentials of every kind.
            StatusType::Expired => Err(validation(
                "1 validation error detected: Value 'Expired' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]",
            )),
        }
    }

    pub(crate) fn shown(self) -> StatusType {
        match self {
            Self::Active => StatusType::Active,
            Self::Inactive => StatusType::Inactive,
        }
    }
}

/// Where a credential stands.
pub(crate) fn key_of<C: UserCredential>(account: &AccountId, user_id: &str, id: &str) -> Key {
    Key::new(&["iam", account.as_str(), C::KIND, user_id, id])
}

/// The credentials of a user.
pub(crate) fn all_of<C: UserCredential>(tx: &Tx<'_>, user: &User) -> Result<Vec<C>, StoreError> {
    tx.all(&Prefix::new(&["iam", user.account.as_str(), C::KIND, &user.id]))
}

/// The credential of that id, if it is that very user's.
pub(crate) fn load<C: UserCredential>(tx: &Tx<'_>, user: &User, id: &str) -> Result<C, Error> {
    tx.get(&key_of::<C>(&user.account, &user.id, id))?.ok_or_else(|| C::missing(id).into())
}

/// Removes the credential of that id, if it is that very user's.
pub(crate) fn remove<C: UserCredential>(tx: &mut Tx<'_>, user: &User, id: &str) -> Result<(), Error> {
    load::<C>(tx, user, id)?;
    tx.delete(&key_of::<C>(&user.account, &user.id, id));
    Ok(())
}

/// Whether a user may have one more.
pub(crate) fn room_for(known: usize, quota: &str, limit: usize) -> Result<(), Fault> {
    if known >= limit { Err(over_quota(quota, limit)) } else { Ok(()) }
}
