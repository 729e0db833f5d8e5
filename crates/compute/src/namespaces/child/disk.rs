//! An instance's root file system, from outside: the image below, the instance's own writes above.
//!
//! `instances/<id>/disk/<layer>/{upper,work}` belongs to the instance's root, who can put there whatever he likes. So
//! nothing here follows a link in it, opens a file in it, or believes that a directory is one.

use super::super::sys;
use super::mounts::{Mounts, is_plain};
use crate::{Error, Image, Invalid};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat, makedev, mkdirat, mknodat};
use nix::unistd::{Gid, Uid, fchown};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// One overlay of the root file system: a file system that shows through, and a place for the writes.
pub(in super::super) struct Layer {
    /// Where it stands in the instance, relative to the root; empty for the root itself.
    pub(in super::super) target: PathBuf,
    source: OwnedFd,
    /// What must not show through, relative to the source.
    hidden: Vec<PathBuf>,
}

/// Mounts of the host that its programs need, parents before what is in them.
const SEPARATE: [&str; 9] = ["/usr", "/usr/local", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/opt", "/var"];

/// Directories of the host image that belong to root inside, though their content does not: so that files can be made
/// there. What is marked private shows nothing of the host's.
const OWNED: [(&str, u32, Content); 17] = [
    ("", 0o755, Content::Shared),
    ("etc", 0o755, Content::Shared),
    ("etc/profile.d", 0o755, Content::Shared),
    ("home", 0o755, Content::Shared),
    ("media", 0o755, Content::Shared),
    ("mnt", 0o755, Content::Shared),
    ("opt", 0o755, Content::Shared),
    ("root", 0o700, Content::Private),
    ("srv", 0o755, Content::Shared),
    ("usr/local", 0o755, Content::Shared),
    ("usr/local/bin", 0o755, Content::Shared),
    ("var", 0o755, Content::Shared),
    ("var/cache", 0o755, Content::Shared),
    ("var/lib", 0o755, Content::Shared),
    ("var/log", 0o755, Content::Private),
    ("var/spool", 0o755, Content::Shared),
    ("var/tmp", 0o1777, Content::Private),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Shared,
    Private,
}

impl Layer {
    /// The layers of an image, the root first.
    pub(super) fn of(image: &Image, images: &[PathBuf], hidden: &[PathBuf]) -> Result<Vec<Self>, Error> {
        let mounts = Mounts::read().map_err(|e| Error::system("read the list of mounts", e))?;
        let found = match image {
            Image::Host => host_layers(&mounts),
            Image::Directory(path) => open_image(path, images)
                .map(|source| vec![Layer { target: PathBuf::new(), source, hidden: vec![] }]),
        };
        let mut layers = found?;
        for layer in &mut layers {
            layer.hidden = hidden_in(&layer.source, &mounts, hidden)
                .map_err(|e| Error::system("find what the image must not show", e))?;
        }
        Ok(layers)
    }

    /// The name of the directory that holds the layer's writes.
    pub(in super::super) fn name(&self) -> String {
        match self.target.to_str() {
            None | Some("") => "root".to_owned(),
            Some(target) => target.replace('/', "-"),
        }
    }

    /// Makes the place for the layer's writes if it is not there, and hides what must not show through.
    fn prepare(&self, disk: &Path, image: &Image, root: u32) -> io::Result<()> {
        let place = disk.join(self.name());
        let is_new = !place.exists();
        if is_new {
            make_owned(&place, 0o700, root)?;
            make_owned(&place.join("work"), 0o700, root)?;
            make_owned(&place.join("upper"), 0o755, root)?;
        }
        let upper = open_directory(nix::fcntl::AT_FDCWD, &place.join("upper"))?;
        if is_new && *image == Image::Host {
            for (path, mode, content) in OWNED {
                if let Some(path) = self.within(Path::new(path)) {
                    self.own(&upper, path, mode, content, root)?;
                }
            }
        }
        self.hidden.iter().try_for_each(|path| self.hide(&upper, path))
    }

    /// The path relative to this layer, if this is where the path is. The root layer has also what is below the others;
    /// there it is covered.
    fn within<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.strip_prefix(&self.target).ok()
    }

    /// Gives a directory to root inside, if the image has one of that name.
    fn own(&self, upper: &OwnedFd, path: &Path, mode: u32, content: Content, root: u32) -> io::Result<()> {
        let below = fstatat(&self.source, nonempty(path), AtFlags::AT_SYMLINK_NOFOLLOW);
        if !below.is_ok_and(|stat| is_directory(&stat)) {
            return Ok(());
        }
        let Some(directory) = self.descend(upper, path)? else { return Ok(()) };
        if content == Content::Private {
            make_opaque(&directory)?;
        }
        fchown(&directory, Some(Uid::from_raw(root)), Some(Gid::from_raw(root)))?;
        Ok(fchmod(&directory, Mode::from_bits_truncate(mode))?)
    }

    /// Makes sure that nothing of the image shows at `path`. What the instance put there itself stays.
    fn hide(&self, upper: &OwnedFd, path: &Path) -> io::Result<()> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::other("all of the image would be hidden"));
        };
        let Some(parent) = self.descend(upper, parent)? else { return Ok(()) };
        match fstatat(&parent, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => Ok(mknodat(&parent, name, SFlag::S_IFCHR, Mode::empty(), makedev(0, 0))?),
            Err(e) => Err(e.into()),
            Ok(stat) if is_directory(&stat) => make_opaque(open_directory(&parent, Path::new(name))?),
            Ok(_) => Ok(()),
        }
    }

    /// Opens a directory among the writes, made like the image's where it is not there. Nothing if something else is in
    /// its place, which then hides the image's.
    fn descend(&self, upper: &OwnedFd, path: &Path) -> io::Result<Option<OwnedFd>> {
        let mut directory = upper.try_clone()?;
        let mut so_far = PathBuf::new();
        for part in path {
            so_far.push(part);
            let next = match open_directory(&directory, Path::new(part)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    mkdirat(&directory, part, Mode::S_IRWXU)?;
                    let made = open_directory(&directory, Path::new(part))?;
                    mark_as_known(&made)?;
                    let like = fstatat(&self.source, &so_far, AtFlags::AT_SYMLINK_NOFOLLOW)?;
                    fchown(&made, Some(Uid::from_raw(like.st_uid)), Some(Gid::from_raw(like.st_gid)))?;
                    fchmod(&made, Mode::from_bits_truncate(like.st_mode))?;
                    made
                }
                Err(e) if matches!(e.raw_os_error(), Some(libc::ENOTDIR | libc::ELOOP)) => return Ok(None),
                other => other?,
            };
            directory = next;
        }
        Ok(Some(directory))
    }
}

