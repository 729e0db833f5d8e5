//! Conditional requests (S3 user guide, "Add preconditions to S3 operations with conditional requests"; RFC 9110,
//! section 13).

use daypass_core::model::Timestamp;
use daypass_core::model::s3::errors;
use daypass_core::objects::{ETag, Error as Engine, Match, Preconditions};
use daypass_core::{Cx, Error, Fault};

use crate::bucket::Bucket;
use crate::object::no_such_key;
use crate::{description, engine, fault};

/// What a reader wants to be true of an object.
pub(crate) struct Reading<'a> {
    pub(crate) if_match: Option<&'a str>,
    pub(crate) if_none_match: Option<&'a str>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

/// Whether it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is.
    Holds,
    /// The reader has the object already; by this header.
    NotModified(&'static str),
    /// This does not hold.
    Fails(&'static str),
}

impl Reading<'_> {
    /// Judges an object. A tag is stronger than a date, and a date in the future is none (RFC 9110, section 13.2.2;
    /// S3 API reference, GetObject, `If-Match` with `If-Unmodified-Since` and `If-None-Match` with
    /// `If-Modified-Since`).
    pub(crate) fn judge(&self, etag: &ETag, modified: Timestamp, now: Timestamp) -> Verdict {
        let etag = etag.to_string();
        let (modified, now) = (modified.seconds(), now.seconds());
        match (self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !names(tags, &etag) => return Verdict::Fails("If-Match"),
            (None, Some(date)) if modified > date.seconds() => return Verdict::Fails("If-Unmodified-Since"),
            _ => {}
        }
        match (self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if names(tags, &etag) => Verdict::NotModified("If-None-Match"),
            (None, Some(date)) if modified <= date.seconds() && date.seconds() <= now => {
                Verdict::NotModified("If-Modified-Since")
            }
            _ => Verdict::Holds,
        }
    }
}

/// Whether a list of tags names this one. Quotes may be missing.
fn names(tags: &str, etag: &str) -> bool {
    tags.trim() == "*" || tags.split(',').any(|tag| bare(tag) == etag)
}

/// A tag without its quotes, weak or not.
pub(crate) fn bare(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(tag)
}

/// What a writer wants to be true of the object that is there.
///
/// # Errors
/// `NotImplemented` for what S3 does not take: a tag that must not be there, or both headers.
pub(crate) fn writing(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Preconditions, Fault> {
    let none = match if_none_match.map(str::trim) {
        None => false,
        Some("*") if if_match.is_none() => true,
        Some(_) => return Err(unsupported("If-None-Match")),
    };
    Ok(Preconditions { none, matches: if_match.map(matching), ..Preconditions::default() })
}

/// What `If-Match` asks for.
pub(crate) fn matching(if_match: &str) -> Match {
    match bare(if_match) {
        "*" => Match::Any,
        tag => Match::ETag(ETag::parse(tag)),
    }
}

fn unsupported(header: &'static str) -> Fault {
    let words = "A header you provided implies functionality that is not implemented";
    Fault::new(&errors::NOT_IMPLEMENTED, words).with("Header", header)
}

/// A condition that does not hold.
pub(crate) fn failed(condition: &'static str) -> Fault {
    let words = "At least one of the pre-conditions you specified did not hold";
    Fault::new(&errors::PRECONDITION_FAILED, words).with("Condition", condition)
}

/// What a change of an object failed with.
pub(crate) fn not_written(cx: &Cx, bucket: &Bucket, key: &str, error: Engine) -> Error {
    match error {
        Engine::PreconditionFailed(condition) => failed(condition).into(),
        Engine::NoSuchKey { .. } => no_such_key(key).into(),
        Engine::NoSuchBucket => fault::no_such_bucket(&bucket.name).into(),
        Engine::WrongLength { .. } => {
            let words = "You did not provide the number of bytes specified by the Content-Length HTTP header";
            Fault::new(&errors::INCOMPLETE_BODY, words).into()
        }
        Engine::TooLarge { what: "body" | "source of a copy" | "object" | "part", limit } => {
            fault::entity_too_large(None, limit).into()
        }
        error if description::is_too_large(&error) => description::too_large().into(),
        error => engine::failed(cx, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = "\"9a0364b9e99bb480dd25e1f0284c8555\"";

    #[test]
    fn tags_are_stronger_than_dates() {
        let etag = ETag::parse(bare(MINE));
        let [before, at, after, future] =
            [99, 100, 101, 1001].map(|seconds| Some(Timestamp::from_seconds(seconds)));
        let other = Some("\"x\"");
        let mine = Some(MINE);
        for (if_match, if_unmodified_since, if_none_match, if_modified_since, expected) in [
            (None, None, None, None, Verdict::Holds),
            (mine, None, None, None, Verdict::Holds),
            (Some("*"), None, None, None, Verdict::Holds),
            (Some("9a0364b9e99bb480dd25e1f0284c8555"), None, None, None, Verdict::Holds),
            (Some("\"x\", \"9a0364b9e99bb480dd25e1f0284c8555\""), None, None, None, Verdict::Holds),
            (other, None, None, None, Verdict::Fails("If-Match")),
            (other, after, None, None, Verdict::Fails("If-Match")),
            (mine, before, None, None, Verdict::Holds),
            (None, before, None, None, Verdict::Fails("If-Unmodified-Since")),
            (None, at, None, None, Verdict::Holds),
            (None, None, mine, None, Verdict::NotModified("If-None-Match")),
            (None, None, Some("*"), None, Verdict::NotModified("If-None-Match")),
            (
                None,
                None,
                Some("W/\"9a0364b9e99bb480dd25e1f0284c8555\""),
                None,
                Verdict::NotModified("If-None-Match"),
            ),
            (None, None, mine, before, Verdict::NotModified("If-None-Match")),
            (None, None, other, after, Verdict::Holds),
            (None, None, None, before, Verdict::Holds),
            (None, None, None, at, Verdict::NotModified("If-Modified-Since")),
            (None, None, None, after, Verdict::NotModified("If-Modified-Since")),
            (None, None, None, future, Verdict::Holds),
            (other, None, mine, None, Verdict::Fails("If-Match")),
        ] {
            let reading = Reading { if_match, if_none_match, if_modified_since, if_unmodified_since };
            let verdict = reading.judge(&etag, Timestamp::from_seconds(100), Timestamp::from_seconds(1000));
            assert_eq!(
                verdict, expected,
                "{if_match:?} {if_unmodified_since:?} {if_none_match:?} {if_modified_since:?}"
            );
        }
    }

    #[test]
    fn writers_name_one_tag_or_none() {
        let etag = Match::ETag(ETag::parse(bare(MINE)));
        for (if_match, if_none_match, expected) in [
            (None, None, Some((false, None))),
            (None, Some("*"), Some((true, None))),
            (Some(MINE), None, Some((false, Some(etag)))),
            (Some("*"), None, Some((false, Some(Match::Any)))),
            (None, Some(MINE), None),
            (Some(MINE), Some("*"), None),
        ] {
            let read = writing(if_match, if_none_match).ok().map(|p| (p.none, p.matches));
            assert_eq!(read, expected, "{if_match:?} {if_none_match:?}");
        }
    }
}
