//! Ranges of user and group ids, one for each instance.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Ids in a range: all that programs inside know, from root to nobody.
pub(super) const RANGE: u32 = 65_536;
/// The first id given out, and how many ranges follow: from 0x10000000 up to 0x6fffffff. Users and what distributions
/// hand to users (`/etc/subuid`) begin below, and systemd's own reservations above.
const FIRST: u32 = 0x1000_0000;
pub(super) const SLOTS: u32 = 0x6000_0000 / RANGE;

/// The ids of the host that an instance's 0 to 65535 are.
pub(super) fn range(slot: u32) -> RangeInclusive<u32> {
    let first = FIRST + (slot % SLOTS) * RANGE;
    first..=first + (RANGE - 1)
}

/// A slot that no instance of this driver has, and whose ids nobody else on this machine is known to use: no user, no
/// user's subordinate ids, no user namespace that has a process.
///
/// The search begins at a place that depends on `seed`, so that drivers that do not know of each other's stopped
/// instances seldom meet.
pub(super) fn free_slot(seed: u64, is_taken: impl Fn(u32) -> bool) -> io::Result<u32> {
    let foreign = foreign_ranges()?;
    let start = (seed % u64::from(SLOTS)) as u32;
    let free = |slot: &u32| !is_taken(*slot) && !foreign.iter().any(|other| overlap(other, &range(*slot)));
    (0..SLOTS)
        .map(|step| (start + step) % SLOTS)
        .find(free)
        .ok_or_else(|| io::Error::other("every range of user ids is in use"))
}

fn overlap(a: &RangeInclusive<u32>, b: &RangeInclusive<u32>) -> bool {
    a.start() <= b.end() && b.start() <= a.end()
}

fn foreign_ranges() -> io::Result<Vec<RangeInclusive<u32>>> {
    let mut ranges = Vec::new();
    for file in ["/etc/subuid", "/etc/subgid"] {
        ranges.extend(read_lines(Path::new(file)).iter().filter_map(|line| subordinate(line)));
    }
    for file in ["/etc/passwd", "/etc/group"] {
        ranges.extend(read_lines(Path::new(file)).iter().filter_map(|line| single(line)));
    }
    let mut seen = HashSet::new();
    for entry in fs::read_dir("/proc")? {
        let process = entry?;
        let is_process = process.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
        // Most processes are in one user namespace, whose maps need not be read for each of them.
        let namespace = fs::metadata(process.path().join("ns/user")).map(|namespace| namespace.ino());
        if is_process && namespace.map_or(true, |namespace| seen.insert(namespace)) {
            for file in ["uid_map", "gid_map"] {
                ranges.extend(read_lines(&process.path().join(file)).iter().filter_map(|line| mapped(line)));
            }
        }
    }
    Ok(ranges)
}

/// What is not there, or ended while we looked, has no ids.
fn read_lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// `user:first:count`
fn subordinate(line: &str) -> Option<RangeInclusive<u32>> {
    let mut fields = line.split(':').skip(1);
    let mut number = || fields.next()?.parse::<u32>().ok();
    span(number()?, number()?)
}

/// `name:password:id:…`
fn single(line: &str) -> Option<RangeInclusive<u32>> {
    let id = line.split(':').nth(2)?.parse().ok()?;
    Some(id..=id)
}

/// `inside outside count`. The map of the host's own namespace maps everything, and says nothing.
fn mapped(line: &str) -> Option<RangeInclusive<u32>> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let mut number = || fields.next()?.parse::<u32>().ok();
    let (first, count) = (number()?, number()?);
    if (first, count) == (0, u32::MAX) { None } else { span(first, count) }
}

fn span(first: u32, count: u32) -> Option<RangeInclusive<u32>> {
    Some(first..=first.saturating_add(count.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_do_not_touch_and_end_below_what_is_reserved() {
        assert_eq!(range(0), 0x1000_0000..=0x1000_ffff);
        assert_eq!(range(1), 0x1001_0000..=0x1001_ffff);
        assert_eq!(*range(SLOTS - 1).end(), 0x6fff_ffff);
    }

    #[test]
    fn a_slot_is_given_once() {
        let first = free_slot(7, |_| false).unwrap();
        let second = free_slot(7, |slot| slot == first).unwrap();
        assert!(first != second && !overlap(&range(first), &range(second)));
    }

    #[test]
    fn ids_of_others_are_read() {
        assert_eq!(subordinate("ann:100000:65536"), Some(100_000..=165_535));
        assert_eq!(single("ann:x:1000:1000::/home/ann:/bin/sh"), Some(1000..=1000));
        assert_eq!(mapped("         0  268435456      65536"), Some(268_435_456..=268_500_991));
        assert_eq!(mapped("         0          0 4294967295"), None);
        for line in ["", "ann", "ann:x:y", "ann:1:0"] {
            assert_eq!(subordinate(line), None, "{line}");
        }
    }
}
