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
    RecordEnded,
}

/// The next step. `ours` says that this process has started or adopted the machine and was not told since that it ended.
pub(super) fn next(instance: &Instance, presence: Presence, ours: bool) -> Step {
    use InstanceState::{Pending, Running, Stopped, Terminated};
    let runs = presence == Presence::Running;
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
        Running => Step::RecordEnded,
        // Nobody asks for what is only on the way.
        _ => Step::Nothing,
    }
}
