//! The code of an MFA device in a request of STS.

use daypass_core::mfa::{Proof, Unproved, prove};
use daypass_core::model::sts::errors;
use daypass_core::store::Tx;
use daypass_core::{CallerKind, Cx, Error, Fault, Who};

/// The code that the request brings, if it is that of a device of the caller; `None` if the request brings none.
///
/// # Errors
/// If it brings half of it, a device that is not the caller's, or a code that is not the device's now, or no longer.
pub(crate) fn proof(
    cx: &Cx,
    tx: &Tx<'_>,
    serial: Option<&str>,
    code: Option<&str>,
) -> Result<Option<Proof>, Error> {
    let (serial, code) = match (serial, code) {
        (None, None) => return Ok(None),
        (Some(serial), Some(code)) => (serial, code),
        _ => {
            let words = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
            return Err(denied(words).into());
        }
    };
    // Only users have devices; a role that was assumed has none.
    let user = match (cx.caller().kind(), cx.caller().identity().map(|identity| &identity.who)) {
        (CallerKind::User(..), Some(Who::User(user))) => user,
        _ => return Err(not_associated().into()),
    };
    match prove(cx, tx, &user.account, &user.id, serial, code) {
        Ok(proof) => Ok(Some(proof)),
        Err(Unproved::NotAssociated) => Err(not_associated().into()),
        Err(Unproved::WrongCode) => {
            Err(denied("MultiFactorAuthentication failed with invalid MFA one time pass code.").into())
        }
        Err(Unproved::Failed(error)) => Err(error.into()),
    }
}

fn not_associated() -> Fault {
    denied(
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
    )
}

fn denied(words: &str) -> Fault {
    Fault::new(&errors::ACCESS_DENIED, words)
}
