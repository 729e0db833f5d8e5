//! The source of a copy: how it is named, and the right to read it, which is asked for itself (S3 API reference,
//! CopyObject, `x-amz-copy-source` and "Permissions").

use daypass_core::model::s3::errors;
use daypass_core::objects::{Opened, Source};
use daypass_core::{Check, Cx, Error, Fault};

use crate::authorize::{owned_as_expected, paid_for};
use crate::bucket::Bucket;
use crate::conditional::{self, Reading, Verdict};
use crate::customer_key::Headers;
use crate::description::Description;
use crate::encryption::Opening;
use crate::fault::{invalid_argument, invalid_request};
use crate::get_object;
use crate::object::{Subject, time};
use crate::uri;

/// A name, as the header has it.
#[derive(Debug, PartialEq, Eq)]
struct Name {
    bucket: String,
    key: String,
    version_id: Option<String>,
}

impl Name {
    /// `bucket/key?versionId=id`, with or without a slash before it. Bucket and key are percent-encoded; they are taken
    /// apart before they are decoded, so that no part of a key is ever read as something else.
    fn parse(header: &str) -> Result<Self, Fault> {
        let invalid = |words: &str| invalid_argument(words, "x-amz-copy-source", header);
        let text = header.strip_prefix('/').unwrap_or(header);
        let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
        let version_id = match query {
            None => None,
            Some(query) => {
                let id = query.strip_prefix("versionId=").and_then(|id| uri::decode(id, false));
                Some(id.ok_or_else(|| invalid("Invalid copy source object key"))?)
            }
        };
        let words = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
        // Some clients encode the slash too.
        let path =
            if path.contains('/') { path.to_owned() } else { path.replace("%2F", "/").replace("%2f", "/") };
        let (bucket, key) = path.split_once('/').ok_or_else(|| invalid(words))?;
        if bucket.is_empty() || key.is_empty() {
            return Err(invalid(words));
        }
        let bucket = uri::decode(bucket, true).ok_or_else(|| invalid("Invalid copy source bucket name"))?;
        let key = uri::decode(key, true).ok_or_else(|| invalid("Invalid copy source encoding."))?;
        Ok(Self { bucket, key, version_id })
    }
}

/// The object that is copied from.
pub(crate) struct CopySource {
    pub(crate) subject: Subject,
    name: String,
    by_version: bool,
}

impl CopySource {
    /// Looks for it.
    ///
    /// # Errors
    /// A name that is none, `NoSuchBucket`, or another owner than the request expects.
    pub(crate) async fn find(cx: &Cx, header: &str, expected_owner: Option<&str>) -> Result<Self, Error> {
        let name = Name::parse(header)?;
        let bucket = Bucket::find(cx, &name.bucket)?;
        paid_for(cx, &bucket)?;
        owned_as_expected(&bucket, expected_owner)?;
        let by_version = name.version_id.is_some();
        let subject = Subject::find(cx, bucket, &name.key, name.version_id.as_deref()).await?;
        Ok(Self { subject, name: format!("{}/{}", name.bucket, name.key), by_version })
    }

    /// `bucket/key`, as conditions see it (`s3:x-amz-copy-source`): what is copied, however the header wrote it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// May the caller read it? By its own bucket's policy and its own tags.
    pub(crate) fn check(&self, cx: &Cx) -> Check {
        self.subject.check(cx, get_object::action(self.by_version))
    }

    /// May the caller read its tags?
    pub(crate) fn tags_check(&self, cx: &Cx) -> Check {
        let action = if self.by_version { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" };
        self.subject.check(cx, action)
    }

    /// Whether it was named with its version.
    pub(crate) fn is_by_version(&self) -> bool {
        self.by_version
    }

    /// The object, if it is what the request wants it to be.
    ///
    /// # Errors
    /// In which way it is not there, or which condition does not hold.
    pub(crate) fn opened(&self, cx: &Cx, conditions: &Reading<'_>) -> Result<&Opened, Error> {
        let opened = self.subject.opened(cx).map_err(|error| match error {
            Error::Fault(fault) if fault.code == errors::METHOD_NOT_ALLOWED.code => {
                let words =
                    "The source of a copy request may not specifically refer to a delete marker by version id.";
                invalid_request(words).into()
            }
            error => error,
        })?;
        let version = &opened.version;
        match conditions.judge(&version.etag, time(version.modified), cx.now()) {
            Verdict::Holds => Ok(opened),
            Verdict::Fails(condition) | Verdict::NotModified(condition) => {
                let condition = match condition {
                    "If-Match" => "x-amz-copy-source-If-Match",
                    "If-None-Match" => "x-amz-copy-source-If-None-Match",
                    "If-Modified-Since" => "x-amz-copy-source-If-Modified-Since",
                    _ => "x-amz-copy-source-If-Unmodified-Since",
                };
                Err(conditional::failed(condition).into())
            }
        }
    }

    /// May the caller open it?
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn opening_check(&self, cx: &Cx) -> Result<Option<Check>, Error> {
        self.subject.opening_check(cx)
    }

    /// What opens it, for a request with that key.
    ///
    /// # Errors
    /// As [`Opening::of`].
    pub(crate) fn opening(&self, cx: &Cx, opened: &Opened, headers: Headers<'_>) -> Result<Opening, Error> {
        let description = Description::decode(&opened.version.meta)?;
        Ok(Opening::of(cx, description.sealing.as_ref(), headers)?)
    }

    /// The exact version that was seen.
    pub(crate) fn exact(&self, opened: &Opened) -> Source {
        Source { at: self.subject.at.clone(), generation: opened.version.generation }
    }
}

/// `conditions!(input)` are the conditions of a copy on its source.
macro_rules! conditions {
    ($input:expr) => {
        $crate::conditional::Reading {
            if_match: $input.copy_source_if_match.as_deref(),
            if_none_match: $input.copy_source_if_none_match.as_deref(),
            if_modified_since: $input.copy_source_if_modified_since,
            if_unmodified_since: $input.copy_source_if_unmodified_since,
        }
    };
}
pub(crate) use conditions;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_bucket_and_a_key() {
        for (header, bucket, key, version_id) in [
            ("b/k", "b", "k", None),
            ("/b/k", "b", "k", None),
            ("/b//k", "b", "/k", None),
            ("b%2Fk", "b", "k", None),
            ("b/a/../k", "b", "a/../k", None),
            ("b/a%2F%C3%A9+%2B", "b", "a/é +", None),
            ("b/k?versionId=x%2Fy", "b", "k", Some("x/y")),
            ("b/safe%3FversionId%3D..%2fsecret", "b", "safe?versionId=../secret", None),
            ("b/k%00x", "b", "k\0x", None),
        ] {
            let name = Name::parse(header).unwrap();
            let expected = (bucket, key, version_id);
            assert_eq!(
                (name.bucket.as_str(), name.key.as_str(), name.version_id.as_deref()),
                expected,
                "{header}"
            );
        }
        for header in ["", "/", "b", "/b", "b/", "//k", "b/k?x=1", "b/%zz", "b/%ff", "%ff/k"] {
            assert_eq!(Name::parse(header).unwrap_err().code, "InvalidArgument", "{header}");
        }
    }
}
