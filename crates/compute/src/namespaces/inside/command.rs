//! The way in for a command.
//!
//! Two processes: the first enters the namespaces and makes the second, since only a child is in the new pid namespace;
//! the second confines itself and becomes the program. It is a child of the privileged child, which learns how it ends,
//! and with which it ends.

use super::super::channel::Channel;
use super::super::sys::{self, Forked, SingleThreaded};
use super::root::TERMINAL_GROUP;
use super::{Doing, PATH, aside, become_root_inside, confine, environment};
use crate::{Command, Environment, Error, Limits, Privileges, TerminalSize};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::sys::statfs::fstatfs;
use nix::unistd::{Gid, Uid, execve, fchown, setgroups, setresgid, setresuid, setsid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

/// What is said between the child and a command on its way. When the program runs, the channel ends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(in super::super) enum Word {
    /// From the first process: this is the second.
    Entered { pid: i32 },
    /// To the second: it is known, go on.
    Go,
    /// From the second, with a descriptor: the near end of its terminal.
    Terminal,
    /// From either: something did not work.
    Failed(Error),
}

/// A command and where it goes.
pub(in super::super) struct Entry<'a> {
    /// The instance's first process.
    pub(in super::super) instance: BorrowedFd<'a>,
    /// The files that let a process into the instance's control groups.
    pub(in super::super) doors: Vec<PathBuf>,
    pub(in super::super) environment: &'a Environment,
    pub(in super::super) privileges: Privileges,
    pub(in super::super) limits: Limits,
    pub(in super::super) command: &'a Command,
    pub(in super::super) terminal: Option<TerminalSize>,
}

const WORDS_FD: RawFd = 3;
const INSTANCE_FD: RawFd = 4;

const ALL_NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWUSER
    .union(CloneFlags::CLONE_NEWNS)
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWCGROUP);

/// Becomes the first process, and in the end the program.
pub(in super::super) fn run(
    process: SingleThreaded,
    entry: &Entry<'_>,
    words: Channel,
    files: &[OwnedFd],
) -> ! {
    let Ok((words, instance)) = keep(entry, words, files) else { sys::exit(1) };
    let failed = match enter(process, entry, &instance) {
        Ok(Forked::Parent { pid, .. }) => words.send(&Word::Entered { pid: pid.as_raw() }, &[]).err(),
        Ok(Forked::Child) => {
            drop(instance);
            become_program(entry, &words)
        }
        Err(e) => words.send(&Word::Failed(e), &[]).err(),
    };
    sys::exit(failed.is_some().into())
}

#[expect(
    unsafe_code,
    reason = "every descriptor but those that it keeps is the other process's, and is closed"
)]
fn keep(entry: &Entry<'_>, words: Channel, files: &[OwnedFd]) -> Result<(Channel, OwnedFd), Error> {
    let arrange = || -> nix::Result<(Vec<RawFd>, RawFd, RawFd)> {
        let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
        let standard =
            (0..=2).map(|place| aside(files.get(place).unwrap_or(&null))).collect::<Result<_, _>>()?;
        let words = OwnedFd::from(words);
        let moved = (standard, aside(&words)?, aside(entry.instance)?);
        // They keep their numbers until all are closed together.
        let _ = (null.into_raw_fd(), words.into_raw_fd());
        Ok(moved)
    };
    let (standard, words, instance) = arrange().doing("arrange descriptors")?;
    // SAFETY: all of these were just made and are owned by nobody. What else has a number below is the child's, in
    // whose code this process never goes on: it leaves by `sys::exit` or becomes another program.
    unsafe {
        let borrowed = |fd| BorrowedFd::borrow_raw(fd);
        for (place, file) in (0..).zip(standard) {
            sys::place_fd(borrowed(file), place, true).doing("arrange descriptors")?;
        }
        sys::place_fd(borrowed(words), WORDS_FD, false).doing("arrange descriptors")?;
        sys::place_fd(borrowed(instance), INSTANCE_FD, false).doing("arrange descriptors")?;
        sys::close_from(INSTANCE_FD + 1).doing("close descriptors")?;
        Ok((Channel::from(sys::inherited(WORDS_FD)), sys::inherited(INSTANCE_FD)))
    }
}

fn enter(process: SingleThreaded, entry: &Entry<'_>, instance: &OwnedFd) -> Result<Forked, Error> {
    for door in &entry.doors {
        std::fs::write(door, "0").doing("join the instance's control groups")?;
    }
    setns(instance, ALL_NAMESPACES).doing("enter the instance")?;
    sys::fork(process, CloneFlags::CLONE_PARENT).doing("enter the instance")
}

fn become_program(entry: &Entry<'_>, words: &Channel) -> ! {
    let failed = match prepare(entry, words) {
        Ok(variables) => execute(&entry.command.arguments, &variables),
        Err(e) => e,
    };
    // If nobody listens any more, nobody waits for the command either.
    let _ = words.send(&Word::Failed(failed), &[]);
    sys::exit(1)
}

