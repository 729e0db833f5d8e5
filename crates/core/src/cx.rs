//! What an operation may know of its surroundings.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use daypass_model::{AccountId, Operation, Timestamp};
use daypass_wire::Fault;

use crate::caller::Caller;
use crate::check::Checks;
use crate::error::Error;
use crate::ids::Ids;
use crate::state::State;

/// Where a request came from: what the connection says, nothing that the request says.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address at the other end.
    pub address: IpAddr,
    /// Whether it came over TLS.
    pub secure: bool,
    /// The instance whose link it came in by.
    pub instance: Option<PeerInstance>,
}

/// An instance, proved by the link that a connection came in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInstance {
    /// Its id.
    pub id: String,
    /// The VPC that it is in.
    pub vpc_id: String,
}

/// One request's surroundings. Time, randomness and identifiers come from here only.
pub struct Cx {
    pub(crate) state: Arc<State>,
    pub(crate) caller: Caller,
    pub(crate) peer: Peer,
    pub(crate) operation: &'static Operation,
    pub(crate) region: String,
    pub(crate) now: Timestamp,
    pub(crate) request_id: String,
    pub(crate) event_id: String,
    pub(crate) user_agent: String,
    pub(crate) referer: Option<String>,
    pub(crate) ids: Ids,
    /// What was asked and what was answered, for the audit record.
    pub(crate) trail: Mutex<Trail>,
}

/// What the audit record needs to know of a decision.
#[derive(Default)]
pub(crate) struct Trail {
    /// The resources that were asked about.
    pub(crate) resources: Vec<String>,
    /// Why the request was denied, for the account's owner.
    pub(crate) explanation: Option<String>,
    /// What the operation adds to its record (`additionalEventData`).
    pub(crate) additional: serde_json::Map<String, serde_json::Value>,
}

impl Cx {
    /// The caller.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The caller's account; the server's own for a caller without one.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.caller.account().unwrap_or_else(|| self.state.account.clone())
    }

    /// The region that the request was signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// When the request came. It stays the same however often a transaction runs.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The request's id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Where it came from.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The operation that was asked for.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Identifiers for what the operation makes.
    #[must_use]
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// What the server stands on.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Adds a fact to the request's audit record (`additionalEventData`).
    pub fn note(&self, key: &str, value: impl Into<serde_json::Value>) {
        self.trail().additional.insert(key.to_owned(), value.into());
    }

    /// Asks whether the caller may do all of this.
    ///
    /// # Errors
    /// AWS's refusal, for the first thing that is denied.
    pub fn authorize(&self, checks: &Checks) -> Result<(), Error> {
        crate::authorize::authorize(self, checks)
    }

    /// Whether the caller may do this, where a no changes the answer rather than refusing the request (S3 tells who may
    /// not list a bucket that a key is forbidden, not that it is missing).
    #[must_use]
    pub fn may(&self, check: &crate::Check) -> bool {
        crate::authorize::may(self, check)
    }

    pub(crate) fn trail(&self) -> std::sync::MutexGuard<'_, Trail> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A failure in the words of the operation's service.
    #[must_use]
    pub fn internal_failure(&self) -> Fault {
        crate::error::internal_failure(self.operation.service)
    }
}
