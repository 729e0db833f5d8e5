//! Pages of what another store has. Keys are asked for percent-encoded, for XML cannot write them all.

use super::Upstream;
use super::client::{Ask, Failure, Payload};
use super::describe::{generation, odd};
use super::order::in_order;
use super::xml::{self, Element};
use crate::{
    After, AfterUpload, AfterVersion, AnyVersion, Checksums, DeleteMarker, Entry, Error, Key, Keys, Listed,
    Lock, MAX_KEY_BYTES, MAX_PAGE, ObjectPage, Page, Result, Storage, Upload, UploadId, UploadPage, Version,
    VersionId, VersionPage, Versioning,
};
use bytes::Bytes;
use http::Method;

/// The last character that there is: what begins with a prefix is before the prefix with it.
const LAST: &str = "\u{10ffff}";
/// Pages that are asked for at most to make one of ours.
const MOST_PAGES: usize = 8;

/// Where a page of theirs begins: behind this key, and without what begins with this.
#[derive(Default)]
struct Begin {
    marker: Option<String>,
    past: Option<String>,
}

impl Begin {
    /// Goes on behind the last that was told, whether it is one of ours or was told before.
    fn behind(self, last: Option<Last>) -> Result<Self> {
        let Last { there, is_prefix } = last.ok_or_else(endless)?;
        let there = String::from_utf8(there).map_err(|_| odd("a key that is not UTF-8"))?;
        let next = if is_prefix {
            Self::past(there)
        } else {
            let past = self.past.filter(|past| there.starts_with(past.as_str()));
            Self { marker: Some(there), past }
        };
        if next.marker == self.marker { Err(endless()) } else { Ok(next) }
    }

    /// Behind all that begins with this.
    fn past(prefix: String) -> Self {
        let long = prefix.len() + LAST.len() > MAX_KEY_BYTES;
        let marker = if long { prefix.clone() } else { format!("{prefix}{LAST}") };
        Self { marker: Some(marker), past: Some(prefix) }
    }
}

/// A page of theirs.
struct Found {
    entries: Vec<Entry<Listed<Version>>>,
    truncated: bool,
    /// The last that it tells of, shown or not.
    last: Option<Last>,
}

struct Last {
    there: Vec<u8>,
    is_prefix: bool,
}

/// A listing that says that there is more and does not go on. It is never taken for a complete one.
fn endless() -> Error {
    odd("a listing that is cut off and does not go on")
}

/// The page, if it has something on it or is the last; otherwise it is to be gone on behind it.
fn settled<T, A: PartialEq>(page: Page<T, A>, after: &mut Option<A>) -> Result<Option<Page<T, A>>> {
    if page.next.is_some() && page.next == *after {
        return Err(endless());
    }
    if !page.entries.is_empty() || page.next.is_none() {
        return Ok(Some(page));
    }
    *after = page.next;
    Ok(None)
}

impl Upstream {
    fn behind(&self, after: Option<&After>) -> Result<Begin> {
        let there = |bytes: &Bytes| Ok::<_, Error>(format!("{}{}", self.prefix, utf8(bytes)?));
        match after {
            None => Ok(Begin::default()),
            Some(After::Key(key)) => Ok(Begin { marker: Some(there(key)?), past: None }),
            Some(After::Prefix(prefix)) => Ok(Begin::past(there(prefix)?)),
        }
    }

    pub(super) fn page<'a>(&self, keys: &Keys) -> Result<Ask<'a>> {
        let mut ask = Ask::new(Method::GET, None)
            .query("prefix", format!("{}{}", self.prefix, utf8(&keys.prefix)?))
            .query("encoding-type", "url");
        if !keys.delimiter.is_empty() {
            ask = ask.query("delimiter", utf8(&keys.delimiter)?);
        }
        Ok(ask)
    }

