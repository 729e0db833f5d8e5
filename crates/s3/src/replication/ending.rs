//! How the replication of a version ended, said of the version itself.

use daypass_core::objects::{At, Commit, Error as Engine, Timestamp, Update, Version, VersionId};
use daypass_core::outbox;
use daypass_core::{Error, State};

use super::{SERVICE, Status};
use crate::bucket::Bucket;
use crate::description::Description;
use crate::event::{Event, Telling, Unreplicated};
use crate::object::key;

/// What changes meanwhile is looked at again, so often.
pub(super) const ATTEMPTS: usize = 3;

/// How a replication ended.
#[derive(Debug)]
pub(super) enum How {
    Well,
    /// With what of it is told to who wants to know.
    Badly(Vec<Unreplicated>),
}

impl How {
    /// The same, with one more failure.
    pub(super) fn and(self, told: Option<Unreplicated>) -> Self {
        let mut failures = match self {
            Self::Well => vec![],
            Self::Badly(failures) => failures,
        };
        failures.extend(told);
        Self::Badly(failures)
    }
}

/// A version of a bucket.
pub(super) struct Original<'a> {
    pub(super) state: &'a State,
    pub(super) bucket: &'a Bucket,
    pub(super) key: &'a str,
}

impl Original<'_> {
    /// # Errors
    /// If the key is none.
    pub(super) fn at(&self, id: &VersionId) -> Result<At, Error> {
        Ok(At::version(self.bucket.id(), key(self.key)?, id.clone()))
    }

    /// Says how it went; `false` if the version changed meanwhile.
    ///
    /// # Errors
    /// If the object store fails.
    pub(super) async fn end(&self, version: &Version, how: How) -> Result<bool, Error> {
        let described = Description::decode(&version.meta)?;
        let status = described.replication.unwrap_or(Status::Pending).ended(matches!(how, How::Well));
        if described.replication == Some(status) {
            return Ok(true);
        }
        let described = Description { replication: Some(status), ..described };
        let now = Timestamp(u64::try_from(self.state.clock.now().millis()).unwrap_or(0));
        let update = Update {
            only_if: Some((version.generation, version.revision)),
            meta: Some(described.encode()?.into()),
            ..Update::new(self.at(&version.id)?, self.telling(Commit::at(now), version, how)?)
        };
        match self.state.objects.update(update).await {
            Ok(_) => Ok(true),
            Err(Engine::RevisionChanged { .. } | Engine::SourceChanged) => Ok(false),
            Err(error) if is_gone(&error) => Ok(true),
            Err(error) => Err(Error::Internal(Box::new(error))),
        }
    }

    fn telling(&self, commit: Commit, version: &Version, how: How) -> Result<Commit, Error> {
        let failures = match how {
            How::Badly(failures) if !failures.is_empty() => failures,
            _ => return Ok(commit),
        };
        let Some(telling) = Telling::of_service(self.state, self.bucket, SERVICE)? else { return Ok(commit) };
        let event = |what| Event::of_failure(self.key, version, what);
        let events: Vec<_> = failures.into_iter().map(event).collect();
        Ok(commit.with_note(outbox::only_told(|_| telling.tell(events))))
    }

    /// Says that it failed, whatever else changes meanwhile. What is gone, or is a delete marker, cannot say.
    ///
    /// # Errors
    /// If it could not be said.
    pub(super) async fn fail(&self, id: &VersionId) -> Result<(), String> {
        for _ in 0..ATTEMPTS {
            match self.state.objects.head(self.at(id).map_err(told)?).await {
                Ok(version) if self.end(&version, How::Badly(vec![])).await.map_err(told)? => return Ok(()),
                Ok(_) => {}
                Err(error) if is_gone(&error) => return Ok(()),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("it does not stop changing".to_owned())
    }
}

/// Whether there is no such object: it is gone, or is a delete marker.
pub(super) fn is_gone(error: &Engine) -> bool {
    matches!(
        error,
        Engine::NoSuchBucket
            | Engine::NoSuchKey { .. }
            | Engine::NoSuchVersion
            | Engine::InvalidVersionId
            | Engine::IsDeleteMarker { .. }
    )
}

/// What failed, in words.
pub(super) fn told(error: Error) -> String {
    match error {
        Error::Fault(fault) => fault.message,
        Error::Internal(error) => error.to_string(),
    }
}
