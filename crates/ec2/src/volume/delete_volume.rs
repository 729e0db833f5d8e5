//! `ec2:DeleteVolume`: one that is not attached.

use daypass_core::model::ec2::{DeleteVolumeRequest, errors, ops};
use daypass_core::store::{Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::Volume;
use crate::resource::{Home, Resource};

operation!(DELETE_VOLUME, ops::DeleteVolume, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteVolumeRequest) -> Result<Checks, StoreError> {
    Ok(Volume::ask(cx, tx, "ec2:DeleteVolume", &input.volume_id)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteVolumeRequest) -> Result<(), Error> {
    let volume = Volume::load(tx, &Home::of(cx), &input.volume_id)?;
    if let Some(attachment) = &volume.attachment {
        let words = format!("Volume {} is currently attached to {}", volume.id, attachment.instance_id);
        return Err(Fault::new(&errors::VOLUME_IN_USE, words).into());
    }
    tx.delete(&volume.key());
    Ok(())
}
