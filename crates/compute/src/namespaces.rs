//! Instances from namespaces of the Linux kernel.
//!
//! # Who does what
//! [`Host`] is the face of the driver, in the process that parses requests. It needs no privileges. It starts a child,
//! the same program with a hidden subcommand ([`child::main`]), which has one thread and the privileges listed by
//! [`check`], and which knows nothing but typed orders over a socket pair. The child makes what an order asks for and
//! hands listening sockets back. Whoever takes over the parent can start, stop and enter instances; what instances can
//! be made of is fixed by the [`Configuration`] that the child was given before the first request was read.
//!
//! # What stands for an instance
//! - A process tree in user, mount, pid, network, ipc, uts and cgroup namespaces of its own. Its ids 0 to 65535 are ids
//!   of the host that belong to nobody else. Its first process stays in this program's code, cannot be traced or
//!   inspected from inside, and survives the death of server and child.
//! - A link (veth) into the network namespace of its VPC. Nothing but routes connects the links of a VPC; the kernel
//!   drops what comes in by a link with a source address that belongs to another (`rp_filter`), and listeners are bound
//!   to the link, so that an address, also with its owner's MAC address, gets an instance nothing.
//! - A record, a disk (the upper layer of an overlay) and control groups. The VPC's namespace is kept by its
//!   instances: each first process holds it open, so it lives exactly as long as they do, and a new child finds it there.
//!
//! # What root inside may do
//! Capabilities, all of them over its own namespaces only: `CHOWN`, `DAC_OVERRIDE`, `FOWNER`, `FSETID`, `KILL`,
//! `NET_BIND_SERVICE`, `SETFCAP`, `SETGID`, `SETPCAP`, `SETUID`, `SYS_CHROOT`. That is what container engines give, less
//! `MKNOD` and `AUDIT_WRITE` (useless in a user namespace) and `NET_RAW` (`ping` works without). `no_new_privs` is not
//! set, so that `sudo` works in an image of its own; nothing inside can lead to an id outside of the instance's range.
//! A filter refuses the system calls that have no use in an instance and a history of holes.
//!
//! # Time to stop
//! The first process takes SIGTERM, from outside or inside, as the order to shut down: it passes it on to everything
//! that runs, waits for the end of it and ends itself.

mod channel;
pub mod child;
mod host;
mod inside;
mod protocol;
mod sys;

pub use host::{Host, check};
pub use protocol::{Configuration, Finding};
