//! What an instance shall be.

use crate::{Cidr, Error, InstanceId, Invalid, MacAddress, VpcId};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Everything a driver needs to know to start an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceSpec {
    /// The instance's id. Its disk is kept under this name until it is terminated.
    pub id: InstanceId,
    /// The VPC that it stands in.
    pub vpc: Vpc,
    /// Its one network interface.
    pub network: Network,
    /// What its root file system starts from.
    pub image: Image,
    /// Its name for itself, such as `ip-10-0-1-5.ec2.internal`.
    pub hostname: Hostname,
    /// What it may use of the machine.
    pub limits: Limits,
    /// What it was launched with; a script (`#!`) runs once, at its first boot.
    pub user_data: UserData,
    /// Variables of everything that runs inside, also written to `/etc/environment` and `/etc/profile.d/daypass.sh`.
    pub environment: Environment,
    /// The port of the API, at [`Vpc::api_address`] and at 127.0.0.1, both as seen from inside.
    pub api_port: u16,
    /// Resolvers for `/etc/resolv.conf`, at most three. Without any, names are not resolved.
    pub nameservers: Vec<IpAddr>,
    /// What root inside may do beyond the ordinary.
    pub privileges: Privileges,
}

impl InstanceSpec {
    /// Most resolvers that the C library reads (resolv.conf(5), MAXNS).
    const NAMESERVERS_MAX: usize = 3;
    /// EC2 keeps the first four addresses of a subnet and the last (VPC user guide, "Subnet sizing for IPv4").
    const RESERVED_FIRST: u32 = 4;

    /// Checks what no single field can know.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the subnet is not within the VPC, the address is not one that EC2 gives out in the subnet,
    /// the limits leave nothing, the port is zero, or there are too many resolvers.
    pub fn check(&self) -> Result<(), Error> {
        let Network { private_ip, subnet, .. } = self.network;
        let invalid = |what, value: String, reason| Err(Invalid::new(what, value, reason).into());
        if !self.vpc.cidr.encloses(subnet) {
            return invalid("subnet", subnet.to_string(), "it is not within the VPC");
        }
        let offset = private_ip.to_bits().wrapping_sub(subnet.network().to_bits());
        let reserved = offset < Self::RESERVED_FIRST || private_ip == subnet.broadcast();
        if !subnet.contains(private_ip) || reserved {
            return invalid("private address", private_ip.to_string(), "the subnet does not give it out");
        }
        self.limits.check()?;
        if self.api_port == 0 {
            return invalid("API port", self.api_port.to_string(), "zero is not a port");
        }
        if self.nameservers.len() > Self::NAMESERVERS_MAX {
            return invalid("nameservers", self.nameservers.len().to_string(), "at most three are read");
        }
        Ok(())
    }

    /// Whether this instance can stand beside those that are there already.
    ///
    /// # Errors
    /// [`Error::AddressInUse`] if another one in the VPC has the address; [`Error::Invalid`] if the VPC is known
    /// with another block.
    pub(crate) fn check_beside<'a>(&self, others: impl Iterator<Item = Place<'a>>) -> Result<(), Error> {
        for other in others.filter(|other| *other.vpc == self.vpc.id && *other.id != self.id) {
            if other.cidr != self.vpc.cidr {
                let reason = "the VPC is known with another block";
                return Err(Invalid::new("VPC", self.vpc.cidr, reason).into());
            }
            if other.private_ip == self.network.private_ip {
                return Err(Error::AddressInUse(other.private_ip));
            }
        }
        Ok(())
    }
}

/// Where an instance that runs stands.
pub(crate) struct Place<'a> {
    pub(crate) id: &'a InstanceId,
    pub(crate) vpc: &'a VpcId,
    pub(crate) cidr: Cidr,
    pub(crate) private_ip: Ipv4Addr,
}

/// A virtual private cloud: instances of one can reach each other, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vpc {
    /// The VPC's id.
    pub id: VpcId,
    /// Its block of addresses.
    pub cidr: Cidr,
}

impl Vpc {
    /// The address at which instances of the VPC reach the API: the base of its block plus two.
    ///
    /// EC2 keeps that address for the VPC's own resolver and never gives it to an instance (VPC user guide, "Amazon DNS
    /// server"), so no instance can ever have it; a resolver, should there be one, can share it on another port.
    #[must_use]
    pub fn api_address(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.cidr.network().to_bits() | 2)
    }
}

/// An instance's network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Its primary private address.
    pub private_ip: Ipv4Addr,
    /// The subnet that the address is from; its first address plus one is the router.
    pub subnet: Cidr,
    /// Its Ethernet address.
    pub mac: MacAddress,
}

impl Network {
    /// The address of the subnet's router: its first address plus one (VPC user guide, "Subnet sizing for IPv4").
    #[must_use]
    pub fn router(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.subnet.network().to_bits() | 1)
    }
}

/// What a root file system starts from. The instance's own writes are kept apart and never reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Image {
    /// The host's own system, seen as an unprivileged user of the host sees it: for trying out and for tests. Root
    /// inside does not own its files, so packages cannot be installed.
    Host,
    /// A directory that holds a root file system, owned by root inside. It must be within one of the driver's image
    /// directories.
    Directory(PathBuf),
}

