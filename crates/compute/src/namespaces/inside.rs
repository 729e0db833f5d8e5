//! What runs inside an instance before anything of the instance's own does: its first process, and the way in for
//! commands.
//!
//! All of it is in a copy of the child's process, and all that the copy needs is in its memory: it reads nothing that
//! the instance wrote unless it is confined already, and it ends without ever returning to the child's own code.

pub(super) mod command;
mod confine;
mod files;
pub(super) mod init;
mod root;
mod seccomp;

use crate::{Environment, Error};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use std::os::fd::{AsFd, RawFd};

/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Numbers below this are kept free while descriptors are moved to their places.
const ASIDE: RawFd = 64;

/// The variables of everything that root runs inside, without those of the instance.
fn base_environment() -> [(&'static str, &'static str); 6] {
    [
        ("PATH", PATH),
        ("HOME", "/root"),
        ("USER", "root"),
        ("LOGNAME", "root"),
        ("SHELL", "/bin/sh"),
        ("LANG", "C.UTF-8"),
    ]
}

/// The same with those of the instance.
fn environment(own: &Environment) -> impl Iterator<Item = (&str, &str)> {
    base_environment().into_iter().chain(own.iter())
}

/// A copy of a descriptor, under a number that is out of the way.
fn aside(fd: impl AsFd) -> nix::Result<RawFd> {
    nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(ASIDE))
}

/// Stops being the host's root, which a process still is that has just come into a user namespace.
fn become_root_inside() -> Result<(), Error> {
    let (user, group) = (Uid::from_raw(0), Gid::from_raw(0));
    setgroups(&[]).and_then(|()| setresgid(group, group, group)).doing("become root inside")?;
    setresuid(user, user, user).doing("become root inside")
}

/// Puts an error down to what was being done.
trait Doing<T> {
    fn doing(self, what: &str) -> Result<T, Error>;
}

impl<T, E: std::fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, what: &str) -> Result<T, Error> {
        self.map_err(|e| Error::system(what, e))
    }
}
