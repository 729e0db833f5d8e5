//! Who is told of what happens to a bucket's objects: `s3:PutBucketNotification`, `s3:GetBucketNotification` (S3 user
//! guide, "Amazon S3 Event Notifications").
//!
//! A destination is taken if the operator gave it a place (`daypass up --event-destination`) and it is of the bucket's
//! account and region; to AWS, the others are destinations whose policies do not let S3 in.

use std::collections::BTreeSet;
use std::sync::Arc;

use daypass_core::event_queue;
use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    Event as EventType, FilterRuleName, GetBucketNotificationConfigurationRequest, NotificationConfiguration,
    NotificationConfigurationFilter, PutBucketNotificationConfigurationRequest, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, Fault};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::event::{Addressee, Wish, Wishes};
use crate::fault::{invalid_argument, malformed_xml};
use crate::{document, event_message};

bucket_operation!(GET_BUCKET_NOTIFICATION_CONFIGURATION, ops::GetBucketNotificationConfiguration, get);
bucket_operation!(PUT_BUCKET_NOTIFICATION_CONFIGURATION, ops::PutBucketNotificationConfiguration, put);

/// Its place among a bucket's documents.
const KIND: &str = "notification";
/// Configurations of a bucket (S3 user guide, "Amazon S3 Event Notifications", quotas).
const MAX: usize = 100;
/// Bytes of a prefix or suffix.
const MAX_VALUE: usize = 1024;
/// Bytes of a destination's ARN: no service has names as long.
const MAX_ARN: usize = 512;
/// Characters of an id.
const MAX_ID: usize = 255;

type Put = PutBucketNotificationConfigurationRequest;
type Get = GetBucketNotificationConfigurationRequest;

fn get(cx: &Cx, tx: &mut Tx<'_>, input: Get) -> Result<NotificationConfiguration, Error> {
    let bucket = Bucket::reach(cx, tx, &input.bucket)?;
    match bucket.documents.get(KIND) {
        Some(kept) => document::read::<ops::PutBucketNotificationConfiguration, _>(kept),
        None => Ok(NotificationConfiguration::default()),
    }
}

fn put(cx: &Cx, tx: &mut Tx<'_>, input: Put) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    let mut configuration = input.notification_configuration;
    if configuration == NotificationConfiguration::default() {
        bucket.documents.remove(KIND);
        return Ok(tx.put(&bucket)?);
    }
    name(cx, &mut configuration);
    let wishes = wishes(&bucket, &configuration)?;
    let kept = document::write::<ops::PutBucketNotificationConfiguration>(cx, configuration)?;
    document::keep(&mut bucket, KIND.to_owned(), kept)?;
    check(&wishes)?;
    let unchecked = input.skip_destination_validation == Some(true);
    for wish in &wishes {
        let arn = &wish.for_whom.destination;
        well_formed(&bucket, arn)?;
        if wish.for_whom.is_event_bus() || !unchecked {
            reachable(cx, &bucket, &wish.for_whom)?;
        }
    }
    test(cx, tx, &bucket, &wishes)?;
    Ok(tx.put(&bucket)?)
}

/// Gives an id to those that have none.
fn name(cx: &Cx, configuration: &mut NotificationConfiguration) {
    let topics = configuration.topic_configurations.iter_mut().flatten().map(|c| &mut c.id);
    let queues = configuration.queue_configurations.iter_mut().flatten().map(|c| &mut c.id);
    let functions = configuration.lambda_function_configurations.iter_mut().flatten().map(|c| &mut c.id);
    for id in topics.chain(queues).chain(functions).filter(|id| id.as_deref().is_none_or(str::is_empty)) {
        *id = Some(cx.ids().uuid());
    }
}

/// What a configuration that is kept wants told.
///
/// # Errors
/// If it does not read, which is a failure of ours.
pub(crate) fn kept_wishes(bucket: &Bucket) -> Result<Arc<Wishes>, Error> {
    let Some(kept) = bucket.documents.get(KIND) else { return Ok(Arc::new(Wishes::new(vec![]))) };
    let configuration = document::read::<ops::PutBucketNotificationConfiguration, _>(kept)?;
    Ok(Arc::new(Wishes::new(wishes(bucket, &configuration)?)))
}

fn wishes(bucket: &Bucket, configuration: &NotificationConfiguration) -> Result<Vec<Wish>, Fault> {
    let mut wishes = vec![];
    for c in configuration.queue_configurations.iter().flatten() {
        wishes.push(wish((&c.queue_arn, &c.id), &c.events, c.filter.as_ref())?);
    }
    for c in configuration.topic_configurations.iter().flatten() {
        wishes.push(wish((&c.topic_arn, &c.id), &c.events, c.filter.as_ref())?);
    }
    for c in configuration.lambda_function_configurations.iter().flatten() {
        wishes.push(wish((&c.lambda_function_arn, &c.id), &c.events, c.filter.as_ref())?);
    }
    if configuration.event_bridge_configuration.is_some() {
        let destination = format!("arn:aws:events:{}:{}:event-bus/default", bucket.region, bucket.account);
        let for_whom = Addressee { destination, id: String::new() };
        wishes.push(Wish { for_whom, events: BTreeSet::new(), prefix: String::new(), suffix: String::new() });
    }
    Ok(wishes)
}

