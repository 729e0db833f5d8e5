//! `ec2:DescribeAvailabilityZones`: the zones of the request's region.

use daypass_core::model::ec2::{
    AvailabilityZone, AvailabilityZoneOptInStatus, AvailabilityZoneState, DescribeAvailabilityZonesRequest,
    DescribeAvailabilityZonesResult, ops,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{REGIONS, Zone};
use crate::fault;
use crate::filter::{self, Field, Listed, one};
use crate::resource::ask_all;

operation!(DESCRIBE_AVAILABILITY_ZONES, ops::DescribeAvailabilityZones, checks, run);

/// A zone, and its region.
struct Placed {
    zone: Zone,
    region: String,
}

impl Placed {
    fn group(&self) -> String {
        format!("{}-zg-1", self.region)
    }

    fn group_long_name(&self) -> String {
        let known = REGIONS.iter().find(|r| r.name == self.region);
        format!("{} 1", known.map_or(self.region.as_str(), |r| r.long_name))
    }
}

impl Listed for Placed {
    fn order(&self) -> String {
        self.zone.name.clone()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

const FILTERS: &[Field<Placed>] = &[
    ("group-long-name", |p| one(p.group_long_name())),
    ("group-name", |p| one(p.group())),
    ("message", |_| vec![]),
    ("opt-in-status", |_| one("opt-in-not-required")),
    ("parent-zone-id", |_| vec![]),
    ("parent-zone-name", |_| vec![]),
    ("region-name", |p| one(&p.region)),
    ("state", |_| one("available")),
    ("zone-id", |p| one(&p.zone.id)),
    ("zone-name", |p| one(&p.zone.name)),
    ("zone-type", |_| one("availability-zone")),
];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeAvailabilityZonesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeAvailabilityZones").into())
}

fn run(
    cx: &Cx,
    _: &mut Tx<'_>,
    input: DescribeAvailabilityZonesRequest,
) -> Result<DescribeAvailabilityZonesResult, Error> {
    let mut zones: Vec<Placed> = super::zones(cx.region())
        .into_iter()
        .map(|zone| Placed { zone, region: cx.region().to_owned() })
        .collect();
    let chosen = |given: &[String], part: fn(&Zone) -> &String, zones: &mut Vec<Placed>| {
        if let Some(unknown) = given.iter().find(|g| !zones.iter().any(|p| part(&p.zone) == *g)) {
            return Err(fault::invalid_value(format!("Invalid availability zone: [{unknown}]")));
        }
        zones.retain(|p| given.is_empty() || given.contains(part(&p.zone)));
        Ok(())
    };
    chosen(&input.zone_names, |z| &z.name, &mut zones)?;
    chosen(&input.zone_ids, |z| &z.id, &mut zones)?;
    let zones = filter::select(zones, &input.filters, FILTERS)?;
    Ok(DescribeAvailabilityZonesResult { availability_zones: Some(zones.iter().map(describe).collect()) })
}

fn describe(placed: &Placed) -> AvailabilityZone {
    AvailabilityZone {
        opt_in_status: Some(AvailabilityZoneOptInStatus::OptInNotRequired),
        messages: Some(vec![]),
        region_name: Some(placed.region.clone()),
        zone_name: Some(placed.zone.name.clone()),
        zone_id: Some(placed.zone.id.clone()),
        group_name: Some(placed.group()),
        network_border_group: Some(placed.region.clone()),
        zone_type: Some("availability-zone".to_owned()),
        group_long_name: Some(placed.group_long_name()),
        state: Some(AvailabilityZoneState::Available),
        ..AvailabilityZone::default()
    }
}
