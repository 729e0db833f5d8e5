//! Events as messages: S3's own (S3 user guide, "Event message structure"), bare for queues and functions and inside a
//! notification of SNS for topics; and those of an event bus ("EventBridge event message structure").

use daypass_core::event_queue::{Message, topic_notification};
use daypass_core::wire::host_id;
use serde_json::{Map, Value, json};

use crate::event::{Event, Told};
use crate::uri;

/// The messages that tell of changes, in their order; `number` is the place of these among all changes.
pub(crate) fn of(told: &Told, number: u64) -> Vec<Message> {
    let mut messages = vec![];
    for (place, event) in told.events.iter().enumerate() {
        for addressee in event.to.iter().filter_map(|place| told.addressees.get(*place)) {
            let id = numbered(&told.id, messages.len());
            // Fits the largest number of changes, and the thousand keys of one request.
            let sequencer = format!("{number:014X}{place:04X}");
            let body = if addressee.is_event_bus() {
                Some(bus_event(told, event, &id, &sequencer)).flatten()
            } else {
                let records = json!({ "Records": [record(told, event, &addressee.id, &sequencer)] });
                Some(for_destination(&addressee.destination, records, &id, &told.time.iso8601_millis()))
            };
            let destination = addressee.destination.clone();
            messages.extend(body.map(|body| Message::new(destination, body.to_string())));
        }
    }
    messages
}

/// The message that says that a destination was configured.
pub(crate) fn test(destination: &str, bucket: &str, request_id: &str, time: &str, id: &str) -> Message {
    let body = json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": time,
        "Bucket": bucket,
        "RequestId": request_id,
        "HostId": host_id(request_id),
    });
    let body = for_destination(destination, body, id, time).to_string();
    Message::new(destination, body)
}

/// As it arrives: within a notification of SNS, if it is for a topic.
fn for_destination(destination: &str, body: Value, id: &str, time: &str) -> Value {
    if !destination.starts_with("arn:aws:sns:") {
        return body;
    }
    topic_notification(destination, Some("Amazon S3 Notification"), &body, id, time)
}

fn record(told: &Told, event: &Event, id: &str, sequencer: &str) -> Value {
    let family = event.name.split(':').next().unwrap_or_default();
    let version = match family {
        "LifecycleExpiration" | "ObjectTagging" | "ObjectAcl" => "2.3",
        "Replication" => "2.2",
        _ => "2.1",
    };
    let mut object = Map::new();
    object.insert("key".to_owned(), uri::encode(&event.key()).into());
    for (name, value) in [
        ("size", event.size.map(Value::from)),
        ("eTag", event.etag.clone().map(Value::from)),
        ("versionId", event.version.clone().map(Value::from)),
        ("sequencer", is_ordered(event).then(|| sequencer.into())),
    ] {
        object.extend(value.map(|value| (name.to_owned(), value)));
    }
    let mut record = json!({
        "eventVersion": version,
        "eventSource": "aws:s3",
        "awsRegion": told.region,
        "eventTime": told.time.iso8601_millis(),
        "eventName": event.name,
        "userIdentity": { "principalId": told.principal },
        "requestParameters": { "sourceIPAddress": told.address.as_deref().unwrap_or("s3.amazonaws.com") },
        "responseElements": {
            "x-amz-request-id": told.request_id,
            "x-amz-id-2": host_id(&told.request_id),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": id,
            "bucket": {
                "name": told.bucket,
                "ownerIdentity": { "principalId": told.owner },
                "arn": format!("arn:aws:s3:::{}", told.bucket),
            },
            "object": object,
        },
    });
    if let (Some(what), Some(record)) = (&event.unreplicated, record.as_object_mut()) {
        let data = json!({
            "replicationRuleId": what.rule,
            "destinationBucket": format!("arn:aws:s3:::{}", what.to),
            "s3Operation": "OBJECT_PUT",
            "requestTime": what.written.iso8601_millis(),
            "failureReason": what.reason,
        });
        record.insert("replicationEventData".to_owned(), data);
    }
    record
}

/// A sequencer is "only used with PUTs and DELETEs".
fn is_ordered(event: &Event) -> bool {
    !(event.name.starts_with("ObjectTagging:") || event.name.starts_with("ObjectAcl:"))
}

fn bus_event(told: &Told, event: &Event, id: &str, sequencer: &str) -> Option<Value> {
    let (kind, reason) = match event.name.as_str() {
        "ObjectCreated:Put" => ("Object Created", Some("PutObject")),
        "ObjectCreated:Post" => ("Object Created", Some("POST Object")),
        "ObjectCreated:Copy" => ("Object Created", Some("CopyObject")),
        "ObjectCreated:CompleteMultipartUpload" => ("Object Created", Some("CompleteMultipartUpload")),
        "ObjectRemoved:Delete" | "ObjectRemoved:DeleteMarkerCreated" => {
            ("Object Deleted", Some("DeleteObject"))
        }
        "LifecycleExpiration:Delete" | "LifecycleExpiration:DeleteMarkerCreated" => {
            ("Object Deleted", Some("Lifecycle Expiration"))
        }
        "ObjectTagging:Put" => ("Object Tags Added", None),
        "ObjectTagging:Delete" => ("Object Tags Deleted", None),
        "ObjectAcl:Put" => ("Object ACL Updated", None),
        _ => return None,
    };
    let deletion = match event.name.rsplit(':').next() {
        Some("DeleteMarkerCreated") => Some("Delete Marker Created"),
        Some("Delete") if reason.is_some() => Some("Permanently Deleted"),
        _ => None,
    };
    let mut object = Map::from_iter([("key".to_owned(), Value::from(event.key()))]);
    for (name, value) in [
        ("size", event.size.map(Value::from)),
        ("etag", event.etag.clone().map(Value::from)),
        ("version-id", event.version.clone().map(Value::from)),
        ("sequencer", is_ordered(event).then(|| sequencer.into())),
    ] {
        object.extend(value.map(|value| (name.to_owned(), value)));
    }
    let mut detail = Map::from_iter([
        ("version".to_owned(), "0".into()),
        ("bucket".to_owned(), json!({ "name": told.bucket })),
        ("object".to_owned(), Value::Object(object)),
        ("request-id".to_owned(), told.request_id.clone().into()),
        ("requester".to_owned(), told.requester.clone().into()),
    ]);
    for (name, value) in
        [("source-ip-address", told.address.as_deref()), ("reason", reason), ("deletion-type", deletion)]
    {
        detail.extend(value.map(|value| (name.to_owned(), Value::from(value))));
    }
    Some(json!({
        "version": "0",
        "id": id,
        "detail-type": kind,
        "source": "aws.s3",
        "account": told.account,
        "time": told.time.to_string(),
        "region": told.region,
        "resources": [format!("arn:aws:s3:::{}", told.bucket)],
        "detail": detail,
    }))
}

/// An id of its own for each message of a change, the same however often they are made.
fn numbered(id: &str, number: usize) -> String {
    match id.rsplit_once('-').map(|(head, last)| (head, u64::from_str_radix(last, 16))) {
        Some((head, Ok(last))) => {
            let number = u64::try_from(number).unwrap_or(u64::MAX);
            format!("{head}-{:012x}", last.wrapping_add(number) & 0xffff_ffff_ffff)
        }
        _ => id.to_owned(),
    }
}
