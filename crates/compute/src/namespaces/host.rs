//! The half without privileges: turns calls into orders, and answers into replies.

use super::channel::Channel;
use super::protocol::{
    Configuration, ExecId, Finding, GRACE_SECONDS_MAX, Message, Order, Outcome, Request, VERSION,
};
use crate::reply::{Promise, promise};
use crate::{
    Command, Controller, Driver, Error, Event, Exec, ExitStatus, Instance, InstanceId, InstanceSpec,
    InstanceStatus, Listener, ListenerKind, Reply, Streams,
};
use std::collections::HashMap;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The payload of the outcome that an order has, or an error: the child does not answer with another one.
macro_rules! payload {
    ($outcome:expr, $pattern:pat => $value:expr) => {
        match $outcome {
            $pattern => Ok($value),
            other => Err(Error::system("read the child's answer", format_args!("it was {other:?}"))),
        }
    };
}
/// The driver that makes instances from namespaces.
///
/// Dropping it ends the child; instances run on, and a new one over the same directory finds them.
#[derive(Debug)]
pub struct Host {
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    process: Child,
}

/// Says what the machine lacks, by trying; each finding says what to do about it.
///
/// `command` is that of [`Host::spawn`]. Nothing is left behind.
///
/// # Errors
/// [`Error::System`] if the command cannot be run; [`Error::Lost`] if it is not a driver's child.
pub fn check(command: std::process::Command, configuration: &Configuration) -> Result<Vec<Finding>, Error> {
    let host = Host::begin(command, Box::new(|_| ()))?;
    let order = Order::Check(configuration.clone());
    host.shared
        .order(order, &[], |outcome, _| payload!(outcome, Outcome::Checked(findings) => findings))
        .wait()
}

impl Host {
    /// Starts the child by `command`, which must be this program with the arguments that make it call
    /// [`child::main(0)`](super::child::main); its environment and standard input are set here. Instances that run
    /// already are found and kept; [`Driver::instances`] says which, and [`Driver::attach`] opens their listeners.
    ///
    /// `on_event` is called, in a thread of its own, for what happens without an order. It must not block for long.
    ///
    /// # Errors
    /// [`Error::System`] if the child cannot be started or cannot use its directory, for example because another
    /// driver uses it.
    pub fn spawn(
        command: std::process::Command,
        configuration: Configuration,
        on_event: impl FnMut(Event) + Send + 'static,
    ) -> Result<Self, Error> {
        let host = Self::begin(command, Box::new(on_event))?;
        let order = Order::Configure(configuration);
        host.shared.order(order, &[], |outcome, _| payload!(outcome, Outcome::Done => ())).wait()?;
        Ok(host)
    }

    fn begin(
        mut command: std::process::Command,
        on_event: Box<dyn FnMut(Event) + Send>,
    ) -> Result<Self, Error> {
        let failed = |e| Error::system("start the instance driver's child", e);
        let (near, far) = Channel::pair().map_err(failed)?;
        let process =
            command.env_clear().stdin(Stdio::from(OwnedFd::from(far))).stdout(Stdio::null()).spawn();
        // The command holds the child's end too, and would hide the child's death.
        drop(command);
        let shared = Arc::new(Shared { channel: near, expected: Mutex::default() });
        let mut host = Self { shared: Arc::clone(&shared), reader: None, process: process.map_err(failed)? };
        let reader = std::thread::Builder::new().name("instance-driver".to_owned());
        host.reader = Some(reader.spawn(move || shared.read(on_event)).map_err(failed)?);
        Ok(host)
    }

    /// The child's process id.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.channel.close();
        if let Some(reader) = self.reader.take() {
            // It can only have failed by a panic of the caller's own function.
            let _ = reader.join();
        }
        // It ends by itself when it sees the end of the channel; there is nobody to tell if it does not.
        let _ = self.process.wait();
    }
}

impl Driver for Host {
    fn start(&self, spec: InstanceSpec) -> Reply<Instance> {
        let id = spec.id.clone();
        match spec.check() {
            Ok(()) => self.shared.order(Order::Start(Box::new(spec)), &[], |o, fds| instance(id, o, fds)),
            Err(e) => Reply::now(Err(e)),
        }
    }

    fn attach(&self, id: InstanceId) -> Reply<Instance> {
        self.shared.order(Order::Attach { id: id.clone() }, &[], |o, fds| instance(id, o, fds))
    }

    fn stop(&self, id: InstanceId, grace: Duration) -> Reply<()> {
        let grace_seconds = u16::try_from(grace.as_secs()).unwrap_or(u16::MAX).min(GRACE_SECONDS_MAX);
        self.shared.order(Order::Stop { id, grace_seconds }, &[], |o, _| payload!(o, Outcome::Done => ()))
    }

    fn terminate(&self, id: InstanceId) -> Reply<()> {
        self.shared.order(Order::Terminate { id }, &[], |o, _| payload!(o, Outcome::Done => ()))
    }

