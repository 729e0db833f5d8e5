//! Object keys: bytes, and nothing but bytes.

use crate::{Error, Result};
use bytes::Bytes;
use std::fmt;

/// The longest key, in bytes (Amazon S3 User Guide, "Naming Amazon S3 objects").
pub const MAX_KEY_BYTES: usize = 1024;

/// The name of an object: 1 to [`MAX_KEY_BYTES`] bytes that are never read as a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Bytes);

impl Key {
    /// Takes the bytes as they are.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`MAX_KEY_BYTES`], [`Error::EmptyKey`] for none.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self> {
        let bytes = bytes.into();
        match bytes.len() {
            0 => Err(Error::EmptyKey),
            1..=MAX_KEY_BYTES => Ok(Self(bytes)),
            _ => Err(Error::TooLarge { what: "key", limit: MAX_KEY_BYTES as u64 }),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, shared.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        self.0.clone()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.escape_ascii())
    }
}
