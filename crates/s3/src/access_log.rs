//! Server access logs: what was asked of a bucket and how it was answered, as lines in objects of another bucket (S3 user
//! guide, "Logging requests with server access logging"). As good as it goes, as AWS's: lines wait in memory, within bounds,
//! and are delivered every minute, sooner where they are many, and at the end.

mod line;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use daypass_core::model::Timestamp;
use daypass_core::model::s3::{LoggingEnabled, PartitionDateSource};
use daypass_core::objects::{
    self, Algorithms, Body, Commit, Description as Kept, Error as Engine, Key, Preconditions, Put,
};
use daypass_core::policy::{Document, DocumentKind, Policy, PolicySet, PolicySource};
use daypass_core::{Error, Exchange, Ids, Observer, ServiceRequest, State, outbox, service_may};

use crate::acl::{Grantee, Permission};
use crate::bucket::Bucket;
use crate::description::Description;
use crate::event::{self, Telling};
use crate::{access_point, checksum, logging, object_lock};

/// Who writes logs.
const SERVICE: &str = "logging.s3.amazonaws.com";
/// Bytes of lines that wait, and of those that wait of one bucket: who fills its log leaves the others' theirs. What comes
/// beyond is let go and counted.
const MAX_BYTES: usize = 64 << 20;
const MAX_BYTES_OF_BUCKET: usize = 16 << 20;
/// Once so many of a bucket wait, they should not wait for long.
const MANY_BYTES: usize = MAX_BYTES_OF_BUCKET / 4;

/// Sees requests, and writes of them.
pub struct AccessLog {
    state: Arc<State>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// By the bucket that was asked: by its number, for another one may come to have its name.
    lines: BTreeMap<u64, Lines>,
    /// Of all, with those that are being delivered.
    bytes: usize,
    /// Lines that were let go.
    lost: usize,
}

/// Those of one bucket.
#[derive(Default)]
struct Lines {
    bucket: String,
    waiting: Vec<Line>,
    bytes: usize,
}

struct Line {
    time: Timestamp,
    text: String,
}

impl Line {
    /// What it takes of the memory, about.
    fn bytes(&self) -> usize {
        self.text.len() + size_of::<Self>()
    }
}

/// Lines that are being delivered. Whoever is kept from it gives them back.
struct Taken<'l> {
    log: &'l AccessLog,
    number: u64,
    bucket: String,
    lines: Vec<Line>,
    delivered: bool,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut waiting = self.log.lock();
        if self.delivered {
            waiting.bytes -= self.lines.iter().map(Line::bytes).sum::<usize>();
            return;
        }
        let known = waiting.lines.entry(self.number).or_default();
        known.bucket = std::mem::take(&mut self.bucket);
        let newer = std::mem::replace(&mut known.waiting, std::mem::take(&mut self.lines));
        known.waiting.extend(newer);
        known.bytes = known.waiting.iter().map(Line::bytes).sum();
    }
}

impl AccessLog {
    /// The log of a server.
    #[must_use]
    pub fn new(state: Arc<State>) -> Self {
        Self { state, waiting: Mutex::default() }
    }

    /// Whether so much waits that it should be delivered before its time.
    #[must_use]
    pub fn has_much(&self) -> bool {
        let waiting = self.lock();
        waiting.bytes > MAX_BYTES / 2 || waiting.lines.values().any(|lines| lines.bytes > MANY_BYTES)
    }

    /// Delivers what waits, and says how many lines that were. What cannot be delivered is let go, and the server's own log
    /// says why. What was not come to when this is dropped waits on; of what was being delivered then some may come twice.
    pub async fn deliver(&self) -> usize {
        let (lost, buckets) = {
            let mut waiting = self.lock();
            (std::mem::take(&mut waiting.lost), waiting.lines.keys().copied().collect::<Vec<_>>())
        };
        if lost > 0 {
            tracing::warn!(lost, "more was asked of buckets than access logs could hold");
        }
        let mut delivered = 0;
        for number in buckets {
            let Some(mut taken) = self.take(number) else { continue };
            let (bucket, lines) = (taken.bucket.as_str(), taken.lines.len());
            match self.deliver_of(number, bucket, &taken.lines).await {
                Ok(()) => delivered += lines,
                Err(why) => tracing::warn!(bucket, lines, "access logs could not be delivered: {why}"),
            }
            taken.delivered = true;
        }
        delivered
    }

