//! `ec2:CreateVpc`: a VPC with its main route table, its default network ACL and its default security group.

use daypass_core::model::ec2::{CreateVpcRequest, CreateVpcResult, Tenancy, VpcState, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{NewVpc, Vpc};
use crate::resource::{Home, Resource};
use crate::{default_network, fault, tag};

operation!(CREATE_VPC, ops::CreateVpc, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateVpcRequest) -> Result<Checks, StoreError> {
    Ok(tag::ask_to_make(cx, "ec2:CreateVpc", Vpc::KIND, &input.tag_specifications, |check| check))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateVpcRequest) -> Result<CreateVpcResult, Error> {
    let home = Home::of(cx);
    let network = default_network::ensure(cx, tx)?;
    refuse_what_is_not_built(&input)?;
    let cidr = input.cidr_block.as_deref().ok_or_else(|| fault::missing("cidrBlock"))?;
    let cidr = super::block(cidr, |cidr| {
        Fault::new(&errors::INVALID_VPC_RANGE, format!("The CIDR '{cidr}' is invalid."))
    })?;
    let tags = tag::of_new(&input.tag_specifications, Vpc::KIND, &[Vpc::KIND])?;
    Vpc::room_for_one(tx, &home)?;
    let ids = |prefix: &str| cx.ids().resource_id(prefix);
    let mut new = NewVpc::new(&home, &ids, cidr, &network.dhcp_options_id, false);
    new.vpc.tags = tags;
    new.put(tx)?;
    Ok(CreateVpcResult { vpc: Some(new.vpc.describe_as(VpcState::Pending)) })
}

fn refuse_what_is_not_built(input: &CreateVpcRequest) -> Result<(), Fault> {
    let ipv6 = input.amazon_provided_ipv6_cidr_block == Some(true)
        || input.ipv6_cidr_block.is_some()
        || input.ipv6_pool.is_some()
        || input.ipv6_ipam_pool_id.is_some();
    if ipv6 {
        return Err(fault::unsupported("VPCs of Daypass have no IPv6 addresses."));
    }
    if input.ipv4_ipam_pool_id.is_some() || input.ipv4_netmask_length.is_some() {
        return Err(fault::unsupported("Daypass has no IPAM: give the VPC a CidrBlock."));
    }
    if input.vpc_encryption_control.is_some() {
        return Err(fault::unsupported("Daypass has no VPC encryption controls."));
    }
    match input.instance_tenancy {
        None | Some(Tenancy::Default_) => Ok(()),
        Some(_) => Err(fault::unsupported("Daypass has no dedicated hosts: the tenancy is default.")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn makes_a_vpc_with_everything_that_a_vpc_has() {
        let server = server().await;
        let admin = server.administrator().await;
        let made = ec2(&admin, "CreateVpc", &[("CidrBlock", "10.0.0.5/16")]).await.ok();
        let id = made.xml("vpcId").unwrap();
        assert_eq!(made.xml("cidrBlock"), Some("10.0.0.0/16"));
        assert_eq!(made.xml_all("state"), ["associated", "pending"], "of its range, and its own");
        assert_eq!(made.xml("isDefault"), Some("false"));
        for (action, element, expected) in [
            ("DescribeSecurityGroups", "groupName", "default"),
            ("DescribeRouteTables", "main", "true"),
            ("DescribeNetworkAcls", "default", "true"),
        ] {
            let answer =
                ec2(&admin, action, &[("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", id)]).await.ok();
            assert_eq!(answer.xml_all(element), [expected], "{action}: {}", answer.body);
        }
    }

    #[tokio::test]
    async fn refuses_blocks_that_no_vpc_can_have() {
        let server = server().await;
        let admin = server.administrator().await;
        for (cidr, code, words) in [
            ("10.0.0.0/8", "InvalidVpc.Range", "The CIDR '10.0.0.0/8' is invalid."),
            ("10.0.0.0/29", "InvalidVpc.Range", "The CIDR '10.0.0.0/29' is invalid."),
            ("127.0.0.0/16", "InvalidVpc.Range", "The CIDR '127.0.0.0/16' is invalid."),
            ("169.254.0.0/16", "InvalidVpc.Range", "The CIDR '169.254.0.0/16' is invalid."),
            (
                "10.0.0.0",
                "InvalidParameterValue",
                "Value (10.0.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
            ),
        ] {
            let refused = ec2(&admin, "CreateVpc", &[("CidrBlock", cidr)]).await.refused();
            assert_eq!((refused.0.as_str(), refused.1.as_str()), (code, words));
        }
        let refused = ec2(&admin, "CreateVpc", &[]).await.refused();
        assert_eq!(
            refused,
            ("MissingParameter".into(), "The request must contain the parameter cidrBlock".into())
        );
    }

    #[tokio::test]
    async fn has_as_many_as_aws_allows() {
        let server = server().await;
        let admin = server.administrator().await;
        for number in 1..5 {
            ec2(&admin, "CreateVpc", &[("CidrBlock", &format!("10.{number}.0.0/16"))]).await.ok();
        }
        let refused = ec2(&admin, "CreateVpc", &[("CidrBlock", "10.9.0.0/16")]).await.refused();
        assert_eq!(refused.0, "VpcLimitExceeded");
    }

    #[tokio::test]
    async fn tags_at_creation_need_the_right_to_tag() {
        let server = server().await;
        let only = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:CreateVpc","Resource":"*"}}"#;
        let and_tags = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:CreateVpc","Resource":"*"},
            {"Effect":"Allow","Action":"ec2:CreateTags","Resource":"arn:aws:ec2:*:*:vpc/*",
             "Condition":{"StringEquals":{"ec2:CreateAction":"CreateVpc","aws:RequestTag/team":"red"}}}]}"#;
        let (bob, eve) =
            (server.user("bob", &[("p", only)]).await, server.user("eve", &[("p", and_tags)]).await);
        let with = |value: &'static str| {
            [
                ("CidrBlock", "10.1.0.0/16"),
                ("TagSpecification.1.ResourceType", "vpc"),
                ("TagSpecification.1.Tag.1.Key", "team"),
                ("TagSpecification.1.Tag.1.Value", value),
            ]
        };
        ec2(&bob, "CreateVpc", &[("CidrBlock", "10.1.0.0/16")]).await.ok();
        assert_eq!(ec2(&bob, "CreateVpc", &with("red")).await.refused().0, "UnauthorizedOperation");
        assert_eq!(ec2(&eve, "CreateVpc", &with("blue")).await.refused().0, "UnauthorizedOperation");
        let made = ec2(&eve, "CreateVpc", &with("red")).await.ok();
        assert_eq!(made.xml("value"), Some("red"));
    }
}
