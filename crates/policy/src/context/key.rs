//! Names of condition keys, compared without regard to case.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The name of a condition key, `aws:SourceIp` or `aws:RequestTag/team`. Two names that differ only in case are the
/// same key, and that holds for the tag's part too (`reference_policies_condition-keys`). AWS says of ASCII's letters alone
/// that they have a case; others are told apart.
///
/// A hash is kept beside the text, so that finding a key compares one number with each key of the request; for a
/// name known in advance the hash is computed by the compiler:
///
/// ```
/// use daypass_policy::Key;
/// const PREFIX: Key<'static> = Key::from_static("s3:prefix");
/// assert_eq!(PREFIX, Key::from("S3:Prefix"));
/// ```
#[derive(Clone, Eq)]
pub struct Key<'a> {
    hash: u64,
    text: Cow<'a, str>,
}

impl Key<'static> {
    /// A key whose name is known in advance.
    pub const fn from_static(text: &'static str) -> Self {
        Self { hash: hash(text), text: Cow::Borrowed(text) }
    }
}

impl<'a> Key<'a> {
    /// The key of a tag: `Key::tagged("aws:RequestTag", "team")` is `aws:RequestTag/team`.
    pub fn tagged(prefix: &str, tag: &str) -> Key<'static> {
        Key::from(format!("{prefix}/{tag}"))
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same key, owning its name.
    pub(crate) fn into_owned(self) -> Key<'static> {
        Key { hash: self.hash, text: Cow::Owned(self.text.into_owned()) }
    }
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(text: &'a str) -> Self {
        Self { hash: hash(text), text: Cow::Borrowed(text) }
    }
}

impl From<String> for Key<'_> {
    fn from(text: String) -> Self {
        Self { hash: hash(&text), text: Cow::Owned(text) }
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// FNV-1a over the bytes, ASCII's in lower case.
const fn hash(text: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut bytes = text.as_bytes();
    while let [byte, rest @ ..] = bytes {
        hash = (hash ^ byte.to_ascii_lowercase() as u64).wrapping_mul(0x0100_0000_01b3);
        bytes = rest;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_ascii_is_ignored_in_the_tag_too_and_no_other() {
        assert_eq!(Key::from("aws:ResourceTag/Env"), Key::from("AWS:resourcetag/ENV"));
        assert_eq!(Key::from("aws:RequestTag/Größe"), Key::from("aws:requesttag/GRößE"));
        assert_ne!(Key::from("aws:RequestTag/Größe"), Key::from("aws:RequestTag/GrÖße"));
        assert_ne!(Key::from("aws:RequestTag/k"), Key::from("aws:RequestTag/\u{212a}"));
        assert_ne!(Key::from("aws:RequestTag/ä"), Key::from("aws:RequestTag/ö"));
        assert_ne!(Key::from("s3:prefix"), Key::from("s3:prefix2"));
        assert_eq!(Key::tagged("aws:RequestTag", "a/b"), Key::from("aws:RequestTag/a/b"));
    }
}
