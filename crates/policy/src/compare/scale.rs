//! Values on a line: numbers, points in time and addresses, cut at what the policies compare with.

use crate::value::{Decimal, Network, Timestamp};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A text that is neither a number, nor a date, nor an address, nor base64.
const NOTHING: &str = "?";

/// Numbers at, between, below and above those given, and what is none; empty where none is given.
pub(super) fn numbers(texts: &[&str]) -> Vec<String> {
    let mut points: Vec<i128> =
        texts.iter().filter_map(|text| Decimal::parse(text)).map(Decimal::units).collect();
    points.sort_unstable();
    points.dedup();
    let one = Decimal::from_integer(1).units();
    let between = points.windows(2).filter_map(|pair| match pair {
        [low, high] if high - low > 1 => Some(low + (high - low) / 2),
        _ => None,
    });
    let ends = points.first().map(|low| low - one).into_iter().chain(points.last().map(|high| high + one));
    let units = points.iter().copied().chain(between).chain(ends);
    let mut found: Vec<String> = units.map(|units| Decimal::from_units(units).to_string()).collect();
    if !texts.is_empty() {
        found.extend(["0".into(), NOTHING.into()]);
    }
    found
}

/// The same of points in time.
pub(super) fn times(texts: &[&str]) -> Vec<String> {
    const SECOND: i128 = 1_000_000_000;
    let mut points: Vec<i128> =
        texts.iter().filter_map(|text| Timestamp::parse(text)).map(Timestamp::nanoseconds).collect();
    points.sort_unstable();
    points.dedup();
    let between = points.windows(2).filter_map(|pair| match pair {
        // A whole second where there is one.
        [low, high] if high - low > 1 => {
            let whole = (low.div_euclid(SECOND) + 1) * SECOND;
            Some(if whole < *high { whole } else { low + 1 })
        }
        _ => None,
    });
    let ends =
        points.first().map(|low| low - SECOND).into_iter().chain(points.last().map(|high| high + SECOND));
    let all = points.iter().copied().chain(between).chain(ends);
    let mut found: Vec<String> = all.map(Timestamp::precise).collect();
    if !texts.is_empty() {
        found.extend(["2020-01-01T00:00:00Z".into(), NOTHING.into()]);
    }
    found
}

/// An address of each range that the networks cut the two families into, and what is none.
pub(super) fn addresses(networks: &[Network]) -> Vec<String> {
    if networks.is_empty() {
        return Vec::new();
    }
    let mut v4: Vec<u32> = vec![0];
    // What IPv6 maps to IPv4 is IPv4; the ranges beside it are cut there.
    let mut v6: Vec<u128> = vec![0, 0x1_0000_0000_0000, 0x2001_0db8 << 96];
    for network in networks {
        match *network {
            Network::V4 { address, mask } => {
                v4.extend([Some(address), (address | !mask).checked_add(1)].into_iter().flatten())
            }
            Network::V6 { address, mask } => {
                v6.extend([Some(address), (address | !mask).checked_add(1)].into_iter().flatten())
            }
        }
    }
    v4.sort_unstable();
    v4.dedup();
    v6.sort_unstable();
    v6.dedup();
    let v4 = v4.into_iter().map(|bits| Ipv4Addr::from_bits(bits).to_string());
    let v6 = v6.into_iter().map(|bits| Ipv6Addr::from_bits(bits).to_string());
    v4.chain(v6).chain([NOTHING.into()]).collect()
}

/// The texts themselves, two other sequences of bytes, and what is none.
pub(super) fn bytes(texts: &[&str]) -> Vec<String> {
    if texts.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<String> = texts.iter().map(|text| (*text).into()).collect();
    // One of as many lengths as there are texts, and one more, is none of them.
    found.extend((0..=texts.len()).map(|thirds| "AAAA".repeat(thirds)));
    found.push(NOTHING.into());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_every_threshold() {
        assert_eq!(numbers(&["10", "2.5"]), ["2.5", "10", "6.25", "1.5", "11", "0", "?"]);
        assert_eq!(
            times(&["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"])[..4],
            [
                "2026-01-01T00:00:00Z",
                "2026-01-01T00:00:00.500000000Z",
                "2026-01-01T00:00:00.000000001Z",
                "2025-12-31T23:59:59Z"
            ]
        );
        let networks = [Network::parse("10.0.0.0/8").unwrap(), Network::parse("::/0").unwrap()];
        assert_eq!(
            addresses(&networks),
            ["0.0.0.0", "10.0.0.0", "11.0.0.0", "::", "::1:0:0:0", "2001:db8::", "?"]
        );
        assert!(numbers(&[]).is_empty() && times(&[]).is_empty() && addresses(&[]).is_empty());
    }
}
