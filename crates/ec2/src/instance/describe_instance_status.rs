//! `ec2:DescribeInstanceStatus`: of instances that run, unless all are asked for.

use daypass_core::model::ec2::{
    DescribeInstanceStatusRequest, DescribeInstanceStatusResult, InstanceStatus, InstanceStatusDetails,
    InstanceStatusSummary, StatusName, StatusType, SummaryStatus, ops,
};
use daypass_core::store::records::{Instance, InstanceState};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::view::{Alone, state_code, state_name};
use super::{is_shown, load_all, state};
use crate::filter::{self, Field, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_INSTANCE_STATUS, ops::DescribeInstanceStatus, checks, run);

const FILTERS: &[Field<Alone>] = &[
    ("availability-zone", |a| one(&a.0.network.availability_zone)),
    ("availability-zone-id", |a| one(&a.0.network.availability_zone_id)),
    ("event.code", |_| vec![]),
    ("event.description", |_| vec![]),
    ("event.instance-event-id", |_| vec![]),
    ("event.not-after", |_| vec![]),
    ("event.not-before", |_| vec![]),
    ("event.not-before-deadline", |_| vec![]),
    ("instance-state-code", |a| one(state_code(a.0.state))),
    ("instance-state-name", |a| one(state_name(a.0.state))),
    ("instance-status.reachability", |a| reachability(&a.0)),
    ("instance-status.status", |a| one(status(&a.0))),
    ("operator.managed", |_| one(false)),
    ("system-status.reachability", |a| reachability(&a.0)),
    ("system-status.status", |a| one(status(&a.0))),
];

fn runs(instance: &Instance) -> bool {
    instance.state == InstanceState::Running
}

fn status(instance: &Instance) -> &'static str {
    if runs(instance) { "ok" } else { "not-applicable" }
}

fn reachability(instance: &Instance) -> Vec<String> {
    runs(instance).then(|| "passed".to_owned()).into_iter().collect()
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeInstanceStatusRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeInstanceStatus").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeInstanceStatusRequest,
) -> Result<DescribeInstanceStatusResult, Error> {
    let home = Home::of(cx);
    let instances = match input.instance_ids.as_slice() {
        [] => Instance::list(tx, &home)?,
        ids => load_all(tx, &home, ids)?,
    };
    let all = input.include_all_instances == Some(true);
    let shown = |i: &Instance| is_shown(i, cx.now()) && (all || runs(i));
    let instances = instances.into_iter().filter(shown).map(Alone).collect();
    let instances = filter::select(instances, &input.filters, FILTERS)?;
    let (instances, next_token) =
        Page::new(input.max_results, input.next_token.as_ref()).take(cx, instances)?;
    let statuses = instances.iter().map(|a| describe(&a.0)).collect();
    Ok(DescribeInstanceStatusResult { instance_statuses: Some(statuses), next_token })
}

fn describe(instance: &Instance) -> InstanceStatus {
    let summary = InstanceStatusSummary {
        details: runs(instance).then(|| {
            vec![InstanceStatusDetails {
                name: Some(StatusName::Reachability),
                status: Some(StatusType::Passed),
                impaired_since: None,
            }]
        }),
        status: Some(if runs(instance) { SummaryStatus::Ok_ } else { SummaryStatus::NotApplicable }),
    };
    InstanceStatus {
        availability_zone: Some(instance.network.availability_zone.clone()),
        availability_zone_id: Some(instance.network.availability_zone_id.clone()),
        instance_id: Some(instance.id.clone()),
        instance_state: Some(state(instance.state)),
        instance_status: Some(summary.clone()),
        system_status: Some(summary),
        ..InstanceStatus::default()
    }
}
