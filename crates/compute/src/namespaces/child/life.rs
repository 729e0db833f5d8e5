//! An instance from its start to its end.

use super::super::channel::Channel;
use super::super::protocol::{GRACE_SECONDS_MAX, Outcome};
use super::super::sys;
use super::disk::Stage;
use super::machine::Machine;
use super::record::Record;
use super::{complain, sweep};
use crate::{Error, Event, InstanceId, InstanceStatus, ListenerKind, State, StopReason};
use nix::sys::signal::Signal;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An instance that has a disk here.
pub(super) struct Instance {
    pub(super) record: Record,
    pub(super) phase: Phase,
}

/// Where it is, with what is only there then.
pub(super) enum Phase {
    Starting(Starting),
    Running(FirstProcess),
    Stopping(Stopping),
    Stopped,
    Removing,
}

pub(super) struct Starting {
    pub(super) process: FirstProcess,
    pub(super) words: Channel,
    pub(super) deadline: TimerFd,
    /// Who ordered it.
    pub(super) number: u64,
    pub(super) listeners: Vec<(ListenerKind, OwnedFd)>,
    pub(super) _stage: Stage,
}

pub(super) struct Stopping {
    pub(super) process: FirstProcess,
    deadline: Option<TimerFd>,
    /// Who ordered it, and whether to remove the disk when it is done.
    waiting: Vec<u64>,
    remove: bool,
}

/// The removal of a disk.
pub(super) struct Sweep {
    /// Whose it was, if that is still to be taken from the list.
    pub(super) instance: Option<InstanceId>,
    /// Who is to be told.
    pub(super) waiting: Vec<u64>,
}

/// The first process of an instance.
pub(super) struct FirstProcess {
    pub(super) pid: Pid,
    pub(super) pidfd: OwnedFd,
    /// Whether it is a child of this process, which then learns how it ends.
    pub(super) is_child: bool,
}

impl Instance {
    pub(super) fn process(&self) -> Option<&FirstProcess> {
        match &self.phase {
            Phase::Starting(Starting { process, .. })
            | Phase::Running(process)
            | Phase::Stopping(Stopping { process, .. }) => Some(process),
            Phase::Stopped | Phase::Removing => None,
        }
    }

    /// The first process, if the instance is up: then commands and listeners can be had.
    pub(super) fn running(&self) -> Result<&FirstProcess, Error> {
        match &self.phase {
            Phase::Running(process) => Ok(process),
            _ => Err(Error::NotRunning(self.record.id.clone())),
        }
    }

    pub(super) fn deadline(&self) -> Option<BorrowedFd<'_>> {
        match &self.phase {
            Phase::Starting(starting) => Some(starting.deadline.as_fd()),
            Phase::Stopping(stopping) => stopping.deadline.as_ref().map(AsFd::as_fd),
            _ => None,
        }
    }

    pub(super) fn status(&self) -> InstanceStatus {
        let state = match &self.phase {
            Phase::Starting(_) => State::Starting,
            Phase::Running(_) => State::Running,
            Phase::Stopping(_) | Phase::Removing => State::Stopping,
            Phase::Stopped => State::Stopped,
        };
        let is_up = matches!(state, State::Starting | State::Running);
        InstanceStatus {
            id: self.record.id.clone(),
            vpc: self.record.vpc.clone(),
            private_ip: self.record.private_ip,
            state,
            absent: if is_up { self.record.absent.clone() } else { Vec::new() },
        }
    }
}

impl Machine {
    /// Begins to stop an instance. Whoever orders it while it is stopping already is told at the same end.
    pub(super) fn stop(
        &mut self,
        number: u64,
        id: &InstanceId,
        grace: u16,
    ) -> Result<Option<Outcome>, Error> {
        let instance = self.find_mut(id)?;
        match std::mem::replace(&mut instance.phase, Phase::Stopped) {
            Phase::Stopped => Ok(Some(Outcome::Done)),
            Phase::Running(process) => {
                instance.phase = begin_stop(process, grace.min(GRACE_SECONDS_MAX), number, false);
                Ok(None)
            }
            Phase::Stopping(mut stopping) => {
                stopping.waiting.push(number);
                instance.phase = Phase::Stopping(stopping);
                Ok(None)
            }
            other => {
                instance.phase = other;
                Err(Error::Busy(id.clone()))
            }
        }
    }

