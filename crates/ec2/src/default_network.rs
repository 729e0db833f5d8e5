//! What every region of every account has from the start: the default VPC, with a subnet in each zone, an internet
//! gateway and the way to it (VPC User Guide, "Default VPCs"). It is made when somebody first looks.
//!
//! Its ids follow from the account and the region, so that a question about it (a launch without a subnet) can be asked
//! before it is there.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use aws_lc_rs::digest;
use daypass_core::Cx;
use daypass_core::store::{Key, Read, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::cidr::Block;
use crate::dhcp_options::DhcpOptions;
use crate::internet_gateway::InternetGateway;
use crate::region;
use crate::resource::{Home, Resource};
use crate::security_group::SecurityGroup;
use crate::subnet::Subnet;
use crate::vpc::{NewVpc, Vpc};

/// The VPC's block.
const VPC: Block = Block::around(Ipv4Addr::new(172, 31, 0, 0), 16);
/// The prefix of a subnet's block.
const SUBNET_PREFIX: u8 = 20;

/// That a region was prepared, and what belongs to it rather than to a VPC.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prepared {
    home: Home,
    /// The DHCP options of every VPC.
    pub(crate) dhcp_options_id: String,
}

impl Prepared {
    fn key_of(home: &Home) -> Key {
        home.key("prepared", "default-network")
    }
}

impl Record for Prepared {
    fn key(&self) -> Key {
        Self::key_of(&self.home)
    }
}

/// The default VPC with all that is in it.
pub(crate) struct DefaultNetwork {
    new: NewVpc,
    subnets: Vec<Subnet>,
    gateway: InternetGateway,
}

impl DefaultNetwork {
    /// A default VPC that is not there yet; `ids` makes ids from prefixes.
    pub(crate) fn new(home: &Home, ids: &dyn Fn(&str) -> String, dhcp_options_id: &str) -> Self {
        let mut new = NewVpc::new(home, ids, VPC, dhcp_options_id, true);
        let gateway = InternetGateway::attached(home, ids("igw"), &new.vpc.id);
        new.route_table.route_to_gateway(&gateway.id);
        let mut subnets = vec![];
        for (number, zone) in (0..).zip(region::zones(&home.region)) {
            let Some(base) = VPC.nth(number << (32 - SUBNET_PREFIX)) else { break };
            let (id, block) = (ids("subnet"), Block::around(base, SUBNET_PREFIX));
            new.acl.associate(ids("aclassoc"), &id);
            subnets.push(Subnet::default_for_zone(home, id, &new.vpc.id, block, zone.name));
        }
        Self { new, subnets, gateway }
    }

    /// The VPC.
    pub(crate) fn vpc(&self) -> &Vpc {
        &self.new.vpc
    }

    /// Puts it into the store.
    pub(crate) fn put(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.new.put(tx)?;
        tx.put(&self.gateway)?;
        self.subnets.iter().try_for_each(|subnet| tx.put(subnet))
    }
}

/// Makes sure that the region has its default network, once.
pub(crate) fn ensure(cx: &Cx, tx: &mut Tx<'_>) -> Result<Prepared, StoreError> {
    let home = Home::of(cx);
    if let Some(prepared) = tx.get(&Prepared::key_of(&home))? {
        return Ok(prepared);
    }
    let (options, network) = planned(&home);
    let prepared = Prepared { home, dhcp_options_id: options.id().to_owned() };
    tx.put(&options)?;
    network.put(tx)?;
    tx.put(&prepared)?;
    Ok(prepared)
}

/// Where a launch goes that does not say where: the default VPC.
pub(crate) struct DefaultView {
    /// The VPC.
    pub(crate) vpc: Vpc,
    /// Its default subnets.
    pub(crate) subnets: Vec<Subnet>,
    /// Its default security group.
    pub(crate) group: SecurityGroup,
}

