//! What comes of a request that was accepted: a token, and sessions for it, that end with what they came from.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_model::{AccountId, Timestamp};
use daypass_policy::PrincipalPolicies;
use daypass_store::{Read as _, StoreError, Tx};
use serde::{Deserialize, Serialize};

use super::ceiling::ceiling;
use super::partner::Partner;
use super::request::{Approver, DelegationRequest};
use crate::Secret;
use crate::cx::Cx;
use crate::identity::Who;
use crate::session::{Session, SessionPrincipal};
use crate::state::State;

/// Nothing longer is a token.
const MAX_TOKEN: usize = 256;

/// That a session is a partner's, and how far it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The request.
    #[serde(rename = "r")]
    pub request: String,
    /// The partner's account (CloudTrail's `invokedByDelegate`).
    #[serde(rename = "a")]
    pub partner: AccountId,
    /// What was asked for: it may nothing else, whoever lets it.
    #[serde(rename = "p")]
    pub(super) policy: String,
    /// When the token was sent that it came of.
    #[serde(rename = "s")]
    sent: Timestamp,
    /// The boundaries of which one has to be on each role that it makes.
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) boundaries: Vec<String>,
}

/// A new token of a request, and what is kept of it.
#[must_use]
pub fn new_token(cx: &Cx, request: &DelegationRequest) -> (Secret<String>, [u8; 32]) {
    let secret = zeroize::Zeroizing::new(URL_SAFE_NO_PAD.encode(cx.ids().secret_bytes()));
    let digest = digest_of(&secret);
    (Secret::new(format!("{}.{}", request.id, *secret)), digest)
}

fn digest_of(secret: &str) -> [u8; 32] {
    digest(&SHA256, secret.as_bytes()).as_ref().try_into().unwrap_or_default()
}

/// A token is of no use.
#[derive(Debug)]
pub enum NotRedeemed {
    /// It is none, or not the caller's, or what it stood for is gone.
    Invalid,
    /// Its time is over.
    Expired,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for NotRedeemed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a token is good for.
pub struct Redeemed {
    /// A session of whoever accepted the request, within what was asked for.
    pub session: Session,
    /// Whose it is.
    pub principal: String,
    /// Characters of the policy.
    pub policy_size: usize,
}

/// What a token is good for, to the caller: to the partner alone, and as often as it likes until its time is over ("Multiple
/// Redemptions").
///
/// # Errors
/// See [`NotRedeemed`].
pub fn redeem(cx: &Cx, tx: &Tx<'_>, token: &str) -> Result<Redeemed, NotRedeemed> {
    let (id, secret) =
        token.split_once('.').filter(|_| token.len() <= MAX_TOKEN).ok_or(NotRedeemed::Invalid)?;
    let request = tx.get::<DelegationRequest>(&DelegationRequest::key_of(id))?.ok_or(NotRedeemed::Invalid)?;
    let (approver, sent) = request.sent().ok_or(NotRedeemed::Invalid)?;
    let is_it = verify_slices_are_equal(&digest_of(secret), &sent.digest).is_ok();
    if !is_it || request.asked.requestor != cx.account() {
        return Err(NotRedeemed::Invalid);
    }
    if sent.until <= cx.now() {
        return Err(NotRedeemed::Expired);
    }
    if !has_partner(tx, &request)? || !is_there(cx.state(), approver)? {
        return Err(NotRedeemed::Invalid);
    }
    let delegation = Delegation {
        request: request.id.clone(),
        partner: request.asked.requestor.clone(),
        policy: request.asked.policy.clone(),
        sent: sent.at,
        boundaries: request.asked.boundaries.clone(),
    };
    let session = Session {
        // Issued when whoever accepted was, or did where they have no session: what would be denied to them for the age of their
        // session is denied to the partner, and a revocation of it is one of all that comes of it, whenever that is.
        expires: sent.until,
        delegation: Some(Box::new(delegation)),
        ..approver.session.clone()
    };
    let policy_size = request.asked.policy.chars().count();
    Ok(Redeemed { session, principal: approver.arn.clone(), policy_size })
}

/// Whether whoever asked for it is still a partner, and was all the time.
///
/// # Errors
/// If the store fails.
pub fn has_partner(tx: &Tx<'_>, request: &DelegationRequest) -> Result<bool, StoreError> {
    let partner = tx.get::<Partner>(&Partner::key_of(&request.asked.requestor))?;
    Ok(partner.is_some_and(|partner| request.asked.is_of(&partner)))
}

/// Whether whoever accepted is still there: of the same name and id.
fn is_there(state: &State, approver: &Approver) -> Result<bool, StoreError> {
    let account = &approver.session.account;
    let identity = match &approver.session.principal {
        SessionPrincipal::AssumedRole { role_name, .. } => state.identities.role(account, role_name)?,
        SessionPrincipal::User { name, .. } | SessionPrincipal::FederatedUser { user_name: name, .. } => {
            state.identities.user(account, name)?
        }
        SessionPrincipal::Root { .. } => None,
    };
    Ok(identity.is_some_and(|identity| match (&identity.who, &approver.session.principal) {
        (Who::Role(role), SessionPrincipal::AssumedRole { role_id, .. }) => role.id == *role_id,
        (
            Who::User(user),
            SessionPrincipal::User { id, .. } | SessionPrincipal::FederatedUser { user_id: id, .. },
        ) => user.id == *id,
        _ => false,
    }))
}

/// Whether a session is not a partner's, or the partner still is one, and what it asked for granted.
pub(crate) fn stands(state: &State, session: &Session) -> Result<bool, StoreError> {
    let Some(delegation) = &session.delegation else { return Ok(true) };
    let request = state.kept.get::<DelegationRequest>(&DelegationRequest::key_of(&delegation.request))?;
    let Some(request) = request else { return Ok(false) };
    let is_granted = request.sent().is_some_and(|(_, sent)| sent.at == delegation.sent);
    let partner = state.kept.get::<Partner>(&Partner::key_of(&delegation.partner))?;
    let is_partner = partner.is_some_and(|partner| request.asked.is_of(&partner));
    let closed = state.organizations.standing(&delegation.partner)?.is_some_and(|standing| standing.closed);
    Ok(is_granted && is_partner && !closed)
}

/// What a partner's session may at most, kept as long as the caller.
pub(crate) fn ceiling_of(session: Option<&Session>) -> Option<Arc<PrincipalPolicies>> {
    session.and_then(|session| session.delegation.as_deref()).map(|delegation| Arc::new(ceiling(delegation)))
}