    fn instances(&self) -> Reply<Vec<InstanceStatus>> {
        self.shared.order(Order::List, &[], |outcome, _| payload!(outcome, Outcome::Statuses(found) => found))
    }

    fn inspect(&self, id: InstanceId) -> Reply<InstanceStatus> {
        self.shared.order(Order::Inspect { id: id.clone() }, &[], |outcome, _| {
            let mut found = payload!(outcome, Outcome::Statuses(found) => found)?;
            found.pop().ok_or(Error::NotFound(id))
        })
    }

    fn exec(&self, id: InstanceId, command: Command, streams: Streams) -> Reply<Exec> {
        if let Err(e) = command.check() {
            return Reply::now(Err(e));
        }
        let (terminal, files) = match streams {
            Streams::Files { stdin, stdout, stderr } => (None, vec![stdin, stdout, stderr]),
            Streams::Terminal(size) => (Some(size), Vec::new()),
        };
        let files: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        let shared = Arc::clone(&self.shared);
        self.shared.order(Order::Exec { id, command, terminal }, &files, move |outcome, mut fds| {
            let exec = payload!(outcome, Outcome::Running { exec } => exec)?;
            let exit = shared.expect_end(exec);
            Ok(Exec::new(exit, fds.pop(), move |signal| {
                // A child that is gone has taken the command with it.
                drop(shared.order(Order::Signal { exec, signal }, &[], |_, _| Ok(())));
            }))
        })
    }
}

fn instance(id: InstanceId, outcome: Outcome, sockets: Vec<OwnedFd>) -> Result<Instance, Error> {
    let (kinds, absent): (Vec<ListenerKind>, Vec<Controller>) =
        payload!(outcome, Outcome::Instance { kinds, absent } => (kinds, absent))?;
    if kinds.len() != sockets.len() {
        return Err(Error::system("take the listeners over", "there is not one for each kind"));
    }
    let listeners = kinds.into_iter().zip(sockets).map(|(kind, socket)| {
        let socket = TcpListener::from(socket);
        Listener { instance: id.clone(), kind, socket }
    });
    Ok(Instance { listeners: listeners.collect(), id, absent })
}

type Answer = Result<(Outcome, Vec<OwnedFd>), Error>;

struct Shared {
    channel: Channel,
    expected: Mutex<Expected>,
}

#[derive(Default)]
struct Expected {
    /// Whether the end of the channel was our own wish.
    closed: bool,
    lost: bool,
    last: u64,
    answers: HashMap<u64, Box<dyn FnOnce(Answer) + Send>>,
    ends: HashMap<ExecId, Promise<ExitStatus>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    /// A panic of a thread that held the lock leaves nothing half done in it.
    fn lock(&self) -> MutexGuard<'_, Expected> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order<T: Send + 'static>(
        &self,
        order: Order,
        descriptors: &[BorrowedFd<'_>],
        read: impl FnOnce(Outcome, Vec<OwnedFd>) -> Result<T, Error> + Send + 'static,
    ) -> Reply<T> {
        let (promise, reply) = promise();
        let keep = move |answer: Answer| promise.answer(answer.and_then(|(outcome, fds)| read(outcome, fds)));
        self.send(order, descriptors, Box::new(keep));
        reply
    }

    fn send(&self, order: Order, descriptors: &[BorrowedFd<'_>], keep: Box<dyn FnOnce(Answer) + Send>) {
        let mut expected = self.lock();
        if expected.lost {
            drop(expected);
            return keep(Err(Error::Lost));
        }
        expected.last += 1;
        let number = expected.last;
        expected.answers.insert(number, keep);
        drop(expected);
        if let Err(e) = self.channel.send(&Request { version: VERSION, number, order }, descriptors) {
            let keep = self.lock().answers.remove(&number);
            if let Some(keep) = keep {
                keep(Err(Error::system("give the order", e)));
            }
        }
    }

    fn expect_end(&self, exec: ExecId) -> Reply<ExitStatus> {
        let (promise, reply) = promise();
        self.lock().ends.insert(exec, promise);
        reply
    }

    fn read(&self, mut on_event: Box<dyn FnMut(Event) + Send>) {
        while let Ok(Some((message, descriptors))) = self.channel.receive() {
            match message {
                Message::Answer { number, outcome } => {
                    let keep = self.lock().answers.remove(&number);
                    if let Some(keep) = keep {
                        keep(outcome.map(|outcome| (outcome, descriptors)));
                    }
                }
                Message::Event(event) => on_event(event),
                Message::Ended { exec, status } => {
                    let ended = self.lock().ends.remove(&exec);
                    if let Some(ended) = ended {
                        ended.answer(Ok(status));
                    }
                }
            }
        }
        let mut expected = self.lock();
        expected.lost = true;
        let (answers, ends) = (std::mem::take(&mut expected.answers), std::mem::take(&mut expected.ends));
        let closed = expected.closed;
        drop(expected);
        answers.into_values().for_each(|keep| keep(Err(Error::Lost)));
        drop(ends);
        if !closed {
            on_event(Event::Lost);
        }
    }
}
