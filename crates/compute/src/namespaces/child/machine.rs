//! All that the child knows, and the one place where it waits.

use super::super::channel::Channel;
use super::super::protocol::{
    Configuration, ExecId, INSTANCES_MAX, Message, Order, Outcome, Request, VERSION,
};
use super::super::sys::{self, SingleThreaded};
use super::adopt;
use super::cgroup::Cgroups;
use super::commands::Running;
use super::life::{Instance, Phase, Sweep};
use super::mounts::{Mounts, is_plain};
use super::vpc::{Home, Vpc};
use crate::{Error, Event, InstanceId, VpcId};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) struct Machine {
    pub(super) process: SingleThreaded,
    pub(super) directory: PathBuf,
    pub(super) hidden: Vec<PathBuf>,
    pub(super) images: Vec<PathBuf>,
    /// A number that belongs to the directory.
    pub(super) seed: u64,
    pub(super) home: Home,
    pub(super) cgroups: Cgroups,
    pub(super) vpcs: BTreeMap<VpcId, Vpc>,
    pub(super) instances: BTreeMap<InstanceId, Instance>,
    pub(super) commands: BTreeMap<ExecId, Running>,
    pub(super) last_command: u64,
    /// Processes that remove disks.
    pub(super) sweepers: BTreeMap<Pid, Sweep>,
    pub(super) swept: u64,
    signals: SignalFd,
    outbox: VecDeque<(Message, Vec<OwnedFd>)>,
    _lock: File,
}

/// What there is to hear from.
enum Source {
    Parent,
    Signals,
    Words(InstanceId),
    Process(InstanceId),
    Deadline(InstanceId),
    Command(ExecId),
}

impl Machine {
    /// Takes possession of a directory and of the instances in it that run.
    pub(super) fn new(process: SingleThreaded, configuration: Configuration) -> Result<Self, Error> {
        let Configuration { directory, hidden, images } = configuration;
        if !is_plain(&directory) || !hidden.iter().chain(&images).all(|path| is_plain(path)) {
            return Err(Error::system("use its directories", "expected absolute paths without `.` and `..`"));
        }
        let failed = |e: io::Error| Error::system(format!("use `{}`", directory.display()), e);
        for part in [directory.clone(), directory.join("instances"), directory.join("trash")] {
            DirBuilder::new().recursive(true).mode(0o700).create(part).map_err(failed)?;
        }
        let lock = lock(&directory).map_err(failed)?;
        let found = fs::metadata(&directory).map_err(failed)?;
        let seed = found.ino().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ found.dev();
        let tag = format!("daypass-{:x}-{:x}", found.dev(), found.ino());
        let cgroups = Mounts::read().and_then(|mounts| Cgroups::find(&mounts, &tag));
        let mut hidden = hidden;
        hidden.push(directory.clone());
        let mut machine = Self {
            process,
            hidden,
            images,
            seed,
            home: Home::here().map_err(failed)?,
            cgroups: cgroups.map_err(|e| Error::system("find control groups", e))?,
            vpcs: BTreeMap::new(),
            instances: BTreeMap::new(),
            commands: BTreeMap::new(),
            last_command: 0,
            sweepers: BTreeMap::new(),
            swept: 0,
            signals: signals().map_err(failed)?,
            outbox: VecDeque::new(),
            _lock: lock,
            directory: directory.clone(),
        };
        adopt::adopt(&mut machine).map_err(failed)?;
        Ok(machine)
    }

    /// Waits until there is something to do, does what did not come from the parent, and says what the parent's end is
    /// ready for.
    pub(super) fn turn(&mut self, parent: &Channel) -> io::Result<PollFlags> {
        let mut from_parent = PollFlags::empty();
        for (source, flags) in self.wait(parent)? {
            match source {
                Source::Parent => from_parent = flags,
                Source::Signals => self.reap(),
                Source::Words(id) => self.first_process_spoke(&id),
                Source::Process(id) => self.adopted_ended(&id),
                Source::Deadline(id) => self.time_is_up(&id),
                Source::Command(exec) => self.command_spoke(exec),
            }
        }
        Ok(from_parent)
    }

    fn wait(&self, parent: &Channel) -> io::Result<Vec<(Source, PollFlags)>> {
        let spoken = if self.outbox.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
        let read = PollFlags::POLLIN;
        let mut sources = vec![Source::Parent, Source::Signals];
        let mut polled =
            vec![PollFd::new(parent.as_fd(), read | spoken), PollFd::new(self.signals.as_fd(), read)];
        for (id, instance) in &self.instances {
            if let Phase::Starting(starting) = &instance.phase {
                sources.push(Source::Words(id.clone()));
                polled.push(PollFd::new(starting.words.as_fd(), read));
            }
            if let Some(process) = instance.process().filter(|process| !process.is_child) {
                sources.push(Source::Process(id.clone()));
                polled.push(PollFd::new(process.pidfd.as_fd(), read));
            }
            if let Some(deadline) = instance.deadline() {
                sources.push(Source::Deadline(id.clone()));
                polled.push(PollFd::new(deadline, read));
            }
        }
        for (exec, running) in &self.commands {
            if let Some(words) = &running.words {
                sources.push(Source::Command(*exec));
                polled.push(PollFd::new(words.as_fd(), read));
            }
        }
        match poll(&mut polled, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(Vec::new()),
            Err(e) => return Err(e.into()),
        }
        let flags = polled.iter().map(|polled| polled.revents().unwrap_or(PollFlags::POLLERR));
        Ok(sources.into_iter().zip(flags).filter(|(_, flags)| !flags.is_empty()).collect())
    }

