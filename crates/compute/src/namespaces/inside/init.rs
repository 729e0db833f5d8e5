//! The first process of an instance.

use super::super::channel::Channel;
use super::super::child::disk::Layer;
use super::super::sys;
use super::{Doing, aside, become_root_inside, confine, files, root};
use crate::{Error, InstanceSpec};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, fchdir, sethostname, setsid};
use serde::{Deserialize, Serialize};
use std::os::fd::{BorrowedFd, IntoRawFd, OwnedFd, RawFd};

/// What is said between the child and a first process that is not yet on its own. If the child dies before it says
/// [`Word::Run`], nobody would know of the instance, and it ends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(in super::super) enum Word {
    /// To it: ids, network, limits and image are in their places.
    Build,
    /// From it: all is built.
    Ready,
    /// From it: something did not work.
    Failed(Error),
    /// To it: the instance is known, go on.
    Run,
}

/// What an instance is built from.
pub(in super::super) struct Boot<'a> {
    pub(in super::super) spec: &'a InstanceSpec,
    pub(in super::super) layers: &'a [Layer],
    /// Whether it never ran before.
    pub(in super::super) first: bool,
}

/// The number under which a first process keeps the network namespace of its VPC open; as long as one of them lives, so
/// does that.
pub(in super::super) const VPC_FD: RawFd = 3;
const WORDS_FD: RawFd = 4;

/// What makes it shut the instance down.
const SHUT_DOWN: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGPWR];

/// Becomes the first process. The descriptors are the child's own; this process keeps copies and closes all else.
pub(in super::super) fn run(
    boot: &Boot<'_>,
    words: Channel,
    stage: BorrowedFd<'_>,
    vpc: BorrowedFd<'_>,
) -> ! {
    let Ok(words) = keep(words, stage, vpc) else { sys::exit(1) };
    let word = match prepare(boot, &words) {
        Ok(()) => Word::Ready,
        Err(e) => Word::Failed(e),
    };
    let ready = matches!(word, Word::Ready);
    if words.send(&word, &[]).is_err() || !ready || !matches!(words.receive(), Ok(Some((Word::Run, _)))) {
        sys::exit(1);
    }
    drop(words);
    supervise(boot)
}

#[expect(
    unsafe_code,
    reason = "every descriptor but those that it keeps is the other process's, and is closed"
)]
fn keep(words: Channel, stage: BorrowedFd<'_>, vpc: BorrowedFd<'_>) -> Result<Channel, Error> {
    let arrange = || -> nix::Result<[RawFd; 3]> {
        setsid()?;
        fchdir(stage)?;
        let null = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/null")
            .map_err(|_| Errno::ENOENT)?;
        let words = OwnedFd::from(words);
        let moved = [aside(&null)?, aside(vpc)?, aside(&words)?];
        // They keep their numbers until all are closed together.
        let _ = (null.into_raw_fd(), words.into_raw_fd());
        Ok(moved)
    };
    let [null, vpc, words] = arrange().doing("arrange descriptors")?;
    // SAFETY: the three were just made and are owned by nobody. What else has a number below is the child's, in whose
    // code this process never goes on: it leaves by `sys::exit` or not at all.
    unsafe {
        let borrowed = |fd| BorrowedFd::borrow_raw(fd);
        for standard in 0..=2 {
            sys::place_fd(borrowed(null), standard, true).doing("arrange descriptors")?;
        }
        sys::place_fd(borrowed(vpc), VPC_FD, false).doing("arrange descriptors")?;
        sys::place_fd(borrowed(words), WORDS_FD, false).doing("arrange descriptors")?;
        sys::close_from(WORDS_FD + 1).doing("close descriptors")?;
        Ok(Channel::from(sys::inherited(WORDS_FD)))
    }
}

fn prepare(boot: &Boot<'_>, words: &Channel) -> Result<(), Error> {
    match words.receive() {
        Ok(Some((Word::Build, _))) => {}
        _ => return Err(Error::system("start", "the order to build did not come")),
    }
    umask(Mode::from_bits_truncate(0o022));
    // Held back from before anybody can send one: to a first process a signal that it does not hold is lost.
    sys::reset_signals().doing("reset signals")?;
    awaited().thread_block().doing("hold signals back")?;
    become_root_inside()?;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWCGROUP).doing("get mounts of its own")?;
    root::build(boot)?;
    sethostname(boot.spec.hostname.as_str()).doing("set the host name")?;
    files::write(boot.spec, boot.first)?;
    sys::join_empty_keyring().doing("leave the keys behind")?;
    confine::confine(boot.spec.privileges, boot.spec.limits)?;
    sys::set_capabilities(confine::capabilities(boot.spec.privileges)).doing("drop capabilities")?;
    // Changing ids may have changed this. Nothing inside may look into this process: it was the child.
    nix::sys::prctl::set_dumpable(false).doing("close the process")?;
    nix::sys::prctl::set_name(c"init").doing("name the process")
}

/// What the first process is told by signals.
fn awaited() -> SigSet {
    let mut awaited = SigSet::empty();
    awaited.add(Signal::SIGCHLD);
    SHUT_DOWN.into_iter().for_each(|signal| awaited.add(signal));
    awaited
}

/// Reaps what ends, until it is told to shut down.
fn supervise(boot: &Boot<'_>) -> ! {
    let awaited = awaited();
    if boot.first && boot.spec.user_data.is_script() {
        files::run_user_data(boot.spec);
    }
    loop {
        match awaited.wait() {
            Ok(signal) if SHUT_DOWN.contains(&signal) => shut_down(),
            _ => while reap(WaitPidFlag::WNOHANG) {},
        }
    }
}

/// Asks everything to end and waits until it did. Whoever gave the order decides how long that may take.
fn shut_down() -> ! {
    const EVERYTHING: Pid = Pid::from_raw(-1);
    // That nothing is there to be asked is as good.
    let _ = kill(EVERYTHING, Signal::SIGTERM);
    let _ = kill(EVERYTHING, Signal::SIGCONT);
    while reap(WaitPidFlag::empty()) {}
    sys::exit(0)
}

/// Takes note of one end; says whether there may be more.
fn reap(flags: WaitPidFlag) -> bool {
    match waitpid(None, Some(flags)) {
        Ok(WaitStatus::StillAlive) => false,
        Ok(_) | Err(Errno::EINTR) => true,
        Err(_) => false,
    }
}
