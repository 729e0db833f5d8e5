//! `ec2:AttachVolume`.

use daypass_core::model::ec2::{AttachVolumeRequest, VolumeAttachment, VolumeAttachmentState, errors, ops};
use daypass_core::store::records::{Instance, InstanceState};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{Attachment, Volume};
use crate::resource::{Home, Resource};
use crate::{fault, instance};

operation!(ATTACH_VOLUME, ops::AttachVolume, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &AttachVolumeRequest) -> Result<Checks, StoreError> {
    let action = "ec2:AttachVolume";
    let volume = Volume::ask(cx, tx, action, &input.volume_id)?;
    Ok(Checks::from(volume).and(Instance::ask(cx, tx, action, &input.instance_id)?))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: AttachVolumeRequest) -> Result<VolumeAttachment, Error> {
    let home = Home::of(cx);
    let mut volume = Volume::load(tx, &home, &input.volume_id)?;
    let mut instance = instance::load(tx, &home, &input.instance_id)?;
    if volume.attachment.is_some() {
        let words = format!("{} is already attached to an instance", volume.id);
        return Err(Fault::new(&errors::VOLUME_IN_USE, words).into());
    }
    if volume.zone != instance.network.availability_zone {
        let words = format!(
            "The volume '{}' is not in the same availability zone as instance '{}'",
            volume.id, instance.id
        );
        return Err(Fault::new(&errors::INVALID_VOLUME_ZONE_MISMATCH, words).into());
    }
    if !matches!(instance.state, InstanceState::Running | InstanceState::Stopped) {
        let words = format!("Instance '{}' is not 'running'.", instance.id);
        return Err(Fault::new(&errors::INCORRECT_STATE, words).into());
    }
    let device = check_device(&input.device)?.to_owned();
    for id in &instance.volumes {
        let other = Volume::find(tx, &home, id)?.and_then(|v| v.attachment);
        if other.is_some_and(|a| a.device == device) {
            let words = format!(
                "Invalid value '{device}' for unixDevice. Attachment point {device} is already in use"
            );
            return Err(fault::invalid_value(words).into());
        }
    }
    let attachment = Attachment {
        instance_id: instance.id.clone(),
        device,
        since: cx.now(),
        delete_on_termination: false,
    };
    let answer = volume.describe_attachment(&attachment, VolumeAttachmentState::Attaching);
    volume.attachment = Some(attachment);
    instance.volumes.push(volume.id.clone());
    tx.put(&volume)?;
    tx.put(&instance)?;
    Ok(answer)
}

/// Device names of Linux instances (EC2 User Guide, "Device names for volumes").
pub(crate) fn check_device(device: &str) -> Result<&str, Fault> {
    let rest = device.strip_prefix("/dev/").unwrap_or(device);
    let rest = rest.strip_prefix("sd").or_else(|| rest.strip_prefix("xvd"));
    let letters = rest.map_or("", |r| r.trim_end_matches(|c: char| c.is_ascii_digit()));
    let digits = rest.and_then(|r| r.strip_prefix(letters)).unwrap_or("");
    let known = (1..=2).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_lowercase());
    if known && digits.len() <= 2 {
        return Ok(device);
    }
    let why = format!("{device} is not a valid EBS device name.");
    Err(fault::invalid_parameter(device, "device", &why))
}

#[cfg(test)]
mod tests {
    use super::check_device;

    #[test]
    fn device_names_are_those_of_linux() {
        for device in ["/dev/sdf", "/dev/sda1", "/dev/xvda", "/dev/xvdba", "xvdf", "sdf"] {
            assert!(check_device(device).is_ok(), "{device}");
        }
        for device in ["", "/dev/", "/dev/sd", "/dev/sdF", "/dev/sdabc", "/dev/sda123", "/dev/nvme1n1", "f"] {
            assert!(check_device(device).is_err(), "{device}");
        }
    }
}
