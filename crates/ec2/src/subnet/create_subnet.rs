//! `ec2:CreateSubnet`.

use daypass_core::model::ec2::{CreateSubnetRequest, CreateSubnetResult, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::Subnet;
use crate::network_acl::NetworkAcl;
use crate::resource::{Home, Resource};
use crate::vpc::{self, Vpc};
use crate::{address, default_network, fault, region, tag};

operation!(CREATE_SUBNET, ops::CreateSubnet, checks, run);

/// So many a VPC may have (VPC User Guide, Amazon VPC quotas).
const MAX_SUBNETS: usize = 200;

fn checks(cx: &Cx, tx: &Tx<'_>, input: &CreateSubnetRequest) -> Result<Checks, StoreError> {
    let home = Home::of(cx);
    let of_vpc = Vpc::KIND.arn(&home, &input.vpc_id);
    let make = tag::ask_to_make(cx, "ec2:CreateSubnet", Subnet::KIND, &input.tag_specifications, |check| {
        check.with("ec2:Vpc", of_vpc)
    });
    Ok(make.and(Vpc::ask(cx, tx, "ec2:CreateSubnet", &input.vpc_id)?))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateSubnetRequest) -> Result<CreateSubnetResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    refuse_what_is_not_built(&input)?;
    let vpc = Vpc::load(tx, &home, &input.vpc_id)?;
    let out_of_range =
        |cidr: &str| Fault::new(&errors::INVALID_SUBNET_RANGE, format!("The CIDR '{cidr}' is invalid."));
    let text = input.cidr_block.as_deref().ok_or_else(|| fault::missing("cidrBlock"))?;
    let cidr = vpc::block(text, out_of_range)?;
    if !vpc.cidr.encloses(cidr) {
        return Err(out_of_range(text).into());
    }
    let beside: Vec<_> = Subnet::list(tx, &home)?.into_iter().filter(|s| s.vpc_id == vpc.id).collect();
    if beside.iter().any(|subnet| subnet.cidr.overlaps(cidr)) {
        let words = format!("The CIDR '{text}' conflicts with another subnet");
        return Err(Fault::new(&errors::INVALID_SUBNET_CONFLICT, words).into());
    }
    if beside.len() >= MAX_SUBNETS {
        let words = format!("The maximum number of subnets has been reached for VPC '{}'.", vpc.id);
        return Err(fault::coded("SubnetLimitExceeded", words).into());
    }
    let subnet = Subnet {
        id: cx.ids().resource_id("subnet"),
        vpc_id: vpc.id,
        cidr,
        zone: zone(&home, &input)?,
        default_for_zone: false,
        map_public_ip: false,
        resource_name_a_record: false,
        tags: tag::of_new(&input.tag_specifications, Subnet::KIND, &[Subnet::KIND])?,
        home: home.clone(),
    };
    NetworkAcl::take_in(tx, &home, &subnet.vpc_id, cx.ids().resource_id("aclassoc"), &subnet.id)?;
    tx.put(&subnet)?;
    let free = address::free(tx, &home, &subnet)?;
    Ok(CreateSubnetResult { subnet: Some(subnet.describe_as(free)) })
}

/// The zone that is asked for, by its name or its id; the first, if none is.
fn zone(home: &Home, input: &CreateSubnetRequest) -> Result<String, Fault> {
    let zones = region::zones(&home.region);
    let asked = input.availability_zone.as_deref().or(input.availability_zone_id.as_deref());
    let found = match asked {
        None => zones.first(),
        Some(asked) => zones.iter().find(|z| z.name == asked || z.id == asked),
    };
    found.map(|zone| zone.name.clone()).ok_or_else(|| {
        let names: Vec<&str> = zones.iter().map(|z| z.name.as_str()).collect();
        let why = format!(
            "Subnets can currently only be created in the following availability zones: {}.",
            names.join(", ")
        );
        fault::invalid_parameter(asked.unwrap_or(""), "availabilityZone", &why)
    })
}

