//! `iam:GetAccountSummary`: how much there is, and may be.

use std::collections::BTreeMap;

use daypass_core::model::iam::{GetAccountSummaryResponse, SummaryKeyType as Key, ops};
use daypass_core::model::{AccountId, Enumeration as _};
use daypass_core::store::records::{Counted, Tally};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Quota, operation};

use crate::{quota, sts_preferences};

operation!(GET_ACCOUNT_SUMMARY, ops::GetAccountSummary, checks, |cx, tx, _| run(cx, tx));

fn checks(_: &Cx, _: &Tx<'_>, _: &()) -> Result<Checks, StoreError> {
    Ok(Check::on_all("iam:GetAccountSummary").into())
}

/// What can be counted in an account, and the quota of it. There is no root user that has keys, a password or a device.
fn run(cx: &Cx, tx: &mut Tx<'_>) -> Result<GetAccountSummaryResponse, Error> {
    let mut summary: BTreeMap<String, i32> = BTreeMap::new();
    let mut set = |key: Key, number: usize| {
        summary.insert(key.as_str().to_owned(), i32::try_from(number).unwrap_or(i32::MAX));
    };
    let account = cx.account();
    let limit = |quota| quota::limit(cx, quota);
    for (counted, key, quota_key, limit) in [
        (Counted::Users, Key::Users, Key::UsersQuota, limit(Quota::UsersPerAccount)),
        (Counted::Groups, Key::Groups, Key::GroupsQuota, limit(Quota::GroupsPerAccount)),
        (Counted::Roles, Key::Roles, Key::RolesQuota, limit(Quota::RolesPerAccount)),
        (Counted::Policies, Key::Policies, Key::PoliciesQuota, limit(Quota::PoliciesPerAccount)),
        (
            Counted::InstanceProfiles,
            Key::InstanceProfiles,
            Key::InstanceProfilesQuota,
            limit(Quota::InstanceProfilesPerAccount),
        ),
        (
            Counted::PolicyVersions,
            Key::PolicyVersionsInUse,
            Key::PolicyVersionsInUseQuota,
            quota::policy_versions(cx),
        ),
        (
            Counted::ServerCertificates,
            Key::ServerCertificates,
            Key::ServerCertificatesQuota,
            limit(Quota::ServerCertificatesPerAccount),
        ),
    ] {
        set(key, total(tx, &account, &counted)?);
        set(quota_key, limit);
    }
    let providers =
        total(tx, &account, &Counted::OidcProviders)? + total(tx, &account, &Counted::SamlProviders)?;
    for (key, number) in [
        (Key::UserPolicySizeQuota, quota::USER_POLICY_SIZE),
        (Key::GroupPolicySizeQuota, quota::GROUP_POLICY_SIZE),
        (Key::RolePolicySizeQuota, quota::ROLE_POLICY_SIZE),
        (Key::AssumeRolePolicySizeQuota, limit(Quota::ACLSizePerRole)),
        (Key::PolicySizeQuota, quota::POLICY_SIZE),
        (Key::GroupsPerUserQuota, quota::GROUPS_PER_USER),
        (Key::AccessKeysPerUserQuota, quota::ACCESS_KEYS_PER_USER),
        (Key::AttachedPoliciesPerUserQuota, limit(Quota::PoliciesPerUser)),
        (Key::AttachedPoliciesPerGroupQuota, limit(Quota::PoliciesPerGroup)),
        (Key::AttachedPoliciesPerRoleQuota, limit(Quota::PoliciesPerRole)),
        (Key::VersionsPerPolicyQuota, quota::VERSIONS_PER_POLICY),
        (Key::SigningCertificatesPerUserQuota, quota::SIGNING_CERTIFICATES_PER_USER),
        (Key::MFADevices, total(tx, &account, &Counted::MfaDevices)?),
        (Key::MFADevicesInUse, total(tx, &account, &Counted::MfaDevicesInUse)?),
        (Key::Providers, providers),
        (Key::AccountMFAEnabled, 0),
        (Key::AccountAccessKeysPresent, 0),
        (Key::AccountPasswordPresent, 0),
        (Key::AccountSigningCertificatesPresent, 0),
        (Key::GlobalEndpointTokenVersion, sts_preferences::token_version(cx, tx)?),
    ] {
        set(key, number);
    }
    Ok(GetAccountSummaryResponse { summary_map: Some(summary) })
}

fn total(tx: &Tx<'_>, account: &AccountId, counted: &Counted) -> Result<usize, StoreError> {
    Ok(usize::try_from(Tally::total(tx, account, counted)?).unwrap_or(0))
}
