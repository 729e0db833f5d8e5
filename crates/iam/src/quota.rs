//! How much there may be of anything (IAM user guide, `reference_iam-quotas`). Here is what AWS adjusts for nobody; the
//! rest is `daypass_core::Quota`.

use daypass_core::store::records::{Counted, Tally};
use daypass_core::{Cx, Error, Fault, Quota};

use crate::fault::over_quota;

/// Versions of one managed policy.
pub(crate) const VERSIONS_PER_POLICY: usize = 5;
/// Characters of a managed policy, white space apart.
pub(crate) const POLICY_SIZE: usize = 6144;
/// Characters of all inline policies of a user together, white space apart.
pub(crate) const USER_POLICY_SIZE: usize = 2048;
/// Likewise of a group.
pub(crate) const GROUP_POLICY_SIZE: usize = 5120;
/// Likewise of a role.
pub(crate) const ROLE_POLICY_SIZE: usize = 10_240;
/// Access keys of a user.
pub(crate) const ACCESS_KEYS_PER_USER: usize = 2;
/// MFA devices of a user.
pub(crate) const MFA_DEVICES_PER_USER: usize = 8;
/// SSH public keys of a user.
pub(crate) const SSH_PUBLIC_KEYS_PER_USER: usize = 5;
/// Signing certificates of a user.
pub(crate) const SIGNING_CERTIFICATES_PER_USER: usize = 2;
/// Service-specific credentials of a user for one service.
pub(crate) const SERVICE_CREDENTIALS_PER_SERVICE: usize = 2;
/// Groups that a user is in.
pub(crate) const GROUPS_PER_USER: usize = 10;
/// Tags of one resource.
pub(crate) const TAGS: usize = 50;
/// Roles in one instance profile.
pub(crate) const ROLES_PER_INSTANCE_PROFILE: usize = 1;
/// Instance profiles that hold the same role. AWS names no such quota; this is how many profiles an account of AWS has
/// by default, and so no role there is in more.
pub(crate) const INSTANCE_PROFILES_PER_ROLE: usize = 1000;
/// Versions of all managed policies of an account together (IAM API reference, example of GetAccountSummary); more where
/// the account may have more policies than this leaves versions for.
const POLICY_VERSIONS_PER_ACCOUNT: usize = 10_000;

/// Client ids of an OpenID Connect provider.
pub(crate) const CLIENT_IDS: usize = 100;
/// Thumbprints of an OpenID Connect provider.
pub(crate) const THUMBPRINTS: usize = 5;

/// What a quota is here.
pub(crate) fn limit(cx: &Cx, quota: Quota) -> usize {
    cx.state().quotas.of(quota)
}

/// How many versions of managed policies an account may have.
pub(crate) fn policy_versions(cx: &Cx) -> usize {
    POLICY_VERSIONS_PER_ACCOUNT.max(limit(cx, Quota::PoliciesPerAccount) * VERSIONS_PER_POLICY)
}

/// Whether there may be as much as that.
pub(crate) fn within(cx: &Cx, quota: Quota, count: usize) -> Result<(), Fault> {
    let limit = limit(cx, quota);
    if count > limit { Err(over_quota(quota.name(), limit)) } else { Ok(()) }
}

/// Whether the account may have one more. It is counted as of the last commit: requests that run at the same time can
/// pass the quota by as many as they are, and none of them waits for another.
pub(crate) fn room_for(cx: &Cx, counted: &Counted, quota: Quota) -> Result<(), Error> {
    room(cx, counted, quota.name(), limit(cx, quota))
}

/// Whether the account may have one more virtual MFA device: it may have as many as users.
pub(crate) fn room_for_device(cx: &Cx) -> Result<(), Error> {
    room(cx, &Counted::MfaDevices, "VirtualMFADevicesPerAccount", limit(cx, Quota::UsersPerAccount))
}

fn room(cx: &Cx, counted: &Counted, quota: &str, limit: usize) -> Result<(), Error> {
    let account = cx.account();
    let known = cx.state().store.read(|tx| Tally::total(tx, &account, counted))?;
    if known >= i64::try_from(limit).unwrap_or(i64::MAX) {
        return Err(over_quota(quota, limit).into());
    }
    Ok(())
}
