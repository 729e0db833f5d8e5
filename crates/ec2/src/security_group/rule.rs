//! Rules of security groups: as requests say them, as they are kept, and as answers list them.

use daypass_core::model::AccountId;
use daypass_core::model::ec2::{
    self, IpPermission, IpRange, Ipv6Range, ReferencedSecurityGroup, RevokedSecurityGroupRule,
    SecurityGroupRuleRequest, UserIdGroupPair,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{Read, StoreError};
use daypass_core::{Error, Fault};
use serde::{Deserialize, Serialize};

use super::{RULE, SecurityGroup, unknown_in_default};
use crate::cidr::{self, Block};
use crate::resource::{Home, Resource};
use crate::{fault, tag};

/// The longest description.
const MAX_DESCRIPTION: usize = 255;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// `sgr-…`.
    pub(super) id: String,
    pub(super) egress: bool,
    pub(super) traffic: Traffic,
    pub(super) peer: Peer,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
}

/// Which packets a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traffic {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `-1` for all, or a protocol's number.
    protocol: String,
    /// The first port, or the ICMP type; none where all are meant.
    from_port: Option<i32>,
    /// The last port, or the ICMP code.
    to_port: Option<i32>,
}

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peer {
    /// A block of IPv4 addresses.
    Ipv4(String),
    /// A block of IPv6 addresses.
    Ipv6(String),
    /// The members of a security group.
    Group {
        /// Its account.
        account: AccountId,
        /// Its id.
        id: String,
    },
}

/// A rule as a request says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) traffic: Traffic,
    pub(super) peer: Peer,
    pub(super) description: Option<String>,
}

impl Rule {
    /// All traffic with a peer.
    pub(super) fn all(id: String, egress: bool, peer: Peer) -> Self {
        Self { id, egress, traffic: Traffic::all(), peer, description: None, tags: vec![] }
    }

    /// The rule that every new group has: everything may go out.
    pub(super) fn all_out(id: String) -> Self {
        Self::all(id, true, Peer::Ipv4("0.0.0.0/0".to_owned()))
    }

    /// Whether it is the rule that a request says; descriptions do not tell rules apart.
    pub(super) fn is(&self, asked: &Asked, egress: bool) -> bool {
        self.egress == egress && self.traffic == asked.traffic && self.peer == asked.peer
    }

    pub(super) fn describe_as(&self, group: &SecurityGroup) -> ec2::SecurityGroupRule {
        let parts = self.peer.parts();
        ec2::SecurityGroupRule {
            security_group_rule_id: Some(self.id.clone()),
            group_id: Some(group.id.clone()),
            group_owner_id: Some(group.home.account.to_string()),
            is_egress: Some(self.egress),
            ip_protocol: Some(self.traffic.protocol.clone()),
            from_port: Some(self.traffic.from_port.unwrap_or(-1)),
            to_port: Some(self.traffic.to_port.unwrap_or(-1)),
            cidr_ipv4: parts.ipv4,
            cidr_ipv6: parts.ipv6,
            referenced_group_info: parts.group.map(|(account, id)| ReferencedSecurityGroup {
                group_id: Some(id),
                user_id: Some(account),
                ..ReferencedSecurityGroup::default()
            }),
            description: self.description.clone(),
            tags: Some(tag::all(&self.tags)),
            security_group_rule_arn: Some(group.home.arn(RULE.name, &self.id)),
            ..ec2::SecurityGroupRule::default()
        }
    }

    pub(super) fn describe_revoked(&self, group_id: &str) -> RevokedSecurityGroupRule {
        let parts = self.peer.parts();
        RevokedSecurityGroupRule {
            security_group_rule_id: Some(self.id.clone()),
            group_id: Some(group_id.to_owned()),
            is_egress: Some(self.egress),
            ip_protocol: Some(self.traffic.protocol.clone()),
            from_port: Some(self.traffic.from_port.unwrap_or(-1)),
            to_port: Some(self.traffic.to_port.unwrap_or(-1)),
            cidr_ipv4: parts.ipv4,
            cidr_ipv6: parts.ipv6,
            referenced_group_id: parts.group.map(|(_, id)| id),
            description: self.description.clone(),
            ..RevokedSecurityGroupRule::default()
        }
    }
}

impl Traffic {
    fn all() -> Self {
        Self { protocol: "-1".to_owned(), from_port: None, to_port: None }
    }

