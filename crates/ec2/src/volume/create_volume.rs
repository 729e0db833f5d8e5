//! `ec2:CreateVolume`.

use daypass_core::model::ec2::{self, CreateVolumeRequest, VolumeState, VolumeType, errors, ops};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{Asked, Shape, Volume};
use crate::idempotency::Token;
use crate::resource::{Home, Resource};
use crate::{fault, region, tag};

operation!(CREATE_VOLUME, ops::CreateVolume, checks, run);

/// So many a region may have; EC2 counts snapshots and bytes rather than volumes.
const MAX_VOLUMES: usize = 5000;

fn asked(input: &CreateVolumeRequest) -> Asked {
    Asked { kind: input.volume_type, gib: input.size, iops: input.iops, throughput: input.throughput }
}

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateVolumeRequest) -> Result<Checks, StoreError> {
    let (kind, tags) = (Volume::KIND, &input.tag_specifications);
    Ok(tag::ask_to_make(cx, "ec2:CreateVolume", kind, tags, |check| {
        let check = check
            .with_some("ec2:AvailabilityZone", input.availability_zone.clone())
            .with_flag("ec2:Encrypted", input.encrypted == Some(true));
        match Shape::new(&asked(input), VolumeType::Gp2) {
            Ok(shape) => shape.describe(check),
            Err(_) => check,
        }
    }))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateVolumeRequest) -> Result<ec2::Volume, Error> {
    let home = Home::of(cx);
    let token = Token::of(input.client_token.as_ref(), input.clone());
    if let Some(id) = token.made(cx, tx)? {
        let volume = Volume::load(tx, &home, &id)?;
        return Ok(volume.describe_as(volume.state()));
    }
    refuse_what_is_not_built(&input)?;
    let shape = Shape::new(&asked(&input), VolumeType::Gp2)?;
    let volume = Volume {
        id: cx.ids().resource_id(Volume::KIND.prefix),
        zone: zone(&home, &input)?,
        shape,
        created: cx.now(),
        attachment: None,
        modification: None,
        tags: tag::of_new(&input.tag_specifications, Volume::KIND, &[Volume::KIND])?,
        home: home.clone(),
    };
    if tx.keys(&home.all(Volume::KIND.name), None, MAX_VOLUMES)?.len() >= MAX_VOLUMES {
        return Err(fault::coded("VolumeLimitExceeded", "Maximum number of volumes reached").into());
    }
    tx.put(&volume)?;
    token.remember(cx, tx, &volume.id)?;
    Ok(volume.describe_as(VolumeState::Creating))
}

fn zone(home: &Home, input: &CreateVolumeRequest) -> Result<String, Fault> {
    let asked = input.availability_zone.as_deref().or(input.availability_zone_id.as_deref());
    let asked = asked.ok_or_else(|| fault::missing("availabilityZone"))?;
    let found = region::zones(&home.region).into_iter().find(|z| z.name == asked || z.id == asked);
    let missing =
        || Fault::new(&errors::INVALID_ZONE_NOT_FOUND, format!("The zone '{asked}' does not exist."));
    Ok(found.ok_or_else(missing)?.name)
}

fn refuse_what_is_not_built(input: &CreateVolumeRequest) -> Result<(), Fault> {
    if let Some(snapshot) = input.snapshot_id.as_deref().filter(|s| !s.is_empty()) {
        let words = format!("The snapshot '{snapshot}' does not exist.");
        return Err(Fault::new(&errors::INVALID_SNAPSHOT_NOT_FOUND, words));
    }
    if input.encrypted == Some(true) || input.kms_key_id.is_some() {
        return Err(fault::unsupported("Daypass has no KMS: volumes are not encrypted."));
    }
    if input.multi_attach_enabled == Some(true) {
        return Err(fault::unsupported("Volumes of Daypass are attached to one instance at a time."));
    }
    if input.outpost_arn.is_some() {
        return Err(fault::unsupported("Daypass has no Outposts."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    const SMALL: [(&str, &str); 2] = [("AvailabilityZone", "us-east-1a"), ("Size", "8")];

    #[tokio::test]
    async fn makes_a_volume_that_is_then_available() {
        let server = server().await;
        let admin = server.administrator().await;
        let made = ec2(&admin, "CreateVolume", &[&SMALL[..], &[("VolumeType", "gp3")]].concat()).await.ok();
        assert_eq!(
            (made.xml("status"), made.xml("iops"), made.xml("encrypted")),
            (Some("creating"), Some("3000"), Some("false"))
        );
        let id = made.xml("volumeId").unwrap();
        let read = ec2(&admin, "DescribeVolumes", &[("VolumeId.1", id)]).await.ok();
        assert_eq!((read.xml("status"), read.xml("volumeType")), (Some("available"), Some("gp3")));
        assert_eq!(read.xml("attachmentSet"), Some(""));
    }

    #[tokio::test]
    async fn refuses_what_it_cannot_make() {
        let server = server().await;
        let admin = server.administrator().await;
        for (more, code, words) in [
            (
                &[("AvailabilityZone", "us-east-1a")][..],
                "MissingParameter",
                "The request must contain the parameter size/snapshot",
            ),
            (&[("Size", "8")], "MissingParameter", "The request must contain the parameter availabilityZone"),
            (
                &[("Size", "8"), ("AvailabilityZone", "us-east-1z")],
                "InvalidZone.NotFound",
                "The zone 'us-east-1z' does not exist.",
            ),
            (
                &[("SnapshotId", "snap-01234567"), ("AvailabilityZone", "us-east-1a")],
                "InvalidSnapshot.NotFound",
                "The snapshot 'snap-01234567' does not exist.",
            ),
            (
                &[("Size", "8"), ("AvailabilityZone", "us-east-1a"), ("Encrypted", "true")],
                "UnsupportedOperation",
                "Daypass has no KMS: volumes are not encrypted.",
            ),
        ] {
            let refused = ec2(&admin, "CreateVolume", more).await.refused();
            assert_eq!((refused.0.as_str(), refused.1.as_str()), (code, words));
        }
    }

    #[tokio::test]
    async fn a_policy_can_bound_the_size() {
        let server = server().await;
        let may = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:CreateVolume","Resource":"arn:aws:ec2:*:*:volume/*",
            "Condition":{"NumericLessThan":{"ec2:VolumeSize":"9"},"StringEquals":{"ec2:VolumeType":"gp2"}}}}"#;
        let bob = server.user("bob", &[("p", may)]).await;
        ec2(&bob, "CreateVolume", &SMALL).await.ok();
        for more in [[("Size", "9"), ("VolumeType", "gp2")], [("Size", "8"), ("VolumeType", "gp3")]] {
            let ask = [&[("AvailabilityZone", "us-east-1a")][..], &more].concat();
            assert_eq!(ec2(&bob, "CreateVolume", &ask).await.refused().0, "UnauthorizedOperation");
        }
    }
}
