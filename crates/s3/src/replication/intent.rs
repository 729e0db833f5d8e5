//! What is noted with a change that is to be replicated: in the same note of the object store's that tells of its events, so
//! that it is durable exactly when the change is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use daypass_core::Error;
use daypass_core::model::AccountId;
use daypass_core::objects::{Outcome, VersionId};
use daypass_core::store::records::Tag;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Status;
use super::rules::Looked;
use crate::bucket::Bucket;
use crate::description::Description;
use crate::encryption::Sealing;

/// What became of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    /// It was made.
    Made,
    /// Something that is said of it was changed.
    Changed,
    /// It is a delete marker, and was made.
    Marker,
}

/// Versions of one request that are to be replicated.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intents {
    pub(super) bucket: String,
    /// The bucket's number, for another one may come to have its name.
    pub(super) number: u64,
    /// Whose it is.
    pub(super) account: AccountId,
    pub(super) what: What,
    /// Keys, base64, and versions.
    pub(super) of: Vec<(String, String)>,
}

/// What is told of events, and what is to be replicated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    events: Value,
    replicate: Intents,
}

impl Intents {
    fn new(bucket: &Bucket, what: What) -> Self {
        let (name, account) = (bucket.name.clone(), bucket.account.clone());
        Self { bucket: name, number: bucket.number, account, what, of: vec![] }
    }

    fn with(mut self, key: &str, version: &VersionId) -> Self {
        self.of.push((BASE64.encode(key), version.to_string()));
        self
    }

    /// What is noted of these events and of this.
    fn beside(self, events: Option<Value>) -> Option<Value> {
        if self.of.is_empty() {
            return events;
        }
        Some(json!({ "events": events, "replicate": self }))
    }

    /// How many versions these are.
    pub(crate) fn len(&self) -> usize {
        self.of.len()
    }

    /// What was noted, apart: what is told of events, and what is to be replicated.
    ///
    /// # Errors
    /// If it is not what was written.
    pub(crate) fn apart(noted: &Value) -> Result<(Option<Value>, Option<Self>), serde_json::Error> {
        if noted.get("replicate").is_none() {
            return Ok((Some(noted.clone()), None));
        }
        let Both { events, replicate } = Both::deserialize(noted)?;
        Ok(((!events.is_null()).then_some(events), Some(replicate)))
    }
}

/// An object that is to be replicated once it is what it is to be.
pub(crate) struct Replicating {
    intents: Intents,
    key: String,
    /// How its replication stands with the change.
    pub(crate) status: Status,
}

impl Replicating {
    fn new(bucket: &Bucket, key: &str, what: What, status: Status) -> Self {
        Self { intents: Intents::new(bucket, what), key: key.to_owned(), status: status.waiting() }
    }

    /// What is noted of a change: its events, and this.
    pub(crate) fn telling(
        replicating: Option<Self>,
        tell: impl FnOnce(&Outcome<'_>) -> Option<Value> + Send + 'static,
    ) -> impl FnOnce(&Outcome<'_>) -> Option<Value> + Send + 'static {
        move |outcome| {
            let events = tell(outcome);
            let id = match outcome {
                Outcome::Written(written) => &written.id,
                Outcome::Completed(completed) if !completed.repeated => &completed.written.id,
                _ => return events,
            };
            match replicating {
                Some(Self { intents, key, .. }) => intents.with(&key, id).beside(events),
                None => events,
            }
        }
    }

    /// The same of a change of what is said of a version.
    pub(crate) fn telling_of(self, id: &VersionId, events: Option<Value>) -> Option<Value> {
        self.intents.with(&self.key, id).beside(events)
    }

    /// A description with this status.
    ///
    /// # Errors
    /// If it does not read.
    pub(crate) fn marked(&self, meta: &[u8]) -> Result<Bytes, Error> {
        let described = Description { replication: Some(self.status), ..Description::decode(meta)? };
        Ok(described.encode()?.into())
    }
}

/// A new object of the bucket, if any rule is for it.
///
/// # Errors
/// If the bucket's configuration does not read.
pub(crate) fn of_new(
    bucket: &Bucket,
    key: &str,
    tags: &[Tag],
    sealing: Option<&Sealing>,
) -> Result<Option<Replicating>, Error> {
    let Some(rules) = bucket.replication()? else { return Ok(None) };
    let looked = Looked { key, tags, sealing, is_replica: false };
    let is_for = !rules.of_object(&looked).is_empty();
    Ok(is_for.then(|| Replicating::new(bucket, key, What::Made, Status::Pending)))
}

/// An upload that becomes an object, if any rule may be for that: its tags are looked at when it is there.
///
/// # Errors
/// As [`of_new`].
pub(crate) fn of_upload(
    bucket: &Bucket,
    key: &str,
    begun: Option<Status>,
) -> Result<Option<Replicating>, Error> {
    let rules = bucket.replication()?;
    let may = begun.is_some() || rules.is_some_and(|rules| rules.may_be_for(key));
    Ok(may.then(|| Replicating::new(bucket, key, What::Made, Status::Pending)))
}

/// A change of what is said of a version, if the version has to do with replication and a rule is for that.
///
/// # Errors
/// As [`of_new`].
pub(crate) fn of_change(
    bucket: &Bucket,
    key: &str,
    tags: &[Tag],
    meta: &[u8],
) -> Result<Option<Replicating>, Error> {
    let Some(rules) = bucket.replication()? else { return Ok(None) };
    let Description { replication: Some(status), sealing, .. } = Description::decode(meta)? else {
        return Ok(None);
    };
    let looked = Looked { key, tags, sealing: sealing.as_ref(), is_replica: status.is_of_replica() };
    let is_for = !rules.of_object(&looked).is_empty();
    Ok(is_for.then(|| Replicating::new(bucket, key, What::Changed, status)))
}

/// What is noted of deletions: their events, and the delete markers that are to be replicated.
///
/// # Errors
/// As [`of_new`].
pub(crate) fn of_markers<'k>(
    bucket: &Bucket,
    keys: impl Iterator<Item = &'k str>,
    tell: impl FnOnce(&Outcome<'_>) -> Option<Value> + Send + 'static,
) -> Result<impl FnOnce(&Outcome<'_>) -> Option<Value> + Send + 'static, Error> {
    let rules = bucket.replication()?;
    let noted = rules.map(|rules| {
        let taken = |key: &str| (!rules.of_marker(key).is_empty()).then(|| key.to_owned());
        (Intents::new(bucket, What::Marker), keys.map(taken).collect::<Vec<_>>())
    });
    Ok(move |outcome: &Outcome<'_>| {
        let events = tell(outcome);
        let (Some((intents, keys)), Outcome::Deleted(results)) = (noted, outcome) else { return events };
        let mut made = keys
            .iter()
            .zip(*results)
            .filter_map(|(key, result)| Some((key.as_deref()?, result.as_ref().ok()?.marker.as_ref()?)));
        made.by_ref().fold(intents, |intents, (key, id)| intents.with(key, id)).beside(events)
    })
}
