//! The versions of a key: which is the latest, how a write and a delete change them.
//!
//! The latest version stands among the current ones if it is an object; all others, delete markers too, among the older
//! ones, newest first. So a listing of objects meets nothing else.

use super::blobs;
use super::commit::Tx;
use super::index::Space;
use super::index::View;
use super::index::view;
use super::keys::{self, LocalId};
use super::record::{BucketRecord, CurrentRecord, NullRecord, OlderRecord, StoredId, VersionRecord, What};
use crate::{At, BucketId, Error, Key, Match, Preconditions, Result, Timestamp, VersionId, Versioning};

/// A bucket that is open.
pub(super) fn bucket(view: &dyn View, id: BucketId) -> Result<BucketRecord> {
    let record: Option<BucketRecord> = view::load(view, &keys::bucket(id))?;
    record.filter(|record| !record.closed).ok_or(Error::NoSuchBucket)
}

/// A key in its bucket, and where its versions stand.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) bucket: BucketId,
    pub(super) key: &'a Key,
}

impl<'a> Name<'a> {
    pub(super) fn of(at: &'a At) -> Self {
        Self { bucket: at.bucket, key: &at.key }
    }

    fn current(self) -> Vec<u8> {
        keys::plain(self.bucket, self.key.as_bytes())
    }

    fn null(self) -> Vec<u8> {
        keys::plain(self.bucket, self.key.as_bytes())
    }

    /// Where an older version stands that is alone at its moment.
    fn older(self, order: u64) -> Vec<u8> {
        keys::older(self.bucket, self.key.as_bytes(), order)
    }

    /// And one that is not: versions that were written in two buckets at once, and meet where one is replicated.
    fn older_among(self, place: &LocalId) -> Vec<u8> {
        keys::older_among(self.bucket, self.key.as_bytes(), place)
    }
}

/// Whether someone may take a version away: when, and whether they bypass governance.
#[derive(Clone, Copy)]
pub(super) struct Eraser {
    pub(super) now: Timestamp,
    pub(super) bypass_governance: bool,
}

/// A version, and where it was found.
pub(super) struct Found {
    pub(super) version: VersionRecord,
    pub(super) is_latest: bool,
    pub(super) is_current: bool,
}

fn current(view: &dyn View, name: Name<'_>) -> Result<Option<VersionRecord>> {
    let record: Option<CurrentRecord> = view::load(view, &name.current())?;
    Ok(record.map(|CurrentRecord(version)| version))
}

fn newest_older(view: &dyn View, name: Name<'_>) -> Result<Option<VersionRecord>> {
    let found = first_older(view, &keys::ended(name.bucket, name.key.as_bytes()))?;
    Ok(found.map(|(_, version)| version))
}

/// The first of the older versions whose rows begin so.
fn first_older(view: &dyn View, start: &[u8]) -> Result<Option<(Vec<u8>, VersionRecord)>> {
    let found = view::first::<OlderRecord>(view, start, keys::end_of(start).as_deref())?;
    Ok(found.map(|(row, OlderRecord(version))| (row, version)))
}

/// An older version, and where it stands.
pub(super) fn older(
    view: &dyn View,
    name: Name<'_>,
    id: StoredId,
    order: u64,
) -> Result<Option<(Vec<u8>, VersionRecord)>> {
    for row in [name.older(order), name.older_among(&id.place(order))] {
        let record: Option<OlderRecord> = view::load(view, &row)?;
        if let Some(OlderRecord(version)) = record.filter(|OlderRecord(version)| version.id == id) {
            return Ok(Some((row, version)));
        }
    }
    Ok(None)
}

/// Whether an older version stands where it should: by its moment and its chance, or by its moment where it is alone.
pub(super) fn stands_at(
    view: &dyn View,
    name: Name<'_>,
    version: &VersionRecord,
    row: &[u8],
) -> Result<bool> {
    let alone = name.older(version.order);
    if row == name.older_among(&version.place()) {
        return Ok(view::load::<OlderRecord>(view, &alone)?.is_none());
    }
    Ok(row == alone)
}

/// Where an older version stands that is there.
fn row_of(view: &dyn View, name: Name<'_>, version: &VersionRecord) -> Result<Vec<u8>> {
    let found = older(view, name, version.id, version.order)?;
    found
        .map(|(row, _)| row)
        .ok_or_else(|| Error::Corrupt("an older version is not where it should be".into()))
}

