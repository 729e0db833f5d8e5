//! What a launch must be allowed: to use each thing that it uses, to make each that it makes, to tag what it tags, and to
//! pass the role that its instances get (Service Authorization Reference, RunInstances; IAM User Guide, "Grant a user
//! permissions to pass a role to an AWS service").

use daypass_core::model::ec2::RunInstancesRequest;
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx};

use super::plan::{MADE, Plan};
use crate::instance::{endpoint, tokens};
use crate::key_pair::KeyPair;
use crate::launch_template::LaunchTemplate;
use crate::profile;
use crate::resource::{Home, Kind, Resource as _, ask};
use crate::security_group::SecurityGroup;
use crate::subnet::Subnet;
use crate::vpc::Vpc;

const ACTION: &str = "ec2:RunInstances";

pub(super) fn checks(cx: &Cx, tx: &Tx<'_>, input: &RunInstancesRequest) -> Result<Checks, StoreError> {
    match Plan::new(cx, tx, input) {
        Ok(plan) => of_plan(cx, tx, &plan, input),
        // It will be refused for what is wrong with it; whoever may not launch does not learn what.
        Err(_) => of_request(cx, tx, input),
    }
}

/// The questions of a request that is no plan: about what it names.
fn of_request(cx: &Cx, tx: &Tx<'_>, input: &RunInstancesRequest) -> Result<Checks, StoreError> {
    let home = Home::of(cx);
    let [instance, volume, interface] = MADE;
    let mut checks = Checks::from(ask(cx, ACTION, home.arn(instance.name, "*")))
        .and(ask(cx, ACTION, home.arn(volume.name, "*")))
        .and(ask(cx, ACTION, home.arn(interface.name, "*")))
        .and(ask(cx, ACTION, crate::image::arn(cx.region(), input.image_id.as_deref().unwrap_or("*"))));
    if let Some(id) = &input.subnet_id {
        checks = checks.and(Subnet::ask(cx, tx, ACTION, id)?);
    }
    for id in &input.security_group_ids {
        checks = checks.and(SecurityGroup::ask(cx, tx, ACTION, id)?);
    }
    if let Some(name) = &input.key_name {
        checks = checks.and(KeyPair::ask_named(cx, tx, ACTION, name)?);
    }
    Ok(checks)
}

/// Tells a question of the launch template, and whether it says what the question is about.
fn templated(plan: &Plan, check: Check, own: bool) -> Check {
    match &plan.template {
        Some(used) => {
            check.with("ec2:LaunchTemplate", used.arn.clone()).with_flag("ec2:IsLaunchTemplateResource", !own)
        }
        None => check,
    }
}

/// The questions of a plan.
pub(super) fn of_plan(
    cx: &Cx,
    tx: &Tx<'_>,
    plan: &Plan,
    input: &RunInstancesRequest,
) -> Result<Checks, StoreError> {
    let own_network = input.subnet_id.is_some() || !input.network_interfaces.is_empty();
    let own_groups = own_network || !input.security_group_ids.is_empty() || !input.security_groups.is_empty();
    let image = ask(cx, ACTION, crate::image::arn(cx.region(), &plan.image.id));
    let image = crate::image::describe(&plan.image, image);
    let subnet = ask(cx, ACTION, Subnet::arn(&Home::of(cx), &plan.place.subnet.id));
    let subnet = plan.place.subnet.describe(subnet.resource_tags(plan.place.subnet.tags()));
    let mut checks = Checks::from(templated(plan, instance(cx, plan), says_something_of_the_instance(input)))
        .and(templated(plan, image, input.image_id.is_some()))
        .and(templated(plan, subnet, own_network))
        .and(templated(plan, interface(cx, plan), own_network || input.private_ip_address.is_some()));
    for group in &plan.place.groups {
        let check = ask(cx, ACTION, SecurityGroup::KIND.arn(&Home::of(cx), &group.id));
        checks = checks.and(templated(plan, group.describe(check.resource_tags(group.tags())), own_groups));
    }
    for check in volumes(cx, plan) {
        checks = checks.and(templated(plan, check, !input.block_device_mappings.is_empty()));
    }
    if let Some(key) = &plan.key {
        let check = KeyPair::ask_named(cx, tx, ACTION, &key.name)?;
        checks = checks.and(templated(plan, check, input.key_name.is_some()));
    }
    if let Some(used) = &plan.template {
        let check = LaunchTemplate::ask(cx, tx, ACTION, &used.id)?;
        checks = checks.and(templated(plan, check, false));
    }
    let [instance, volume, interface] = MADE;
    for (kind, tags) in
        [(instance, &plan.tags.instance), (volume, &plan.tags.volume), (interface, &plan.tags.interface)]
    {
        checks = checks.and_all(create_tags(cx, kind, tags));
    }
    if let Some((_, role)) = &plan.profile {
        // The instances have no ids yet.
        checks = checks.and(profile::ask_to_pass(role, Home::of(cx).arn(instance.name, "*")));
    }
    Ok(checks)
}