/// The default VPC as it is, or as it will be; `None` if it was deleted.
pub(crate) fn view(tx: &impl Read, home: &Home) -> Result<Option<DefaultView>, StoreError> {
    if tx.get::<Prepared>(&Prepared::key_of(home))?.is_none() {
        let (_, network) = planned(home);
        let DefaultNetwork { new, subnets, .. } = network;
        return Ok(Some(DefaultView { vpc: new.vpc, subnets, group: new.group }));
    }
    let Some(vpc) = Vpc::default_of(tx, home)? else { return Ok(None) };
    let groups = SecurityGroup::list(tx, home)?;
    let Some(group) = groups.into_iter().find(|g| g.vpc_id == vpc.id && g.is_default()) else {
        return Ok(None);
    };
    let mut subnets = Subnet::list(tx, home)?;
    subnets.retain(|s| s.vpc_id == vpc.id && s.default_for_zone);
    subnets.sort_by(|a, b| a.zone.cmp(&b.zone));
    Ok(Some(DefaultView { vpc, subnets, group }))
}

/// The thing of that id in a network that is still to be made: questions about it are asked before it is there.
pub(crate) fn find_planned<R: Resource>(
    tx: &impl Read,
    home: &Home,
    id: &str,
) -> Result<Option<R>, StoreError> {
    if tx.get::<Prepared>(&Prepared::key_of(home))?.is_some() {
        return Ok(None);
    }
    let (options, DefaultNetwork { new, subnets, gateway }) = planned(home);
    let mut things: Vec<Box<dyn Any>> = vec![
        Box::new(options),
        Box::new(new.vpc),
        Box::new(new.group),
        Box::new(new.route_table),
        Box::new(new.acl),
        Box::new(gateway),
    ];
    things.extend(subnets.into_iter().map(|subnet| Box::new(subnet) as Box<dyn Any>));
    let mut of_kind = things.into_iter().filter_map(|thing| thing.downcast::<R>().ok());
    Ok(of_kind.find(|thing| thing.id() == id).map(|thing| *thing))
}

/// The first default network of a region.
fn planned(home: &Home) -> (DhcpOptions, DefaultNetwork) {
    // Several of a kind are told apart by their number, in the order in which they are asked for.
    let asked = RefCell::new(BTreeMap::<String, u32>::new());
    let ids = |prefix: &str| {
        let mut asked = asked.borrow_mut();
        let number = asked.entry(prefix.to_owned()).or_default();
        *number += 1;
        let text = format!("daypass\0{}\0{}\0{prefix}\0{number}", home.account, home.region);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let digits: String = hash.as_ref().iter().take(8).map(|b| format!("{b:02x}")).collect();
        format!("{prefix}-0{digits}")
    };
    let options = DhcpOptions::default_of(home, ids("dopt"));
    let network = DefaultNetwork::new(home, &ids, options.id());
    (options, network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(region: &str) -> Home {
        Home { account: "123456789012".parse().unwrap(), region: region.to_owned() }
    }

    #[test]
    fn every_zone_has_a_subnet_in_the_vpc_and_none_overlap() {
        for region in ["us-east-1", "us-west-1", "eu-west-1", "moon-base-1"] {
            let (_, network) = planned(&home(region));
            assert_eq!(network.vpc().cidr, VPC);
            assert_eq!(network.subnets.len(), region::zones(region).len());
            for (i, subnet) in network.subnets.iter().enumerate() {
                assert!(network.vpc().cidr.encloses(subnet.cidr));
                assert!(network.subnets.iter().skip(i + 1).all(|other| !other.cidr.overlaps(subnet.cidr)));
                assert!(Subnet::KIND.may_be(&subnet.id), "{}", subnet.id);
            }
        }
    }

    #[test]
    fn its_ids_are_always_the_same_and_of_its_region_alone() {
        let ids = |region: &str| {
            let (_, network) = planned(&home(region));
            (network.new.vpc.id.clone(), network.new.group.id.clone(), network.subnets[0].id.clone())
        };
        assert_eq!(ids("us-east-1"), ids("us-east-1"));
        assert_ne!(ids("us-east-1").0, ids("us-east-2").0);
    }
}
