//! How much there may be of what AWS lets an account have more of on request: AWS's defaults, unless the operator of the
//! server sets another number. Quotas that AWS adjusts for nobody are constants of their services.

use std::collections::BTreeMap;
use std::str::FromStr;

use thiserror::Error;

/// So many entities of a kind are the most that an account is made for.
const ENTITIES: usize = 1_000_000;

macro_rules! quotas {
    ($($(#[$doc:meta])* $name:ident = $service:literal, $default:expr, $most:expr;)*) => {
        /// A quota, by the name that AWS's refusals call it by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Quota {
            $($(#[$doc])* $name,)*
        }

        impl Quota {
            /// Every quota.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// `RolesPerAccount`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The service that it is a quota of, as `iam`.
            #[must_use]
            pub fn service(self) -> &'static str {
                match self { $(Self::$name => $service,)* }
            }

            /// What it is where nobody sets it: AWS's default.
            #[must_use]
            pub fn default(self) -> usize {
                match self { $(Self::$name => $default,)* }
            }

            /// The most that it can be set to.
            #[must_use]
            pub fn most(self) -> usize {
                match self { $(Self::$name => $most,)* }
            }
        }
    };
}

// IAM user guide, `reference_iam-quotas`; Organizations user guide, `orgs_reference_limits`. For how much hangs on one
// entity the most is AWS's own maximum.
quotas! {
    /// Roles.
    RolesPerAccount = "iam", 1000, ENTITIES;
    /// Users, and virtual MFA devices.
    UsersPerAccount = "iam", 5000, ENTITIES;
    /// Groups.
    GroupsPerAccount = "iam", 300, ENTITIES;
    /// Customer managed policies.
    PoliciesPerAccount = "iam", 1500, ENTITIES;
    /// Instance profiles.
    InstanceProfilesPerAccount = "iam", 1000, ENTITIES;
    /// Server certificates.
    ServerCertificatesPerAccount = "iam", 20, 1000;
    /// OpenID Connect providers.
    OpenIdConnectProvidersPerAccount = "iam", 100, 700;
    /// SAML providers.
    SAMLProvidersPerAccount = "iam", 100, 700;
    /// Managed policies that are attached to a role.
    PoliciesPerRole = "iam", 10, 20;
    /// Managed policies that are attached to a user.
    PoliciesPerUser = "iam", 10, 20;
    /// Managed policies that are attached to a group.
    PoliciesPerGroup = "iam", 10, 20;
    /// Characters of a role's trust policy, white space apart.
    ACLSizePerRole = "iam", 2048, 4096;
    /// Accounts, with the management account.
    AccountsPerOrganization = "organizations", 10, 10_000;
}

/// Why a text sets no quota.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoQuota {
    /// It is not of the form.
    #[error("a quota is set as `iam:RolesPerAccount=5000`")]
    Form,
    /// There is no such quota.
    #[error("there is no quota `{0}`, but {known}", known = known())]
    Unknown(String),
    /// More than the server is made for.
    #[error("`{service}:{name}` is {most} at most", service = .0.service(), name = .0.name(), most = .0.most())]
    TooMuch(Quota),
}

/// The names of all quotas.
fn known() -> String {
    let names = Quota::ALL.iter().map(|quota| format!("`{}:{}`", quota.service(), quota.name()));
    names.collect::<Vec<_>>().join(", ")
}

/// A quota and a number, as `iam:RolesPerAccount=5000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetQuota {
    quota: Quota,
    number: usize,
}

impl FromStr for SetQuota {
    type Err = NoQuota;

    fn from_str(text: &str) -> Result<Self, NoQuota> {
        let (name, number) = text.split_once('=').ok_or(NoQuota::Form)?;
        let mut all = Quota::ALL.iter();
        let quota = all.find(|quota| name.split_once(':') == Some((quota.service(), quota.name())));
        let quota = *quota.ok_or_else(|| NoQuota::Unknown(name.to_owned()))?;
        let number = number.parse().map_err(|_| NoQuota::Form)?;
        if number > quota.most() { Err(NoQuota::TooMuch(quota)) } else { Ok(Self { quota, number }) }
    }
}

/// The quotas of every account.
#[derive(Clone, Debug, Default)]
pub struct Quotas(BTreeMap<Quota, usize>);

impl FromIterator<SetQuota> for Quotas {
    /// Of a quota that is set twice the last number counts.
    fn from_iter<I: IntoIterator<Item = SetQuota>>(set: I) -> Self {
        Self(set.into_iter().map(|set| (set.quota, set.number)).collect())
    }
}

impl Quotas {
    /// How much there may be.
    #[must_use]
    pub fn of(&self, quota: Quota) -> usize {
        self.0.get(&quota).copied().unwrap_or_else(|| quota.default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_awss_default_until_it_is_set() {
        let set = |texts: &[&str]| -> Quotas { texts.iter().map(|text| text.parse().unwrap()).collect() };
        assert_eq!(set(&[]).of(Quota::RolesPerAccount), 1000);
        let quotas = set(&["iam:RolesPerAccount=7", "iam:UsersPerAccount=0", "iam:RolesPerAccount=9"]);
        assert_eq!((quotas.of(Quota::RolesPerAccount), quotas.of(Quota::UsersPerAccount)), (9, 0));
        assert_eq!(quotas.of(Quota::GroupsPerAccount), 300);
        for quota in Quota::ALL {
            let most = format!("{}:{}={}", quota.service(), quota.name(), quota.most());
            assert_eq!(set(&[&most]).of(*quota), quota.most());
            assert!(quota.default() <= quota.most());
        }
    }

    #[test]
    fn what_sets_no_quota_says_why() {
        let why = |text: &str| text.parse::<SetQuota>().unwrap_err().to_string();
        for text in ["iam:RolesPerAccount", "iam:RolesPerAccount=many", "iam:RolesPerAccount=-1", ""] {
            assert_eq!(why(text), "a quota is set as `iam:RolesPerAccount=5000`", "{text}");
        }
        for text in ["RolesPerAccount=1", "iam:rolesperaccount=1", "organizations:RolesPerAccount=1"] {
            assert!(why(text).contains("but `iam:RolesPerAccount`, `iam:UsersPerAccount`"), "{}", why(text));
        }
        assert_eq!(why("iam:PoliciesPerRole=21"), "`iam:PoliciesPerRole` is 20 at most");
    }
}
