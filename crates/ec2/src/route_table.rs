//! Route tables: what the caller says of them. Instances of a VPC reach each other and the API; nothing routes further.

mod associate_route_table;
mod create_route;
mod create_route_table;
mod delete_route;
mod delete_route_table;
mod describe_route_tables;
mod disassociate_route_table;
mod replace_route;
mod replace_route_table_association;

use daypass_core::model::ec2::{
    self, RouteOrigin, RouteState, RouteTableAssociation, RouteTableAssociationState,
    RouteTableAssociationStateCode, errors,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Read, Record, StoreError, Tx};
use daypass_core::{Check, Cx, Entry, Error, Fault};
use serde::{Deserialize, Serialize};

use crate::cidr::{self, Block};
use crate::filter::Listed;
use crate::internet_gateway::InternetGateway;
use crate::resource::{Home, Kind, Resource};
use crate::vpc::Vpc;
use crate::{fault, network_interface, tag};

pub(crate) const OPERATIONS: &[&Entry] = &[
    &associate_route_table::ASSOCIATE_ROUTE_TABLE,
    &create_route::CREATE_ROUTE,
    &create_route_table::CREATE_ROUTE_TABLE,
    &delete_route::DELETE_ROUTE,
    &delete_route_table::DELETE_ROUTE_TABLE,
    &describe_route_tables::DESCRIBE_ROUTE_TABLES,
    &disassociate_route_table::DISASSOCIATE_ROUTE_TABLE,
    &replace_route::REPLACE_ROUTE,
    &replace_route_table_association::REPLACE_ROUTE_TABLE_ASSOCIATION,
];

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteTable {
    home: Home,
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    routes: Vec<Route>,
    #[serde(default)]
    associations: Vec<Association>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    /// A block of IPv4 or IPv6 addresses, in its one form.
    destination: String,
    target: Target,
    /// Whether it came with the table.
    #[serde(default)]
    own: bool,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Target {
    /// The VPC itself.
    Local,
    /// An internet gateway.
    Gateway(String),
    /// A network interface.
    NetworkInterface(String),
}

/// That a subnet follows a table; or, without a subnet, that all do that follow no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Association {
    /// `rtbassoc-…`.
    id: String,
    subnet_id: Option<String>,
}

impl Record for RouteTable {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Resource for RouteTable {
    const KIND: &'static Kind = &Kind {
        name: "route-table",
        prefix: "rtb",
        malformed: "InvalidRouteTableId.Malformed",
        not_found: |id| {
            let words = format!("The routeTable ID '{id}' does not exist");
            Fault::new(&errors::INVALID_ROUTE_TABLE_ID_NOT_FOUND, words)
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
        check.with("ec2:RouteTableID", self.id.clone()).with("ec2:Vpc", Vpc::arn(&self.home, &self.vpc_id))
    }
}

impl RouteTable {
    /// The table that a VPC is made with.
    pub(crate) fn main(home: &Home, ids: &dyn Fn(&str) -> String, vpc_id: &str, cidr: Block) -> Self {
        let mut table = Self::new(home, ids("rtb"), vpc_id, cidr);
        table.associations.push(Association { id: ids("rtbassoc"), subnet_id: None });
        table
    }

    fn new(home: &Home, id: String, vpc_id: &str, cidr: Block) -> Self {
        let local = Route { destination: cidr.to_string(), target: Target::Local, own: true };
        Self {
            home: home.clone(),
            id,
            vpc_id: vpc_id.to_owned(),
            routes: vec![local],
            associations: vec![],
            tags: vec![],
        }
    }

    /// The way out of a default VPC.
    pub(crate) fn route_to_gateway(&mut self, gateway_id: &str) {
        let target = Target::Gateway(gateway_id.to_owned());
        self.routes.push(Route { destination: "0.0.0.0/0".to_owned(), target, own: false });
    }

    /// Whether subnets without a table of their own follow this one.
    pub(crate) fn is_main(&self) -> bool {
        self.associations.iter().any(|a| a.subnet_id.is_none())
    }

    /// Takes it away from a subnet that goes.
    pub(crate) fn let_go(tx: &mut Tx<'_>, home: &Home, subnet_id: &str) -> Result<(), StoreError> {
        for mut table in Self::list(tx, home)? {
            if table.associations.iter().any(|a| a.subnet_id.as_deref() == Some(subnet_id)) {
                table.associations.retain(|a| a.subnet_id.as_deref() != Some(subnet_id));
                tx.put(&table)?;
            }
        }
        Ok(())
    }