/// Finds a version; a latest one that is a delete marker is found too.
pub(super) fn find(view: &dyn View, at: &At) -> Result<Option<Found>> {
    let name = Name::of(at);
    let current = current(view, name)?;
    let Some(id) = &at.version else {
        let is_current = current.is_some();
        let version = match current {
            Some(version) => Some(version),
            None => newest_older(view, name)?,
        };
        return Ok(version.map(|version| Found { version, is_latest: true, is_current }));
    };
    let (stored, order) = match id {
        VersionId::Null => {
            let order: Option<NullRecord> = view::load(view, &name.null())?;
            (StoredId::Null, order.map(|NullRecord(order)| order))
        }
        VersionId::Named(text) => {
            let id = LocalId::parse(text).ok_or(Error::InvalidVersionId)?;
            (StoredId::Named(id.random), Some(id.order))
        }
    };
    let has_current = current.is_some();
    let meant = |version: &VersionRecord| {
        version.id == stored && (stored == StoredId::Null || order == Some(version.order))
    };
    if let Some(version) = current.filter(meant) {
        return Ok(Some(Found { version, is_latest: true, is_current: true }));
    }
    let Some(order) = order else { return Ok(None) };
    let Some((_, version)) = older(view, name, stored, order)? else { return Ok(None) };
    let is_newest = |newest: VersionRecord| newest.place() == version.place();
    let is_latest = !has_current && newest_older(view, name)?.is_some_and(is_newest);
    Ok(Some(Found { version, is_latest, is_current: false }))
}

/// Finds an object, or says in which way there is none.
pub(super) fn find_object(view: &dyn View, at: &At) -> Result<Found> {
    let found = find(view, at)?;
    let Some(found) = found else {
        return Err(match at.version {
            Some(_) => Error::NoSuchVersion,
            None => Error::NoSuchKey { marker: None },
        });
    };
    match (&found.version.what, &at.version) {
        (What::Object(_), _) => Ok(found),
        (What::Marker { .. }, None) => Err(Error::NoSuchKey { marker: Some(found.version.public_id()) }),
        (What::Marker { .. }, Some(_)) => Err(Error::IsDeleteMarker {
            id: found.version.public_id(),
            modified: found.version.modified,
            is_latest: found.is_latest,
        }),
    }
}

/// Judges preconditions over the key's current object.
pub(super) fn check(view: &dyn View, only_if: &Preconditions, name: Name<'_>) -> Result<()> {
    if *only_if == Preconditions::default() {
        return Ok(());
    }
    let version = current(view, name)?;
    let object = version.as_ref().and_then(|version| Some((version.modified, version.object()?)));
    let Some((modified, object)) = object else {
        return match only_if.matches {
            Some(_) => Err(Error::NoSuchKey { marker: None }),
            None => Ok(()),
        };
    };
    let seconds = |time: Timestamp| time.0 / 1000;
    let failed = if only_if.none {
        Some("If-None-Match")
    } else if matches!(&only_if.matches, Some(Match::ETag(etag)) if *etag != object.etag) {
        Some("If-Match")
    } else if only_if.size.is_some_and(|size| size != object.size) {
        Some("x-amz-if-match-size")
    } else if only_if.modified.is_some_and(|time| seconds(time) != seconds(modified)) {
        Some("x-amz-if-match-last-modified-time")
    } else {
        None
    };
    failed.map_or(Ok(()), |condition| Err(Error::PreconditionFailed(condition)))
}

/// Puts a new version above all others, in the way of the bucket's versioning.
pub(super) fn add(tx: &mut Tx<'_>, name: Name<'_>, what: What, now: Timestamp) -> Result<VersionRecord> {
    let mut books = bucket(&tx.index, name.bucket)?;
    let current = current(&tx.index, name)?;
    let last = match (&current, books.versioning) {
        (Some(version), _) => Some(version.order),
        (None, Versioning::Unversioned) => None,
        (None, _) => newest_older(&tx.index, name)?.map(|version| version.order),
    };
    let id = match books.versioning {
        Versioning::Enabled => StoredId::Named(tx.random()),
        Versioning::Unversioned | Versioning::Suspended => StoredId::Null,
    };
    let eraser = Eraser { now, bypass_governance: false };
    match current {
        Some(version) if id == StoredId::Null && version.id == StoredId::Null => {
            erase(tx, &mut books, name, &version, true, eraser)?;
        }
        current => {
            if id == StoredId::Null && books.versioning != Versioning::Unversioned {
                erase_older_null(tx, &mut books, name, eraser)?;
            }
            if let Some(version) = current {
                demote(tx, &mut books, name, version)?;
            }
        }
    }
    let version =
        VersionRecord { id, order: keys::order(now, last), generation: tx.number(), modified: now, what };
    place(tx, &mut books, name, version.clone(), true)?;
    tx.store(keys::bucket(name.bucket), &books)?;
    Ok(version)
}

/// Puts a version that was written elsewhere where its own order says, among those of a bucket that keeps versions. `false`
/// if it is there already.
pub(super) fn insert(tx: &mut Tx<'_>, name: Name<'_>, version: VersionRecord) -> Result<bool> {
    let mut books = bucket(&tx.index, name.bucket)?;
    if books.versioning != Versioning::Enabled {
        return Err(Error::NotVersioned);
    }
    let current = current(&tx.index, name)?;
    let own = version.place();
    let is_current = current.as_ref().is_some_and(|current| current.place() == own);
    if is_current || older(&tx.index, name, version.id, version.order)?.is_some() {
        return Ok(false);
    }
    let last = match &current {
        Some(current) => Some(current.place()),
        None => newest_older(&tx.index, name)?.map(|newest| newest.place()),
    };
    let is_latest = last.is_none_or(|last| last < own);
    if let Some(current) = current.filter(|_| is_latest) {
        demote(tx, &mut books, name, current)?;
    }
    place(tx, &mut books, name, version, is_latest)?;
    tx.store(keys::bucket(name.bucket), &books)?;
    Ok(true)
}

