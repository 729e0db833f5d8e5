//! What the lists of a bucket have in common.

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{CommonPrefix, EncodingType, Object, ObjectStorageClass, Owner};
use daypass_core::objects::{After, Keys, Listed, MAX_PAGE, Version};
use daypass_core::{Cx, Error, Fault};

use crate::acl;
use crate::bucket::Bucket;
use crate::description::Description;
use crate::fault::invalid_argument;
use crate::object::{quoted, size, time};
use crate::{checksum, uri};

/// How long a page may be: what was asked for, and never more than a thousand (S3 API reference, ListObjectsV2,
/// `MaxKeys`).
///
/// # Errors
/// `InvalidArgument` for less than nothing.
pub(crate) fn limit(asked: Option<i32>, argument: &str) -> Result<usize, Fault> {
    let Some(asked) = asked else { return Ok(MAX_PAGE) };
    usize::try_from(asked).map(|asked| asked.min(MAX_PAGE)).map_err(|_| {
        let words = format!("Argument {argument} must be an integer between 0 and 2147483647");
        invalid_argument(words, argument, asked.to_string())
    })
}

/// A page's length, as answers have it.
pub(crate) fn shown_limit(limit: usize) -> Option<i32> {
    i32::try_from(limit).ok()
}

/// Which keys are listed.
pub(crate) fn keys(bucket: &Bucket, prefix: Option<&str>, delimiter: Option<&str>, limit: usize) -> Keys {
    let bytes = |text: Option<&str>| text.unwrap_or_default().as_bytes().to_vec().into();
    Keys { bucket: bucket.id(), prefix: bytes(prefix), delimiter: bytes(delimiter), limit }
}

/// Where a list goes on that ended at this text. If that is a folded prefix, it goes on behind all that it stands for.
pub(crate) fn after(marker: &str, prefix: Option<&str>, delimiter: Option<&str>) -> After {
    let bytes = marker.as_bytes().to_vec().into();
    let folded = delimiter.filter(|delimiter| !delimiter.is_empty()).is_some_and(|delimiter| {
        let rest = marker.strip_prefix(prefix.unwrap_or_default());
        rest.and_then(|rest| rest.split_once(delimiter)).is_some_and(|(_, behind)| behind.is_empty())
    });
    if folded { After::Prefix(bytes) } else { After::Key(bytes) }
}

/// The text at which a list goes on.
pub(crate) fn marker(after: &After) -> String {
    match after {
        After::Key(bytes) | After::Prefix(bytes) => text(bytes),
    }
}

/// A key, which is always a text: it came as one.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How texts are written in an answer.
#[derive(Clone, Copy)]
pub(crate) struct Encoding(pub(crate) Option<EncodingType>);

impl Encoding {
    pub(crate) fn of(self, text: &str) -> String {
        match self.0 {
            Some(EncodingType::Url) => uri::encode(text),
            None => text.to_owned(),
        }
    }

    pub(crate) fn some(self, text: Option<&str>) -> Option<String> {
        text.map(|text| self.of(text))
    }

    pub(crate) fn prefix(self, prefix: &[u8]) -> CommonPrefix {
        CommonPrefix { prefix: Some(self.of(&text(prefix))) }
    }
}

/// Whose the objects of a list are.
pub(crate) struct Owners<'a> {
    cx: &'a Cx,
    bucket: &'a Bucket,
    of_bucket: Owner,
}

impl<'a> Owners<'a> {
    /// Of this bucket's objects.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn new(cx: &'a Cx, bucket: &'a Bucket) -> Result<Self, Error> {
        Ok(Self { cx, bucket, of_bucket: acl::owner(cx, &bucket.account)? })
    }

    /// The bucket's own owner.
    pub(crate) fn of_bucket(&self) -> Owner {
        self.of_bucket.clone()
    }

    /// The owner of an object that is described so.
    pub(crate) fn of(&self, meta: &[u8]) -> Owner {
        if self.bucket.is_enforced() {
            return self.of_bucket();
        }
        let other = Description::decode(meta).ok().and_then(|described| described.owner);
        other.and_then(|account| acl::owner(self.cx, &account).ok()).unwrap_or_else(|| self.of_bucket())
    }
}

/// An object in a list.
pub(crate) fn object(listed: &Listed<Version>, encoding: Encoding, owner: Option<Owner>) -> Object {
    let version = &listed.what;
    let (checksum_algorithm, checksum_type) = checksum::listed(&version.checksums);
    Object {
        key: Some(encoding.of(&text(listed.key.as_bytes()))),
        last_modified: Some(time(version.modified)),
        e_tag: Some(quoted(&version.etag)),
        checksum_algorithm,
        checksum_type,
        size: Some(size(version.size)),
        storage_class: ObjectStorageClass::parse(&Description::storage_class(&version.meta)),
        owner,
        restore_status: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_behind_what_it_folded() {
        let key = |text: &str| After::Key(text.as_bytes().to_vec().into());
        let prefix = |text: &str| After::Prefix(text.as_bytes().to_vec().into());
        for (marker, of, delimiter, expected) in [
            ("a/", None, None, key("a/")),
            ("a/", None, Some(""), key("a/")),
            ("a/", None, Some("/"), prefix("a/")),
            ("a/b", None, Some("/"), key("a/b")),
            ("a/b/", Some("a/"), Some("/"), prefix("a/b/")),
            ("a/", Some("a/"), Some("/"), key("a/")),
            ("b/", Some("a/"), Some("/"), key("b/")),
            ("", None, Some("/"), key("")),
        ] {
            assert_eq!(after(marker, of, delimiter), expected, "{marker} {of:?} {delimiter:?}");
        }
    }

    #[test]
    fn a_page_holds_a_thousand_at_most() {
        for (asked, expected) in [
            (None, Ok(1000)),
            (Some(0), Ok(0)),
            (Some(7), Ok(7)),
            (Some(i32::MAX), Ok(1000)),
            (Some(-1), Err(())),
        ] {
            assert_eq!(limit(asked, "maxKeys").map_err(|_| ()), expected);
        }
    }
}