fn wish(
    (arn, id): (&str, &Option<String>),
    events: &[EventType],
    filter: Option<&NotificationConfigurationFilter>,
) -> Result<Wish, Fault> {
    if events.is_empty() {
        return Err(malformed_xml());
    }
    let (mut prefix, mut suffix) = (None, None);
    let rules = filter.and_then(|filter| filter.key.as_ref()).and_then(|key| key.filter_rules.as_ref());
    for rule in rules.into_iter().flatten() {
        let words = "filter rule name must be either prefix or suffix";
        let name = rule.name.ok_or_else(|| invalid_argument(words, "FilterRule.Name", ""))?;
        let (place, kind) = match name {
            FilterRuleName::Prefix => (&mut prefix, "prefix"),
            FilterRuleName::Suffix => (&mut suffix, "suffix"),
        };
        let value = rule.value.as_deref().unwrap_or_default();
        if value.len() > MAX_VALUE {
            let words = "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation";
            return Err(invalid_argument(words, "FilterRule.Value", value));
        }
        if place.replace(Wish::plain(value)).is_some() {
            let words = format!("Cannot specify more than one {kind} rule in a filter.");
            return Err(invalid_argument(words, "FilterRule.Name", kind));
        }
    }
    Ok(Wish {
        for_whom: Addressee { destination: arn.to_owned(), id: id.clone().unwrap_or_default() },
        events: events.iter().map(|event| event.as_str()).collect(),
        prefix: prefix.unwrap_or_default(),
        suffix: suffix.unwrap_or_default(),
    })
}

/// Refuses too many, ids that are not one's own, and two that could be told of the same event of the same key (S3 user
/// guide, "Configuring event notifications using object key name filtering").
fn check(wishes: &[Wish]) -> Result<(), Fault> {
    let wishes: Vec<&Wish> = wishes.iter().filter(|wish| !wish.for_whom.is_event_bus()).collect();
    if wishes.len() > MAX {
        let words = "You have attempted to create more event notification configurations than allowed for the bucket.";
        return Err(Fault::coded("TooManyConfigurations", 400, words));
    }
    let mut ids = BTreeSet::new();
    for wish in &wishes {
        let id = wish.for_whom.id.as_str();
        if id.chars().count() > MAX_ID {
            return Err(invalid_argument("ID length should not exceed allowed limit of 255", "Id", id));
        }
        if !ids.insert(id) {
            let words = "Same ID used for multiple configurations. IDs must be unique";
            return Err(invalid_argument(words, "Id", id));
        }
    }
    for (place, one) in wishes.iter().enumerate() {
        for other in wishes.iter().skip(place + 1) {
            apart(one, other)?;
        }
    }
    Ok(())
}

fn apart(one: &Wish, other: &Wish) -> Result<(), Fault> {
    let begin = one.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&one.prefix);
    let end = one.suffix.ends_with(&other.suffix) || other.suffix.ends_with(&one.suffix);
    if !(begin && end) {
        return Ok(());
    }
    let family = |event: &'static str| event.strip_suffix('*').unwrap_or(event);
    let shared = one.events.iter().flat_map(|a| other.events.iter().map(move |b| (*a, *b)));
    let mut shared = shared.filter(|(a, b)| {
        a == b
            || (a.ends_with('*') && b.starts_with(family(a)))
            || (b.ends_with('*') && a.starts_with(family(b)))
    });
    let Some((a, b)) = shared.next() else { return Ok(()) };
    let filtered = |wish: &Wish| !(wish.prefix.is_empty() && wish.suffix.is_empty());
    if filtered(one) || filtered(other) {
        let words = "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.";
        return Err(invalid_argument(words, "Event", format!("{a}, {b}")));
    }
    let words = "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
    Err(invalid_argument(words, "Event", format!("{a}, {b}")))
}

/// Whether this names a destination at all, in the bucket's region.
fn well_formed(bucket: &Bucket, arn: &str) -> Result<(), Fault> {
    if arn.len() > MAX_ARN {
        return Err(invalid_argument("The ARN is not well formed", "ARN", ""));
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", "aws", "sqs" | "sns" | "lambda" | "events", region, _, name] = parts.as_slice() else {
        return Err(invalid_argument("The ARN is not well formed", "ARN", arn));
    };
    if *region != bucket.region {
        let words =
            "The notification destination service region is not valid for the bucket location constraint";
        return Err(invalid_argument(words, "Arn", arn));
    }
    if name.is_empty() {
        return Err(invalid_argument("The ARN is not well formed", "ARN", arn));
    }
    Ok(())
}

/// Whether the bucket's owner can have events delivered there.
fn reachable(cx: &Cx, bucket: &Bucket, whom: &Addressee) -> Result<(), Fault> {
    if whom.is_reached(cx.state(), bucket) {
        return Ok(());
    }
    let arn = whom.destination.as_str();
    let kind = match arn.split(':').nth(2) {
        Some("sqs") => "queue",
        Some("sns") => "topic",
        Some("lambda") => "Lambda",
        _ => "event bus",
    };
    let words = "Unable to validate the following destination configurations";
    Err(invalid_argument(words, arn, format!("The destination {kind} does not exist")))
}

/// Tells each queue and topic that it was configured; functions and event buses are not told.
fn test(cx: &Cx, tx: &mut Tx<'_>, bucket: &Bucket, wishes: &[Wish]) -> Result<(), Error> {
    let reached = wishes.iter().filter(|wish| wish.for_whom.is_reached(cx.state(), bucket));
    let told: BTreeSet<&str> = reached.map(|wish| wish.for_whom.destination.as_str()).collect();
    let told = told.into_iter().filter(|d| d.starts_with("arn:aws:sqs:") || d.starts_with("arn:aws:sns:"));
    let time = cx.now().iso8601_millis();
    let messages =
        told.map(|to| event_message::test(to, &bucket.name, cx.request_id(), &time, &cx.ids().uuid()));
    event_queue::put(tx, messages.collect(), cx.now())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_counts_once_however_often_it_is_named() {
        let events = vec![EventType::S3ObjectCreated; 1000];
        let wish = wish(("arn", &None), &events, None).unwrap();
        assert_eq!(wish.events.len(), 1);
    }
}
