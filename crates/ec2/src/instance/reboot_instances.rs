//! `ec2:RebootInstances`: a stop and a start that nobody sees from outside.

use daypass_core::model::ec2::{RebootInstancesRequest, ops};
use daypass_core::store::records::InstanceState;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{incorrect_state, load_all};
use crate::fault;
use crate::launch::refuse_without_driver;
use crate::resource::Home;

operation!(REBOOT_INSTANCES, ops::RebootInstances, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &RebootInstancesRequest) -> Result<Checks, StoreError> {
    super::ask_about_all(cx, tx, "ec2:RebootInstances", &input.instance_ids)
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: RebootInstancesRequest) -> Result<(), Error> {
    if input.instance_ids.is_empty() {
        return Err(fault::missing("InstanceId").into());
    }
    for mut instance in load_all(tx, &Home::of(cx), &input.instance_ids)? {
        match instance.state {
            InstanceState::Running => {
                refuse_without_driver(cx)?;
                instance.generation += 1;
                tx.put(&instance)?;
            }
            // It starts anyway.
            InstanceState::Pending => {}
            _ => {
                let words = format!("The instance '{}' is not in the 'running' state.", instance.id);
                return Err(incorrect_state(words).into());
            }
        }
    }
    Ok(())
}