    /// The traffic of a request (EC2 API Reference, IpPermission).
    fn read(protocol: Option<&str>, from: Option<i32>, to: Option<i32>) -> Result<Self, Fault> {
        let protocol = protocol.ok_or_else(|| fault::missing("ipProtocol"))?;
        let name = match protocol.to_ascii_lowercase().as_str() {
            "-1" | "all" => return Ok(Self::all()),
            "tcp" | "6" => "tcp".to_owned(),
            "udp" | "17" => "udp".to_owned(),
            "icmp" | "1" => "icmp".to_owned(),
            "icmpv6" | "58" => "icmpv6".to_owned(),
            number => match number.parse::<u8>() {
                // Other protocols have no ports.
                Ok(number) => {
                    return Ok(Self { protocol: number.to_string(), from_port: None, to_port: None });
                }
                Err(_) => {
                    let words = format!("Invalid value '{protocol}' for IP protocol. Unknown protocol.");
                    return Err(fault::invalid_value(words));
                }
            },
        };
        let (least, most) = if name.starts_with("icmp") { (-1, 255) } else { (0, 65535) };
        let (from, to) = match (from, to) {
            (Some(from), Some(to)) => (from, to),
            (None, None) if name == "icmpv6" => (-1, -1),
            _ => {
                let words = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.";
                return Err(fault::invalid_value(words));
            }
        };
        // All ports can be asked for as -1, too.
        let (from, to) =
            if name.starts_with("icmp") || (from, to) != (-1, -1) { (from, to) } else { (0, 65535) };
        for port in [from, to] {
            if !(least..=most).contains(&port) {
                let what = if name.starts_with("icmp") { "ICMP code" } else { "TCP/UDP port" };
                return Err(fault::invalid_value(format!("{what} ({port}) out of range")));
            }
        }
        if !name.starts_with("icmp") && from > to {
            let words = format!("Invalid {} port range: '{from}-{to}'.", name.to_uppercase());
            return Err(fault::invalid_value(words));
        }
        Ok(Self { protocol: name, from_port: Some(from), to_port: Some(to) })
    }
}

/// The fields of an answer that say who is at the other end.
#[derive(Default)]
struct Parts {
    ipv4: Option<String>,
    ipv6: Option<String>,
    group: Option<(String, String)>,
}

impl Peer {
    fn parts(&self) -> Parts {
        match self.clone() {
            Self::Ipv4(block) => Parts { ipv4: Some(block), ..Parts::default() },
            Self::Ipv6(block) => Parts { ipv6: Some(block), ..Parts::default() },
            Self::Group { account, id } => {
                Parts { group: Some((account.to_string(), id)), ..Parts::default() }
            }
        }
    }

    fn ipv4(text: &str) -> Result<Self, Fault> {
        let block: Block = text.parse().map_err(|_| bad_block(text))?;
        Ok(Self::Ipv4(block.to_string()))
    }

    fn ipv6(text: &str) -> Result<Self, Fault> {
        cidr::ipv6(text).map(Self::Ipv6).map_err(|_| bad_block(text))
    }

    /// A group in the VPC of the group whose rule it is.
    fn group(
        tx: &impl Read,
        of: &SecurityGroup,
        user: Option<&str>,
        id: Option<&str>,
        name: Option<&str>,
    ) -> Result<Self, Error> {
        let home = &of.home;
        if user.is_some_and(|user| user != home.account.as_str()) {
            let words = "Rules of Daypass refer to security groups of their own account alone.";
            return Err(fault::unsupported(words).into());
        }
        let group = match (id, name) {
            (Some(id), _) => SecurityGroup::load(tx, home, id)?,
            (None, Some(name)) => {
                let found = SecurityGroup::named(tx, home, &of.vpc_id, name)?;
                found.ok_or_else(|| unknown_in_default(tx, home, name))?
            }
            (None, None) => return Err(fault::missing("groupId").into()),
        };
        if group.vpc_id != of.vpc_id {
            let words = "You have specified two resources that belong to different networks.";
            return Err(fault::coded("InvalidGroup.NotFound", words).into());
        }
        Ok(Self::Group { account: home.account.clone(), id: group.id })
    }

    /// As EC2 prints it in a refusal.
    fn print(&self) -> &str {
        match self {
            Self::Ipv4(block) | Self::Ipv6(block) => block,
            Self::Group { id, .. } => id,
        }
    }
}