    fn take(&self, number: u64) -> Option<Taken<'_>> {
        let Lines { bucket, waiting, .. } = self.lock().lines.remove(&number)?;
        Some(Taken { log: self, number, bucket, lines: waiting, delivered: false })
    }

    async fn deliver_of(&self, number: u64, name: &str, lines: &[Line]) -> Result<(), String> {
        let find = |name: &str| {
            let found = self.state.kept.get::<Bucket>(&Bucket::key_of(name));
            found.map_err(|error| error.to_string())
        };
        // Whoever turned logging off meanwhile wants none.
        let Some(bucket) = find(name)?.filter(|bucket| bucket.number == number) else { return Ok(()) };
        let Some(to) = logging::of(&bucket).map_err(told)? else { return Ok(()) };
        let target = find(&to.target_bucket)?.ok_or("the target bucket is gone")?;
        if target.account != bucket.account {
            return Err("the target bucket is another account's".to_owned());
        }
        if let Some(why) = hindrance(&target) {
            return Err(format!("bucket `{}` takes no logs: {why}", target.name));
        }
        for (key, text) in objects_of(&bucket, &to, lines, &self.state) {
            if !self.may_write(&bucket, &target, &key) {
                return Err(format!(
                    "neither the policy nor the ACL of bucket `{}` lets {SERVICE} write `{key}`",
                    target.name
                ));
            }
            self.write(&target, &key, text).await?;
        }
        Ok(())
    }

    /// The policy of the target lets the service in, or its ACL the group that it belongs to; a denial counts either way.
    fn may_write(&self, source: &Bucket, target: &Bucket, key: &str) -> bool {
        let (arn, source_arn) = (target.object_arn(key), source.arn());
        let asked = ServiceRequest {
            service: SERVICE,
            action: "s3:PutObject",
            resource: &arn,
            account: &target.account,
            region: &target.region,
            source: (&source_arn, &source.account),
        };
        let by_group = target.acl().iter().any(|grant| {
            grant.grantee == Grantee::LogDelivery
                && matches!(grant.permission, Permission::Write | Permission::FullControl)
        });
        let policy = target.policy().map(|(policy, _)| Arc::clone(policy));
        let policies = policy.into_iter().chain(by_group.then(|| of_group(target)));
        service_may(&self.state, &asked, &PolicySet::new(policies))
    }

    async fn write(&self, target: &Bucket, key: &str, text: String) -> Result<(), String> {
        let now = objects::Timestamp(u64::try_from(self.state.clock.now().millis()).unwrap_or(0));
        let telling = Telling::of_service(&self.state, target, SERVICE).map_err(told)?;
        let note = outbox::only_told(event::created(telling, "ObjectCreated:Put", key));
        let described = Description { content_type: Some("text/plain".to_owned()), ..Description::default() };
        let put = Put {
            bucket: target.id(),
            key: Key::new(key.as_bytes().to_vec()).map_err(|error| error.to_string())?,
            only_if: Preconditions::default(),
            description: Kept { meta: described.encode().map_err(told)?.into(), ..Kept::default() },
            checksums: Algorithms::NONE.with(checksum::DEFAULT),
            seal: Some(self.state.ring.newest_object_key()),
            commit: Commit::at(now).with_note(note),
        };
        let put = self.state.objects.put(put, Body::from_bytes(text.into())).await;
        put.map(|_| ()).map_err(|error: Engine| error.to_string())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for AccessLog {
    /// Where an access point leads is known with the region, which is read later.
    fn wants(&self, bucket: &str) -> bool {
        match self.state.kept.get::<Bucket>(&Bucket::key_of(bucket)) {
            Ok(Some(bucket)) => logging::is_on(&bucket),
            Ok(None) => access_point::is_name(bucket),
            Err(_) => false,
        }
    }

    fn saw(&self, exchange: Exchange) {
        let found = Bucket::asked(&self.state, &exchange.region, &exchange.bucket);
        let Ok(Some(bucket)) = found else { return };
        // What came before this bucket was there was about another one of its name.
        if !logging::is_on(&bucket) || exchange.time < bucket.created {
            return;
        }
        let Ok(text) = line::of(&self.state, &bucket, &exchange) else { return };
        self.lock().add(bucket.number, &bucket.name, Line { time: exchange.time, text });
    }
}

impl Waiting {
    fn add(&mut self, number: u64, bucket: &str, line: Line) {
        let bytes = line.bytes();
        let known = self.lines.get(&number).map_or(0, |lines| lines.bytes);
        if self.bytes + bytes > MAX_BYTES || known + bytes > MAX_BYTES_OF_BUCKET {
            self.lost += 1;
            return;
        }
        self.bytes += bytes;
        let new = || Lines { bucket: bucket.to_owned(), ..Lines::default() };
        let lines = self.lines.entry(number).or_insert_with(new);
        lines.bytes += bytes;
        lines.waiting.push(line);
    }
}

/// What keeps a bucket from taking logs, whatever its policy says: it may have come after logging was configured (S3 user guide,
/// "Enabling Amazon S3 server access logging"; S3 API reference, `LoggingEnabled`: neither a default encryption by KMS, nor
/// Object Lock, nor Requester Pays).
fn hindrance(target: &Bucket) -> Option<&'static str> {
    if target.encryption.kms.is_some() {
        return Some("its default encryption is by a key of KMS");
    }
    if object_lock::is_enabled(target) {
        return Some("it has Object Lock");
    }
    target.requester_pays.then_some("requesters pay for it")
}

