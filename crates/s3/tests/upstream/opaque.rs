//! Descriptions that are mere bytes, as the suite has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use daypass_core::objects::Result;
use daypass_core::objects::upstream::Vocabulary;
use http::header::{HeaderMap, HeaderValue};

/// In base64, in one header and one tag.
pub(crate) struct Opaque;

const META: &str = "x-amz-meta-opaque";

impl Vocabulary for Opaque {
    fn headers(&self, meta: &[u8]) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        if !meta.is_empty() {
            headers.insert(META, HeaderValue::from_str(&BASE64.encode(meta)).unwrap());
        }
        Ok(headers)
    }

    fn meta(&self, headers: &HeaderMap) -> Result<Bytes> {
        let value = headers.get(META).map(HeaderValue::as_bytes).unwrap_or_default();
        Ok(BASE64.decode(value).unwrap().into())
    }

    fn chooses_checksum(&self, _: &[u8]) -> bool {
        true
    }

    fn of_upload(&self, _: bool) -> Bytes {
        Bytes::new()
    }

    fn pairs(&self, tags: &[u8]) -> Result<Vec<(String, String)>> {
        if tags.is_empty() {
            return Ok(vec![]);
        }
        Ok(vec![("opaque".to_owned(), BASE64.encode(tags))])
    }

    fn tags(&self, pairs: Vec<(String, String)>) -> Bytes {
        pairs.first().map(|(_, value)| BASE64.decode(value).unwrap().into()).unwrap_or_default()
    }
}

/// The time, for a store that has a clock of its own.
#[expect(clippy::disallowed_methods, reason = "another store's clock is the real one")]
pub(crate) fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}
