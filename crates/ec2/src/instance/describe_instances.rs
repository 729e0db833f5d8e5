//! `ec2:DescribeInstances`.

use daypass_core::model::ec2::{DescribeInstancesRequest, DescribeInstancesResult, Reservation, ops};
use daypass_core::store::records::{Instance, NetworkInterface};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::view::{Shown, state_code, state_name};
use super::{endpoint, is_shown, load_all, tokens};
use crate::fault;
use crate::filter::{self, Field, one, some};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};
use crate::volume::Attachment;

operation!(DESCRIBE_INSTANCES, ops::DescribeInstances, checks, run);

/// Filters of the instance itself.
const OF_INSTANCE: &[Field<Shown>] = &[
    ("architecture", |s| some(s.architecture())),
    ("availability-zone", |s| one(&s.instance.network.availability_zone)),
    ("availability-zone-id", |s| one(&s.instance.network.availability_zone_id)),
    ("block-device-mapping.attach-time", |s| devices(s, |a| a.since.to_string())),
    ("block-device-mapping.delete-on-termination", |s| devices(s, |a| a.delete_on_termination.to_string())),
    ("block-device-mapping.device-name", |s| devices(s, |a| a.device.clone())),
    ("block-device-mapping.status", |s| devices(s, |_| "attached".to_owned())),
    ("block-device-mapping.volume-id", |s| s.volumes.iter().map(|v| v.id.clone()).collect()),
    ("client-token", |s| some(s.instance.client_token.as_deref())),
    ("current-instance-boot-mode", |_| one("legacy-bios")),
    ("dns-name", |_| vec![]),
    ("ebs-optimized", |s| one(s.instance.ebs_optimized)),
    ("ena-support", |_| one(true)),
    ("enclave-options.enabled", |_| one(false)),
    ("hibernation-options.configured", |_| one(false)),
    ("hypervisor", |_| one("xen")),
    ("iam-instance-profile.arn", |s| some(s.instance.profile.as_ref().map(|p| p.profile_arn.as_str()))),
    ("iam-instance-profile.id", |s| some(s.instance.profile.as_ref().map(|p| p.profile_id.as_str()))),
    ("iam-instance-profile.name", |s| some(s.instance.profile.as_ref().map(|p| p.profile_name.as_str()))),
    ("image-id", |s| one(&s.instance.image_id)),
    ("instance-id", |s| one(&s.instance.id)),
    ("instance-state-code", |s| one(state_code(s.instance.state))),
    ("instance-state-name", |s| one(state_name(s.instance.state))),
    ("instance-type", |s| one(&s.instance.instance_type)),
    ("key-name", |s| some(s.instance.key_name.as_deref())),
    ("launch-index", |s| one(s.instance.launch_index)),
    ("launch-time", |s| one(s.instance.launched)),
    ("maintenance-options.auto-recovery", |_| one("default")),
    ("metadata-options.http-endpoint", |s| one(endpoint(s.instance.metadata.http_endpoint))),
    ("metadata-options.http-protocol-ipv4", |_| one("enabled")),
    ("metadata-options.http-protocol-ipv6", |s| one(endpoint(s.instance.metadata.http_protocol_ipv6))),
    ("metadata-options.http-put-response-hop-limit", |s| one(s.instance.metadata.hop_limit)),
    ("metadata-options.http-tokens", |s| one(tokens(s.instance.metadata.http_tokens))),
    ("metadata-options.instance-metadata-tags", |s| {
        one(endpoint(s.instance.metadata.instance_metadata_tags))
    }),
    ("metadata-options.state", |_| one("applied")),
    ("monitoring-state", |s| one(if s.instance.monitoring { "enabled" } else { "disabled" })),
    ("operator.managed", |_| one(false)),
    ("owner-id", |s| one(&s.instance.account)),
    ("platform-details", |_| one("Linux/UNIX")),
    ("reason", |s| one(&s.instance.transition_reason)),
    ("reservation-id", |s| one(&s.instance.reservation_id)),
    ("root-device-name", |s| one(s.root_device())),
    ("root-device-type", |_| one("ebs")),
    ("state-reason-code", |s| some(s.instance.state_reason.as_ref().map(|r| r.code.as_str()))),
    ("state-reason-message", |s| some(s.instance.state_reason.as_ref().map(|r| r.message.as_str()))),
    ("tenancy", |_| one("default")),
    ("usage-operation", |_| one("RunInstances")),
    ("virtualization-type", |_| one("hvm")),
];

