//! Commands that run in instances.

use super::super::channel::Channel;
use super::super::inside::command::{self, Entry, Word};
use super::super::protocol::{ExecId, Message, Outcome};
use super::super::sys::{self, Forked};
use super::machine::Machine;
use crate::{Command, Error, ExitStatus, InstanceId, Signal, TerminalSize};
use nix::sched::CloneFlags;
use nix::sys::stat::{SFlag, fstat};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use std::os::fd::{AsFd, OwnedFd};

/// Most commands at a time.
const COMMANDS_MAX: usize = 1024;

/// A command on its way in, or running.
pub(super) struct Running {
    /// Who ordered it.
    number: u64,
    /// Open until the program runs.
    pub(super) words: Option<Channel>,
    /// The process that becomes the program, once it is there.
    pid: Option<Pid>,
    terminal: Option<OwnedFd>,
    failed: Option<Error>,
    /// How it ended, if that came before the word that it runs.
    ended: Option<ExitStatus>,
}

impl Machine {
    /// Begins to run a command. Its standard streams are `files`, or a terminal.
    pub(super) fn execute(
        &mut self,
        number: u64,
        id: &InstanceId,
        command: &Command,
        terminal: Option<TerminalSize>,
        files: &[OwnedFd],
    ) -> Result<(), Error> {
        command.check()?;
        check_files(files, terminal.is_some())?;
        if self.commands.len() >= COMMANDS_MAX {
            return Err(Error::TooMany("commands".to_owned()));
        }
        let instance = self.find(id)?;
        let process = instance.running()?;
        let entry = Entry {
            instance: process.pidfd.as_fd(),
            doors: self.cgroups.doors(id.as_str()),
            environment: &instance.record.environment,
            privileges: instance.record.privileges,
            limits: instance.record.limits,
            command,
            terminal,
        };
        let failed = |e| Error::system("enter the instance", e);
        let (words, far) = Channel::pair().map_err(failed)?;
        match sys::fork(self.process, CloneFlags::empty()).map_err(failed)? {
            Forked::Child => command::run(self.process, &entry, far, files),
            Forked::Parent { .. } => {}
        }
        self.last_command += 1;
        let running =
            Running { number, words: Some(words), pid: None, terminal: None, failed: None, ended: None };
        self.commands.insert(ExecId(self.last_command), running);
        Ok(())
    }

    /// A command on its way said something, or runs.
    pub(super) fn command_spoke(&mut self, exec: ExecId) {
        let Some(running) = self.commands.get_mut(&exec) else { return };
        let Some(words) = &running.words else { return };
        match words.receive::<Word>() {
            Ok(Some((Word::Entered { pid }, _))) if running.pid.is_none() && pid > 1 => {
                running.pid = Some(Pid::from_raw(pid));
                // If it is gone, the end of the channel says so.
                let _ = words.send(&Word::Go, &[]);
            }
            Ok(Some((Word::Terminal, mut descriptors))) => running.terminal = descriptors.pop(),
            Ok(Some((Word::Failed(e), _))) => running.failed = Some(e),
            Ok(None) => self.command_runs(exec),
            Ok(Some(_)) | Err(_) => running.words = None,
        }
    }

    /// The channel ended: the program runs, or nothing came of it.
    fn command_runs(&mut self, exec: ExecId) {
        let Some(running) = self.commands.get_mut(&exec) else { return };
        running.words = None;
        let number = running.number;
        let failed = match (running.failed.take(), running.pid) {
            (Some(e), _) => Some(e),
            (None, None) => Some(Error::system("enter the instance", "the way in was cut off")),
            (None, Some(_)) => None,
        };
        let terminal = running.terminal.take();
        let ended = running.ended;
        match failed {
            Some(e) => {
                self.commands.remove(&exec);
                self.answer(number, Err(e));
            }
            None => {
                let outcome = Ok(Outcome::Running { exec });
                self.say(Message::Answer { number, outcome }, terminal.into_iter().collect());
                if let Some(status) = ended {
                    self.commands.remove(&exec);
                    self.say(Message::Ended { exec, status }, Vec::new());
                }
            }
        }
    }

    /// A process ended that may be a command's.
    pub(super) fn command_ended(&mut self, pid: Pid, status: WaitStatus) {
        let is_its = |running: &Running| running.pid == Some(pid) && running.ended.is_none();
        let Some((exec, running)) = self.commands.iter_mut().find(|(_, running)| is_its(running)) else {
            return;
        };
        let (exec, status) = (*exec, exit_status(status));
        if running.words.is_some() {
            running.ended = Some(status);
        } else {
            self.commands.remove(&exec);
            self.say(Message::Ended { exec, status }, Vec::new());
        }
    }

    /// Signals a command and what it started, as far as that is still its process group.
    pub(super) fn signal(&self, exec: ExecId, signal: Signal) {
        let running = self.commands.get(&exec).filter(|running| running.ended.is_none());
        if let Some(pid) = running.and_then(|running| running.pid) {
            // It was not reaped, so both numbers still mean it and its group; that either is empty is as good.
            sys::signal_group(pid, signal.number());
        }
    }
}

/// A directory of the host's, open inside, would be a way out.
fn check_files(files: &[OwnedFd], terminal: bool) -> Result<(), Error> {
    let refused = |reason| Err(Error::system("hand the command its streams", reason));
    if files.len() != if terminal { 0 } else { 3 } {
        return refused("there are not three of them");
    }
    for file in files {
        let kind = fstat(file).map(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT);
        if kind.map_or(true, |kind| kind == SFlag::S_IFDIR) {
            return refused("one of them is a directory");
        }
    }
    Ok(())
}

/// As a shell says it.
fn exit_status(status: WaitStatus) -> ExitStatus {
    match status {
        WaitStatus::Exited(_, code) => ExitStatus(code as u8),
        WaitStatus::Signaled(_, signal, _) => ExitStatus(128 + signal as u8),
        _ => ExitStatus(255),
    }
}
