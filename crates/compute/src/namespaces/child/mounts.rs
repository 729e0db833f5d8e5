//! What is mounted where, as the kernel lists it.

use super::super::sys;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// The mounts of this process's mount namespace.
pub(super) struct Mounts(Vec<Mount>);

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    id: u64,
    /// The device, as `major:minor`. All mounts of a file system share it.
    pub(super) device: String,
    /// The directory of the file system that is mounted.
    pub(super) root: PathBuf,
    /// Where it is mounted.
    pub(super) point: PathBuf,
    pub(super) kind: String,
    /// The options of the file system; of a control group hierarchy, its controllers.
    pub(super) options: String,
}

impl Mounts {
    pub(super) fn read() -> io::Result<Self> {
        Ok(Self::parse(&fs::read("/proc/self/mountinfo")?))
    }

    fn parse(text: &[u8]) -> Self {
        Self(text.split(|byte| *byte == b'\n').filter_map(parse_line).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.0.iter()
    }

    /// What is seen at a mount point: the last one mounted there.
    pub(super) fn at(&self, point: &Path) -> Option<&Mount> {
        self.0.iter().rev().find(|mount| mount.point == point)
    }

    /// The mount that an existing path is on, and the path's place within the file system.
    pub(super) fn locate(&self, path: &Path) -> io::Result<Option<(&Mount, PathBuf)>> {
        let path = fs::canonicalize(path)?;
        let id = sys::mount_id(File::open(&path)?)?;
        let mount = self.0.iter().find(|mount| mount.id == id);
        Ok(mount.and_then(|mount| Some((mount, mount.root.join(path.strip_prefix(&mount.point).ok()?)))))
    }
}

/// One line of mountinfo (proc_pid_mountinfo(5)): id, parent, device, root, mount point, options, optional fields, `-`,
/// type, source, options of the file system.
fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let text = |field: &[u8]| String::from_utf8(field.to_vec()).ok();
    let id = text(fields.next()?)?.parse().ok()?;
    let device = text(fields.nth(1)?)?;
    let root = unescape(fields.next()?);
    let point = unescape(fields.next()?);
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let kind = text(rest.next()?)?;
    let options = text(rest.nth(1)?)?;
    Some(Mount { id, device, root, point, kind, options })
}

/// Undoes the kernel's `\040` for blanks and the like.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let octal = after.first_chunk::<3>().filter(|_| *byte == b'\\');
        let value = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// Whether a path is absolute, without `.` and `..`, and not the root.
pub(super) fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    let absolute = parts.next() == Some(Component::RootDir) && path.parent().is_some();
    let as_written: PathBuf = path.components().collect();
    absolute
        && parts.all(|part| matches!(part, Component::Normal(_)))
        && as_written.as_os_str() == path.as_os_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &[u8] = b"\
21 28 0:19 / /proc rw,nosuid - proc proc rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,discard
33 28 8:2 /sub/with\\040blank /opt/my\\040data ro shared:7 master:2 - xfs /dev/sdb1 rw
40 28 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
nonsense
";

    #[test]
    fn lines_are_read_and_blanks_restored() {
        let mounts = Mounts::parse(LINES);
        assert_eq!(mounts.iter().count(), 4);
        let opt = mounts.at(Path::new("/opt/my data")).unwrap();
        assert_eq!(opt.root, Path::new("/sub/with blank"));
        assert_eq!((opt.device.as_str(), opt.kind.as_str()), ("8:2", "xfs"));
        assert_eq!(mounts.at(Path::new("/sys/fs/cgroup/memory")).unwrap().options, "rw,memory");
    }

    #[test]
    fn a_path_is_found_on_the_mount_that_it_is_on() {
        let mounts = Mounts::read().unwrap();
        let (mount, within) = mounts.locate(Path::new("/proc/self/../sys")).unwrap().unwrap();
        assert_eq!((mount.kind.as_str(), within.as_path()), ("proc", Path::new("/sys")));
    }

    #[test]
    fn plain_paths_are_absolute_and_go_nowhere_else() {
        for (path, plain) in [
            ("/var/lib/daypass", true),
            ("/", false),
            ("var", false),
            ("", false),
            ("/var/../etc", false),
            ("/var/./lib", false),
            ("/var//lib", false),
            ("/var/", false),
        ] {
            assert_eq!(is_plain(Path::new(path)), plain, "{path}");
        }
    }
}
