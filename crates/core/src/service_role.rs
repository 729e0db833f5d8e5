//! A service of ours at work in a role that somebody passed to it: S3, which replicates objects as the role that the
//! configuration of a bucket names. What it does is asked, decided and recorded as what any session of that role does.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, OnceLock};

use daypass_model::{AccountId, IntoValue, Operation, Protocol, Timestamp};
use daypass_store::StoreError;
use daypass_store::records::Role;
use daypass_wire::Fault;

use crate::assume::{Asking, may_assume};
use crate::audit::{self, Call};
use crate::caller::Caller;
use crate::cx::{Cx, Peer, Trail};
use crate::identity::Who;
use crate::ids::Ids;
use crate::session::{Session, SessionPrincipal};
use crate::state::State;

/// A session lasts this long. It is not handed to anybody.
const SESSION_SECONDS: i64 = 3600;

/// A session of a role that a service has.
pub struct ServiceRole {
    service: &'static str,
    account: AccountId,
    name: String,
    id: String,
    session: Arc<Session>,
    access_key_id: String,
}

/// The account and the name of a role, by its ARN; `None` if it is none.
#[must_use]
pub fn role_of_arn(arn: &str) -> Option<(AccountId, &str)> {
    let rest = arn.strip_prefix("arn:aws:iam::")?;
    let (account, rest) = rest.split_once(':')?;
    let (_, name) = rest.strip_prefix("role").filter(|rest| rest.starts_with('/'))?.rsplit_once('/')?;
    let account = account.parse().ok()?;
    (!name.is_empty()).then_some((account, name))
}

impl ServiceRole {
    /// Assumes the role of that ARN, and records it; `None` if there is no such role in the account of what it is done for, or
    /// if its trust policy does not let the service.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn assume(state: &State, arn: &str, asking: &Asking<'_>) -> Result<Option<Self>, StoreError> {
        let Some(role) = find(state, arn)?.filter(|role| role.account == *asking.source.1) else {
            return Ok(None);
        };
        let now = state.clock.now().truncated();
        let access_key_id = Ids::drawn(&*state.entropy).access_key_id("ASIA", &role.account);
        let expires = now.plus_seconds(SESSION_SECONDS);
        let refusal = may_assume(state, &role, asking).err();
        let given = if refusal.is_none() { Some((access_key_id.as_str(), expires)) } else { None };
        let record = audit::assumed(state, &role, asking, given);
        let is_refused = refusal.is_some();
        state.store.record(daypass_store::AuditRecord { explanation: refusal.flatten(), ..record }).await?;
        Ok((!is_refused).then(|| Self::new(&role, asking, now, expires, access_key_id)))
    }

    fn new(role: &Role, asking: &Asking<'_>, now: Timestamp, expires: Timestamp, key: String) -> Self {
        let principal = SessionPrincipal::AssumedRole {
            role_name: role.name.clone(),
            role_id: role.id.clone(),
            session_name: asking.session_name.to_owned(),
        };
        Self {
            service: asking.service,
            account: role.account.clone(),
            name: role.name.clone(),
            id: role.id.clone(),
            session: Arc::new(Session::plain(role.account.clone(), principal, now, expires)),
            access_key_id: key,
        }
    }

    /// The surroundings of something that the service does in the role, as of a request for it; `None` if the role is gone.
    ///
    /// # Errors
    /// If the store fails.
    pub fn surroundings(
        &self,
        state: &Arc<State>,
        operation: &'static Operation,
        region: &str,
        input: impl IntoValue,
    ) -> Result<Option<Cx>, StoreError> {
        let identity = state.identities.role(&self.account, &self.name)?;
        // A role of the same name that came later is another.
        let same = |who: &Who| matches!(who, Who::Role(role) if role.id == self.id);
        let Some(identity) = identity.filter(|identity| same(&identity.who)) else { return Ok(None) };
        let session = Arc::clone(&self.session);
        let Some(caller) = Caller::assumed_by_service(identity, session, &self.access_key_id) else {
            return Ok(None);
        };
        let (ids, now) = (Ids::drawn(&*state.entropy), state.clock.now());
        Ok(Some(Cx {
            state: Arc::clone(state),
            caller,
            vouched: OnceLock::new(),
            peer: Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: None, instance: None },
            service: Some(self.service),
            operation,
            region: region.to_owned(),
            served: OnceLock::new(),
            now,
            request_id: match operation.service.protocol {
                Protocol::RestXml => ids.s3_request_id(now),
                _ => ids.uuid_of(now),
            },
            event_id: ids.uuid_of(now),
            user_agent: self.service.to_owned(),
            referer: None,
            origin: None,
            asked_method: None,
            requester_pays: true,
            asks_for_encryption: false,
            website: None,
            ids,
            input: OnceLock::from(input.into_value()),
            trail: Mutex::new(Trail::default()),
        }))
    }
}

impl Cx {
    /// Records what a service did in a role, where no change recorded it: a success, or a refusal.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn record(&self, outcome: Result<(), &Fault>) -> Result<(), StoreError> {
        let output = ().into_value();
        let record = Call::of(self).record(outcome.map(|()| &output), &self.trail());
        self.state.store.record(record).await
    }
}

fn find(state: &State, arn: &str) -> Result<Option<Role>, StoreError> {
    let Some((account, name)) = role_of_arn(arn) else { return Ok(None) };
    let Some(identity) = state.identities.role(&account, name)? else { return Ok(None) };
    Ok(match &identity.who {
        // The path is a part of it.
        Who::Role(role) if role.arn() == arn => Some((**role).clone()),
        _ => None,
    })
}
