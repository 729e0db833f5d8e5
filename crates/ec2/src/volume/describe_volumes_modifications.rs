//! `ec2:DescribeVolumesModifications`: the last modification of each volume that was ever modified.

use daypass_core::model::Enumeration as _;
use daypass_core::model::ec2::{
    DescribeVolumesModificationsRequest, DescribeVolumesModificationsResult, VolumeModificationState, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{Modification, Volume, modify_volume};
use crate::fault;
use crate::filter::{self, Field, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_VOLUMES_MODIFICATIONS, ops::DescribeVolumesModifications, checks, run);

const FILTERS: &[Field<Volume>] = &[
    ("modification-state", |_| one("completed")),
    ("original-iops", |v| part(v, |m| m.from.iops.map(|n| n.to_string()))),
    ("original-size", |v| part(v, |m| Some(m.from.gib.to_string()))),
    ("original-volume-type", |v| part(v, |m| Some(m.from.kind().as_str().to_owned()))),
    ("originalMultiAttachEnabled", |_| one(false)),
    ("start-time", |v| part(v, |m| Some(m.at.to_string()))),
    ("target-iops", |v| part(v, |m| m.to.iops.map(|n| n.to_string()))),
    ("target-size", |v| part(v, |m| Some(m.to.gib.to_string()))),
    ("target-volume-type", |v| part(v, |m| Some(m.to.kind().as_str().to_owned()))),
    ("targetMultiAttachEnabled", |_| one(false)),
    ("volume-id", |v| one(&v.id)),
];

fn part(volume: &Volume, part: fn(&Modification) -> Option<String>) -> Vec<String> {
    volume.modification.iter().filter_map(part).collect()
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeVolumesModificationsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeVolumesModifications").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeVolumesModificationsRequest,
) -> Result<DescribeVolumesModificationsResult, Error> {
    let mut volumes = Volume::choose(tx, &Home::of(cx), &input.volume_ids)?;
    let unmodified = volumes.iter().find(|volume| volume.modification.is_none());
    if let Some(volume) = unmodified.filter(|_| !input.volume_ids.is_empty()) {
        let words = format!("Modification for volume '{}' does not exist.", volume.id);
        return Err(fault::coded("InvalidVolumeModification.NotFound", words).into());
    }
    volumes.retain(|volume| volume.modification.is_some());
    let volumes = filter::select(volumes, &input.filters, FILTERS)?;
    let (volumes, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, volumes)?;
    let describe = |volume: &Volume| {
        let done = VolumeModificationState::Completed;
        volume.modification.as_ref().map(|m| modify_volume::describe(&volume.id, m, done))
    };
    let modifications = volumes.iter().filter_map(describe).collect();
    Ok(DescribeVolumesModificationsResult { next_token, volumes_modifications: Some(modifications) })
}
