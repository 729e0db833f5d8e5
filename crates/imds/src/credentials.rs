//! Credentials of the role of an instance's profile: kept ready, replaced with hours left, gone with the profile, and
//! minted anew when the role changes, so that revoking its sessions does not leave the instance with dead ones.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use daypass_core::model::Timestamp;
use daypass_core::store::records::{Instance, InstanceProfile, Role};
use daypass_core::store::{Read as _, StoreError};
use daypass_core::{State, assume, audit};
use serde_json::{Value as Json, json};

/// Credentials are replaced when less than this is left: SDKs ask for new ones up to an hour before the end.
const REPLACE_BELOW_SECONDS: i64 = assume::INSTANCE_SESSION_SECONDS / 2;

/// By which version of the service credentials were asked for (`ec2:RoleDelivery`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Delivery {
    V1,
    V2,
}

impl Delivery {
    fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }
}

/// What an instance's profile holds.
pub(crate) struct Profile {
    pub(crate) arn: String,
    pub(crate) id: String,
    pub(crate) role: Option<Role>,
}

/// The profile of an instance, if the one that was put on it is still there.
pub(crate) fn profile(state: &State, instance: &Instance) -> Result<Option<Profile>, StoreError> {
    let Some(association) = &instance.profile else { return Ok(None) };
    state.store.read(|tx| {
        let key = InstanceProfile::key_of(&instance.account, &association.profile_name);
        let Some(profile) = tx.get::<InstanceProfile>(&key)?.filter(|p| p.id == association.profile_id)
        else {
            return Ok(None);
        };
        let role = match &profile.role {
            Some(name) => tx.get::<Role>(&Role::key_of(&instance.account, name))?,
            None => None,
        };
        Ok(Some(Profile { arn: profile.arn(), id: profile.id, role }))
    })
}

/// Credentials as they are answered, and what they were minted for.
#[derive(Clone)]
struct Minted {
    /// The role as it was: a change of it makes new credentials.
    role: Role,
    association: String,
    expires: Timestamp,
    document: String,
}

/// The credentials of one instance.
#[derive(Default)]
pub(crate) struct Credentials {
    minted: Mutex<HashMap<Delivery, Minted>>,
}

impl Credentials {
    /// The document for the instance's role.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn document(
        &self,
        state: &State,
        instance: &Instance,
        role: &Role,
        delivery: Delivery,
    ) -> Result<String, StoreError> {
        let now = state.clock.now();
        let association = instance.profile.as_ref().map(|p| p.id.clone()).unwrap_or_default();
        let known = self.minted.lock().unwrap_or_else(PoisonError::into_inner).get(&delivery).cloned();
        if let Some(known) = &known
            && known.role == *role
            && known.association == association
            && known.expires.seconds() - now.seconds() > REPLACE_BELOW_SECONDS
        {
            return Ok(known.document.clone());
        }
        if !assume::ec2_may_assume(state, role, instance) {
            return Ok(unauthorized(role, now));
        }
        // A revocation denies what was issued before its moment, to the second: what replaces it is issued after.
        let changed = known.is_some_and(|k| k.role != *role);
        let minted = assume::instance_credentials(state, role, instance, delivery.as_str(), changed);
        let Ok((credentials, issued)) = minted else { return Ok(unauthorized(role, now)) };
        state.store.record(audit::assumed_by_ec2(state, role, instance, &credentials)).await?;
        let document = json!({
            "Code": "Success",
            "LastUpdated": issued.to_string(),
            "Type": "AWS-HMAC",
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key.expose(),
            "Token": credentials.session_token,
            "Expiration": credentials.expires.to_string(),
        });
        let document = pretty(&document);
        let minted = Minted {
            role: role.clone(),
            association,
            expires: credentials.expires,
            document: document.clone(),
        };
        self.minted.lock().unwrap_or_else(PoisonError::into_inner).insert(delivery, minted);
        Ok(document)
    }

    /// Drops what was minted for a profile that is gone.
    pub(crate) fn clear(&self) {
        self.minted.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// AWS's answer where the role does not trust EC2: a success that says why there are none.
fn unauthorized(role: &Role, now: Timestamp) -> String {
    pretty(&json!({
        "Code": "AssumeRoleUnauthorizedAccess",
        "Message": format!(
            "EC2 cannot assume the role {}. Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc.",
            role.name
        ),
        "LastUpdated": now.to_string(),
    }))
}

/// JSON as the service prints it: indented by two.
pub(crate) fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}
