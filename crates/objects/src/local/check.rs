//! Whether the books agree with each other and with the bytes.

use super::affected;
use super::cipher::BlobCipher;
use super::extent::{self, HEADER, ReadExtent};
use super::index::View;
use super::index::view::{self, Stored};
use super::keys;
use super::record::{
    BlobRecord, BucketRecord, ChunkRecord, CurrentRecord, Data, Fragment, GarbageRecord, ManifestRecord,
    NullRecord, OlderRecord, PartRecord, SegmentRecord, StoredId, UploadRecord, VersionRecord, What,
};
use super::segment::{START, Segments};
use super::uploads;
use super::versions::{self, Name};
use crate::{BucketId, Key, Keyring, Result, VersionId};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// What is wrong; at most 1000.
    pub problems: Vec<Problem>,
    /// Versions and delete markers that were looked at.
    pub versions: u64,
    /// Blobs that were looked at.
    pub blobs: u64,
    /// Bytes of data that were read and checked.
    pub bytes: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Of what kind it is.
    pub kind: ProblemKind,
    /// What, in words.
    pub what: String,
    /// The versions that cannot be read because of it, as far as they are known; at most 100.
    pub affected: Vec<Affected>,
}

/// What a problem means for who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The index, or a row of it, does not read.
    Index,
    /// Rows of the index do not agree with each other.
    Books,
    /// Stored bytes are not what was written, or are missing.
    Bytes,
    /// A file that nothing needs.
    Leftover,
}

/// A version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The bucket's number.
    pub bucket: BucketId,
    /// The object's key.
    pub key: Key,
    /// Which version.
    pub version: VersionId,
}

const MOST_PROBLEMS: usize = 1000;

/// What a check looks at besides the index.
pub(super) struct Sight<'a> {
    pub(super) segments: &'a Segments,
    pub(super) keyring: &'a dyn Keyring,
    /// Told of the bytes that were read since it was told last.
    pub(super) progress: &'a mut dyn FnMut(u64),
}

#[derive(Default)]
struct Check {
    found: Checked,
    buckets: HashMap<u64, BucketRecord>,
    counted: HashMap<u64, BucketRecord>,
    manifests: HashMap<u64, u32>,
    blobs: HashMap<u64, u32>,
    /// Uploads whose parts are still in the books, with the parts that were given away.
    uploads: HashMap<u64, Bytes>,
    dying: HashSet<u64>,
    /// By segment and place: length of what is there.
    extents: BTreeMap<(u64, u64), u64>,
    /// Blobs whose bytes are damaged, with the place of their problem.
    damaged: HashMap<u64, usize>,
}

/// Goes through one state of the books and, if `deep`, all bytes.
pub(super) fn check(view: &dyn View, sight: &mut Sight<'_>, deep: bool) -> Result<Checked> {
    let mut check = Check::default();
    check.read_garbage(view)?;
    check.read_buckets(view)?;
    check.read_current(view)?;
    check.read_older(view)?;
    check.read_uploads(view)?;
    check.read_parts(view)?;
    check.read_manifests(view)?;
    check.read_blobs(sight, view, deep)?;
    check.read_segments(view)?;
    check.compare_buckets();
    check.name_affected(view)?;
    Ok(check.found)
}

/// Looks at a row.
type Visit<'a, T> = dyn FnMut(&mut Check, &[u8], T) -> Result<()> + 'a;

impl Check {
    fn wrong(&mut self, what: String) {
        self.problem(ProblemKind::Books, what);
    }

    fn problem(&mut self, kind: ProblemKind, what: String) {
        if self.found.problems.len() < MOST_PROBLEMS {
            self.found.problems.push(Problem { kind, what, affected: Vec::new() });
        }
    }

    /// Visits all rows of a kind. One that does not read is a problem, and no end.
    fn all<T: Stored>(&mut self, view: &dyn View, visit: &mut Visit<'_, T>) -> Result<()> {
        view.scan(T::SPACE, &[], None, &mut |key, bytes| {
            let visited = view::decode(key, bytes).and_then(|value| visit(self, key, value));
            if let Err(error) = visited {
                self.problem(ProblemKind::Index, error.to_string());
            }
            true
        })?;
        Ok(())
    }

