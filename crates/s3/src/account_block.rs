//! What of public access an account blocks, for all its buckets and access points (S3 user guide, "Blocking public access to
//! your Amazon S3 storage").

use daypass_core::Cx;
use daypass_core::model::AccountId;
use daypass_core::store::{Key, Record};
use serde::{Deserialize, Serialize};

use crate::bucket::PublicAccessBlock;

/// The block of an account, if it has set one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountBlock {
    pub(crate) account: AccountId,
    pub(crate) block: PublicAccessBlock,
}

impl AccountBlock {
    /// Where that of an account stands.
    pub(crate) fn key_of(account: &AccountId) -> Key {
        Key::new(&["s3", "account-block", account.as_str()])
    }
}

impl Record for AccountBlock {
    fn key(&self) -> Key {
        Self::key_of(&self.account)
    }
}

/// What an account blocks. Where it cannot be found out, everything.
pub(crate) fn of(cx: &Cx, account: &AccountId) -> PublicAccessBlock {
    match cx.state().kept.get::<AccountBlock>(&AccountBlock::key_of(account)) {
        Ok(Some(found)) => found.block,
        Ok(None) => PublicAccessBlock::NONE,
        Err(error) => {
            tracing::error!(%error, %account, "what an account blocks of public access could not be read");
            PublicAccessBlock::ALL
        }
    }
}
