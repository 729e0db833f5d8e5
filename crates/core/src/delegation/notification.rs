//! What partners are told of their requests (IAM user guide, `temporary-delegation-building-integration`, "Notification
//! Message Format"): by the queues that S3's events go through, to where the operator says.

use daypass_model::Timestamp;
use daypass_store::{StoreError, Tx};
use serde_json::{Map, Value};

use super::request::{DelegationRequest, Sent};
use crate::Secret;
use crate::event_queue::{self, Message, topic_notification};
use crate::ids::Ids;
use crate::key_ring::{KeyRing, KeyRingError};

/// The state is another. `ids` names the message.
///
/// # Errors
/// If the store fails.
pub fn tell_state(
    tx: &mut Tx<'_>,
    ids: &Ids,
    request: &DelegationRequest,
    now: Timestamp,
) -> Result<(), StoreError> {
    let body = within_topic(request, ids, &fields(request, "StateChange", now), now);
    event_queue::put(tx, vec![Message::new(&request.asked.channel, body)], now).map(|_| ())
}

/// The token was sent: this is it. It waits sealed until it is delivered.
///
/// # Errors
/// If the store or the key ring fails, or the token would be lost, for too much waits for the topic.
pub fn tell_token(
    tx: &mut Tx<'_>,
    (ids, ring): (&Ids, &KeyRing),
    request: &DelegationRequest,
    (token, sent): (&Secret<String>, &Sent),
    now: Timestamp,
) -> Result<(), TellError> {
    let mut fields = fields(request, "ExchangeToken", now);
    fields.insert("ExchangeToken".to_owned(), token.expose().as_str().into());
    fields.insert("ExpiresAt".to_owned(), sent.until.iso8601_millis().into());
    let body = zeroize::Zeroizing::new(within_topic(request, ids, &fields, now));
    let message = Message::secret(ring, &request.asked.channel, &body)?;
    match event_queue::put(tx, vec![message], now)? {
        0 => Ok(()),
        _ => Err(TellError::Full),
    }
}

/// A partner could not be told.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too much waits for it.
    #[error("too many messages wait for the topic of a delegation request")]
    Full,
    /// The key ring failed.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
}

fn fields(request: &DelegationRequest, kind: &str, now: Timestamp) -> Map<String, Value> {
    let owner = request.owner_account.as_ref().map(|account| account.as_str().to_owned());
    let fields = [
        ("Type", Some(kind.to_owned())),
        ("RequestId", Some(request.id.clone())),
        ("RequestorWorkflowId", Some(request.asked.workflow.clone())),
        ("State", Some(request.state(now).as_str().to_owned())),
        ("OwnerAccountId", owner),
        ("UpdatedAt", Some(request.updated.iso8601_millis())),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
}

fn within_topic(
    request: &DelegationRequest,
    ids: &Ids,
    fields: &Map<String, Value>,
    now: Timestamp,
) -> String {
    let message = Value::Object(fields.clone());
    topic_notification(&request.asked.channel, None, &message, &ids.uuid(), &now.iso8601_millis()).to_string()
}
