//! Amazon EC2: instances and what they stand on.
//!
//! [`OPERATIONS`] is the service. What a caller changes is a record; a [`Reconciler`] makes instances what their records
//! say, through [`Machines`], and writes back what became of them.

mod account;
mod address;
mod attribute;
mod cidr;
mod default_network;
mod dhcp_options;
mod fault;
mod filter;
mod idempotency;
mod image;
mod instance;
mod instance_type;
mod internet_gateway;
mod json;
mod key_pair;
mod launch;
mod launch_template;
pub mod machines;
mod metadata_options;
mod network_acl;
mod network_interface;
mod page;
mod profile;
mod reconcile;
mod region;
mod resource;
mod route_table;
mod security_group;
mod subnet;
mod tag;
#[cfg(test)]
mod testing;
mod volume;
mod vpc;

use daypass_core::Entry;

pub use instance_type::InstanceType;
pub use machines::Machines;
pub use reconcile::Reconciler;

/// The operations of each family.
const FAMILIES: &[&[&Entry]] = &[
    account::OPERATIONS,
    dhcp_options::OPERATIONS,
    image::OPERATIONS,
    instance::OPERATIONS,
    instance_type::OPERATIONS,
    internet_gateway::OPERATIONS,
    key_pair::OPERATIONS,
    launch::OPERATIONS,
    launch_template::OPERATIONS,
    metadata_options::OPERATIONS,
    network_acl::OPERATIONS,
    network_interface::OPERATIONS,
    profile::OPERATIONS,
    region::OPERATIONS,
    route_table::OPERATIONS,
    security_group::OPERATIONS,
    subnet::OPERATIONS,
    tag::OPERATIONS,
    volume::OPERATIONS,
    vpc::OPERATIONS,
];

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &all::<{ count() }>();

const fn count() -> usize {
    let (mut families, mut count) = (FAMILIES, 0);
    while let Some((family, rest)) = families.split_first() {
        count += family.len();
        families = rest;
    }
    count
}

/// All families one after the other.
#[expect(
    clippy::indexing_slicing,
    reason = "run by the compiler alone, which refuses an index out of bounds"
)]
const fn all<const N: usize>() -> [&'static Entry; N] {
    let mut entries = [FAMILIES[0][0]; N];
    let (mut families, mut at) = (FAMILIES, 0);
    while let Some((family, rest)) = families.split_first() {
        let mut family = *family;
        while let Some((entry, others)) = family.split_first() {
            entries[at] = *entry;
            at += 1;
            family = others;
        }
        families = rest;
    }
    entries
}
