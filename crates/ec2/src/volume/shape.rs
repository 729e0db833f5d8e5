//! How large and how fast a volume is (EBS User Guide, "Amazon EBS volume types").

use daypass_core::model::Enumeration as _;
use daypass_core::model::ec2::VolumeType;
use daypass_core::{Check, Fault};
use serde::{Deserialize, Serialize};

use crate::fault;

/// How large and how fast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shape {
    /// As `gp3`.
    kind: String,
    /// Its size in GiB.
    pub(crate) gib: i32,
    /// Operations a second, where the type has a number.
    pub(crate) iops: Option<i32>,
    /// MiB a second, where the type has a number.
    pub(crate) throughput: Option<i32>,
}

/// What a request says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) kind: Option<VolumeType>,
    pub(crate) gib: Option<i32>,
    pub(crate) iops: Option<i32>,
    pub(crate) throughput: Option<i32>,
}

/// What a type allows: GiB, and where it has a number of its own, operations a second.
struct Limits {
    gib: (i32, i32),
    iops: Option<(i32, i32)>,
}

fn limits(kind: VolumeType) -> Limits {
    match kind {
        VolumeType::Gp2 => Limits { gib: (1, 16_384), iops: None },
        VolumeType::Gp3 => Limits { gib: (1, 65_536), iops: Some((3000, 80_000)) },
        VolumeType::Io1 => Limits { gib: (4, 16_384), iops: Some((100, 64_000)) },
        VolumeType::Io2 => Limits { gib: (4, 65_536), iops: Some((100, 256_000)) },
        VolumeType::St1 | VolumeType::Sc1 => Limits { gib: (125, 16_384), iops: None },
        VolumeType::Standard => Limits { gib: (1, 1024), iops: None },
    }
}

/// What gp3 gives without being asked, and at most: MiB a second.
const GP3_THROUGHPUT: (i32, i32) = (125, 2000);
/// What gp3 gives without being asked: operations a second.
const GP3_IOPS: i32 = 3000;

impl Shape {
    /// The shape that is asked for. `default` is the type of a request that names none.
    pub(crate) fn new(asked: &Asked, default: VolumeType) -> Result<Self, Fault> {
        let kind = asked.kind.unwrap_or(default);
        let (name, limits) = (kind.as_str(), limits(kind));
        let gib = asked.gib.ok_or_else(|| fault::missing("size/snapshot"))?;
        if gib < limits.gib.0 {
            let words = format!(
                "Volume of {gib}GiB is too small for volume type {name}; minimum is {} GiB.",
                limits.gib.0
            );
            return Err(fault::invalid_value(words));
        }
        if gib > limits.gib.1 {
            let words = format!(
                "Volume of {gib}GiB is too large for volume type {name}; maximum is {} GiB.",
                limits.gib.1
            );
            return Err(fault::invalid_value(words));
        }
        let iops = match (asked.iops, limits.iops) {
            (Some(_), None) => {
                let words = format!("The parameter iops is not supported for {name} volumes.");
                return Err(fault::invalid_combination(words));
            }
            (Some(iops), Some((least, most))) if !(least..=most).contains(&iops) => {
                let words = format!(
                    "Volume iops of {iops} is out of range for volume type {name}: {least} to {most}."
                );
                return Err(fault::invalid_value(words));
            }
            (Some(iops), Some(_)) => Some(iops),
            (None, _) => match kind {
                VolumeType::Io1 | VolumeType::Io2 => {
                    let words = format!("The parameter iops must be specified for {name} volumes.");
                    return Err(Fault::new(&daypass_core::model::ec2::errors::MISSING_PARAMETER, words));
                }
                VolumeType::Gp3 => Some(GP3_IOPS),
                // Three a GiB, within bounds.
                VolumeType::Gp2 => Some(gib.saturating_mul(3).clamp(100, 16_000)),
                VolumeType::St1 | VolumeType::Sc1 | VolumeType::Standard => None,
            },
        };
        let throughput = match (asked.throughput, kind) {
            (Some(mib), VolumeType::Gp3) if !(GP3_THROUGHPUT.0..=GP3_THROUGHPUT.1).contains(&mib) => {
                let (least, most) = GP3_THROUGHPUT;
                let words = format!(
                    "Volume throughput of {mib} is out of range for volume type gp3: {least} to {most}."
                );
                return Err(fault::invalid_value(words));
            }
            (Some(mib), VolumeType::Gp3) => Some(mib),
            (None, VolumeType::Gp3) => Some(GP3_THROUGHPUT.0),
            (Some(_), _) => {
                let words = format!("The parameter throughput is not supported for {name} volumes.");
                return Err(fault::invalid_combination(words));
            }
            (None, _) => None,
        };
        Ok(Self { kind: name.to_owned(), gib, iops, throughput })
    }

