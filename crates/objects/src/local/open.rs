//! Opening a directory: making it, locking it, and putting in order what a crash left.

use super::commit::{Commits, Committer, Entropy, SharedEntropy, fill};
use super::disk::{Disk, OWNER_ONLY, RealDisk};
use super::epoch::Readers;
use super::index::sqlite::{Sqlite, SqliteWriter};
use super::index::view::{self, Overlay, Step};
use super::index::{Space, View, Writer, wal};
use super::packer::{PACKING, Packer};
use super::pool::Pool;
use super::reads::Reads;
use super::record::{PackingRecord, SegmentKind, SegmentRecord, StoreRecord};
use super::segment::{Room, START, Segments};
use super::status::{Numbers, Status};
use super::{Limits, Shared, keys};
use crate::{Error, Keyring, NoKeys, Result};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use tokio::sync::{Mutex as AsyncMutex, watch};

const FORMAT: &str = "daypass objects, format 1\n";
const FORMAT_SHORT: &str = "daypass objects, format 1";
pub(super) const STORE: &[u8] = b"store";
/// The log of the index.
pub(super) const LOG: &str = "index.sqlite-wal";
const LEAST_SEGMENT: u64 = 512 * 1024;
const MOST_SEGMENT: u64 = 1 << 30;

/// How a store is kept. All sizes in bytes.
pub struct Options {
    /// Objects up to here stand in the index itself. Measured: with more, rows leave their page, and cost twice a packed object.
    pub inline_bytes: u64,
    /// Objects up to here are packed into a shared segment, larger ones streamed to extents of their own.
    pub packed_bytes: u64,
    /// Size of a segment of packed objects, which is written beforehand.
    pub packed_segment_bytes: u64,
    /// Size of a segment of streamed objects.
    pub stream_segment_bytes: u64,
    /// With less free than this on the disk, what needs room is refused and deleting goes on.
    pub reserve_bytes: u64,
    /// Threads that read.
    pub read_threads: usize,
    /// So many short lookups at once are done by whoever asks, who then waits for the disk if need be. On an executor, fewer
    /// than it has threads.
    pub lookups_here: usize,
    /// Threads that hash and write large objects.
    pub write_threads: usize,
    /// Where ids and salts come from.
    pub entropy: Entropy,
    /// Where the keys are that seal objects.
    pub keyring: Arc<dyn Keyring>,
    /// The disk below.
    pub disk: Arc<dyn Disk>,
    /// The SQLite VFS that the index's files are kept with, if not the machine's own: for tests that stand between.
    pub index_vfs: Option<String>,
}

impl Options {
    /// The usual, with this source of randomness, which must be a cryptographic one outside tests.
    #[must_use]
    pub fn new(entropy: Entropy) -> Self {
        Self {
            inline_bytes: 512,
            packed_bytes: 1 << 20,
            packed_segment_bytes: 64 << 20,
            stream_segment_bytes: 256 << 20,
            reserve_bytes: 64 << 20,
            read_threads: 8,
            lookups_here: 0,
            write_threads: 8,
            entropy,
            keyring: Arc::new(NoKeys),
            disk: Arc::new(RealDisk),
            index_vfs: None,
        }
    }

    fn check(&self) -> Result<()> {
        let sizes = LEAST_SEGMENT..=MOST_SEGMENT;
        let sound = [
            (sizes.contains(&self.packed_segment_bytes), "packed_segment_bytes outside 512 KiB to 1 GiB"),
            (sizes.contains(&self.stream_segment_bytes), "stream_segment_bytes outside 512 KiB to 1 GiB"),
            (self.inline_bytes <= 16 * 1024, "inline_bytes above 16 KiB"),
            (self.packed_bytes <= 1 << 20, "packed_bytes above 1 MiB"),
            (self.inline_bytes <= self.packed_bytes, "inline_bytes above packed_bytes"),
            (
                self.packed_bytes * 2 <= self.packed_segment_bytes,
                "packed_bytes above half of packed_segment_bytes",
            ),
            (self.read_threads > 0 && self.write_threads > 0, "no threads"),
        ];
        match sound.into_iter().find(|(sound, _)| !sound) {
            Some((_, why)) => Err(Error::BadOption(why)),
            None => Ok(()),
        }
    }
}

/// A store that is open, with its threads.
pub(super) struct Opened {
    pub(super) shared: Arc<Shared>,
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) lock: File,
    pub(super) index: Sqlite,
}

