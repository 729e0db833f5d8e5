//! Objects as they are found in another store. Nothing of their bytes is fetched before somebody asks for them, so that a
//! request can be judged first; what is fetched then is the version that was found, or nothing.

use super::client::{Ask, Failure, Payload};
use super::describe::{self, odd, text_header};
use super::outgoing::OWN_KEYS;
use super::{Upstream, xml};
use crate::{
    At, Contents, ETag, Error, MAX_PARTS, ObjectBody, ObjectPart, Opened, Result, SealKey, Version,
    VersionId, Versioning,
};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use http::header::HeaderMap;
use http::{Method, StatusCode};
use std::ops::Range;
use std::sync::Arc;

/// Parts that are asked for one after the other, and make a page.
const MAX_PARTS_ASKED: usize = 100;

impl Upstream {
    pub(super) fn versioned<'a>(&self, ask: Ask<'a>, version: Option<&VersionId>) -> Result<Ask<'a>> {
        match version {
            None => Ok(ask),
            Some(VersionId::Null) if !self.capabilities.versions => Ok(ask),
            Some(id) => {
                self.needs(self.capabilities.versions, "versions")?;
                Ok(ask.query("versionId", id.to_string()))
            }
        }
    }

    /// Finds an object.
    pub(super) async fn head(&self, at: &At) -> Result<Version> {
        let there = self.there(&at.key)?;
        let headers = self.head_headers(at, &there).await?;
        // One after the other, and of the version that was found: nobody is judged by the tags of what was there before.
        let named = text_header(&headers, "x-amz-version-id").map(VersionId::parse).transpose();
        let named = named.map_err(|_| odd("a version id that is none"))?.or_else(|| at.version.clone());
        let found = At { version: self.id_of(named).await?, ..at.clone() };
        let tags = self.tags_of(&found, &there).await?;
        let tags = self.surroundings.vocabulary.tags(tags);
        let is_latest = self.is_latest(at, &found, &there).await?;
        describe::version(&headers, &*self.surroundings.vocabulary, tags, is_latest)
    }

    /// Whether a version is named in a bucket that never had any: some stores take every id for the object then.
    pub(super) async fn never_was(&self, at: &At) -> Result<bool> {
        let named =
            self.capabilities.versions && at.version.as_ref().is_some_and(|id| *id != VersionId::Null);
        Ok(named && self.versioning().await? == Versioning::Unversioned)
    }

    /// What names a version that was found. Stores leave out which it is where it is the null version, which is also to be named
    /// where there are others.
    pub(super) async fn id_of(&self, named: Option<VersionId>) -> Result<Option<VersionId>> {
        match (named.unwrap_or(VersionId::Null), self.versioning().await?) {
            (VersionId::Null, Versioning::Unversioned) => Ok(None),
            (id, _) => Ok(Some(id)),
        }
    }

    /// Whether what was found is what a request without a version gets.
    async fn is_latest(&self, at: &At, found: &At, there: &str) -> Result<bool> {
        if at.version.is_none() || found.version.is_none() {
            return Ok(true);
        }
        match self.head_headers(&At { version: None, ..at.clone() }, there).await {
            Ok(headers) => Ok(Some(describe::version_id(&headers)?) == found.version),
            Err(Error::NoSuchKey { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn head_headers(&self, at: &At, there: &str) -> Result<HeaderMap> {
        if self.never_was(at).await? {
            return Err(Error::NoSuchVersion);
        }
        let ask = Ask::new(Method::HEAD, Some(there));
        let ask =
            if self.capabilities.checksums { ask.header("x-amz-checksum-mode", "ENABLED")? } else { ask };
        let ask = self.versioned(ask, at.version.as_ref())?;
        let answer = self.http.ask(ask, Payload::None).await.map_err(|failure| failure.of_object(at))?;
        Ok(answer.headers)
    }

    /// The tags, on which policies may depend: they are asked for, never guessed from what an answer leaves out.
    async fn tags_of(&self, at: &At, there: &str) -> Result<Vec<(String, String)>> {
        if !self.capabilities.tagging {
            return Ok(Vec::new());
        }
        let ask =
            self.versioned(Ask::new(Method::GET, Some(there)).query("tagging", ""), at.version.as_ref())?;
        let answer = match self.http.ask(ask, Payload::None).await {
            Ok(answer) => answer,
            Err(Failure::Refused(refusal)) if refusal.is("NoSuchTagSet") => return Ok(Vec::new()),
            Err(failure) => return Err(failure.of_object(at)),
        };
        xml::read(&answer.document().await?, "Tagging", |tagging| {
            let set = tagging.child("TagSet")?;
            let pair = |tag: xml::Element<'_, '_>| {
                Some((tag.text("Key")?.to_owned(), tag.text("Value").unwrap_or_default().to_owned()))
            };
            set.all("Tag").map(pair).collect()
        })
    }

    /// Finds an object, and the way to its bytes.
    pub(super) async fn open(self: &Arc<Self>, at: At) -> Result<Opened> {
        let version = self.head(&at).await?;
        let there = self.there(&at.key)?;
        // What was found is what is read, even if another takes its place: by its id where there are ids, and by its tag.
        let id = match (&version.id, self.versioning().await?) {
            (_, Versioning::Unversioned) => None,
            (id, _) => Some(id.clone()),
        };
        let found = Found {
            upstream: Arc::clone(self),
            there,
            id,
            etag: format!("\"{}\"", version.etag),
            size: version.size,
        };
        Ok(Opened::new(version, Box::new(found)))
    }

    pub(super) async fn ask_versioning(&self) -> Result<Versioning> {
        let ask = Ask::new(Method::GET, None).query("versioning", "");
        let answer = self.http.ask(ask, Payload::None).await.map_err(Failure::into_error)?;
        xml::read(&answer.document().await?, "VersioningConfiguration", |configuration| {
            Some(match configuration.text("Status").map(str::trim) {
                Some("Enabled") => Versioning::Enabled,
                Some("Suspended") => Versioning::Suspended,
                _ => Versioning::Unversioned,
            })
        })
    }
}

/// An object that was found.
#[derive(Clone)]
struct Found {
    upstream: Arc<Upstream>,
    there: String,
    id: Option<VersionId>,
    etag: String,
    size: u64,
}

impl Found {
    fn ask(&self, method: Method) -> Result<Ask<'_>> {
        let ask = Ask::new(method, Some(&self.there)).header("if-match", &self.etag)?;
        match &self.id {
            Some(id) => Ok(ask.query("versionId", id.to_string())),
            None => Ok(ask),
        }
    }

    async fn bytes(self, range: Range<u64>) -> Result<stream::BoxStream<'static, Result<Bytes>>> {
        let length = range.end - range.start;
        if length == 0 {
            return Ok(stream::empty().boxed());
        }
        let mut ask = self.ask(Method::GET)?;
        let whole = length == self.size;
        if !whole {
            ask = ask.header("range", &format!("bytes={}-{}", range.start, range.end - 1))?;
        }
        let answer = self.upstream.http.ask(ask, Payload::None).await.map_err(gone)?;
        if text_header(&answer.headers, "etag").map(xml::etag) != Some(xml::etag(&self.etag)) {
            return Err(Error::SourceChanged);
        }
        // Some stores say 200 of a part; which it is stands in its range.
        let right = if whole { answer.status == StatusCode::OK } else { is_range(&answer.headers, &range) };
        if !right {
            return Err(odd("other bytes than were asked for"));
        }
        Ok(answer.bytes(length).boxed())
    }

    async fn part(&self, place: u16) -> Result<Option<ObjectPart>> {
        let ask = self.ask(Method::HEAD)?.query("partNumber", place.to_string());
        let ask = ask.header("x-amz-checksum-mode", "ENABLED")?;
        let answer = match self.upstream.http.ask(ask, Payload::None).await {
            Ok(answer) => answer,
            Err(Failure::Refused(refusal)) if refusal.status == StatusCode::RANGE_NOT_SATISFIABLE => {
                return Ok(None);
            }
            Err(failure) => return Err(gone(failure)),
        };
        let range = text_header(&answer.headers, "content-range").and_then(content_range);
        let range = range.ok_or_else(|| odd("a part without its place"))?;
        Ok(Some(ObjectPart {
            place,
            number: place,
            offset: range.start,
            size: range.end - range.start,
            checksums: describe::checksums(&answer.headers),
        }))
    }
}

/// What was found is there no more: another took its place.
fn gone(failure: Failure) -> Error {
    match failure {
        Failure::Refused(refusal)
            if matches!(refusal.status, StatusCode::PRECONDITION_FAILED | StatusCode::NOT_FOUND) =>
        {
            Error::SourceChanged
        }
        failure => failure.into_error(),
    }
}

fn is_range(headers: &HeaderMap, range: &Range<u64>) -> bool {
    text_header(headers, "content-range").and_then(content_range).as_ref() == Some(range)
}

/// `bytes 0-9/100` is 0 to 10.
fn content_range(text: &str) -> Option<Range<u64>> {
    let (range, _) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..last.checked_add(1)?)
}

