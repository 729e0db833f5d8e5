//! Addresses inside a VPC.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A block of IPv4 addresses, such as `10.0.1.0/24`, without bits set beyond its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    network: Ipv4Addr,
    prefix: u8,
}

impl Cidr {
    /// The first address of the block.
    #[must_use]
    pub fn network(self) -> Ipv4Addr {
        self.network
    }

    /// How many leading bits the addresses of the block share.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// The last address of the block.
    #[must_use]
    pub fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network.to_bits() | !mask(self.prefix))
    }

    /// Whether the address is within the block.
    #[must_use]
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.network.to_bits()
    }

    /// Whether all of `inner` is within this block.
    #[must_use]
    pub fn encloses(self, inner: Cidr) -> bool {
        inner.prefix >= self.prefix && self.contains(inner.network)
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

impl FromStr for Cidr {
    type Err = Invalid;

    /// Sizes are those of a VPC or subnet: between /16 and /28.
    /// (VPC user guide, "VPC CIDR blocks": "the allowed block size is between a /28 netmask and /16 netmask".)
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = |reason| Invalid::new("CIDR block", text, reason);
        let (network, prefix) =
            text.split_once('/').ok_or_else(|| bad("expected an address, `/`, a length"))?;
        let network: Ipv4Addr =
            network.parse().map_err(|_| bad("expected an IPv4 address before the `/`"))?;
        let prefix: u8 = prefix.parse().map_err(|_| bad("expected a number after the `/`"))?;
        if !(16..=28).contains(&prefix) {
            return Err(bad("the length is not between 16 and 28"));
        }
        if network.to_bits() & !mask(prefix) != 0 {
            return Err(bad("bits are set after the length"));
        }
        if network.is_loopback()
            || network.is_link_local()
            || network.is_multicast()
            || network.octets()[0] == 0
        {
            return Err(bad("loopback, link-local, multicast and zero addresses cannot be given out"));
        }
        Ok(Self { network, prefix })
    }
}

impl TryFrom<String> for Cidr {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> String {
        cidr.to_string()
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// A unicast Ethernet address, such as `02:4f:1c:00:9a:01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// The six bytes, in the order in which they are written.
    #[must_use]
    pub fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl TryFrom<[u8; 6]> for MacAddress {
    type Error = Invalid;

    fn try_from(octets: [u8; 6]) -> Result<Self, Invalid> {
        if octets[0] & 1 != 0 || octets == [0; 6] {
            return Err(Invalid::new(
                "MAC address",
                format_args!("{octets:02x?}"),
                "it is not a unicast address",
            ));
        }
        Ok(Self(octets))
    }
}

impl FromStr for MacAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad =
            || Invalid::new("MAC address", text, "expected six pairs of hexadecimal digits between colons");
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().filter(|part| is_hexadecimal_pair(part)).ok_or_else(bad)?;
            *octet = u8::from_str_radix(part, 16).map_err(|_| bad())?;
        }
        if parts.next().is_some() {
            return Err(bad());
        }
        octets.try_into()
    }
}

fn is_hexadecimal_pair(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl TryFrom<String> for MacAddress {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> String {
        mac.to_string()
    }
}

impl std::fmt::Display for MacAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_knows_its_ends_and_what_is_within() {
        let cidr: Cidr = "10.0.1.0/24".parse().unwrap();
        assert_eq!(cidr.broadcast(), Ipv4Addr::new(10, 0, 1, 255));
        assert!(cidr.contains(Ipv4Addr::new(10, 0, 1, 77)) && !cidr.contains(Ipv4Addr::new(10, 0, 2, 1)));
        let vpc: Cidr = "10.0.0.0/16".parse().unwrap();
        assert!(vpc.encloses(cidr) && !cidr.encloses(vpc));
        assert_eq!(cidr.to_string(), "10.0.1.0/24");
    }

    #[test]
    fn blocks_that_no_vpc_can_have_are_refused() {
        for text in [
            "10.0.0.0",
            "10.0.0.0/8",
            "10.0.0.0/29",
            "10.0.0.1/24",
            "127.0.0.0/16",
            "169.254.0.0/16",
            "0.0.0.0/16",
        ] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mac_address_is_six_bytes_and_unicast() {
        let mac: MacAddress = "02:4f:1C:00:9a:01".parse().unwrap();
        assert_eq!(mac.octets(), [2, 0x4f, 0x1c, 0, 0x9a, 1]);
        assert_eq!(mac.to_string(), "02:4f:1c:00:9a:01");
        for text in [
            "",
            "01:00:00:00:00:01",
            "00:00:00:00:00:00",
            "02:00:00:00:00",
            "02:00:00:00:00:01:02",
            "+2:00:00:00:00:01",
        ] {
            assert!(text.parse::<MacAddress>().is_err(), "{text}");
        }
    }
}
