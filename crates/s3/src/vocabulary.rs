//! How descriptions and tags are written in another store: what S3 has a header for stands in that header, so that others
//! read it there and what they wrote reads here; the rest of a description stands together in one of ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use daypass_core::objects::upstream::Vocabulary;
use daypass_core::objects::{Error, Result};
use daypass_core::store::records::Tag;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::description::Description;
use crate::tag;

/// What the store tells where a legal hold was ever put or taken off.
const LEGAL_HOLD: &str = "x-amz-object-lock-legal-hold";
/// What no header can hold of a description, in JSON and base64.
const OURS: &str = "x-amz-meta-daypass";
/// What the owner of an object says of it.
const METADATA: &str = "x-amz-meta-";
/// What an object is that was put without a type.
const DEFAULT_TYPE: &str = "binary/octet-stream";
/// The longest value of ours, in bytes: S3 keeps 2 KiB of metadata.
const MAX_OURS: usize = 2048;

/// S3's own way of describing objects.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Headers;

/// The headers that a description has members for.
fn members(description: &mut Description) -> [(&'static str, &mut Option<String>); 6] {
    [
        ("content-type", &mut description.content_type),
        ("cache-control", &mut description.cache_control),
        ("content-disposition", &mut description.content_disposition),
        ("content-encoding", &mut description.content_encoding),
        ("content-language", &mut description.content_language),
        ("expires", &mut description.expires),
    ]
}

/// A value that comes back from every store as it went there.
fn plain(text: &str) -> Option<HeaderValue> {
    let visible = !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let kept = visible && text.trim() == text;
    if kept { HeaderValue::from_str(text).ok() } else { None }
}

impl Vocabulary for Headers {
    fn headers(&self, meta: &[u8]) -> Result<HeaderMap> {
        let odd = |_| Error::Corrupt("a description that is none".to_owned());
        let mut rest = Description::decode(meta).map_err(odd)?;
        let mut headers = HeaderMap::new();
        for (name, member) in members(&mut rest) {
            if let Some(value) = member.as_deref().and_then(plain) {
                headers.insert(name, value);
                *member = None;
            }
        }
        headers.entry("content-type").or_insert(HeaderValue::from_static(DEFAULT_TYPE));
        rest.metadata.retain(|name, value| {
            // What others could take for ours is put with ours.
            let header = HeaderName::from_bytes(format!("{METADATA}{name}").as_bytes()).ok();
            let header =
                header.filter(|header| !header.as_str().starts_with(OURS) && name.bytes().all(is_lower));
            match header.zip(plain(value)) {
                Some((header, value)) => {
                    headers.insert(header, value);
                    false
                }
                None => true,
            }
        });
        if rest != Description::default() {
            let ours = serde_json::to_vec(&rest).map_err(|_| Error::Corrupt("a description".to_owned()))?;
            let ours = BASE64.encode(ours);
            if ours.len() > MAX_OURS {
                return Err(Error::TooLarge { what: "description", limit: MAX_OURS as u64 });
            }
            headers.insert(OURS, HeaderValue::from_str(&ours).map_err(|_| Error::Corrupt(ours))?);
        }
        Ok(headers)
    }

    fn meta(&self, headers: &HeaderMap) -> Result<Bytes> {
        let ours = headers.get(OURS).map(HeaderValue::as_bytes).unwrap_or_default();
        let mut description = read_ours(ours).unwrap_or_default();
        for (name, member) in members(&mut description) {
            if member.is_none() {
                *member = headers.get(name).and_then(text);
            }
        }
        description.legal_hold_was_set |= headers.contains_key(LEGAL_HOLD);
        for (name, value) in headers {
            let own = name.as_str().strip_prefix(METADATA).filter(|_| name != OURS);
            if let Some((name, value)) = own.zip(text(value)) {
                description.metadata.entry(name.to_owned()).or_insert(value);
            }
        }
        let meta = serde_json::to_vec(&description);
        meta.map(Bytes::from).map_err(|error| Error::Upstream(error.to_string()))
    }

    fn chooses_checksum(&self, meta: &[u8]) -> bool {
        Description::decode(meta).is_ok_and(|description| description.checksum_was_chosen)
    }

    fn of_upload(&self, chose_checksum: bool) -> Bytes {
        let description = Description { checksum_was_chosen: chose_checksum, ..Description::default() };
        // Texts always encode.
        serde_json::to_vec(&description).unwrap_or_default().into()
    }

    fn differ_in_the_lock_alone(&self, one: &[u8], other: &[u8]) -> bool {
        let read = |meta: &[u8]| {
            Description::decode(meta).map(|known| Description { legal_hold_was_set: false, ..known })
        };
        read(one).is_ok_and(|one| read(other).is_ok_and(|other| one == other))
    }

    fn pairs(&self, tags: &[u8]) -> Result<Vec<(String, String)>> {
        let tags = tag::decode(tags).map_err(|_| Error::Corrupt("a tag set that is none".to_owned()))?;
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    fn tags(&self, pairs: Vec<(String, String)>) -> Bytes {
        let tags: Vec<Tag> = pairs.into_iter().map(|(key, value)| Tag { key, value }).collect();
        tag::encode(&tags).into()
    }
}

fn is_lower(byte: u8) -> bool {
    !byte.is_ascii_uppercase()
}

/// What others wrote may be anything, in the encoding of anybody.
fn text(value: &HeaderValue) -> Option<String> {
    String::from_utf8(value.as_bytes().to_vec()).ok()
}

/// What is not ours, whatever it is, is left out.
fn read_ours(value: &[u8]) -> Option<Description> {
    if value.is_empty() || value.len() > MAX_OURS {
        return None;
    }
    serde_json::from_slice(&BASE64.decode(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn round(description: &Description) -> (HeaderMap, Description) {
        let headers = Headers.headers(&serde_json::to_vec(description).unwrap()).unwrap();
        let back = Description::decode(&Headers.meta(&headers).unwrap()).unwrap();
        (headers, back)
    }

    #[test]
    fn what_s3_has_a_header_for_stands_in_it_and_everything_reads_again() {
        let description = Description {
            content_type: Some("text/plain".to_owned()),
            cache_control: Some("naïve".to_owned()),
            content_encoding: Some("gzip".to_owned()),
            metadata: BTreeMap::from([
                ("plain".to_owned(), "a b".to_owned()),
                ("wide".to_owned(), "é".to_owned()),
                ("edges".to_owned(), " x ".to_owned()),
                ("empty".to_owned(), String::new()),
                ("daypass".to_owned(), "not ours".to_owned()),
            ]),
            owner: Some("111122223333".parse().unwrap()),
            legal_hold_was_set: true,
            ..Description::default()
        };
        let (headers, back) = round(&description);
        assert_eq!(back, description);
        assert_eq!(headers.get("content-type").unwrap(), "text/plain");
        assert_eq!(headers.get("x-amz-meta-plain").unwrap(), "a b");
        assert!(!headers.contains_key("cache-control") && !headers.contains_key("x-amz-meta-wide"));
    }

    #[test]
    fn nobody_writes_our_words_by_metadata_of_his_own() {
        let forged = Description { owner: Some("111122223333".parse().unwrap()), ..Description::default() };
        let forged = BASE64.encode(serde_json::to_vec(&forged).unwrap());
        let description = Description {
            metadata: BTreeMap::from([("daypass".to_owned(), forged.clone())]),
            ..Description::default()
        };
        let (_, back) = round(&description);
        assert_eq!((back.owner, back.metadata.get("daypass")), (None, Some(&forged)));
    }

    #[test]
    fn what_others_wrote_reads_as_they_wrote_it() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("image/png"));
        headers.insert("x-amz-meta-k", HeaderValue::from_bytes("é".as_bytes()).unwrap());
        headers.insert(OURS, HeaderValue::from_static("nonsense"));
        let read = Description::decode(&Headers.meta(&headers).unwrap()).unwrap();
        assert_eq!(read.content_type.as_deref(), Some("image/png"));
        assert_eq!(read.metadata, BTreeMap::from([("k".to_owned(), "é".to_owned())]));
    }
}
