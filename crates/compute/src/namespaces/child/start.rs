//! Bringing an instance up.

use super::super::channel::Channel;
use super::super::inside::init::{self, Boot, Word};
use super::super::protocol::{Message, Outcome};
use super::super::sys::{self, Forked};
use super::disk::{self, Layer, Stage};
use super::life::{FirstProcess, Instance, Phase, Starting, kill, timer};
use super::machine::Machine;
use super::record::{Process, Record};
use super::{ids, vpc};
use crate::specification::Place;
use crate::{Error, InstanceId, InstanceSpec, Invalid, ListenerKind};
use nix::sched::CloneFlags;
use nix::sys::stat::fstat;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::time::Duration;

/// How long a first process may take to get ready. Milliseconds are usual.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// The namespaces that an instance begins with; it makes those of mounts and control groups itself.
const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWUSER
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWUTS);

impl Machine {
    /// Begins to start an instance. After an error nothing of it is left.
    pub(super) fn start(&mut self, number: u64, spec: &InstanceSpec) -> Result<(), Error> {
        let record = self.admit(spec)?;
        let id = spec.id.clone();
        let instance = Instance { record, phase: Phase::Stopped };
        self.instances.insert(id.clone(), instance);
        match self.launch(number, spec) {
            Ok(starting) => {
                self.find_mut(&id)?.phase = Phase::Starting(starting);
                Ok(())
            }
            Err(e) => {
                self.undo(&id);
                Err(e)
            }
        }
    }

    /// Whether an instance can be started as it is wanted, and what will be noted down of it.
    fn admit(&self, spec: &InstanceSpec) -> Result<Record, Error> {
        spec.check()?;
        let up = self.instances.values().filter(|instance| instance.process().is_some());
        spec.check_beside(up.map(|Instance { record, .. }| Place {
            id: &record.id,
            vpc: &record.vpc,
            cidr: record.cidr,
            private_ip: record.private_ip,
        }))?;
        match self.instances.get(&spec.id) {
            Some(Instance { record, phase: Phase::Stopped }) if record.image == spec.image => {
                Ok(Record::of(spec, record.slot, record.booted))
            }
            Some(Instance { phase: Phase::Stopped, .. }) => {
                Err(Invalid::new("image", &spec.id, "the instance's disk is of another image").into())
            }
            Some(Instance { phase: Phase::Running(_), .. }) => Err(Error::NotStopped(spec.id.clone())),
            Some(_) => Err(Error::Busy(spec.id.clone())),
            None if self.is_full() => Err(Error::TooMany("instances".to_owned())),
            None if self.instance_directory(&spec.id).exists() => {
                Err(Error::system("start", "there is a disk of this name whose record cannot be read"))
            }
            None => {
                let taken = |slot| self.instances.values().any(|instance| instance.record.slot == slot);
                let slot = ids::free_slot(self.seed, taken);
                Ok(Record::of(spec, slot.map_err(|e| Error::system("find user ids", e))?, false))
            }
        }
    }

