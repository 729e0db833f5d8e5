//! Tags, as S3 takes them (S3 user guide, "Using cost allocation S3 bucket tags", "Categorizing your storage using tags").

use std::collections::BTreeSet;

use daypass_core::model::s3::{Tag as ApiTag, Tagging, errors, ops};
use daypass_core::model::{FromValue as _, TypedOperation as _};
use daypass_core::store::records::Tag;
use daypass_core::{Fault, wire};

use crate::fault::{invalid_argument, malformed_xml};
use crate::uri;

/// The tags of a bucket.
pub(crate) const MAX_OF_BUCKET: usize = 50;
/// The tags of an object.
const MAX_OF_OBJECT: usize = 10;
/// Characters of a key.
const MAX_KEY: usize = 128;
/// Characters of a value.
const MAX_VALUE: usize = 256;

/// The tags of a bucket, as they are kept.
///
/// # Errors
/// `InvalidTag`, or `BadRequest` for too many.
pub(crate) fn of_bucket(tags: &[ApiTag]) -> Result<Vec<Tag>, Fault> {
    if tags.len() > MAX_OF_BUCKET {
        let words = format!("Bucket tag count cannot be greater than {MAX_OF_BUCKET}");
        return Err(Fault::new(&errors::BAD_REQUEST, words));
    }
    read(tags)
}

/// The tags of an object, as they are kept.
///
/// # Errors
/// `InvalidTag`, or `BadRequest` for too many.
pub(crate) fn of_object(tags: &[ApiTag]) -> Result<Vec<Tag>, Fault> {
    if tags.len() > MAX_OF_OBJECT {
        let words = format!("Object tags cannot be greater than {MAX_OF_OBJECT}");
        return Err(Fault::new(&errors::BAD_REQUEST, words));
    }
    read(tags)
}

/// The tags of an object in a header (`x-amz-tagging`: `key=value&…`, percent-encoded).
///
/// # Errors
/// `InvalidArgument` where it is none, or as [`of_object`].
pub(crate) fn of_header(header: Option<&str>) -> Result<Vec<Tag>, Fault> {
    let header = header.unwrap_or_default();
    let malformed = || {
        let words = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";
        invalid_argument(words, "x-amz-tagging", header)
    };
    let mut tags: Vec<ApiTag> = vec![];
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let tag = uri::decode(key, true).zip(uri::decode(value, true));
        let (key, value) = tag.ok_or_else(malformed)?;
        if tags.iter().any(|tag| tag.key == key) {
            return Err(malformed());
        }
        tags.push(ApiTag { key, value });
    }
    of_object(&tags)
}

/// The same header for the tags of a document, as forms have them.
///
/// # Errors
/// `MalformedXML`.
pub(crate) fn header_of_document(document: &str) -> Result<String, Fault> {
    let value = wire::read_document(ops::PutObjectTagging::row(), document.as_bytes())?;
    let tagging = value.and_then(Tagging::from_value).ok_or_else(malformed_xml)?;
    let pairs = tagging.tag_set.iter();
    Ok(pairs
        .map(|tag| format!("{}={}", uri::encode(&tag.key), uri::encode(&tag.value)))
        .collect::<Vec<_>>()
        .join("&"))
}

/// Tags by the rules that buckets and objects share.
///
/// # Errors
/// `InvalidTag`.
pub(crate) fn read(tags: &[ApiTag]) -> Result<Vec<Tag>, Fault> {
    let mut keys = BTreeSet::new();
    for tag in tags {
        if tag.key.is_empty() || tag.key.chars().count() > MAX_KEY || !tag.key.chars().all(may_stand) {
            return Err(invalid("The TagKey you have provided is invalid", &tag.key));
        }
        if tag.value.chars().count() > MAX_VALUE || !tag.value.chars().all(may_stand) {
            return Err(invalid("The TagValue you have provided is invalid", &tag.key));
        }
        if tag.key.to_lowercase().starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester", &tag.key));
        }
        if !keys.insert(tag.key.as_str()) {
            return Err(invalid("Cannot provide multiple Tags with the same key", &tag.key));
        }
    }
    Ok(tags.iter().map(|tag| Tag { key: tag.key.clone(), value: tag.value.clone() }).collect())
}

