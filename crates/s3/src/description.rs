//! What an object is described with beside its bytes: the headers that it was put with, and metadata of its owner's
//! (S3 user guide, "Working with object metadata").

use std::borrow::Cow;
use std::collections::BTreeMap;

use daypass_core::model::AccountId;
use daypass_core::model::s3::errors;
use daypass_core::objects::Error as Engine;
use daypass_core::{Error, Fault};
use serde::{Deserialize, Serialize};

use crate::acl::Acl;
use crate::encryption::Sealing;
use crate::replication::Status;

/// Bytes of the names and values of metadata.
const MAX_METADATA: usize = 2048;
/// What an object is that was put without a type.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// A description, as the object store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Description {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<String>,
    /// Where a website sends who visits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) website_redirect_location: Option<String>,
    /// `x-amz-meta-…`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
    /// Its storage class, where that is not the standard one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class: Option<String>,
    /// Whose object it is, where it is not the bucket owner's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<AccountId>,
    /// Its ACL, if one was put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acl: Option<Acl>,
    /// With what it is sealed, where it is not the server's own keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sealing: Option<Sealing>,
    /// Whether a legal hold was ever put on it or taken off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) legal_hold_was_set: bool,
    /// How its replication stands, where it has to do with any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replication: Option<Status>,
    /// Of an upload: who began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) initiator: Option<String>,
    /// Of an upload: whether its checksum was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) checksum_was_chosen: bool,
}

/// `described!(input)` is the description in a request, whichever it is.
macro_rules! described {
    ($input:expr) => {
        $crate::description::Description {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $input
                .content_encoding
                .take()
                .and_then(|e| $crate::description::without_framing(&e)),
            content_language: $input.content_language.take(),
            expires: $input.expires.take(),
            website_redirect_location: $input.website_redirect_location.take(),
            metadata: std::mem::take(&mut $input.metadata),
            ..$crate::description::Description::default()
        }
    };
}
pub(crate) use described;

impl Description {
    /// As the object store keeps it.
    ///
    /// # Errors
    /// `MetadataTooLarge`.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let size = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if size > MAX_METADATA {
            return Err(too_large().with("Size", size.to_string()).into());
        }
        serde_json::to_vec(self).map_err(|error| Error::Internal(Box::new(error)))
    }

    /// What [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// If it is anything else.
    pub(crate) fn decode(kept: &[u8]) -> Result<Self, Error> {
        if kept.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(kept).map_err(|error| Error::Internal(Box::new(error)))
    }

    /// The same without what only an upload has.
    pub(crate) fn of_object(self) -> Self {
        Self { initiator: None, checksum_was_chosen: false, ..self }
    }

    /// The same without what is the object's own and no copy's.
    pub(crate) fn of_copy(self) -> Self {
        Self {
            legal_hold_was_set: false,
            owner: None,
            acl: None,
            sealing: None,
            replication: None,
            website_redirect_location: None,
            ..self.of_object()
        }
    }

    /// The storage class of what is described so, by its name; without reading the rest.
    pub(crate) fn storage_class(kept: &[u8]) -> Cow<'_, str> {
        #[derive(Deserialize)]
        struct Class<'k> {
            #[serde(borrow)]
            storage_class: Option<Cow<'k, str>>,
        }
        let class =
            serde_json::from_slice::<Class<'_>>(kept).ok().and_then(|described| described.storage_class);
        class.unwrap_or(Cow::Borrowed("STANDARD"))
    }

    /// The object's type, which it always has.
    pub(crate) fn content_type(&self) -> String {
        self.content_type.clone().unwrap_or_else(|| DEFAULT_TYPE.to_owned())
    }
}

/// How the body came is no property of the object (S3 API reference, "Signature Calculations … Multiple Chunks":
/// `aws-chunked` is not kept).
pub(crate) fn without_framing(encoding: &str) -> Option<String> {
    let parts = || encoding.split(',').map(str::trim);
    let is_framing = |part: &str| part.eq_ignore_ascii_case("aws-chunked");
    if !encoding.is_empty() && !parts().any(is_framing) {
        // It is kept as it was written.
        return Some(encoding.to_owned());
    }
    let kept: Vec<&str> = parts().filter(|part| !part.is_empty() && !is_framing(part)).collect();
    if kept.is_empty() { None } else { Some(kept.join(",")) }
}

/// A description beyond what is kept of one.
pub(crate) fn too_large() -> Fault {
    let words = "Your metadata headers exceed the maximum allowed metadata size";
    Fault::new(&errors::METADATA_TOO_LARGE, words).with("MaxSizeAllowed", MAX_METADATA.to_string())
}

/// Whether that is what the object store refused.
pub(crate) fn is_too_large(error: &Engine) -> bool {
    matches!(error, Engine::TooLarge { what: "description", .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_kept_up_to_two_kibibytes_of_names_and_values() {
        let with = |bytes: usize| Description {
            metadata: BTreeMap::from([("é".to_owned(), "v".repeat(bytes - 2))]),
            ..Description::default()
        };
        let kept = with(2048).encode().unwrap();
        assert_eq!(Description::decode(&kept).unwrap(), with(2048));
        let Err(Error::Fault(fault)) = with(2049).encode() else { panic!("taken") };
        assert_eq!(fault.code, "MetadataTooLarge");
    }

    #[test]
    fn framing_is_no_encoding_of_the_object() {
        for (sent, kept) in [
            ("gzip", Some("gzip")),
            ("deflate, gzip", Some("deflate, gzip")),
            ("aws-chunked", None),
            ("aws-chunked,gzip", Some("gzip")),
            ("gzip, AWS-Chunked, br", Some("gzip,br")),
            ("", None),
        ] {
            assert_eq!(without_framing(sent).as_deref(), kept, "{sent}");
        }
    }
}
