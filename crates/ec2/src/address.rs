//! The addresses of a subnet: which are taken, and by whom.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use daypass_core::model::ec2::errors;
use daypass_core::store::{Key, Prefix, Read, Record, StoreError, Tx};
use daypass_core::{Cx, Error, Fault};
use serde::{Deserialize, Serialize};

use crate::cidr::Block;
use crate::fault;
use crate::resource::Home;
use crate::subnet::Subnet;

/// EC2 keeps the first four addresses of a subnet and the last (VPC User Guide, "Subnet CIDR blocks").
const FIRST_KEPT: u64 = 4;
const LAST_KEPT: u64 = 1;

/// That an address is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lease {
    home: Home,
    subnet_id: String,
    address: Ipv4Addr,
    network_interface_id: String,
}

impl Lease {
    fn key_of(home: &Home, subnet_id: &str, address: Ipv4Addr) -> Key {
        let address = address.to_string();
        Key::new(&["ec2", home.account.as_str(), &home.region, "address", subnet_id, &address])
    }
}

impl Record for Lease {
    fn key(&self) -> Key {
        Self::key_of(&self.home, &self.subnet_id, self.address)
    }
}

fn leases(home: &Home, subnet_id: &str) -> Prefix {
    Prefix::new(&["ec2", home.account.as_str(), &home.region, "address", subnet_id])
}

/// How many addresses of a subnet are free.
pub(crate) fn free(tx: &impl Read, home: &Home, subnet: &Subnet) -> Result<u64, StoreError> {
    let taken = tx.keys(&leases(home, &subnet.id), None, usize::MAX)?.len();
    let given_out = subnet.cidr.size().saturating_sub(FIRST_KEPT + LAST_KEPT);
    Ok(given_out.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX)))
}

/// Whether nothing has an address of the subnet.
pub(crate) fn is_unused(tx: &impl Read, home: &Home, subnet_id: &str) -> Result<bool, StoreError> {
    tx.is_empty(&leases(home, subnet_id))
}

/// Takes an address of the subnet for an interface: the one that is asked for, or any that is free.
pub(crate) fn take(
    cx: &Cx,
    tx: &mut Tx<'_>,
    subnet: &Subnet,
    asked: Option<Ipv4Addr>,
    network_interface_id: &str,
) -> Result<Ipv4Addr, Error> {
    let home = Home::of(cx);
    let address = match asked {
        Some(address) => {
            if tx.get::<Lease>(&Lease::key_of(&home, &subnet.id, address))?.is_some() {
                let words = format!("Address {address} is in use.");
                return Err(Fault::new(&errors::INVALID_IP_ADDRESS_IN_USE, words).into());
            }
            check_range(subnet.cidr, address)?
        }
        None => {
            let keys = tx.keys(&leases(&home, &subnet.id), None, usize::MAX)?;
            let taken: BTreeSet<Ipv4Addr> = keys.iter().filter_map(|key| key.last().parse().ok()).collect();
            let start = u64::from_be_bytes(cx.ids().id_bytes().first_chunk().copied().unwrap_or_default());
            pick(subnet.cidr, &taken, start).ok_or_else(|| none_left(&subnet.id))?
        }
    };
    tx.put(&Lease {
        home,
        subnet_id: subnet.id.clone(),
        address,
        network_interface_id: network_interface_id.to_owned(),
    })?;
    Ok(address)
}

/// Gives an address back.
pub(crate) fn release(tx: &mut Tx<'_>, home: &Home, subnet_id: &str, address: Ipv4Addr) {
    tx.delete(&Lease::key_of(home, subnet_id, address));
}

fn check_range(block: Block, address: Ipv4Addr) -> Result<Ipv4Addr, Fault> {
    let Some(offset) = block.offset(address) else {
        return Err(fault::invalid_value("Address does not fall within the subnet's address range"));
    };
    if offset < FIRST_KEPT || offset >= block.size() - LAST_KEPT {
        return Err(fault::invalid_value("Address is in subnet's reserved address range"));
    }
    Ok(address)
}

fn none_left(subnet_id: &str) -> Fault {
    let words = format!(
        "There are not enough free addresses in subnet '{subnet_id}' to satisfy the requested number of instances."
    );
    Fault::new(&errors::INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET, words)
}

/// A free address of a block: the first at or after a place, going round. An address that was just given back is so
/// seldom the next one given out.
fn pick(block: Block, taken: &BTreeSet<Ipv4Addr>, start: u64) -> Option<Ipv4Addr> {
    let count = block.size().checked_sub(FIRST_KEPT + LAST_KEPT).filter(|count| *count > 0)?;
    (0..count)
        .filter_map(|step| block.nth(FIRST_KEPT + (start % count + step) % count))
        .find(|address| !taken.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(prefix: u8) -> Block {
        Block::around(Ipv4Addr::new(10, 0, 0, 0), prefix)
    }

    proptest! {
        #[test]
        fn what_is_picked_is_free_and_not_kept_and_there_is_one_as_long_as_there_can_be(
            prefix in 24_u8..=28,
            start: u64,
            taken in prop::collection::btree_set(0_u32..256, 0..256),
        ) {
            let block = block(prefix);
            let taken: BTreeSet<Ipv4Addr> = taken.into_iter().map(|n| Ipv4Addr::from_bits(0x0a00_0000 + n)).collect();
            let possible = |a: &Ipv4Addr| check_range(block, *a).is_ok() && !taken.contains(a);
            let any = (0..256).map(|n| Ipv4Addr::from_bits(0x0a00_0000 + n)).any(|a| possible(&a));
            match pick(block, &taken, start) {
                Some(address) => prop_assert!(possible(&address), "{address}"),
                None => prop_assert!(!any),
            }
        }

        #[test]
        fn a_subnet_is_given_out_to_the_last_address_and_none_twice(prefix in 26_u8..=28, seeds in prop::collection::vec(any::<u64>(), 64)) {
            let block = block(prefix);
            let mut taken = BTreeSet::new();
            let mut seeds = seeds.into_iter().cycle();
            while let Some(address) = pick(block, &taken, seeds.next().unwrap()) {
                prop_assert!(taken.insert(address));
            }
            prop_assert_eq!(taken.len() as u64, block.size() - 5);
        }
    }
}
