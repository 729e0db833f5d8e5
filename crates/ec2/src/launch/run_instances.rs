//! `ec2:RunInstances`: the records of new instances, which the reconciler then makes real.

use daypass_core::model::ec2::{Reservation, RunInstancesRequest, ShutdownBehavior, errors, ops};
use daypass_core::store::Tx;
use daypass_core::store::records::{Instance, InstanceState, NetworkInterface, ProfileAssociation, Tag};
use daypass_core::{Cx, Error, Fault, operation};

use super::plan::{MADE, Plan};
use super::{questions, refuse_without_driver};
use crate::idempotency::Token;
use crate::instance::{Shown, is_on, reservation};
use crate::instance_type::InstanceType;
use crate::resource::{Home, Resource};
use crate::volume::NewVolume;
use crate::{address, default_network, region};

operation!(RUN_INSTANCES, ops::RunInstances, questions::checks, run);

/// So many virtual processors the instances of a region may have. EC2's quotas of that kind start lower and rise with use.
const MAX_VCPUS: i32 = 1152;

fn run(cx: &Cx, tx: &mut Tx<'_>, input: RunInstancesRequest) -> Result<Reservation, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let token = Token::of(input.client_token.as_ref(), input.clone());
    if let Some(reservation_id) = token.made(cx, tx)? {
        return launched_before(tx, &home, &reservation_id);
    }
    refuse_without_driver(cx)?;
    let plan = Plan::new(cx, tx, &input)?;
    // Where the request made the region's first network itself, there was no plan to ask about before.
    cx.authorize(&questions::of_plan(cx, tx, &plan, &input)?)?;
    let most = within_quota(tx, &home, &plan)?;
    let reservation_id = cx.ids().resource_id("r");
    let mut launched = vec![];
    for index in 0..most {
        match launch(cx, tx, &plan, &reservation_id, index) {
            Ok(instance) => launched.push(instance),
            // As many as there is room for, if they are enough.
            Err(Error::Fault(fault)) if is_full(&fault) && index >= plan.least => break,
            Err(error) => return Err(error),
        }
    }
    token.remember(cx, tx, &reservation_id)?;
    let show = |instance| Shown::new(tx, instance);
    let shown = launched.into_iter().map(show).collect::<Result<Vec<_>, _>>()?;
    Ok(reservation(&shown))
}

fn is_full(fault: &Fault) -> bool {
    fault.code == errors::INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET.code
}

/// What the same request made when it came the first time, as it is now.
fn launched_before(tx: &Tx<'_>, home: &Home, reservation_id: &str) -> Result<Reservation, Error> {
    let mut instances = Instance::list(tx, home)?;
    instances.retain(|i| i.reservation_id == reservation_id);
    instances.sort_by_key(|i| i.launch_index);
    let show = |instance| Shown::new(tx, instance);
    let shown = instances.into_iter().map(show).collect::<Result<Vec<_>, _>>()?;
    if shown.is_empty() {
        let words = "The client token was used for instances that are gone.";
        return Err(Fault::new(&errors::IDEMPOTENT_PARAMETER_MISMATCH, words).into());
    }
    Ok(reservation(&shown))
}

/// How many instances are launched: as many as are asked for at most, if they fit, and as many as fit otherwise.
fn within_quota(tx: &Tx<'_>, home: &Home, plan: &Plan) -> Result<i32, Error> {
    let vcpus = |i: &Instance| InstanceType::named(&i.instance_type).map_or(0, InstanceType::vcpus);
    let now: i32 = Instance::list(tx, home)?.iter().filter(|i| is_on(i)).map(vcpus).sum();
    let fit = MAX_VCPUS.saturating_sub(now).checked_div(plan.kind.vcpus()).unwrap_or(0);
    if fit >= plan.least {
        return Ok(plan.most.min(fit));
    }
    let words = format!(
        "You have requested more vCPU capacity than your current vCPU limit of {MAX_VCPUS} allows for the instance bucket that the specified instance type belongs to."
    );
    Err(crate::fault::coded("VcpuLimitExceeded", words).into())
}