fn bad_block(text: &str) -> Fault {
    fault::invalid_value(format!("CIDR block {text} is malformed"))
}

pub(super) fn description(text: Option<&String>) -> Result<Option<String>, Fault> {
    let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(None) };
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if text.chars().count() > MAX_DESCRIPTION || !text.chars().all(allowed) {
        let words = "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*";
        return Err(fault::invalid_value(words));
    }
    Ok(Some(text.clone()))
}

impl Asked {
    /// The rules that permissions of a request say: one for each peer.
    pub(super) fn read(
        tx: &impl Read,
        of: &SecurityGroup,
        permissions: &[IpPermission],
    ) -> Result<Vec<Self>, Error> {
        let mut asked = vec![];
        for permission in permissions {
            let protocol = permission.ip_protocol.as_deref();
            let traffic = Traffic::read(protocol, permission.from_port, permission.to_port)?;
            let mut add = |peer, text: Option<&String>| -> Result<(), Fault> {
                asked.push(Self { traffic: traffic.clone(), peer, description: description(text)? });
                Ok(())
            };
            for range in permission.ip_ranges.iter().flatten() {
                add(Peer::ipv4(range.cidr_ip.as_deref().unwrap_or(""))?, range.description.as_ref())?;
            }
            for range in permission.ipv6_ranges.iter().flatten() {
                add(Peer::ipv6(range.cidr_ipv6.as_deref().unwrap_or(""))?, range.description.as_ref())?;
            }
            for pair in permission.user_id_group_pairs.iter().flatten() {
                let (user, id) = (pair.user_id.as_deref(), pair.group_id.as_deref());
                let peer = Peer::group(tx, of, user, id, pair.group_name.as_deref())?;
                add(peer, pair.description.as_ref())?;
            }
            if permission.prefix_list_ids.as_ref().is_some_and(|lists| !lists.is_empty()) {
                return Err(fault::unsupported("Daypass has no prefix lists.").into());
            }
        }
        Ok(asked)
    }

    /// The one rule that an update of a rule says.
    pub(super) fn read_one(
        tx: &impl Read,
        of: &SecurityGroup,
        request: &SecurityGroupRuleRequest,
    ) -> Result<Self, Error> {
        let traffic = Traffic::read(request.ip_protocol.as_deref(), request.from_port, request.to_port)?;
        let peer = match request {
            SecurityGroupRuleRequest {
                cidr_ipv4: Some(block),
                cidr_ipv6: None,
                referenced_group_id: None,
                ..
            } => Peer::ipv4(block)?,
            SecurityGroupRuleRequest {
                cidr_ipv4: None,
                cidr_ipv6: Some(block),
                referenced_group_id: None,
                ..
            } => Peer::ipv6(block)?,
            SecurityGroupRuleRequest {
                cidr_ipv4: None,
                cidr_ipv6: None,
                referenced_group_id: Some(id),
                ..
            } => Peer::group(tx, of, None, Some(id), None)?,
            SecurityGroupRuleRequest { prefix_list_id: Some(_), .. } => {
                return Err(fault::unsupported("Daypass has no prefix lists.").into());
            }
            _ => {
                let words = "Exactly one of cidrIpv4, cidrIpv6, prefixListId and referencedGroupId must be specified.";
                return Err(fault::invalid_combination(words).into());
            }
        };
        Ok(Self { traffic, peer, description: description(request.description.as_ref())? })
    }

    /// As EC2 prints it in a refusal: `peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW`.
    pub(super) fn print(&self) -> String {
        let Traffic { protocol, from_port, to_port } = &self.traffic;
        let traffic = match (protocol.as_str(), from_port, to_port) {
            ("-1", ..) => "ALL".to_owned(),
            (name @ ("tcp" | "udp"), Some(from), Some(to)) => {
                format!("{}, from port: {from}, to port: {to}", name.to_uppercase())
            }
            (name, Some(kind), Some(code)) => format!("{}, type: {kind}, code: {code}", name.to_uppercase()),
            (number, ..) => number.to_owned(),
        };
        format!("peer: {}, {traffic}, ALLOW", self.peer.print())
    }
}

