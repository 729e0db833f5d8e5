//! `ec2:DescribeVolumes`.

use daypass_core::model::Enumeration as _;
use daypass_core::model::ec2::{DescribeVolumesRequest, DescribeVolumesResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{Attachment, Volume};
use crate::filter::{self, Field, one, some};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};
use crate::{fault, region};

operation!(DESCRIBE_VOLUMES, ops::DescribeVolumes, checks, run);

const FILTERS: &[Field<Volume>] = &[
    ("attachment.attach-time", |v| attached(v, |a| a.since.to_string())),
    ("attachment.delete-on-termination", |v| attached(v, |a| a.delete_on_termination.to_string())),
    ("attachment.device", |v| attached(v, |a| a.device.clone())),
    ("attachment.instance-id", |v| attached(v, |a| a.instance_id.clone())),
    ("attachment.status", |v| attached(v, |_| "attached".to_owned())),
    ("availability-zone", |v| one(&v.zone)),
    ("availability-zone-id", |v| some(region::zone_id(&v.home.region, &v.zone).as_deref())),
    ("create-time", |v| one(v.created)),
    ("encrypted", |_| one(false)),
    ("fast-restored", |_| one(false)),
    ("multi-attach-enabled", |_| one(false)),
    ("operator.managed", |_| one(false)),
    ("operator.principal", |_| vec![]),
    ("size", |v| one(v.shape.gib)),
    ("snapshot-id", |_| vec![]),
    ("status", |v| one(v.state_name())),
    ("volume-id", |v| one(&v.id)),
    ("volume-type", |v| one(v.shape.kind().as_str())),
];

fn attached(volume: &Volume, part: fn(&Attachment) -> String) -> Vec<String> {
    volume.attachment.iter().map(part).collect()
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeVolumesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeVolumes").into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DescribeVolumesRequest) -> Result<DescribeVolumesResult, Error> {
    if input.max_results.is_some() && !input.volume_ids.is_empty() {
        let words = "The parameter volumeSet cannot be used with the parameter maxResults";
        return Err(fault::invalid_combination(words).into());
    }
    let volumes = Volume::choose(tx, &Home::of(cx), &input.volume_ids)?;
    let volumes = filter::select(volumes, &input.filters, FILTERS)?;
    let (volumes, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, volumes)?;
    let volumes = volumes.iter().map(|volume| volume.describe_as(volume.state())).collect();
    Ok(DescribeVolumesResult { next_token, volumes: Some(volumes) })
}