/// What an instance may use of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Processor time, in whole processors.
    pub vcpus: u16,
    /// Memory, its `/tmp` and `/run` included, in MiB.
    pub memory_mib: u32,
    /// Processes and threads.
    pub processes: u32,
}

impl Limits {
    /// What the first process needs, with a shell and a program beside it.
    const LEAST: Self = Self { vcpus: 1, memory_mib: 16, processes: 8 };

    fn check(self) -> Result<(), Error> {
        for (what, value, least) in [
            ("number of processors", u32::from(self.vcpus), u32::from(Self::LEAST.vcpus)),
            ("memory in MiB", self.memory_mib, Self::LEAST.memory_mib),
            ("number of processes", self.processes, Self::LEAST.processes),
        ] {
            if value < least {
                return Err(Invalid::new(what, value, "no instance can run with so little").into());
            }
        }
        Ok(())
    }
}

/// What root inside may do beyond the ordinary. Both widen what the host's kernel exposes to it; neither lets an
/// instance take another's address or reach another's metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privileges {
    /// `CAP_NET_ADMIN` and `CAP_NET_RAW` over its own interfaces: addresses, routes, firewall, raw sockets.
    pub network_admin: bool,
    /// Namespaces of its own within the instance, with all capabilities in them. A new `/proc` is not to be had there:
    /// the kernel gives none where parts of the one that is there are hidden.
    pub nested_namespaces: bool,
}

/// A host name of at most 64 characters: labels of letters, digits and hyphens between dots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hostname(String);

impl Hostname {
    /// Longest name that the kernel keeps (uname(2)).
    const LENGTH_MAX: usize = 64;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Hostname {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let is_label = |label: &str| {
            let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
        };
        if text.len() <= Self::LENGTH_MAX && text.split('.').all(is_label) {
            Ok(Self(text))
        } else {
            Err(Invalid::new(
                "host name",
                text,
                "expected labels of letters, digits and hyphens, 64 characters in all",
            ))
        }
    }
}

impl std::str::FromStr for Hostname {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.to_owned().try_into()
    }
}

impl From<Hostname> for String {
    fn from(name: Hostname) -> String {
        name.0
    }
}

/// User data of at most 16 KiB, before base64. It may hold secrets: it has no `Debug` and is zeroed after use.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UserData(Zeroizing<Vec<u8>>);

impl UserData {
    /// EC2 user guide, "Run commands at launch": "User data is limited to 16 KB, in raw form".
    const LENGTH_MAX: usize = 16 * 1024;

    /// No user data.
    #[must_use]
    pub fn empty() -> Self {
        Self(Zeroizing::new(Vec::new()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is a script, which runs at first boot; anything else is only stored.
    #[must_use]
    pub fn is_script(&self) -> bool {
        self.0.starts_with(b"#!")
    }
}

impl TryFrom<Vec<u8>> for UserData {
    type Error = Invalid;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Invalid> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() > Self::LENGTH_MAX {
            return Err(Invalid::new(
                "user data",
                format_args!("of {} bytes", bytes.len()),
                "at most 16 KiB",
            ));
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for UserData {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = Zeroizing::new(text);
        let bytes = BASE64_STANDARD.decode(text.as_bytes());
        bytes.map_err(|_| Invalid::new("user data", "…", "expected base64"))?.try_into()
    }
}

impl Serialize for UserData {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64_STANDARD.encode(self.as_bytes())))
    }
}

impl std::fmt::Debug for UserData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UserData({} bytes)", self.0.len())
    }
}

/// Environment variables, at most 64 and 16 KiB in all.
///
/// Values are printable ASCII without quotes, `\`, `$` and backquotes, so that they mean the same to a shell, to PAM and
/// to a program, and can be written to a file that each of them reads without an escape that one might read otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    const VARIABLES_MAX: usize = 64;
    const BYTES_MAX: usize = 16 * 1024;

    /// The variables by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl TryFrom<BTreeMap<String, String>> for Environment {
    type Error = Invalid;

    fn try_from(variables: BTreeMap<String, String>) -> Result<Self, Invalid> {
        let bytes: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
        if variables.len() > Self::VARIABLES_MAX || bytes > Self::BYTES_MAX {
            return Err(Invalid::new("environment", variables.len(), "at most 64 variables and 16 KiB"));
        }
        for (name, value) in &variables {
            if !is_variable_name(name) {
                return Err(Invalid::new("environment variable", name, "expected letters, digits and `_`"));
            }
            if !value.bytes().all(|b| (b' '..=b'~').contains(&b) && !b"'\"\\$`".contains(&b)) {
                return Err(Invalid::new(
                    "value of variable",
                    name,
                    "expected printable ASCII without quotes",
                ));
            }
        }
        Ok(Self(variables))
    }
}

/// What a shell takes as the name of a variable.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    begins && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl<N: Into<String>, V: Into<String>, const COUNT: usize> TryFrom<[(N, V); COUNT]> for Environment {
    type Error = Invalid;

    fn try_from(variables: [(N, V); COUNT]) -> Result<Self, Invalid> {
        let owned = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        owned.collect::<BTreeMap<String, String>>().try_into()
    }
}