/// What the grant to the log delivery group says, as a policy.
fn of_group(target: &Bucket) -> Arc<Policy> {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{SERVICE}"}},"Action":"s3:PutObject","Resource":"*"}}]}}"#
    );
    let document = Document::load(DocumentKind::Bucket, &text);
    Policy::compile(PolicySource::named(format!("ACL of bucket {}", target.name)), document)
}

fn told(error: Error) -> String {
    match error {
        Error::Fault(fault) => fault.to_string(),
        Error::Internal(error) => error.to_string(),
    }
}

/// The objects that lines come to: one, or one for each day where logs stand by the day of their requests.
fn objects_of(bucket: &Bucket, to: &LoggingEnabled, lines: &[Line], state: &State) -> Vec<(String, String)> {
    let unique = || {
        let bytes = Ids::drawn(&*state.entropy).id_bytes();
        bytes.iter().take(8).map(|byte| format!("{byte:02X}")).collect::<String>()
    };
    let prefix = &to.target_prefix;
    let together = |lines: &[&Line]| lines.iter().map(|line| line.text.as_str()).collect::<String>();
    let partitioned = to.target_object_key_format.as_ref().and_then(|f| f.partitioned_prefix.as_ref());
    let now = state.clock.now().to_string();
    let Some(partitioned) = partitioned else {
        let key = format!("{prefix}{}-{}", line::dashed(&now), unique());
        return vec![(key, together(&lines.iter().collect::<Vec<_>>()))];
    };
    let mut parts: BTreeMap<String, Vec<&Line>> = BTreeMap::new();
    let by_event = partitioned.partition_date_source == Some(PartitionDateSource::EventTime);
    for line in lines {
        // "For EventTime, the day is that of the requests, and hour, minutes and seconds are 00."
        let time = if by_event { format!("{}T00:00:00Z", line::day(&line.time)) } else { now.clone() };
        parts.entry(time).or_default().push(line);
    }
    let place = format!("{prefix}{}/{}/{}", bucket.account, bucket.region, bucket.name);
    let object = |(time, lines): (String, Vec<&Line>)| {
        let day: String = time.chars().take(10).map(|c| if c == '-' { '/' } else { c }).collect();
        (format!("{place}/{day}/{}-{}", line::dashed(&time), unique()), together(&lines))
    };
    parts.into_iter().map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(length: usize) -> Line {
        Line { time: Timestamp::from_millis(0), text: "x".repeat(length) }
    }

    #[test]
    fn who_fills_its_log_leaves_the_others_theirs() {
        let mut waiting = Waiting::default();
        let mut fill = |bucket: u64| {
            let before = waiting.bytes;
            (0..1000).for_each(|_| waiting.add(bucket, "b", line(100_000)));
            let taken = waiting.bytes - before;
            assert!(taken <= MAX_BYTES_OF_BUCKET, "{bucket}: {taken}");
            taken
        };
        assert!(fill(1) > MAX_BYTES_OF_BUCKET - 200_000);
        assert!(fill(2) > MAX_BYTES_OF_BUCKET - 200_000);
        for bucket in 3..6 {
            fill(bucket);
        }
        assert!(waiting.bytes <= MAX_BYTES && waiting.lost > 0, "{} {}", waiting.bytes, waiting.lost);
        // One line that has no room keeps none of the smaller ones out.
        let mut waiting = Waiting::default();
        waiting.add(1, "b", line(MAX_BYTES_OF_BUCKET));
        waiting.add(1, "b", line(10));
        assert_eq!((waiting.lost, waiting.lines[&1].waiting.len()), (1, 1));
    }
}