    fn launch(&mut self, number: u64, spec: &InstanceSpec) -> Result<Starting, Error> {
        let id = &spec.id;
        let directory = self.instance_directory(id);
        let (slot, first) = self.find(id).map(|i| (i.record.slot, !i.record.booted))?;
        let ids = ids::range(slot);
        make_directory(&directory).map_err(|e| Error::system("make a directory", e))?;
        let layers = Layer::of(&spec.image, &self.images, &self.hidden)?;
        disk::prepare(&directory, &layers, &spec.image, *ids.start())
            .map_err(|e| Error::system("prepare the disk", e))?;
        let absent = self.cgroups.create(id.as_str(), spec.limits);
        self.find_mut(id)?.record.absent = absent.map_err(|e| Error::system("make control groups", e))?;
        self.ensure_vpc(spec)?;
        let stage = Stage::set_up(&directory, &layers).map_err(|e| Error::system("set the stage up", e))?;
        let (words, far) = Channel::pair().map_err(|e| Error::system("make a socket pair", e))?;
        let vpc = self.vpcs.get(&spec.vpc.id).ok_or(Error::Lost)?.namespace.as_fd();
        let forked = sys::fork(self.process, NAMESPACES)
            .map_err(|e| Error::system("make namespaces (user namespaces must be allowed)", e))?;
        let Forked::Parent { pid, pidfd } = forked else {
            init::run(&Boot { spec, layers: &layers, first }, far, stage.top.as_fd(), vpc)
        };
        drop(far);
        let process = FirstProcess { pid, pidfd, is_child: true };
        let furnished = self.furnish(&process, spec, slot).and_then(|listeners| {
            let users =
                File::open(format!("/proc/{pid}/ns/user")).map_err(|e| Error::system("find its users", e))?;
            stage.fill(&layers, &spec.image, users.as_fd())?;
            words.send(&Word::Build, &[]).map_err(|_| last_words(&words))?;
            let deadline = timer(READY_WITHIN).map_err(|e| Error::system("make a timer", e))?;
            Ok((listeners, deadline))
        });
        match furnished {
            Ok((listeners, deadline)) => {
                Ok(Starting { process, words, deadline, number, listeners, _stage: stage })
            }
            Err(e) => {
                kill(&process);
                reap_soon(pid);
                Err(e)
            }
        }
    }

    fn ensure_vpc(&mut self, spec: &InstanceSpec) -> Result<(), Error> {
        if !self.vpcs.contains_key(&spec.vpc.id) {
            let vpc = vpc::Vpc::create(&self.home, &spec.vpc);
            let vpc = vpc.map_err(|e| Error::system("make the network of the VPC", e))?;
            self.vpcs.insert(spec.vpc.id.clone(), vpc);
        }
        Ok(())
    }

    /// Gives a first process its ids, its limits and its network, and opens its listeners.
    fn furnish(
        &mut self,
        process: &FirstProcess,
        spec: &InstanceSpec,
        slot: u32,
    ) -> Result<Vec<(ListenerKind, OwnedFd)>, Error> {
        let (pid, ids) = (process.pid, ids::range(slot));
        let map = format!("0 {} {}\n", ids.start(), ids::RANGE);
        for file in ["uid_map", "gid_map"] {
            fs::write(format!("/proc/{pid}/{file}"), &map).map_err(|e| Error::system("map user ids", e))?;
        }
        self.cgroups.join(spec.id.as_str(), pid).map_err(|e| Error::system("join control groups", e))?;
        let connect = |machine: &mut Self| {
            let network = File::open(format!("/proc/{pid}/ns/net"))?;
            let vpc = machine.vpcs.get_mut(&spec.vpc.id).ok_or(io::ErrorKind::NotFound)?;
            vpc.connect(&machine.home, slot, spec, network.as_fd(), ids)?;
            let api = (spec.vpc.api_address(), spec.api_port).into();
            let mut listeners = vpc.listen(&machine.home, slot, api)?;
            let inside = vpc::listen_inside(&machine.home, &network, spec.api_port)?;
            listeners.push((ListenerKind::ApiLoopback, inside));
            Ok(listeners)
        };
        connect(self).map_err(|e: io::Error| Error::system("connect the instance", e))
    }

    /// A first process that is starting said something, or is gone.
    pub(super) fn first_process_spoke(&mut self, id: &InstanceId) {
        let Some(Instance { phase: Phase::Starting(starting), .. }) = self.instances.get(id) else { return };
        let went_up = match starting.words.receive() {
            Ok(Some((Word::Ready, _))) => self.let_run(id),
            Ok(Some((Word::Failed(e), _))) => Err(e),
            _ => Err(died()),
        };
        if let Err(e) = went_up {
            self.start_failed(id, &e);
        }
    }

