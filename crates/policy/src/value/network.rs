//! Address ranges in CIDR notation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 or IPv6 range. Host bits are ignored; a range of one family never holds an address of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    V4 { address: u32, mask: u32 },
    V6 { address: u128, mask: u128 },
}

impl Network {
    /// Reads `address/prefix`, or an address alone, which is the range of just that address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let prefix = match prefix {
            Some(digits) if (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse::<u32>().ok()?)
            }
            Some(_) => return None,
            None => None,
        };
        match address.parse().ok()? {
            IpAddr::V4(address) => Self::v4(address, prefix.unwrap_or(32)),
            IpAddr::V6(address) => Self::v6(address, prefix.unwrap_or(128)),
        }
    }

    fn v4(address: Ipv4Addr, prefix: u32) -> Option<Self> {
        let host_bits = 32_u32.checked_sub(prefix)?;
        let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self::V4 { address: address.to_bits() & mask, mask })
    }

    /// A range of IPv4-mapped addresses (`::ffff:10.0.0.0/104`) is the IPv4 range that it maps.
    fn v6(address: Ipv6Addr, prefix: u32) -> Option<Self> {
        if let (Some(mapped), Some(prefix @ 0..=32)) = (address.to_ipv4_mapped(), prefix.checked_sub(96)) {
            return Self::v4(mapped, prefix);
        }
        let host_bits = 128_u32.checked_sub(prefix)?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self::V6 { address: address.to_bits() & mask, mask })
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self, canonical(address)) {
            (Self::V4 { address: network, mask }, IpAddr::V4(address)) => {
                address.to_bits() & mask == *network
            }
            (Self::V6 { address: network, mask }, IpAddr::V6(address)) => {
                address.to_bits() & mask == *network
            }
            _ => false,
        }
    }
}

/// The address itself where IPv6 only carries an IPv4 address (`::ffff:192.0.2.1`, as a dual-stack socket reports it).
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(range: &str, address: &str) -> bool {
        Network::parse(range).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_range_holds_its_addresses_whatever_the_host_bits_say() {
        assert!(holds("203.0.113.0/24", "203.0.113.255"));
        assert!(holds("203.0.113.77/24", "203.0.113.1"));
        assert!(!holds("203.0.113.0/24", "203.0.114.0"));
        assert!(holds("10.1.2.3", "10.1.2.3") && !holds("10.1.2.3", "10.1.2.4"));
        assert!(holds("2001:db8::/32", "2001:0db8:85a3::8a2e:370:7334"));
        assert!(!holds("2001:db8::/32", "2001:db9::1"));
    }

    #[test]
    fn zero_means_all_of_that_family() {
        assert!(holds("0.0.0.0/0", "198.51.100.5") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("::/0", "2001:db8::1") && !holds("::/0", "198.51.100.5"));
    }

    #[test]
    fn an_ipv4_address_inside_ipv6_is_that_address() {
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert!(!holds("::/0", "::ffff:10.1.2.3"));
    }

    #[test]
    fn what_is_no_range_is_not_read() {
        for text in [
            "",
            "123456789012",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0/8",
            "010.0.0.1",
            "a",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
