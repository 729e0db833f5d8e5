//! What lifecycles let go: objects and versions whose time is over, delete markers above nothing, uploads that nobody
//! finished.
//!
//! A time is over at the first midnight UTC after the days have passed (S3 user guide, "Lifecycle rules: based on an
//! object's age"). Every deletion is on the condition that the key's current object is still the one that was looked at,
//! so that nothing goes that was written meanwhile; what is held by a lock stays.

use daypass_core::model::s3::{ExpirationStatus, LifecycleRule, LifecycleRuleFilter};
use daypass_core::objects::{
    AfterUpload, AfterVersion, AnyVersion, At, Commit, Delete, Entry, Error as Engine, Key, Keys, Listed,
    Match, Preconditions, Timestamp, Upload, UploadAt, Version, VersionId,
};
use daypass_core::store::records::Tag;
use daypass_core::{Error, State, outbox};

use crate::attachment;
use crate::bucket::{self, Bucket};
use crate::description::Description;
use crate::event::{self, Telling};
use crate::replication::Status;
use crate::tag;

/// Who lets go, as events have it.
const SERVICE: &str = "s3.amazonaws.com";
/// Deletions that are made in one change.
const AT_ONCE: usize = 1000;

/// Carries out the lifecycles of all buckets, and says how much ended. To be called from time to time; it may be called
/// again at any point, and finds what is left.
///
/// # Errors
/// If a store fails. The other buckets were looked at all the same; the first failure is told.
pub async fn end_lifetimes(state: &State) -> Result<usize, EndError> {
    let (mut ended, mut failure) = (0, None);
    for bucket in bucket::all(state).map_err(|error| EndError(error.into()))? {
        let result = match bucket.lifecycle_rules() {
            Ok(rules) if rules.is_empty() => continue,
            Ok(rules) => match Telling::of_service(state, &bucket, SERVICE) {
                Ok(telling) => Round::new(state, &bucket, &rules, telling).run().await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match result {
            Ok(number) => ended += number,
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(ended), |error| Err(EndError(error)))
}

/// A lifecycle could not be carried out.
#[derive(Debug)]
pub struct EndError(Error);

impl std::fmt::Display for EndError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Error::Fault(fault) => write!(f, "{fault}"),
            Error::Internal(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for EndError {}

/// One look at one bucket.
struct Round<'a> {
    state: &'a State,
    bucket: &'a Bucket,
    rules: Vec<&'a LifecycleRule>,
    now: i64,
    day: Day,
    due: Vec<Delete>,
    ended: usize,
    /// The first deletion that failed, for another reason than that something changed meanwhile.
    failure: Option<Engine>,
    telling: Option<Telling>,
}

/// The key whose versions are being looked at, from the newest on.
struct Current {
    key: Key,
    /// What the key's current object must still be.
    unchanged: Preconditions,
    /// When the version before was written, which is when the next became noncurrent.
    newer: Timestamp,
    /// How many noncurrent versions were seen.
    noncurrent: i32,
    /// A delete marker on top: it goes if nothing is below it.
    marker: Option<(VersionId, Timestamp)>,
}

impl<'a> Round<'a> {
    fn new(
        state: &'a State,
        bucket: &'a Bucket,
        rules: &'a [LifecycleRule],
        telling: Option<Telling>,
    ) -> Self {
        let rules = rules.iter().filter(|rule| rule.status == ExpirationStatus::Enabled).collect();
        Self {
            state,
            bucket,
            rules,
            now: state.clock.now().millis(),
            day: Day::of(state),
            due: vec![],
            ended: 0,
            failure: None,
            telling,
        }
    }

    async fn run(mut self) -> Result<usize, Error> {
        match self.versions().await {
            Ok(()) | Err(Engine::NoSuchBucket) => {}
            Err(error) => return Err(Error::Internal(Box::new(error))),
        }
        match self.uploads().await {
            Ok(()) | Err(Engine::NoSuchBucket) => {}
            Err(error) => return Err(Error::Internal(Box::new(error))),
        }
        match self.failure {
            None => Ok(self.ended),
            Some(error) => Err(Error::Internal(Box::new(error))),
        }
    }

    async fn versions(&mut self) -> Result<(), Engine> {
        let (mut after, mut current): (Option<AfterVersion>, Option<Current>) = (None, None);
        let elsewhere = self.state.store.read(|tx| attachment::capabilities(tx, &self.bucket.name));
        let elsewhere = elsewhere.map_err(|error| Engine::Io(error.to_string()))?.is_some();
        loop {
            let page = self.state.objects.list_versions(Keys::all(self.bucket.id()), after).await?;
            for entry in page.entries {
                if let Entry::One(mut listed) = entry {
                    if elsewhere {
                        self.learn_tags(&mut listed).await?;
                    }
                    self.version(listed, &mut current);
                }
            }
            if self.due.len() >= AT_ONCE {
                self.delete_due().await?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.finish(current);
        self.delete_due().await
    }

    /// Asks for the tags of a version that comes from a listing without any, if it may go by its tags.
    async fn learn_tags(&self, listed: &mut Listed<AnyVersion>) -> Result<(), Engine> {
        let AnyVersion::Object(version) = &mut listed.what else { return Ok(()) };
        let asks = |rule: &&LifecycleRule| may_go_by_tags(rule, &listed.key, version, self.now, self.day);
        if !self.rules.iter().copied().any(|rule| asks(&rule)) {
            return Ok(());
        }
        let named = (version.id != VersionId::Null || !version.is_latest).then(|| version.id.clone());
        let at = At { bucket: self.bucket.id(), key: listed.key.clone(), version: named };
        match self.state.objects.head(at).await {
            Ok(found) if found.etag == version.etag => version.tags = found.tags,
            // It is another by now, or gone: nothing goes by tags that were not its own.
            Ok(_) | Err(Engine::NoSuchKey { .. } | Engine::NoSuchVersion | Engine::IsDeleteMarker { .. }) => {
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Looks at one version; they come by key, the newest first.
    fn version(&mut self, listed: Listed<AnyVersion>, current: &mut Option<Current>) {
        let Listed { key, what } = listed;
        if current.as_ref().is_none_or(|c| c.key != key) {
            self.finish(current.take());
            *current = Some(self.top(key, what));
            return;
        }
        let Some(current) = current else { return };
        // There is something below: a marker on top stays.
        current.marker = None;
        let (id, written, version) = match &what {
            AnyVersion::Object(version) => (&version.id, version.modified, Some(version)),
            AnyVersion::Marker(marker) => (&marker.id, marker.modified, None),
        };
        let rules = self.rules.iter().filter(|rule| applies(rule, &current.key, version));
        let over = rules.filter_map(|rule| rule.noncurrent_version_expiration.as_ref()).any(|expiration| {
            expiration.newer_noncurrent_versions.unwrap_or(0) <= current.noncurrent
                && expiration
                    .noncurrent_days
                    .is_some_and(|days| self.now >= self.day.after(current.newer, days))
        });
        current.noncurrent = current.noncurrent.saturating_add(1);
        current.newer = written;
        if over && !version.is_some_and(waits_for_replication) {
            let delete = Delete::version(current.key.clone(), id.clone());
            self.due.push(Delete { only_if: current.unchanged.clone(), ..delete });
        }
    }

    /// Looks at the newest version of a key.
    fn top(&mut self, key: Key, what: AnyVersion) -> Current {
        match what {
            AnyVersion::Object(version) => {
                let unchanged = Preconditions {
                    matches: Some(Match::ETag(version.etag.clone())),
                    modified: Some(version.modified),
                    ..Preconditions::default()
                };
                if self.is_over(&key, &version) && !waits_for_replication(&version) {
                    let delete = Delete::latest(key.clone());
                    self.due.push(Delete { only_if: unchanged.clone(), ..delete });
                }
                Current { key, unchanged, newer: version.modified, noncurrent: 0, marker: None }
            }
            AnyVersion::Marker(marker) => Current {
                key,
                unchanged: Preconditions { none: true, ..Preconditions::default() },
                newer: marker.modified,
                noncurrent: 0,
                marker: Some((marker.id, marker.modified)),
            },
        }
    }

    fn is_over(&self, key: &Key, version: &Version) -> bool {
        expirations(self.rules.iter().copied(), key, version, self.day).any(|(end, _)| self.now >= end)
    }

    /// All versions of a key were seen. A delete marker that is alone goes where a rule says so, or says days and they
    /// have passed (S3 user guide, "Lifecycle configuration elements", `ExpiredObjectDeleteMarker`).
    fn finish(&mut self, current: Option<Current>) {
        let Some(Current { key, unchanged, marker: Some((id, written)), .. }) = current else { return };
        let rules = self.rules.iter().filter(|rule| applies(rule, &key, None));
        let over = rules.filter_map(|rule| rule.expiration.as_ref()).any(|expiration| {
            expiration.expired_object_delete_marker == Some(true)
                || expiration.days.is_some_and(|days| self.now >= self.day.after(written, days))
        });
        if over {
            self.due.push(Delete { only_if: unchanged, ..Delete::version(key, id) });
        }
    }

    async fn delete_due(&mut self) -> Result<(), Engine> {
        while !self.due.is_empty() {
            let rest = self.due.split_off(self.due.len().min(AT_ONCE));
            let due = std::mem::replace(&mut self.due, rest);
            let commit = match &self.telling {
                None => self.commit(),
                Some(telling) => {
                    let keys: Vec<_> =
                        due.iter().map(|d| String::from_utf8_lossy(d.key.as_bytes())).collect();
                    let keys = keys.iter().map(AsRef::as_ref);
                    let telling = telling.again(self.state);
                    let tell = event::removed(Some(telling), "LifecycleExpiration", keys);
                    self.commit().with_note(outbox::only_told(tell))
                }
            };
            let done = self.state.objects.delete(self.bucket.id(), due, commit).await?;
            for done in done {
                match done {
                    Ok(_) => self.ended += 1,
                    // It changed meanwhile, or a lock holds it.
                    Err(
                        Engine::PreconditionFailed(_)
                        | Engine::NoSuchKey { .. }
                        | Engine::NoSuchVersion
                        | Engine::Locked,
                    ) => {}
                    Err(error) => self.failure = self.failure.take().or(Some(error)),
                }
            }
        }
        Ok(())
    }

    async fn uploads(&mut self) -> Result<(), Engine> {
        if !self.rules.iter().any(|rule| rule.abort_incomplete_multipart_upload.is_some()) {
            return Ok(());
        }
        let mut after: Option<AfterUpload> = None;
        loop {
            let page = self.state.objects.list_uploads(Keys::all(self.bucket.id()), after).await?;
            for entry in page.entries {
                let Entry::One(upload) = entry else { continue };
                if self.is_abandoned(&upload) {
                    let at = UploadAt { bucket: self.bucket.id(), key: upload.key, id: upload.id };
                    match self.state.objects.abort_upload(at, self.commit()).await {
                        Ok(()) => self.ended += 1,
                        // It was completed meanwhile.
                        Err(Engine::NoSuchUpload) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn is_abandoned(&self, upload: &Upload) -> bool {
        let rules = self.rules.iter().filter(|rule| applies(rule, &upload.key, None));
        rules.filter_map(|rule| rule.abort_incomplete_multipart_upload.as_ref()).any(|abort| {
            abort
                .days_after_initiation
                .is_some_and(|days| upload.initiated.is_some_and(|at| self.now >= self.day.after(at, days)))
        })
    }

    fn commit(&self) -> Commit {
        Commit::at(Timestamp(u64::try_from(self.now).unwrap_or(0)))
    }
}

/// What `x-amz-expiration` says of a current object: when it goes, and by which rule (S3 API reference, GetObject). `None`
/// where no rule lets it go.
///
/// # Errors
/// If the bucket's lifecycle does not read, which is a failure of ours.
pub(crate) fn expiration(
    bucket: &Bucket,
    key: &Key,
    version: &Version,
    day: Day,
) -> Result<Option<String>, Error> {
    let rules = bucket.lifecycle_rules()?;
    let enabled = rules.iter().filter(|rule| rule.status == ExpirationStatus::Enabled);
    let first = expirations(enabled, key, version, day).min_by_key(|(end, _)| *end);
    Ok(first.map(|(end, rule)| {
        let date = daypass_core::model::Timestamp::from_millis(end).rfc822();
        // Ids of rules may hold what a header cannot (S3 user guide, "How to determine when an object will expire").
        let id = rule.id.as_deref().map(encoded).unwrap_or_default();
        format!("expiry-date=\"{date}\", rule-id=\"{id}\"")
    }))
}

fn encoded(id: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    id.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// When rules let a current object go, in milliseconds, and which.
fn expirations<'r>(
    rules: impl Iterator<Item = &'r LifecycleRule>,
    key: &Key,
    version: &Version,
    day: Day,
) -> impl Iterator<Item = (i64, &'r LifecycleRule)> {
    rules.filter(|rule| applies(rule, key, Some(version))).filter_map(move |rule| {
        let expiration = rule.expiration.as_ref()?;
        let end = match (expiration.days, expiration.date) {
            (Some(days), _) => day.after(version.modified, days),
            (None, Some(date)) => date.millis(),
            (None, None) => return None,
        };
        Some((end, rule))
    })
}

/// What rules call a day, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Day(i64);

impl Day {
    pub(crate) fn of(state: &State) -> Self {
        Self(i64::try_from(state.lifecycle_day.as_millis()).unwrap_or(i64::MAX).max(1))
    }

    /// The first midnight after these days have passed, in milliseconds.
    fn after(self, from: Timestamp, days: i32) -> i64 {
        let passed = i64::from(days).saturating_mul(self.0);
        let passed = i64::try_from(from.0).unwrap_or(i64::MAX).saturating_add(passed);
        passed.saturating_add(self.0 - 1).div_euclid(self.0).saturating_mul(self.0)
    }
}

/// Whether a rule is about this key and version. What is no object has neither size nor tags, so no rule that asks for
/// them is about it.
fn applies(rule: &LifecycleRule, key: &Key, version: Option<&Version>) -> bool {
    let Some(filter) = &rule.filter else {
        return begins(key, rule.prefix.as_deref());
    };
    let wanted = Wanted::of(filter);
    begins(key, wanted.prefix)
        && match version {
            None => !wanted.asks_for_an_object(),
            Some(version) => wanted.has(version),
        }
}

/// Whether a version is still to be replicated: it stays until it was (S3 user guide, "Getting replication status information").
fn waits_for_replication(version: &Version) -> bool {
    let described = Description::decode(&version.meta);
    described.is_ok_and(|described| described.replication.is_some_and(Status::is_pending))
}

/// Whether the tags of this version, which are not known, may decide that it goes now.
fn may_go_by_tags(rule: &LifecycleRule, key: &Key, version: &Version, now: i64, day: Day) -> bool {
    let Some(wanted) = rule.filter.as_ref().map(Wanted::of) else { return false };
    if wanted.tags.is_empty() || !begins(key, wanted.prefix) || !wanted.fits(version) {
        return false;
    }
    let passed = |days: i32| now >= day.after(version.modified, days);
    let expires = rule.expiration.as_ref().is_some_and(|expiration| {
        expiration.days.is_some_and(passed) || expiration.date.is_some_and(|date| now >= date.millis())
    });
    let noncurrent = rule.noncurrent_version_expiration.as_ref();
    expires || noncurrent.is_some_and(|expiration| expiration.noncurrent_days.is_some_and(passed))
}

fn begins(key: &Key, prefix: Option<&str>) -> bool {
    prefix.is_none_or(|prefix| key.as_bytes().starts_with(prefix.as_bytes()))
}

/// What a filter asks for.
struct Wanted<'f> {
    prefix: Option<&'f str>,
    tags: Vec<(&'f str, &'f str)>,
    above: Option<i64>,
    below: Option<i64>,
}

impl<'f> Wanted<'f> {
    fn of(filter: &'f LifecycleRuleFilter) -> Self {
        let pair = |tag: &'f daypass_core::model::s3::Tag| (tag.key.as_str(), tag.value.as_str());
        match &filter.and {
            Some(and) => Self {
                prefix: and.prefix.as_deref(),
                tags: and.tags.iter().flatten().map(pair).collect(),
                above: and.object_size_greater_than,
                below: and.object_size_less_than,
            },
            None => Self {
                prefix: filter.prefix.as_deref(),
                tags: filter.tag.iter().map(pair).collect(),
                above: filter.object_size_greater_than,
                below: filter.object_size_less_than,
            },
        }
    }

    fn asks_for_an_object(&self) -> bool {
        !self.tags.is_empty() || self.above.is_some() || self.below.is_some()
    }

    fn fits(&self, version: &Version) -> bool {
        let size = i64::try_from(version.size).unwrap_or(i64::MAX);
        self.above.is_none_or(|above| size > above) && self.below.is_none_or(|below| size < below)
    }

    fn has(&self, version: &Version) -> bool {
        let fits = self.fits(version);
        if self.tags.is_empty() || !fits {
            return fits;
        }
        // Tags that do not read are none that a rule asks for.
        let tags: Vec<Tag> = tag::decode(&version.tags).unwrap_or_default();
        self.tags.iter().all(|(key, value)| tags.iter().any(|tag| tag.key == *key && tag.value == *value))
    }
}

#[cfg(test)]
mod tests;
