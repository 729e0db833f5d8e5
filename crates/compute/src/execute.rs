//! Commands inside an instance.

use crate::specification::is_variable_name;
use crate::{Error, Invalid, Reply};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A command to be run inside an instance. `Debug` shows the program alone: the rest may hold secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The program, looked up in `PATH` inside if it has no slash, and its arguments.
    pub arguments: Vec<String>,
    /// Variables, beyond those of the instance and stronger than they.
    pub environment: Vec<(String, String)>,
    /// Where it starts; the user's home by default.
    pub directory: Option<String>,
    /// As whom it runs.
    pub user: User,
}

/// A user and group as they are numbered inside; 0 is root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// User id.
    pub uid: u16,
    /// Group id, the only group.
    pub gid: u16,
}

impl Command {
    /// Most bytes in arguments and variables together.
    const BYTES_MAX: usize = 96 * 1024;
    /// Most arguments, and most variables.
    const COUNT_MAX: usize = 4096;

    /// A program and its arguments, run by root in root's home.
    pub fn new(arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { arguments, environment: Vec::new(), directory: None, user: User::default() }
    }

    /// Checks that the kernel can be given this.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no program, a string holds a zero byte, a variable's name is none, or there is
    /// more than 96 KiB in all.
    pub fn check(&self) -> Result<(), Error> {
        let invalid = |what, value: &str, reason| Err(Invalid::new(what, value, reason).into());
        if self.arguments.first().is_none_or(String::is_empty) {
            return invalid("command", "", "there is no program");
        }
        if self.arguments.len() > Self::COUNT_MAX || self.environment.len() > Self::COUNT_MAX {
            return invalid("command", "…", "at most 4096 arguments and variables");
        }
        let variables = self.environment.iter().flat_map(|(name, value)| [name, value]);
        let mut bytes = 0;
        for text in self.arguments.iter().chain(variables).chain(&self.directory) {
            bytes += text.len() + 1;
            if text.contains('\0') {
                return invalid("command", text, "it holds a zero byte");
            }
        }
        if bytes > Self::BYTES_MAX {
            return invalid("command", &format!("of {bytes} bytes"), "at most 96 KiB");
        }
        match self.environment.iter().find(|(name, _)| !is_variable_name(name)) {
            Some((name, _)) => invalid("environment variable", name, "expected letters, digits and `_`"),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command").field("program", &self.arguments.first()).finish_non_exhaustive()
    }
}

/// What a command reads and writes.
#[derive(Debug)]
pub enum Streams {
    /// These, handed over as they are. A directory is refused: it would be a way out of the instance.
    Files {
        /// Standard input.
        stdin: OwnedFd,
        /// Standard output.
        stdout: OwnedFd,
        /// Standard error.
        stderr: OwnedFd,
    },
    /// A terminal of the instance's own, with the command as its session's leader.
    Terminal(TerminalSize),
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// How a command ended, as a shell would say it: its exit code, or 128 and the number of the signal that killed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExitStatus(pub u8);

/// The number of a signal, from 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Signal(u8);

impl Signal {
    /// SIGKILL.
    pub const KILL: Self = Self(9);
    /// SIGTERM.
    pub const TERMINATE: Self = Self(15);

    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Signal {
    type Error = Invalid;

    fn try_from(number: u8) -> Result<Self, Invalid> {
        if (1..=64).contains(&number) {
            Ok(Self(number))
        } else {
            Err(Invalid::new("signal", number, "expected a number from 1 to 64"))
        }
    }
}

impl From<Signal> for u8 {
    fn from(signal: Signal) -> u8 {
        signal.0
    }
}

/// A command that runs. Dropped before its end, it is killed, with all of its process group: a command does not outlive
/// its client.
pub struct Exec {
    exit: Reply<ExitStatus>,
    terminal: Option<OwnedFd>,
    signaller: Signaller,
}

/// Signals a command from elsewhere than the place that waits for its end.
#[derive(Clone)]
pub struct Signaller(Arc<dyn Fn(Signal) + Send + Sync>);

impl Signaller {
    /// Sends a signal to the command's process group; nothing happens if it ended.
    pub fn send(&self, signal: Signal) {
        (self.0)(signal);
    }
}

impl std::fmt::Debug for Signaller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signaller")
    }
}

impl Exec {
    /// A command that runs, for whoever writes a driver: how it will end, its terminal, and how to signal it.
    pub fn new(
        exit: Reply<ExitStatus>,
        terminal: Option<OwnedFd>,
        signal: impl Fn(Signal) + Send + Sync + 'static,
    ) -> Self {
        Self { exit, terminal, signaller: Signaller(Arc::new(signal)) }
    }

    /// The near end of its terminal, if it has one: what is written there it reads, what it writes is read there. Its
    /// size is changed by `TIOCSWINSZ`. Can be taken once.
    pub fn take_terminal(&mut self) -> Option<OwnedFd> {
        self.terminal.take()
    }

    /// A handle to signal it by.
    #[must_use]
    pub fn signaller(&self) -> Signaller {
        self.signaller.clone()
    }

    /// Blocks the thread until the command ends. In a task, `.await` the command itself.
    ///
    /// # Errors
    /// [`Error::Lost`] if the driver went away, and the command with it.
    pub fn wait(mut self) -> Result<ExitStatus, Error> {
        std::mem::replace(&mut self.exit, Reply::now(Err(Error::Lost))).wait()
    }
}

impl std::fmt::Debug for Exec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exec").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

impl Future for Exec {
    type Output = Result<ExitStatus, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.exit).poll(cx)
    }
}

impl Drop for Exec {
    fn drop(&mut self) {
        if !self.exit.is_answered() {
            self.signaller.send(Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::promise;
    use std::sync::mpsc;

    #[test]
    fn commands_that_the_kernel_cannot_be_given_are_refused() {
        let with = |change: fn(&mut Command)| {
            let mut command = Command::new(["true"]);
            change(&mut command);
            command.check()
        };
        assert!(with(|_| ()).is_ok());
        assert!(with(|c| c.arguments.clear()).is_err());
        assert!(with(|c| c.arguments.push("a\0b".into())).is_err());
        assert!(with(|c| c.arguments.push("x".repeat(96 * 1024))).is_err());
        assert!(with(|c| c.environment.push(("A=B".into(), "c".into()))).is_err());
        assert!(with(|c| c.directory = Some("/\0".into())).is_err());
    }

    #[test]
    fn a_command_is_killed_when_its_client_goes_before_its_end() {
        let (sent, signals) = mpsc::channel();
        let (_running, exit) = promise();
        drop(Exec::new(exit, None, move |signal| sent.send(signal).unwrap()));
        assert_eq!(signals.iter().collect::<Vec<_>>(), [Signal::KILL]);
    }

    #[test]
    fn a_command_that_ended_is_not_signalled() {
        let (sent, signals) = mpsc::channel();
        let exec = Exec::new(Reply::now(Ok(ExitStatus(3))), None, move |signal| sent.send(signal).unwrap());
        assert_eq!(exec.wait(), Ok(ExitStatus(3)));
        assert_eq!(signals.iter().count(), 0);
    }
}