impl Contents for Found {
    fn body(&self, range: Range<u64>) -> ObjectBody {
        ObjectBody::new(self.clone().bytes(range).into_stream().try_flatten())
    }

    fn body_with(&self, _: Range<u64>, _: SealKey) -> ObjectBody {
        ObjectBody::new(stream::iter([Err(Error::Unsupported(OWN_KEYS))]))
    }

    fn parts(&self, first: u16, limit: usize) -> BoxFuture<'_, Result<Vec<ObjectPart>>> {
        async move {
            self.upstream.needs(self.upstream.capabilities.part_numbers, "reads by part number")?;
            let ETag::Parts { parts: count, .. } = xml::etag(&self.etag) else { return Ok(Vec::new()) };
            let mut parts = Vec::new();
            // A page may be shorter than was asked for: who asks sees how many parts there are.
            for place in (first..=MAX_PARTS).take(limit.min(MAX_PARTS_ASKED)) {
                match self.part(place).await? {
                    Some(part) => parts.push(part),
                    None if u32::from(place) <= count => return Err(odd("fewer parts than its tag says")),
                    None => break,
                }
            }
            Ok(parts)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::content_range;

    #[test]
    fn a_range_reads_as_it_is_written() {
        assert_eq!(content_range("bytes 0-9/100"), Some(0..10));
        assert_eq!(content_range("bytes 5-5/*"), Some(5..6));
        for wrong in ["bytes 9-0/100", "0-9/100", "bytes */100", "bytes 0-18446744073709551615/1"] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
    }
}