/// Opens the directory, making it if it is not there.
pub(super) fn open(directory: &Path, options: Options) -> Result<Opened> {
    options.check()?;
    let inside = directory.join("segments");
    let mut directories = DirBuilder::new();
    directories.recursive(true).mode(0o700).create(&inside).map_err(|error| io(directory, &error))?;
    let lock = touch(&directory.join("lock"))?;
    lock_file(&lock, directory)?;
    check_format(&directory.join("format"), true)?;
    // SQLite makes its files as this one is
    touch(&directory.join("index.sqlite"))?;
    wal::check(&*options.disk, &directory.join(LOG))?;
    let (index, mut writer) = Sqlite::open(&directory.join("index.sqlite"), options.index_vfs)?;
    let entropy: SharedEntropy = Arc::new(Mutex::new(options.entropy));
    let store = count_opening(&mut writer, &entropy)?;
    let numbers = Arc::new(Numbers::since_opening(store.opens));
    let status = Arc::new(Status::default());
    let disk = Arc::clone(&options.disk);
    let segments = Segments::new(inside, disk, store.id, Arc::clone(&status), options.reserve_bytes);
    let capacity = options.packed_segment_bytes;
    let (packing, current) = tidy(&mut writer, &segments, &numbers, capacity)?;
    let packer = Packer::new(Arc::clone(&segments), capacity, options.packed_bytes, packing, &current)?;
    make_durable(directory, &*options.disk)?;

    let readers = Readers::new(store.opens << 40);
    let (commits, changes) = Commits::channel();
    let (noted, notes) = watch::channel(0);
    let committer = Committer {
        changes,
        writer: Box::new(writer),
        packer,
        segments: Arc::clone(&segments),
        readers: Arc::clone(&readers),
        numbers: Arc::clone(&numbers),
        entropy: Arc::clone(&entropy),
        status: Arc::clone(&status),
        has_room: true,
        notes: noted,
        crowd: 0,
    };
    let no_thread = |error: std::io::Error| Error::Io(format!("no thread: {error}"));
    let readers_for =
        |count: usize| (0..count).map(|_| index.reader()).collect::<std::result::Result<Vec<_>, _>>();
    let (reads, mut threads) =
        Pool::start("objects-read", readers_for(options.read_threads)?).map_err(no_thread)?;
    let reads = Reads::new(reads, readers_for(options.lookups_here)?);
    let (writes, more) = Pool::start("objects-write", vec![(); options.write_threads]).map_err(no_thread)?;
    threads.extend(more);
    let committer = Builder::new().name("objects-commit".into()).spawn(move || committer.work());
    threads.push(committer.map_err(no_thread)?);
    let shared = Shared {
        commits,
        reads,
        writes,
        segments,
        readers,
        numbers,
        status,
        entropy,
        keyring: options.keyring,
        limits: Limits {
            inline: options.inline_bytes,
            packed: options.packed_bytes,
            stream_segment: options.stream_segment_bytes,
        },
        streams: Arc::default(),
        memory: Arc::default(),
        notes,
        collecting: AsyncMutex::new(()),
        scrub: super::scrub::Scrub::default(),
        stuck: Mutex::default(),
    };
    Ok(Opened { shared: Arc::new(shared), threads, lock, index })
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    Error::Io(format!("`{}`: {error}", path.display()))
}

/// Opens a file, made if it is not there, for nobody else to read.
fn touch(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).mode(OWNER_ONLY).open(path);
    file.map_err(|error| io(path, &error))
}

/// Only one process at a time.
pub(super) fn lock_file(file: &File, directory: &Path) -> Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => Error::InUse,
        TryLockError::Error(error) => io(directory, &error),
    })
}

/// Whether the directory is one of ours; `make` says so where nothing says it yet.
pub(super) fn check_format(path: &Path, make: bool) -> Result<()> {
    match std::fs::read(path) {
        Ok(found) if found == FORMAT.as_bytes() => Ok(()),
        Ok(found) => {
            let found =
                String::from_utf8_lossy(&found).lines().next().unwrap_or_default().chars().take(80).collect();
            Err(Error::UnknownFormat { found, known: FORMAT_SHORT })
        }
        Err(error) if make && error.kind() == std::io::ErrorKind::NotFound => write_format(path),
        Err(error) => Err(io(path, &error)),
    }
}