    pub(super) async fn listed<T>(
        &self,
        ask: Ask<'_>,
        root: &'static str,
        read: impl FnOnce(Element<'_, '_>) -> Option<Result<T>>,
    ) -> Result<T> {
        let answer = self.http.ask(ask, Payload::None).await.map_err(Failure::into_error)?;
        xml::read(&answer.document().await?, root, read)?
    }

    /// Lists objects. Descriptions are not in a listing of another store; what is asked for one by one has them.
    pub(super) async fn list(&self, keys: &Keys, after: Option<&After>) -> Result<ObjectPage> {
        if !self.capabilities.listings_in_order {
            return self.list_unordered(keys, after).await;
        }
        let limit = keys.limit.min(MAX_PAGE);
        let mut page = Page { entries: Vec::new(), next: None };
        let mut begin = self.behind(after)?;
        for _ in 0..MOST_PAGES {
            if limit == page.entries.len() {
                break;
            }
            let mut ask = self.page(keys)?.query("list-type", "2");
            ask = ask.query("max-keys", (limit - page.entries.len()).to_string());
            if let Some(marker) = &begin.marker {
                ask = ask.query("start-after", marker.clone());
            }
            let past = begin.past.clone();
            let read = |list: Element<'_, '_>| Some(self.objects(list, past.as_deref()));
            let found = self.listed(ask, "ListBucketResult", read).await?;
            page.entries.extend(found.entries);
            // A store that tells more than it was asked for is asked again for the rest.
            let more = found.truncated || page.entries.len() > limit;
            page.entries.truncate(limit);
            page.next = if more { page.entries.last().map(after_entry) } else { None };
            if !more || page.entries.len() == limit {
                return Ok(page);
            }
            begin = begin.behind(found.last)?;
        }
        // What is cut off with nothing before the cut cannot be gone on with.
        if limit > 0 && page.entries.is_empty() { Err(endless()) } else { Ok(page) }
    }

    fn objects(&self, list: Element<'_, '_>, past: Option<&str>) -> Result<Found> {
        let mut entries = Vec::new();
        let mut last: Option<Last> = None;
        for (name, element) in list.children() {
            let (there, entry) = match name {
                "Contents" => {
                    let (key, there) = self.key(element, list)?;
                    let what = listed_version(element, VersionId::Null, true)?;
                    (there, Entry::One(Listed { key, what }))
                }
                "CommonPrefixes" => {
                    let (prefix, there) = self.common_prefix(element, list)?;
                    (there, Entry::Prefix(prefix))
                }
                _ => continue,
            };
            if last.as_ref().is_none_or(|last| last.there < there) {
                last = Some(Last { there: there.clone(), is_prefix: matches!(entry, Entry::Prefix(_)) });
            }
            if past.is_none_or(|past| !there.starts_with(past.as_bytes())) {
                entries.push((there, entry));
            }
        }
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        Ok(Found { entries, truncated: list.is_true("IsTruncated"), last })
    }

    /// A key, as it is here and there.
    pub(super) fn key(&self, element: Element<'_, '_>, list: Element<'_, '_>) -> Result<(Key, Vec<u8>)> {
        let there = named(element, "Key", list).ok_or_else(|| odd("a key that is none"))?;
        Ok((self.here(there.clone())?, there))
    }

    pub(super) fn common_prefix(
        &self,
        element: Element<'_, '_>,
        list: Element<'_, '_>,
    ) -> Result<(Bytes, Vec<u8>)> {
        let there = named(element, "Prefix", list).ok_or_else(|| odd("a prefix that is none"))?;
        let here = there.strip_prefix(self.prefix.as_bytes());
        let here = here.ok_or_else(|| odd("a prefix that was not asked for"))?;
        Ok((Bytes::copy_from_slice(here), there))
    }