    /// Forgets the signals that woke us, and takes note of every process that ended.
    fn reap(&mut self) {
        while let Ok(Some(_)) = self.signals.read_signal() {}
        while let Some((pid, status)) = super::life::next_ended() {
            self.ended(pid, status);
        }
    }

    /// Carries an order out, or begins to.
    pub(super) fn obey(&mut self, request: Request, descriptors: Vec<OwnedFd>) {
        let Request { version, number, order } = request;
        let begun = match order {
            _ if version != VERSION => Err(Error::system("obey", "the order is of another version")),
            Order::Check(_) | Order::Configure(_) => Err(Error::system("obey", "the order comes too late")),
            Order::List => Ok(Some(self.statuses())),
            Order::Inspect { id } => {
                self.find(&id).map(|found| Some(Outcome::Statuses(vec![found.status()])))
            }
            Order::Start(spec) => self.start(number, &spec).map(|()| None),
            Order::Attach { id } => self.attach(number, &id).map(|()| None),
            Order::Stop { id, grace_seconds } => self.stop(number, &id, grace_seconds),
            Order::Terminate { id } => self.terminate(number, &id),
            Order::Exec { id, command, terminal } => {
                self.execute(number, &id, &command, terminal, &descriptors).map(|()| None)
            }
            Order::Signal { exec, signal } => {
                self.signal(exec, signal);
                Ok(Some(Outcome::Done))
            }
        };
        match begun {
            Ok(None) => {}
            Ok(Some(outcome)) => self.answer(number, Ok(outcome)),
            Err(e) => self.answer(number, Err(e)),
        }
    }

    fn statuses(&self) -> Outcome {
        Outcome::Statuses(self.instances.values().map(Instance::status).collect())
    }

    pub(super) fn find(&self, id: &InstanceId) -> Result<&Instance, Error> {
        self.instances.get(id).ok_or_else(|| Error::NotFound(id.clone()))
    }

    pub(super) fn find_mut(&mut self, id: &InstanceId) -> Result<&mut Instance, Error> {
        self.instances.get_mut(id).ok_or_else(|| Error::NotFound(id.clone()))
    }

    pub(super) fn is_full(&self) -> bool {
        self.instances.len() >= INSTANCES_MAX
    }

    pub(super) fn instance_directory(&self, id: &InstanceId) -> PathBuf {
        self.directory.join("instances").join(id.as_str())
    }

    pub(super) fn answer(&mut self, number: u64, outcome: Result<Outcome, Error>) {
        self.say(Message::Answer { number, outcome }, Vec::new());
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.say(Message::Event(event), Vec::new());
    }

    pub(super) fn say(&mut self, message: Message, descriptors: Vec<OwnedFd>) {
        self.outbox.push_back((message, descriptors));
    }

    /// What was said and not yet sent.
    pub(super) fn take_said(&mut self) -> Vec<Message> {
        self.outbox.drain(..).map(|(message, _)| message).collect()
    }

    /// Sends as much as the parent takes at once. Says whether it is still there.
    pub(super) fn speak(&mut self, parent: &Channel) -> io::Result<bool> {
        while let Some((message, descriptors)) = self.outbox.front() {
            let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
            match parent.try_send(message, &descriptors) {
                Ok(()) => drop(self.outbox.pop_front()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(e) if matches!(e.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {
                    return Ok(false);
                }
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }
}

/// Makes sure that no other child works in the directory. One that just lost its parent is waited for. The lock goes
/// with the process, and is not inherited by those that it makes.
fn lock(directory: &Path) -> io::Result<File> {
    const TRIES: u32 = 500;
    let path = directory.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let whole = libc::flock { l_type: libc::F_WRLCK as _, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
    for _ in 0..TRIES {
        match fcntl(&file, FcntlArg::F_SETLK(&whole)) {
            Ok(_) => return Ok(file),
            Err(Errno::EAGAIN | Errno::EACCES) => std::thread::sleep(Duration::from_millis(10)),
            Err(e) => return Err(e.into()),
        }
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "another instance driver uses it"))
}

/// The ends of children are read from a descriptor, in the same place as all else.
fn signals() -> io::Result<SignalFd> {
    sys::default_action(Signal::SIGCHLD);
    let mut ends = SigSet::empty();
    ends.add(Signal::SIGCHLD);
    ends.thread_block()?;
    Ok(SignalFd::with_flags(&ends, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?)
}
