//! How much there may be of anything (IAM user guide, `reference_iam-quotas`: the defaults).

use daypass_core::store::records::{Counted, Tally};
use daypass_core::{Cx, Error};

use crate::fault::over_quota;

/// Managed policies that are attached to one user, group or role.
pub(crate) const ATTACHED_POLICIES: usize = 10;
/// Versions of one managed policy.
pub(crate) const VERSIONS_PER_POLICY: usize = 5;
/// Characters of a managed policy, white space apart.
pub(crate) const POLICY_SIZE: usize = 6144;
/// Characters of a role's trust policy.
pub(crate) const TRUST_POLICY_SIZE: usize = 2048;
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
/// Server certificates of an account.
pub(crate) const SERVER_CERTIFICATES: usize = 20;
/// Groups that a user is in.
pub(crate) const GROUPS_PER_USER: usize = 10;
/// Tags of one resource.
pub(crate) const TAGS: usize = 50;
/// Roles in one instance profile.
pub(crate) const ROLES_PER_INSTANCE_PROFILE: usize = 1;
/// Instance profiles that hold the same role. AWS names no such quota; this is how many profiles an account of AWS has
/// by default, and so no role there is in more.
pub(crate) const INSTANCE_PROFILES_PER_ROLE: usize = 1000;
/// Entities of one kind in an account. AWS begins with fewer and raises the number for whoever asks; here the owner of
/// the machine is who would be asked.
pub(crate) const ENTITIES_PER_ACCOUNT: usize = 1_000_000;
/// Versions of all managed policies of an account: what both quotas leave.
pub(crate) const POLICY_VERSIONS_PER_ACCOUNT: usize = ENTITIES_PER_ACCOUNT * VERSIONS_PER_POLICY;

/// OpenID Connect providers of an account, and SAML providers.
pub(crate) const IDENTITY_PROVIDERS: usize = 100;
/// Client ids of an OpenID Connect provider.
pub(crate) const CLIENT_IDS: usize = 100;
/// Thumbprints of an OpenID Connect provider.
pub(crate) const THUMBPRINTS: usize = 5;

/// Whether the account may have one more identity provider of a kind.
pub(crate) fn provider(cx: &Cx, counted: &Counted, quota: &str) -> Result<(), Error> {
    room(cx, counted, quota, IDENTITY_PROVIDERS)
}

/// Whether the account may have one more. It is counted as of the last commit: requests that run at the same time can
/// pass the quota by as many as they are, and none of them waits for another.
pub(crate) fn room_for(cx: &Cx, counted: &Counted, quota: &str) -> Result<(), Error> {
    room(cx, counted, quota, ENTITIES_PER_ACCOUNT)
}

fn room(cx: &Cx, counted: &Counted, quota: &str, limit: usize) -> Result<(), Error> {
    let account = cx.account();
    let known = cx.state().store.read(|tx| Tally::total(tx, &account, counted))?;
    if known >= i64::try_from(limit).unwrap_or(i64::MAX) {
        return Err(over_quota(quota, limit).into());
    }
    Ok(())
}
