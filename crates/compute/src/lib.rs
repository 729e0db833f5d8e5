//! Instances: started, stopped and inspected from a specification, drivers behind one trait.
//!
//! [`Driver`] is the whole contract. What an instance shall be is an [`InstanceSpec`]; what comes back is an
//! [`Instance`]: listening sockets, each of which only that one instance can reach. A connection taken from one of
//! them is therefore proof of who is asking, whatever address, header or name was sent over it.
//!
//! - [`namespaces`]: the real driver, on Linux. A small privileged child makes namespaces, links and mounts on typed
//!   orders; the process that parses requests needs no privileges.
//! - [`memory`]: a test double. Nothing runs in it.
//!
//! The crate reads no clock and no environment, and it keeps nothing that the caller's own store should keep: which
//! instances ought to run is decided above, and said again by [`Driver::start`] whenever they must.

mod address;
mod driver;
mod execute;
mod id;
pub mod memory;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod namespaces;
mod reply;
mod specification;

pub use address::{Cidr, MacAddress};
pub use driver::{
    Controller, Driver, Error, Event, Instance, InstanceStatus, Listener, ListenerKind, State, StopReason,
};
pub use execute::{Command, Exec, ExitStatus, Signal, Signaller, Streams, TerminalSize, User};
pub use id::{InstanceId, VpcId};
pub use reply::{Promise, Reply, promise};
pub use specification::{
    Environment, Hostname, Image, InstanceSpec, Limits, Network, Privileges, UserData, Vpc,
};

/// A value that a specification may not hold, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{value}` is not valid: {reason}")]
pub struct Invalid {
    what: &'static str,
    value: String,
    reason: &'static str,
}

impl Invalid {
    /// Longest piece of a refused value that an error repeats, in characters.
    const SHOWN_MAX: usize = 80;

    fn new(what: &'static str, value: impl std::fmt::Display, reason: &'static str) -> Self {
        let value = value.to_string().chars().take(Self::SHOWN_MAX).collect();
        Self { what, value, reason }
    }
}
