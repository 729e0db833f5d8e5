//! The audit log: what was asked, by whom, and what came of it.

use daypass_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// One call, as CloudTrail tells of it, with what it is found by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its place in the log; given by the engine, growing.
    pub sequence: u64,
    /// `eventID`.
    pub event_id: String,
    /// `requestID`.
    pub request_id: String,
    /// `eventTime`.
    pub time: Timestamp,
    /// `recipientAccountId`.
    pub account: String,
    /// `awsRegion`.
    pub region: String,
    /// `eventName`.
    pub event_name: String,
    /// `eventSource`.
    pub event_source: String,
    /// The user's name, or the session's.
    pub username: String,
    /// The key that signed the request.
    pub access_key_id: String,
    /// Whether the operation changes nothing.
    pub read_only: bool,
    /// Whether it is a management event; the others (S3 objects) are data events, which `LookupEvents` leaves out.
    pub management: bool,
    /// The resources that it names: type and name.
    pub resources: Vec<(String, String)>,
    /// The record as CloudTrail writes it, as JSON.
    pub event: String,
    /// How the decision came about, as JSON; for the account's owner, never for the caller.
    pub explanation: Option<String>,
}

/// Begins a record that waits somewhere on its way to the log; JSON, as such records were once written, begins otherwise.
const WRITTEN: u8 = 1;

impl AuditRecord {
    /// The record as it waits on its way to the log.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        postcard::to_extend(self, vec![WRITTEN]).map_err(StoreError::engine)
    }

    /// Reads a record that waited.
    ///
    /// # Errors
    /// If it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        match bytes.split_first() {
            Some((&WRITTEN, rest)) => postcard::from_bytes(rest).map_err(StoreError::engine),
            _ => serde_json::from_slice(bytes).map_err(StoreError::engine),
        }
    }
}

/// Which records are asked for.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Of this account.
    pub account: Option<String>,
    /// Of this region.
    pub region: Option<String>,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Not after this.
    pub until: Option<Timestamp>,
    /// With this attribute.
    pub attribute: Option<Attribute>,
    /// Management events only.
    pub management_only: bool,
    /// Newer or older than this place in the log, depending on the order.
    pub beyond: Option<(Timestamp, u64)>,
    /// Which come first.
    pub order: Order,
    /// At most this many.
    pub limit: usize,
}

/// Which records come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest, as `LookupEvents` answers.
    #[default]
    NewestFirst,
    /// The oldest, for readers that follow the log.
    OldestFirst,
    /// The last that came into the log, which is about the newest: the log of all accounts has no index by time, and to sort it
    /// would read all of it.
    LastWritten,
}

/// What a record is found by, as `LookupEvents` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// `EventId`.
    EventId(String),
    /// `EventName`.
    EventName(String),
    /// `EventSource`.
    EventSource(String),
    /// `Username`.
    Username(String),
    /// `AccessKeyId`.
    AccessKeyId(String),
    /// `ReadOnly`.
    ReadOnly(bool),
    /// `ResourceType`.
    ResourceType(String),
    /// `ResourceName`.
    ResourceName(String),
    /// The request's id.
    RequestId(String),
}