fn refuse_what_is_not_built(input: &CreateSubnetRequest) -> Result<(), Fault> {
    if input.ipv6_cidr_block.is_some() || input.ipv6_native == Some(true) || input.ipv6_ipam_pool_id.is_some()
    {
        return Err(fault::unsupported("Subnets of Daypass have no IPv6 addresses."));
    }
    if input.ipv4_ipam_pool_id.is_some() || input.ipv4_netmask_length.is_some() {
        return Err(fault::unsupported("Daypass has no IPAM: give the subnet a CidrBlock."));
    }
    if input.outpost_arn.is_some() {
        return Err(fault::unsupported("Daypass has no Outposts."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server, vpc};

    #[tokio::test]
    async fn makes_a_subnet_with_all_but_five_addresses_free() {
        let server = server().await;
        let admin = server.administrator().await;
        let vpc = vpc(&admin).await;
        let ask = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.9/24"), ("AvailabilityZone", "us-east-1b")];
        let made = ec2(&admin, "CreateSubnet", &ask).await.ok();
        for (element, expected) in [
            ("cidrBlock", "10.0.1.0/24"),
            ("availableIpAddressCount", "251"),
            ("availabilityZone", "us-east-1b"),
            ("availabilityZoneId", "use1-az1"),
            ("state", "available"),
            ("mapPublicIpOnLaunch", "false"),
            ("defaultForAz", "false"),
        ] {
            assert_eq!(made.xml(element), Some(expected), "{element}");
        }
        let id = made.xml("subnetId").unwrap();
        let read = ec2(&admin, "DescribeSubnets", &[("SubnetId.1", id)]).await.ok();
        assert_eq!(read.xml_all("subnetId"), [id]);
        // The VPC's ACL stands before it.
        let by = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", id)];
        let acl = ec2(&admin, "DescribeNetworkAcls", &by).await.ok();
        assert_eq!(acl.xml("vpcId"), Some(vpc.as_str()));
    }

    #[tokio::test]
    async fn refuses_blocks_outside_or_twice_and_zones_that_are_none() {
        let server = server().await;
        let admin = server.administrator().await;
        let vpc = vpc(&admin).await;
        let make = async |more: &[(&str, &str)]| {
            ec2(&admin, "CreateSubnet", &[&[("VpcId", vpc.as_str())][..], more].concat()).await
        };
        make(&[("CidrBlock", "10.0.1.0/24")]).await.ok();
        for (more, code, words) in [
            (
                &[("CidrBlock", "10.1.0.0/24")][..],
                "InvalidSubnet.Range",
                "The CIDR '10.1.0.0/24' is invalid.",
            ),
            (&[("CidrBlock", "10.0.0.0/30")], "InvalidSubnet.Range", "The CIDR '10.0.0.0/30' is invalid."),
            (
                &[("CidrBlock", "10.0.0.0/16")],
                "InvalidSubnet.Conflict",
                "The CIDR '10.0.0.0/16' conflicts with another subnet",
            ),
            (
                &[("CidrBlock", "10.0.2.0/24"), ("AvailabilityZone", "us-east-1z")],
                "InvalidParameterValue",
                "Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1e, us-east-1f.",
            ),
        ] {
            let refused = make(more).await.refused();
            assert_eq!((refused.0.as_str(), refused.1.as_str()), (code, words));
        }
        let nowhere = [("VpcId", "vpc-01234567"), ("CidrBlock", "10.0.2.0/24")];
        assert_eq!(ec2(&admin, "CreateSubnet", &nowhere).await.refused().0, "InvalidVpcID.NotFound");
        let nothing = [("VpcId", "x"), ("CidrBlock", "10.0.2.0/24")];
        let refused = ec2(&admin, "CreateSubnet", &nothing).await.refused();
        assert_eq!(
            refused,
            ("InvalidVpcID.Malformed".into(), "Invalid id: \"x\" (expecting \"vpc-...\")".into())
        );
    }

    #[tokio::test]
    async fn needs_the_right_on_the_vpc_too() {
        let server = server().await;
        let admin = server.administrator().await;
        let vpc = vpc(&admin).await;
        let may = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"ec2:CreateSubnet",
                "Resource":["arn:aws:ec2:*:*:subnet/*","arn:aws:ec2:*:*:vpc/{vpc}"]}}}}"#
        );
        let bob = server.user("bob", &[("p", &may)]).await;
        ec2(&bob, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.1.0/24")]).await.ok();
        let other = crate::testing::vpc(&admin).await;
        let refused =
            ec2(&bob, "CreateSubnet", &[("VpcId", &other), ("CidrBlock", "10.0.1.0/24")]).await.refused();
        assert_eq!(refused.0, "UnauthorizedOperation");
    }
}
