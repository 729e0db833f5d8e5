//! The half with privileges: a process with one thread that carries orders out.
//!
//! It is this program, started again with a hidden subcommand whose whole work is to call [`main`]. It reads orders, its
//! own records and what the kernel says. What an instance or a client of the API wrote it never opens.

mod adopt;
mod cgroup;
mod commands;
pub(super) mod disk;
mod ids;
mod life;
mod machine;
mod mounts;
mod netlink;
mod privileges;
mod probe;
mod record;
mod start;
mod sweep;
mod vpc;

use super::channel::Channel;
use super::protocol::{Configuration, Message, Order, Outcome, Request, VERSION};
use super::sys::{self, SingleThreaded};
use crate::Error;
use machine::Machine;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::mount::{MsFlags, mount};
use nix::poll::PollFlags;
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::setsid;
use std::io::{self, Write};
use std::os::fd::{OwnedFd, RawFd};

/// The exit status of a child that could not come back from an instance's network.
const EXIT_UNTRUSTED: u8 = 70;

/// Carries out the orders that come in by the socket `fd`, until its other end is closed. Instances run on.
///
/// The process must have one thread and must not have used `fd` yet. [`Host::spawn`](super::Host::spawn) passes the
/// socket as standard input, 0.
pub fn main(fd: RawFd) -> ! {
    let status = match serve(fd) {
        Ok(()) => 0,
        Err(e) => {
            complain(&e);
            1
        }
    };
    sys::exit(status)
}

/// Says on standard error what nobody can be answered.
fn complain(reason: impl std::fmt::Display) {
    // There is nowhere to say that this cannot be said.
    let _ = writeln!(io::stderr(), "daypass: instance driver: {reason}");
}

fn serve(fd: RawFd) -> io::Result<()> {
    let process = SingleThreaded::verify()?;
    let parent = settle(fd)?;
    let Some((request, _)) = parent.receive::<Request>()? else { return Ok(()) };
    let number = request.number;
    if request.version != VERSION {
        return answer(&parent, number, Err(Error::system("read the order", "it is of another version")));
    }
    match request.order {
        Order::Check(configuration) => {
            answer(&parent, number, Ok(Outcome::Checked(probe::check(process, &configuration))))
        }
        Order::Configure(configuration) => match begin(process, configuration) {
            Ok(machine) => {
                answer(&parent, number, Ok(Outcome::Done))?;
                obey(machine, &parent)
            }
            Err(e) => answer(&parent, number, Err(e)),
        },
        _ => answer(&parent, number, Err(Error::system("obey", "the first order must be to configure"))),
    }
}

/// Makes the process what it shall be for the rest of its life.
fn settle(fd: RawFd) -> io::Result<Channel> {
    // Nothing of the same user may look into it or take a core of it.
    nix::sys::prctl::set_dumpable(false)?;
    // Keys at the operator's terminal are not meant for it. It leads a session already if it was started so.
    let _ = setsid();
    umask(Mode::from_bits_truncate(0o022));
    // Instances and commands each keep descriptors open here.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let parent = take(fd)?;
    Ok(Channel::from(parent))
}

#[expect(unsafe_code, reason = "the socket is inherited by its number")]
fn take(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: `main` takes possession of it.
    let inherited = unsafe { sys::inherited(fd) };
    let kept = fcntl(&inherited, FcntlArg::F_DUPFD_CLOEXEC(3))?;
    // SAFETY: it was just made, and nobody else knows it.
    let kept = unsafe { sys::inherited(kept) };
    if fd <= 2 {
        let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
        // SAFETY: the number stays in use, so that nothing else comes to be a standard stream.
        unsafe { sys::place_fd(&null, fd, true) }?;
        let _ = std::os::fd::IntoRawFd::into_raw_fd(inherited);
    }
    Ok(kept)
}

/// Takes up the work in the configured directory.
fn begin(process: SingleThreaded, configuration: Configuration) -> Result<Machine, Error> {
    privileges::keep_needed().map_err(|e| Error::system("use its privileges", e))?;
    // What is mounted from here on is seen here and in instances, and goes when this process goes.
    unshare(CloneFlags::CLONE_NEWNS).map_err(|e| Error::system("get mounts of its own", e))?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_SLAVE | MsFlags::MS_REC, None::<&str>)
        .map_err(|e| Error::system("keep its mounts to itself", e))?;
    Machine::new(process, configuration)
}

fn obey(mut machine: Machine, parent: &Channel) -> io::Result<()> {
    loop {
        let flags = machine.turn(parent)?;
        if flags.contains(PollFlags::POLLIN) {
            let Some((request, descriptors)) = parent.receive::<Request>()? else { return Ok(()) };
            machine.obey(request, descriptors);
        } else if flags.intersects(PollFlags::POLLHUP | PollFlags::POLLERR) {
            return Ok(());
        }
        if !machine.speak(parent)? {
            return Ok(());
        }
    }
}

fn answer(parent: &Channel, number: u64, outcome: Result<Outcome, Error>) -> io::Result<()> {
    parent.send(&Message::Answer { number, outcome }, &[])
}