/// Makes the disk of an instance, or what is missing of it.
pub(super) fn prepare(instance: &Path, layers: &[Layer], image: &Image, root: u32) -> io::Result<()> {
    let disk = instance.join("disk");
    if !disk.exists() {
        make_owned(&disk, 0o700, root)?;
    }
    layers.iter().try_for_each(|layer| layer.prepare(&disk, image, root))
}

/// The place where the first process finds all that it builds its root from, as `lower-<layer>`, `data/<layer>/upper`
/// and `data/<layer>/work`, with `root` to build it on. Only this process's mount namespace has it, and what is copied
/// from that.
pub(super) struct Stage {
    _mounted: Mounted,
    pub(super) top: OwnedFd,
}

/// Something mounted that is unmounted when it is dropped.
struct Mounted(PathBuf);

impl Stage {
    pub(super) fn set_up(instance: &Path, layers: &[Layer]) -> io::Result<Self> {
        let point = instance.join("stage");
        make_directory(&point)?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("tmpfs"), &point, Some("tmpfs"), flags, Some("mode=755,size=64k"))?;
        let mounted = Mounted(point);
        let point = &mounted.0;
        for name in ["root".to_owned(), "data".to_owned()].into_iter().chain(layers.iter().map(lower)) {
            fs::DirBuilder::new().mode(0o755).create(point.join(name))?;
        }
        let disk = instance.join("disk");
        mount(Some(&disk), &point.join("data"), None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        Ok(Self { top: open_directory(nix::fcntl::AT_FDCWD, point)?, _mounted: mounted })
    }

