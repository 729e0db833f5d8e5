//! The root file system as the instance sees it.
//!
//! The writes of an instance that ran before may hold anything at any place, so every place is looked up without
//! following links, and whatever stands where a directory must be is replaced.

use super::Doing;
use super::init::Boot;
use crate::{Error, Image, Limits};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, fchdir, pivot_root, symlinkat, unlinkat};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const DEVICE_LINKS: [(&str, &str); 5] = [
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// What of the kernel's own files an instance gets to see, but not to change.
const READ_ONLY: [&str; 4] = ["proc/bus", "proc/fs", "proc/irq", "proc/sys"];
/// And not even to see. (The lists of container engines, for the same reasons.)
const EMPTY_FILES: [&str; 8] = [
    "proc/kcore",
    "proc/keys",
    "proc/kmsg",
    "proc/latency_stats",
    "proc/sched_debug",
    "proc/sysrq-trigger",
    "proc/timer_list",
    "proc/timer_stats",
];
const EMPTY_DIRECTORIES: [&str; 6] = [
    "proc/acpi",
    "proc/asound",
    "proc/scsi",
    "sys/firmware",
    "sys/devices/virtual/powercap",
    "sys/kernel/debug",
];

/// The group that owns terminals (Debian's and Red Hat's `tty`).
pub(super) const TERMINAL_GROUP: u32 = 5;

/// Builds the root on the stage, which is the current directory, and goes there. All else is left behind.
pub(super) fn build(boot: &Boot<'_>) -> Result<(), Error> {
    change(None, "/", MsFlags::MS_PRIVATE | MsFlags::MS_REC).doing("keep mounts apart")?;
    let root = layers(boot)?;
    kernel_files(&root)?;
    devices(&root, boot.spec.limits)?;
    scratch(&root, boot.spec.limits)?;
    if !boot.spec.privileges.nested_namespaces {
        forbid_nesting(&root).doing("forbid user namespaces")?;
    }
    restrict(&root, boot.spec.privileges.network_admin)?;
    fchdir(&root).doing("enter the root")?;
    pivot_root(".", ".").doing("change the root")?;
    umount2(".", MntFlags::MNT_DETACH).doing("leave the host's root")?;
    std::env::set_current_dir("/").doing("enter the new root")
}

/// The top directory of the tree that is being built.
struct Root(OwnedFd);

impl std::os::fd::AsFd for Root {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Root {
    /// What is at a place now, whatever was mounted there last.
    fn at(&self, path: impl AsRef<Path>) -> nix::Result<Place> {
        let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
        openat2(
            &self.0,
            path.as_ref(),
            OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(resolve),
        )
        .map(Place)
    }

    /// A directory at the top of the tree, made if there is none.
    fn directory(&self, name: &str) -> nix::Result<Place> {
        match mkdirat(&self.0, name, Mode::from_bits_truncate(0o755)) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(e) => return Err(e),
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        match openat(&self.0, name, flags, Mode::empty()) {
            Err(Errno::ENOTDIR | Errno::ELOOP) => {
                unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir)?;
                mkdirat(&self.0, name, Mode::from_bits_truncate(0o755))?;
                openat(&self.0, name, flags, Mode::empty()).map(Place)
            }
            other => other.map(Place),
        }
    }
}

/// A place that can be mounted on without its path being looked up again.
struct Place(OwnedFd);

impl Place {
    fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }

    fn mount(&self, kind: &str, flags: MsFlags, options: &str) -> nix::Result<()> {
        mount(Some(kind), self.path().as_str(), Some(kind), flags, Some(options))
    }

    fn bind(&self, source: &str) -> nix::Result<()> {
        change(Some(source), &self.path(), MsFlags::MS_BIND)
    }
}

const HARMLESS: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

fn change(source: Option<&str>, target: &str, flags: MsFlags) -> nix::Result<()> {
    mount(source, target, None::<&str>, flags, None::<&str>)
}

const OVERLAY: &str = "put the instance's writes over the image (an overlay in a user namespace: Linux 5.11, and a \
                       directory on ext4, xfs, btrfs or tmpfs)";

