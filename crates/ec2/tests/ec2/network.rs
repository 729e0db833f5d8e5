//! What instances stand on: what holds what, and what nobody takes away from under them.

use crate::support::{Region, policy, refused, statement};

fn text<'a>(answer: &'a daypass_core::testing::TestAnswer, element: &str) -> &'a str {
    answer.xml(element).unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_that_something_stands_on() {
    let region = Region::new().await;
    let vpc = region.ok("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await;
    let vpc = text(&vpc, "vpcId");
    let subnet = region.ok("CreateSubnet", &[("VpcId", vpc), ("CidrBlock", "10.0.1.0/24")]).await;
    let subnet = text(&subnet, "subnetId");
    let group = [("GroupName", "web"), ("GroupDescription", "web"), ("VpcId", vpc)];
    let group = region.ok("CreateSecurityGroup", &group).await;
    let group = text(&group, "groupId");
    let gateway = region.ok("CreateInternetGateway", &[]).await;
    let gateway = text(&gateway, "internetGatewayId");
    let attachment = [("InternetGatewayId", gateway), ("VpcId", vpc)];
    region.ok("AttachInternetGateway", &attachment).await;
    let table = region.ok("CreateRouteTable", &[("VpcId", vpc)]).await;
    let table = text(&table, "routeTableId");
    region.ok("AssociateRouteTable", &[("RouteTableId", table), ("SubnetId", subnet)]).await;
    let id = region.running(&[("SubnetId", subnet), ("SecurityGroupId.1", group)]).await;

    let needed = [
        ("DeleteSubnet", ("SubnetId", subnet)),
        ("DeleteSecurityGroup", ("GroupId", group)),
        ("DeleteRouteTable", ("RouteTableId", table)),
        ("DeleteInternetGateway", ("InternetGatewayId", gateway)),
        ("DeleteVpc", ("VpcId", vpc)),
    ];
    for (action, ask) in needed {
        let (status, code, message) = region.refused(action, &[ask]).await;
        assert_eq!((status, code.as_str()), (400, "DependencyViolation"), "{action}: {message}");
    }
    region.ok("TerminateInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "terminated").await;
    region.ok("DeleteSubnet", &[("SubnetId", subnet)]).await;
    region.ok("DeleteSecurityGroup", &[("GroupId", group)]).await;
    region.ok("DeleteRouteTable", &[("RouteTableId", table)]).await;
    assert_eq!(region.refused("DeleteVpc", &[("VpcId", vpc)]).await.1, "DependencyViolation");
    region.ok("DetachInternetGateway", &attachment).await;
    region.ok("DeleteInternetGateway", &[("InternetGatewayId", gateway)]).await;
    region.ok("DeleteVpc", &[("VpcId", vpc)]).await;
    for (action, ask, code) in [
        ("DescribeVpcs", ("VpcId.1", vpc), "InvalidVpcID.NotFound"),
        ("DescribeSubnets", ("SubnetId.1", subnet), "InvalidSubnetID.NotFound"),
        ("DescribeSecurityGroups", ("GroupId.1", group), "InvalidGroup.NotFound"),
        ("DescribeRouteTables", ("RouteTableId.1", table), "InvalidRouteTableID.NotFound"),
        ("DescribeInternetGateways", ("InternetGatewayId.1", gateway), "InvalidInternetGatewayID.NotFound"),
    ] {
        let (status, found, _) = region.refused(action, &[ask]).await;
        assert_eq!((status, found.as_str()), (400, code), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_begins_with_its_default_network() {
    let region = Region::new().await;
    let vpcs = region.ok("DescribeVpcs", &[]).await;
    assert_eq!((vpcs.xml_all("vpcId").len(), vpcs.xml("isDefault")), (1, Some("true")));
    let subnets = region
        .ok("DescribeSubnets", &[("Filter.1.Name", "default-for-az"), ("Filter.1.Value.1", "true")])
        .await;
    let zones = region.ok("DescribeAvailabilityZones", &[]).await;
    assert_eq!(subnets.xml_all("subnetId").len(), zones.xml_all("zoneName").len());
    let attributes = region.ok("DescribeAccountAttributes", &[("AttributeName.1", "default-vpc")]).await;
    assert_eq!(attributes.xml("attributeValue"), vpcs.xml("vpcId"));
    assert!(region.ok("DescribeRegions", &[]).await.xml_all("regionName").contains(&"us-east-1"));
    let again = region.refused("CreateDefaultVpc", &[]).await;
    assert_eq!((again.0, again.1.as_str()), (400, "DefaultVpcAlreadyExists"));
}

#[tokio::test(start_paused = true)]
async fn everything_is_tagged_in_the_same_way() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    let record = region.record(&id).unwrap();
    let key = region.ok("CreateKeyPair", &[("KeyName", "k")]).await;
    let gateway = region.ok("CreateInternetGateway", &[]).await;
    let tables = region.ok("DescribeRouteTables", &[]).await;
    let acls = region.ok("DescribeNetworkAcls", &[]).await;
    let options = region.ok("DescribeDhcpOptions", &[]).await;
    let all = [
        ("instance", id.as_str()),
        ("volume", record.volumes[0].as_str()),
        ("network-interface", record.network.id.as_str()),
        ("subnet", record.network.subnet_id.as_str()),
        ("vpc", record.network.vpc_id.as_str()),
        ("security-group", record.network.security_groups[0].as_str()),
        ("key-pair", text(&key, "keyPairId")),
        ("internet-gateway", text(&gateway, "internetGatewayId")),
        ("route-table", text(&tables, "routeTableId")),
        ("network-acl", text(&acls, "networkAclId")),
        ("dhcp-options", text(&options, "dhcpOptionsId")),
    ];
    for (kind, id) in all {
        region.ok("CreateTags", &[("ResourceId.1", id), ("Tag.1.Key", "a"), ("Tag.1.Value", kind)]).await;
        let ask = [("Filter.1.Name", "resource-id"), ("Filter.1.Value.1", id)];
        let tags = region.ok("DescribeTags", &ask).await;
        assert_eq!((tags.xml("resourceType"), tags.xml("value")), (Some(kind), Some(kind)));
        // A value that is not the tag's takes nothing away.
        region.ok("DeleteTags", &[("ResourceId.1", id), ("Tag.1.Key", "a"), ("Tag.1.Value", "x")]).await;
        assert_eq!(region.ok("DescribeTags", &ask).await.xml("key"), Some("a"), "{kind}");
        region.ok("DeleteTags", &[("ResourceId.1", id), ("Tag.1.Key", "a")]).await;
        assert_eq!(region.ok("DescribeTags", &ask).await.xml("key"), None, "{kind}");
    }
    for (ask, code) in [
        (vec![("ResourceId.1", "i-0123456789abcdef0"), ("Tag.1.Key", "a")], "InvalidInstanceID.NotFound"),
        (vec![("ResourceId.1", "nothing"), ("Tag.1.Key", "a")], "InvalidID"),
        (vec![("ResourceId.1", id.as_str()), ("Tag.1.Key", "aws:a")], "InvalidParameterValue"),
        (
            vec![("ResourceId.1", id.as_str()), ("Tag.1.Key", "a"), ("Tag.2.Key", "a")],
            "InvalidParameterValue",
        ),
    ] {
        assert_eq!(region.refused("CreateTags", &ask).await.1, code, "{ask:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tagging_asks_about_every_kind_by_its_own_arn() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    let record = region.record(&id).unwrap();
    let all = [
        ("instance", id.as_str()),
        ("volume", record.volumes[0].as_str()),
        ("network-interface", record.network.id.as_str()),
        ("subnet", record.network.subnet_id.as_str()),
        ("security-group", record.network.security_groups[0].as_str()),
    ];
    for (number, (kind, id)) in all.into_iter().enumerate() {
        let arn = format!(r#""arn:aws:ec2:us-east-1:123456789012:{kind}/*""#);
        let only = policy(&[statement(r#""ec2:CreateTags""#, &arn, "")]);
        let client = region.server.user(&format!("user{number}"), &[("p", &only)]).await;
        for (other, other_id) in all {
            let ask = [("ResourceId.1", other_id), ("Tag.1.Key", "a"), ("Tag.1.Value", "b")];
            let answer = client.query("ec2", "CreateTags", &ask).await;
            assert_eq!(answer.status == 200, other == kind, "{kind} {other}: {}", answer.body);
        }
        let both = [("ResourceId.1", id), ("ResourceId.2", "vpc-0123456789abcdef0"), ("Tag.1.Key", "a")];
        assert_eq!(refused(&client, "CreateTags", &both).await.1, "UnauthorizedOperation");
    }
}

#[tokio::test(start_paused = true)]
async fn a_volume_is_attached_once_and_detached_again() {
    let region = Region::new().await;
    let id = region.running(&[("Placement.AvailabilityZone", "us-east-1a")]).await;
    let made = region
        .ok("CreateVolume", &[("AvailabilityZone", "us-east-1a"), ("Size", "3"), ("VolumeType", "gp3")])
        .await;
    let volume = text(&made, "volumeId");
    let far = region.ok("CreateVolume", &[("AvailabilityZone", "us-east-1b"), ("Size", "3")]).await;
    let attach = |volume, device| [("VolumeId", volume), ("InstanceId", id.as_str()), ("Device", device)];
    let root = region.record(&id).unwrap().volumes[0].clone();
    for (ask, code) in [
        (attach(text(&far, "volumeId"), "/dev/sdf"), "InvalidVolume.ZoneMismatch"),
        (attach(volume, "/dev/nvme"), "InvalidParameterValue"),
        (attach(volume, "/dev/xvda"), "InvalidParameterValue"),
        (attach("vol-0123456789abcdef0", "/dev/sdf"), "InvalidVolume.NotFound"),
        (attach(&root, "/dev/sdf"), "VolumeInUse"),
    ] {
        assert_eq!(region.refused("AttachVolume", &ask).await.1, code, "{ask:?}");
    }
    region.ok("AttachVolume", &attach(volume, "/dev/sdf")).await;
    assert_eq!(region.refused("DeleteVolume", &[("VolumeId", volume)]).await.1, "VolumeInUse");
    assert_eq!(region.refused("DetachVolume", &[("VolumeId", &root)]).await.1, "OperationNotPermitted");
    region.ok("DetachVolume", &[("VolumeId", volume)]).await;
    assert_eq!(region.refused("DetachVolume", &[("VolumeId", volume)]).await.1, "IncorrectState");
    region.ok("DeleteVolume", &[("VolumeId", volume)]).await;
}
