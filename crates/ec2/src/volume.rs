//! EBS volumes: what the caller says of them. The root volume of an instance is its disk; any other is a record that can
//! be attached and shows as attached, and holds no bytes.

mod attach_volume;
mod create_volume;
mod delete_volume;
mod describe_volumes;
mod describe_volumes_modifications;
mod detach_volume;
mod modify_volume;
mod shape;

use daypass_core::model::ec2::{self, VolumeAttachment, VolumeAttachmentState, VolumeState, errors};
use daypass_core::model::{Enumeration as _, Timestamp};
use daypass_core::store::records::{Instance, Tag};
use daypass_core::store::{Key, Record, StoreError, Tx};
use daypass_core::{Check, Entry, Fault};
use serde::{Deserialize, Serialize};

use crate::resource::{Home, Kind, Resource};
use crate::{region, tag};
pub(crate) use attach_volume::check_device;
pub(crate) use shape::{Asked, Shape};

pub(crate) const OPERATIONS: &[&Entry] = &[
    &attach_volume::ATTACH_VOLUME,
    &create_volume::CREATE_VOLUME,
    &delete_volume::DELETE_VOLUME,
    &describe_volumes::DESCRIBE_VOLUMES,
    &describe_volumes_modifications::DESCRIBE_VOLUMES_MODIFICATIONS,
    &detach_volume::DETACH_VOLUME,
    &modify_volume::MODIFY_VOLUME,
];

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Volume {
    home: Home,
    pub(crate) id: String,
    /// Its availability zone.
    zone: String,
    shape: Shape,
    created: Timestamp,
    #[serde(default)]
    pub(crate) attachment: Option<Attachment>,
    #[serde(default)]
    modification: Option<Modification>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// That a volume is attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attachment {
    pub(crate) instance_id: String,
    /// As `/dev/sdf`.
    pub(crate) device: String,
    pub(crate) since: Timestamp,
    pub(crate) delete_on_termination: bool,
}

/// The last modification of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Modification {
    from: Shape,
    to: Shape,
    at: Timestamp,
}

impl Record for Volume {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Resource for Volume {
    const KIND: &'static Kind = &Kind {
        name: "volume",
        prefix: "vol",
        malformed: "InvalidVolumeID.Malformed",
        not_found: |id| {
            Fault::new(&errors::INVALID_VOLUME_NOT_FOUND, format!("The volume '{id}' does not exist."))
        },
    };

    fn id(&self) -> &str {
        &self.id
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }

    fn describe(&self, check: Check) -> Check {
        self.shape
            .describe(check)
            .with("ec2:VolumeID", self.id.clone())
            .with("ec2:AvailabilityZone", self.zone.clone())
            .with_some("ec2:AvailabilityZoneId", region::zone_id(&self.home.region, &self.zone))
    }
}

/// A volume that a launch makes with its instance.
pub(crate) struct NewVolume {
    pub(crate) id: String,
    pub(crate) device: String,
    pub(crate) delete_on_termination: bool,
    pub(crate) shape: Shape,
    pub(crate) tags: Vec<Tag>,
}

impl NewVolume {
    /// The volume, attached to its instance.
    pub(crate) fn attached_to(self, instance: &Instance) -> Volume {
        Volume {
            home: Home { account: instance.account.clone(), region: instance.region.clone() },
            id: self.id,
            zone: instance.network.availability_zone.clone(),
            shape: self.shape,
            created: instance.launched,
            attachment: Some(Attachment {
                instance_id: instance.id.clone(),
                device: self.device,
                since: instance.launched,
                delete_on_termination: self.delete_on_termination,
            }),
            modification: None,
            tags: self.tags,
        }
    }
}

/// What happens to the volumes of an instance that is gone: some go with it, others are free again.
pub(crate) fn let_go(tx: &mut Tx<'_>, instance: &Instance) -> Result<(), StoreError> {
    let home = Home { account: instance.account.clone(), region: instance.region.clone() };
    for id in &instance.volumes {
        let Some(mut volume) = Volume::find(tx, &home, id)? else { continue };
        match volume.attachment.take() {
            Some(attachment) if attachment.delete_on_termination => tx.delete(&volume.key()),
            _ => tx.put(&volume)?,
        }
    }
    Ok(())
}

impl Volume {
    fn state(&self) -> VolumeState {
        if self.attachment.is_some() { VolumeState::InUse } else { VolumeState::Available }
    }

    fn describe_as(&self, state: VolumeState) -> ec2::Volume {
        let attachment = |a: &Attachment| self.describe_attachment(a, VolumeAttachmentState::Attached);
        ec2::Volume {
            availability_zone_id: region::zone_id(&self.home.region, &self.zone),
            iops: self.shape.iops,
            tags: tag::some(&self.tags),
            volume_type: Some(self.shape.kind()),
            multi_attach_enabled: Some(false),
            throughput: self.shape.throughput,
            volume_id: Some(self.id.clone()),
            size: Some(self.shape.gib),
            snapshot_id: Some(String::new()),
            availability_zone: Some(self.zone.clone()),
            state: Some(state),
            create_time: Some(self.created),
            attachments: Some(self.attachment.iter().map(attachment).collect()),
            encrypted: Some(false),
            ..ec2::Volume::default()
        }
    }

    fn describe_attachment(&self, attachment: &Attachment, state: VolumeAttachmentState) -> VolumeAttachment {
        VolumeAttachment {
            delete_on_termination: Some(attachment.delete_on_termination),
            volume_id: Some(self.id.clone()),
            instance_id: Some(attachment.instance_id.clone()),
            device: Some(attachment.device.clone()),
            state: Some(state),
            attach_time: Some(attachment.since),
            ..VolumeAttachment::default()
        }
    }

    fn state_name(&self) -> &'static str {
        self.state().as_str()
    }
}