/// Mounts the image with the instance's writes over it. It is mounted by root inside, so the image shows what root
/// inside can read and no more.
fn layers(boot: &Boot<'_>) -> Result<Root, Error> {
    // In the host's own image nothing is owned by an id of the instance's, so neither set-user-id bits nor file
    // capabilities mean anything there; in an image of its own they do.
    let flags = match boot.spec.image {
        Image::Host => MsFlags::MS_NODEV | MsFlags::MS_NOSUID,
        Image::Directory(_) => MsFlags::MS_NODEV,
    };
    let mut root = None;
    for layer in boot.layers {
        let name = layer.name();
        let options =
            format!("userxattr,lowerdir=lower-{name},upperdir=data/{name}/upper,workdir=data/{name}/work");
        let place = root.as_ref().map(|root: &Root| root.at(&layer.target)).transpose();
        let place = place.doing("find a place for the image")?;
        let target = place.as_ref().map_or_else(|| "root".to_owned(), Place::path);
        mount(Some("overlay"), target.as_str(), Some("overlay"), flags, Some(options.as_str()))
            .doing(OVERLAY)?;
        if root.is_none() {
            let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            let top = openat(nix::fcntl::AT_FDCWD, Path::new("root"), flags, Mode::empty());
            root = Some(Root(top.doing("open the new root")?));
        }
    }
    root.ok_or_else(|| Error::system("put the image in its place", "there is none"))
}

fn kernel_files(root: &Root) -> Result<(), Error> {
    root.directory("proc").and_then(|proc| proc.mount("proc", HARMLESS, "")).doing("mount /proc")?;
    let flags = HARMLESS | MsFlags::MS_RDONLY;
    root.directory("sys").and_then(|sys| sys.mount("sysfs", flags, "")).doing("mount /sys")
}

fn devices(root: &Root, limits: Limits) -> Result<(), Error> {
    make_devices(root, limits).doing("make the devices")
}

fn make_devices(root: &Root, limits: Limits) -> nix::Result<()> {
    root.directory("dev")?.mount("tmpfs", MsFlags::MS_NOSUID, "mode=755,size=64k,nr_inodes=256")?;
    let dev = Root(root.at("dev")?.0);
    for name in DEVICES {
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        drop(openat(&dev, name, flags, Mode::empty())?);
        dev.at(name)?.bind(&format!("/dev/{name}"))?;
    }
    for (name, target) in DEVICE_LINKS {
        symlinkat(target, &dev, name)?;
    }
    let terminals = format!("newinstance,ptmxmode=0666,mode=620,gid={TERMINAL_GROUP}");
    dev.directory("pts")?.mount("devpts", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, &terminals)?;
    dev.directory("shm")?.mount("tmpfs", HARMLESS, &format!("mode=1777,{}", bounds(limits, 2)))
}

/// Where things are kept that need not last. They count as memory of the instance, and cannot be all of it.
fn scratch(root: &Root, limits: Limits) -> Result<(), Error> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    for (name, mode, share) in [("tmp", "1777", 2), ("run", "755", 4)] {
        let options = format!("mode={mode},{}", bounds(limits, share));
        root.directory(name)
            .and_then(|place| place.mount("tmpfs", flags, &options))
            .doing("mount /tmp and /run")?;
    }
    Ok(())
}

/// A share of the instance's memory, and as many files as fit into a quarter of it at a kilobyte each.
fn bounds(limits: Limits, share: u32) -> String {
    let mib = (limits.memory_mib / share).max(1);
    format!("size={mib}m,nr_inodes={}", (u64::from(mib) * 256).max(1024))
}

/// Lets nobody inside make user namespaces, whatever the filter on system calls might have overlooked.
fn forbid_nesting(root: &Root) -> nix::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    let limit = openat(root, "proc/sys/user/max_user_namespaces", flags, Mode::empty())?;
    nix::unistd::write(&limit, b"0").map(drop)
}

fn restrict(root: &Root, network_admin: bool) -> Result<(), Error> {
    // Taken before it is covered, so that it does not become read-only with the rest.
    let network = root.at("proc/sys/net").doing("find the network's settings")?;
    for path in READ_ONLY {
        make_read_only(root, path).doing("protect the kernel's files")?;
    }
    if network_admin {
        root.at("proc/sys/net")
            .and_then(|place| place.bind(&network.path()))
            .doing("open the network's settings")?;
    }
    for path in EMPTY_FILES {
        if_there(root.at(path), |place| place.bind("/dev/null")).doing("hide the kernel's files")?;
    }
    for path in EMPTY_DIRECTORIES {
        let hide = |place: Place| place.mount("tmpfs", HARMLESS | MsFlags::MS_RDONLY, "size=4k,nr_inodes=2");
        if_there(root.at(path), hide).doing("hide the kernel's files")?;
    }
    Ok(())
}

fn make_read_only(root: &Root, path: &str) -> nix::Result<()> {
    if_there(root.at(path), |place| {
        place.bind(&place.path())?;
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | HARMLESS;
        change(None, &root.at(path)?.path(), flags)
    })
}

/// Not every kernel has every file.
fn if_there(place: nix::Result<Place>, act: impl FnOnce(Place) -> nix::Result<()>) -> nix::Result<()> {
    match place {
        Err(Errno::ENOENT) => Ok(()),
        Err(e) => Err(e),
        Ok(place) => act(place),
    }
}
