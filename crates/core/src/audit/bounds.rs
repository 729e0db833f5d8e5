//! How long a record may be: whatever it is made of, no longer than this. Who could leave long ones could leave so many that
//! nothing else is audited, and so nothing else answered.

use daypass_store::AuditRecord;
use serde_json::{Map, Value as Json, json};

/// The longest event, in bytes; one that would be longer leaves out what was asked, as CloudTrail does with the largest.
pub(super) const MAX_EVENT: usize = 96 << 10;
/// The longest explanation.
const MAX_EXPLANATION: usize = 64 << 10;
/// A text that records are found by, in bytes.
const MAX_INDEXED: usize = 1024;
/// The resources of a record, all together.
const MAX_RESOURCES: usize = 64 << 10;
/// Bytes of each text of an event that is too long even without what was asked. None at all is short enough: what is left then
/// are names that are written here.
const SHORTER: [usize; 4] = [1024, 256, 32, 0];

/// The record, none of which is longer than it may be.
pub(super) fn within_bounds(mut record: AuditRecord) -> AuditRecord {
    for text in [&mut record.event_name, &mut record.username, &mut record.access_key_id] {
        text.truncate(text.floor_char_boundary(MAX_INDEXED));
    }
    record.resources.iter_mut().for_each(|(_, name)| name.truncate(name.floor_char_boundary(MAX_INDEXED)));
    let mut room = MAX_RESOURCES;
    record.resources.retain(|(kind, name)| {
        let left = room.checked_sub(kind.len() + name.len());
        room = left.unwrap_or(room);
        left.is_some()
    });
    record.explanation = record.explanation.map(explanation);
    if record.event.len() > MAX_EVENT {
        record.event = shortened(&record.event);
    }
    record
}

/// An explanation that is too long says no more than the decision.
fn explanation(text: String) -> String {
    if text.len() <= MAX_EXPLANATION {
        return text;
    }
    let decision = |whole: Json| Some(whole.get("decision")?.as_str()?.chars().take(32).collect::<String>());
    let decision = serde_json::from_str(&text).ok().and_then(decision).unwrap_or_default();
    json!({ "decision": decision, "reason": "the explanation was too long to be kept", "layers": [] })
        .to_string()
}

/// The event without what was asked and answered; where that is not enough, without what was added, and with as much of each
/// text as there is room for.
fn shortened(event: &str) -> String {
    let left_out = json!({ "omitted": true, "originalSize": event.len() });
    // What was written here reads; if it did not, nothing of it would be kept.
    let mut whole: Map<String, Json> = serde_json::from_str(event).unwrap_or_default();
    whole.insert("requestParameters".to_owned(), left_out.clone());
    whole.insert("responseElements".to_owned(), Json::Null);
    let mut text = Json::Object(whole.clone()).to_string();
    if text.len() > MAX_EVENT && whole.contains_key("additionalEventData") {
        whole.insert("additionalEventData".to_owned(), left_out);
    }
    let mut whole = Json::Object(whole);
    for most in SHORTER {
        if text.len() <= MAX_EVENT {
            break;
        }
        cut_texts(&mut whole, most);
        text = whole.to_string();
    }
    text
}

fn cut_texts(value: &mut Json, most: usize) {
    match value {
        Json::String(text) => text.truncate(text.floor_char_boundary(most)),
        Json::Array(items) => items.iter_mut().for_each(|item| cut_texts(item, most)),
        Json::Object(members) => members.values_mut().for_each(|value| cut_texts(value, most)),
        _ => {}
    }
}
