//! The volumes that a launch makes: the root volume, and what the request maps.

use daypass_core::Fault;
use daypass_core::image::PublicImage;
use daypass_core::model::ec2::{BlockDeviceMapping, VolumeType, errors};

use crate::fault;
use crate::volume::{Asked, Shape, check_device};

/// The root volume of every image, in GiB.
pub(crate) const ROOT_GIB: i32 = 8;
/// The most volumes of one launch.
const MAX_VOLUMES: usize = 40;

/// A volume that a launch makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) name: String,
    pub(super) delete_on_termination: bool,
    pub(super) shape: Shape,
}

/// The volumes of a launch, the root volume first.
pub(super) fn read(mappings: &[BlockDeviceMapping], image: &PublicImage) -> Result<Vec<Device>, Fault> {
    let root = image.root_device;
    let mut devices = vec![Device {
        name: root.to_owned(),
        delete_on_termination: true,
        shape: Shape::new(&Asked { gib: Some(ROOT_GIB), ..Asked::default() }, VolumeType::Gp3)?,
    }];
    for mapping in mappings {
        let name = mapping.device_name.as_deref().ok_or_else(|| fault::missing("deviceName"))?;
        check_device(name)?;
        // An instance store that the type does not have is ignored, and so is a device that is not to be.
        let Some(ebs) = mapping.ebs.as_ref().filter(|_| mapping.no_device.is_none()) else { continue };
        if ebs.encrypted == Some(true) || ebs.kms_key_id.is_some() {
            return Err(fault::unsupported("Daypass has no KMS: volumes are not encrypted."));
        }
        if let Some(snapshot) = ebs.snapshot_id.as_deref().filter(|id| !id.is_empty()) {
            let words = format!("The snapshot '{snapshot}' does not exist.");
            return Err(Fault::new(&errors::INVALID_SNAPSHOT_NOT_FOUND, words));
        }
        let is_root = name == root;
        let asked = Asked {
            kind: ebs.volume_type,
            gib: ebs.volume_size.or(is_root.then_some(ROOT_GIB)),
            iops: ebs.iops,
            throughput: ebs.throughput,
        };
        if is_root && asked.gib.is_some_and(|gib| gib < ROOT_GIB) {
            let words = format!(
                "Volume of size {}GB is smaller than snapshot of the image, expect size >= {ROOT_GIB}GB",
                asked.gib.unwrap_or(0)
            );
            return Err(Fault::new(&errors::INVALID_BLOCK_DEVICE_MAPPING, words));
        }
        let default = if is_root { VolumeType::Gp3 } else { VolumeType::Gp2 };
        let device = Device {
            name: name.to_owned(),
            delete_on_termination: ebs.delete_on_termination.unwrap_or(true),
            shape: Shape::new(&asked, default)?,
        };
        match devices.iter_mut().find(|d| d.name == name) {
            Some(known) if is_root => *known = device,
            Some(_) => {
                let words = format!("The device '{name}' is used in more than one block-device mapping");
                return Err(Fault::new(&errors::INVALID_BLOCK_DEVICE_MAPPING, words));
            }
            None => devices.push(device),
        }
    }
    if devices.len() > MAX_VOLUMES {
        let words = format!("At most {MAX_VOLUMES} volumes can be mapped.");
        return Err(Fault::new(&errors::INVALID_BLOCK_DEVICE_MAPPING, words));
    }
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use daypass_core::image::public_images;
    use daypass_core::model::ec2::EbsBlockDevice;

    use super::*;

    fn image() -> PublicImage {
        public_images("us-east-1").remove(0)
    }

    fn mapping(name: &str, ebs: EbsBlockDevice) -> BlockDeviceMapping {
        BlockDeviceMapping {
            device_name: Some(name.to_owned()),
            ebs: Some(ebs),
            ..BlockDeviceMapping::default()
        }
    }

    #[test]
    fn there_is_always_a_root_volume() {
        let devices = read(&[], &image()).unwrap();
        assert_eq!(devices.len(), 1);
        assert_eq!((devices[0].name.as_str(), devices[0].shape.gib), ("/dev/xvda", 8));
        let kept = EbsBlockDevice {
            delete_on_termination: Some(false),
            volume_size: Some(20),
            ..EbsBlockDevice::default()
        };
        let data = EbsBlockDevice { volume_size: Some(5), ..EbsBlockDevice::default() };
        let devices = read(&[mapping("/dev/sdf", data), mapping("/dev/xvda", kept)], &image()).unwrap();
        assert_eq!(
            (devices[0].name.as_str(), devices[0].shape.gib, devices[0].delete_on_termination),
            ("/dev/xvda", 20, false)
        );
        assert_eq!((devices[1].name.as_str(), devices[1].shape.gib), ("/dev/sdf", 5));
    }

    #[test]
    fn what_cannot_be_mapped_is_refused() {
        let of =
            |ebs: EbsBlockDevice| read(&[mapping("/dev/xvda", ebs)], &image()).unwrap_err().code.into_owned();
        assert_eq!(
            of(EbsBlockDevice { volume_size: Some(4), ..Default::default() }),
            "InvalidBlockDeviceMapping"
        );
        assert_eq!(
            of(EbsBlockDevice { encrypted: Some(true), ..Default::default() }),
            "UnsupportedOperation"
        );
        assert_eq!(
            of(EbsBlockDevice { snapshot_id: Some("snap-01234567".into()), ..Default::default() }),
            "InvalidSnapshot.NotFound"
        );
        let data = || mapping("/dev/sdf", EbsBlockDevice { volume_size: Some(5), ..Default::default() });
        assert_eq!(read(&[data(), data()], &image()).unwrap_err().code, "InvalidBlockDeviceMapping");
    }
}
