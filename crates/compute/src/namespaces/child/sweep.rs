//! Removing a tree that somebody else made.
//!
//! However deep it is, this needs one level at a time: directories found inside are first moved up to the top. Links are
//! never followed.

use super::super::sys::{self, Forked, SingleThreaded};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, renameat};
use nix::sched::CloneFlags;
use nix::sys::stat::Mode;
use nix::unistd::{Pid, UnlinkatFlags, unlinkat};
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Makes a process that removes a directory with all that is in it, and ends with 0 if that worked.
pub(super) fn begin(process: SingleThreaded, path: &Path) -> io::Result<Pid> {
    match sys::fork(process, CloneFlags::empty())? {
        Forked::Parent { pid, .. } => Ok(pid),
        Forked::Child => {
            let removed = forget_the_rest().and_then(|()| remove_tree(path));
            sys::exit(removed.is_err().into())
        }
    }
}

/// Closes what is the other process's; most of all its end of the channel, so that its death can be seen.
#[expect(unsafe_code, reason = "every descriptor is the other process's, and is closed")]
fn forget_the_rest() -> io::Result<()> {
    // SAFETY: this process leaves by `sys::exit`, and on its way uses only what it opens from here on.
    unsafe { sys::close_from(3) }
}

/// Removes a directory with all that is in it. What is not there is fine.
fn remove_tree(path: &Path) -> io::Result<()> {
    let top: OwnedFd =
        match open(path, OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty()) {
            Err(Errno::ENOENT) => return Ok(()),
            other => other?,
        };
    let mut moved = 0_u64;
    loop {
        let names = names(&top)?;
        if names.is_empty() {
            return std::fs::remove_dir(path);
        }
        for name in names {
            if !remove_if_simple(&top, &name)? {
                empty(&top, &name, &mut moved)?;
                unlinkat(&top, name.as_c_str(), UnlinkatFlags::RemoveDir)?;
            }
        }
    }
}

/// Moves the directories in `top/name` to `top`, and removes the rest.
fn empty(top: &OwnedFd, name: &CStr, moved: &mut u64) -> io::Result<()> {
    let directory = open_within(top, name)?;
    loop {
        let names = names(&directory)?;
        if names.is_empty() {
            return Ok(());
        }
        for name in names {
            while !remove_if_simple(&directory, &name)? {
                let place = format!(".swept-{moved}");
                *moved += 1;
                match renameat(&directory, name.as_c_str(), top, place.as_str()) {
                    Ok(()) => break,
                    // Somebody's own file of that name; the next number will do.
                    Err(Errno::EEXIST | Errno::ENOTEMPTY | Errno::ENOTDIR) => {}
                    Err(e) => return Err(e.into()),
                }
            }
        }
    }
}

/// Removes anything but a directory that holds something; says whether it did.
fn remove_if_simple(directory: &OwnedFd, name: &CStr) -> io::Result<bool> {
    match unlinkat(directory, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => return Ok(true),
        Err(Errno::EISDIR | Errno::EPERM) => {}
        Err(e) => return Err(e.into()),
    }
    match unlinkat(directory, name, UnlinkatFlags::RemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(true),
        Err(Errno::ENOTEMPTY | Errno::EEXIST) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Names in a directory, at most so many at a time that they fit into memory.
fn names(directory: &OwnedFd) -> io::Result<Vec<CString>> {
    const AT_A_TIME: usize = 4096;
    let mut listing = Dir::from_fd(open_within(directory, c".")?)?;
    let mut names = Vec::new();
    for entry in listing.iter() {
        let entry = entry?;
        if entry.file_name() != c"." && entry.file_name() != c".." {
            names.push(entry.file_name().to_owned());
        }
        if names.len() == AT_A_TIME {
            break;
        }
    }
    Ok(names)
}

fn open_within(directory: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(directory, name, flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_tree_deeper_than_any_path_can_say_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().join("top");
        fs::create_dir(&top).unwrap();
        let mut deep: OwnedFd = fs::File::open(&top).unwrap().into();
        for _ in 0..3000 {
            nix::sys::stat::mkdirat(&deep, "a-rather-long-name", Mode::S_IRWXU).unwrap();
            deep = open_within(&deep, c"a-rather-long-name").unwrap();
        }
        remove_tree(&top).unwrap();
        assert!(!top.exists());
    }

    #[test]
    fn links_are_removed_and_what_they_point_to_is_not() {
        let place = tempfile::tempdir().unwrap();
        let (top, precious) = (place.path().join("top"), place.path().join("precious"));
        fs::create_dir_all(top.join("within")).unwrap();
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("file"), "x").unwrap();
        symlink(&precious, top.join("link")).unwrap();
        symlink(&precious, top.join("within/link")).unwrap();
        fs::write(top.join(".swept-0"), "x").unwrap();
        fs::create_dir_all(top.join("within/a/b")).unwrap();
        remove_tree(&top).unwrap();
        assert!(!top.exists() && precious.join("file").exists());
    }

    #[test]
    fn what_is_not_there_is_removed_already() {
        remove_tree(Path::new("/nonexistent/tree")).unwrap();
    }
}
