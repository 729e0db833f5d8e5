//! The next step toward what a record says: a function of the record and of what runs, and nothing else.

use daypass_core::store::records::{Instance, InstanceState};

use crate::machines::Presence;

/// What to do next about an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is what it should be.
    Nothing,
    /// Start its machine, then record that it runs.
    Start,
    /// Take charge of its machine, which runs; then record that it does.
    Adopt,
    /// Stop its machine, to start it again.
    Restart,
    /// Stop its machine, then record that it is stopped.
    Stop,
    /// Record that it is stopped, which it is.
    RecordStopped,
    /// End its machine, then record that it is terminated.
    Terminate,
    /// Record that it ended without an order.
    RecordEnded {
        /// Whether it shut itself down.
        by_itself: bool,
    },
}

/// What this process knows of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    /// It was started or adopted here, and nobody told since that it ended.
    Ours,
    /// It was told to have ended without an order.
    Ended {
        /// Whether it shut itself down.
        by_itself: bool,
    },
    /// Nothing: this process is new, or what starts machines is.
    Unknown,
}

/// The next step.
pub(super) fn next(instance: &Instance, presence: Presence, charge: Charge) -> Step {
    use InstanceState::{Pending, Running, Stopped, Terminated};
    let (runs, ours) = (presence == Presence::Running, charge == Charge::Ours);
    let due = instance.reached < instance.generation;
    match instance.desired {
        Terminated if instance.state == Terminated => Step::Nothing,
        Terminated => Step::Terminate,
        Stopped if runs => Step::Stop,
        Stopped if instance.state == Stopped => Step::Nothing,
        Stopped => Step::RecordStopped,
        // A start that was carried out but not recorded: nothing else can run under this id.
        Running
            if due && instance.state == Pending && runs && instance.reached + 1 == instance.generation =>
        {
            Step::Adopt
        }
        // A reboot.
        Running if due && runs => Step::Restart,
        Running if due => Step::Start,
        Running if runs && ours => Step::Nothing,
        Running if runs => Step::Adopt,
        Running => match charge {
            Charge::Ended { by_itself } => Step::RecordEnded { by_itself },
            // It ran when somebody last looked, and went down with its host or with what held it: it comes back, as
            // EC2 recovers an instance whose host has failed.
            Charge::Ours | Charge::Unknown => Step::Start,
        },
        // Nobody asks for what is only on the way.
        _ => Step::Nothing,
    }
}
