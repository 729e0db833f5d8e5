//! Subnets.

mod create_subnet;
mod delete_subnet;
mod describe_subnets;
mod modify_subnet_attribute;

use daypass_core::model::ec2::{self, HostnameType, PrivateDnsNameOptionsOnLaunch, SubnetState, errors};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Record};
use daypass_core::{Check, Entry, Fault};
use serde::{Deserialize, Serialize};

use crate::cidr::Block;
use crate::filter::Listed;
use crate::resource::{Home, Kind, Resource};
use crate::vpc::{Vpc, access_not_blocked};
use crate::{region, tag};

pub(crate) const OPERATIONS: &[&Entry] = &[
    &create_subnet::CREATE_SUBNET,
    &delete_subnet::DELETE_SUBNET,
    &describe_subnets::DESCRIBE_SUBNETS,
    &modify_subnet_attribute::MODIFY_SUBNET_ATTRIBUTE,
];

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subnet {
    home: Home,
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) cidr: Block,
    /// Its availability zone.
    pub(crate) zone: String,
    /// Whether launches without a subnet go here.
    pub(crate) default_for_zone: bool,
    #[serde(default)]
    map_public_ip: bool,
    #[serde(default)]
    resource_name_a_record: bool,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Record for Subnet {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Resource for Subnet {
    const KIND: &'static Kind = &Kind {
        name: "subnet",
        prefix: "subnet",
        malformed: "InvalidSubnetID.Malformed",
        not_found: |id| {
            Fault::new(&errors::INVALID_SUBNET_ID_NOT_FOUND, format!("The subnet ID '{id}' does not exist"))
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
            .with("ec2:SubnetID", self.id.clone())
            .with("ec2:Vpc", Vpc::arn(&self.home, &self.vpc_id))
            .with("ec2:AvailabilityZone", self.zone.clone())
            .with_some("ec2:AvailabilityZoneId", region::zone_id(&self.home.region, &self.zone))
    }
}

impl Subnet {
    /// A subnet of a default VPC.
    pub(crate) fn default_for_zone(home: &Home, id: String, vpc_id: &str, cidr: Block, zone: String) -> Self {
        Self {
            home: home.clone(),
            id,
            vpc_id: vpc_id.to_owned(),
            cidr,
            zone,
            default_for_zone: true,
            map_public_ip: false,
            resource_name_a_record: false,
            tags: vec![],
        }
    }

    /// Its ARN, as the condition key `ec2:Subnet` has it.
    pub(crate) fn arn(home: &Home, id: &str) -> String {
        home.arn(Self::KIND.name, id)
    }

    /// As the API answers it.
    fn describe_as(&self, free: u64) -> ec2::Subnet {
        ec2::Subnet {
            availability_zone_id: region::zone_id(&self.home.region, &self.zone),
            map_customer_owned_ip_on_launch: Some(false),
            owner_id: Some(self.home.account.to_string()),
            assign_ipv6_address_on_creation: Some(false),
            ipv6_cidr_block_association_set: Some(vec![]),
            tags: tag::some(&self.tags),
            subnet_arn: Some(Self::arn(&self.home, &self.id)),
            enable_dns64: Some(false),
            ipv6_native: Some(false),
            private_dns_name_options_on_launch: Some(PrivateDnsNameOptionsOnLaunch {
                hostname_type: Some(HostnameType::IpName),
                enable_resource_name_dns_a_record: Some(self.resource_name_a_record),
                enable_resource_name_dns_aaaa_record: Some(false),
            }),
            block_public_access_states: Some(access_not_blocked()),
            subnet_id: Some(self.id.clone()),
            state: Some(SubnetState::Available),
            vpc_id: Some(self.vpc_id.clone()),
            cidr_block: Some(self.cidr.to_string()),
            available_ip_address_count: i32::try_from(free).ok(),
            availability_zone: Some(self.zone.clone()),
            default_for_az: Some(self.default_for_zone),
            map_public_ip_on_launch: Some(self.map_public_ip),
            ..ec2::Subnet::default()
        }
    }
}

/// A subnet, and how many of its addresses are free.
struct Counted {
    subnet: Subnet,
    free: u64,
}

impl Listed for Counted {
    fn order(&self) -> String {
        self.subnet.id.clone()
    }

    fn tags(&self) -> &[Tag] {
        &self.subnet.tags
    }
}