    /// Begins to kill and remove an instance.
    pub(super) fn terminate(&mut self, number: u64, id: &InstanceId) -> Result<Option<Outcome>, Error> {
        let Some(instance) = self.instances.get_mut(id) else {
            if !self.instance_directory(id).exists() {
                return Ok(Some(Outcome::Done));
            }
            // Its record cannot be read. If anything of it ran it was killed when its groups were swept.
            self.remove_disk(id, vec![number]);
            return Ok(None);
        };
        match std::mem::replace(&mut instance.phase, Phase::Stopped) {
            Phase::Stopped => self.remove_disk(id, vec![number]),
            Phase::Running(process) => instance.phase = begin_stop(process, 0, number, true),
            Phase::Stopping(mut stopping) => {
                stopping.remove = true;
                stopping.waiting.push(number);
                kill(&stopping.process);
                instance.phase = Phase::Stopping(stopping);
            }
            other => {
                instance.phase = other;
                return Err(Error::Busy(id.clone()));
            }
        }
        Ok(None)
    }

    /// A process of ours ended.
    pub(super) fn ended(&mut self, pid: Pid, status: WaitStatus) {
        if let Some(sweep) = self.sweepers.remove(&pid) {
            let done = matches!(status, WaitStatus::Exited(_, 0));
            return self.swept(sweep, done.then_some(()).ok_or("something in it cannot be removed"));
        }
        let is_of = |instance: &Instance| instance.process().is_some_and(|p| p.is_child && p.pid == pid);
        let found = self.instances.iter().find(|(_, instance)| is_of(instance)).map(|(id, _)| id.clone());
        match found {
            Some(id) => {
                let shut_down = matches!(status, WaitStatus::Exited(_, 0));
                self.went_down(&id, if shut_down { StopReason::Shutdown } else { StopReason::Killed });
            }
            None => self.command_ended(pid, status),
        }
    }

    /// A first process ended that was another child's.
    pub(super) fn adopted_ended(&mut self, id: &InstanceId) {
        if self.find(id).is_ok_and(|instance| instance.process().is_some()) {
            self.went_down(id, StopReason::Unknown);
        }
    }

    /// A start or a stop takes longer than it may.
    pub(super) fn time_is_up(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.get_mut(id) else { return };
        if let Phase::Stopping(stopping) = &mut instance.phase {
            stopping.deadline = None;
        }
        if let Some(process) = instance.process() {
            kill(process);
        }
        if matches!(instance.phase, Phase::Starting(_)) {
            self.start_failed(id, &Error::system("start", "its first process did not get ready in time"));
        }
    }

    /// Nothing of an instance runs any more.
    fn went_down(&mut self, id: &InstanceId, reason: StopReason) {
        let Some(instance) = self.instances.get_mut(id) else { return };
        if let Phase::Starting(starting) = &instance.phase {
            let error = super::start::last_words(&starting.words);
            return self.start_failed(id, &error);
        }
        let before = std::mem::replace(&mut instance.phase, Phase::Stopped);
        self.clean_up(id);
        match before {
            Phase::Running(_) => self.tell(Event::Stopped { id: id.clone(), reason }),
            Phase::Stopping(Stopping { waiting, remove: true, .. }) => self.remove_disk(id, waiting),
            Phase::Stopping(Stopping { waiting, .. }) => {
                waiting.into_iter().for_each(|number| self.answer(number, Ok(Outcome::Done)));
            }
            Phase::Starting(_) | Phase::Stopped | Phase::Removing => {}
        }
    }

    /// Takes away what stood for an instance that ran: its wire, its groups, and its VPC if it was the last one there.
    /// What does not go is swept by the next child.
    pub(super) fn clean_up(&mut self, id: &InstanceId) {
        let directory = self.instance_directory(id);
        let Some(instance) = self.instances.get_mut(id) else { return };
        let record = &mut instance.record;
        record.process = None;
        let (vpc, slot) = (record.vpc.clone(), record.slot);
        if let Err(e) = record.save(&directory) {
            complain(format_args!("note that `{id}` is down: {e}"));
        }
        if let Err(e) = self.vpcs.get_mut(&vpc).map_or(Ok(()), |vpc| vpc.disconnect(slot)) {
            complain(format_args!("take the wire of `{id}` away: {e}"));
        }
        if let Err(e) = self.cgroups.remove(id.as_str()) {
            complain(format_args!("remove the control groups of `{id}`: {e}"));
        }
        let in_use = |instance: &Instance| instance.record.vpc == vpc && instance.process().is_some();
        if !self.instances.values().any(in_use) {
            self.vpcs.remove(&vpc);
        }
    }