/// All that comes before the program. Answers with its environment.
fn prepare(entry: &Entry<'_>, words: &Channel) -> Result<BTreeMap<String, String>, Error> {
    let user = entry.command.user;
    let (uid, gid) = (Uid::from_raw(user.uid.into()), Gid::from_raw(user.gid.into()));
    become_root_inside()?;
    setsid().doing("lead a session")?;
    sys::reset_signals().doing("reset signals")?;
    umask(Mode::from_bits_truncate(0o022));
    if let Some(size) = entry.terminal {
        give_terminal(size, uid, words)?;
    }
    sys::join_empty_keyring().doing("leave the keys behind")?;
    confine::confine(entry.privileges, entry.limits)?;
    setgroups(&[]).and_then(|()| setresgid(gid, gid, gid)).doing("change the group")?;
    setresuid(uid, uid, uid).doing("change the user")?;
    let capabilities = if uid.is_root() { confine::capabilities(entry.privileges) } else { 0 };
    sys::set_capabilities(capabilities).doing("drop capabilities")?;
    nix::sys::prctl::set_dumpable(false).doing("close the process")?;
    // After the last change of ids, which would undo it. If the child is gone already, no word will come.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).doing("follow the driver")?;
    match words.receive() {
        Ok(Some((Word::Go, _))) => {}
        _ => sys::exit(1),
    }
    let variables = variables(entry);
    enter_directory(entry.command, &variables)?;
    Ok(variables)
}

fn variables(entry: &Entry<'_>) -> BTreeMap<String, String> {
    let mut variables: BTreeMap<String, String> =
        environment(entry.environment).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if entry.command.user.uid != 0 {
        variables.insert("HOME".to_owned(), "/".to_owned());
        variables.remove("USER");
        variables.remove("LOGNAME");
    }
    if entry.terminal.is_some() {
        variables.insert("TERM".to_owned(), "xterm-256color".to_owned());
    }
    variables.extend(entry.command.environment.iter().cloned());
    variables
}

fn enter_directory(command: &Command, variables: &BTreeMap<String, String>) -> Result<(), Error> {
    match &command.directory {
        Some(directory) => {
            std::env::set_current_dir(directory).map_err(|e| Error::system(format!("enter `{directory}`"), e))
        }
        None => {
            let home = variables.get("HOME").map_or("/", String::as_str);
            std::env::set_current_dir(home)
                .or_else(|_| std::env::set_current_dir("/"))
                .doing("enter the root")
        }
    }
}

/// Makes a terminal of the instance's own, hands its near end out, and takes the far end as standard streams.
#[expect(unsafe_code, reason = "the standard streams are replaced")]
fn give_terminal(size: TerminalSize, uid: Uid, words: &Channel) -> Result<(), Error> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let near = open("/dev/pts/ptmx", flags, Mode::empty()).doing("make a terminal")?;
    let kind = fstatfs(&near).doing("make a terminal")?.filesystem_type();
    if kind.0 as u64 != libc::DEVPTS_SUPER_MAGIC as u64 {
        return Err(Error::system("make a terminal", "`/dev/pts` is something else"));
    }
    let far = sys::terminal_far_end(&near).doing("make a terminal")?;
    sys::set_terminal_size(&near, size.rows, size.columns).doing("size the terminal")?;
    fchown(&far, Some(uid), Some(Gid::from_raw(TERMINAL_GROUP))).doing("own the terminal")?;
    sys::take_terminal(&far).doing("take the terminal")?;
    for standard in 0..=2 {
        // SAFETY: nothing owns the standard streams of this process.
        unsafe { sys::place_fd(&far, standard, true) }.doing("use the terminal")?;
    }
    words.send(&Word::Terminal, &[near.as_fd()]).doing("hand the terminal out")
}

/// Becomes the program, looked for where its own environment says. Comes back only if that did not work.
fn execute(arguments: &[String], variables: &BTreeMap<String, String>) -> Error {
    let program = arguments.first().map_or("", String::as_str);
    let refused =
        |found, e: Errno| Error::Command { program: program.to_owned(), found, reason: e.desc().to_owned() };
    let strings = |texts: Vec<String>| texts.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>();
    let joined = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (Ok(arguments), Ok(environment)) = (strings(arguments.to_vec()), strings(joined)) else {
        return refused(false, Errno::EINVAL);
    };
    let mut worst = Errno::ENOENT;
    for path in candidates(program, variables.get("PATH").map_or(PATH, String::as_str)) {
        let Ok(path) = CString::new(path) else { return refused(false, Errno::EINVAL) };
        match execve(&path, &arguments, &environment) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(Errno::EACCES) => worst = Errno::EACCES,
            Err(e) => return refused(true, e),
        }
    }
    refused(worst != Errno::ENOENT, worst)
}

fn candidates(program: &str, path: &str) -> Vec<String> {
    if program.contains('/') {
        return vec![program.to_owned()];
    }
    let at = |directory: &str| {
        if directory.is_empty() { format!("./{program}") } else { format!("{directory}/{program}") }
    };
    path.split(':').map(at).collect()
}
