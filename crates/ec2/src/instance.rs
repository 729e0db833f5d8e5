//! Instances, as EC2 shows them. The record is the store's, for others read it too; what makes it real is the
//! [`reconcile`](crate::reconcile)r.

mod attribute;
mod credit_specification;
mod describe_instance_status;
mod describe_instances;
mod get_console_output;
mod get_instance_uefi_data;
mod lifecycle;
mod monitoring;
mod reboot_instances;
mod start_instances;
mod stop_instances;
mod terminate_instances;
mod view;

use daypass_core::model::Timestamp;
use daypass_core::model::ec2::{self, InstanceStateChange, InstanceStateName, errors};
use daypass_core::store::records::{Endpoint, HttpTokens, Instance, InstanceState, Tag};
use daypass_core::store::{Read, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Entry, Error, Fault};

use crate::resource::{Home, Kind, Resource};

pub(crate) use credit_specification::check as check_credits;
pub(crate) use describe_instances::reservation;
pub(crate) use lifecycle::{end, reason};
pub(crate) use view::{Shown, groups, metadata};

pub(crate) const OPERATIONS: &[&Entry] = &[
    &attribute::describe::DESCRIBE_INSTANCE_ATTRIBUTE,
    &attribute::modify::MODIFY_INSTANCE_ATTRIBUTE,
    &credit_specification::DESCRIBE_INSTANCE_CREDIT_SPECIFICATIONS,
    &credit_specification::MODIFY_INSTANCE_CREDIT_SPECIFICATION,
    &describe_instance_status::DESCRIBE_INSTANCE_STATUS,
    &describe_instances::DESCRIBE_INSTANCES,
    &get_console_output::GET_CONSOLE_OUTPUT,
    &get_instance_uefi_data::GET_INSTANCE_UEFI_DATA,
    &monitoring::MONITOR_INSTANCES,
    &monitoring::UNMONITOR_INSTANCES,
    &reboot_instances::REBOOT_INSTANCES,
    &start_instances::START_INSTANCES,
    &stop_instances::STOP_INSTANCES,
    &terminate_instances::TERMINATE_INSTANCES,
];

/// A terminated instance is shown for an hour (EC2 User Guide, "Terminate your instance").
const SHOWN_SECONDS: i64 = 3600;

impl Resource for Instance {
    const KIND: &'static Kind = &Kind {
        name: "instance",
        prefix: "i",
        malformed: "InvalidInstanceID.Malformed",
        not_found: |id| {
            let words = format!("The instance ID '{id}' does not exist");
            Fault::new(&errors::INVALID_INSTANCE_ID_NOT_FOUND, words)
        },
    };

    fn id(&self) -> &str {
        &self.id
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }

    fn describe(&self, check: Check) -> Check {
        check
            .with("ec2:InstanceID", self.id.clone())
            .with("ec2:InstanceType", self.instance_type.clone())
            .with("ec2:AvailabilityZone", self.network.availability_zone.clone())
            .with("ec2:AvailabilityZoneId", self.network.availability_zone_id.clone())
            .with_flag("ec2:EbsOptimized", self.ebs_optimized)
            .with("ec2:InstanceMarketType", "on-demand")
            .with("ec2:InstanceMetadataTags", endpoint(self.metadata.instance_metadata_tags))
            .with_some("ec2:InstanceProfile", self.profile.as_ref().map(|p| p.profile_arn.clone()))
            .with("ec2:MetadataHttpEndpoint", endpoint(self.metadata.http_endpoint))
            .with_number("ec2:MetadataHttpPutResponseHopLimit", self.metadata.hop_limit.into())
            .with("ec2:MetadataHttpTokens", tokens(self.metadata.http_tokens))
            .with("ec2:RootDeviceType", "ebs")
            .with("ec2:Tenancy", "default")
    }
}

/// `enabled` or `disabled`.
pub(crate) fn endpoint(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Enabled => "enabled",
        Endpoint::Disabled => "disabled",
    }
}

/// `optional` or `required`.
pub(crate) fn tokens(tokens: HttpTokens) -> &'static str {
    match tokens {
        HttpTokens::Optional => "optional",
        HttpTokens::Required => "required",
    }
}

/// Where an instance stands.
pub(crate) fn home(instance: &Instance) -> Home {
    Home { account: instance.account.clone(), region: instance.region.clone() }
}

/// Whether it still holds what it stands on: its address, its groups, its volumes.
pub(crate) fn is_on(instance: &Instance) -> bool {
    instance.state != InstanceState::Terminated
}

/// Whether it is still shown.
pub(crate) fn is_shown(instance: &Instance, now: Timestamp) -> bool {
    instance.ended.is_none_or(|ended| now < ended.plus_seconds(SHOWN_SECONDS))
}

/// The instance of that id, or EC2's refusal.
pub(crate) fn load(tx: &impl Read, home: &Home, id: &str) -> Result<Instance, Error> {
    <Instance as Resource>::load(tx, home, id)
}

/// The instances of these ids, each once and in the order of the request; the refusal names all that are missing.
pub(crate) fn load_all(tx: &impl Read, home: &Home, ids: &[String]) -> Result<Vec<Instance>, Error> {
    let (mut found, mut missing): (Vec<Instance>, Vec<&str>) = (vec![], vec![]);
    for id in ids {
        let id = Instance::KIND.check(id)?;
        if found.iter().any(|i| i.id == id) {
            continue;
        }
        match Instance::find(tx, home, id)? {
            Some(instance) => found.push(instance),
            None => missing.push(id),
        }
    }
    match missing.as_slice() {
        [] => Ok(found),
        [one] => Err((Instance::KIND.not_found)(one).into()),
        several => {
            let words = format!("The instance IDs '{}' do not exist", several.join(", "));
            Err(Fault::new(&errors::INVALID_INSTANCE_ID_NOT_FOUND, words).into())
        }
    }
}

/// May the caller do this to each of these instances?
fn ask_about_all(cx: &Cx, tx: &Tx<'_>, action: &'static str, ids: &[String]) -> Result<Checks, StoreError> {
    let mut checks = vec![];
    for id in ids {
        checks.push(Instance::ask(cx, tx, action, id)?);
    }
    let mut checks = checks.into_iter();
    let first = match checks.next() {
        Some(first) => first,
        None => Instance::ask(cx, tx, action, "*")?,
    };
    Ok(Checks::from(first).and_all(checks))
}

/// A state as the API answers it (EC2 API Reference, InstanceState).
pub(crate) fn state(state: InstanceState) -> ec2::InstanceState {
    let (code, name) = match state {
        InstanceState::Pending => (0, InstanceStateName::Pending),
        InstanceState::Running => (16, InstanceStateName::Running),
        InstanceState::ShuttingDown => (32, InstanceStateName::ShuttingDown),
        InstanceState::Terminated => (48, InstanceStateName::Terminated),
        InstanceState::Stopping => (64, InstanceStateName::Stopping),
        InstanceState::Stopped => (80, InstanceStateName::Stopped),
    };
    ec2::InstanceState { code: Some(code), name: Some(name) }
}

/// A change of state as the API answers it.
fn change(id: &str, from: InstanceState, to: InstanceState) -> InstanceStateChange {
    InstanceStateChange {
        instance_id: Some(id.to_owned()),
        current_state: Some(state(to)),
        previous_state: Some(state(from)),
    }
}

/// The refusal of an operation that an instance is in the wrong state for.
pub(crate) fn incorrect_state(words: impl Into<String>) -> Fault {
    Fault::new(&errors::INCORRECT_INSTANCE_STATE, words)
}