    /// The table of an association.
    fn of_association(
        tx: &impl Read,
        home: &Home,
        id: &str,
    ) -> Result<Option<(Self, Association)>, StoreError> {
        let found = Self::list(tx, home)?.into_iter().find_map(|table| {
            let association = table.associations.iter().find(|a| a.id == id)?.clone();
            Some((table, association))
        });
        Ok(found)
    }
}

/// A route table, and what can be seen of its routes from elsewhere.
struct Seen {
    table: RouteTable,
    /// For each route: whether its target is there, and the instance behind an interface.
    routes: Vec<(Route, bool, Option<String>)>,
}

impl Seen {
    fn new(tx: &impl Read, home: &Home, table: RouteTable) -> Result<Self, StoreError> {
        let mut routes = vec![];
        for route in &table.routes {
            let (there, instance) = match &route.target {
                Target::Local => (true, None),
                Target::Gateway(id) => {
                    let gateway = InternetGateway::find(tx, home, id)?;
                    (gateway.is_some_and(|g| g.vpc_id.as_ref() == Some(&table.vpc_id)), None)
                }
                Target::NetworkInterface(id) => {
                    let instance = network_interface::instance_of(tx, home, id)?;
                    (instance.is_some(), instance.map(|i| i.id))
                }
            };
            routes.push((route.clone(), there, instance));
        }
        Ok(Self { table, routes })
    }

    fn describe_as(&self) -> ec2::RouteTable {
        let account = self.table.home.account.to_string();
        let route = |(route, there, instance): &(Route, bool, Option<String>)| {
            let ipv6 = route.destination.contains(':');
            let destination = Some(route.destination.clone());
            ec2::Route {
                destination_cidr_block: destination.clone().filter(|_| !ipv6),
                destination_ipv6_cidr_block: destination.filter(|_| ipv6),
                gateway_id: match &route.target {
                    Target::Local => Some("local".to_owned()),
                    Target::Gateway(id) => Some(id.clone()),
                    Target::NetworkInterface(_) => None,
                },
                network_interface_id: match &route.target {
                    Target::NetworkInterface(id) => Some(id.clone()),
                    _ => None,
                },
                instance_id: instance.clone(),
                instance_owner_id: instance.as_ref().map(|_| account.clone()),
                origin: Some(if route.own {
                    RouteOrigin::CreateRouteTable
                } else {
                    RouteOrigin::CreateRoute
                }),
                state: Some(if *there { RouteState::Active } else { RouteState::Blackhole }),
                ..ec2::Route::default()
            }
        };
        let association = |a: &Association| RouteTableAssociation {
            main: Some(a.subnet_id.is_none()),
            route_table_association_id: Some(a.id.clone()),
            route_table_id: Some(self.table.id.clone()),
            subnet_id: a.subnet_id.clone(),
            association_state: Some(associated()),
            ..RouteTableAssociation::default()
        };
        ec2::RouteTable {
            associations: Some(self.table.associations.iter().map(association).collect()),
            propagating_vgws: Some(vec![]),
            route_table_id: Some(self.table.id.clone()),
            routes: Some(self.routes.iter().map(route).collect()),
            tags: Some(tag::all(&self.table.tags)),
            vpc_id: Some(self.table.vpc_id.clone()),
            owner_id: Some(account),
        }
    }
}

impl Listed for Seen {
    fn order(&self) -> String {
        self.table.id.clone()
    }

    fn tags(&self) -> &[Tag] {
        &self.table.tags
    }
}

fn associated() -> RouteTableAssociationState {
    RouteTableAssociationState {
        state: Some(RouteTableAssociationStateCode::Associated),
        status_message: None,
    }
}

/// The destination of a request: one block, in its one form.
fn destination(ipv4: Option<&str>, ipv6: Option<&str>, prefix_list: Option<&str>) -> Result<String, Fault> {
    let refuse = |text: &str, parameter: &str| {
        fault::invalid_parameter(text, parameter, "This is not a valid CIDR block.")
    };
    match (ipv4, ipv6, prefix_list) {
        (Some(text), None, None) => {
            let block: Block = text.parse().map_err(|_| refuse(text, "destinationCidrBlock"))?;
            Ok(block.to_string())
        }
        (None, Some(text), None) => cidr::ipv6(text).map_err(|_| refuse(text, "destinationIpv6CidrBlock")),
        (None, None, Some(_)) => Err(fault::unsupported("Daypass has no prefix lists.")),
        (None, None, None) => Err(fault::missing("destinationCidrBlock")),
        _ => Err(fault::invalid_combination("Exactly one destination may be specified.")),
    }
}

/// What a request says of where a route leads.
struct Asked<'a> {
    gateway: Option<&'a str>,
    instance: Option<&'a str>,
    interface: Option<&'a str>,
    /// Whether it names what Daypass does not have.
    other: bool,
}

