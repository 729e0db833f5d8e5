//! The contract of every driver.

use crate::{Command, Exec, InstanceId, InstanceSpec, Invalid, Reply, Streams, VpcId};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

/// Starts, stops, inspects instances and runs commands in them.
///
/// Every call returns at once; the [`Reply`] is waited for or awaited. Calls may be made from any thread. Dropping a
/// driver does not stop what it started.
pub trait Driver: Send + Sync {
    /// Starts an instance, with a new disk if it has none yet and with the disk that it has otherwise.
    ///
    /// The answer comes when it is ready: its listeners accept connections before its first process runs.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::AddressInUse`], [`Error::NotStopped`], [`Error::Busy`], [`Error::TooMany`],
    /// [`Error::System`], [`Error::Lost`]. After an error nothing of it runs.
    fn start(&self, spec: InstanceSpec) -> Reply<Instance>;

    /// Opens the listeners of an instance that runs, after the process that held them died.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotRunning`], [`Error::System`] (also when they are still held), [`Error::Lost`].
    fn attach(&self, id: InstanceId) -> Reply<Instance>;

    /// Stops an instance: its processes are asked to end, and killed when `grace` (in whole seconds, at most ten
    /// minutes) is over. The answer comes when none is left. Its disk is kept. Stopping what is stopped succeeds.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Busy`], [`Error::System`], [`Error::Lost`].
    fn stop(&self, id: InstanceId, grace: Duration) -> Reply<()>;

    /// Kills an instance and removes its disk. What is not there counts as terminated.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::System`], [`Error::Lost`].
    fn terminate(&self, id: InstanceId) -> Reply<()>;

    /// All instances that have a disk here, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Lost`].
    fn instances(&self) -> Reply<Vec<InstanceStatus>>;

    /// One instance.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Lost`].
    fn inspect(&self, id: InstanceId) -> Reply<InstanceStatus>;

    /// Runs a command inside an instance, confined as everything in it is.
    ///
    /// The answer comes when the program runs.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotRunning`], [`Error::Command`] if the program cannot be run, [`Error::TooMany`],
    /// [`Error::System`], [`Error::Lost`], [`Error::NotSupported`].
    fn exec(&self, id: InstanceId, command: Command, streams: Streams) -> Reply<Exec>;
}

/// An instance that runs, as its driver hands it over.
#[derive(Debug)]
pub struct Instance {
    /// Which one.
    pub id: InstanceId,
    /// Where it is listened for. Dropping one closes it.
    pub listeners: Vec<Listener>,
    /// Limits that the machine cannot enforce, because the controller is not there.
    pub absent: Vec<Controller>,
}

/// A listening socket that one instance alone can reach.
#[derive(Debug)]
pub struct Listener {
    /// The instance that every connection taken from it belongs to.
    pub instance: InstanceId,
    /// What the instance expects there.
    pub kind: ListenerKind,
    /// The socket, non-blocking.
    pub socket: TcpListener,
}

/// What an instance expects behind a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenerKind {
    /// The metadata service at 169.254.169.254, port 80.
    Metadata,
    /// The metadata service at fd00:ec2::254, port 80; not there on a machine without IPv6.
    MetadataIpv6,
    /// The API at [`Vpc::api_address`](crate::Vpc::api_address).
    Api,
    /// The API at 127.0.0.1, inside the instance. Not there after [`Driver::attach`] if a process inside took the port
    /// while nobody listened.
    ApiLoopback,
}

/// What a driver knows of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceStatus {
    /// Which one.
    pub id: InstanceId,
    /// The VPC that it stands in.
    pub vpc: VpcId,
    /// Its private address.
    pub private_ip: Ipv4Addr,
    /// Whether it runs.
    pub state: State,
    /// Limits that the machine cannot enforce; empty if it does not run.
    pub absent: Vec<Controller>,
}

/// Where an instance is in its life. One that is terminated is no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// On its way up.
    Starting,
    /// Its first process runs.
    Running,
    /// On its way down, by order.
    Stopping,
    /// Nothing of it runs; its disk is kept.
    Stopped,
}

/// A part of the kernel that enforces a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Controller {
    /// Processor time.
    Cpu,
    /// Memory.
    Memory,
    /// Number of processes.
    Pids,
}

/// Something that happened without an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Event {
    /// An instance is down that was not ordered to stop. Its disk is kept.
    Stopped {
        /// Which one.
        id: InstanceId,
        /// How it came.
        reason: StopReason,
    },
    /// The driver can no longer take orders. Instances run on; a new driver over the same directory finds them.
    Lost,
}

/// How an instance came to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It shut itself down from inside.
    Shutdown,
    /// Its first process was killed: from outside, or for want of memory.
    Killed,
    /// It was found dead, or ended under a driver that did not start it.
    Unknown,
}

/// Why a driver did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[non_exhaustive]
pub enum Error {
    /// The specification or command cannot be carried out as it is.
    #[error("{0}")]
    Invalid(String),
    /// There is no such instance.
    #[error("there is no instance `{0}`")]
    NotFound(InstanceId),
    /// It is to be started but runs already.
    #[error("instance `{0}` is not stopped")]
    NotStopped(InstanceId),
    /// It must run for this and does not.
    #[error("instance `{0}` does not run")]
    NotRunning(InstanceId),
    /// Another order for it is on its way.
    #[error("instance `{0}` is busy with another order")]
    Busy(InstanceId),
    /// Another instance of the VPC has the address.
    #[error("address `{0}` is in use in the VPC")]
    AddressInUse(Ipv4Addr),
    /// A limit of the driver is reached.
    #[error("there are too many {0}")]
    TooMany(String),
    /// The program of a command cannot be run inside.
    #[error("`{program}` cannot be run: {reason}")]
    Command {
        /// The program, as it was given.
        program: String,
        /// Whether it is there, but may not be executed (a shell's 126 rather than 127).
        found: bool,
        /// The kernel's word for it.
        reason: String,
    },
    /// The machine did not do its part.
    #[error("cannot {doing}: {reason}")]
    System {
        /// What was being done.
        doing: String,
        /// The kernel's word for it.
        reason: String,
    },
    /// The driver's other half is gone, and with it the answer: ask a new driver what became of it.
    #[error("the instance driver is gone")]
    Lost,
    /// This driver does not do that.
    #[error("this driver cannot {0}")]
    NotSupported(String),
}

impl Error {
    pub(crate) fn system(doing: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::System { doing: doing.into(), reason: reason.to_string() }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid.to_string())
    }
}