    /// Lists versions and delete markers.
    pub(super) async fn list_versions(
        &self,
        keys: &Keys,
        after: Option<&AfterVersion>,
    ) -> Result<VersionPage> {
        let limit = keys.limit.min(MAX_PAGE);
        if limit == 0 {
            return Ok(Page { entries: Vec::new(), next: None });
        }
        if !self.capabilities.versions {
            return self.objects_as_versions(keys, after).await;
        }
        if !self.capabilities.listings_in_order {
            return match self.versioning().await? {
                Versioning::Unversioned => self.objects_as_versions(keys, after).await,
                Versioning::Enabled | Versioning::Suspended => self.versions_unordered(keys, after).await,
            };
        }
        let mut after = after.cloned();
        for _ in 0..MOST_PAGES {
            let page = self.versions_behind(keys, after.as_ref(), limit).await?;
            if let Some(page) = settled(page, &mut after)? {
                return Ok(page);
            }
        }
        Err(endless())
    }

    async fn versions_behind(
        &self,
        keys: &Keys,
        after: Option<&AfterVersion>,
        limit: usize,
    ) -> Result<VersionPage> {
        let begin = match after {
            None => Begin::default(),
            Some(AfterVersion::Keys(after)) => self.behind(Some(after))?,
            Some(AfterVersion::Version(key, _)) => Begin { marker: Some(self.there(key)?), past: None },
        };
        let mut ask = self.page(keys)?.query("versions", "").query("max-keys", limit.to_string());
        if let Some(marker) = &begin.marker {
            ask = ask.query("key-marker", marker.clone());
        }
        if let Some(AfterVersion::Version(_, id)) = after {
            ask = ask.query("version-id-marker", id.to_string());
        }
        let read = |list: Element<'_, '_>| Some(self.versions(list, begin.past.as_deref(), limit));
        self.listed(ask, "ListVersionsResult", read).await
    }

    /// Where no versions are kept, every object is its only one.
    async fn objects_as_versions(&self, keys: &Keys, after: Option<&AfterVersion>) -> Result<VersionPage> {
        let after = after.map(|after| match after {
            AfterVersion::Keys(after) => after.clone(),
            AfterVersion::Version(key, _) => After::Key(key.bytes()),
        });
        let page = self.list(keys, after.as_ref()).await?;
        let entries = page.entries.into_iter().map(|entry| match entry {
            Entry::One(Listed { key, what }) => Entry::One(Listed { key, what: AnyVersion::Object(what) }),
            Entry::Prefix(prefix) => Entry::Prefix(prefix),
        });
        Ok(Page { entries: entries.collect(), next: page.next.map(AfterVersion::Keys) })
    }

    fn versions(&self, list: Element<'_, '_>, past: Option<&str>, limit: usize) -> Result<VersionPage> {
        let mut entries = Vec::new();
        for (name, element) in list.children() {
            let entry = match name {
                "Version" | "DeleteMarker" => {
                    let (key, there) = self.key(element, list)?;
                    let what = any_version(name, element)?;
                    (there, Entry::One(Listed { key, what }))
                }
                "CommonPrefixes" => {
                    let (prefix, there) = self.common_prefix(element, list)?;
                    (there, Entry::Prefix(prefix))
                }
                _ => continue,
            };
            if past.is_none_or(|past| !entry.0.starts_with(past.as_bytes())) {
                entries.push(entry);
            }
        }
        let mut entries = in_order(entries);
        if entries.len() > limit {
            entries.truncate(limit);
            let next = entries.last().map(after_version);
            return Ok(Page { entries, next });
        }
        let next = match self.next(list, "NextVersionIdMarker", entries.last().map(after_version))? {
            None => None,
            Some(Next::Same(after)) => Some(after),
            Some(Next::Key(after)) => Some(AfterVersion::Keys(after)),
            Some(Next::Id(key, id)) => {
                let id = VersionId::parse(&id).map_err(|_| odd("a version id that is none"))?;
                Some(AfterVersion::Version(key, id))
            }
        };
        Ok(Page { entries, next })
    }

