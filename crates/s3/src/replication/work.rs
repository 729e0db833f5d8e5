//! The work: takes what waits to be replicated, does it as the role that the bucket's configuration names, and says of the
//! original how it went.

use std::collections::HashMap;
use std::sync::Arc;

use daypass_core::assume::Asking;
use daypass_core::objects::{Error as Engine, Timestamp, Version, VersionId};
use daypass_core::store::StoreError;
use daypass_core::{Error, ServiceRole, State};
use futures_util::StreamExt as _;

use super::SERVICE;
use super::ending::{ATTEMPTS, How, Original, is_gone, told};
use super::intent::What;
use super::queue::{self, Task};
use super::replica::{Found, Replica, Stop};
use super::rules::{Looked, Rule, Rules};
use crate::bucket::Bucket;
use crate::description::Description;
use crate::event::Unreplicated;
use crate::object::tags_of;

/// The session's name, as S3's are called.
const SESSION: &str = "s3-replication";
/// So many are taken at once.
const AT_ONCE: usize = 256;
/// And so many are under way at a time.
const UNDER_WAY: usize = 16;

/// What came of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replicated {
    /// So many versions are done with, for better or worse.
    pub done: usize,
    /// So many are tried again later.
    pub later: usize,
}

/// Replicates what waits and is due. To be called from time to time, after [`queue_events`](crate::queue_events); it may be
/// called again at any point, and what was done is done once.
///
/// # Errors
/// If the store fails. What was not done waits.
pub async fn replicate_due(state: &Arc<State>) -> Result<Replicated, StoreError> {
    let mut all = Replicated::default();
    loop {
        let tasks = queue::due(state, AT_ONCE)?;
        if tasks.is_empty() {
            return Ok(all);
        }
        let sessions = sessions(state, &tasks).await?;
        let work = tasks.into_iter().map(|task| {
            let session = sessions.get(&task.bucket_number);
            async move {
                let done = replicate(state, &task, session).await;
                (task, done)
            }
        });
        let work: Vec<(Task, bool)> =
            futures_util::stream::iter(work).buffer_unordered(UNDER_WAY).collect().await;
        let (done, later): (Vec<_>, Vec<_>) = work.into_iter().partition(|(_, done)| *done);
        let tasks = |some: Vec<(Task, bool)>| some.into_iter().map(|(task, _)| task).collect::<Vec<_>>();
        let (done, later) = (tasks(done), tasks(later));
        queue::settle(state, &done, &later).await?;
        all.done += done.len();
        all.later += later.len();
    }
}

/// A session of the role that a bucket's configuration names. It is for the rules of a configuration that names this role: who
/// put others may not have been able to pass it.
struct Session {
    /// The role's ARN.
    of: String,
    /// Nothing where it cannot be assumed.
    role: Option<ServiceRole>,
}

/// The sessions that replicate, by their buckets' numbers; none where nothing is configured.
async fn sessions(state: &State, tasks: &[Task]) -> Result<HashMap<u64, Session>, StoreError> {
    let mut sessions = HashMap::new();
    for task in tasks {
        if sessions.contains_key(&task.bucket_number) {
            continue;
        }
        let bucket = find(state, task)?;
        let rules = bucket.as_ref().and_then(|bucket| Some((bucket, bucket.replication().ok()??)));
        let Some((bucket, rules)) = rules else { continue };
        let arn = bucket.arn();
        let asking = Asking {
            service: SERVICE,
            session_name: SESSION,
            region: &bucket.region,
            source: (&arn, &bucket.account),
        };
        let role = ServiceRole::assume(state, &rules.role, &asking).await?;
        sessions.insert(task.bucket_number, Session { of: rules.role.clone(), role });
    }
    Ok(sessions)
}

fn find(state: &State, task: &Task) -> Result<Option<Arc<Bucket>>, StoreError> {
    let found = state.kept.get::<Bucket>(&Bucket::key_of(&task.bucket))?;
    Ok(found.filter(|bucket| bucket.number == task.bucket_number))
}

/// Whether a task is done with.
async fn replicate(state: &Arc<State>, task: &Task, session: Option<&Session>) -> bool {
    let mut why = "it does not stop changing".to_owned();
    for _ in 0..ATTEMPTS {
        match attempt(state, task, session).await {
            Ok(true) => return true,
            Ok(false) => {}
            Err(failure) => {
                why = failure;
                break;
            }
        }
    }
    let (bucket, version) = (&task.bucket, &task.version);
    if task.is_old(state.clock.now()) {
        tracing::error!(
            bucket,
            key = task.object_key(),
            version,
            "not replicated for a day, and given up: {why}"
        );
        return match give_up(state, task).await {
            Ok(()) => true,
            Err(why) => {
                tracing::error!(bucket, version, "nor could that be said of it, and is to be later: {why}");
                false
            }
        };
    }
    tracing::warn!(bucket, key = task.object_key(), version, "not replicated yet: {why}");
    false
}

/// Tries once; `false` if it changed meanwhile.
async fn attempt(state: &Arc<State>, task: &Task, session: Option<&Session>) -> Result<bool, String> {
    // What is gone needs no replica.
    let Some(bucket) = find(state, task).map_err(|error| error.to_string())? else { return Ok(true) };
    let work = Work { state, bucket: &bucket, key: task.object_key(), what: task.what, session };
    let Ok(id) = VersionId::parse(&task.version) else { return Ok(true) };
    let at = work.original().at(&id).map_err(told)?;
    let ended = match state.objects.head(at).await {
        Ok(version) if task.what != What::Marker => work.object(&version).await,
        Err(Engine::IsDeleteMarker { id, modified, .. }) => return work.marker(&id, modified).await,
        Ok(_) => return Ok(true),
        Err(error) if is_gone(&error) => return Ok(true),
        Err(error) => return Err(error.to_string()),
    };
    ended.map_err(told)?
}

