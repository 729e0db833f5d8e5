//! From a claim to a caller: the secret behind the access key, the signature, and the identity as it is now.

use std::sync::Arc;

use bytes::Bytes;
use daypass_store::StoreError;
use daypass_store::records::{AccessKey, AccessKeyStatus, RootFeature};
use daypass_wire::sigv4::{
    BodyKind, Claim, Expected, FormClaim, NoKey, PayloadVerifier, SigError, SigningKey, Verified,
};

use crate::Secret;
use crate::assume;
use crate::caller::Caller;
use crate::error::Error;
use crate::identity::{Identity, Who};
use crate::key_ring::Purpose;
use crate::opened::OpenedSecret;
use crate::session::{InvalidToken, Session, SessionPrincipal};
use crate::state::State;

/// What there is to verify.
pub(crate) enum Subject<'a> {
    /// The whole body: every service but S3.
    Whole(&'a Bytes),
    /// The head; the body is verified as it streams.
    Head(BodyKind),
}

/// Why a request was not authenticated.
pub(crate) enum Unauthenticated {
    /// What the signature's rules say.
    Signature(Box<SigError>),
    /// The store failed.
    Failed(Error),
}

impl From<SigError> for Unauthenticated {
    fn from(error: SigError) -> Self {
        Self::Signature(Box::new(error))
    }
}

