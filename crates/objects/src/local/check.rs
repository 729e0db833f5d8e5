//! Whether the books agree with each other and with the bytes.

use super::Shared;
use super::cipher::BlobCipher;
use super::extent::{self, HEADER, ReadExtent};
use super::index::View;
use super::index::sqlite::SqliteReader;
use super::index::view::{self, Step, Stored};
use super::keys;
use super::reading::snapshot;
use super::record::{
    BlobRecord, BucketRecord, ChunkRecord, CurrentRecord, Data, Fragment, GarbageRecord, ManifestRecord,
    NullRecord, OlderRecord, PartRecord, SegmentRecord, StoredId, UploadRecord, VersionRecord, What,
};
use super::segment::START;
use super::uploads;
use crate::Result;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// What is wrong, in words; at most 1000.
    pub problems: Vec<String>,
    /// Versions and delete markers that were looked at.
    pub versions: u64,
    /// Blobs that were looked at.
    pub blobs: u64,
    /// Bytes of data that were read and checked.
    pub bytes: u64,
}

const MOST_PROBLEMS: usize = 1000;

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
}

pub(super) fn check(shared: &Shared, reader: &mut SqliteReader, deep: bool) -> Result<Checked> {
    let _reading = shared.readers.enter();
    snapshot(reader, |view| {
        let mut check = Check::default();
        check.read_garbage(view)?;
        check.read_buckets(view)?;
        check.read_current(view)?;
        check.read_older(view)?;
        check.read_uploads(view)?;
        check.read_parts(view)?;
        check.read_manifests(view)?;
        check.read_blobs(shared, view, deep)?;
        check.read_segments(view)?;
        check.compare_buckets();
        Ok(check.found)
    })
}

fn all<T: Stored>(view: &dyn View, visit: &mut dyn FnMut(&[u8], T) -> Result<()>) -> Result<()> {
    view::each(view, &[], None, &mut |key, value| {
        visit(key, value)?;
        Ok(Step::Next)
    })
}

impl Check {
    fn wrong(&mut self, what: String) {
        if self.found.problems.len() < MOST_PROBLEMS {
            self.found.problems.push(what);
        }
    }

