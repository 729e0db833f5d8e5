//! `ec2:DescribeRegions`: AWS's regions, every one of which can be used here.

use daypass_core::model::ec2::{self, DescribeRegionsRequest, DescribeRegionsResult, errors, ops};
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{REGIONS, Region};
use crate::filter::{self, Field, Listed, one};
use crate::resource::ask_all;

operation!(DESCRIBE_REGIONS, ops::DescribeRegions, checks, run);

const FILTERS: &[Field<&'static Region>] = &[
    ("endpoint", |r| one(endpoint(r))),
    ("opt-in-status", |r| one(r.opt_in_status())),
    ("region-name", |r| one(r.name)),
];

impl Listed for &'static Region {
    fn order(&self) -> String {
        self.name.to_owned()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

fn endpoint(region: &Region) -> String {
    format!("ec2.{}.amazonaws.com", region.name)
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeRegionsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeRegions").into())
}

fn run(_: &Cx, _: &mut Tx<'_>, input: DescribeRegionsRequest) -> Result<DescribeRegionsResult, Error> {
    let mut regions: Vec<&Region> = REGIONS.iter().collect();
    if !input.region_names.is_empty() {
        if let Some(name) = input.region_names.iter().find(|n| !REGIONS.iter().any(|r| r.name == **n)) {
            let words = format!("Invalid region provided {{{name}}}");
            return Err(Fault::new(&errors::INVALID_PARAMETER_VALUE, words).into());
        }
        regions.retain(|r| input.region_names.iter().any(|n| n == r.name));
    }
    let describe = |region: &Region| ec2::Region {
        opt_in_status: Some(region.opt_in_status().to_owned()),
        region_name: Some(region.name.to_owned()),
        endpoint: Some(endpoint(region)),
        ..ec2::Region::default()
    };
    let regions = filter::select(regions, &input.filters, FILTERS)?;
    Ok(DescribeRegionsResult { regions: Some(regions.into_iter().map(describe).collect()) })
}
