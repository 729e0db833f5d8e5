//! Network interfaces: each is a part of its instance, and comes and goes with it.

mod describe_network_interfaces;

use daypass_core::model::ec2::errors;
use daypass_core::store::records::Instance;
use daypass_core::store::{Read, StoreError};
use daypass_core::{Check, Cx, Entry, Fault};

use crate::instance::is_on;
use crate::resource::{Home, Kind, Resource as _, ask};
use crate::subnet::Subnet;
use crate::tag::Taggable;
use crate::vpc::Vpc;

pub(crate) const OPERATIONS: &[&Entry] = &[&describe_network_interfaces::DESCRIBE_NETWORK_INTERFACES];

/// The kind that network interfaces are.
pub(crate) static KIND: Kind = Kind {
    name: "network-interface",
    prefix: "eni",
    malformed: "InvalidNetworkInterfaceId.Malformed",
    not_found: |id| {
        let words = format!("The networkInterface ID '{id}' does not exist");
        Fault::new(&errors::INVALID_NETWORK_INTERFACE_ID_NOT_FOUND, words)
    },
};

/// Interfaces, which are tagged like things but are kept by their instances.
pub(crate) const TAGGABLE: Taggable = Taggable {
    kind: &KIND,
    tags: |tx, home, id| Ok(instance_of(tx, home, id)?.map(|instance| instance.network.tags)),
    set: |tx, home, id, tags| {
        if let Some(mut instance) = instance_of(tx, home, id)? {
            instance.network.tags = tags;
            tx.put(&instance)?;
        }
        Ok(())
    },
    all: |tx, home| {
        let instances = Instance::list(tx, home)?.into_iter().filter(is_on);
        Ok(instances.map(|i| (i.network.id, i.network.tags)).collect())
    },
    ask: |cx, tx, action, id| ask_about(cx, tx, action, id),
};

/// The instance that has an interface.
pub(crate) fn instance_of(tx: &impl Read, home: &Home, id: &str) -> Result<Option<Instance>, StoreError> {
    Ok(Instance::list(tx, home)?.into_iter().find(|i| is_on(i) && i.network.id == id))
}

fn ask_about(cx: &Cx, tx: &impl Read, action: &'static str, id: &str) -> Result<Check, StoreError> {
    let home = Home::of(cx);
    let check = ask(cx, action, KIND.arn(&home, id));
    let Some(Instance { network, .. }) = instance_of(tx, &home, id)? else { return Ok(check) };
    Ok(check
        .resource_tags(&network.tags)
        .with("ec2:NetworkInterfaceID", network.id)
        .with("ec2:Subnet", Subnet::arn(&home, &network.subnet_id))
        .with("ec2:Vpc", Vpc::arn(&home, &network.vpc_id))
        .with("ec2:AvailabilityZone", network.availability_zone))
}
