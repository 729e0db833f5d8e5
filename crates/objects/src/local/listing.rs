//! Pages of keys, versions, uploads and parts.

use super::index::View;
use super::index::view::{self, Step, Stored};
use super::keys::{self, LocalId};
use super::record::{
    CurrentRecord, NullRecord, OlderRecord, PartRecord, StoredId, UploadRecord, VersionRecord, What,
};
use super::uploads;
use super::versions;
use crate::{
    After, AfterUpload, AfterVersion, AnyVersion, BucketId, Entry, Error, Key, Keys, Listed, MAX_PAGE,
    MAX_PAGE_BYTES, ObjectPage, Page, Part, PartPage, Parts, Result, Upload, UploadPage, VersionId,
    VersionPage,
};
use bytes::Bytes;
use std::collections::VecDeque;

/// Rows of a range in order, fetched a few at a time, more as it goes on.
struct Rows<'v, T> {
    view: &'v dyn View,
    from: Vec<u8>,
    to: Option<Vec<u8>>,
    fetched: VecDeque<(Vec<u8>, T)>,
    lump: usize,
    ended: bool,
}

const FIRST_LUMP: usize = 8;
const LAST_LUMP: usize = 256;

impl<'v, T: Stored> Rows<'v, T> {
    fn new(view: &'v dyn View, from: Vec<u8>, to: Option<Vec<u8>>) -> Self {
        Self { view, from, to, fetched: VecDeque::new(), lump: FIRST_LUMP, ended: false }
    }

    fn peek(&mut self) -> Result<Option<&(Vec<u8>, T)>> {
        if self.fetched.is_empty() && !self.ended {
            let Self { view, from, to, fetched, lump, .. } = self;
            view::each(*view, from, to.as_deref(), &mut |key, value| {
                fetched.push_back((key.to_vec(), value));
                Ok(if fetched.len() < *lump { Step::Next } else { Step::Stop })
            })?;
            self.ended = self.fetched.len() < self.lump;
            self.lump = (self.lump * 2).min(LAST_LUMP);
            if let Some((last, _)) = self.fetched.back() {
                self.from = behind(last);
            }
        }
        Ok(self.fetched.front())
    }

    fn next(&mut self) -> Result<Option<(Vec<u8>, T)>> {
        self.peek()?;
        Ok(self.fetched.pop_front())
    }

    /// Goes on at this row or the first behind it; nowhere if there is none.
    fn skip_to(&mut self, row: Option<Vec<u8>>) {
        let Some(row) = row else {
            self.fetched.clear();
            self.ended = true;
            return;
        };
        while self.fetched.front().is_some_and(|(fetched, _)| *fetched < row) {
            self.fetched.pop_front();
        }
        if self.fetched.is_empty() && row > self.from {
            self.from = row;
            self.lump = FIRST_LUMP;
        }
    }
}

/// The least row that is behind this one.
fn behind(row: &[u8]) -> Vec<u8> {
    [row, &[0]].concat()
}

/// The entry that a key is folded into: all up to the first delimiter after the prefix.
fn fold(keys: &Keys, key: &[u8]) -> Option<Bytes> {
    let rest = key.get(keys.prefix.len()..)?;
    if keys.delimiter.is_empty() {
        return None;
    }
    let at = rest.windows(keys.delimiter.len()).position(|window| window == keys.delimiter.as_ref())?;
    key.get(..keys.prefix.len() + at + keys.delimiter.len()).map(Bytes::copy_from_slice)
}

const LONGER_THAN_ANY_ROW: usize = 4096;

/// Where rows begin and end in a space whose keys are made by `row` of a beginning of an object key.
struct Bounds {
    from: Vec<u8>,
    to: Option<Vec<u8>>,
}