impl From<Error> for Unauthenticated {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Unauthenticated {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// The secret of an access key, and whose it is; or why there is none.
enum Found {
    Key { opened: Arc<OpenedSecret>, owner: Owner },
    None(NoKey),
}

enum Owner {
    User { account: daypass_model::AccountId, name: String, id: String },
    Session(Arc<Session>),
}

/// Verifies a claim.
pub(crate) fn authenticate(
    state: &State,
    claim: &Claim<'_>,
    subject: &Subject<'_>,
    expected: &Expected<'_>,
) -> Result<(Caller, Option<PayloadVerifier>), Unauthenticated> {
    let whole = if let Subject::Whole(body) = subject { &body[..] } else { &[] };
    let (opened, owner) = match find(state, claim.access_key_id(), claim.session_token())? {
        Found::Key { opened, owner } => (opened, owner),
        Found::None(why) => return Err(claim.refuse(why, whole, expected).into()),
    };
    let key = opened.signing_key(claim);
    let (verified, payload) = match subject {
        Subject::Whole(body) => (claim.verify(&key, body, expected)?, None),
        Subject::Head(kind) => {
            let (verified, payload) = claim.verify_head(&key, *kind, expected)?;
            (verified, Some(payload))
        }
    };
    opened.keep(claim, &key);
    // The signature is good; is its holder still somebody?
    let caller = resolve(state, owner, verified)?;
    Ok((caller, payload))
}

/// Verifies the claim of a form.
pub(crate) fn authenticate_form(
    state: &State,
    claim: &FormClaim<'_>,
    expected: &Expected<'_>,
) -> Result<Caller, Unauthenticated> {
    let (opened, owner) = match find(state, claim.access_key_id(), claim.session_token())? {
        Found::Key { opened, owner } => (opened, owner),
        Found::None(why) => return Err(claim.refuse(why, expected).into()),
    };
    let secret = opened.secret().expose().as_bytes();
    let key = SigningKey::derive(secret, claim.date(), claim.region(), claim.service());
    resolve(state, owner, claim.verify(&key, expected)?)
}

fn find(state: &State, id: &str, token: Option<&str>) -> Result<Found, Error> {
    let Some(token) = token else {
        let key = state.kept.get::<AccessKey>(&AccessKey::key_of(id))?;
        let key = key.filter(|k| k.status == AccessKeyStatus::Active);
        return Ok(match key.and_then(|key| Some((open_secret(state, &key)?, key))) {
            Some((opened, key)) => Found::Key {
                opened,
                owner: Owner::User {
                    account: key.account.clone(),
                    name: key.user_name.clone(),
                    id: key.user_id.clone(),
                },
            },
            None => Found::None(NoKey::UnknownAccessKey),
        });
    };
    let open = || {
        let (session, secret) = Session::open(&state.ring, id, token)?;
        Ok::<_, InvalidToken>(OpenedSecret::new(secret, Some(Arc::new(session))))
    };
    let opened = state.opened.get(id, token, open).ok();
    Ok(match opened.and_then(|opened| Some((Arc::clone(opened.session()?), opened))) {
        Some((session, opened)) => Found::Key { opened, owner: Owner::Session(session) },
        None => Found::None(NoKey::InvalidToken),
    })
}

/// The secret of a long-term key. One that does not open is from another key ring: the key is as good as gone.
fn open_secret(state: &State, key: &AccessKey) -> Option<Arc<OpenedSecret>> {
    let open = || {
        let context = AccessKey::seal_context(&key.id);
        let opened = state.ring.open(Purpose::Record, context.as_bytes(), &key.secret.0).ok();
        let text = opened.and_then(|s| String::from_utf8(s.expose().clone()).ok()).map(Secret::new);
        text.map(|text| OpenedSecret::new(text, None)).ok_or(())
    };
    let opened = state.opened.get(&key.id, &key.secret.0, open).ok();
    if opened.is_none() {
        tracing::error!(access_key_id = %key.id, "the secret of an access key does not open");
    }
    opened
}

fn resolve(state: &State, owner: Owner, verified: Verified) -> Result<Caller, Unauthenticated> {
    let gone = SigError::UnknownAccessKey { access_key_id: verified.access_key_id().into() };
    let (identity, session) = match owner {
        Owner::User { account, name, id } => (user(state, &account, &name, &id)?, None),
        Owner::Session(session) => {
            if session.expires <= state.clock.now() {
                return Err(SigError::ExpiredToken.into());
            }
            let identity = match &session.principal {
                SessionPrincipal::Root { organization } => {
                    let organization = organization.clone();
                    return resolve_root(state, session, &organization, verified);
                }
                SessionPrincipal::User { name, id }
                | SessionPrincipal::FederatedUser { user_name: name, user_id: id, .. } => {
                    user(state, &session.account, name, id)?
                }
                SessionPrincipal::AssumedRole { role_name, role_id, .. } => {
                    let role = state.identities.role(&session.account, role_name)?;
                    role.filter(|i| matches!(&i.who, Who::Role(r) if r.id == *role_id))
                }
            };
            (identity, Some(session))
        }
    };
    let Some(identity) = identity else { return Err(gone.into()) };
    // In an account that was closed nobody is anybody.
    let standing = state.organizations.standing(identity.who.account())?;
    if standing.is_some_and(|standing| standing.closed) {
        return Err(gone.into());
    }
    let session_policies = match &session {
        Some(s) if s.policy.is_some() || !s.policy_arns.is_empty() => {
            Some(state.identities.session_policies(&s.account, s.policy.as_deref(), &s.policy_arns)?)
        }
        _ => None,
    };
    Caller::verified(identity, session, session_policies, verified).ok_or_else(|| gone.into())
}

/// The root user of a member account, as long as it is in the organization that gave the session, which still gives such.
fn resolve_root(
    state: &State,
    session: Arc<Session>,
    organization: &str,
    verified: Verified,
) -> Result<Caller, Unauthenticated> {
    let access_key_id = verified.access_key_id().to_owned();
    let gone = || SigError::UnknownAccessKey { access_key_id: access_key_id.as_str().into() };
    let standing = state.organizations.standing(&session.account)?.ok_or_else(gone)?;
    let own = &standing.organization;
    let gives = own.root_features.contains(&RootFeature::Sessions) && own.trusts(assume::IAM);
    if standing.closed || own.id != organization || !gives || own.management_account == session.account {
        return Err(gone().into());
    }
    let task = state.identities.session_policies(&session.account, None, &session.policy_arns)?;
    Caller::verified_root(session, task, verified).ok_or_else(|| gone().into())
}

/// The user of that name, if it is still the one of that id.
fn user(
    state: &State,
    account: &daypass_model::AccountId,
    name: &str,
    id: &str,
) -> Result<Option<Arc<Identity>>, StoreError> {
    let user = state.identities.user(account, name)?;
    Ok(user.filter(|i| matches!(&i.who, Who::User(u) if u.id == id)))
}
