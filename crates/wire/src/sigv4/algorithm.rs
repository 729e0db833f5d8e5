//! The algorithms of Signature Version 4: with a secret that both sides hold, and with a key pair that is derived from it
//! (SigV4A), whose signature is for a set of regions. Source: *Create a signed AWS API request*, "Calculate the signature".

use super::Family;

/// The only algorithm of every service but S3.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// That of SigV4A.
const ASYMMETRIC: &str = "AWS4-ECDSA-P256-SHA256";

/// The longest list of regions that is read, in bytes.
const MAX_SET: usize = 1024;
/// The most regions of a list.
const MAX_REGIONS: usize = 32;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hmac,
    Ecdsa,
}

impl Algorithm {
    /// The algorithm of that name, if the service takes it.
    pub(super) fn named(name: &str, family: Family) -> Option<Self> {
        match (name, family) {
            (ALGORITHM, _) => Some(Self::Hmac),
            (ASYMMETRIC, Family::S3) => Some(Self::Ecdsa),
            _ => None,
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hmac => ALGORITHM,
            Self::Ecdsa => ASYMMETRIC,
        }
    }
}

/// The regions that a signature of SigV4A is for (`X-Amz-Region-Set`): names, in which `*` stands for anything. One that does
/// not read is for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RegionSet(String);

impl RegionSet {
    pub(super) fn new(text: &str) -> Self {
        let may_stand = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'*');
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(may_stand);
        let read = text.len() <= MAX_SET
            && text.split(',').count() <= MAX_REGIONS
            && text.split(',').all(|name| is_name(name.trim()));
        Self(if read { text.to_owned() } else { String::new() })
    }

    /// The list as it was sent, if it reads.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether the region is one of them.
    pub(super) fn covers(&self, region: &str) -> bool {
        self.names().any(|pattern| matches(pattern, region))
    }

    /// The region that a request means which names none otherwise: the server's own if it is one of them, else the first that
    /// is named in full.
    pub(super) fn meant(&self, home: &str, is_region: &dyn Fn(&str) -> bool) -> Option<String> {
        if self.covers(home) {
            return Some(home.to_owned());
        }
        self.names().find(|name| !name.contains('*') && is_region(name)).map(str::to_owned)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').map(str::trim).filter(|name| !name.is_empty())
    }
}

/// Whether a pattern with `*` is of the whole name. Both are short.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_covers_the_regions_that_it_names() {
        for (set, region, expected) in [
            ("us-east-1", "us-east-1", true),
            ("us-east-1", "us-east-11", false),
            ("us-east-1", "eu-west-1", false),
            ("us-east-1,eu-*", "eu-west-1", true),
            ("us-east-1 , eu-west-1", "eu-west-1", true),
            ("*", "ap-south-1", true),
            ("*-1", "ap-south-1", true),
            ("us-*-1", "us-west-2", false),
            ("us-*-*1", "us-gov-east-1", true),
            ("us-east-1*us-east-1", "us-east-1", false),
            ("", "us-east-1", false),
            ("us-east-1,", "us-east-1", false),
            ("US-EAST-1", "us-east-1", false),
            ("us-east-1;*", "us-east-1", false),
        ] {
            assert_eq!(RegionSet::new(set).covers(region), expected, "{set} {region}");
        }
        assert!(!RegionSet::new(&["us-east-1"; 33].join(",")).covers("us-east-1"));
    }

    #[test]
    fn a_set_that_names_no_region_means_none() {
        let is_region = |name: &str| name.len() > 3;
        let meant = |set: &str| RegionSet::new(set).meant("us-east-1", &is_region);
        assert_eq!(meant("*").as_deref(), Some("us-east-1"));
        assert_eq!(meant("eu-*,eu-west-1,us-*").as_deref(), Some("us-east-1"));
        assert_eq!(meant("eu-*,eu-west-1").as_deref(), Some("eu-west-1"));
        assert_eq!(meant("eu-*"), None);
        assert_eq!(meant("x"), None);
    }
}
