//! Bytes on their way in and out.

use crate::{CallerError, Digests, Result, SealKey, Version, Versioning};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The most that one body may have, in bytes: 5 GiB (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
pub const MAX_BODY_BYTES: u64 = 5 << 30;

/// Says whether what came is what was meant, once all of it came and its checksums are known.
pub type Agree = Box<dyn FnOnce(&Digests) -> Result<(), CallerError> + Send>;

/// A body to be stored. It is stored whole or not at all.
pub struct Body {
    pub(crate) stream: BoxStream<'static, Result<Bytes, CallerError>>,
    pub(crate) length: Option<u64>,
    pub(crate) agree: Option<Agree>,
    pub(crate) key: Option<SealKey>,
}

impl Body {
    /// A body that ends when the stream does; an error of the stream is an error of the operation.
    pub fn new(stream: impl Stream<Item = Result<Bytes, CallerError>> + Send + 'static) -> Self {
        Self { stream: stream.boxed(), length: None, agree: None, key: None }
    }

    /// A body that is at hand.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self::new(stream::iter((!bytes.is_empty()).then_some(Ok(bytes)))).with_length(length)
    }

    /// Exactly this many bytes, or the operation fails.
    #[must_use]
    pub fn with_length(self, bytes: u64) -> Self {
        Self { length: Some(bytes), ..self }
    }

    /// The key that seals it, where what it is stored as says [`crate::KeyId::GIVEN`]. Its tag is none that tells of the
    /// bytes then.
    #[must_use]
    pub fn sealed_with(self, key: SealKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The last word: called once with what was computed, before anything becomes visible.
    #[must_use]
    pub fn with_agreement(
        self,
        agree: impl FnOnce(&Digests) -> Result<(), CallerError> + Send + 'static,
    ) -> Self {
        Self { agree: Some(Box::new(agree)), ..self }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length).finish_non_exhaustive()
    }
}

/// An object that was found and is held: its bytes stay readable, whatever happens to it meanwhile.
pub struct Opened {
    /// What it is.
    pub version: Version,
    /// How its bucket kept versions when it was found, where that is known without asking again.
    pub versioning: Option<Versioning>,
    pub(crate) contents: Box<dyn Contents>,
}

impl Opened {
    /// For engines: a version and the way to its bytes.
    #[must_use]
    pub fn new(version: Version, contents: Box<dyn Contents>) -> Self {
        Self { version, versioning: None, contents }
    }

    /// The same, found in a bucket that keeps versions like this.
    #[must_use]
    pub fn with_versioning(self, versioning: Versioning) -> Self {
        Self { versioning: Some(versioning), ..self }
    }

    /// The bytes of a range, which must lie within the object.
    ///
    /// # Errors
    /// [`crate::Error::InvalidRange`] and [`crate::Error::Archived`]; later ones come in the stream.
    pub fn body(&self, range: Range<u64>) -> Result<ObjectBody> {
        self.may_read(&range)?;
        Ok(self.contents.body(range))
    }

    /// The bytes of a range of what was sealed with a key that came with it ([`crate::KeyId::GIVEN`]).
    ///
    /// # Errors
    /// As [`Opened::body`]. Another key than that one opens nothing: the stream fails.
    pub fn body_with(&self, range: Range<u64>, key: SealKey) -> Result<ObjectBody> {
        self.may_read(&range)?;
        Ok(self.contents.body_with(range, key))
    }

    fn may_read(&self, range: &Range<u64>) -> Result<()> {
        if range.start > range.end || range.end > self.version.size {
            return Err(crate::Error::InvalidRange);
        }
        if self.version.storage == crate::Storage::Archived {
            return Err(crate::Error::Archived);
        }
        Ok(())
    }

    /// All the bytes.
    ///
    /// # Errors
    /// As [`Opened::body`].
    pub fn whole(&self) -> Result<ObjectBody> {
        self.body(0..self.version.size)
    }

    /// The parts that the object was uploaded in, from the `first`th (counted from 1) on, at most `limit`; none if it
    /// was not. They may be fewer where each has to be asked for, but not none of those that there are.
    ///
    /// # Errors
    /// What reading fails with.
    pub async fn parts(&self, first: u16, limit: usize) -> Result<Vec<ObjectPart>> {
        self.contents.parts(first, limit).await
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("version", &self.version).finish_non_exhaustive()
    }
}

/// A part of a finished object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPart {
    /// Its place in the object, counted from 1.
    pub place: u16,
    /// The number that it was uploaded with.
    pub number: u16,
    /// Where it begins in the object.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// Its own checksums.
    pub checksums: crate::Checksums,
}

/// For engines: what stands behind [`Opened`].
pub trait Contents: Send + Sync {
    /// The bytes of a range that lies within the object.
    fn body(&self, range: Range<u64>) -> ObjectBody;
    /// The same, sealed with a key that was given.
    fn body_with(&self, range: Range<u64>, key: SealKey) -> ObjectBody;
    /// See [`Opened::parts`].
    fn parts(&self, first: u16, limit: usize) -> BoxFuture<'_, Result<Vec<ObjectPart>>>;
}

/// Bytes on their way out: a stream of chunks with a bounded read-ahead. An error ends it.
///
/// The type is closed so that an engine may later also name the files and offsets that hold the bytes.
pub struct ObjectBody {
    chunks: BoxStream<'static, Result<Bytes>>,
}

impl ObjectBody {
    /// For engines.
    pub fn new(chunks: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self { chunks: chunks.boxed() }
    }

    /// For engines: bytes at hand.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self::new(stream::iter((!bytes.is_empty()).then_some(Ok(bytes))))
    }
}

impl Stream for ObjectBody {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_next_unpin(cx)
    }
}

impl fmt::Debug for ObjectBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectBody").finish_non_exhaustive()
    }
}
