//! `ec2:DetachVolume`.

use daypass_core::model::ec2::{DetachVolumeRequest, VolumeAttachment, VolumeAttachmentState, errors, ops};
use daypass_core::store::records::{Instance, InstanceState};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::Volume;
use crate::resource::{Home, Resource};

operation!(DETACH_VOLUME, ops::DetachVolume, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DetachVolumeRequest) -> Result<Checks, StoreError> {
    let action = "ec2:DetachVolume";
    let attached = Volume::find(tx, &Home::of(cx), &input.volume_id)?.and_then(|v| v.attachment);
    let instance = attached.map(|a| a.instance_id).or_else(|| input.instance_id.clone());
    let checks = Checks::from(Volume::ask(cx, tx, action, &input.volume_id)?);
    Ok(match instance {
        Some(id) => checks.and(Instance::ask(cx, tx, action, &id)?),
        None => checks,
    })
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DetachVolumeRequest) -> Result<VolumeAttachment, Error> {
    let home = Home::of(cx);
    let mut volume = Volume::load(tx, &home, &input.volume_id)?;
    let Some(attachment) = volume.attachment.take() else {
        let words = format!("Volume '{}' is in the 'available' state.", volume.id);
        return Err(Fault::new(&errors::INCORRECT_STATE, words).into());
    };
    let elsewhere = input.instance_id.as_ref().is_some_and(|id| *id != attachment.instance_id)
        || input.device.as_ref().is_some_and(|device| *device != attachment.device);
    if elsewhere {
        let words = format!(
            "The volume '{}' is not attached to instance '{}' as device '{}'.",
            volume.id,
            input.instance_id.unwrap_or(attachment.instance_id),
            input.device.unwrap_or(attachment.device)
        );
        return Err(Fault::new(&errors::INVALID_ATTACHMENT_NOT_FOUND, words).into());
    }
    if let Some(mut instance) = Instance::find(tx, &home, &attachment.instance_id)? {
        let root = instance.volumes.first() == Some(&volume.id);
        if root && instance.state != InstanceState::Stopped {
            let words =
                format!("Unable to detach root volume '{}' from instance '{}'", volume.id, instance.id);
            return Err(Fault::new(&errors::OPERATION_NOT_PERMITTED, words).into());
        }
        if root {
            // The disk of an instance is its own: there is nothing else that it could be attached to.
            let words = "The root volume of an instance of Daypass stays with it.";
            return Err(crate::fault::unsupported(words).into());
        }
        instance.volumes.retain(|id| *id != volume.id);
        tx.put(&instance)?;
    }
    let answer = volume.describe_attachment(&attachment, VolumeAttachmentState::Detaching);
    tx.put(&volume)?;
    Ok(answer)
}
