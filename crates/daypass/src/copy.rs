//! Files of a backup: copied with their sums, and listed in a file that is written last.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::digest;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use serde::{Deserialize, Serialize};

/// What a backup is called that is whole.
pub(crate) const MANIFEST: &str = "backup.json";
/// The format of a backup.
pub(crate) const FORMAT: u32 = 1;
const AT_ONCE: usize = 1 << 20;
/// The longest list of files, of which there is one of each segment.
pub(crate) const MAX_LIST: u64 = 256 << 20;

/// What is in a backup; it is written when all of it is on the disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    /// The version of the program that made it.
    pub(crate) daypass: String,
    /// When it was made.
    pub(crate) created: String,
    pub(crate) account: String,
    pub(crate) region: String,
    /// Whether the key that opens everything else is in it.
    pub(crate) root_key: bool,
    pub(crate) files: Vec<Listed>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// Where it is, below the backup and below the data directory.
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Manifest {
    /// Reads that of a backup.
    pub(crate) fn of(backup: &Path) -> Result<Self> {
        let place = backup.join(MANIFEST);
        let mut bytes = vec![];
        let read = File::open(&place).and_then(|file| file.take(MAX_LIST).read_to_end(&mut bytes));
        read.with_context(|| {
            format!("`{}` cannot be read: this is no backup, or one that was not finished", place.display())
        })?;
        let manifest: Self = serde_json::from_slice(&bytes)
            .with_context(|| format!("`{}` cannot be read", place.display()))?;
        if manifest.format != FORMAT {
            bail!("the backup has format {}, and this version reads format {FORMAT}", manifest.format);
        }
        if let Some(stray) = manifest.files.iter().find(|file| !is_inside(&file.path)) {
            bail!("the backup names `{}`, which is outside of it", stray.path.display());
        }
        Ok(manifest)
    }

    /// Says that the backup is whole. Everything in it is on the disk.
    pub(crate) fn write(&self, backup: &Path) -> Result<()> {
        crate::data::write_durably(&backup.join(MANIFEST), &serde_json::to_vec_pretty(self)?)
    }
}

/// Whether a path leads nowhere but down.
pub(crate) fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_))) && path.components().next().is_some()
}

/// Where a path leads: the links and the `..` of what is there are followed, and the rest is not there yet.
pub(crate) fn resolved(path: &Path) -> Result<PathBuf> {
    let (mut there, mut rest) = (path, vec![]);
    loop {
        match fs::canonicalize(there) {
            Err(error) if error.kind() == ErrorKind::NotFound && there.symlink_metadata().is_err() => {
                let parts = there.file_name().zip(there.parent());
                let (name, parent) = parts.with_context(|| format!("`{}` is no path", path.display()))?;
                rest.push(name);
                there = parent;
            }
            found => {
                let found = found.with_context(|| format!("`{}` leads nowhere", there.display()))?;
                return Ok(rest.into_iter().rev().fold(found, |path, name| path.join(name)));
            }
        }
    }
}

/// Makes a folder, and those above it, for nobody else to read and durably.
pub(crate) fn make(folder: &Path) -> Result<()> {
    let failed = || format!("`{}` cannot be made", folder.display());
    let made: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(failed)?;
    for parent in made.into_iter().filter_map(Path::parent) {
        File::open(parent).and_then(|parent| parent.sync_all()).with_context(failed)?;
    }
    Ok(())
}

/// Makes a folder that nothing is in.
pub(crate) fn make_empty(folder: &Path) -> Result<()> {
    make(folder)?;
    let shown = folder.display();
    let mut inside = fs::read_dir(folder).with_context(|| format!("`{shown}` cannot be read"))?;
    if inside.next().is_some() {
        bail!("`{shown}` is not empty: give the name of a folder that is not there yet");
    }
    Ok(())
}

/// Whether something is mounted there.
pub(crate) fn is_mount_point(folder: &Path) -> Result<bool> {
    let Some((name, parent)) = folder.file_name().zip(folder.parent()) else { return Ok(true) };
    let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_NO_XDEV);
    let failed = || format!("`{}` cannot be opened", folder.display());
    match openat2(&File::open(parent).with_context(failed)?, name, how) {
        Err(nix::errno::Errno::EXDEV) => Ok(true),
        opened => opened.map(|_| false).with_context(failed),
    }
}

