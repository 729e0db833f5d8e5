//! A disk in memory whose power can be cut: what was not synced is then kept, lost, torn or kept out of order, as chance
//! has it.

use crate::random::Random;
use daypass_objects::local::disk::{Disk, DiskFile};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// When the disk misbehaves, counted in operations that change something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// From this one on nothing is done any more: the power is off.
    pub(crate) cut_at: u64,
    /// The first sync from this one on fails once, and loses what it should have made durable.
    pub(crate) fail_sync_at: u64,
}

/// The disk, shared by the store and by SQLite.
pub(crate) struct PowerDisk(Mutex<State>);

struct State {
    plan: Plan,
    operations: u64,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since their directory was synced: the name, and the file if it was made.
    pending_names: Vec<(PathBuf, Option<usize>)>,
    /// Shared memory and locks of a file of SQLite's.
    pub(crate) sharing: HashMap<usize, Arc<Mutex<Sharing>>>,
}

/// What connections to one database share. It goes with the power.
#[derive(Default)]
pub(crate) struct Sharing {
    pub(crate) regions: Vec<Box<[u64]>>,
    /// Above zero the number of those that share, below zero one who excludes.
    pub(crate) shm_locks: [i32; 8],
    pub(crate) shared: u32,
    pub(crate) reserved: bool,
    pub(crate) exclusive: bool,
}

#[derive(Clone, Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

fn write(bytes: &mut Vec<u8>, offset: usize, new: &[u8]) {
    let end = offset + new.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(new);
}

fn apply(bytes: &mut Vec<u8>, pending: &Pending) {
    match pending {
        Pending::Write(offset, new) => write(bytes, *offset, new),
        Pending::Truncate(length) => bytes.resize(*length, 0),
    }
}

fn off() -> io::Error {
    io::Error::other("the power is off")
}

impl State {
    /// Counts an operation that changes something.
    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        if self.operations >= self.plan.cut_at { Err(off()) } else { Ok(()) }
    }

    fn change(&mut self, inode: usize, pending: Pending) -> io::Result<()> {
        self.operate()?;
        let inode = &mut self.inodes[inode];
        apply(&mut inode.live, &pending);
        inode.pending.push(pending);
        Ok(())
    }

    fn make(&mut self, path: &Path) -> usize {
        self.inodes.push(Inode::default());
        let inode = self.inodes.len() - 1;
        self.names.insert(path.to_owned(), inode);
        self.pending_names.push((path.to_owned(), Some(inode)));
        inode
    }
}

impl PowerDisk {
    pub(crate) fn new(plan: Plan) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            plan,
            operations: 0,
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending_names: Vec::new(),
            sharing: HashMap::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What is found when the power is back.
    pub(crate) fn after_the_cut(&self, plan: Plan, random: &mut Random) -> Arc<Self> {
        let state = self.state();
        let mut names = state.durable_names.clone();
        let keep_names = random.next() % 4;
        for (path, change) in &state.pending_names {
            if keep_names == 0 || (keep_names != 1 && random.next().is_multiple_of(2)) {
                continue;
            }
            match change {
                Some(inode) => names.insert(path.clone(), *inode),
                None => names.remove(path),
            };
        }
        let after = Self::new(plan);
        let mut fresh = after.state();
        for (path, inode) in names {
            let bytes = survivors(&state.inodes[inode], random);
            fresh.inodes.push(Inode { live: bytes.clone(), durable: bytes, pending: Vec::new() });
            let inode = fresh.inodes.len() - 1;
            fresh.names.insert(path.clone(), inode);
            fresh.durable_names.insert(path, inode);
        }
        drop(fresh);
        after
    }

    /// The files below a directory.
    pub(crate) fn files_in(&self, directory: &Path) -> usize {
        self.state().names.keys().filter(|path| path.parent() == Some(directory)).count()
    }

    pub(crate) fn exists(&self, path: &Path) -> bool {
        self.state().names.contains_key(path)
    }

