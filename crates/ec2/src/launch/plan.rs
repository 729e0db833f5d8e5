//! What a launch would make: everything that the request says, found and checked. Nothing is written here, so that the
//! questions of a launch can be asked of the same plan that is carried out.

use std::net::Ipv4Addr;

use daypass_core::image::{self, PublicImage};
use daypass_core::model::ec2::{InstanceNetworkInterfaceSpecification, RunInstancesRequest, errors};
use daypass_core::store::records::{InstanceProfile, MetadataOptions, Role, Tag};
use daypass_core::store::{Read, Tx};
use daypass_core::{Cx, Error, Fault};

use super::devices::{self, Device};
use super::limits;
use crate::default_network;
use crate::instance_type::InstanceType;
use crate::key_pair::KeyPair;
use crate::launch_template::{self, Used};
use crate::metadata_options;
use crate::resource::{Home, Kind, Resource};
use crate::security_group::SecurityGroup;
use crate::subnet::Subnet;
use crate::volume::Volume;
use crate::vpc::Vpc;
use crate::{fault, network_interface, profile, tag};

/// A launch.
pub(super) struct Plan {
    /// The request, with what its launch template adds.
    pub(super) request: RunInstancesRequest,
    pub(super) template: Option<Used>,
    pub(super) least: i32,
    pub(super) most: i32,
    pub(super) image: PublicImage,
    pub(super) kind: InstanceType,
    pub(super) place: Place,
    pub(super) key: Option<KeyPair>,
    pub(super) profile: Option<(InstanceProfile, Role)>,
    pub(super) metadata: MetadataOptions,
    pub(super) user_data: Option<String>,
    pub(super) devices: Vec<Device>,
    pub(super) tags: Tags,
}

/// Where the instances stand.
pub(super) struct Place {
    pub(super) vpc: Vpc,
    pub(super) subnet: Subnet,
    pub(super) groups: Vec<SecurityGroup>,
    pub(super) private_ip: Option<Ipv4Addr>,
    pub(super) description: String,
}

/// What the new things are tagged with.
pub(super) struct Tags {
    pub(super) instance: Vec<Tag>,
    pub(super) volume: Vec<Tag>,
    pub(super) interface: Vec<Tag>,
}

/// The kinds that a launch makes.
pub(super) const MADE: [&Kind; 3] =
    [<daypass_core::store::records::Instance as Resource>::KIND, Volume::KIND, &network_interface::KIND];

impl Plan {
    /// The plan of a request.
    pub(super) fn new(cx: &Cx, tx: &Tx<'_>, input: &RunInstancesRequest) -> Result<Self, Error> {
        let home = Home::of(cx);
        let (request, template) = launch_template::merge(cx, tx, input)?;
        limits::refuse_what_is_not_built(&request)?;
        let (least, most) = limits::count(&request)?;
        let image = image_of(&home, request.image_id.as_deref())?;
        let kind = kind_of(request.instance_type.as_deref())?;
        super::check_architecture(kind, &image)?;
        check_processors(&request, kind)?;
        let place = Place::new(tx, &home, &request)?;
        if place.private_ip.is_some() && most > 1 {
            let words = "The parameter privateIpAddress cannot be used to launch more than one instance.";
            return Err(fault::invalid_combination(words).into());
        }
        let key = match &request.key_name {
            Some(name) => Some(KeyPair::named(tx, &home, name)?.ok_or_else(|| KeyPair::unknown(name))?),
            None => None,
        };
        let profile = match &request.iam_instance_profile {
            Some(specification) => Some(profile::find(tx, &home, specification)?),
            None => None,
        };
        let specifications = &request.tag_specifications;
        Ok(Self {
            metadata: metadata_options::at_launch(tx, &home, request.metadata_options.as_ref())?,
            user_data: super::user_data(request.user_data.as_deref())?,
            devices: devices::read(&request.block_device_mappings, &image)?,
            tags: Tags {
                instance: tag::of_new(specifications, MADE[0], &MADE)?,
                volume: tag::of_new(specifications, MADE[1], &MADE)?,
                interface: tag::of_new(specifications, MADE[2], &MADE)?,
            },
            template,
            least,
            most,
            image,
            kind,
            place,
            key,
            profile,
            request,
        })
    }
}

fn image_of(home: &Home, id: Option<&str>) -> Result<PublicImage, Fault> {
    let id = id.ok_or_else(|| fault::missing("ImageId"))?;
    let id = crate::image::KIND.check(id)?;
    image::public_image(&home.region, id).ok_or_else(|| (crate::image::KIND.not_found)(id))
}