/// Tags, as answers have them.
pub(crate) fn shown(tags: &[Tag]) -> Vec<ApiTag> {
    tags.iter().map(|tag| ApiTag { key: tag.key.clone(), value: tag.value.clone() }).collect()
}

/// The tags of an object, as the object store keeps them beside it: pairs, in JSON.
pub(crate) fn encode(tags: &[Tag]) -> Vec<u8> {
    if tags.is_empty() {
        return vec![];
    }
    let pairs: Vec<(&str, &str)> = tags.iter().map(|t| (t.key.as_str(), t.value.as_str())).collect();
    // Texts always encode.
    serde_json::to_vec(&pairs).unwrap_or_default()
}

/// The tags that [`encode`] wrote.
///
/// # Errors
/// If it is anything else, which is a failure of ours: whoever asked cannot be told by what is missing.
pub(crate) fn decode(kept: &[u8]) -> Result<Vec<Tag>, serde_json::Error> {
    if kept.is_empty() {
        return Ok(vec![]);
    }
    let pairs: Vec<(String, String)> = serde_json::from_slice(kept)?;
    Ok(pairs.into_iter().map(|(key, value)| Tag { key, value }).collect())
}

fn invalid(words: &str, key: &str) -> Fault {
    Fault::new(&errors::INVALID_TAG, words).with("TagKey", key)
}

/// Letters, digits, spaces and `_.:/=+-@` (S3 user guide, "Restrictions" of tags).
fn may_stand(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> ApiTag {
        ApiTag { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn tags_are_refused_in_s3s_words() {
        let long = "é".repeat(128);
        for tags in [vec![], vec![tag("a", ""), tag("A", "b c")], vec![tag(&long, &"é".repeat(256))]] {
            assert!(read(&tags).is_ok());
        }
        for (tags, words) in [
            (vec![tag("", "v")], "The TagKey you have provided is invalid"),
            (vec![tag(&"a".repeat(129), "v")], "The TagKey you have provided is invalid"),
            (vec![tag("a<b", "v")], "The TagKey you have provided is invalid"),
            (vec![tag("a", &"v".repeat(257))], "The TagValue you have provided is invalid"),
            (vec![tag("a", "v!")], "The TagValue you have provided is invalid"),
            (vec![tag("Aws:a", "v")], "System tags cannot be added/updated by requester"),
            (vec![tag("a", "1"), tag("a", "2")], "Cannot provide multiple Tags with the same key"),
        ] {
            let fault = read(&tags).unwrap_err();
            assert_eq!((fault.code.as_ref(), fault.message.as_str()), ("InvalidTag", words));
        }
        let many: Vec<ApiTag> = (0..51).map(|n| tag(&n.to_string(), "")).collect();
        assert_eq!(of_bucket(&many).unwrap_err().code, "BadRequest");
    }

    #[test]
    fn tags_in_a_header_are_a_query() {
        let read = |header: &str| {
            let tags = of_header(Some(header)).map_err(|fault| fault.code.into_owned())?;
            Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect::<Vec<_>>())
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read("a=1&b+c=%C3%A9&d"), Ok(vec![pair("a", "1"), pair("b c", "é"), pair("d", "")]));
        let many: Vec<String> = (0..11).map(|n| format!("k{n}=v")).collect();
        for (header, code) in [
            ("a=%zz", "InvalidArgument"),
            ("a=1&a=2", "InvalidArgument"),
            ("=v", "InvalidTag"),
            ("aws:a=1", "InvalidTag"),
            (&many.join("&"), "BadRequest"),
        ] {
            assert_eq!(read(header), Err(code.to_owned()), "{header}");
        }
    }

    #[test]
    fn what_is_kept_beside_an_object_reads_again() {
        let kept = vec![Tag { key: "a \"é".to_owned(), value: String::new() }];
        assert_eq!(decode(&encode(&kept)).unwrap(), kept);
        assert_eq!(decode(&encode(&[])).unwrap(), []);
        assert!(decode(b"{").is_err());
    }
}