impl Bounds {
    fn new(
        keys: &Keys,
        after: Option<&After>,
        row: fn(BucketId, &[u8]) -> Vec<u8>,
        behind_key: fn(BucketId, &[u8]) -> Option<Vec<u8>>,
    ) -> Self {
        let first = row(keys.bucket, &keys.prefix);
        let to = keys::end_of(&first);
        let nowhere = to.clone().unwrap_or_else(|| vec![0xff; LONGER_THAN_ANY_ROW]);
        let after = match after {
            None => Vec::new(),
            Some(After::Key(key)) => behind_key(keys.bucket, key).unwrap_or(nowhere),
            Some(After::Prefix(prefix)) => keys::end_of(&row(keys.bucket, prefix)).unwrap_or(nowhere),
        };
        Self { from: first.max(after), to }
    }
}

fn behind_plain(bucket: BucketId, key: &[u8]) -> Option<Vec<u8>> {
    Some(behind(&keys::plain(bucket, key)))
}

fn behind_ended(bucket: BucketId, key: &[u8]) -> Option<Vec<u8>> {
    keys::end_of(&keys::ended(bucket, key))
}

/// A page that is being filled.
struct Filling<T, N> {
    page: Page<T, N>,
    limit: usize,
    bytes: usize,
    after: fn(&Entry<T>) -> N,
}

impl<T, N> Filling<T, N> {
    fn new(keys: &Keys, after: fn(&Entry<T>) -> N) -> Self {
        let page = Page { entries: Vec::new(), next: None };
        Self { page, limit: keys.limit.min(MAX_PAGE), bytes: 0, after }
    }

    /// Whether the page is full. To be asked only when there is more, which then begins the next page.
    fn ends(&mut self) -> bool {
        if self.page.entries.len() < self.limit && self.bytes <= MAX_PAGE_BYTES {
            return false;
        }
        self.page.next = self.page.entries.last().map(self.after);
        true
    }

    fn add(&mut self, entry: Entry<T>, bytes: usize) {
        self.page.entries.push(entry);
        self.bytes += bytes;
    }
}

pub(super) fn objects(view: &dyn View, keys: &Keys, after: Option<&After>) -> Result<ObjectPage> {
    versions::bucket(view, keys.bucket)?;
    let Bounds { from, to } = Bounds::new(keys, after, keys::plain, behind_plain);
    let mut rows = Rows::<CurrentRecord>::new(view, from, to);
    let mut filling = Filling::new(keys, after_object);
    while let Some((row, _)) = rows.peek()? {
        if filling.ends() {
            break;
        }
        if let Some(prefix) = fold(keys, keys::split_plain(row)?) {
            rows.skip_to(keys::end_of(&keys::plain(keys.bucket, &prefix)));
            filling.add(Entry::Prefix(prefix), 0);
        } else if let Some((row, CurrentRecord(version))) = rows.next()? {
            let object =
                version.object().ok_or_else(|| Error::Corrupt("a current version is no object".into()))?;
            let key = Key::new(keys::split_plain(&row)?.to_vec())?;
            let bytes = object.meta.len() + object.tags.len();
            filling.add(Entry::One(Listed { key, what: version.public_object(object, true) }), bytes);
        }
    }
    Ok(filling.page)
}

fn after_object<T>(entry: &Entry<Listed<T>>) -> After {
    match entry {
        Entry::One(listed) => After::Key(listed.key.bytes()),
        Entry::Prefix(prefix) => After::Prefix(prefix.clone()),
    }
}

/// Where a page of versions begins among the current and among the older ones.
struct VersionStart {
    current: Vec<u8>,
    older: Vec<u8>,
    /// The key that it begins within.
    within: Option<Key>,
}