/// The flat parameters of old: one permission.
pub(super) struct Flat<'a> {
    pub(super) protocol: Option<&'a String>,
    pub(super) from_port: Option<i32>,
    pub(super) to_port: Option<i32>,
    pub(super) cidr: Option<&'a String>,
    pub(super) group_name: Option<&'a String>,
    pub(super) group_owner: Option<&'a String>,
}

/// The permissions of a request, of which four have the same members.
macro_rules! asked_permissions {
    ($input:expr) => {
        $crate::security_group::rule::Flat {
            protocol: $input.ip_protocol.as_ref(),
            from_port: $input.from_port,
            to_port: $input.to_port,
            cidr: $input.cidr_ip.as_ref(),
            group_name: $input.source_security_group_name.as_ref(),
            group_owner: $input.source_security_group_owner_id.as_ref(),
        }
        .or(&$input.ip_permissions)
    };
}
pub(super) use asked_permissions;

impl Flat<'_> {
    /// The permissions of a request, whichever way it says them.
    pub(super) fn or(self, permissions: &[IpPermission]) -> Result<Vec<IpPermission>, Fault> {
        let given = self.protocol.is_some() || self.cidr.is_some() || self.group_name.is_some();
        match (given, permissions.is_empty()) {
            (false, _) => Ok(permissions.to_vec()),
            (true, false) => {
                let words = "The parameter 'ipPermissions' may not be used in combination with 'ipProtocol'";
                Err(fault::invalid_combination(words))
            }
            // A group of old means all its traffic.
            (true, true) => Ok(vec![IpPermission {
                ip_protocol: self.protocol.cloned().or_else(|| Some("-1".to_owned())),
                from_port: self.from_port,
                to_port: self.to_port,
                ip_ranges: self
                    .cidr
                    .map(|cidr| vec![IpRange { cidr_ip: Some(cidr.clone()), description: None }]),
                user_id_group_pairs: self.group_name.map(|name| {
                    vec![UserIdGroupPair {
                        group_name: Some(name.clone()),
                        user_id: self.group_owner.cloned(),
                        ..UserIdGroupPair::default()
                    }]
                }),
                ..IpPermission::default()
            }]),
        }
    }
}

/// Rules as permissions: those of the same traffic together, in the order in which the first of each came.
pub(super) fn permissions(rules: &[Rule], egress: bool) -> Vec<IpPermission> {
    let mut grouped: Vec<(&Traffic, IpPermission)> = vec![];
    for rule in rules.iter().filter(|rule| rule.egress == egress) {
        let at = grouped.iter().position(|(traffic, _)| **traffic == rule.traffic);
        let at = at.unwrap_or_else(|| {
            grouped.push((&rule.traffic, empty(&rule.traffic)));
            grouped.len() - 1
        });
        let Some((_, permission)) = grouped.get_mut(at) else { continue };
        let description = rule.description.clone();
        match rule.peer.clone() {
            Peer::Ipv4(block) => permission
                .ip_ranges
                .get_or_insert_default()
                .push(IpRange { cidr_ip: Some(block), description }),
            Peer::Ipv6(block) => permission
                .ipv6_ranges
                .get_or_insert_default()
                .push(Ipv6Range { cidr_ipv6: Some(block), description }),
            Peer::Group { account, id } => {
                permission.user_id_group_pairs.get_or_insert_default().push(UserIdGroupPair {
                    description,
                    user_id: Some(account.to_string()),
                    group_id: Some(id),
                    ..UserIdGroupPair::default()
                });
            }
        }
    }
    grouped.into_iter().map(|(_, permission)| permission).collect()
}

fn empty(traffic: &Traffic) -> IpPermission {
    IpPermission {
        ip_protocol: Some(traffic.protocol.clone()),
        from_port: traffic.from_port,
        to_port: traffic.to_port,
        user_id_group_pairs: Some(vec![]),
        ip_ranges: Some(vec![]),
        ipv6_ranges: Some(vec![]),
        prefix_list_ids: Some(vec![]),
    }
}

/// What a filter finds in the rules of one direction.
pub(super) fn parts(group: &SecurityGroup, egress: bool, part: fn(&Rule) -> Option<String>) -> Vec<String> {
    group.rules.iter().filter(|rule| rule.egress == egress).filter_map(part).collect()
}

/// The parts of a rule that filters know.
pub(super) mod part {
    use super::{Peer, Rule};

