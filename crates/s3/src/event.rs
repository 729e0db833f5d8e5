//! What a bucket's notification configuration wants told of a change: found out with the change, and durable with it
//! (S3 user guide, "Event notification types and destinations").

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::model::Timestamp;
use daypass_core::objects::{Deleted, Error as Engine, Outcome, Version, VersionId, Written};
use daypass_core::{CallerKind, Cx, Error, Ids, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bucket::{self, Bucket};
use crate::uri;

/// The tag of no bytes, which a delete marker has in an event.
const NO_BYTES: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// What a bucket wants told, read once.
#[derive(Debug)]
pub(crate) struct Wishes(Vec<Wish>);

/// One configuration.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) for_whom: Addressee,
    /// Types, as `s3:ObjectCreated:*`; an event bus is told everything.
    pub(crate) events: BTreeSet<&'static str>,
    pub(crate) prefix: String,
    pub(crate) suffix: String,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Addressee {
    /// The destination's ARN.
    pub(crate) destination: String,
    /// The id of the configuration.
    pub(crate) id: String,
}

/// A request's changes, or a lifecycle's, as they are kept until messages are made of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    pub(crate) time: Timestamp,
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) account: String,
    /// The bucket's owner as messages name it.
    pub(crate) owner: String,
    /// Who asked, likewise.
    pub(crate) principal: String,
    /// The account that asked, or the service.
    pub(crate) requester: String,
    pub(crate) address: Option<String>,
    pub(crate) request_id: String,
    /// An id of which those of the messages are made.
    pub(crate) id: String,
    pub(crate) addressees: Vec<Addressee>,
    pub(crate) events: Vec<Event>,
}

/// What could not be replicated, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unreplicated {
    /// The id of the rule.
    pub(crate) rule: String,
    /// The name of the bucket where it was to go.
    pub(crate) to: String,
    /// When it was written.
    pub(crate) written: Timestamp,
    pub(crate) reason: String,
}

/// One event.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    /// Its type, as `ObjectCreated:Put`.
    #[serde(rename = "n")]
    pub(crate) name: String,
    /// The key, base64.
    #[serde(rename = "k")]
    key: String,
    #[serde(rename = "s", skip_serializing_if = "Option::is_none", default)]
    pub(crate) size: Option<u64>,
    #[serde(rename = "e", skip_serializing_if = "Option::is_none", default)]
    pub(crate) etag: Option<String>,
    #[serde(rename = "v", skip_serializing_if = "Option::is_none", default)]
    pub(crate) version: Option<String>,
    #[serde(rename = "r", skip_serializing_if = "Option::is_none", default)]
    pub(crate) unreplicated: Option<Unreplicated>,
    /// Who is told: places in the list of addressees.
    #[serde(rename = "to")]
    pub(crate) to: Vec<usize>,
}

impl Event {
    fn new(name: &str, key: &str) -> Self {
        Self { name: name.to_owned(), key: BASE64.encode(key), ..Self::default() }
    }

    fn of_written(name: &str, key: &str, written: &Written) -> Self {
        Self {
            size: Some(written.size),
            etag: Some(written.etag.to_string()),
            version: named(&written.id),
            ..Self::new(name, key)
        }
    }

    /// What happened to a version whose bytes stay.
    pub(crate) fn of_version(name: &str, key: &str, version: &Version) -> Self {
        Self { etag: Some(version.etag.to_string()), version: named(&version.id), ..Self::new(name, key) }
    }

    /// The replication of a version that was written failed.
    pub(crate) fn of_failure(key: &str, version: &Version, what: Unreplicated) -> Self {
        let event = Self::of_version("Replication:OperationFailedReplication", key, version);
        Self { size: Some(version.size), unreplicated: Some(what), ..event }
    }

