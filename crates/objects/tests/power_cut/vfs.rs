//! SQLite on the disk whose power can be cut: a VFS (sqlite.org, "The OS Backend (VFS) To SQLite"), with the shared memory
//! and the locks that its log needs.

#![expect(unsafe_code, reason = "SQLite's interface is C")]

use crate::disk::{PowerDisk, Sharing};
use rusqlite::ffi::{self, sqlite3_file, sqlite3_vfs};
use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once};

/// What a store is told to keep its index with.
pub(crate) const NAME: &str = "power-cut";
const C_NAME: &CStr = c"power-cut";

/// Which disk a directory is on.
static DISKS: Mutex<Option<HashMap<PathBuf, Arc<PowerDisk>>>> = Mutex::new(None);

/// From here on, databases in this directory are on this disk.
pub(crate) fn mount(directory: &Path, disk: Arc<PowerDisk>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(register);
    DISKS.lock().unwrap().get_or_insert_default().insert(directory.to_owned(), disk);
}

pub(crate) fn unmount(directory: &Path) {
    DISKS.lock().unwrap().get_or_insert_default().remove(directory);
}

fn disk_of(path: &Path) -> Option<Arc<PowerDisk>> {
    DISKS.lock().unwrap().get_or_insert_default().get(path.parent()?).cloned()
}

#[repr(C)]
struct File {
    base: sqlite3_file,
    /// Taken when the file is closed.
    open: *mut Open,
}

struct Open {
    disk: Arc<PowerDisk>,
    inode: usize,
    /// The directory, as long as the file's name in it is to be synced with the file.
    directory: Option<PathBuf>,
    delete_on_close: Option<PathBuf>,
    sharing: Arc<Mutex<Sharing>>,
    level: c_int,
    /// Bits of the locks on shared memory that this connection holds.
    shm_shared: u8,
    shm_exclusive: u8,
}