fn kind_of(name: Option<&str>) -> Result<InstanceType, Fault> {
    let Some(name) = name else {
        // The type of a request that names none; no image of today runs on it.
        let words = "Non-Windows instances with a virtualization type of 'hvm' are currently not supported for this instance type : m1.small";
        return Err(fault::invalid_combination(words));
    };
    super::instance_type(name)
}

/// Processors can be asked for, but are as the type has them.
fn check_processors(request: &RunInstancesRequest, kind: InstanceType) -> Result<(), Fault> {
    let Some(options) = &request.cpu_options else { return Ok(()) };
    let cores = options.core_count.is_none_or(|n| n == kind.cores());
    let threads = options.threads_per_core.is_none_or(|n| n == kind.threads_per_core());
    if cores && threads {
        return Ok(());
    }
    Err(fault::unsupported("Daypass gives each instance type the processors that it has by default."))
}

/// What a request says of its one network interface, whichever way it says it.
struct Asked<'a> {
    subnet_id: Option<&'a str>,
    group_ids: &'a [String],
    group_names: &'a [String],
    private_ip: Option<&'a str>,
    description: &'a str,
}

impl<'a> Asked<'a> {
    fn of(request: &'a RunInstancesRequest) -> Result<Self, Fault> {
        let flat = Self {
            subnet_id: request.subnet_id.as_deref(),
            group_ids: &request.security_group_ids,
            group_names: &request.security_groups,
            private_ip: request.private_ip_address.as_deref(),
            description: "",
        };
        let interface = match request.network_interfaces.as_slice() {
            [] => return Ok(flat),
            [one] => one,
            _ => return Err(fault::unsupported("Instances of Daypass have one network interface.")),
        };
        let words = match (&flat.subnet_id, flat.group_ids, flat.group_names, &flat.private_ip) {
            (Some(_), ..) => Some("subnet ID"),
            (None, [_, ..], ..) | (None, [], [_, ..], _) => Some("security groups"),
            (None, [], [], Some(_)) => Some("private IP address"),
            (None, [], [], None) => None,
        };
        if let Some(what) = words {
            let words = format!(
                "Network interfaces and an instance-level {what} may not be specified on the same request"
            );
            return Err(fault::invalid_combination(words));
        }
        check_interface(interface)?;
        let primary = interface.private_ip_addresses.iter().find(|a| a.primary != Some(false));
        Ok(Self {
            subnet_id: interface.subnet_id.as_deref(),
            group_ids: &interface.groups,
            group_names: &[],
            private_ip: interface
                .private_ip_address
                .as_deref()
                .or_else(|| primary.and_then(|a| a.private_ip_address.as_deref())),
            description: interface.description.as_deref().unwrap_or(""),
        })
    }
}

/// Refuses an interface that no instance here can have.
fn check_interface(interface: &InstanceNetworkInterfaceSpecification) -> Result<(), Fault> {
    for (asked, words) in [
        (
            interface.network_interface_id.is_some(),
            "Network interfaces of Daypass come with their instances.",
        ),
        (
            interface.associate_public_ip_address == Some(true)
                || interface.associate_carrier_ip_address == Some(true),
            "Instances of Daypass have no public addresses.",
        ),
        (
            interface.secondary_private_ip_address_count.is_some_and(|n| n > 0)
                || interface.private_ip_addresses.len() > 1
                || !interface.ipv4_prefixes.is_empty()
                || interface.ipv4_prefix_count.is_some_and(|n| n > 0),
            "Network interfaces of Daypass have one address.",
        ),
        (
            interface.ipv6_address_count.is_some_and(|n| n > 0)
                || !interface.ipv6_addresses.is_empty()
                || !interface.ipv6_prefixes.is_empty()
                || interface.ipv6_prefix_count.is_some_and(|n| n > 0)
                || interface.primary_ipv6 == Some(true),
            "Instances of Daypass have no IPv6 addresses.",
        ),
        (
            interface.delete_on_termination == Some(false),
            "Network interfaces of Daypass go with their instances.",
        ),
        (
            interface.interface_type.as_deref().is_some_and(|kind| kind != "interface"),
            "Network interfaces of Daypass are of the type interface.",
        ),
        (
            interface.ena_srd_specification.is_some() || interface.ena_queue_count.is_some(),
            "Daypass does not support these ENA options.",
        ),
    ] {
        if asked {
            return Err(fault::unsupported(words));
        }
    }
    if interface.device_index.is_some_and(|index| index != 0)
        || interface.network_card_index.is_some_and(|i| i != 0)
    {
        return Err(fault::invalid_combination(
            "The primary network interface must have the device index 0.",
        ));
    }
    Ok(())
}