    /// The key.
    pub(crate) fn key(&self) -> String {
        let bytes = BASE64.decode(&self.key).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn named(id: &VersionId) -> Option<String> {
    (*id != VersionId::Null).then(|| id.to_string())
}

impl Wishes {
    pub(crate) fn new(wishes: Vec<Wish>) -> Self {
        Self(wishes)
    }

    fn reached(&self, state: &State, bucket: &Bucket) -> Vec<bool> {
        self.0.iter().map(|wish| wish.for_whom.is_reached(state, bucket)).collect()
    }
}

impl Wish {
    /// Prefixes and suffixes are written percent-encoded, a space as `+` (S3 user guide, "Configuring event notifications
    /// using object key name filtering").
    pub(crate) fn plain(value: &str) -> String {
        uri::decode(value, true).unwrap_or_else(|| value.to_owned())
    }

    fn is_of(&self, event: &Event, key: &str) -> bool {
        let is_asked = |asked: &&str| {
            let asked = asked.strip_prefix("s3:").unwrap_or(asked);
            asked == event.name
                || asked.strip_suffix('*').is_some_and(|family| event.name.starts_with(family))
        };
        (self.for_whom.is_event_bus() || self.events.iter().any(is_asked))
            && key.starts_with(&self.prefix)
            && key.ends_with(&self.suffix)
    }
}

impl Addressee {
    /// Whether it is told of this bucket: the operator gave it a place, and it is of the bucket's own account. What was put
    /// without a look at its destinations is held to it as well.
    pub(crate) fn is_reached(&self, state: &State, bucket: &Bucket) -> bool {
        let account = self.destination.split(':').nth(4);
        account == Some(bucket.account.as_str()) && state.destinations.has(&self.destination)
    }

    /// Whether it is told everything, in messages of its own form.
    pub(crate) fn is_event_bus(&self) -> bool {
        self.destination.starts_with("arn:aws:events:")
    }
}

/// Tells what becomes of a request, once it is known.
#[derive(Clone)]
pub(crate) struct Telling {
    wishes: Arc<Wishes>,
    /// Who of them can be told.
    reached: Vec<bool>,
    told: Told,
}

impl Telling {
    /// Of a request to the bucket; `None` where nobody wants to know.
    ///
    /// # Errors
    /// If the bucket's configuration does not read, or the store fails.
    pub(crate) fn of(cx: &Cx, bucket: &Bucket) -> Result<Option<Self>, Error> {
        let wishes = bucket.wishes()?;
        let reached = wishes.reached(cx.state(), bucket);
        if !reached.contains(&true) {
            return Ok(None);
        }
        let caller = cx.caller();
        let principal = match (caller.kind(), caller.account()) {
            (CallerKind::Anonymous, _) => "Anonymous".to_owned(),
            (CallerKind::Root(_), Some(account)) => customer_id(cx.state(), account.as_str())?,
            _ => format!("AWS:{}", caller.user_id()),
        };
        let told = Told {
            principal,
            requester: caller.account().map_or_else(|| "anonymous".to_owned(), |a| a.to_string()),
            address: Some(cx.peer().address.to_string()),
            request_id: cx.request_id().to_owned(),
            ..told(cx.state(), bucket, cx.now(), cx.ids().uuid())?
        };
        Ok(Some(Self { wishes, reached, told }))
    }

    /// Of what a service does by itself: the bucket's lifecycle, or log delivery.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) fn of_service(state: &State, bucket: &Bucket, service: &str) -> Result<Option<Self>, Error> {
        let wishes = bucket.wishes()?;
        let reached = wishes.reached(state, bucket);
        if !reached.contains(&true) {
            return Ok(None);
        }
        let ids = Ids::drawn(&*state.entropy);
        let told = Told {
            principal: service.to_owned(),
            requester: service.to_owned(),
            request_id: ids.s3_request_id(state.clock.now()),
            ..told(state, bucket, state.clock.now(), ids.uuid())?
        };
        Ok(Some(Self { wishes, reached, told }))
    }

    /// The same of a further change.
    pub(crate) fn again(&self, state: &State) -> Self {
        let mut next = self.clone();
        next.told.id = Ids::drawn(&*state.entropy).uuid();
        next
    }

    /// What is told of these events; `None` if nobody wants to know of any.
    pub(crate) fn tell(mut self, events: impl IntoIterator<Item = Event>) -> Option<Value> {
        let mut places: Vec<Option<usize>> = vec![None; self.wishes.0.len()];
        let addressees = &mut self.told.addressees;
        for mut event in events {
            let key = event.key();
            let wishes = self.wishes.0.iter().zip(&self.reached).zip(&mut places);
            let wishes = wishes.filter(|((wish, reached), _)| **reached && wish.is_of(&event, &key));
            // Only who is told is noted: a bucket may have a hundred.
            let to = wishes.map(|((wish, _), place)| {
                *place.get_or_insert_with(|| {
                    addressees.push(wish.for_whom.clone());
                    addressees.len() - 1
                })
            });
            event.to = to.collect();
            if !event.to.is_empty() {
                self.told.events.push(event);
            }
        }
        if self.told.events.is_empty() {
            return None;
        }
        let told = serde_json::to_value(self.told);
        if let Err(error) = &told {
            tracing::error!(%error, "an event cannot be written");
        }
        told.ok()
    }
}

fn told(state: &State, bucket: &Bucket, time: Timestamp, id: String) -> Result<Told, Error> {
    Ok(Told {
        time,
        bucket: bucket.name.clone(),
        region: bucket.region.clone(),
        account: bucket.account.to_string(),
        owner: customer_id(state, bucket.account.as_str())?,
        principal: String::new(),
        requester: String::new(),
        address: None,
        request_id: String::new(),
        id,
        addressees: vec![],
        events: vec![],
    })
}

/// The id of an account as a customer of Amazon's, which is neither its number nor its canonical id: it has the form that
/// AWS's have.
fn customer_id(state: &State, account: &str) -> Result<String, Error> {
    let account = account.parse().map_err(|_| Error::Internal("an account that is none".into()))?;
    let canonical = bucket::canonical_id_of(state, &account)?;
    Ok(format!("A{}", canonical.chars().take(13).collect::<String>().to_ascii_uppercase()))
}

/// What is told of an object that is made: `name` is the event's, as `ObjectCreated:Put`.
pub(crate) fn created(
    telling: Option<Telling>,
    name: &'static str,
    key: &str,
) -> impl FnOnce(&Outcome<'_>) -> Option<Value> + Send + 'static {
    let telling = telling.map(|telling| (telling, key.to_owned()));
    move |outcome| {
        let (telling, key) = telling?;
        let written = match outcome {
            Outcome::Written(written) => written,
            Outcome::Completed(completed) if !completed.repeated => &completed.written,
            _ => return None,
        };
        telling.tell([Event::of_written(name, &key, written)])
    }
}

/// What is told of objects that are removed; `family` is `ObjectRemoved` or `LifecycleExpiration`.
pub(crate) fn removed<'k>(
    telling: Option<Telling>,
    family: &'static str,
    keys: impl Iterator<Item = &'k str>,
) -> impl FnOnce(&Outcome<'_>) -> Option<Value> + Send + 'static {
    let telling = telling.map(|telling| (telling, keys.map(str::to_owned).collect::<Vec<_>>()));
    move |outcome| {
        let (telling, keys) = telling?;
        let Outcome::Deleted(results) = outcome else { return None };
        telling.tell(keys.iter().zip(*results).filter_map(|(key, result)| removal(family, key, result)))
    }
}

/// Nothing is told of a key that was not there.
fn removal(family: &str, key: &str, result: &Result<Deleted, Engine>) -> Option<Event> {
    let deleted = result.as_ref().ok()?;
    match (&deleted.marker, &deleted.removed) {
        (Some(marker), _) => Some(Event {
            etag: Some(NO_BYTES.to_owned()),
            version: named(marker),
            ..Event::new(&format!("{family}:DeleteMarkerCreated"), key)
        }),
        (None, Some(gone)) => {
            Some(Event { version: named(gone), ..Event::new(&format!("{family}:Delete"), key) })
        }
        (None, None) => None,
    }
}