    /// Begins to remove the disk of an instance that is down, and with it the instance.
    fn remove_disk(&mut self, id: &InstanceId, waiting: Vec<u64>) {
        if let Some(instance) = self.instances.get_mut(id) {
            instance.phase = Phase::Removing;
        }
        match self.move_to_trash(id) {
            Ok(trash) => self.sweep(&trash, Sweep { instance: Some(id.clone()), waiting }),
            Err(e) => {
                if let Some(instance) = self.instances.get_mut(id) {
                    instance.phase = Phase::Stopped;
                }
                let error = Error::system("remove the disk", e);
                waiting.into_iter().for_each(|number| self.answer(number, Err(error.clone())));
            }
        }
    }

    /// Begins to remove the disk of an instance that never ran.
    pub(super) fn discard_disk(&mut self, id: &InstanceId) {
        match self.move_to_trash(id) {
            Ok(trash) => self.sweep(&trash, Sweep { instance: None, waiting: Vec::new() }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => complain(format_args!("remove what is left of `{id}`: {e}")),
        }
    }

    /// Moves a disk out of the way, at once and for good.
    fn move_to_trash(&mut self, id: &InstanceId) -> io::Result<PathBuf> {
        self.swept += 1;
        let trash = self.directory.join("trash").join(format!("{id}.{}.{}", std::process::id(), self.swept));
        fs::rename(self.instance_directory(id), &trash).map(|()| trash)
    }

    /// Removes a directory in a process of its own, since it may hold anything.
    pub(super) fn sweep(&mut self, directory: &Path, sweep: Sweep) {
        match sweep::begin(self.process, directory) {
            Ok(pid) => drop(self.sweepers.insert(pid, sweep)),
            Err(e) => self.swept(sweep, Err(&e.to_string())),
        }
    }

    /// A disk was removed, or what of it could be. The rest is tried again by the next child.
    fn swept(&mut self, sweep: Sweep, done: Result<(), &str>) {
        let is_removed = |instance: &Instance| matches!(instance.phase, Phase::Removing);
        if let Some(id) = sweep.instance.filter(|id| self.instances.get(id).is_some_and(is_removed)) {
            self.instances.remove(&id);
        }
        for number in sweep.waiting {
            let outcome = done.map(|()| Outcome::Done).map_err(|e| Error::system("remove the disk", e));
            self.answer(number, outcome);
        }
    }
}

/// Asks a first process to shut down, and sets the time at which it is killed; without any, kills it.
fn begin_stop(process: FirstProcess, grace: u16, number: u64, remove: bool) -> Phase {
    let deadline = match grace {
        0 => None,
        seconds => timer(Duration::from_secs(seconds.into())).ok(),
    };
    let asked = deadline.is_some() && sys::pidfd_signal(&process.pidfd, Signal::SIGTERM as i32).is_ok();
    if !asked {
        kill(&process);
    }
    Phase::Stopping(Stopping { process, deadline, waiting: vec![number], remove })
}

/// Kills a first process, and with it all of its instance. That it is gone already is as good.
pub(super) fn kill(process: &FirstProcess) {
    let _ = sys::pidfd_signal(&process.pidfd, Signal::SIGKILL as i32);
}

/// A descriptor that can be read when the time is over.
pub(super) fn timer(time: Duration) -> io::Result<TimerFd> {
    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
    timer.set(Expiration::OneShot(TimeSpec::from_duration(time)), TimerSetTimeFlags::empty())?;
    Ok(timer)
}

/// The next child that ended, and how.
pub(super) fn next_ended() -> Option<(Pid, WaitStatus)> {
    match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(status) => status.pid().map(|pid| (pid, status)),
        Err(_) => None,
    }
}