    /// The shape after a modification: what is not asked for stays, where the type stays.
    pub(crate) fn modified(&self, asked: &Asked) -> Result<Self, Fault> {
        let kind = asked.kind.unwrap_or_else(|| self.kind());
        let same = kind == self.kind();
        let keeps_iops = same && matches!(kind, VolumeType::Gp3 | VolumeType::Io1 | VolumeType::Io2);
        let asked = Asked {
            kind: Some(kind),
            gib: Some(asked.gib.unwrap_or(self.gib)),
            iops: asked.iops.or(self.iops.filter(|_| keeps_iops)),
            throughput: asked.throughput.or(self.throughput.filter(|_| same)),
        };
        if asked.gib.is_some_and(|gib| gib < self.gib) {
            return Err(fault::invalid_value("New size cannot be smaller than existing size"));
        }
        Self::new(&asked, kind)
    }

    /// The volume type.
    pub(crate) fn kind(&self) -> VolumeType {
        VolumeType::parse(&self.kind).unwrap_or_default()
    }

    /// Its condition keys.
    pub(crate) fn describe(&self, check: Check) -> Check {
        let check = check
            .with("ec2:VolumeType", self.kind.clone())
            .with_number("ec2:VolumeSize", self.gib.into())
            .with_flag("ec2:Encrypted", false);
        let check = match self.iops {
            Some(iops) => check.with_number("ec2:VolumeIops", iops.into()),
            None => check,
        };
        match self.throughput {
            Some(mib) => check.with_number("ec2:VolumeThroughput", mib.into()),
            None => check,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(
        kind: VolumeType,
        gib: i32,
        iops: Option<i32>,
        throughput: Option<i32>,
    ) -> Result<Shape, String> {
        let asked = Asked { kind: Some(kind), gib: Some(gib), iops, throughput };
        Shape::new(&asked, VolumeType::Gp2).map_err(|fault| fault.message)
    }

    #[test]
    fn each_type_has_its_own_numbers() {
        for (kind, gib, iops, throughput) in [
            (VolumeType::Gp2, 8, Some(100), None),
            (VolumeType::Gp2, 1000, Some(3000), None),
            (VolumeType::Gp2, 16_384, Some(16_000), None),
            (VolumeType::Gp3, 8, Some(3000), Some(125)),
            (VolumeType::Standard, 8, None, None),
            (VolumeType::St1, 125, None, None),
        ] {
            let made = shape(kind, gib, None, None).unwrap();
            assert_eq!((made.iops, made.throughput), (iops, throughput), "{}", kind.as_str());
        }
        assert_eq!(shape(VolumeType::Io1, 8, Some(200), None).unwrap().iops, Some(200));
    }

    #[test]
    fn what_a_type_cannot_be_is_refused() {
        for (refused, words) in [
            (
                shape(VolumeType::Gp2, 0, None, None),
                "Volume of 0GiB is too small for volume type gp2; minimum is 1 GiB.",
            ),
            (
                shape(VolumeType::Sc1, 8, None, None),
                "Volume of 8GiB is too small for volume type sc1; minimum is 125 GiB.",
            ),
            (
                shape(VolumeType::Gp2, 8, Some(500), None),
                "The parameter iops is not supported for gp2 volumes.",
            ),
            (
                shape(VolumeType::Gp2, 8, None, Some(125)),
                "The parameter throughput is not supported for gp2 volumes.",
            ),
            (shape(VolumeType::Io2, 8, None, None), "The parameter iops must be specified for io2 volumes."),
        ] {
            assert_eq!(refused, Err(words.to_owned()));
        }
    }

    #[test]
    fn a_modification_keeps_what_it_does_not_name() {
        let before = shape(VolumeType::Gp3, 8, Some(4000), Some(200)).unwrap();
        let after = before.modified(&Asked { gib: Some(20), ..Asked::default() }).unwrap();
        assert_eq!((after.gib, after.iops, after.throughput), (20, Some(4000), Some(200)));
        let other = before.modified(&Asked { kind: Some(VolumeType::Gp2), ..Asked::default() }).unwrap();
        assert_eq!((other.iops, other.throughput), (Some(100), None));
        assert!(before.modified(&Asked { gib: Some(7), ..Asked::default() }).is_err());
    }
}
