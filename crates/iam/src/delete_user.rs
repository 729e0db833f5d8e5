//! `iam:DeleteUser`: of a user that has nothing left.

use daypass_core::model::iam::{DeleteUserRequest, ops};
use daypass_core::store::records::{Indexed as _, ServiceLastUsed, User};
use daypass_core::store::{Read as _, Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::entity::Entity as _;
use crate::fault::delete_conflict;
use crate::service_specific_credential::ServiceCredential;
use crate::signing_certificate::SigningCertificate;
use crate::ssh_public_key::SshPublicKey;
use crate::user_credential::all_of;
use crate::{login_profile, mfa_device};

operation!(DELETE_USER, ops::DeleteUser, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteUserRequest) -> Result<Checks, StoreError> {
    Ok(User::check(cx, tx, &input.user_name)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteUserRequest) -> Result<(), Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    if let Some(what) = in_the_way(tx, &user)? {
        return Err(delete_conflict(&format!("Cannot delete entity, must {what} first.")).into());
    }
    let uses: Vec<ServiceLastUsed> = tx.all(&ServiceLastUsed::all_of(&user.account, &user.id))?;
    for used in uses {
        tx.delete(&used.key());
    }
    Ok(user.remove(tx)?)
}

/// What has to be done before.
fn in_the_way(tx: &Tx<'_>, user: &User) -> Result<Option<&'static str>, StoreError> {
    Ok(if !user.policies.attached.is_empty() {
        Some("detach all policies")
    } else if !user.policies.inline.is_empty() {
        Some("delete policies")
    } else if !user.groups.is_empty() {
        Some("remove users from group")
    } else if !user.access_keys.is_empty() {
        Some("delete access keys")
    } else if login_profile::find(tx, user)?.is_some() {
        Some("delete login profile")
    } else if !mfa_device::of_user(tx, user)?.is_empty() {
        Some("delete MFA device")
    } else if !all_of::<SigningCertificate>(tx, user)?.is_empty() {
        Some("delete signing certificates")
    } else if !all_of::<SshPublicKey>(tx, user)?.is_empty() {
        Some("delete SSH public keys")
    } else if !all_of::<ServiceCredential>(tx, user)?.is_empty() {
        Some("delete service specific credentials")
    } else {
        None
    })
}