impl Place {
    fn new(tx: &impl Read, home: &Home, request: &RunInstancesRequest) -> Result<Self, Error> {
        let asked = Asked::of(request)?;
        let zone = request.placement.as_ref().and_then(|p| p.availability_zone.as_deref());
        let zone = zone.filter(|zone| !zone.is_empty());
        let (vpc, subnet) = match asked.subnet_id {
            Some(id) => {
                let subnet = Subnet::load(tx, home, id)?;
                let vpc = Vpc::load(tx, home, &subnet.vpc_id)?;
                (vpc, subnet)
            }
            None => default_subnet(tx, home, zone)?,
        };
        if let Some(zone) = zone.filter(|zone| *zone != subnet.zone) {
            let why = format!("The subnet '{}' is in the availability zone {}.", subnet.id, subnet.zone);
            return Err(fault::invalid_parameter(zone, "availabilityZone", &why).into());
        }
        if !asked.group_names.is_empty() && asked.subnet_id.is_some() {
            let words = "The parameter groupName cannot be used with the parameter subnet";
            return Err(fault::invalid_combination(words).into());
        }
        let groups = groups(tx, home, &vpc, &subnet, &asked)?;
        let private_ip = asked.private_ip.map(|text| {
            text.parse()
                .map_err(|_| fault::invalid_value(format!("Invalid value '{text}' for privateIpAddress.")))
        });
        Ok(Self {
            vpc,
            subnet,
            groups,
            private_ip: private_ip.transpose()?,
            description: asked.description.to_owned(),
        })
    }
}

/// Where a launch goes that names no subnet.
fn default_subnet(tx: &impl Read, home: &Home, zone: Option<&str>) -> Result<(Vpc, Subnet), Error> {
    let Some(view) = default_network::view(tx, home)? else {
        let words =
            "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.";
        return Err(fault::coded("VPCIdNotSpecified", words).into());
    };
    let vpc_id = view.vpc.id.clone();
    let missing = || {
        let words = match zone {
            Some(zone) => format!("No default subnet for availability zone: '{zone}'."),
            None => format!("No subnets found for the default VPC '{vpc_id}'. Please specify a subnet."),
        };
        fault::coded("MissingInput", words)
    };
    if let Some(zone) = zone {
        crate::region::zone(&home.region, zone)?;
    }
    let subnet =
        view.subnets.into_iter().find(|s| zone.is_none_or(|zone| s.zone == zone)).ok_or_else(missing)?;
    Ok((view.vpc, subnet))
}

/// The groups of a launch: those that it names, or the VPC's default one.
fn groups(
    tx: &impl Read,
    home: &Home,
    vpc: &Vpc,
    subnet: &Subnet,
    asked: &Asked<'_>,
) -> Result<Vec<SecurityGroup>, Error> {
    let mut groups: Vec<SecurityGroup> = vec![];
    let default =
        default_network::view(tx, home)?.filter(|view| view.vpc.id == vpc.id).map(|view| view.group);
    for id in asked.group_ids {
        // The default group of a VPC that is not made yet cannot be found by its id.
        match default.clone().filter(|group| group.id == *id) {
            Some(group) => groups.push(group),
            None => groups.push(SecurityGroup::load(tx, home, id)?),
        }
    }
    for name in asked.group_names {
        let known = default.clone().filter(|group| group.name == *name);
        let found = match known {
            Some(group) => Some(group),
            None => SecurityGroup::named(tx, home, &vpc.id, name)?,
        };
        groups.push(found.ok_or_else(|| {
            let words = format!("The security group '{name}' does not exist in default VPC '{}'", vpc.id);
            Fault::new(&errors::INVALID_GROUP_NOT_FOUND, words)
        })?);
    }
    if let Some(group) = groups.iter().find(|group| group.vpc_id != vpc.id) {
        return Err(super::different_networks(&group.id, &subnet.id).into());
    }
    if groups.is_empty() {
        let own = match default {
            Some(group) => Some(group),
            None => SecurityGroup::list(tx, home)?.into_iter().find(|g| g.vpc_id == vpc.id && g.is_default()),
        };
        groups.extend(own);
    }
    groups.sort_by(|a, b| a.id.cmp(&b.id));
    groups.dedup_by(|a, b| a.id == b.id);
    Ok(groups)
}