    /// Notes an instance down, and only then lets it go on.
    fn let_run(&mut self, id: &InstanceId) -> Result<(), Error> {
        let directory = self.instance_directory(id);
        let instance = self.instances.get_mut(id).ok_or(Error::Lost)?;
        let Phase::Starting(starting) = &instance.phase else { return Ok(()) };
        let vpc = self.vpcs.get(&instance.record.vpc).ok_or(Error::Lost)?;
        let note = || {
            let process = Process::note(starting.process.pid, fstat(&vpc.namespace)?.st_ino)?;
            let mut record = instance.record.clone();
            record.booted = true;
            record.process = Some(process);
            record.save_durably(&directory)?;
            Ok(record)
        };
        let record = note().map_err(|e: io::Error| Error::system("note the instance down", e))?;
        starting.words.send(&Word::Run, &[]).map_err(|_| died())?;
        instance.record = record;
        let absent = instance.record.absent.clone();
        if let Phase::Starting(started) = std::mem::replace(&mut instance.phase, Phase::Stopped) {
            instance.phase = Phase::Running(started.process);
            self.hand_over(started.number, started.listeners, absent);
        }
        Ok(())
    }

    fn hand_over(
        &mut self,
        number: u64,
        listeners: Vec<(ListenerKind, OwnedFd)>,
        absent: Vec<crate::Controller>,
    ) {
        let (kinds, sockets) = listeners.into_iter().unzip();
        self.say(Message::Answer { number, outcome: Ok(Outcome::Instance { kinds, absent }) }, sockets);
    }

    /// Opens the listeners of an instance again.
    pub(super) fn attach(&mut self, number: u64, id: &InstanceId) -> Result<(), Error> {
        let instance = self.find(id)?;
        let process = instance.running()?;
        let record = &instance.record;
        let vpc = self.vpcs.get(&record.vpc).ok_or(Error::Lost)?;
        let api = crate::Vpc { id: record.vpc.clone(), cidr: record.cidr }.api_address();
        let mut listeners = vpc
            .listen(&self.home, record.slot, (api, record.api_port).into())
            .map_err(|e| Error::system("open the instance's listeners", e))?;
        // Inside, root may have put something in its way; that costs him this one and nothing else.
        if let Ok(inside) = vpc::listen_inside(&self.home, &process.pidfd, record.api_port) {
            listeners.push((ListenerKind::ApiLoopback, inside));
        }
        let absent = record.absent.clone();
        self.hand_over(number, listeners, absent);
        Ok(())
    }

    /// Gives a start up, and says why to who ordered it.
    pub(super) fn start_failed(&mut self, id: &InstanceId, error: &Error) {
        let Some(instance) = self.instances.get_mut(id) else { return };
        let Phase::Starting(Starting { process, number, .. }) =
            std::mem::replace(&mut instance.phase, Phase::Stopped)
        else {
            return;
        };
        kill(&process);
        reap_soon(process.pid);
        self.undo(id);
        self.answer(number, Err(error.clone()));
    }

    /// Takes away what a start left that came to nothing; its disk too, if it never ran.
    fn undo(&mut self, id: &InstanceId) {
        let booted = self.find(id).is_ok_and(|instance| instance.record.booted);
        self.clean_up(id);
        if !booted {
            self.instances.remove(id);
            self.discard_disk(id);
        }
    }
}

/// Why a first process ended that did not get ready.
pub(super) fn last_words(words: &Channel) -> Error {
    match words.receive() {
        Ok(Some((Word::Failed(e), _))) => e,
        _ => died(),
    }
}

/// Waits a moment for a process that was killed, so that its groups are empty. If it takes longer it is reaped like any
/// other, and the groups are swept by the next child.
fn reap_soon(pid: Pid) {
    const TRIES: u32 = 200;
    for _ in 0..TRIES {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            _ => return,
        }
    }
}

fn died() -> Error {
    Error::system("start", "its first process died")
}

fn make_directory(path: &std::path::Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