/// Says what the directory is before anything is in it. It appears whole or not at all.
fn write_format(path: &Path) -> Result<()> {
    let new = path.with_extension("new");
    let mut file = touch(&new)?;
    let mut write = || {
        file.set_len(0)?;
        file.write_all(FORMAT.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().map_err(|error| io(path, &error))
}

/// Makes the names in the directory, and its own, durable.
fn make_durable(directory: &Path, disk: &dyn Disk) -> Result<()> {
    let parent = std::path::absolute(directory).ok().and_then(|path| path.parent().map(Path::to_owned));
    for path in [Some(directory.to_owned()), parent].into_iter().flatten() {
        disk.sync_directory(&path).map_err(|error| io(&path, &error))?;
    }
    Ok(())
}

/// Commits what the closure changes.
fn change<T>(writer: &mut SqliteWriter, make: impl FnOnce(&mut Overlay<'_>) -> Result<T>) -> Result<T> {
    writer.begin()?;
    let mut overlay = Overlay::new(writer.view());
    let made = make(&mut overlay);
    let changes = overlay.into_changes();
    match made {
        Ok(made) => {
            writer.commit(&changes)?;
            Ok(made)
        }
        Err(error) => {
            writer.abandon();
            Err(error)
        }
    }
}

/// Every opening has a number of its own, durable before anything is numbered by it.
fn count_opening(writer: &mut SqliteWriter, entropy: &SharedEntropy) -> Result<StoreRecord> {
    change(writer, |index| {
        let record: Option<StoreRecord> = view::load(index, STORE)?;
        let mut record = record.unwrap_or_else(|| {
            let mut id = [0; 16];
            fill(entropy, &mut id);
            StoreRecord { id, opens: 0 }
        });
        record.opens += 1;
        index.store(STORE.to_vec(), &record)?;
        Ok(record)
    })
}

/// Puts the segments in order: removes those that nothing lives in, cuts off what was not committed, offers the rest to
/// writers, and sees to it that there is one to pack into.
fn tidy(
    writer: &mut SqliteWriter,
    segments: &Arc<Segments>,
    numbers: &Numbers,
    capacity: u64,
) -> Result<(PackingRecord, SegmentRecord)> {
    let (packing, all) = change(writer, |index| {
        let packing: Option<PackingRecord> = view::load(index, PACKING)?;
        let packing =
            packing.unwrap_or_else(|| PackingRecord { current: numbers.next(), spare: numbers.next() });
        if view::load::<SegmentRecord>(index, &keys::number(packing.current))?.is_none() {
            index.store(keys::number(packing.current), &Packer::fresh(capacity))?;
        }
        // nothing was ever written to the spare one, and its size may be another now
        index.store(keys::number(packing.spare), &Packer::fresh(capacity))?;
        index.store(PACKING.to_vec(), &packing)?;
        Ok((packing, all_segments(index)?))
    })?;
    let mut dead = Vec::new();
    for (number, record) in &all {
        if *number == packing.current || *number == packing.spare {
            continue;
        }
        if record.live == 0 {
            segments.remove(*number).map_err(|error| Error::Io(format!("segment {number}: {error}")))?;
            dead.push(*number);
            continue;
        }
        let room = Room { segment: *number, used: record.used, capacity: record.capacity };
        if record.kind == SegmentKind::Stream && room.serves() {
            resume(segments, room);
        }
    }
    if !dead.is_empty() {
        segments.sync_directory().map_err(|error| Error::Io(format!("segments: {error}")))?;
        change(writer, |index| {
            dead.iter().for_each(|number| index.remove(Space::Segments, keys::number(*number)));
            Ok(())
        })?;
    }
    let current = all.iter().find(|(number, _)| *number == packing.current).map(|(_, record)| *record);
    let current = current.ok_or_else(|| Error::Corrupt("no segment to pack into".into()))?;
    if current.used == START {
        segments.create(packing.current, current.capacity)?;
    }
    Ok((packing, current))
}

pub(super) fn all_segments(view: &dyn View) -> Result<Vec<(u64, SegmentRecord)>> {
    let mut all = Vec::new();
    view::each(view, &[], None, &mut |key, record: SegmentRecord| {
        all.push((keys::to_number(key)?, record));
        Ok(Step::Next)
    })?;
    Ok(all)
}

/// Cuts off what was streamed but never committed, and offers the room. A segment that cannot be opened is left alone:
/// what lives in it fails when it is read, and all else works.
fn resume(segments: &Segments, room: Room) {
    let cut = segments
        .file(room.segment)
        .and_then(|file| file.truncate(room.used).map_err(|error| Error::Io(error.to_string())));
    match cut {
        Ok(()) => segments.offer(room),
        Err(error) => tracing::error!(%error, segment = room.segment, "a segment cannot be opened"),
    }
}