/// Filters of its network interface.
const OF_NETWORK: &[Field<Shown>] = &[
    ("instance.group-id", |s| all(s, |n| n.security_groups.clone())),
    ("instance.group-name", |s| all(s, |n| n.security_group_names.clone())),
    ("network-interface.addresses.primary", |s| all(s, |_| one(true))),
    ("network-interface.addresses.private-ip-address", |s| all(s, |n| one(n.private_ip))),
    ("network-interface.attachment.attach-time", |s| all(s, |_| one(s.instance.launched))),
    ("network-interface.attachment.attachment-id", |s| all(s, |n| one(&n.attachment_id))),
    ("network-interface.attachment.delete-on-termination", |s| all(s, |_| one(true))),
    ("network-interface.attachment.device-index", |s| all(s, |_| one(0))),
    ("network-interface.attachment.instance-id", |s| all(s, |_| one(&s.instance.id))),
    ("network-interface.attachment.instance-owner-id", |s| all(s, |_| one(&s.instance.account))),
    ("network-interface.attachment.status", |s| all(s, |_| one("attached"))),
    ("network-interface.availability-zone", |s| all(s, |n| one(&n.availability_zone))),
    ("network-interface.description", |s| all(s, |n| one(&n.description))),
    ("network-interface.group-id", |s| all(s, |n| n.security_groups.clone())),
    ("network-interface.group-name", |s| all(s, |n| n.security_group_names.clone())),
    ("network-interface.mac-address", |s| all(s, |n| one(&n.mac))),
    ("network-interface.network-interface-id", |s| all(s, |n| one(&n.id))),
    ("network-interface.owner-id", |s| all(s, |_| one(&s.instance.account))),
    ("network-interface.private-dns-name", |s| all(s, |_| one(s.instance.private_dns_name()))),
    ("network-interface.private-ip-address", |s| all(s, |n| one(n.private_ip))),
    ("network-interface.requester-managed", |s| all(s, |_| one(false))),
    ("network-interface.source-dest-check", |s| all(s, |_| one(s.instance.source_dest_check))),
    ("network-interface.status", |s| all(s, |_| one("in-use"))),
    ("network-interface.subnet-id", |s| all(s, |n| one(&n.subnet_id))),
    ("network-interface.tag-key", |s| all(s, |n| n.tags.iter().map(|t| t.key.clone()).collect())),
    ("network-interface.tag-value", |s| all(s, |n| n.tags.iter().map(|t| t.value.clone()).collect())),
    ("network-interface.vpc-id", |s| all(s, |n| one(&n.vpc_id))),
    ("private-dns-name", |s| all(s, |_| one(s.instance.private_dns_name()))),
    ("private-dns-name-options.enable-resource-name-dns-a-record", |s| all(s, |_| one(false))),
    ("private-dns-name-options.enable-resource-name-dns-aaaa-record", |s| all(s, |_| one(false))),
    ("private-dns-name-options.hostname-type", |s| all(s, |_| one("ip-name"))),
    ("private-ip-address", |s| all(s, |n| one(n.private_ip))),
    ("source-dest-check", |s| all(s, |_| one(s.instance.source_dest_check))),
    ("subnet-id", |s| all(s, |n| one(&n.subnet_id))),
    ("vpc-id", |s| all(s, |n| one(&n.vpc_id))),
];

/// Filters of what no instance here has.
const OF_NOTHING: &[Field<Shown>] = &[
    ("affinity", |_| vec![]),
    ("boot-mode", |_| vec![]),
    ("capacity-reservation-id", |_| vec![]),
    ("host-id", |_| vec![]),
    ("instance-lifecycle", |_| vec![]),
    ("ip-address", |_| vec![]),
    ("ipv6-address", |_| vec![]),
    ("kernel-id", |_| vec![]),
    ("network-interface.addresses.association.allocation-id", |_| vec![]),
    ("network-interface.addresses.association.public-ip", |_| vec![]),
    ("network-interface.association.allocation-id", |_| vec![]),
    ("network-interface.association.public-ip", |_| vec![]),
    ("network-interface.ipv6-address", |_| vec![]),
    ("network-interface.requester-id", |_| vec![]),
    ("operator.principal", |_| vec![]),
    ("outpost-arn", |_| vec![]),
    ("placement-group-name", |_| vec![]),
    ("placement-partition-number", |_| vec![]),
    ("platform", |_| vec![]),
    ("product-code", |_| vec![]),
    ("product-code.type", |_| vec![]),
    ("ramdisk-id", |_| vec![]),
    ("requester-id", |_| vec![]),
    ("spot-instance-request-id", |_| vec![]),
    ("tpm-support", |_| vec![]),
];

fn devices(shown: &Shown, part: fn(&Attachment) -> String) -> Vec<String> {
    shown.volumes.iter().filter_map(|volume| volume.attachment.as_ref()).map(part).collect()
}

/// What is in the network of an instance that still stands in it.
fn all(shown: &Shown, part: impl Fn(&NetworkInterface) -> Vec<String>) -> Vec<String> {
    if shown.is_on() { part(&shown.instance.network) } else { vec![] }
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeInstancesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeInstances").into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DescribeInstancesRequest) -> Result<DescribeInstancesResult, Error> {
    if input.max_results.is_some() && !input.instance_ids.is_empty() {
        let words = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(fault::invalid_combination(words).into());
    }
    let home = Home::of(cx);
    let mut instances = match input.instance_ids.as_slice() {
        [] => Instance::list(tx, &home)?,
        ids => load_all(tx, &home, ids)?,
    };
    let gone = instances.iter().find(|i| !is_shown(i, cx.now()));
    if let Some(gone) = gone.filter(|_| !input.instance_ids.is_empty()) {
        return Err((Instance::KIND.not_found)(&gone.id).into());
    }
    instances.retain(|i| is_shown(i, cx.now()));
    let show = |instance| Shown::new(tx, instance);
    let shown = instances.into_iter().map(show).collect::<Result<Vec<_>, StoreError>>()?;
    let shown = filter::select(shown, &input.filters, &[OF_INSTANCE, OF_NETWORK, OF_NOTHING].concat())?;
    let (shown, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, shown)?;
    Ok(DescribeInstancesResult { next_token, reservations: Some(reservations(&shown)) })
}

/// Instances, together with those that were launched with them.
fn reservations(shown: &[Shown]) -> Vec<Reservation> {
    shown.chunk_by(|a, b| a.instance.reservation_id == b.instance.reservation_id).map(reservation).collect()
}

/// One reservation: what `RunInstances` answers too.
pub(crate) fn reservation(shown: &[Shown]) -> Reservation {
    let first = shown.first().map(|s| &s.instance);
    Reservation {
        reservation_id: first.map(|i| i.reservation_id.clone()),
        owner_id: first.map(|i| i.account.to_string()),
        groups: Some(vec![]),
        instances: Some(shown.iter().map(Shown::describe).collect()),
        requester_id: None,
    }
}
