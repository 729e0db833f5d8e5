//! S3's second API, which AWS calls S3 Control: an account's block of public access, access points, and tags by ARN. Every
//! request names an account, which has to be the caller's own (S3 user guide, "Access points restrictions and limitations").

pub(crate) mod access_point;
pub(crate) mod access_point_policy;
pub(crate) mod public_access_block;
pub(crate) mod tagging;

use daypass_core::model::AccountId;
use daypass_core::model::s3control::errors;
use daypass_core::store::{Read as _, Tx};
use daypass_core::{Check, Cx, Error, Fault, Guard};

use crate::access_point::{self as door, AccessPoint};
use crate::authorize;
use crate::bucket_policy;
use crate::fault::access_denied;

/// The account that a request names, which is the caller's: no policy lets in anybody else, least of all nobody in particular.
///
/// # Errors
/// `AccessDenied` if it is another's, or if the caller has none.
fn own_account(cx: &Cx, named: &str) -> Result<AccountId, Error> {
    let named = named.parse().map_err(|_| access_denied())?;
    match cx.caller().account() {
        Some(account) if account == named => Ok(named),
        _ => Err(access_denied().into()),
    }
}

/// The access point of that name in the request's account and region.
///
/// # Errors
/// `NoSuchAccessPoint`, or a failure of the store.
fn load(cx: &Cx, tx: &Tx<'_>, account: &str, name: &str) -> Result<AccessPoint, Error> {
    let account = own_account(cx, account)?;
    let found = tx.get::<AccessPoint>(&AccessPoint::key_of(&account, cx.region(), name))?;
    found.ok_or_else(|| no_such_access_point(name).into())
}

/// May the caller do this to the access point, whether it is there or not? Its own policy has a say, but for whoever holds the
/// machine: nobody locks an access point for good.
///
/// # Errors
/// If the account is not the caller's, or the store fails.
fn check(cx: &Cx, tx: &Tx<'_>, account: &str, name: &str, action: &'static str) -> Result<Check, Error> {
    let account = own_account(cx, account)?;
    let check = Check::new(action, door::arn(cx.region(), &account, name)).of_account(account.clone());
    let check = authorize::common(cx, check).with("s3:ResourceAccount", account.as_str());
    let found = tx.get::<AccessPoint>(&AccessPoint::key_of(&account, cx.region(), name))?;
    let Some(found) = found else { return Ok(check) };
    let check = door::keys(&found, check).resource_tags(&found.tags);
    Ok(match found.policy() {
        Some(policy) if !bucket_policy::is_root(cx, &account) => {
            check.guarded_by(Guard::Grants(std::sync::Arc::clone(&policy.set)))
        }
        _ => check,
    })
}

/// The words are those that clients' tests have of AWS.
fn no_such_access_point(name: &str) -> Fault {
    let words = "The specified accesspoint does not exist";
    Fault::new(&errors::NO_SUCH_ACCESS_POINT, words).with("AccessPointName", name)
}