fn start_of_versions(view: &dyn View, keys: &Keys, after: Option<&AfterVersion>) -> Result<VersionStart> {
    let (key, id) = match after {
        None => return Ok(start_of_keys(keys, None)),
        Some(AfterVersion::Keys(after)) => return Ok(start_of_keys(keys, Some(after))),
        Some(AfterVersion::Version(key, id)) => (key, id),
    };
    let (bucket, bytes) = (keys.bucket, key.as_bytes());
    let current: Option<CurrentRecord> = view::load(view, &keys::plain(bucket, bytes))?;
    let current = current.map(|CurrentRecord(version)| version);
    let place = match id {
        VersionId::Named(text) => Some(LocalId::parse(text).ok_or(Error::InvalidVersionId)?),
        VersionId::Null => match &current {
            Some(version) if version.id == StoredId::Null => Some(version.place()),
            _ => {
                let null: Option<NullRecord> = view::load(view, &keys::plain(bucket, bytes))?;
                null.map(|NullRecord(order)| StoredId::Null.place(order))
            }
        },
    };
    let start = start_of_keys(keys, None);
    let was_shown = |version: &VersionRecord| place.is_some_and(|place| version.place() >= place);
    let current_row = keys::plain(bucket, bytes);
    Ok(VersionStart {
        current: start.current.max(if current.is_some_and(|version| was_shown(&version)) {
            behind(&current_row)
        } else {
            current_row
        }),
        older: start.older.max(match place {
            Some(place) => behind(&keys::older_among(bucket, bytes, &place)),
            None => keys::ended(bucket, bytes),
        }),
        within: Some(key.clone()),
    })
}

fn start_of_keys(keys: &Keys, after: Option<&After>) -> VersionStart {
    VersionStart {
        current: Bounds::new(keys, after, keys::plain, behind_plain).from,
        older: Bounds::new(keys, after, keys::escaped, behind_ended).from,
        within: None,
    }
}

/// The current and the older versions of a bucket, merged.
struct Versions<'v> {
    view: &'v dyn View,
    bucket: BucketId,
    current: Rows<'v, CurrentRecord>,
    older: Rows<'v, OlderRecord>,
    /// The key of the version that was given last, or that it began within.
    last: Option<Key>,
    began_within: bool,
}

impl Versions<'_> {
    fn peek(&mut self) -> Result<Option<Key>> {
        let plain = |row: &[u8]| Key::new(keys::split_plain(row)?.to_vec());
        let current = self.current.peek()?.map(|(row, _)| plain(row)).transpose()?;
        let older =
            self.older.peek()?.map(|(row, _)| keys::split_ended(row)).transpose()?.map(|(key, _)| key);
        Ok(match (current, older) {
            (Some(current), Some(older)) => Some(current.min(older)),
            (current, older) => current.or(older),
        })
    }

    fn next(&mut self, key: &Key) -> Result<Option<Listed<AnyVersion>>> {
        let row = keys::plain(self.bucket, key.as_bytes());
        let is_current = self.current.peek()?.is_some_and(|(current, _)| *current == row);
        let version = if is_current {
            self.current.next()?.map(|(_, CurrentRecord(version))| version)
        } else {
            self.older.next()?.map(|(_, OlderRecord(version))| version)
        };
        let Some(version) = version else { return Ok(None) };
        let is_latest = is_current || self.is_first(key, &version)?;
        self.last = Some(key.clone());
        let what = match &version.what {
            What::Object(object) => AnyVersion::Object(version.public_object(object, is_latest)),
            What::Marker { meta } => AnyVersion::Marker(version.public_marker(meta, is_latest)),
        };
        Ok(Some(Listed { key: key.clone(), what }))
    }

    /// Whether an older version is the first of its key. A current one would have come before it.
    fn is_first(&mut self, key: &Key, version: &VersionRecord) -> Result<bool> {
        if self.last.as_ref() != Some(key) {
            self.began_within = false;
            return Ok(true);
        }
        if !self.began_within {
            return Ok(false);
        }
        let at = crate::At::latest(self.bucket, key.clone());
        Ok(versions::find(self.view, &at)?.is_some_and(|latest| latest.version.place() == version.place()))
    }
}

