//! Access keys, as requests name and answers show them.

use daypass_core::Error;
use daypass_core::model::iam::{AccessKeyMetadata, StatusType};
use daypass_core::store::records::{AccessKey, AccessKeyStatus, User};
use daypass_core::store::{Read as _, Tx};

use crate::fault::no_such_access_key;

/// A key of that very user.
///
/// # Errors
/// If the user has no such key, whoever else has it.
pub(crate) fn load(tx: &Tx<'_>, user: &User, id: &str) -> Result<AccessKey, Error> {
    let key = tx.get::<AccessKey>(&AccessKey::key_of(id))?.filter(|key| key.user_id == user.id);
    key.ok_or_else(|| no_such_access_key(id).into())
}

/// The key without its secret.
pub(crate) fn listed(key: AccessKey) -> AccessKeyMetadata {
    AccessKeyMetadata {
        user_name: Some(key.user_name),
        access_key_id: Some(key.id),
        status: Some(match key.status {
            AccessKeyStatus::Active => StatusType::Active,
            AccessKeyStatus::Inactive => StatusType::Inactive,
        }),
        create_date: Some(key.created),
    }
}