    pub(crate) fn find(&self, path: &Path, make: bool) -> io::Result<usize> {
        let mut state = self.state();
        if let Some(inode) = state.names.get(path) {
            return Ok(*inode);
        }
        if !make {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.operate()?;
        Ok(state.make(path))
    }

    pub(crate) fn delete(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.operate()?;
        state.names.remove(path);
        state.pending_names.push((path.to_owned(), None));
        Ok(())
    }

    /// Reads as much as there is.
    pub(crate) fn read(&self, inode: usize, buffer: &mut [u8], offset: u64) -> usize {
        let state = self.state();
        let live = &state.inodes[inode].live;
        let start = (offset as usize).min(live.len());
        let length = buffer.len().min(live.len() - start);
        buffer[..length].copy_from_slice(&live[start..start + length]);
        length
    }

    pub(crate) fn write(&self, inode: usize, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.state().change(inode, Pending::Write(offset as usize, bytes.to_vec()))
    }

    pub(crate) fn truncate(&self, inode: usize, length: u64) -> io::Result<()> {
        self.state().change(inode, Pending::Truncate(length as usize))
    }

    pub(crate) fn length(&self, inode: usize) -> u64 {
        self.state().inodes[inode].live.len() as u64
    }

    pub(crate) fn sync(&self, inode: usize) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        let fails = state.operations >= state.plan.fail_sync_at;
        let file = &mut state.inodes[inode];
        let pending = std::mem::take(&mut file.pending);
        if fails {
            // as Linux does: the pages are clean from here on, and the next sync says that all is well
            state.plan.fail_sync_at = u64::MAX;
            return Err(io::Error::other("the sync failed"));
        }
        pending.iter().for_each(|change| apply(&mut file.durable, change));
        Ok(())
    }

    pub(crate) fn sync_names(&self, directory: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        let inside = |path: &Path| path.parent() == Some(directory);
        let (synced, rest) =
            std::mem::take(&mut state.pending_names).into_iter().partition(|(path, _)| inside(path));
        state.pending_names = rest;
        let synced: Vec<(PathBuf, Option<usize>)> = synced;
        for (path, change) in synced {
            match change {
                Some(inode) => state.durable_names.insert(path, inode),
                None => state.durable_names.remove(&path),
            };
        }
        Ok(())
    }

    pub(crate) fn sharing(&self, inode: usize) -> Arc<Mutex<Sharing>> {
        Arc::clone(self.state().sharing.entry(inode).or_default())
    }
}

/// The bytes of a file after the cut.
fn survivors(inode: &Inode, random: &mut Random) -> Vec<u8> {
    let mut bytes = inode.durable.clone();
    // all, none, whole writes, or sectors of them
    let how = random.next() % 5;
    for pending in &inode.pending {
        match (how, pending) {
            (0, _) => {}
            (1, _) => apply(&mut bytes, pending),
            (2, _) | (_, Pending::Truncate(_)) => {
                if random.next().is_multiple_of(2) {
                    apply(&mut bytes, pending);
                }
            }
            (_, Pending::Write(offset, new)) => tear(&mut bytes, *offset, new, random),
        }
    }
    bytes
}

/// Writes some of the sectors.
fn tear(bytes: &mut Vec<u8>, offset: usize, new: &[u8], random: &mut Random) {
    let mut at = 0;
    // long writes are torn in fewer places: what matters is at their ends
    let step = SECTOR * (1 + new.len() / (64 * SECTOR));
    while at < new.len() {
        let end = (((offset + at) / SECTOR * SECTOR + step) - offset).min(new.len());
        if random.next().is_multiple_of(2) {
            write(bytes, offset + at, &new[at..end]);
        }
        at = end;
    }
}

/// The disk as the store sees it.
pub(crate) struct StoreDisk(pub(crate) Arc<PowerDisk>);

struct StoreFile {
    disk: Arc<PowerDisk>,
    inode: usize,
}

impl Disk for StoreDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let inode = self.0.find(path, true)?;
        if self.0.length(inode) > 0 {
            self.0.truncate(inode, 0)?;
        }
        Ok(Arc::new(StoreFile { disk: Arc::clone(&self.0), inode }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let inode = self.0.find(path, false)?;
        Ok(Arc::new(StoreFile { disk: Arc::clone(&self.0), inode }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match self.0.delete(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.0.sync_names(path)
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(1 << 40)
    }
}

impl DiskFile for StoreFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match self.disk.read(self.inode, buffer, offset) {
            read if read == buffer.len() => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.write(self.inode, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.sync(self.inode)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.disk.truncate(self.inode, length)
    }
}