/// Opens a file below a folder to which no symbolic link leads.
pub(crate) fn open_inside(folder: &Path, path: &Path) -> Result<File> {
    let failed = || format!("`{}` cannot be read", folder.join(path).display());
    let folder = File::open(folder).with_context(failed)?;
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
    let file = File::from(openat2(&folder, path, how).with_context(failed)?);
    if !file.metadata().with_context(failed)?.is_file() {
        return Err(anyhow::anyhow!("it is no file")).with_context(failed);
    }
    Ok(file)
}

/// Copies the first bytes of a file, durably but for its name, and says what they are. `from` is what the file is called;
/// `tell` hears of the bytes as they go.
pub(crate) fn copy(
    source: File,
    from: &Path,
    to: &Path,
    bytes: u64,
    tell: &mut dyn FnMut(u64),
) -> Result<String> {
    let failed = || format!("`{}` cannot be copied to `{}`", from.display(), to.display());
    let mut source = source.take(bytes);
    if let Some(folder) = to.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(failed)?;
    }
    let mut copy =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).with_context(failed)?;
    let mut sum = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; AT_ONCE];
    let mut copied = 0;
    loop {
        let read = source.read(&mut buffer).with_context(failed)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
        sum.update(piece);
        copy.write_all(piece).with_context(failed)?;
        copied += read as u64;
        tell(read as u64);
    }
    if copied != bytes {
        bail!("`{}` has {copied} bytes instead of {bytes}", from.display());
    }
    copy.sync_all().with_context(failed)?;
    Ok(sum.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes the names in a folder, and in all folders below it, durable.
pub(crate) fn sync_names(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_names(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all().with_context(|| format!("`{}` cannot be synced", folder.display()))
}

/// Shows how far a command has come, on the standard error and only to people.
pub(crate) struct Shown {
    what: &'static str,
    done: u64,
    of: u64,
    percent: Option<u64>,
}

impl Shown {
    pub(crate) fn new(what: &'static str, of: u64) -> Self {
        Self { what, done: 0, of, percent: None }
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        self.set(self.done, self.of);
    }

    #[expect(clippy::print_stderr, reason = "a command shows there how far it is")]
    pub(crate) fn set(&mut self, done: u64, of: u64) {
        let percent = (done * 100).checked_div(of).unwrap_or(100).min(100);
        if std::io::IsTerminal::is_terminal(&std::io::stderr())
            && self.percent.replace(percent) != Some(percent)
        {
            eprint!(
                "\r{} {percent}% of {} MiB{}",
                self.what,
                of >> 20,
                if percent == 100 { "\n" } else { "" }
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_names_nothing_outside_of_it() {
        for (path, inside) in [
            ("state.db", true),
            ("objects/segments/1.segment", true),
            ("/etc/passwd", false),
            ("../x", false),
            ("objects/../../x", false),
            ("", false),
        ] {
            assert_eq!(is_inside(Path::new(path)), inside, "{path}");
        }
    }

    #[test]
    fn a_path_is_followed_as_far_as_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(root.join("deep")).unwrap();
        std::os::unix::fs::symlink("deep", root.join("link")).unwrap();
        std::os::unix::fs::symlink("none", root.join("dangling")).unwrap();
        for (path, leads) in [
            ("deep", Some("deep")),
            ("link/new/file", Some("deep/new/file")),
            ("deep/../new", Some("new")),
            ("new/../deep", None),
            ("new/..", None),
            ("dangling", None),
            ("dangling/new", None),
        ] {
            assert_eq!(resolved(&root.join(path)).ok(), leads.map(|path| root.join(path)), "{path}");
        }
    }

    #[test]
    fn what_is_mounted_is_told_from_what_is_not() {
        let folder = tempfile::tempdir().unwrap();
        for (path, mounted) in [(folder.path(), false), (Path::new("/proc"), true), (Path::new("/"), true)] {
            assert_eq!(is_mount_point(path).unwrap(), mounted, "{}", path.display());
        }
        assert!(is_mount_point(&folder.path().join("none")).is_err());
    }

    #[test]
    fn what_is_opened_inside_is_a_file_that_no_link_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("deep")).unwrap();
        fs::write(at("deep/file"), "x").unwrap();
        std::os::unix::fs::symlink(at("deep/file"), at("link")).unwrap();
        std::os::unix::fs::symlink("deep", at("linked")).unwrap();
        nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(open_inside(folder.path(), Path::new("deep/file")).is_ok());
        for path in ["link", "linked/file", "fifo", "deep", "deep/../../etc/passwd", "/etc/passwd", "none"] {
            assert!(open_inside(folder.path(), Path::new(path)).is_err(), "{path}");
        }
    }
}