    fn demand(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong(what());
        }
    }

    fn read_garbage(&mut self, view: &dyn View) -> Result<()> {
        self.all(view, &mut |check, _, garbage| {
            match garbage {
                GarbageRecord::Upload { upload, given } => {
                    check.uploads.insert(upload, given);
                }
                GarbageRecord::Manifest { manifest, .. } => {
                    check.dying.insert(manifest);
                }
                GarbageRecord::Bucket { .. } | GarbageRecord::Completed { .. } => {}
            }
            Ok(())
        })
    }

    fn read_buckets(&mut self, view: &dyn View) -> Result<()> {
        self.all(view, &mut |check, key, record| {
            check.buckets.insert(keys::to_number(key)?, record);
            Ok(())
        })
    }

    fn bucket_of(&mut self, row: &[u8]) -> &mut BucketRecord {
        let bucket = row.first_chunk::<8>().map_or(0, |number| u64::from_be_bytes(*number));
        self.counted.entry(bucket).or_default()
    }

    fn read_current(&mut self, view: &dyn View) -> Result<()> {
        self.all(view, &mut |check, row, CurrentRecord(version)| {
            let books = check.bucket_of(row);
            books.objects += 1;
            books.bytes += version.size();
            check.demand(version.object().is_some(), || {
                format!("current `{}` is no object", row.escape_ascii())
            });
            let key = keys::split_plain(row)?;
            let bucket = keys::to_number(row.get(..8).unwrap_or_default())?;
            let start = keys::ended(BucketId(bucket), key);
            let older = view::first::<OlderRecord>(view, &start, keys::end_of(&start).as_deref())?;
            let is_newest = older.is_none_or(|(_, OlderRecord(older))| older.place() < version.place());
            check.demand(is_newest, || format!("current `{}` is not the newest", row.escape_ascii()));
            check.read_version(&version);
            Ok(())
        })
    }

    fn read_older(&mut self, view: &dyn View) -> Result<()> {
        let mut last = Vec::new();
        self.all(view, &mut |check, row, OlderRecord(version)| {
            let books = check.bucket_of(row);
            books.noncurrent += 1;
            books.bytes += version.size();
            let bucket = keys::to_number(row.get(..8).unwrap_or_default())?;
            let (key, _) = keys::split_ended(row)?;
            let plain = keys::plain(BucketId(bucket), key.as_bytes());
            let name = Name { bucket: BucketId(bucket), key: &key };
            let stands = versions::stands_at(view, name, &version, row)?;
            check.demand(stands, || format!("older `{}` has another order", row.escape_ascii()));
            let has_current = view.get(CurrentRecord::SPACE, &plain)?.is_some();
            let hidden = has_current || plain == last || version.object().is_none();
            check.demand(hidden, || format!("older `{}` should be current", row.escape_ascii()));
            let null: Option<NullRecord> = view::load(view, &plain)?;
            let points = null.is_some_and(|NullRecord(order)| order == version.order);
            let is_null = version.id == StoredId::Null;
            // A replica can be of the same moment as a null version.
            let meets = points && versions::older(view, name, StoredId::Null, version.order)?.is_some();
            check
                .demand(points == (is_null || meets), || format!("null pointer of `{}`", row.escape_ascii()));
            last = plain;
            check.read_version(&version);
            Ok(())
        })
    }

    fn read_version(&mut self, version: &VersionRecord) {
        self.found.versions += 1;
        let What::Object(object) = &version.what else { return };
        match &object.data {
            Data::Manifest(manifest) => *self.manifests.entry(*manifest).or_default() += 1,
            Data::Fragments(fragments) => {
                let size = self.use_fragments(fragments);
                let generation = version.generation;
                self.demand(size == object.size, || format!("version {generation} has {size} bytes"));
            }
        }
    }

    fn use_fragments(&mut self, fragments: &[Fragment]) -> u64 {
        for fragment in fragments {
            if let Fragment::Slice(slice) = fragment {
                *self.blobs.entry(slice.blob).or_default() += 1;
            }
        }
        fragments.iter().map(Fragment::length).sum()
    }

    fn read_uploads(&mut self, view: &dyn View) -> Result<()> {
        self.all(view, &mut |check, row, upload: UploadRecord| {
            check.bucket_of(row).uploads += 1;
            check.uploads.insert(upload.number, Bytes::new());
            Ok(())
        })
    }

    fn read_parts(&mut self, view: &dyn View) -> Result<()> {
        self.all(view, &mut |check, row, part: PartRecord| {
            let (upload, number) = keys::split_part(row)?;
            let given = check.uploads.get(&upload).cloned();
            check.demand(given.is_some(), || format!("part {number} of no upload {upload}"));
            if !uploads::is_given(&given.unwrap_or_default(), number) {
                let size = check.use_fragments(&part.fragments);
                check.demand(size == part.size, || format!("part {number} of {upload} has {size} bytes"));
            }
            Ok(())
        })
    }

    fn read_manifests(&mut self, view: &dyn View) -> Result<()> {
        let mut known = HashSet::new();
        self.all(view, &mut |check, key, record: ManifestRecord| {
            let manifest = keys::to_number(key)?;
            known.insert(manifest);
            let uses = check.manifests.remove(&manifest).unwrap_or(0);
            check.demand(uses == record.uses, || {
                format!("manifest {manifest} is used {uses} times, not {}", record.uses)
            });
            let dying = check.dying.contains(&manifest);
            check.demand((uses == 0) == dying, || {
                format!("manifest {manifest} used {uses} times, garbage: {dying}")
            });
            Ok(())
        })?;
        let unknown: Vec<u64> = self.manifests.keys().copied().collect();
        unknown.into_iter().for_each(|manifest| self.wrong(format!("manifest {manifest} is missing")));
        let mut next = (0, 0, 0);
        self.all(view, &mut |check, key, chunk: ChunkRecord| {
            let (manifest, number) = key.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
            let manifest = u64::from_be_bytes(*manifest);
            let number = number.try_into().map_or(u32::MAX, u32::from_be_bytes);
            if next.0 != manifest {
                next = (manifest, 0, 0);
            }
            let clearing = !known.contains(&manifest) && check.dying.contains(&manifest);
            check.demand(
                clearing || (next.1 == number && next.2 == chunk.start && known.contains(&manifest)),
                || format!("chunk {number} of manifest {manifest} is out of place"),
            );
            next = (manifest, number.saturating_add(1), chunk.start);
            for piece in &chunk.pieces {
                next.2 += piece.size;
                let size = check.use_fragments(&piece.fragments);
                check.demand(size == piece.size, || {
                    format!("a piece of manifest {manifest} has {size} bytes")
                });
            }
            Ok(())
        })
    }

    fn read_blobs(&mut self, sight: &mut Sight<'_>, view: &dyn View, deep: bool) -> Result<()> {
        self.all(view, &mut |check, key, record: BlobRecord| {
            let blob = keys::to_number(key)?;
            check.found.blobs += 1;
            let uses = check.blobs.remove(&blob).unwrap_or(0);
            check.demand(uses == record.uses && uses > 0, || {
                format!("blob {blob} is used {uses} times, not {}", record.uses)
            });
            let size: u64 = record.extents.iter().map(|extent| extent.length).sum();
            check
                .demand(size == record.size, || format!("blob {blob} has {size} bytes, not {}", record.size));
            for extent in &record.extents {
                let place = (extent.segment, extent.offset - HEADER);
                let taken = extent::footprint(extent.length, record.seal.is_some());
                let alone = check.extents.insert(place, taken).is_none();
                check.demand(alone, || format!("blob {blob} shares its place {place:?}"));
            }
            if deep {
                check.read_bytes(sight, blob, &record);
            }
            Ok(())
        })?;
        let unknown: Vec<u64> = self.blobs.keys().copied().collect();
        unknown.into_iter().for_each(|blob| self.wrong(format!("blob {blob} is missing")));
        Ok(())
    }

    /// Reads all bytes of a blob; those that are sealed are opened if their key is at hand.
    fn read_bytes(&mut self, sight: &mut Sight<'_>, blob: u64, record: &BlobRecord) {
        let cipher = cipher(sight.keyring, record);
        match read_blob(sight.segments, blob, record, cipher.as_ref()) {
            Ok(()) => self.found.bytes += record.size,
            Err(error) => {
                self.damaged.insert(blob, self.found.problems.len());
                self.problem(ProblemKind::Bytes, error.to_string());
            }
        }
        (sight.progress)(record.size);
    }

    /// Says which versions the damaged blobs belong to.
    fn name_affected(&mut self, view: &dyn View) -> Result<()> {
        for (blob, version) in affected::find(view, &self.damaged)? {
            let problem = self.damaged.get(&blob).and_then(|place| self.found.problems.get_mut(*place));
            if let Some(problem) = problem.filter(|problem| problem.affected.len() < affected::MOST) {
                problem.affected.push(version);
            }
        }
        Ok(())
    }

    fn read_segments(&mut self, view: &dyn View) -> Result<()> {
        self.all(view, &mut |check, key, record: SegmentRecord| {
            let segment = keys::to_number(key)?;
            let mut live = 0;
            let mut end = START;
            let inside: Vec<(u64, u64)> = check
                .extents
                .range((segment, 0)..=(segment, u64::MAX))
                .map(|((_, at), length)| (*at, *length))
                .collect();
            for (at, length) in inside {
                check.demand(at >= end, || format!("extents overlap in segment {segment} at {at}"));
                live += length;
                end = at + length;
                check.extents.remove(&(segment, at));
            }
            check.demand(end <= record.used && record.used <= record.capacity, || {
                format!("segment {segment} is used up to {}, its extents end at {end}", record.used)
            });
            check.demand(live == record.live, || {
                format!("{live} bytes live in segment {segment}, not {}", record.live)
            });
            check.demand(live == 0 || record.retired.is_none(), || {
                format!("segment {segment} is retired and in use")
            });
            Ok(())
        })?;
        let unknown: Vec<(u64, u64)> = self.extents.keys().copied().collect();
        unknown
            .into_iter()
            .for_each(|(segment, at)| self.wrong(format!("an extent at {at} of no segment {segment}")));
        Ok(())
    }

    fn compare_buckets(&mut self) {
        let numbers: HashSet<u64> = self.buckets.keys().chain(self.counted.keys()).copied().collect();
        for number in numbers {
            let of = |books: Option<&BucketRecord>| {
                books.map_or((0, 0, 0, 0), |books| {
                    (books.objects, books.noncurrent, books.bytes, books.uploads)
                })
            };
            let (kept, counted) = (of(self.buckets.get(&number)), of(self.counted.get(&number)));
            let closed = self.buckets.get(&number).is_some_and(|books| books.closed);
            // the uploads of a closed bucket leave the books one after the other
            let same = if closed {
                (kept.0, kept.1, kept.2) == (counted.0, counted.1, counted.2)
            } else {
                kept == counted
            };
            self.demand(same, || format!("bucket {number} counts {kept:?}, has {counted:?}"));
        }
    }
}

/// What opens a blob, if it is sealed and its key is at hand.
pub(super) fn cipher(keyring: &dyn Keyring, record: &BlobRecord) -> Option<BlobCipher> {
    let seal = record.seal.as_ref()?;
    BlobCipher::new(&keyring.key(seal.key)?, &seal.salt).ok()
}

/// Reads and checks all bytes of a blob.
pub(super) fn read_blob(
    segments: &Segments,
    blob: u64,
    record: &BlobRecord,
    cipher: Option<&BlobCipher>,
) -> Result<()> {
    let mut start = 0;
    for extent in &record.extents {
        let first_block = extent::blocks(start);
        start += extent.length;
        let file = segments.file(extent.segment)?;
        let sealed = record.seal.is_some();
        read_all(&ReadExtent { file: &*file, extent: *extent, blob, first_block, sealed }, cipher)?;
    }
    Ok(())
}

fn read_all(read: &ReadExtent<'_>, cipher: Option<&BlobCipher>) -> Result<()> {
    let blocks = extent::blocks(read.extent.length);
    let mut block = 0;
    while block < blocks {
        let end = blocks.min(block + 16);
        read.read(block..end, cipher)?;
        block = end;
    }
    Ok(())
}