    /// Lists uploads.
    pub(super) async fn list_uploads(&self, keys: &Keys, after: Option<&AfterUpload>) -> Result<UploadPage> {
        let limit = keys.limit.min(MAX_PAGE);
        if limit == 0 {
            return Ok(Page { entries: Vec::new(), next: None });
        }
        if !self.capabilities.listings_in_order {
            return self.uploads_unordered(keys, after).await;
        }
        let mut after = after.cloned();
        for _ in 0..MOST_PAGES {
            let page = self.uploads_behind(keys, after.as_ref(), limit).await?;
            if let Some(page) = settled(page, &mut after)? {
                return Ok(page);
            }
        }
        Err(endless())
    }

    async fn uploads_behind(
        &self,
        keys: &Keys,
        after: Option<&AfterUpload>,
        limit: usize,
    ) -> Result<UploadPage> {
        let begin = match after {
            None => Begin::default(),
            Some(AfterUpload::Keys(after)) => self.behind(Some(after))?,
            Some(AfterUpload::Upload(key, _)) => Begin { marker: Some(self.there(key)?), past: None },
        };
        let mut ask = self.page(keys)?.query("uploads", "").query("max-uploads", limit.to_string());
        if let Some(marker) = &begin.marker {
            ask = ask.query("key-marker", marker.clone());
        }
        if let Some(AfterUpload::Upload(_, id)) = after {
            ask = ask.query("upload-id-marker", id.to_string());
        }
        let read = |list: Element<'_, '_>| Some(self.uploads_in(list, begin.past.as_deref(), limit));
        self.listed(ask, "ListMultipartUploadsResult", read).await
    }

    pub(super) fn uploads_in(
        &self,
        list: Element<'_, '_>,
        past: Option<&str>,
        limit: usize,
    ) -> Result<UploadPage> {
        let mut entries = Vec::new();
        for (name, element) in list.children() {
            let entry = match name {
                "Upload" => {
                    let (key, there) = self.key(element, list)?;
                    let id = element.text("UploadId").and_then(|id| UploadId::parse(id).ok());
                    let id = id.ok_or_else(|| odd("an upload without an id"))?;
                    let initiated =
                        Some(element.time("Initiated").ok_or_else(|| odd("an upload without a date"))?);
                    let meta = Bytes::new();
                    (there, Entry::One(Upload { key, id, initiated, meta, checksum: None }))
                }
                "CommonPrefixes" => {
                    let (prefix, there) = self.common_prefix(element, list)?;
                    (there, Entry::Prefix(prefix))
                }
                _ => continue,
            };
            if past.is_none_or(|past| !entry.0.starts_with(past.as_bytes())) {
                entries.push(entry);
            }
        }
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        let mut entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
        if entries.len() > limit {
            entries.truncate(limit);
            let next = entries.last().map(after_upload);
            return Ok(Page { entries, next });
        }
        let next = match self.next(list, "NextUploadIdMarker", entries.last().map(after_upload))? {
            None => None,
            Some(Next::Same(after)) => Some(after),
            Some(Next::Key(after)) => Some(AfterUpload::Keys(after)),
            Some(Next::Id(key, id)) => {
                let id = UploadId::parse(&id).map_err(|_| odd("an upload id that is none"))?;
                Some(AfterUpload::Upload(key, id))
            }
        };
        Ok(Page { entries, next })
    }

    /// Where a list goes on: where it says itself, or else behind its last entry.
    fn next<T>(&self, list: Element<'_, '_>, id: &str, last: Option<T>) -> Result<Option<Next<T>>> {
        if !list.is_true("IsTruncated") {
            return Ok(None);
        }
        let Some(there) = named(list, "NextKeyMarker", list).filter(|key| !key.is_empty()) else {
            return last.map(Next::Same).map(Some).ok_or_else(endless);
        };
        let is_prefix =
            list.all("CommonPrefixes").any(|one| named(one, "Prefix", list).as_ref() == Some(&there));
        let key = self.here(there)?;
        let id = list.text(id).filter(|id| !id.is_empty()).map(str::to_owned);
        Ok(Some(match id {
            Some(id) if !is_prefix => Next::Id(key, id),
            _ if is_prefix => Next::Key(After::Prefix(key.bytes())),
            _ => Next::Key(After::Key(key.bytes())),
        }))
    }

