//! `ec2:TerminateInstances`.

use daypass_core::model::ec2::{TerminateInstancesRequest, TerminateInstancesResult, errors, ops};
use daypass_core::store::records::InstanceState;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::lifecycle::{user_initiated, user_shutdown};
use super::{change, load_all};
use crate::fault;
use crate::resource::Home;

operation!(TERMINATE_INSTANCES, ops::TerminateInstances, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &TerminateInstancesRequest) -> Result<Checks, StoreError> {
    super::ask_about_all(cx, tx, "ec2:TerminateInstances", &input.instance_ids)
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: TerminateInstancesRequest,
) -> Result<TerminateInstancesResult, Error> {
    if input.instance_ids.is_empty() {
        return Err(fault::missing("InstanceId").into());
    }
    let mut changes = vec![];
    for mut instance in load_all(tx, &Home::of(cx), &input.instance_ids)? {
        let before = instance.state;
        if instance.disable_api_termination && before != InstanceState::Terminated {
            let words = format!(
                "The instance '{}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
                instance.id
            );
            return Err(Fault::new(&errors::OPERATION_NOT_PERMITTED, words).into());
        }
        if !matches!(before, InstanceState::ShuttingDown | InstanceState::Terminated) {
            instance.desired = InstanceState::Terminated;
            instance.state = InstanceState::ShuttingDown;
            instance.state_reason = Some(user_shutdown());
            instance.transition_reason = user_initiated(cx.now());
            tx.put(&instance)?;
        }
        changes.push(change(&instance.id, before, instance.state));
    }
    Ok(TerminateInstancesResult { terminating_instances: Some(changes) })
}
