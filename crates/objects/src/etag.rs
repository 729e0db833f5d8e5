//! Entity tags, without their quotes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An object's entity tag.
///
/// The MD5 of the bytes for an object written at once; the MD5 of the parts' MD5s, a hyphen and the number of parts for
/// one made of parts (Amazon S3 User Guide, "Checking object integrity").
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ETag {
    /// Written at once.
    Md5([u8; 16]),
    /// Made of parts.
    Parts {
        /// MD5 of the parts' MD5s.
        digest: [u8; 16],
        /// How many parts.
        parts: u32,
    },
    /// Anything else, kept as it was given.
    Opaque(Box<str>),
}

impl ETag {
    /// Reads a tag without quotes.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::parse_known(text).unwrap_or_else(|| Self::Opaque(text.into()))
    }

    fn parse_known(text: &str) -> Option<Self> {
        let (digits, parts) = match text.split_once('-') {
            Some((digits, parts)) => (digits, Some(parts)),
            None => (text, None),
        };
        let digest = crate::hex::decode::<16>(digits)?;
        let Some(count) = parts else { return Some(Self::Md5(digest)) };
        let parts: u32 = count.parse().ok()?;
        (parts.to_string() == count).then_some(Self::Parts { digest, parts })
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5(digest) => f.write_str(&crate::hex::encode(digest)),
            Self::Parts { digest, parts } => write!(f, "{}-{parts}", crate::hex::encode(digest)),
            Self::Opaque(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ETag;

    #[test]
    fn a_tag_reads_back_as_it_was_written() {
        for text in [
            "d41d8cd98f00b204e9800998ecf8427e",
            "d41d8cd98f00b204e9800998ecf8427e-10000",
            "D41D8CD98F00B204E9800998ECF8427E",
            "d41d8cd98f00b204e9800998ecf8427e-007",
            "d41d8cd98f00b204e9800998ecf8427e-",
            "",
            "x-1",
        ] {
            assert_eq!(ETag::parse(text).to_string(), text);
        }
        assert!(matches!(ETag::parse("d41d8cd98f00b204e9800998ecf8427e-2"), ETag::Parts { parts: 2, .. }));
    }
}