    /// Whether nothing of ours is there.
    pub(super) async fn is_empty(&self, bucket: crate::BucketId) -> Result<bool> {
        let one = Keys { limit: 1, ..Keys::all(bucket) };
        if self.capabilities.versions && !self.capabilities.listings_in_order {
            // Any will do, in whichever order.
            let page = self.versions_behind(&one, None, 1).await?;
            return Ok(page.entries.is_empty() && page.next.is_none());
        }
        Ok(self.list_versions(&one, None).await?.entries.is_empty())
    }
}

/// Where a list goes on.
enum Next<T> {
    Same(T),
    Key(After),
    Id(Key, String),
}

/// A name, percent-encoded if the store did as it was asked.
fn named(element: Element<'_, '_>, name: &str, list: Element<'_, '_>) -> Option<Vec<u8>> {
    match list.text("EncodingType") {
        Some("url") => element.decoded(name),
        _ => element.text(name).map(|text| text.as_bytes().to_vec()),
    }
}

pub(super) fn utf8(bytes: &Bytes) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::Unsupported("keys that are not UTF-8"))
}

pub(super) fn listed_version(element: Element<'_, '_>, id: VersionId, is_latest: bool) -> Result<Version> {
    let (Some(size), Some(etag), Some(modified)) =
        (element.number("Size"), element.etag(), element.time("LastModified"))
    else {
        return Err(odd("an object without a size, a tag or a date"));
    };
    Ok(Version {
        generation: generation(&id, &etag, size),
        revision: 0,
        id,
        is_latest,
        size,
        etag,
        modified,
        checksums: Checksums::default(),
        parts: None,
        meta: Bytes::new(),
        tags: Bytes::new(),
        lock: Lock::default(),
        storage: Storage::Available,
    })
}

pub(super) fn any_version(name: &str, element: Element<'_, '_>) -> Result<AnyVersion> {
    let id = element.text("VersionId").unwrap_or("null");
    let id = VersionId::parse(id).map_err(|_| odd("a version id that is none"))?;
    let is_latest = element.is_true("IsLatest");
    if name == "Version" {
        return Ok(AnyVersion::Object(listed_version(element, id, is_latest)?));
    }
    let modified = element.time("LastModified").ok_or_else(|| odd("a delete marker without a date"))?;
    Ok(AnyVersion::Marker(DeleteMarker { id, is_latest, modified, meta: Bytes::new() }))
}

pub(super) fn after_entry(entry: &Entry<Listed<Version>>) -> After {
    match entry {
        Entry::One(listed) => After::Key(listed.key.bytes()),
        Entry::Prefix(prefix) => After::Prefix(prefix.clone()),
    }
}

pub(super) fn after_version(entry: &Entry<Listed<AnyVersion>>) -> AfterVersion {
    match entry {
        Entry::Prefix(prefix) => AfterVersion::Keys(After::Prefix(prefix.clone())),
        Entry::One(Listed { key, what }) => {
            let id = match what {
                AnyVersion::Object(version) => &version.id,
                AnyVersion::Marker(marker) => &marker.id,
            };
            AfterVersion::Version(key.clone(), id.clone())
        }
    }
}

pub(super) fn after_upload(entry: &Entry<Upload>) -> AfterUpload {
    match entry {
        Entry::One(upload) => AfterUpload::Upload(upload.key.clone(), upload.id.clone()),
        Entry::Prefix(prefix) => AfterUpload::Keys(After::Prefix(prefix.clone())),
    }
}