/// The same of a request, of which two have the same members.
macro_rules! asked {
    ($input:expr, $gateway:expr) => {
        $crate::route_table::Asked {
            gateway: $gateway,
            instance: $input.instance_id.as_deref(),
            interface: $input.network_interface_id.as_deref(),
            other: $input.nat_gateway_id.is_some()
                || $input.vpc_endpoint_id.is_some()
                || $input.transit_gateway_id.is_some()
                || $input.local_gateway_id.is_some()
                || $input.carrier_gateway_id.is_some()
                || $input.core_network_arn.is_some()
                || $input.odb_network_arn.is_some()
                || $input.egress_only_internet_gateway_id.is_some()
                || $input.vpc_peering_connection_id.is_some(),
        }
    };
}
use asked;

impl Asked<'_> {
    /// The target of a route of a VPC.
    fn target(&self, tx: &impl Read, home: &Home, table: &RouteTable) -> Result<Target, Error> {
        match (self.gateway, self.instance, self.interface, self.other) {
            (Some("local"), None, None, false) => Ok(Target::Local),
            (Some(id), None, None, false) if InternetGateway::KIND.may_be(id) => {
                let missing = || {
                    let words = format!("The gateway ID '{id}' does not exist");
                    Fault::new(&errors::INVALID_GATEWAY_ID_NOT_FOUND, words)
                };
                let gateway = InternetGateway::find(tx, home, id)?.ok_or_else(missing)?;
                if gateway.vpc_id.as_ref() != Some(&table.vpc_id) {
                    let words = format!(
                        "route table {} and network gateway {id} belong to different networks",
                        table.id
                    );
                    return Err(fault::invalid_value(words).into());
                }
                Ok(Target::Gateway(gateway.id))
            }
            (None, Some(id), None, false) => {
                let instance = crate::instance::load(tx, home, id)?;
                Ok(Target::NetworkInterface(instance.network.id))
            }
            (None, None, Some(id), false) => {
                let id = network_interface::KIND.check(id)?;
                let instance = network_interface::instance_of(tx, home, id)?;
                let instance = instance.ok_or_else(|| (network_interface::KIND.not_found)(id))?;
                Ok(Target::NetworkInterface(instance.network.id))
            }
            (None, None, None, false) => Err(fault::invalid_value("missing route target").into()),
            _ => {
                let words =
                    "Routes of Daypass lead to internet gateways, instances and network interfaces alone.";
                Err(fault::unsupported(words).into())
            }
        }
    }
}

/// May the caller do this to the table of an association, and to its subnet?
fn ask_about_association(
    cx: &Cx,
    tx: &Tx<'_>,
    action: &'static str,
    id: &str,
) -> Result<daypass_core::Checks, StoreError> {
    let home = Home::of(cx);
    let Some((table, association)) = RouteTable::of_association(tx, &home, id)? else {
        return Ok(RouteTable::ask(cx, tx, action, "*")?.into());
    };
    let checks = daypass_core::Checks::from(RouteTable::ask(cx, tx, action, &table.id)?);
    Ok(match association.subnet_id {
        Some(subnet) => checks.and(crate::subnet::Subnet::ask(cx, tx, action, &subnet)?),
        None => checks,
    })
}

/// The table of an association, or EC2's refusal.
fn load_association(tx: &impl Read, home: &Home, id: &str) -> Result<(RouteTable, Association), Error> {
    let words = || format!("The association ID '{id}' does not exist");
    let found = RouteTable::of_association(tx, home, id)?;
    Ok(found.ok_or_else(|| Fault::new(&errors::INVALID_ASSOCIATION_ID_NOT_FOUND, words()))?)
}
