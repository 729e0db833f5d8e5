//! What an operation may know of its surroundings.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use daypass_model::{AccountId, IntoValue, Operation, Timestamp, Value};
use daypass_objects::{Commit, Note, Outcome, Tell};
use daypass_policy::Decision;
use daypass_store::{TransactError, Tx};
use daypass_wire::Fault;

use crate::audit::{Call, Draft};
use crate::caller::{Caller, Vouched};
use crate::check::Checks;
use crate::error::Error;
use crate::ids::Ids;
use crate::state::State;

/// Where a request came from: what the connection says, nothing that the request says.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address at the other end.
    pub address: IpAddr,
    /// What was agreed on for the connection, if it is encrypted.
    pub tls: Option<Tls>,
    /// The instance whose link it came in by.
    pub instance: Option<PeerInstance>,
}

/// What the two ends of an encrypted connection agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The version.
    pub version: TlsVersion,
    /// The cipher suite, as OpenSSL names it: `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: Arc<str>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

impl TlsVersion {
    /// As condition keys have it (`s3:TlsVersion`): a number.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
        }
    }

    /// As logs have it: `TLSv1.3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1_2 => "TLSv1.2",
            Self::V1_3 => "TLSv1.3",
        }
    }
}

/// An instance, proved by the link that a connection came in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInstance {
    /// Its id.
    pub id: String,
    /// The VPC that it is in.
    pub vpc_id: String,
}

/// The website that a request is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Website {
    /// The bucket.
    pub bucket: String,
    /// The region that the host names, if it names one.
    pub region: Option<String>,
    /// The host, as it was sent.
    pub host: String,
}