fn register() {
    let vfs = sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<File>() as c_int,
        mxPathname: 1024,
        pNext: std::ptr::null_mut(),
        zName: C_NAME.as_ptr(),
        pAppData: std::ptr::null_mut(),
        xOpen: Some(x_open),
        xDelete: Some(x_delete),
        xAccess: Some(x_access),
        xFullPathname: Some(x_full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(x_randomness),
        xSleep: Some(x_sleep),
        xCurrentTime: Some(x_current_time),
        xGetLastError: Some(x_get_last_error),
        xCurrentTimeInt64: Some(x_current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: the VFS lives for ever, and its functions keep SQLite's rules.
    let done = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) };
    assert_eq!(done, ffi::SQLITE_OK);
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_unlock),
    xCheckReservedLock: Some(x_check_reserved_lock),
    xFileControl: Some(x_file_control),
    xSectorSize: Some(x_sector_size),
    xDeviceCharacteristics: Some(x_device_characteristics),
    xShmMap: Some(x_shm_map),
    xShmLock: Some(x_shm_lock),
    xShmBarrier: Some(x_shm_barrier),
    xShmUnmap: Some(x_shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The path that SQLite names.
///
/// # Safety
/// `name` is a string of C's, or null.
unsafe fn path(name: *const c_char) -> Option<PathBuf> {
    // SAFETY: the caller's promise.
    (!name.is_null())
        .then(|| unsafe { CStr::from_ptr(name) })
        .map(|name| OsStr::from_bytes(name.to_bytes()).into())
}

/// What stands behind a file of SQLite's.
///
/// # Safety
/// `file` was opened by [`x_open`] and is not closed; SQLite calls for one file from one thread at a time.
unsafe fn open<'a>(file: *mut sqlite3_file) -> &'a mut Open {
    // SAFETY: the caller's promise; `x_open` has put a box there.
    unsafe { &mut *(*file.cast::<File>()).open }
}

unsafe extern "C" fn x_open(
    _: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let file = file.cast::<File>();
    // SAFETY: SQLite gives room for a `File`; without methods it does not close it.
    unsafe { (*file).base.pMethods = std::ptr::null() };
    // SAFETY: SQLite's own name.
    let Some(path) = (unsafe { path(name) }) else { return ffi::SQLITE_CANTOPEN };
    let Some(disk) = disk_of(&path) else { return ffi::SQLITE_CANTOPEN };
    let is_new = !disk.exists(&path);
    let Ok(inode) = disk.find(&path, flags & ffi::SQLITE_OPEN_CREATE != 0) else {
        return ffi::SQLITE_CANTOPEN;
    };
    // as SQLite's own: the name of a journal is synced with it, the database's is its maker's business
    let journals = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    let directory = (is_new && flags & journals != 0).then(|| path.parent().unwrap().to_owned());
    let sharing = disk.sharing(inode);
    let delete_on_close = (flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0).then_some(path);
    let open = Open {
        disk,
        inode,
        directory,
        delete_on_close,
        sharing,
        level: ffi::SQLITE_LOCK_NONE,
        shm_shared: 0,
        shm_exclusive: 0,
    };
    // SAFETY: SQLite gives room for a `File`; `out` may be null.
    unsafe {
        (*file).open = Box::into_raw(Box::new(open));
        (*file).base.pMethods = &raw const METHODS;
        if !out.is_null() {
            *out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the box that `x_open` made, taken once.
    let open = unsafe { Box::from_raw((*file.cast::<File>()).open) };
    if let Some(path) = &open.delete_on_close {
        let _ = open.disk.delete(path);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite's own name.
    let Some(path) = (unsafe { path(name) }) else { return ffi::SQLITE_IOERR_DELETE };
    let Some(disk) = disk_of(&path) else { return ffi::SQLITE_IOERR_DELETE };
    match disk.delete(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(_) => return ffi::SQLITE_IOERR_DELETE,
        Ok(()) => {}
    }
    match sync != 0 && disk.sync_names(path.parent().unwrap()).is_err() {
        true => ffi::SQLITE_IOERR_DIR_FSYNC,
        false => ffi::SQLITE_OK,
    }
}

unsafe extern "C" fn x_access(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's own name.
    let Some(path) = (unsafe { path(name) }) else { return ffi::SQLITE_IOERR_ACCESS };
    let Some(disk) = disk_of(&path) else { return ffi::SQLITE_IOERR_ACCESS };
    let there = disk.exists(&path);
    // as SQLite's own: an empty file does not exist
    let found = there
        && (flags != ffi::SQLITE_ACCESS_EXISTS
            || disk.find(&path, false).is_ok_and(|inode| disk.length(inode) > 0));
    // SAFETY: SQLite's own place.
    unsafe { *out = c_int::from(found) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_full_pathname(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite's own name, and room for so many bytes.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes_with_nul();
        if name.len() > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_randomness(_: *mut sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    // the salt of a log must not repeat from one life to the next
    static SEED: Mutex<u64> = Mutex::new(1);
    let mut seed = SEED.lock().unwrap();
    let bytes = crate::random::Random(*seed).bytes(length as usize);
    *seed += 1;
    // SAFETY: SQLite's own room.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len()) };
    length
}

unsafe extern "C" fn x_sleep(_: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::sleep(std::time::Duration::from_micros(microseconds.min(100) as u64));
    microseconds
}

unsafe extern "C" fn x_current_time(_: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite's own place.
    unsafe { *out = 2_461_000.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_current_time_int64(_: *mut sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite's own place.
    unsafe { *out = 212_630_443_200_000 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_get_last_error(_: *mut sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}

unsafe extern "C" fn x_read(
    file: *mut sqlite3_file,
    out: *mut c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite's file and its room.
    let (open, buffer) =
        unsafe { (open(file), std::slice::from_raw_parts_mut(out.cast::<u8>(), length as usize)) };
    let read = open.disk.read(open.inode, buffer, offset as u64);
    buffer[read..].fill(0);
    if read == buffer.len() { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_SHORT_READ }
}

unsafe extern "C" fn x_write(
    file: *mut sqlite3_file,
    from: *const c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite's file and its bytes.
    let (open, bytes) =
        unsafe { (open(file), std::slice::from_raw_parts(from.cast::<u8>(), length as usize)) };
    judged(open.disk.write(open.inode, bytes, offset as u64), ffi::SQLITE_IOERR_WRITE)
}

fn judged(done: std::io::Result<()>, failure: c_int) -> c_int {
    if done.is_ok() { ffi::SQLITE_OK } else { failure }
}

unsafe extern "C" fn x_truncate(file: *mut sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open(file) };
    judged(open.disk.truncate(open.inode, length as u64), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn x_sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open(file) };
    if open.disk.sync(open.inode).is_err() {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    match open.directory.take() {
        Some(directory) => judged(open.disk.sync_names(&directory), ffi::SQLITE_IOERR_DIR_FSYNC),
        None => ffi::SQLITE_OK,
    }
}

unsafe extern "C" fn x_file_size(file: *mut sqlite3_file, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite's file and its place.
    unsafe {
        let open = open(file);
        *out = open.disk.length(open.inode) as i64;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open(file) };
    if level <= open.level {
        return ffi::SQLITE_OK;
    }
    let mut sharing = open.sharing.lock().unwrap();
    if open.level == ffi::SQLITE_LOCK_NONE {
        if sharing.exclusive {
            return ffi::SQLITE_BUSY;
        }
        sharing.shared += 1;
        open.level = ffi::SQLITE_LOCK_SHARED;
    }
    if level >= ffi::SQLITE_LOCK_RESERVED && open.level < ffi::SQLITE_LOCK_RESERVED {
        if sharing.reserved {
            return ffi::SQLITE_BUSY;
        }
        sharing.reserved = true;
        open.level = ffi::SQLITE_LOCK_RESERVED;
    }
    if level == ffi::SQLITE_LOCK_EXCLUSIVE {
        if sharing.shared > 1 {
            return ffi::SQLITE_BUSY;
        }
        sharing.exclusive = true;
        open.level = ffi::SQLITE_LOCK_EXCLUSIVE;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open(file) };
    if level >= open.level {
        return ffi::SQLITE_OK;
    }
    let mut sharing = open.sharing.lock().unwrap();
    if open.level >= ffi::SQLITE_LOCK_RESERVED {
        sharing.reserved = false;
        sharing.exclusive = false;
    }
    if level == ffi::SQLITE_LOCK_NONE {
        sharing.shared -= 1;
    }
    open.level = level;
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite's file and its place.
    unsafe { *out = c_int::from(open(file).sharing.lock().unwrap().reserved) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_file_control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn x_sector_size(_: *mut sqlite3_file) -> c_int {
    4096
}

/// As SQLite's own on Linux.
unsafe extern "C" fn x_device_characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE | ffi::SQLITE_IOCAP_SUBPAGE_READ
}

unsafe extern "C" fn x_shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open(file) };
    let mut sharing = open.sharing.lock().unwrap();
    while extend != 0 && sharing.regions.len() <= region as usize {
        sharing.regions.push(vec![0; size as usize / 8].into_boxed_slice());
    }
    let place =
        sharing.regions.get_mut(region as usize).map_or(std::ptr::null_mut(), |region| region.as_mut_ptr());
    // SAFETY: SQLite's place. The region stays where it is for as long as the file's sharing lives, which every
    // connection holds.
    unsafe { *out = place.cast() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_shm_lock(file: *mut sqlite3_file, first: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open(file) };
    let mut sharing = open.sharing.lock().unwrap();
    let slots = first as usize..(first + count) as usize;
    let mask = slots.clone().fold(0, |mask, slot| mask | 1 << slot);
    let locks = &mut sharing.shm_locks;
    match flags {
        f if f == ffi::SQLITE_SHM_LOCK | ffi::SQLITE_SHM_SHARED => {
            if open.shm_shared & mask != 0 {
                return ffi::SQLITE_OK;
            }
            if locks[slots.clone()].iter().any(|lock| *lock < 0) {
                return ffi::SQLITE_BUSY;
            }
            slots.for_each(|slot| locks[slot] += 1);
            open.shm_shared |= mask;
        }
        f if f == ffi::SQLITE_SHM_LOCK | ffi::SQLITE_SHM_EXCLUSIVE => {
            if locks[slots.clone()].iter().any(|lock| *lock != 0) {
                return ffi::SQLITE_BUSY;
            }
            slots.for_each(|slot| locks[slot] = -1);
            open.shm_exclusive |= mask;
        }
        _ => {
            for slot in slots {
                let bit = 1 << slot;
                if open.shm_exclusive & bit != 0 {
                    locks[slot] = 0;
                } else if open.shm_shared & bit != 0 {
                    locks[slot] -= 1;
                }
            }
            open.shm_shared &= !mask;
            open.shm_exclusive &= !mask;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: SQLite's file. Whoever takes a lock sees what was written before it was given back.
    drop(unsafe { open(file) }.sharing.lock());
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

unsafe extern "C" fn x_shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open(file) };
    let mut sharing = open.sharing.lock().unwrap();
    for slot in 0..8 {
        if open.shm_exclusive & 1 << slot != 0 {
            sharing.shm_locks[slot] = 0;
        } else if open.shm_shared & 1 << slot != 0 {
            sharing.shm_locks[slot] -= 1;
        }
    }
    (open.shm_shared, open.shm_exclusive) = (0, 0);
    if delete != 0 {
        sharing.regions.clear();
    }
    ffi::SQLITE_OK
}
