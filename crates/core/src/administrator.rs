//! The account's administrator: a role that nobody in the account can assume, for the owner of the machine.
//!
//! There is no root key and no well-known key. Who may use the server's data directory gets short sessions of this
//! role from the program; taking the role's policies away takes the sessions' rights away at once.

use daypass_model::{AccountId, Timestamp};
use daypass_store::records::{Account, Indexed as _, Policies, Role};
use daypass_store::{Read as _, StoreError, TransactError};
use thiserror::Error;

use crate::ids::Ids;
use crate::session::{Credentials, NotIssued, Session, SessionPrincipal};
use crate::state::State;
use crate::surroundings::random;

/// The role's name.
pub const ADMINISTRATOR: &str = "Administrator";
/// Its path: what Daypass made itself.
const PATH: &str = "/daypass/";
const POLICY: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
/// Only the program itself gives sessions of it: no user, role or service of AWS is of that name.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"administrator.daypass.internal"},"Action":"sts:AssumeRole"}]}"#;
/// The longest session, in seconds.
pub const MAX_SESSION_SECONDS: i32 = 43_200;

/// No session could be given.
#[derive(Debug, Error)]
pub enum NoSession {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be sealed into a token.
    #[error(transparent)]
    NotIssued(#[from] NotIssued),
}

/// Makes the account if it is not there, and its administrator role if it is not (or no more) there.
///
/// # Errors
/// If the store fails.
pub async fn prepare(state: &State, account: &AccountId) -> Result<(), StoreError> {
    let now = state.clock.now().truncated();
    let ids = Ids::new(random(&*state.entropy));
    let canonical: String = ids.id_bytes().iter().map(|b| format!("{b:02x}")).collect();
    let role_id = ids.unique_id("AROA");
    let outcome = state.store.transact(|tx| {
        if tx.get::<Account>(&Account::key_of(account))?.is_none() {
            tx.put(&Account {
                id: account.clone(),
                created: now,
                alias: None,
                canonical_user_id: canonical.clone(),
                name: None,
                email: None,
            })?;
        }
        if tx.get::<Role>(&Role::key_of(account, ADMINISTRATOR))?.is_none() {
            role(account, &role_id, now).save(tx)?;
        }
        Ok::<_, StoreError>(())
    });
    outcome.await.map_err(|error| match error {
        TransactError::Aborted(error) | TransactError::Store(error) => error,
    })
}

/// Whether a role is the account's administrator, and still one that nobody can assume.
#[must_use]
pub fn is(role: &Role) -> bool {
    role.name == ADMINISTRATOR && role.path == PATH && role.trust_policy == TRUST
}

fn role(account: &AccountId, id: &str, now: Timestamp) -> Role {
    Role {
        account: account.clone(),
        path: PATH.to_owned(),
        name: ADMINISTRATOR.to_owned(),
        id: id.to_owned(),
        created: now,
        description: Some("Sessions for the owner of this server, given by `daypass env`".to_owned()),
        trust_policy: TRUST.to_owned(),
        max_session_seconds: MAX_SESSION_SECONDS,
        policies: Policies { attached: vec![POLICY.to_owned()], ..Policies::default() },
        permissions_boundary: None,
        tags: vec![],
        instance_profiles: vec![],
    }
}

/// A session of the account's administrator role. The caller answers for whom it is given to.
///
/// # Errors
/// If the store or the key ring fails.
pub async fn session(
    state: &State,
    account: &AccountId,
    session_name: &str,
    seconds: i32,
) -> Result<Credentials, NoSession> {
    prepare(state, account).await?;
    let key = Role::key_of(account, ADMINISTRATOR);
    let role = state.store.read(|tx| tx.get::<Role>(&key))?.ok_or_else(|| StoreError::torn(&key))?;
    let now = state.clock.now().truncated();
    let principal = SessionPrincipal::AssumedRole {
        role_name: role.name,
        role_id: role.id,
        session_name: session_name.to_owned(),
    };
    let expires = now.plus_seconds(i64::from(seconds.clamp(60, MAX_SESSION_SECONDS)));
    let session = Session::plain(account.clone(), principal, now, expires);
    let ids = Ids::new(random(&*state.entropy));
    Ok(session.issue(&state.ring, ids.access_key_id("ASIA", account))?)
}
