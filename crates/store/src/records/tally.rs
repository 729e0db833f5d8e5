use daypass_model::AccountId;
use serde::{Deserialize, Serialize};

use super::Target;
use crate::{Key, Prefix, Read, Record, StoreError, Tx};

/// A count is kept in so many parts, so that transactions that change it do not all wait for the same record.
const PARTS: u64 = 16;

/// One part of how many there are of something in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    account: AccountId,
    of: String,
    part: u64,
    number: i64,
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Groups.
    Groups,
    /// Instance profiles.
    InstanceProfiles,
    /// Virtual MFA devices.
    MfaDevices,
    /// Those of them that are enabled for a user.
    MfaDevicesInUse,
    /// OpenID Connect providers.
    OidcProviders,
    /// Customer managed policies.
    Policies,
    /// Versions of customer managed policies.
    PolicyVersions,
    /// Roles.
    Roles,
    /// Server certificates.
    ServerCertificates,
    /// SAML providers.
    SamlProviders,
    /// Users.
    Users,
    /// Entities that refer to a target.
    References(Target),
}

impl Counted {
    fn name(&self) -> String {
        match self {
            Self::Groups => "groups".to_owned(),
            Self::InstanceProfiles => "instance-profiles".to_owned(),
            Self::MfaDevices => "mfa-devices".to_owned(),
            Self::MfaDevicesInUse => "mfa-devices-in-use".to_owned(),
            Self::OidcProviders => "oidc-providers".to_owned(),
            Self::Policies => "policies".to_owned(),
            Self::PolicyVersions => "policy-versions".to_owned(),
            Self::Roles => "roles".to_owned(),
            Self::SamlProviders => "saml-providers".to_owned(),
            Self::ServerCertificates => "server-certificates".to_owned(),
            Self::Users => "users".to_owned(),
            Self::References(target) => {
                let (relation, to) = target.parts();
                format!("{relation} {to}")
            }
        }
    }
}

impl Tally {
    /// How many there are.
    ///
    /// # Errors
    /// If the store fails.
    pub fn total(read: &impl Read, account: &AccountId, counted: &Counted) -> Result<i64, StoreError> {
        let parts = read.all::<Self>(&Prefix::new(&["iam", account.as_str(), "tally", &counted.name()]))?;
        Ok(parts.iter().map(|part| part.number).sum::<i64>().max(0))
    }

    /// Counts what came (or, if negative, went). `which` spreads the parts: the name of what is counted.
    pub(super) fn add(
        tx: &mut Tx<'_>,
        account: &AccountId,
        counted: &Counted,
        which: &str,
        number: i64,
    ) -> Result<(), StoreError> {
        let mut tally =
            Self { account: account.clone(), of: counted.name(), part: part_of(which), number: 0 };
        if let Some(known) = tx.get::<Self>(&tally.key())? {
            tally = known;
        }
        tally.number += number;
        if tally.number == 0 {
            tx.delete(&tally.key());
            return Ok(());
        }
        tx.put(&tally)
    }
}

/// FNV-1a: the same in every process and version, unlike the standard library's hashes.
fn part_of(which: &str) -> u64 {
    let hash = which.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash % PARTS
}

impl Record for Tally {
    fn key(&self) -> Key {
        Key::new(&["iam", self.account.as_str(), "tally", &self.of, &self.part.to_string()])
    }
}
