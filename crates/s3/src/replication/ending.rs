//! How the replication of a version ended, said of the version itself.

use daypass_core::objects::{At, Commit, Error as Engine, Timestamp, Update, Version, VersionId};
use daypass_core::{Error, State};

use super::Status;
use crate::bucket::Bucket;
use crate::description::Description;
use crate::object::key;

/// What changes meanwhile is looked at again, so often.
pub(super) const ATTEMPTS: usize = 3;

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
    pub(super) async fn end(&self, version: &Version, well: bool) -> Result<bool, Error> {
        let described = Description::decode(&version.meta)?;
        let status = described.replication.unwrap_or(Status::Pending).ended(well);
        if described.replication == Some(status) {
            return Ok(true);
        }
        let described = Description { replication: Some(status), ..described };
        let now = Timestamp(u64::try_from(self.state.clock.now().millis()).unwrap_or(0));
        let update = Update {
            only_if: Some((version.generation, version.revision)),
            meta: Some(described.encode()?.into()),
            ..Update::new(self.at(&version.id)?, Commit::at(now))
        };
        match self.state.objects.update(update).await {
            Ok(_) => Ok(true),
            Err(Engine::RevisionChanged { .. } | Engine::SourceChanged) => Ok(false),
            Err(error) if is_gone(&error) => Ok(true),
            Err(error) => Err(Error::Internal(Box::new(error))),
        }
    }

    /// Says that it failed, whatever else changes meanwhile. What is gone, or is a delete marker, cannot say.
    ///
    /// # Errors
    /// If it could not be said.
    pub(super) async fn fail(&self, id: &VersionId) -> Result<(), String> {
        for _ in 0..ATTEMPTS {
            match self.state.objects.head(self.at(id).map_err(told)?).await {
                Ok(version) if self.end(&version, false).await.map_err(told)? => return Ok(()),
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