pub(super) fn versions(view: &dyn View, keys: &Keys, after: Option<&AfterVersion>) -> Result<VersionPage> {
    versions::bucket(view, keys.bucket)?;
    let start = start_of_versions(view, keys, after)?;
    let end = |row: fn(BucketId, &[u8]) -> Vec<u8>| keys::end_of(&row(keys.bucket, &keys.prefix));
    let mut versions = Versions {
        view,
        bucket: keys.bucket,
        current: Rows::new(view, start.current, end(keys::plain)),
        older: Rows::new(view, start.older, end(keys::escaped)),
        began_within: start.within.is_some(),
        last: start.within,
    };
    let mut filling = Filling::new(keys, after_version);
    while let Some(key) = versions.peek()? {
        if filling.ends() {
            break;
        }
        if let Some(prefix) = fold(keys, key.as_bytes()) {
            versions.current.skip_to(keys::end_of(&keys::plain(keys.bucket, &prefix)));
            versions.older.skip_to(keys::end_of(&keys::escaped(keys.bucket, &prefix)));
            filling.add(Entry::Prefix(prefix), 0);
        } else {
            let next = versions.next(&key)?;
            let Some(listed) = next else { break };
            let bytes = match &listed.what {
                AnyVersion::Object(version) => version.meta.len() + version.tags.len(),
                AnyVersion::Marker(marker) => marker.meta.len(),
            };
            filling.add(Entry::One(listed), bytes);
        }
    }
    Ok(filling.page)
}

fn after_version(entry: &Entry<Listed<AnyVersion>>) -> AfterVersion {
    match entry {
        Entry::Prefix(prefix) => AfterVersion::Keys(After::Prefix(prefix.clone())),
        Entry::One(Listed { key, what }) => {
            let id = match what {
                AnyVersion::Object(version) => version.id.clone(),
                AnyVersion::Marker(marker) => marker.id.clone(),
            };
            AfterVersion::Version(key.clone(), id)
        }
    }
}

pub(super) fn uploads(view: &dyn View, keys: &Keys, after: Option<&AfterUpload>) -> Result<UploadPage> {
    versions::bucket(view, keys.bucket)?;
    let after_keys = match after {
        Some(AfterUpload::Keys(after)) => Some(after),
        _ => None,
    };
    let Bounds { mut from, to } = Bounds::new(keys, after_keys, keys::escaped, behind_ended);
    if let Some(AfterUpload::Upload(key, id)) = after {
        let id = LocalId::parse(id.as_str()).ok_or(Error::NoSuchUpload)?;
        from = from.max(behind(&keys::upload(keys.bucket, key.as_bytes(), &id)));
    }
    let mut rows = Rows::<UploadRecord>::new(view, from, to);
    let mut filling = Filling::new(keys, after_upload);
    while let Some((row, _)) = rows.peek()? {
        if filling.ends() {
            break;
        }
        if let Some(prefix) = fold(keys, keys::split_ended(row)?.0.as_bytes()) {
            rows.skip_to(keys::end_of(&keys::escaped(keys.bucket, &prefix)));
            filling.add(Entry::Prefix(prefix), 0);
        } else if let Some((row, record)) = rows.next()? {
            let bytes = record.meta.len();
            filling.add(Entry::One(uploads::public(&row, record)?), bytes);
        }
    }
    Ok(filling.page)
}

fn after_upload(entry: &Entry<Upload>) -> AfterUpload {
    match entry {
        Entry::One(upload) => AfterUpload::Upload(upload.key.clone(), upload.id.clone()),
        Entry::Prefix(prefix) => AfterUpload::Keys(After::Prefix(prefix.clone())),
    }
}

pub(super) fn parts(view: &dyn View, parts: &Parts) -> Result<PartPage> {
    let (row, record) = uploads::find(view, &parts.upload)?;
    let number = record.number;
    let mut page = PartPage { upload: uploads::public(&row, record)?, parts: Vec::new(), truncated: false };
    let Some(first) = parts.after.checked_add(1) else { return Ok(page) };
    let limit = parts.limit.min(MAX_PAGE);
    let end = keys::end_of(&keys::number(number));
    view::each(view, &keys::part(number, first), end.as_deref(), &mut |row, part: PartRecord| {
        page.truncated = page.parts.len() == limit;
        if page.truncated {
            return Ok(Step::Stop);
        }
        let (_, number) = keys::split_part(row)?;
        page.parts.push(Part { number, written: uploads::written(&part) });
        Ok(Step::Next)
    })?;
    page.truncated &= limit > 0;
    Ok(page)
}