impl From<Environment> for BTreeMap<String, String> {
    fn from(environment: Environment) -> Self {
        environment.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> InstanceSpec {
        InstanceSpec {
            id: "i-01234567".parse().unwrap(),
            vpc: Vpc { id: "vpc-01234567".parse().unwrap(), cidr: "10.0.0.0/16".parse().unwrap() },
            network: Network {
                private_ip: Ipv4Addr::new(10, 0, 1, 5),
                subnet: "10.0.1.0/24".parse().unwrap(),
                mac: "02:00:00:00:01:05".parse().unwrap(),
            },
            image: Image::Host,
            hostname: "ip-10-0-1-5.ec2.internal".parse().unwrap(),
            limits: Limits { vcpus: 2, memory_mib: 512, processes: 256 },
            user_data: b"#!/bin/sh\n".to_vec().try_into().unwrap(),
            environment: [("AWS_REGION", "us-east-1")].try_into().unwrap(),
            api_port: 4566,
            nameservers: vec![],
            privileges: Privileges::default(),
        }
    }

    #[test]
    fn a_specification_survives_its_way_to_the_child() {
        let text = serde_json::to_string(&spec()).unwrap();
        assert_eq!(serde_json::from_str::<InstanceSpec>(&text).unwrap(), spec());
    }

    #[test]
    fn a_field_that_nobody_knows_is_refused() {
        let mut value = serde_json::to_value(spec()).unwrap();
        value["privileges"]["sys_admin"] = true.into();
        assert!(serde_json::from_value::<InstanceSpec>(value).is_err());
    }

    #[test]
    fn only_addresses_that_a_subnet_gives_out_are_taken() {
        for (address, good) in [
            ([10, 0, 1, 4], true),
            ([10, 0, 1, 254], true),
            ([10, 0, 1, 0], false),
            ([10, 0, 1, 1], false),
            ([10, 0, 1, 3], false),
            ([10, 0, 1, 255], false),
            ([10, 0, 2, 5], false),
            ([169, 254, 169, 254], false),
        ] {
            let mut spec = spec();
            spec.network.private_ip = address.into();
            assert_eq!(spec.check().is_ok(), good, "{address:?}");
        }
    }

    #[test]
    fn a_subnet_outside_of_its_vpc_is_refused() {
        let mut spec = spec();
        spec.vpc.cidr = "10.1.0.0/16".parse().unwrap();
        assert!(spec.check().is_err());
    }

    #[test]
    fn two_instances_of_a_vpc_never_have_one_address() {
        let (spec, other) = (spec(), "i-89abcdef".parse().unwrap());
        let place = |id, cidr: &str| Place {
            id,
            vpc: &spec.vpc.id,
            cidr: cidr.parse().unwrap(),
            private_ip: spec.network.private_ip,
        };
        let taken = spec.check_beside([place(&other, "10.0.0.0/16")].into_iter());
        assert!(matches!(taken, Err(Error::AddressInUse(_))));
        assert!(matches!(
            spec.check_beside([place(&other, "10.0.0.0/17")].into_iter()),
            Err(Error::Invalid(_))
        ));
        assert!(spec.check_beside([place(&spec.id, "10.0.0.0/16")].into_iter()).is_ok());
    }

    #[test]
    fn the_api_address_is_one_that_no_instance_can_have() {
        let mut spec = spec();
        spec.network.subnet = "10.0.0.0/24".parse().unwrap();
        spec.network.private_ip = spec.vpc.api_address();
        assert!(spec.check().is_err());
    }

    #[test]
    fn variables_mean_the_same_to_everyone_who_reads_them() {
        for (name, value, good) in [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566", true),
            ("A", "", true),
            ("", "x", false),
            ("1A", "x", false),
            ("A-B", "x", false),
            ("A", "x\ny", false),
            ("A", "$(id)", false),
            ("A", "'", false),
            ("A", "ä", false),
        ] {
            assert_eq!(Environment::try_from([(name, value)]).is_ok(), good, "{name}={value}");
        }
    }

    #[test]
    fn host_names_are_labels_between_dots() {
        for (name, good) in [
            ("ip-10-0-1-5.ec2.internal", true),
            ("a", true),
            ("", false),
            ("a..b", false),
            ("-a", false),
            ("a b", false),
            ("a\nb", false),
        ] {
            assert_eq!(name.parse::<Hostname>().is_ok(), good, "{name:?}");
        }
        assert!("a".repeat(65).parse::<Hostname>().is_err());
    }

    #[test]
    fn user_data_is_bounded_and_not_shown() {
        assert!(UserData::try_from(vec![0; 16 * 1024]).is_ok());
        assert!(UserData::try_from(vec![0; 16 * 1024 + 1]).is_err());
        let secret = UserData::try_from(b"#!/bin/sh\nPASSWORD=hunter2".to_vec()).unwrap();
        assert!(secret.is_script() && !format!("{secret:?}").contains("hunter2"));
    }
}