    /// Puts the image there. The files of one that is not the host's own become those of the user namespace's ids.
    pub(super) fn fill(&self, layers: &[Layer], image: &Image, ids: BorrowedFd<'_>) -> Result<(), Error> {
        for layer in layers {
            let place = |e| Error::system("put the image in its place", e);
            let copy = sys::detached_copy(&layer.source).map_err(place)?;
            let ids = (*image != Image::Host).then_some(ids);
            sys::restrict_mount(&copy, ids).map_err(|e| {
                Error::system("show the image's files as the instance's own (an idmapped mount; the image's file system and Linux 5.19 must allow it)", e)
            })?;
            let target = open_directory(&self.top, Path::new(&lower(layer))).map_err(place)?;
            sys::attach_mount(&copy, &target).map_err(place)?;
        }
        Ok(())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // It goes with this process otherwise; nothing else ever sees it.
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

fn lower(layer: &Layer) -> String {
    format!("lower-{}", layer.name())
}

fn host_layers(mounts: &Mounts) -> Result<Vec<Layer>, Error> {
    let separate = SEPARATE.into_iter().filter(|path| mounts.at(Path::new(path)).is_some());
    std::iter::once("/")
        .chain(separate)
        .map(|path| {
            let source = open_directory(nix::fcntl::AT_FDCWD, Path::new(path));
            let source = source.map_err(|e| Error::system(format!("open `{path}`"), e))?;
            Ok(Layer { target: PathBuf::from(path.trim_start_matches('/')), source, hidden: vec![] })
        })
        .collect()
}

/// Opens the directory of an image, which is below one of those that may hold images, without leaving that on the way.
fn open_image(path: &Path, images: &[PathBuf]) -> Result<OwnedFd, Error> {
    let refuse = |reason| Err(Invalid::new("image", path.display(), reason).into());
    if !is_plain(path) {
        return refuse("expected an absolute path without `.` and `..`");
    }
    let below = images.iter().find_map(|images| Some((images, path.strip_prefix(images).ok()?)));
    let Some((images, rest)) = below.filter(|(_, rest)| !rest.as_os_str().is_empty()) else {
        return refuse("it is not below a directory of images");
    };
    let failed = |e: io::Error| Error::system(format!("open image `{}`", path.display()), e);
    let start = open_directory(nix::fcntl::AT_FDCWD, images).map_err(failed)?;
    let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let how = OpenHow::new()
        .flags(flags)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let image = openat2(&start, rest, how).map_err(|e| failed(e.into()))?;
    let (own, host) = (fstat(&image), fs::metadata("/"));
    match (own, host) {
        (Ok(own), Ok(host)) if (own.st_dev, own.st_ino) != (host.dev(), host.ino()) => Ok(image),
        _ => refuse("the host's own root is not an image for root inside"),
    }
}

/// Which places below `source` are directories of `hidden`, by whatever path they would be reached there.
fn hidden_in(source: &OwnedFd, mounts: &Mounts, hidden: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let source = fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(source)))?;
    let Some((shown, top)) = mounts.locate(&source)? else {
        return Err(io::Error::other("the image's mount is not listed"));
    };
    let mut found = Vec::new();
    for path in hidden {
        if let Some((mount, place)) = mounts.locate(path)?
            && mount.device == shown.device
            && let Ok(place) = place.strip_prefix(&top)
        {
            found.push(place.to_owned());
        }
    }
    Ok(found)
}

fn open_directory(start: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(start, path, flags, Mode::empty())?)
}

/// A directory whose content in the image does not show through (overlayfs's documentation, "whiteouts and opaque
/// directories", with `userxattr`).
fn make_opaque(directory: impl AsFd) -> io::Result<()> {
    sys::set_attribute(directory, c"user.overlay.opaque", b"y")
}

/// Otherwise the overlay wants to note down which of the image's directories this one covers, and fails if it is not the
/// mounter's own. An empty note says that nobody knows.
fn mark_as_known(directory: impl AsFd) -> io::Result<()> {
    sys::set_attribute(directory, c"user.overlay.origin", b"")
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn make_owned(path: &Path, mode: u32, root: u32) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)?;
    let directory = open(path, OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())?;
    fchown(&directory, Some(Uid::from_raw(root)), Some(Gid::from_raw(root)))?;
    Ok(fchmod(&directory, Mode::from_bits_truncate(mode))?)
}

fn is_directory(stat: &FileStat) -> bool {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR
}

fn nonempty(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