fn place(
    tx: &mut Tx<'_>,
    books: &mut BucketRecord,
    name: Name<'_>,
    version: VersionRecord,
    is_latest: bool,
) -> Result<()> {
    books.bytes = books.bytes.saturating_add(version.size());
    if is_latest && version.object().is_some() {
        books.objects += 1;
        tx.store(name.current(), &CurrentRecord(version))
    } else {
        store_older(tx, books, name, version)
    }
}

fn store_older(
    tx: &mut Tx<'_>,
    books: &mut BucketRecord,
    name: Name<'_>,
    version: VersionRecord,
) -> Result<()> {
    books.noncurrent += 1;
    if version.id == StoredId::Null {
        tx.store(name.null(), &NullRecord(version.order))?;
    }
    let alone = name.older(version.order);
    let row = match first_older(&tx.index, &alone)? {
        None => alone,
        Some((row, other)) => {
            if row == alone {
                tx.remove(Space::Older, row);
                tx.store(name.older_among(&other.place()), &OlderRecord(other))?;
            }
            name.older_among(&version.place())
        }
    };
    tx.store(row, &OlderRecord(version))
}

fn demote(tx: &mut Tx<'_>, books: &mut BucketRecord, name: Name<'_>, version: VersionRecord) -> Result<()> {
    books.objects = books.objects.saturating_sub(1);
    tx.remove(Space::Current, name.current());
    store_older(tx, books, name, version)
}

/// The newest of the older versions becomes the current one, if it is an object.
fn promote(tx: &mut Tx<'_>, books: &mut BucketRecord, name: Name<'_>) -> Result<()> {
    let next = first_older(&tx.index, &keys::ended(name.bucket, name.key.as_bytes()))?;
    let Some((row, next)) = next.filter(|(_, next)| next.object().is_some()) else { return Ok(()) };
    books.noncurrent = books.noncurrent.saturating_sub(1);
    books.objects += 1;
    tx.remove(Space::Older, row);
    if next.id == StoredId::Null {
        tx.remove(Space::Nulls, name.null());
    }
    tx.store(name.current(), &CurrentRecord(next))
}

fn erase_older_null(tx: &mut Tx<'_>, books: &mut BucketRecord, name: Name<'_>, eraser: Eraser) -> Result<()> {
    let null: Option<NullRecord> = tx.load(&name.null())?;
    let Some(NullRecord(order)) = null else { return Ok(()) };
    let missing = || Error::Corrupt("a null version is not where it should be".into());
    let (_, version) = older(&tx.index, name, StoredId::Null, order)?.ok_or_else(missing)?;
    erase(tx, books, name, &version, false, eraser)
}

/// Takes a version out of the books, unless it is locked.
fn erase(
    tx: &mut Tx<'_>,
    books: &mut BucketRecord,
    name: Name<'_>,
    version: &VersionRecord,
    is_current: bool,
    eraser: Eraser,
) -> Result<()> {
    if let What::Object(object) = &version.what {
        if object.lock.holds(eraser.now, eraser.bypass_governance) {
            return Err(Error::Locked);
        }
        blobs::release(tx, &object.data)?;
    }
    books.bytes = books.bytes.saturating_sub(version.size());
    if is_current {
        books.objects = books.objects.saturating_sub(1);
        tx.remove(Space::Current, name.current());
        return Ok(());
    }
    books.noncurrent = books.noncurrent.saturating_sub(1);
    let row = row_of(&tx.index, name, version)?;
    tx.remove(Space::Older, row);
    if version.id == StoredId::Null {
        tx.remove(Space::Nulls, name.null());
    }
    Ok(())
}

/// Takes a version away for good; the next becomes the latest if it was that.
pub(super) fn remove(tx: &mut Tx<'_>, name: Name<'_>, found: &Found, eraser: Eraser) -> Result<()> {
    let mut books = bucket(&tx.index, name.bucket)?;
    erase(tx, &mut books, name, &found.version, found.is_current, eraser)?;
    if found.is_latest && books.versioning != Versioning::Unversioned {
        promote(tx, &mut books, name)?;
    }
    tx.store(keys::bucket(name.bucket), &books)
}

/// Writes a version back where it was found.
pub(super) fn store_again(tx: &mut Tx<'_>, name: Name<'_>, found: Found) -> Result<()> {
    if found.is_current {
        tx.store(name.current(), &CurrentRecord(found.version))
    } else {
        let row = row_of(&tx.index, name, &found.version)?;
        tx.store(row, &OlderRecord(found.version))
    }
}