    pub(in crate::security_group) fn cidr(rule: &Rule) -> Option<String> {
        rule.peer.parts().ipv4
    }
    pub(in crate::security_group) fn ipv6_cidr(rule: &Rule) -> Option<String> {
        rule.peer.parts().ipv6
    }
    pub(in crate::security_group) fn from_port(rule: &Rule) -> Option<String> {
        rule.traffic.from_port.map(|p| p.to_string())
    }
    pub(in crate::security_group) fn to_port(rule: &Rule) -> Option<String> {
        rule.traffic.to_port.map(|p| p.to_string())
    }
    pub(in crate::security_group) fn protocol(rule: &Rule) -> Option<String> {
        Some(rule.traffic.protocol.clone())
    }
    pub(in crate::security_group) fn group_id(rule: &Rule) -> Option<String> {
        rule.peer.parts().group.map(|(_, id)| id)
    }
    pub(in crate::security_group) fn user_id(rule: &Rule) -> Option<String> {
        match &rule.peer {
            Peer::Group { account, .. } => Some(account.to_string()),
            _ => None,
        }
    }
}

/// Whether another group's rules name a group.
pub(super) fn is_referred_to(tx: &impl Read, home: &Home, id: &str) -> Result<bool, StoreError> {
    let names = |rule: &Rule| matches!(&rule.peer, Peer::Group { id: peer, .. } if peer == id);
    let others = SecurityGroup::list(tx, home)?;
    Ok(others.iter().any(|group| group.id != id && group.rules.iter().any(names)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(
        protocol: &str,
        from: Option<i32>,
        to: Option<i32>,
    ) -> Result<(String, Option<i32>, Option<i32>), String> {
        Traffic::read(Some(protocol), from, to)
            .map(|t| (t.protocol, t.from_port, t.to_port))
            .map_err(|fault| fault.message)
    }

    #[test]
    fn traffic_has_one_form() {
        for (protocol, ports, expected) in [
            ("tcp", (Some(22), Some(22)), ("tcp", Some(22), Some(22))),
            ("6", (Some(0), Some(65535)), ("tcp", Some(0), Some(65535))),
            ("TCP", (Some(-1), Some(-1)), ("tcp", Some(0), Some(65535))),
            ("17", (Some(53), Some(53)), ("udp", Some(53), Some(53))),
            ("-1", (Some(0), Some(0)), ("-1", None, None)),
            ("all", (None, None), ("-1", None, None)),
            ("icmp", (Some(8), Some(-1)), ("icmp", Some(8), Some(-1))),
            ("58", (None, None), ("icmpv6", Some(-1), Some(-1))),
            ("50", (Some(1), Some(2)), ("50", None, None)),
        ] {
            let (name, from, to) = expected;
            assert_eq!(read(protocol, ports.0, ports.1), Ok((name.to_owned(), from, to)), "{protocol}");
        }
    }

    #[test]
    fn traffic_that_cannot_be_is_refused() {
        for (protocol, from, to, words) in [
            ("foo", None, None, "Invalid value 'foo' for IP protocol. Unknown protocol."),
            ("256", None, None, "Invalid value '256' for IP protocol. Unknown protocol."),
            (
                "tcp",
                Some(80),
                None,
                "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
            ),
            ("tcp", Some(80), Some(65536), "TCP/UDP port (65536) out of range"),
            ("udp", Some(-2), Some(1), "TCP/UDP port (-2) out of range"),
            ("tcp", Some(90), Some(80), "Invalid TCP port range: '90-80'."),
            ("icmp", Some(256), Some(0), "ICMP code (256) out of range"),
        ] {
            assert_eq!(read(protocol, from, to), Err(words.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn permissions_hold_every_rule_once(ports in prop::collection::vec(0_i32..3, 0..20)) {
            let rules: Vec<Rule> = (0..).zip(&ports).map(|(number, port): (u32, _)| Rule {
                id: format!("sgr-{number}"),
                egress: port % 2 == 0,
                traffic: Traffic { protocol: "tcp".into(), from_port: Some(*port), to_port: Some(*port) },
                peer: Peer::Ipv4(format!("10.0.0.{number}/32")),
                description: None,
                tags: vec![],
            }).collect();
            let listed: usize = [true, false].iter().flat_map(|egress| permissions(&rules, *egress)).map(|p| p.ip_ranges.unwrap().len()).sum();
            prop_assert_eq!(listed, rules.len());
        }
    }
}
