//! Blocks of addresses.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A block of IPv4 addresses. EC2 sets the bits behind the prefix to zero (EC2 API Reference, CreateVpc: "if you
/// specify 100.68.0.18/18, we modify it to 100.68.0.0/18").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Block {
    base: Ipv4Addr,
    prefix: u8,
}

/// A text is no block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a block of addresses")]
pub struct InvalidBlock;

const fn mask(prefix: u8) -> u32 {
    if prefix == 0 { 0 } else { u32::MAX << (32 - prefix as u32) }
}

impl Block {
    /// The block of that many leading bits around an address. A prefix is 32 at most.
    pub(crate) const fn around(address: Ipv4Addr, prefix: u8) -> Self {
        let prefix = if prefix > 32 { 32 } else { prefix };
        Self { base: Ipv4Addr::from_bits(address.to_bits() & mask(prefix)), prefix }
    }

    /// The first address.
    #[must_use]
    pub fn base(self) -> Ipv4Addr {
        self.base
    }

    /// How many leading bits its addresses share.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// How many addresses it has.
    #[must_use]
    pub fn size(self) -> u64 {
        1 << (32 - u32::from(self.prefix))
    }

    /// The address so many places after the first, if it is in the block.
    #[must_use]
    pub fn nth(self, offset: u64) -> Option<Ipv4Addr> {
        let offset = u32::try_from(offset).ok()?;
        self.base.to_bits().checked_add(offset).map(Ipv4Addr::from_bits).filter(|a| self.contains(*a))
    }

    /// How many places after the first an address is, if it is in the block.
    #[must_use]
    pub fn offset(self, address: Ipv4Addr) -> Option<u64> {
        self.contains(address).then(|| u64::from(address.to_bits() - self.base.to_bits()))
    }

    /// Whether the address is in the block.
    #[must_use]
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.base.to_bits()
    }

    /// Whether all of another block is in this one.
    #[must_use]
    pub fn encloses(self, other: Self) -> bool {
        other.prefix >= self.prefix && self.contains(other.base)
    }

    /// Whether any address is in both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.encloses(other) || other.encloses(self)
    }
}

impl FromStr for Block {
    type Err = InvalidBlock;

    fn from_str(text: &str) -> Result<Self, InvalidBlock> {
        let (base, prefix) = text.split_once('/').ok_or(InvalidBlock)?;
        let base: Ipv4Addr = base.parse().map_err(|_| InvalidBlock)?;
        Ok(Self::around(base, prefix_of(prefix, 32)?))
    }
}

/// A prefix length: digits alone, without a sign or leading zeros.
fn prefix_of(text: &str, most: u8) -> Result<u8, InvalidBlock> {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    let prefix: u8 = text.parse().map_err(|_| InvalidBlock)?;
    if digits && prefix <= most { Ok(prefix) } else { Err(InvalidBlock) }
}

impl TryFrom<String> for Block {
    type Error = InvalidBlock;

    fn try_from(text: String) -> Result<Self, InvalidBlock> {
        text.parse()
    }
}

impl From<Block> for String {
    fn from(block: Block) -> Self {
        block.to_string()
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// A block of IPv6 addresses in its one form, as security groups and routes keep it.
pub(crate) fn ipv6(text: &str) -> Result<String, InvalidBlock> {
    let (base, prefix) = text.split_once('/').ok_or(InvalidBlock)?;
    let base: Ipv6Addr = base.parse().map_err(|_| InvalidBlock)?;
    let prefix = prefix_of(prefix, 128)?;
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    Ok(format!("{}/{prefix}", Ipv6Addr::from_bits(base.to_bits() & mask)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_behind_the_prefix_are_dropped() {
        for (text, kept) in [
            ("100.68.0.18/18", "100.68.0.0/18"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("10.1.2.3/32", "10.1.2.3/32"),
            ("255.255.255.255/1", "128.0.0.0/1"),
        ] {
            assert_eq!(text.parse::<Block>().unwrap().to_string(), kept);
        }
        assert_eq!(ipv6("2001:DB8:0::1/32").unwrap(), "2001:db8::/32");
        assert_eq!(ipv6("::/0").unwrap(), "::/0");
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in [
            "",
            "10.0.0.0",
            "10.0.0/8",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/",
            "::/0",
        ] {
            assert!(text.parse::<Block>().is_err(), "{text}");
        }
        for text in ["::", "::/129", "10.0.0.0/8", "g::/8"] {
            assert!(ipv6(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_first_and_the_last_address_are_in_the_block_and_their_neighbours_are_not(bits: u32, prefix in 1_u8..=32) {
            let block: Block = format!("{}/{prefix}", Ipv4Addr::from_bits(bits)).parse().unwrap();
            let (first, last) = (block.base(), block.nth(block.size() - 1).unwrap());
            prop_assert!(block.contains(first) && block.contains(last));
            prop_assert_eq!(block.offset(last), Some(block.size() - 1));
            prop_assert_eq!(block.nth(block.size()), None);
            if let Some(before) = first.to_bits().checked_sub(1) {
                prop_assert!(!block.contains(Ipv4Addr::from_bits(before)));
            }
        }

        #[test]
        fn blocks_overlap_exactly_if_an_end_of_one_is_in_the_other(a: u32, b: u32, p in 0_u8..=32, q in 0_u8..=32) {
            let block = |bits, prefix| format!("{}/{prefix}", Ipv4Addr::from_bits(bits)).parse::<Block>().unwrap();
            let (a, b) = (block(a, p), block(b, q));
            prop_assert_eq!(a.overlaps(b), a.contains(b.base()) || b.contains(a.base()));
            prop_assert_eq!(a.overlaps(b), b.overlaps(a));
        }
    }
}
