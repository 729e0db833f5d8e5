//! Changes of what is said of an object, whose bytes stay: its tags, its lock, its description.

use bytes::Bytes;
use daypass_core::model::IntoValue;
use daypass_core::model::s3::errors;
use daypass_core::objects::{Error as Engine, Lock, Outcome, Update};
use daypass_core::{Cx, Error, Fault};

use crate::conditional::not_written;
use crate::event::Telling;
use crate::object::Subject;
use crate::replication;

/// An object that changes while something is changed about it is looked at again, so often.
pub(crate) const ATTEMPTS: usize = 3;

/// What is changed; the rest stays.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) meta: Option<Bytes>,
    pub(crate) tags: Option<Bytes>,
    pub(crate) lock: Option<Lock>,
    /// Whether the caller may and wants to bypass a governance retention.
    pub(crate) bypass_governance: bool,
    /// The event that it is, as `ObjectTagging:Put`; some changes are none.
    pub(crate) event: Option<&'static str>,
}

/// Changes the object that was asked about, with the record of `output`; `None` if it is not what it was, so that the
/// question has to be asked again.
///
/// # Errors
/// In which way it is not there, or a failure of the object store.
pub(crate) async fn attempt<O: IntoValue + Clone + Send + 'static>(
    cx: &Cx,
    subject: &Subject,
    change: Change,
    output: O,
) -> Result<Option<O>, Error> {
    let version = &subject.opened(cx)?.version;
    let noted = output.clone();
    let telling = match change.event {
        Some(name) => {
            Telling::of(cx, &subject.bucket)?.map(|telling| (telling, subject.event(name, version)))
        }
        None => None,
    };
    let replicating = replication::of_change(&subject.bucket, subject.name(), subject.tags(), &version.meta)?;
    let meta = match &replicating {
        Some(replicating) => Some(replicating.marked(change.meta.as_ref().unwrap_or(&version.meta))?),
        None => change.meta,
    };
    let id = version.id.clone();
    let tell = move |_: &Outcome<'_>| {
        let events = telling.and_then(|(telling, event)| telling.tell([event]));
        match replicating {
            Some(replicating) => replicating.telling_of(&id, events),
            None => events,
        }
    };
    let update = Update {
        only_if: Some((version.generation, version.revision)),
        meta,
        tags: change.tags,
        lock: change.lock,
        bypass_governance: change.bypass_governance,
        ..Update::new(subject.at.clone(), cx.commit_telling(move |_| Some(noted), tell))
    };
    match cx.state().objects.update(update).await {
        Ok(_) => Ok(Some(output)),
        Err(
            Engine::RevisionChanged { .. }
            | Engine::SourceChanged
            | Engine::NoSuchKey { .. }
            | Engine::NoSuchVersion
            | Engine::IsDeleteMarker { .. },
        ) => Ok(None),
        Err(error) => Err(not_written(cx, &subject.bucket, subject.name(), error)),
    }
}

/// An object that never stopped changing.
pub(crate) fn aborted() -> Fault {
    let words = "A conflicting conditional operation is currently in progress against this resource. Please try again.";
    Fault::new(&errors::OPERATION_ABORTED, words)
}