/// Whether the request itself, and not its template alone, says what the instance is like.
fn says_something_of_the_instance(input: &RunInstancesRequest) -> bool {
    input.instance_type.is_some()
        || input.iam_instance_profile.is_some()
        || input.metadata_options.is_some()
        || input.user_data.is_some()
        || input.monitoring.is_some()
        || input.placement.is_some()
        || input.ebs_optimized.is_some()
        || input.disable_api_termination.is_some()
        || input.disable_api_stop.is_some()
        || input.instance_initiated_shutdown_behavior.is_some()
        || input.credit_specification.is_some()
        || input.cpu_options.is_some()
}

fn pairs(tags: &[Tag]) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().map(|t| (t.key.as_str(), t.value.as_str()))
}

fn instance(cx: &Cx, plan: &Plan) -> Check {
    let subnet = &plan.place.subnet;
    let metadata = &plan.metadata;
    let optimized = plan.request.ebs_optimized == Some(true) || plan.kind.is_ebs_optimized();
    ask(cx, ACTION, Home::of(cx).arn(MADE[0].name, "*"))
        .request_tags(pairs(&plan.tags.instance))
        .with("ec2:InstanceType", plan.kind.name())
        .with("ec2:AvailabilityZone", subnet.zone.clone())
        .with_some("ec2:AvailabilityZoneId", crate::region::zone_id(cx.region(), &subnet.zone))
        .with_flag("ec2:EbsOptimized", optimized)
        .with("ec2:InstanceMarketType", "on-demand")
        .with_some("ec2:InstanceProfile", plan.profile.as_ref().map(|(profile, _)| profile.arn()))
        .with("ec2:InstanceMetadataTags", endpoint(metadata.instance_metadata_tags))
        .with("ec2:MetadataHttpEndpoint", endpoint(metadata.http_endpoint))
        .with_number("ec2:MetadataHttpPutResponseHopLimit", metadata.hop_limit.into())
        .with("ec2:MetadataHttpTokens", tokens(metadata.http_tokens))
        .with("ec2:RootDeviceType", "ebs")
        .with("ec2:Tenancy", "default")
}

fn interface(cx: &Cx, plan: &Plan) -> Check {
    let (home, place) = (Home::of(cx), &plan.place);
    ask(cx, ACTION, home.arn(MADE[2].name, "*"))
        .request_tags(pairs(&plan.tags.interface))
        .with("ec2:Subnet", Subnet::arn(&home, &place.subnet.id))
        .with("ec2:Vpc", Vpc::arn(&home, &place.vpc.id))
        .with("ec2:AvailabilityZone", place.subnet.zone.clone())
        .with_flag("ec2:AssociatePublicIpAddress", false)
}

fn volumes<'p>(cx: &'p Cx, plan: &'p Plan) -> impl Iterator<Item = Check> + 'p {
    plan.devices.iter().map(move |device| {
        let check = ask(cx, ACTION, Home::of(cx).arn(MADE[1].name, "*"))
            .request_tags(pairs(&plan.tags.volume))
            .with("ec2:AvailabilityZone", plan.place.subnet.zone.clone());
        device.shape.describe(check)
    })
}

fn create_tags(cx: &Cx, kind: &Kind, tags: &[Tag]) -> Option<Check> {
    (!tags.is_empty()).then(|| {
        ask(cx, "ec2:CreateTags", Home::of(cx).arn(kind.name, "*"))
            .with("ec2:CreateAction", "RunInstances")
            .request_tags(pairs(tags))
    })
}
