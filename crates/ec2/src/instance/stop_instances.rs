//! `ec2:StopInstances`.

use daypass_core::model::ec2::{StopInstancesRequest, StopInstancesResult, errors, ops};
use daypass_core::store::records::InstanceState;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::lifecycle::{user_initiated, user_shutdown};
use super::{change, incorrect_state, load_all};
use crate::fault;
use crate::resource::Home;

operation!(STOP_INSTANCES, ops::StopInstances, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &StopInstancesRequest) -> Result<Checks, StoreError> {
    super::ask_about_all(cx, tx, "ec2:StopInstances", &input.instance_ids)
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: StopInstancesRequest) -> Result<StopInstancesResult, Error> {
    if input.instance_ids.is_empty() {
        return Err(fault::missing("InstanceId").into());
    }
    if input.hibernate == Some(true) {
        return Err(fault::unsupported("Instances of Daypass do not hibernate.").into());
    }
    let mut changes = vec![];
    for mut instance in load_all(tx, &Home::of(cx), &input.instance_ids)? {
        let before = instance.state;
        if instance.disable_api_stop && before == InstanceState::Running {
            let words = format!(
                "The instance '{}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
                instance.id
            );
            return Err(Fault::new(&errors::OPERATION_NOT_PERMITTED, words).into());
        }
        match before {
            InstanceState::Pending if instance.reached == 0 => {
                let words = format!(
                    "Instance '{}' cannot be stopped as it has never reached the 'running' state.",
                    instance.id
                );
                return Err(incorrect_state(words).into());
            }
            InstanceState::Pending | InstanceState::Running | InstanceState::Stopping => {
                instance.desired = InstanceState::Stopped;
                instance.state = InstanceState::Stopping;
                instance.stop_forced = input.force == Some(true) || input.skip_os_shutdown == Some(true);
                instance.state_reason = Some(user_shutdown());
                instance.transition_reason = user_initiated(cx.now());
                tx.put(&instance)?;
            }
            InstanceState::Stopped => {}
            InstanceState::ShuttingDown | InstanceState::Terminated => {
                let words = format!(
                    "This instance '{}' is not in a state from which it can be stopped.",
                    instance.id
                );
                return Err(incorrect_state(words).into());
            }
        }
        changes.push(change(&instance.id, before, instance.state));
    }
    Ok(StopInstancesResult { stopping_instances: Some(changes) })
}
