//! What makes instances real, as EC2 needs it.

use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;

use daypass_core::store::records::Instance;
use thiserror::Error;

use crate::instance_type::InstanceType;

/// Starts, stops and ends the machines behind instances. Each order can be given again: what is done already succeeds.
pub trait Machines: Send + Sync + 'static {
    /// Starts a machine, with its disk if it has one and with a new one otherwise. Its metadata service answers before
    /// its first process runs.
    fn start(&self, launch: Launch) -> Order<'_, ()>;

    /// Takes charge of a machine that runs already: one that was started before this process was.
    fn adopt(&self, launch: Launch) -> Order<'_, ()>;

    /// Stops a machine and keeps its disk; `forced` means without asking its processes to end. One that is not there is
    /// stopped.
    fn stop(&self, id: &str, forced: bool) -> Order<'_, ()>;

    /// Ends a machine and removes its disk. One that is not there is ended.
    fn terminate(&self, id: &str) -> Order<'_, ()>;

    /// Whether a machine runs.
    fn inspect(&self, id: &str) -> Order<'_, Presence>;
}

/// An order under way.
pub type Order<'a, T> = Pin<Box<dyn Future<Output = Result<T, OrderError>> + Send + 'a>>;

/// Whether a machine is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing of it.
    Absent,
    /// Its disk.
    Stopped,
    /// It runs.
    Running,
}

/// An order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OrderError {
    /// It never will be, as it is.
    #[error("{0}")]
    Refused(String),
    /// It may be later.
    #[error("{0}")]
    Failed(String),
}

/// Something that happened without an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A machine is down that was not ordered to stop.
    Stopped {
        /// The instance's id.
        id: String,
        /// Whether it shut itself down, rather than being killed or lost.
        by_itself: bool,
    },
    /// Whatever starts machines is gone and was replaced: who runs has to be found out again.
    Lost,
}

/// Everything that a machine is started from: the instance's record, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The record.
    pub instance: Instance,
    /// Virtual processors.
    pub vcpus: i32,
    /// Memory, in MiB.
    pub memory_mib: i64,
    /// Its name for itself.
    pub hostname: String,
    /// Its address.
    pub private_ip: Ipv4Addr,
}

impl Launch {
    /// The launch of an instance as it is recorded.
    #[must_use]
    pub fn of(instance: &Instance) -> Self {
        let kind = InstanceType::named(&instance.instance_type);
        Self {
            vcpus: kind.map_or(1, InstanceType::vcpus),
            memory_mib: kind.map_or(1024, InstanceType::memory_mib),
            hostname: instance.private_dns_name(),
            private_ip: instance.network.private_ip,
            instance: instance.clone(),
        }
    }
}