/// Records one instance with all that it stands on.
fn launch(
    cx: &Cx,
    tx: &mut Tx<'_>,
    plan: &Plan,
    reservation_id: &str,
    index: i32,
) -> Result<Instance, Error> {
    let interface_id = cx.ids().resource_id("eni");
    let place = &plan.place;
    let private_ip = address::take(cx, tx, &place.subnet, place.private_ip, &interface_id)?;
    let new_volumes: Vec<NewVolume> = plan
        .devices
        .iter()
        .map(|device| NewVolume {
            id: cx.ids().resource_id("vol"),
            device: device.name.clone(),
            delete_on_termination: device.delete_on_termination,
            shape: device.shape.clone(),
            tags: plan.tags.volume.clone(),
        })
        .collect();
    let request = &plan.request;
    let instance = Instance {
        account: cx.account(),
        region: cx.region().to_owned(),
        id: cx.ids().resource_id(MADE[0].prefix),
        reservation_id: reservation_id.to_owned(),
        launch_index: index,
        client_token: request.client_token.clone(),
        image_id: plan.image.id.clone(),
        instance_type: plan.kind.name().to_owned(),
        key_name: plan.key.as_ref().map(|key| key.name.clone()),
        public_key: plan.key.as_ref().map(|key| key.public_key.clone()),
        launched: cx.now(),
        desired: InstanceState::Running,
        state: InstanceState::Pending,
        state_reason: None,
        transition_reason: String::new(),
        generation: 1,
        reached: 0,
        stop_forced: false,
        ended: None,
        network: NetworkInterface {
            id: interface_id,
            attachment_id: cx.ids().resource_id("eni-attach"),
            vpc_id: place.vpc.id.clone(),
            subnet_id: place.subnet.id.clone(),
            vpc_cidr: place.vpc.cidr.to_string(),
            subnet_cidr: place.subnet.cidr.to_string(),
            availability_zone: place.subnet.zone.clone(),
            availability_zone_id: region::zone_id(cx.region(), &place.subnet.zone).unwrap_or_default(),
            private_ip,
            mac: mac(cx),
            security_groups: place.groups.iter().map(|g| g.id.clone()).collect(),
            security_group_names: place.groups.iter().map(|g| g.name.clone()).collect(),
            description: place.description.clone(),
            tags: plan.tags.interface.clone(),
        },
        metadata: plan.metadata.clone(),
        user_data: plan.user_data.clone(),
        profile: plan.profile.as_ref().map(|(profile, _)| ProfileAssociation {
            id: cx.ids().resource_id("iip-assoc"),
            profile_name: profile.name.clone(),
            profile_id: profile.id.clone(),
            profile_arn: profile.arn(),
            since: cx.now(),
        }),
        disable_api_termination: request.disable_api_termination == Some(true),
        disable_api_stop: request.disable_api_stop == Some(true),
        shutdown_behavior: match request.instance_initiated_shutdown_behavior {
            Some(ShutdownBehavior::Terminate) => "terminate".to_owned(),
            Some(ShutdownBehavior::Stop) | None => "stop".to_owned(),
        },
        monitoring: request.monitoring.as_ref().is_some_and(|m| m.enabled),
        ebs_optimized: request.ebs_optimized == Some(true),
        source_dest_check: true,
        cpu_credits: credits(plan)?,
        volumes: new_volumes.iter().map(|volume| volume.id.clone()).collect(),
        tags: tags(plan),
    };
    for volume in new_volumes {
        tx.put(&volume.attached_to(&instance))?;
    }
    tx.put(&instance)?;
    Ok(instance)
}

/// An Ethernet address of our own making: not a manufacturer's, and one interface's alone.
fn mac(cx: &Cx) -> String {
    let bytes = cx.ids().id_bytes();
    let tail: Vec<String> = bytes.iter().take(5).map(|b| format!("{b:02x}")).collect();
    format!("02:{}", tail.join(":"))
}

fn credits(plan: &Plan) -> Result<Option<String>, Fault> {
    let Some(default) = plan.kind.default_credits() else { return Ok(None) };
    let asked = plan.request.credit_specification.as_ref().map(|c| c.cpu_credits.as_str());
    crate::instance::check_credits(asked.unwrap_or(default)).map(Some)
}

/// The tags of an instance: the request's, and those by which it is known where it was launched from.
fn tags(plan: &Plan) -> Vec<Tag> {
    let mut tags = plan.tags.instance.clone();
    if let Some(used) = &plan.template {
        let tag = |key: &str, value: String| Tag { key: key.to_owned(), value };
        tags.push(tag("aws:ec2launchtemplate:id", used.id.clone()));
        tags.push(tag("aws:ec2launchtemplate:version", used.version.to_string()));
        tags.sort();
    }
    tags
}