/// One request's surroundings. Time, randomness and identifiers come from here only.
pub struct Cx {
    pub(crate) state: Arc<State>,
    pub(crate) caller: Caller,
    /// Who the caller turned out to be, where the request itself proves it.
    pub(crate) vouched: OnceLock<Caller>,
    pub(crate) peer: Peer,
    /// The service of ours that does it in the role of the caller, where no request asks for it.
    pub(crate) service: Option<&'static str>,
    pub(crate) operation: &'static Operation,
    pub(crate) region: String,
    /// The region that serves the request, where it says more than the signature does.
    pub(crate) served: OnceLock<String>,
    pub(crate) now: Timestamp,
    pub(crate) request_id: String,
    pub(crate) event_id: String,
    pub(crate) user_agent: String,
    pub(crate) referer: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) asked_method: Option<String>,
    pub(crate) requester_pays: bool,
    pub(crate) asks_for_encryption: bool,
    pub(crate) website: Option<Website>,
    pub(crate) ids: Ids,
    /// What the request says, once it was read.
    pub(crate) input: OnceLock<Value>,
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
    /// Why what it asked was allowed, as far as that is told.
    pub(crate) allowed: Vec<String>,
    /// How much it asked that was allowed.
    pub(crate) asked: usize,
    /// Whether it was an ACL that allowed something of it.
    pub(crate) acl_required: bool,
    /// What the operation adds to its record (`additionalEventData`).
    pub(crate) additional: serde_json::Map<String, serde_json::Value>,
    /// The record of a success is written with the change: by the object store, or by the operation's own transaction.
    pub(crate) noted: bool,
    /// Nobody knows whether the change was made.
    pub(crate) outcome_unknown: bool,
    /// Headers that a refusal carries, whatever it is.
    pub(crate) on_refusal: Vec<(&'static str, String)>,
    /// Headers that every answer carries.
    pub(crate) on_answer: Vec<(&'static str, String)>,
}

impl Trail {
    /// A transaction begins, perhaps again.
    pub(crate) fn restart(&mut self) {
        self.allowed.clear();
        self.asked = 0;
    }

    /// How the decision came about: a denial, or the allowance of what was asked.
    pub(crate) fn explanation(&self) -> Option<String> {
        match (&self.explanation, self.allowed.as_slice()) {
            (Some(denied), _) => Some(denied.clone()),
            (None, []) => None,
            (None, [only]) if self.asked == 1 => Some(only.clone()),
            (None, list) => {
                let (omitted, list) = (self.asked.saturating_sub(list.len()), list.join(","));
                Some(format!(r#"{{"decision":"allowed","checks":[{list}],"omitted":{omitted}}}"#))
            }
        }
    }
}

impl Cx {
    /// The caller.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.vouched.get().unwrap_or(&self.caller)
    }

    /// Says who the caller is by what the request holds and an identity provider vouches for. Once; the first word stands.
    pub fn vouch(&self, identity: Vouched) {
        let _ = self.vouched.set(Caller::vouched(identity));
    }

    /// The caller's account; the server's own for a caller without one.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.caller().account().unwrap_or_else(|| self.state.account.clone())
    }

    /// The region that serves the request: the one that it was signed for, or of several the one that what it is about is in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.served.get().unwrap_or(&self.region)
    }

    /// Says where that is which the request is about. It counts where the request was signed for that region among others
    /// (SigV4A), or for none (Signature Version 2, and no signature): what serves it is not the caller's to choose. Once; the
    /// first word stands.
    pub fn serve_in(&self, region: &str) {
        if self.caller().proof().is_none_or(|proof| proof.covers(region)) {
            let _ = self.served.set(region.to_owned());
        }
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

    /// The same, for what outlives the request.
    #[must_use]
    pub fn shared_state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// What a change of objects brings along: its time and its audit record, which is durable exactly when the change is.
    /// `answer` tells from the outcome what the operation will answer; it runs where the store commits, and must be quick.
    #[must_use]
    pub fn commit<O: IntoValue>(
        &self,
        answer: impl FnOnce(&Outcome<'_>) -> Option<O> + Send + 'static,
    ) -> Commit {
        self.commit_telling(answer, |_| None)
    }

    /// The same, with what others are to be told of the change ([`crate::outbox::Told`]): durable with it as well.
    #[must_use]
    pub fn commit_telling<O: IntoValue>(
        &self,
        answer: impl FnOnce(&Outcome<'_>) -> Option<O> + Send + 'static,
        tell: impl FnOnce(&Outcome<'_>) -> Option<serde_json::Value> + Send + 'static,
    ) -> Commit {
        let mut trail = self.trail();
        trail.noted = true;
        let draft = Call::of(self).draft(&trail);
        self.commit_unnoted().with_note(Note::Told(Box::new(Told { draft, answer, tell })))
    }

    /// The same of a change that has no record of its own: a step towards one that has.
    #[must_use]
    pub fn commit_unnoted(&self) -> Commit {
        Commit::at(daypass_objects::Timestamp(u64::try_from(self.now.millis()).unwrap_or(0)))
    }

    /// Changes records in an operation over streams: one transaction, with which the operation's audit record commits.
    /// It may run twice, so it must be deterministic.
    ///
    /// # Errors
    /// What the change answers, or a failure of the store.
    pub async fn transact<O: IntoValue + Clone>(
        &self,
        mut change: impl FnMut(&mut Tx<'_>) -> Result<O, Error>,
    ) -> Result<O, Error> {
        let outcome = self.state.store.transact(|tx| {
            self.ids.restart();
            let output = change(tx)?;
            tx.audit(Call::of(self).record(Ok(&output.clone().into_value()), &self.trail()));
            Ok::<_, Error>(output)
        });
        let output = outcome.await.map_err(|error: TransactError<Error>| match error {
            TransactError::Aborted(error) => error,
            TransactError::Store(error) => error.into(),
        })?;
        self.trail().noted = true;
        Ok(output)
    }

    /// Has a refusal of this request carry a header, whatever it is (S3's `x-amz-bucket-region`).
    pub fn on_refusal(&self, header: &'static str, value: impl Into<String>) {
        self.trail().on_refusal.push((header, value.into()));
    }

    /// Has the answer of this request carry a header, whether it is a success or a refusal (what CORS allows).
    pub fn on_answer(&self, header: &'static str, value: impl Into<String>) {
        self.trail().on_answer.push((header, value.into()));
    }

    /// Where a page that sent the request says that it is from (`Origin`). Only browsers tell the truth.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The method that the page asks about, where it is not the request's own (`Access-Control-Request-Method`).
    #[must_use]
    pub fn asked_method(&self) -> Option<&str> {
        self.asked_method.as_deref()
    }

    /// Whether the requester says that it pays for the request (`x-amz-request-payer: requester`, in a header or the query).
    #[must_use]
    pub fn requester_pays(&self) -> bool {
        self.requester_pays
    }

    /// Whether the request says how an object is to be encrypted (`x-amz-server-side-encryption`), also where its operation
    /// makes none.
    #[must_use]
    pub fn asks_for_encryption(&self) -> bool {
        self.asks_for_encryption
    }

    /// The website that the request is to, if it is to one.
    #[must_use]
    pub fn website(&self) -> Option<&Website> {
        self.website.as_ref()
    }

    /// Adds a fact to the request's audit record (`additionalEventData`).
    pub fn note(&self, key: &str, value: impl Into<serde_json::Value>) {
        self.trail().additional.insert(key.to_owned(), value.into());
    }

    /// Nobody knows whether the change that was asked for was made, whatever the caller is answered: the audit record says
    /// that, and not that it failed.
    pub fn outcome_is_unknown(&self) {
        self.trail().outcome_unknown = true;
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

    /// What the answer to a question is, where a denial that is written somewhere means more than that nothing allows it.
    #[must_use]
    pub fn decide(&self, check: &crate::Check) -> Decision {
        crate::authorize::decision(self, check)
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

/// The audit record of a change of objects, and what is told of it, once its outcome is known; until then, the record of what
/// was meant.
struct Told<A, T> {
    draft: Draft,
    answer: A,
    tell: T,
}

impl<O, A, T> Tell for Told<A, T>
where
    O: IntoValue,
    A: FnOnce(&Outcome<'_>) -> Option<O> + Send,
    T: FnOnce(&Outcome<'_>) -> Option<serde_json::Value> + Send,
{
    fn intent(&self) -> Option<Bytes> {
        crate::outbox::write(&self.draft.clone().unknown(), None)
    }

    fn write(self: Box<Self>, outcome: &Outcome<'_>) -> Option<Bytes> {
        let Self { draft, answer, tell } = *self;
        let output = answer(outcome).map(IntoValue::into_value);
        crate::outbox::write(&draft.finish(output.as_ref()), tell(outcome).as_ref())
    }
}
