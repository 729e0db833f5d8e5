//! `ec2:DescribeNetworkInterfaces`.

use daypass_core::model::ec2::{
    DescribeNetworkInterfacesRequest, DescribeNetworkInterfacesResult, NetworkInterface,
    NetworkInterfaceAttachment, NetworkInterfacePrivateIpAddress, NetworkInterfaceStatus,
    NetworkInterfaceType, OperatorResponse, ops,
};
use daypass_core::store::records::{Instance, Tag};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::KIND;
use crate::filter::{self, Field, Listed, one};
use crate::instance::{groups, is_on};
use crate::page::Page;
use crate::resource::{Home, Resource as _, ask_all};
use crate::tag;

operation!(DESCRIBE_NETWORK_INTERFACES, ops::DescribeNetworkInterfaces, checks, run);

/// The interface of an instance.
struct Interface(Instance);

impl Listed for Interface {
    fn order(&self) -> String {
        self.0.network.id.clone()
    }

    fn tags(&self) -> &[Tag] {
        &self.0.network.tags
    }
}

const FILTERS: &[Field<Interface>] = &[
    ("addresses.primary", |_| one(true)),
    ("addresses.private-ip-address", |i| one(i.0.network.private_ip)),
    ("addresses.association.owner-id", |_| vec![]),
    ("addresses.association.public-ip", |_| vec![]),
    ("association.allocation-id", |_| vec![]),
    ("association.association-id", |_| vec![]),
    ("association.ip-owner-id", |_| vec![]),
    ("association.public-dns-name", |_| vec![]),
    ("association.public-ip", |_| vec![]),
    ("attachment.attach-time", |i| one(i.0.launched)),
    ("attachment.attachment-id", |i| one(&i.0.network.attachment_id)),
    ("attachment.delete-on-termination", |_| one(true)),
    ("attachment.device-index", |_| one(0)),
    ("attachment.instance-id", |i| one(&i.0.id)),
    ("attachment.instance-owner-id", |i| one(&i.0.account)),
    ("attachment.nat-gateway-id", |_| vec![]),
    ("attachment.status", |_| one("attached")),
    ("availability-zone", |i| one(&i.0.network.availability_zone)),
    ("availability-zone-id", |i| one(&i.0.network.availability_zone_id)),
    ("description", |i| one(&i.0.network.description)),
    ("group-id", |i| i.0.network.security_groups.clone()),
    ("group-name", |i| i.0.network.security_group_names.clone()),
    ("interface-type", |_| one("interface")),
    ("ipv6-addresses.ipv6-address", |_| vec![]),
    ("mac-address", |i| one(&i.0.network.mac)),
    ("network-interface-id", |i| one(&i.0.network.id)),
    ("operator.managed", |_| one(false)),
    ("operator.principal", |_| vec![]),
    ("owner-id", |i| one(&i.0.account)),
    ("private-dns-name", |i| one(i.0.private_dns_name())),
    ("private-ip-address", |i| one(i.0.network.private_ip)),
    ("requester-id", |_| vec![]),
    ("requester-managed", |_| one(false)),
    ("source-dest-check", |i| one(i.0.source_dest_check)),
    ("status", |_| one("in-use")),
    ("subnet-id", |i| one(&i.0.network.subnet_id)),
    ("vpc-id", |i| one(&i.0.network.vpc_id)),
];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeNetworkInterfacesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeNetworkInterfaces").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeNetworkInterfacesRequest,
) -> Result<DescribeNetworkInterfacesResult, Error> {
    let instances = Instance::list(tx, &Home::of(cx))?.into_iter().filter(is_on);
    let mut interfaces: Vec<Interface> = instances.map(Interface).collect();
    for id in &input.network_interface_ids {
        let id = KIND.check(id)?;
        if !interfaces.iter().any(|i| i.0.network.id == id) {
            return Err((KIND.not_found)(id).into());
        }
    }
    let ids = &input.network_interface_ids;
    interfaces.retain(|i| ids.is_empty() || ids.contains(&i.0.network.id));
    let interfaces = filter::select(interfaces, &input.filters, FILTERS)?;
    let page = Page::new(input.max_results, input.next_token.as_ref());
    let (interfaces, next_token) = page.take(cx, interfaces)?;
    let interfaces = interfaces.iter().map(|i| describe(&i.0)).collect();
    Ok(DescribeNetworkInterfacesResult { network_interfaces: Some(interfaces), next_token })
}

fn describe(instance: &Instance) -> NetworkInterface {
    let network = &instance.network;
    let (address, name) = (Some(network.private_ip.to_string()), Some(instance.private_dns_name()));
    NetworkInterface {
        attachment: Some(NetworkInterfaceAttachment {
            attach_time: Some(instance.launched),
            attachment_id: Some(network.attachment_id.clone()),
            delete_on_termination: Some(true),
            device_index: Some(0),
            network_card_index: Some(0),
            instance_id: Some(instance.id.clone()),
            instance_owner_id: Some(instance.account.to_string()),
            status: Some("attached".to_owned()),
            ..NetworkInterfaceAttachment::default()
        }),
        availability_zone: Some(network.availability_zone.clone()),
        description: Some(network.description.clone()),
        groups: Some(groups(instance)),
        interface_type: Some(NetworkInterfaceType::Interface),
        ipv6_addresses: Some(vec![]),
        mac_address: Some(network.mac.clone()),
        network_interface_id: Some(network.id.clone()),
        owner_id: Some(instance.account.to_string()),
        private_dns_name: name.clone(),
        private_ip_address: address.clone(),
        private_ip_addresses: Some(vec![NetworkInterfacePrivateIpAddress {
            primary: Some(true),
            private_dns_name: name,
            private_ip_address: address,
            ..NetworkInterfacePrivateIpAddress::default()
        }]),
        requester_managed: Some(false),
        source_dest_check: Some(instance.source_dest_check),
        status: Some(NetworkInterfaceStatus::InUse),
        subnet_id: Some(network.subnet_id.clone()),
        tag_set: Some(tag::all(&network.tags)),
        vpc_id: Some(network.vpc_id.clone()),
        operator: Some(OperatorResponse { managed: Some(false), ..OperatorResponse::default() }),
        ..NetworkInterface::default()
    }
}
