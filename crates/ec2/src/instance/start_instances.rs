//! `ec2:StartInstances`.

use daypass_core::model::ec2::{StartInstancesRequest, StartInstancesResult, ops};
use daypass_core::store::records::InstanceState;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{change, incorrect_state, load_all};
use crate::fault;
use crate::launch::refuse_without_driver;
use crate::resource::Home;

operation!(START_INSTANCES, ops::StartInstances, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &StartInstancesRequest) -> Result<Checks, StoreError> {
    super::ask_about_all(cx, tx, "ec2:StartInstances", &input.instance_ids)
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: StartInstancesRequest) -> Result<StartInstancesResult, Error> {
    if input.instance_ids.is_empty() {
        return Err(fault::missing("InstanceId").into());
    }
    let mut changes = vec![];
    for mut instance in load_all(tx, &Home::of(cx), &input.instance_ids)? {
        let before = instance.state;
        match before {
            InstanceState::Stopped => {
                refuse_without_driver(cx)?;
                instance.desired = InstanceState::Running;
                instance.state = InstanceState::Pending;
                instance.generation += 1;
                instance.launched = cx.now();
                instance.stop_forced = false;
                instance.state_reason = None;
                instance.transition_reason.clear();
                tx.put(&instance)?;
            }
            InstanceState::Pending | InstanceState::Running => {}
            _ => {
                let words =
                    format!("The instance '{}' is not in a state from which it can be started.", instance.id);
                return Err(incorrect_state(words).into());
            }
        }
        changes.push(change(&instance.id, before, instance.state));
    }
    Ok(StartInstancesResult { starting_instances: Some(changes) })
}