    fn demand(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong(what());
        }
    }

    fn read_garbage(&mut self, view: &dyn View) -> Result<()> {
        all(view, &mut |_, garbage| {
            match garbage {
                GarbageRecord::Upload { upload, given } => {
                    self.uploads.insert(upload, given);
                }
                GarbageRecord::Manifest { manifest, .. } => {
                    self.dying.insert(manifest);
                }
                GarbageRecord::Bucket { .. } | GarbageRecord::Completed { .. } => {}
            }
            Ok(())
        })
    }

    fn read_buckets(&mut self, view: &dyn View) -> Result<()> {
        all(view, &mut |key, record| {
            self.buckets.insert(keys::to_number(key)?, record);
            Ok(())
        })
    }

    fn bucket_of(&mut self, row: &[u8]) -> &mut BucketRecord {
        let bucket = row.first_chunk::<8>().map_or(0, |number| u64::from_be_bytes(*number));
        self.counted.entry(bucket).or_default()
    }

    fn read_current(&mut self, view: &dyn View) -> Result<()> {
        all(view, &mut |row, CurrentRecord(version)| {
            let books = self.bucket_of(row);
            books.objects += 1;
            books.bytes += version.size();
            self.demand(version.object().is_some(), || {
                format!("current `{}` is no object", row.escape_ascii())
            });
            let key = keys::split_plain(row)?;
            let bucket = keys::to_number(row.get(..8).unwrap_or_default())?;
            let start = keys::ended(crate::BucketId(bucket), key);
            let older = view::first::<OlderRecord>(view, &start, keys::end_of(&start).as_deref())?;
            let is_newest = older.is_none_or(|(_, OlderRecord(older))| older.order < version.order);
            self.demand(is_newest, || format!("current `{}` is not the newest", row.escape_ascii()));
            self.read_version(&version);
            Ok(())
        })
    }

    fn read_older(&mut self, view: &dyn View) -> Result<()> {
        let mut last = Vec::new();
        all(view, &mut |row, OlderRecord(version)| {
            let books = self.bucket_of(row);
            books.noncurrent += 1;
            books.bytes += version.size();
            let bucket = keys::to_number(row.get(..8).unwrap_or_default())?;
            let (key, order) = keys::split_ended(row)?;
            let plain = keys::plain(crate::BucketId(bucket), key.as_bytes());
            self.demand(order == (!version.order).to_be_bytes(), || {
                format!("older `{}` has another order", row.escape_ascii())
            });
            let has_current = view.get(CurrentRecord::SPACE, &plain)?.is_some();
            let hidden = has_current || plain == last || version.object().is_none();
            self.demand(hidden, || format!("older `{}` should be current", row.escape_ascii()));
            let null: Option<NullRecord> = view::load(view, &plain)?;
            let points = null.is_some_and(|NullRecord(order)| order == version.order);
            self.demand(points == (version.id == StoredId::Null), || {
                format!("null pointer of `{}`", row.escape_ascii())
            });
            last = plain;
            self.read_version(&version);
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
        all(view, &mut |row, upload: UploadRecord| {
            self.bucket_of(row).uploads += 1;
            self.uploads.insert(upload.number, Bytes::new());
            Ok(())
        })
    }

    fn read_parts(&mut self, view: &dyn View) -> Result<()> {
        all(view, &mut |row, part: PartRecord| {
            let (upload, number) = keys::split_part(row)?;
            let given = self.uploads.get(&upload).cloned();
            self.demand(given.is_some(), || format!("part {number} of no upload {upload}"));
            if !uploads::is_given(&given.unwrap_or_default(), number) {
                let size = self.use_fragments(&part.fragments);
                self.demand(size == part.size, || format!("part {number} of {upload} has {size} bytes"));
            }
            Ok(())
        })
    }

    fn read_manifests(&mut self, view: &dyn View) -> Result<()> {
        let mut known = HashSet::new();
        all(view, &mut |key, record: ManifestRecord| {
            let manifest = keys::to_number(key)?;
            known.insert(manifest);
            let uses = self.manifests.remove(&manifest).unwrap_or(0);
            self.demand(uses == record.uses, || {
                format!("manifest {manifest} is used {uses} times, not {}", record.uses)
            });
            let dying = self.dying.contains(&manifest);
            self.demand((uses == 0) == dying, || {
                format!("manifest {manifest} used {uses} times, garbage: {dying}")
            });
            Ok(())
        })?;
        let unknown: Vec<u64> = self.manifests.keys().copied().collect();
        unknown.into_iter().for_each(|manifest| self.wrong(format!("manifest {manifest} is missing")));
        let mut next = (0, 0, 0);
        all(view, &mut |key, chunk: ChunkRecord| {
            let (manifest, number) = key.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
            let manifest = u64::from_be_bytes(*manifest);
            let number = number.try_into().map_or(u32::MAX, u32::from_be_bytes);
            if next.0 != manifest {
                next = (manifest, 0, 0);
            }
            let clearing = !known.contains(&manifest) && self.dying.contains(&manifest);
            self.demand(
                clearing || (next.1 == number && next.2 == chunk.start && known.contains(&manifest)),
                || format!("chunk {number} of manifest {manifest} is out of place"),
            );
            next = (manifest, number.saturating_add(1), chunk.start);
            for piece in &chunk.pieces {
                next.2 += piece.size;
                let size = self.use_fragments(&piece.fragments);
                self.demand(size == piece.size, || {
                    format!("a piece of manifest {manifest} has {size} bytes")
                });
            }
            Ok(())
        })
    }

    fn read_blobs(&mut self, shared: &Shared, view: &dyn View, deep: bool) -> Result<()> {
        all(view, &mut |key, record: BlobRecord| {
            let blob = keys::to_number(key)?;
            self.found.blobs += 1;
            let uses = self.blobs.remove(&blob).unwrap_or(0);
            self.demand(uses == record.uses && uses > 0, || {
                format!("blob {blob} is used {uses} times, not {}", record.uses)
            });
            let size: u64 = record.extents.iter().map(|extent| extent.length).sum();
            self.demand(size == record.size, || format!("blob {blob} has {size} bytes, not {}", record.size));
            for extent in &record.extents {
                let place = (extent.segment, extent.offset - HEADER);
                let taken = extent::footprint(extent.length, record.seal.is_some());
                let alone = self.extents.insert(place, taken).is_none();
                self.demand(alone, || format!("blob {blob} shares its place {place:?}"));
            }
            if deep {
                self.read_bytes(shared, blob, &record);
            }
            Ok(())
        })?;
        let unknown: Vec<u64> = self.blobs.keys().copied().collect();
        unknown.into_iter().for_each(|blob| self.wrong(format!("blob {blob} is missing")));
        Ok(())
    }

    /// Reads all bytes of a blob; those that are sealed are opened if their key is at hand.
    fn read_bytes(&mut self, shared: &Shared, blob: u64, record: &BlobRecord) {
        let cipher = record.seal.as_ref().and_then(|seal| shared.cipher(seal).ok());
        let mut start = 0;
        for extent in &record.extents {
            let first_block = extent::blocks(start);
            start += extent.length;
            let read = shared.segments.file(extent.segment).and_then(|file| {
                let read = ReadExtent {
                    file: &*file,
                    extent: *extent,
                    blob,
                    first_block,
                    sealed: record.seal.is_some(),
                };
                read_all(&read, cipher.as_ref())
            });
            match read {
                Ok(()) => self.found.bytes += extent.length,
                Err(error) => self.wrong(error.to_string()),
            }
        }
    }

    fn read_segments(&mut self, view: &dyn View) -> Result<()> {
        all(view, &mut |key, record: SegmentRecord| {
            let segment = keys::to_number(key)?;
            let mut live = 0;
            let mut end = START;
            let inside: Vec<(u64, u64)> = self
                .extents
                .range((segment, 0)..=(segment, u64::MAX))
                .map(|((_, at), length)| (*at, *length))
                .collect();
            for (at, length) in inside {
                self.demand(at >= end, || format!("extents overlap in segment {segment} at {at}"));
                live += length;
                end = at + length;
                self.extents.remove(&(segment, at));
            }
            self.demand(end <= record.used && record.used <= record.capacity, || {
                format!("segment {segment} is used up to {}, its extents end at {end}", record.used)
            });
            self.demand(live == record.live, || {
                format!("{live} bytes live in segment {segment}, not {}", record.live)
            });
            self.demand(live == 0 || record.retired.is_none(), || {
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
