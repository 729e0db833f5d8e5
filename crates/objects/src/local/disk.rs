//! The few things the engine asks of a disk for its data files, so that tests may stand between.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// Files are for nobody else.
pub(super) const OWNER_ONLY: u32 = 0o600;

/// A file of the engine's.
pub trait DiskFile: Send + Sync {
    /// Fills the buffer from this offset, or fails.
    ///
    /// # Errors
    /// What reading fails with; the end of the file is one.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all the bytes at this offset.
    ///
    /// # Errors
    /// What writing fails with.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns when all that was written is on the disk.
    ///
    /// # Errors
    /// What the disk fails with. What was written may be lost then, and trying again proves nothing.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file to this length.
    ///
    /// # Errors
    /// What the file system fails with.
    fn truncate(&self, length: u64) -> io::Result<()>;
}

/// Where the files are.
pub trait Disk: Send + Sync {
    /// Makes a file, or empties it, for reading and writing.
    ///
    /// # Errors
    /// What the file system fails with.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// What the file system fails with.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Takes a file away; one that is not there is no error.
    ///
    /// # Errors
    /// What the file system fails with.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Returns when the names in a directory are on the disk.
    ///
    /// # Errors
    /// What the disk fails with.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Bytes that can still be written.
    ///
    /// # Errors
    /// What the file system fails with.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
}

/// The machine's own file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(OWNER_ONLY);
        let file = options.open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(OpenOptions::new().read(true).write(true).open(path)?)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let about = nix::sys::statvfs::statvfs(path)?;
        #[expect(clippy::useless_conversion, reason = "the widths of these differ between systems")]
        let (blocks, size) = (u64::try_from(about.blocks_available()), u64::try_from(about.fragment_size()));
        Ok(blocks.unwrap_or(0).saturating_mul(size.unwrap_or(0)))
    }
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
}
