//! What a change of state does to a record.

use daypass_core::model::Timestamp;
use daypass_core::store::records::{Instance, InstanceState, StateReason};
use daypass_core::store::{StoreError, Tx};

use crate::{address, volume};

/// `User initiated (2026-11-22 02:14:00 GMT)`, as `StateTransitionReason` says it.
pub(super) fn user_initiated(now: Timestamp) -> String {
    // `2026-11-22T02:14:00Z`
    let text = now.truncated().to_string();
    format!("User initiated ({} GMT)", text.trim_end_matches('Z').replacen('T', " ", 1))
}

/// The reason of a stop or a termination that was asked for.
pub(super) fn user_shutdown() -> StateReason {
    reason("Client.UserInitiatedShutdown", "User initiated shutdown")
}

/// A reason as EC2 words it: its code, and the code with words.
pub(crate) fn reason(code: &str, words: &str) -> StateReason {
    StateReason { code: code.to_owned(), message: format!("{code}: {words}") }
}

/// An instance has come to its end: it gives back its address and its volumes, and its record stays for an hour.
pub(crate) fn end(tx: &mut Tx<'_>, instance: &mut Instance, now: Timestamp) -> Result<(), StoreError> {
    let home = super::home(instance);
    address::release(tx, &home, &instance.network.subnet_id, instance.network.private_ip);
    volume::let_go(tx, instance)?;
    instance.desired = InstanceState::Terminated;
    instance.state = InstanceState::Terminated;
    instance.ended = Some(now);
    instance.volumes.clear();
    instance.profile = None;
    instance.user_data = None;
    tx.put(instance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_aws_tells_them() {
        let time = Timestamp::from_seconds(daypass_core::testing::NOW);
        assert_eq!(user_initiated(time), "User initiated (2026-11-22 02:14:00 GMT)");
    }
}
