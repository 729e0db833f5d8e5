//! `iam:SetSecurityTokenServicePreferences`: which version of tokens the global endpoint of STS gives.
//!
//! Version 2 is longer, and good in every region. Sessions here are good in every region whatever is set; what is set is
//! told by `GetAccountSummary`, as on AWS.

use daypass_core::model::AccountId;
use daypass_core::model::iam::{GlobalEndpointTokenVersion, SetSecurityTokenServicePreferencesRequest, ops};
use daypass_core::store::{Key, Read as _, Record, StoreError, Tx};
use daypass_core::{Check, Cx, Error, operation};
use serde::{Deserialize, Serialize};

operation!(
    SET_SECURITY_TOKEN_SERVICE_PREFERENCES,
    ops::SetSecurityTokenServicePreferences,
    |cx, _, _| Ok(Check::on_all(cx.operation().action).into()),
    set
);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preferences {
    account: AccountId,
    token_version: usize,
}

impl Preferences {
    fn key_of(account: &AccountId) -> Key {
        Key::new(&["iam", account.as_str(), "sts-preferences"])
    }
}

impl Record for Preferences {
    fn key(&self) -> Key {
        Self::key_of(&self.account)
    }
}

fn set(cx: &Cx, tx: &mut Tx<'_>, input: SetSecurityTokenServicePreferencesRequest) -> Result<(), Error> {
    let token_version = match input.global_endpoint_token_version {
        GlobalEndpointTokenVersion::V1Token => 1,
        GlobalEndpointTokenVersion::V2Token => 2,
    };
    Ok(tx.put(&Preferences { account: cx.account(), token_version })?)
}

/// 1 or 2; 1 until it is set.
pub(crate) fn token_version(cx: &Cx, tx: &Tx<'_>) -> Result<usize, StoreError> {
    let known = tx.get::<Preferences>(&Preferences::key_of(&cx.account()))?;
    Ok(known.map_or(1, |preferences| preferences.token_version))
}
