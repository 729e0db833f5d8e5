//! `ec2:DescribeSubnets`.

use daypass_core::model::ec2::{DescribeSubnetsRequest, DescribeSubnetsResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{Counted, Subnet};
use crate::filter::{self, Field, one, some};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};
use crate::{address, default_network, region};

operation!(DESCRIBE_SUBNETS, ops::DescribeSubnets, checks, run);

const FILTERS: &[Field<Counted>] = &[
    ("availability-zone", |c| one(&c.subnet.zone)),
    ("availabilityZone", |c| one(&c.subnet.zone)),
    ("availability-zone-id", zone_id),
    ("availabilityZoneId", zone_id),
    ("available-ip-address-count", |c| one(c.free)),
    ("cidr", |c| one(c.subnet.cidr)),
    ("cidr-block", |c| one(c.subnet.cidr)),
    ("cidrBlock", |c| one(c.subnet.cidr)),
    ("customer-owned-ipv4-pool", |_| vec![]),
    ("default-for-az", |c| one(c.subnet.default_for_zone)),
    ("defaultForAz", |c| one(c.subnet.default_for_zone)),
    ("enable-dns64", |_| one(false)),
    ("enable-lni-at-device-index", |_| vec![]),
    ("ipv6-cidr-block-association.association-id", |_| vec![]),
    ("ipv6-cidr-block-association.ipv6-cidr-block", |_| vec![]),
    ("ipv6-cidr-block-association.state", |_| vec![]),
    ("ipv6-native", |_| one(false)),
    ("map-customer-owned-ip-on-launch", |_| one(false)),
    ("map-public-ip-on-launch", |c| one(c.subnet.map_public_ip)),
    ("outpost-arn", |_| vec![]),
    ("owner-id", |c| one(&c.subnet.home.account)),
    ("private-dns-name-options-on-launch.enable-resource-name-dns-a-record", |c| {
        one(c.subnet.resource_name_a_record)
    }),
    ("private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record", |_| one(false)),
    ("private-dns-name-options-on-launch.hostname-type", |_| one("ip-name")),
    ("state", |_| one("available")),
    ("subnet-arn", |c| one(Subnet::arn(&c.subnet.home, &c.subnet.id))),
    ("subnet-id", |c| one(&c.subnet.id)),
    ("vpc-id", |c| one(&c.subnet.vpc_id)),
];

fn zone_id(counted: &Counted) -> Vec<String> {
    some(region::zone_id(&counted.subnet.home.region, &counted.subnet.zone).as_deref())
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeSubnetsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeSubnets").into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DescribeSubnetsRequest) -> Result<DescribeSubnetsResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let subnets = Subnet::choose(tx, &home, &input.subnet_ids)?;
    let count = |subnet: Subnet| Ok(Counted { free: address::free(tx, &home, &subnet)?, subnet });
    let subnets = subnets.into_iter().map(count).collect::<Result<Vec<_>, StoreError>>()?;
    let subnets = filter::select(subnets, &input.filters, FILTERS)?;
    let (subnets, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, subnets)?;
    let subnets = subnets.iter().map(|c| c.subnet.describe_as(c.free)).collect();
    Ok(DescribeSubnetsResult { next_token, subnets: Some(subnets) })
}
