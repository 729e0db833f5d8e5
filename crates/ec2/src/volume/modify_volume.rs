//! `ec2:ModifyVolume`: larger, faster or of another type.

use daypass_core::model::ec2::{
    ModifyVolumeRequest, ModifyVolumeResult, VolumeModification, VolumeModificationState, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{Asked, Modification, Volume};
use crate::resource::{Home, Resource};
use crate::{attribute, fault};

operation!(MODIFY_VOLUME, ops::ModifyVolume, checks, run);

/// What the request sets: names and values.
fn given(input: &ModifyVolumeRequest) -> Vec<(&'static str, String)> {
    use daypass_core::model::Enumeration as _;
    [
        ("Size", input.size.map(|v| v.to_string())),
        ("VolumeType", input.volume_type.map(|v| v.as_str().to_owned())),
        ("Iops", input.iops.map(|v| v.to_string())),
        ("Throughput", input.throughput.map(|v| v.to_string())),
        ("MultiAttachEnabled", input.multi_attach_enabled.map(|v| v.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ModifyVolumeRequest) -> Result<Checks, StoreError> {
    let check = Volume::ask(cx, tx, "ec2:ModifyVolume", &input.volume_id)?;
    Ok(attribute::ask_about(check, &given(input)))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ModifyVolumeRequest) -> Result<ModifyVolumeResult, Error> {
    let mut volume = Volume::load(tx, &Home::of(cx), &input.volume_id)?;
    if given(&input).is_empty() {
        return Err(fault::missing("size, volumeType, iops or throughput").into());
    }
    if input.multi_attach_enabled == Some(true) {
        return Err(fault::unsupported("Volumes of Daypass are attached to one instance at a time.").into());
    }
    let asked =
        Asked { kind: input.volume_type, gib: input.size, iops: input.iops, throughput: input.throughput };
    let to = volume.shape.modified(&asked)?;
    let modification = Modification { from: volume.shape.clone(), to: to.clone(), at: cx.now() };
    volume.shape = to;
    volume.modification = Some(modification.clone());
    tx.put(&volume)?;
    let modification = describe(&volume.id, &modification, VolumeModificationState::Modifying);
    Ok(ModifyVolumeResult { volume_modification: Some(modification) })
}

/// A modification as the API answers it.
pub(super) fn describe(
    volume_id: &str,
    modification: &Modification,
    state: VolumeModificationState,
) -> VolumeModification {
    let Modification { from, to, at } = modification;
    let done = state == VolumeModificationState::Completed;
    VolumeModification {
        volume_id: Some(volume_id.to_owned()),
        modification_state: Some(state),
        target_size: Some(to.gib),
        target_iops: to.iops,
        target_volume_type: Some(to.kind()),
        target_throughput: to.throughput,
        target_multi_attach_enabled: Some(false),
        original_size: Some(from.gib),
        original_iops: from.iops,
        original_volume_type: Some(from.kind()),
        original_throughput: from.throughput,
        original_multi_attach_enabled: Some(false),
        progress: Some(if done { 100 } else { 0 }),
        start_time: Some(*at),
        end_time: Some(*at).filter(|_| done),
        ..VolumeModification::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn a_volume_grows_and_never_shrinks() {
        let server = server().await;
        let admin = server.administrator().await;
        let made =
            ec2(&admin, "CreateVolume", &[("AvailabilityZone", "us-east-1a"), ("Size", "8")]).await.ok();
        let id = made.xml("volumeId").unwrap();
        let refused = ec2(&admin, "DescribeVolumesModifications", &[("VolumeId.1", id)]).await.refused();
        assert_eq!(refused.0, "InvalidVolumeModification.NotFound");
        let answer = ec2(&admin, "ModifyVolume", &[("VolumeId", id), ("Size", "20")]).await.ok();
        assert_eq!((answer.xml("originalSize"), answer.xml("targetSize")), (Some("8"), Some("20")));
        let read = ec2(&admin, "DescribeVolumesModifications", &[("VolumeId.1", id)]).await.ok();
        assert_eq!((read.xml("modificationState"), read.xml("progress")), (Some("completed"), Some("100")));
        assert_eq!(ec2(&admin, "DescribeVolumes", &[("VolumeId.1", id)]).await.ok().xml("size"), Some("20"));
        let refused = ec2(&admin, "ModifyVolume", &[("VolumeId", id), ("Size", "10")]).await.refused();
        assert_eq!(
            refused,
            ("InvalidParameterValue".into(), "New size cannot be smaller than existing size".into())
        );
        ec2(&admin, "DeleteVolume", &[("VolumeId", id)]).await.ok();
        let refused = ec2(&admin, "DescribeVolumes", &[("VolumeId.1", id)]).await.refused();
        assert_eq!(refused, ("InvalidVolume.NotFound".into(), format!("The volume '{id}' does not exist.")));
    }
}
