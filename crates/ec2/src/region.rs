//! Regions and their availability zones: AWS's names for places that are all this machine. A region is a name apart,
//! with things of its own; a zone is where a subnet and its instances say that they are.

mod describe_availability_zones;
mod describe_regions;

use daypass_core::{Entry, Fault};

use crate::fault;

pub(crate) const OPERATIONS: &[&Entry] =
    &[&describe_availability_zones::DESCRIBE_AVAILABILITY_ZONES, &describe_regions::DESCRIBE_REGIONS];

/// A region of AWS's partition `aws` (botocore 1.43 `endpoints.json`, Apache-2.0, for names).
pub(crate) struct Region {
    /// As `us-east-1`.
    pub(crate) name: &'static str,
    /// As `US East (N. Virginia)`.
    pub(crate) long_name: &'static str,
    /// Whether an account has to opt in first.
    opt_in: bool,
    /// What its zones' ids start with.
    zone_prefix: &'static str,
    /// Its zones: the letter, and the number of the id.
    zones: &'static [(char, u8)],
}

const ABC: &[(char, u8)] = &[('a', 1), ('b', 2), ('c', 3)];

/// A region's row. Which letter is which zone is AWS's secret of each account; these are one account's.
const fn region(
    name: &'static str,
    long_name: &'static str,
    opt_in: bool,
    zone_prefix: &'static str,
    zones: &'static [(char, u8)],
) -> Region {
    Region { name, long_name, opt_in, zone_prefix, zones }
}

pub(crate) static REGIONS: &[Region] = &[
    region("af-south-1", "Africa (Cape Town)", true, "afs1", ABC),
    region("ap-east-1", "Asia Pacific (Hong Kong)", true, "ape1", ABC),
    region("ap-east-2", "Asia Pacific (Taipei)", true, "ape2", ABC),
    region("ap-northeast-1", "Asia Pacific (Tokyo)", false, "apne1", &[('a', 4), ('c', 1), ('d', 2)]),
    region(
        "ap-northeast-2",
        "Asia Pacific (Seoul)",
        false,
        "apne2",
        &[('a', 1), ('b', 2), ('c', 3), ('d', 4)],
    ),
    region("ap-northeast-3", "Asia Pacific (Osaka)", false, "apne3", ABC),
    region("ap-south-1", "Asia Pacific (Mumbai)", false, "aps1", &[('a', 1), ('b', 3), ('c', 2)]),
    region("ap-south-2", "Asia Pacific (Hyderabad)", true, "aps2", ABC),
    region("ap-southeast-1", "Asia Pacific (Singapore)", false, "apse1", ABC),
    region("ap-southeast-2", "Asia Pacific (Sydney)", false, "apse2", &[('a', 1), ('b', 3), ('c', 2)]),
    region("ap-southeast-3", "Asia Pacific (Jakarta)", true, "apse3", ABC),
    region("ap-southeast-4", "Asia Pacific (Melbourne)", true, "apse4", ABC),
    region("ap-southeast-5", "Asia Pacific (Malaysia)", true, "apse5", ABC),
    region("ap-southeast-6", "Asia Pacific (New Zealand)", true, "apse6", ABC),
    region("ap-southeast-7", "Asia Pacific (Thailand)", true, "apse7", ABC),
    region("ca-central-1", "Canada (Central)", false, "cac1", &[('a', 1), ('b', 2), ('d', 4)]),
    region("ca-west-1", "Canada West (Calgary)", true, "caw1", ABC),
    region("eu-central-1", "Europe (Frankfurt)", false, "euc1", &[('a', 2), ('b', 3), ('c', 1)]),
    region("eu-central-2", "Europe (Zurich)", true, "euc2", ABC),
    region("eu-north-1", "Europe (Stockholm)", false, "eun1", ABC),
    region("eu-south-1", "Europe (Milan)", true, "eus1", ABC),
    region("eu-south-2", "Europe (Spain)", true, "eus2", ABC),
    region("eu-west-1", "Europe (Ireland)", false, "euw1", &[('a', 3), ('b', 1), ('c', 2)]),
    region("eu-west-2", "Europe (London)", false, "euw2", &[('a', 2), ('b', 3), ('c', 1)]),
    region("eu-west-3", "Europe (Paris)", false, "euw3", ABC),
    region("il-central-1", "Israel (Tel Aviv)", true, "ilc1", ABC),
    region("me-central-1", "Middle East (UAE)", true, "mec1", ABC),
    region("me-south-1", "Middle East (Bahrain)", true, "mes1", ABC),
    region("mx-central-1", "Mexico (Central)", true, "mxc1", ABC),
    region("sa-east-1", "South America (Sao Paulo)", false, "sae1", ABC),
    region(
        "us-east-1",
        "US East (N. Virginia)",
        false,
        "use1",
        &[('a', 6), ('b', 1), ('c', 2), ('d', 4), ('e', 3), ('f', 5)],
    ),
    region("us-east-2", "US East (Ohio)", false, "use2", ABC),
    region("us-west-1", "US West (N. California)", false, "usw1", &[('a', 3), ('b', 1)]),
    region("us-west-2", "US West (Oregon)", false, "usw2", &[('a', 2), ('b', 1), ('c', 3), ('d', 4)]),
];

impl Region {
    /// Whether it has to be, or was, opted into: here, every region can be used.
    fn opt_in_status(&self) -> &'static str {
        if self.opt_in { "opted-in" } else { "opt-in-not-required" }
    }
}

/// An availability zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// As `us-east-1a`.
    pub(crate) name: String,
    /// As `use1-az6`.
    pub(crate) id: String,
}

/// The zones of a region. One that AWS does not have has three.
pub(crate) fn zones(name: &str) -> Vec<Zone> {
    let known = REGIONS.iter().find(|r| r.name == name);
    let (prefix, letters) = known.map_or((name, ABC), |r| (r.zone_prefix, r.zones));
    let zone = |(letter, number): &(char, u8)| Zone {
        name: format!("{name}{letter}"),
        id: format!("{prefix}-az{number}"),
    };
    letters.iter().map(zone).collect()
}

/// The zone of that name, for things that can be in any.
pub(crate) fn zone(region: &str, name: &str) -> Result<Zone, Fault> {
    let words = || fault::invalid_value(format!("Invalid availability zone: [{name}]"));
    zones(region).into_iter().find(|z| z.name == name).ok_or_else(words)
}

/// The id of a zone.
pub(crate) fn zone_id(region: &str, name: &str) -> Option<String> {
    zones(region).into_iter().find(|z| z.name == name).map(|z| z.id)
}
