//! VPCs.

mod create_default_vpc;
mod create_vpc;
mod delete_vpc;
mod describe_vpc_attribute;
mod describe_vpcs;
mod modify_vpc_attribute;

use daypass_core::model::ec2::{
    self, BlockPublicAccessMode, BlockPublicAccessStates, Tenancy, VpcCidrBlockAssociation,
    VpcCidrBlockState, VpcCidrBlockStateCode, VpcState, errors,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Read, Record, StoreError, Tx};
use daypass_core::{Check, Cx, Entry, Error, Fault};
use serde::{Deserialize, Serialize};

use crate::cidr::Block;
use crate::network_acl::NetworkAcl;
use crate::resource::{Home, Kind, Resource};
use crate::route_table::RouteTable;
use crate::security_group::SecurityGroup;
use crate::{fault, tag};

pub(crate) const OPERATIONS: &[&Entry] = &[
    &create_default_vpc::CREATE_DEFAULT_VPC,
    &create_vpc::CREATE_VPC,
    &delete_vpc::DELETE_VPC,
    &describe_vpc_attribute::DESCRIBE_VPC_ATTRIBUTE,
    &describe_vpcs::DESCRIBE_VPCS,
    &modify_vpc_attribute::MODIFY_VPC_ATTRIBUTE,
];

/// So many a region may have (VPC User Guide, Amazon VPC quotas).
const MAX_VPCS: usize = 5;

/// A VPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vpc {
    home: Home,
    pub(crate) id: String,
    pub(crate) cidr: Block,
    cidr_association_id: String,
    dhcp_options_id: String,
    pub(crate) is_default: bool,
    dns_support: bool,
    pub(crate) dns_hostnames: bool,
    #[serde(default)]
    usage_metrics: bool,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Record for Vpc {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Resource for Vpc {
    const KIND: &'static Kind = &Kind {
        name: "vpc",
        prefix: "vpc",
        malformed: "InvalidVpcID.Malformed",
        not_found: |id| {
            Fault::new(&errors::INVALID_VPC_ID_NOT_FOUND, format!("The vpc ID '{id}' does not exist"))
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
        check.with("ec2:VpcID", self.id.clone()).with("ec2:Tenancy", "default")
    }
}

/// A VPC with what every one has from its first moment.
pub(crate) struct NewVpc {
    pub(crate) vpc: Vpc,
    pub(crate) route_table: RouteTable,
    pub(crate) acl: NetworkAcl,
    pub(crate) group: SecurityGroup,
}

impl NewVpc {
    /// A VPC that is not there yet; `ids` makes ids from prefixes.
    pub(crate) fn new(
        home: &Home,
        ids: &dyn Fn(&str) -> String,
        cidr: Block,
        dhcp_options_id: &str,
        is_default: bool,
    ) -> Self {
        let id = ids("vpc");
        let vpc = Vpc {
            home: home.clone(),
            id: id.clone(),
            cidr,
            cidr_association_id: ids("vpc-cidr-assoc"),
            dhcp_options_id: dhcp_options_id.to_owned(),
            is_default,
            dns_support: true,
            // The default VPC has names, others only if asked (VPC User Guide, DNS attributes).
            dns_hostnames: is_default,
            usage_metrics: false,
            tags: vec![],
        };
        Self {
            route_table: RouteTable::main(home, ids, &id, cidr),
            acl: NetworkAcl::default_of(home, ids, &id),
            group: SecurityGroup::default_of(home, ids, &id),
            vpc,
        }
    }

    /// Puts it into the store.
    pub(crate) fn put(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.put(&self.vpc)?;
        tx.put(&self.route_table)?;
        tx.put(&self.acl)?;
        tx.put(&self.group)
    }
}

impl Vpc {
    /// Its ARN, as the condition key `ec2:Vpc` has it.
    pub(crate) fn arn(home: &Home, id: &str) -> String {
        home.arn(Self::KIND.name, id)
    }

    /// The default VPC of a region, if it still has one.
    pub(crate) fn default_of(tx: &impl Read, home: &Home) -> Result<Option<Self>, StoreError> {
        Ok(Self::list(tx, home)?.into_iter().find(|vpc| vpc.is_default))
    }

    /// Refuses one more than there may be.
    fn room_for_one(tx: &impl Read, home: &Home) -> Result<(), Error> {
        if tx.keys(&home.all(Self::KIND.name), None, MAX_VPCS)?.len() < MAX_VPCS {
            return Ok(());
        }
        let words = "The maximum number of VPCs has been reached.";
        Err(Fault::new(&errors::VPC_LIMIT_EXCEEDED, words).into())
    }

    /// As the API answers it.
    fn describe_as(&self, state: VpcState) -> ec2::Vpc {
        ec2::Vpc {
            owner_id: Some(self.home.account.to_string()),
            instance_tenancy: Some(Tenancy::Default_),
            ipv6_cidr_block_association_set: None,
            cidr_block_association_set: Some(vec![VpcCidrBlockAssociation {
                association_id: Some(self.cidr_association_id.clone()),
                cidr_block: Some(self.cidr.to_string()),
                cidr_block_state: Some(VpcCidrBlockState {
                    state: Some(VpcCidrBlockStateCode::Associated),
                    status_message: None,
                }),
            }]),
            is_default: Some(self.is_default),
            tags: tag::some(&self.tags),
            block_public_access_states: Some(access_not_blocked()),
            vpc_id: Some(self.id.clone()),
            state: Some(state),
            cidr_block: Some(self.cidr.to_string()),
            dhcp_options_id: Some(self.dhcp_options_id.clone()),
            ..ec2::Vpc::default()
        }
    }
}

/// Public access is not blocked by a rule of its own.
pub(crate) fn access_not_blocked() -> BlockPublicAccessStates {
    BlockPublicAccessStates { internet_gateway_block_mode: Some(BlockPublicAccessMode::Off) }
}

/// The block of a parameter. Sizes are those of VPCs and subnets (VPC User Guide, VPC CIDR blocks: "between a /28
/// netmask and /16 netmask"); blocks that no interface can have an address of are none.
pub(crate) fn block(text: &str, out_of_range: fn(&str) -> Fault) -> Result<Block, Fault> {
    let block: Block = text
        .parse()
        .map_err(|_| fault::invalid_parameter(text, "cidrBlock", "This is not a valid CIDR block."))?;
    let base = block.base();
    let [first, ..] = base.octets();
    let usable = !(base.is_loopback() || base.is_link_local() || first == 0 || first >= 224);
    if (16..=28).contains(&block.prefix()) && usable { Ok(block) } else { Err(out_of_range(text)) }
}

/// May the caller see or change the VPC of that id?
fn ask_about(cx: &Cx, tx: &Tx<'_>, action: &'static str, id: &str) -> Result<Check, StoreError> {
    Vpc::ask(cx, tx, action, id)
}
