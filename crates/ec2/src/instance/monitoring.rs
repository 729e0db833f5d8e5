//! `ec2:MonitorInstances` and `ec2:UnmonitorInstances`: whether detailed monitoring is asked for. Nothing is measured.

use daypass_core::model::ec2::{
    InstanceMonitoring, MonitorInstancesRequest, MonitorInstancesResult, Monitoring, MonitoringState,
    UnmonitorInstancesRequest, UnmonitorInstancesResult, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, operation};

use super::load_all;
use crate::fault;
use crate::resource::Home;

operation!(
    MONITOR_INSTANCES,
    ops::MonitorInstances,
    |cx, tx, input| super::ask_about_all(cx, tx, "ec2:MonitorInstances", &input.instance_ids),
    monitor
);
operation!(
    UNMONITOR_INSTANCES,
    ops::UnmonitorInstances,
    |cx, tx, input| super::ask_about_all(cx, tx, "ec2:UnmonitorInstances", &input.instance_ids),
    unmonitor
);

fn monitor(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: MonitorInstancesRequest,
) -> Result<MonitorInstancesResult, Error> {
    Ok(MonitorInstancesResult { instance_monitorings: Some(set(cx, tx, &input.instance_ids, true)?) })
}

fn unmonitor(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UnmonitorInstancesRequest,
) -> Result<UnmonitorInstancesResult, Error> {
    Ok(UnmonitorInstancesResult { instance_monitorings: Some(set(cx, tx, &input.instance_ids, false)?) })
}

fn set(cx: &Cx, tx: &mut Tx<'_>, ids: &[String], on: bool) -> Result<Vec<InstanceMonitoring>, Error> {
    if ids.is_empty() {
        return Err(fault::missing("InstanceId").into());
    }
    let mut answers = vec![];
    for mut instance in load_all(tx, &Home::of(cx), ids)? {
        // The change is under way in the answer, and done in the next.
        let state = match (on, instance.monitoring) {
            (true, true) => MonitoringState::Enabled,
            (true, false) => MonitoringState::Pending,
            (false, true) => MonitoringState::Disabling,
            (false, false) => MonitoringState::Disabled,
        };
        instance.monitoring = on;
        tx.put(&instance)?;
        answers.push(InstanceMonitoring {
            instance_id: Some(instance.id),
            monitoring: Some(Monitoring { state: Some(state) }),
        });
    }
    Ok(answers)
}