async fn give_up(state: &Arc<State>, task: &Task) -> Result<(), String> {
    let Some(bucket) = find(state, task).map_err(|error| error.to_string())? else { return Ok(()) };
    let Ok(id) = VersionId::parse(&task.version) else { return Ok(()) };
    Original { state, bucket: &bucket, key: &task.object_key() }.fail(&id).await
}

/// One version of one bucket.
struct Work<'a> {
    state: &'a Arc<State>,
    bucket: &'a Bucket,
    key: String,
    what: What,
    session: Option<&'a Session>,
}

impl Work<'_> {
    fn original(&self) -> Original<'_> {
        Original { state: self.state, bucket: self.bucket, key: &self.key }
    }

    /// Replicates an object: `false` if it changed meanwhile, an error in words if it should be tried later.
    async fn object(&self, version: &Version) -> Result<Result<bool, String>, Error> {
        let described = Description::decode(&version.meta)?;
        let tags = tags_of(version)?;
        let is_replica = described.replication.is_some_and(super::Status::is_of_replica);
        let Some(rules) = self.bucket.replication()? else {
            self.refused(&version.id, "", &("SrcBucketReplicationConfigMissing", String::new()));
            return Ok(Ok(self.original().end(version, How::Badly(vec![])).await?));
        };
        let looked = Looked { key: &self.key, tags: &tags, sealing: described.sealing.as_ref(), is_replica };
        let chosen = rules.of_object(&looked);
        if chosen.is_empty() {
            // Rules that are for it no more let changes be; what was to be made is not made.
            return Ok(Ok(match described.replication {
                Some(_) if self.what == What::Changed => self.original().end(version, How::Well).await?,
                Some(_) => self.original().end(version, How::Badly(vec![])).await?,
                None => true,
            }));
        }
        let role = match self.role_of(&rules) {
            Ok(role) => role,
            Err(why) => return Ok(Err(why)),
        };
        let found = Found { version, described: &described, tags: &tags };
        let (mut how, mut failed) = (How::Well, None);
        for rule in chosen {
            let is_new = self.what == What::Made && !is_replica;
            let done = match self.replica(role, &version.id, rule) {
                Ok(replica) => replica.of_object(&found, is_new).await,
                Err(stop) => Err(stop),
            };
            match done {
                Ok(()) => {}
                Err(Stop::Changed) => return Ok(Ok(false)),
                // The others do not wait for this one.
                Err(Stop::Failed(why)) => failed = Some(why),
                Err(Stop::Refused(reason, more)) => {
                    self.refused(&version.id, &rule.to.bucket, &(reason, more));
                    how = how.and(self.failure(version, rule, reason));
                }
            }
        }
        match failed {
            Some(why) => Ok(Err(why)),
            None => Ok(Ok(self.original().end(version, how).await?)),
        }
    }

    async fn marker(&self, id: &VersionId, modified: Timestamp) -> Result<bool, String> {
        let Some(rules) = self.bucket.replication().map_err(told)? else { return Ok(true) };
        let role = self.role_of(&rules)?;
        let mut failed = None;
        for rule in rules.of_marker(&self.key) {
            let done = match self.replica(role, id, rule) {
                Ok(replica) => replica.of_marker(modified).await,
                Err(stop) => Err(stop),
            };
            match done {
                Ok(()) => {}
                Err(Stop::Changed) => return Ok(false),
                Err(Stop::Failed(why)) => failed = Some(why),
                Err(Stop::Refused(reason, more)) => self.refused(id, &rule.to.bucket, &(reason, more)),
            }
        }
        failed.map_or(Ok(true), Err)
    }

    /// The role that follows these rules, if it could be assumed. An error if these are not those that it was assumed for.
    fn role_of(&self, rules: &Rules) -> Result<Option<&ServiceRole>, String> {
        let session = self.session.filter(|session| session.of == rules.role);
        let session = session.ok_or("the configuration names another role than it did")?;
        Ok(session.role.as_ref())
    }

    fn replica<'r>(
        &'r self,
        role: Option<&'r ServiceRole>,
        id: &'r VersionId,
        rule: &'r Rule,
    ) -> Result<Replica<'r>, Stop> {
        let none = || Stop::Refused("AssumeRoleNotPermitted", "S3 may not assume the role".to_owned());
        Ok(Replica {
            state: self.state,
            role: role.ok_or_else(none)?,
            source: self.bucket,
            key: &self.key,
            id,
            rule,
        })
    }

    /// What is told of a failure, if anything is.
    fn failure(&self, version: &Version, rule: &Rule, reason: &str) -> Option<Unreplicated> {
        let written = i64::try_from(version.modified.0).unwrap_or(i64::MAX);
        (rule.tells && self.what == What::Made).then(|| Unreplicated {
            rule: rule.id.clone(),
            to: rule.to.bucket.clone(),
            written: daypass_core::model::Timestamp::from_millis(written),
            reason: reason.to_owned(),
        })
    }

    fn refused(&self, id: &VersionId, to: &str, (reason, more): &(&'static str, String)) {
        let (bucket, key) = (&self.bucket.name, &self.key);
        tracing::warn!(bucket, key, version = %id, to, reason, "not replicated: {more}");
    }
}

#[cfg(test)]
mod tests;
