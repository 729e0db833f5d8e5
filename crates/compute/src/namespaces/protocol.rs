//! What the two halves say to each other.
//!
//! Every type refuses a field that it does not know, and every value is checked where it is read: the child does not
//! believe its parent, which parses what strangers send.

use crate::{
    Command, Controller, Error, Event, ExitStatus, InstanceId, InstanceSpec, InstanceStatus, ListenerKind,
    Signal, TerminalSize,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Both halves are the same program, so they always agree; a parent that found an older program on disk would not.
pub(super) const VERSION: u16 = 1;

/// An order, with the number that its answer shall carry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) version: u16,
    pub(super) number: u64,
    pub(super) order: Order,
}

/// What the parent can ask for. [`Order::Configure`] comes first and once; only [`Order::Check`] may be alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Order {
    Check(Configuration),
    Configure(Configuration),
    List,
    Inspect {
        id: InstanceId,
    },
    Start(Box<InstanceSpec>),
    Attach {
        id: InstanceId,
    },
    Stop {
        id: InstanceId,
        grace_seconds: u16,
    },
    Terminate {
        id: InstanceId,
    },
    /// With three descriptors beside it, or a terminal.
    Exec {
        id: InstanceId,
        command: Command,
        terminal: Option<TerminalSize>,
    },
    Signal {
        exec: ExecId,
        signal: Signal,
    },
}

/// Most instances that have a disk here; the status of all of them fits into one message.
pub(super) const INSTANCES_MAX: usize = 1024;

/// Longest time between SIGTERM and SIGKILL, in seconds.
pub(super) const GRACE_SECONDS_MAX: u16 = 600;

/// Number of a command; never used twice by a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct ExecId(pub(super) u64);

/// Where the driver keeps what it keeps, and what it may show. Given by whoever starts the program, never by a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The driver's own directory, made if it is not there; its file system must be able to hold an overlay's upper
    /// layer (ext4, xfs, btrfs and tmpfs can; another overlay and NFS cannot).
    pub directory: PathBuf,
    /// Directories that no instance may see, whatever their permissions say: the server's data. The driver's own is
    /// always among them. They must be there.
    pub hidden: Vec<PathBuf>,
    /// Directories below which an [`Image::Directory`](crate::Image::Directory) may be.
    pub images: Vec<PathBuf>,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Message {
    Answer { number: u64, outcome: Result<Outcome, Error> },
    Event(Event),
    Ended { exec: ExecId, status: ExitStatus },
}

/// What became of an order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Outcome {
    Done,
    Checked(Vec<Finding>),
    Statuses(Vec<InstanceStatus>),
    /// One descriptor beside it for each kind, in this order.
    Instance {
        kinds: Vec<ListenerKind>,
        absent: Vec<Controller>,
    },
    /// One descriptor beside it if the command has a terminal.
    Running {
        exec: ExecId,
    },
}

/// Something that the driver needs of the machine, and whether it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What is needed.
    pub need: String,
    /// Whether instances cannot run without it; otherwise only a limit cannot be enforced.
    pub required: bool,
    /// What is missing and what to do about it; nothing if it is there.
    pub remedy: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::super::channel::Channel;
    use super::*;
    use crate::State;

    #[test]
    fn the_status_of_all_instances_that_there_can_be_fits_into_one_message() {
        let status = |n: usize| InstanceStatus {
            id: format!("i-{n:017x}").parse().unwrap(),
            vpc: format!("vpc-{n:017x}").parse().unwrap(),
            private_ip: [255, 255, 255, 255].into(),
            state: State::Starting,
            absent: vec![Controller::Cpu, Controller::Memory, Controller::Pids],
        };
        let all = Outcome::Statuses((0..INSTANCES_MAX).map(status).collect());
        let (near, _far) = Channel::pair().unwrap();
        near.send(&Message::Answer { number: u64::MAX, outcome: Ok(all) }, &[]).unwrap();
    }

    #[test]
    fn an_order_with_something_unknown_in_it_is_refused() {
        let known = r#"{"version":1,"number":1,"order":{"inspect":{"id":"i-01234567"}}}"#;
        assert!(serde_json::from_str::<Request>(known).is_ok());
        for unknown in [
            r#"{"version":1,"number":1,"order":{"inspect":{"id":"i-01234567","as":"root"}}}"#,
            r#"{"version":1,"number":1,"order":{"inspect":{"id":"../../../etc"}}}"#,
            r#"{"version":1,"number":1,"order":{"mount":{"id":"i-01234567"}}}"#,
            r#"{"version":1,"number":1,"order":"list","extra":0}"#,
        ] {
            assert!(serde_json::from_str::<Request>(unknown).is_err(), "{unknown}");
        }
    }
}
