//! Session tokens of IMDSv2: sealed, not stored, so that they outlive a restart of the server; and bound to their
//! instance and its start, so that they are of no use anywhere else.

use daypass_core::model::Timestamp;
use daypass_core::store::records::Instance;
use daypass_core::{KeyRing, Purpose};

/// Six hours (EC2 user guide, "How Instance Metadata Service Version 2 works").
const MAX_TTL_SECONDS: u32 = 21_600;
/// A token of ours is 56 characters; nothing longer is looked at.
const MAX_TOKEN_BYTES: usize = 64;

/// A life in seconds, as its header gives it: digits alone, 1 to 21,600.
pub(crate) fn parse_ttl(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 5 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = std::str::from_utf8(text).ok()?.parse().ok()?;
    (1..=MAX_TTL_SECONDS).contains(&seconds).then_some(seconds)
}

fn context(instance: &Instance) -> String {
    format!("{} {} {}", instance.account, instance.id, instance.generation)
}

/// A token that is good for so many seconds.
pub(crate) fn issue(ring: &KeyRing, instance: &Instance, now: Timestamp, ttl_seconds: u32) -> Option<String> {
    let expires = now.plus_seconds(i64::from(ttl_seconds)).millis();
    ring.seal(Purpose::Metadata, context(instance).as_bytes(), &expires.to_be_bytes()).ok()
}

/// Whether the token was given to this instance, since it last started, and is not over.
pub(crate) fn is_valid(ring: &KeyRing, instance: &Instance, now: Timestamp, token: &[u8]) -> bool {
    if token.len() > MAX_TOKEN_BYTES {
        return false;
    }
    let opened = std::str::from_utf8(token)
        .ok()
        .and_then(|text| ring.open(Purpose::Metadata, context(instance).as_bytes(), text).ok());
    let expires = opened.and_then(|plain| Some(i64::from_be_bytes(*plain.expose().first_chunk()?)));
    expires.is_some_and(|expires| now.millis() < expires)
}

#[cfg(test)]
mod tests {
    use super::parse_ttl;

    #[test]
    fn a_life_is_digits_from_one_second_to_six_hours() {
        for (text, seconds) in [("1", Some(1)), ("21600", Some(21_600)), ("00060", Some(60))] {
            assert_eq!(parse_ttl(text.as_bytes()), seconds, "{text}");
        }
        for text in
            ["", "0", "-1", "+1", "21601", "abc", "1.5", "1e2", "0x10", "60 60", "4294967297", "６０", " 60"]
        {
            assert_eq!(parse_ttl(text.as_bytes()), None, "{text}");
        }
    }
}
