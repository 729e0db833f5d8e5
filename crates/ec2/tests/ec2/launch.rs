//! What a launch makes, and what it refuses.

use crate::support::{Region, ami, launch, small};

#[tokio::test(start_paused = true)]
async fn a_launch_answers_as_aws_does() {
    let region = Region::new().await;
    let launched = launch(&region.administrator, &[("MinCount", "2"), ("MaxCount", "2")]).await.ok();
    assert_eq!(launched.xml_all("amiLaunchIndex"), ["0", "1"]);
    assert_eq!(launched.xml("ownerId"), Some("123456789012"));
    assert_eq!(launched.xml_all("reservationId").len(), 1);
    for (element, value) in [
        ("instanceType", small()),
        ("imageId", &ami()),
        ("rootDeviceType", "ebs"),
        ("rootDeviceName", "/dev/xvda"),
        ("virtualizationType", "hvm"),
        ("hypervisor", "xen"),
        ("httpTokens", "required"),
        ("httpPutResponseHopLimit", "2"),
        ("httpEndpoint", "enabled"),
        ("instanceMetadataTags", "disabled"),
        ("ebsOptimized", "false"),
        ("tenancy", "default"),
        ("sourceDestCheck", "true"),
    ] {
        assert_eq!(launched.xml(element), Some(value), "{element}");
    }
    assert!(launched.xml("privateDnsName").unwrap().starts_with("ip-172-31-"));
    assert_eq!(launched.xml_all("vpcId").len(), 4, "each instance and its interface");
    assert_eq!(launched.xml("groupName"), Some("default"));
}

#[tokio::test(start_paused = true)]
async fn the_same_token_launches_once() {
    let region = Region::new().await;
    let token = ("ClientToken", "d9f2c1f0-1111-2222-3333-444455556666");
    let first = launch(&region.administrator, &[token]).await.ok();
    let again = launch(&region.administrator, &[token]).await.ok();
    assert_eq!(first.xml("instanceId"), again.xml("instanceId"));
    assert_eq!(first.xml("reservationId"), again.xml("reservationId"));
    let (code, _) = launch(&region.administrator, &[token, ("EbsOptimized", "true")]).await.refused();
    assert_eq!(code, "IdempotentParameterMismatch");
    let other = launch(&region.administrator, &[("ClientToken", "another")]).await.ok();
    assert_ne!(first.xml("instanceId"), other.xml("instanceId"));
    let plain = launch(&region.administrator, &[]).await.ok();
    assert_ne!(plain.xml("instanceId"), other.xml("instanceId"));
    assert_eq!(region.ok("DescribeInstances", &[]).await.xml_all("instanceId").len(), 3);
    let elsewhere = {
        let mut client = region.server.administrator().await;
        client.region = "us-west-2".to_owned();
        let image = daypass_core::image::public_images("us-west-2").remove(0).id;
        launch(&client, &[token, ("ImageId", &image)]).await.ok()
    };
    assert_ne!(elsewhere.xml("instanceId"), first.xml("instanceId"), "a token is of one region");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_launched_is_refused_and_leaves_nothing() {
    use base64::Engine as _;
    let region = Region::new().await;
    let long = base64::engine::general_purpose::STANDARD.encode(vec![b'#'; 16 * 1024 + 1]);
    let foreign = if cfg!(target_arch = "aarch64") { "t3.micro" } else { "t4g.micro" };
    for (ask, code) in [
        (vec![("ImageId", "ami-0123456789abcdef0")], "InvalidAMIID.NotFound"),
        (vec![("ImageId", "ami-xyz")], "InvalidAMIID.Malformed"),
        (vec![("ImageId", "")], "MissingParameter"),
        (vec![("InstanceType", "t9.huge")], "InvalidParameterValue"),
        (vec![("InstanceType", foreign)], "InvalidParameterValue"),
        (vec![("MinCount", "0")], "InvalidParameterValue"),
        (vec![("MinCount", "2")], "InvalidParameterValue"),
        (vec![("MaxCount", "1001")], "InvalidParameterValue"),
        (vec![("KeyName", "nope")], "InvalidKeyPair.NotFound"),
        (vec![("SubnetId", "subnet-0123456789abcdef0")], "InvalidSubnetID.NotFound"),
        (vec![("SecurityGroupId.1", "sg-0123456789abcdef0")], "InvalidGroup.NotFound"),
        (vec![("SecurityGroup.1", "nope")], "InvalidGroup.NotFound"),
        (vec![("Placement.AvailabilityZone", "us-east-1z")], "InvalidParameterValue"),
        (vec![("Placement.Tenancy", "dedicated")], "UnsupportedOperation"),
        (vec![("UserData", "#!/bin/sh")], "InvalidUserData.Malformed"),
        (vec![("UserData", &long)], "InvalidParameterValue"),
        (vec![("MetadataOptions.HttpPutResponseHopLimit", "0")], "InvalidParameterValue"),
        (vec![("MetadataOptions.HttpPutResponseHopLimit", "65")], "InvalidParameterValue"),
        (vec![("MetadataOptions.HttpTokens", "sometimes")], "InvalidParameterValue"),
        (vec![("InstanceMarketOptions.MarketType", "spot")], "UnsupportedOperation"),
        (vec![("HibernationOptions.Configured", "true")], "UnsupportedOperation"),
        (
            vec![("NetworkInterface.1.DeviceIndex", "0"), ("SecurityGroupId.1", "sg-0123456789abcdef0")],
            "InvalidParameterCombination",
        ),
        (
            vec![
                ("NetworkInterface.1.DeviceIndex", "0"),
                ("NetworkInterface.1.AssociatePublicIpAddress", "true"),
            ],
            "UnsupportedOperation",
        ),
        (vec![("PrivateIpAddress", "10.9.9.9")], "InvalidParameterValue"),
        (vec![("PrivateIpAddress", "nowhere")], "InvalidParameterValue"),
        (vec![("LaunchTemplate.LaunchTemplateName", "nope")], "InvalidLaunchTemplateName.NotFoundException"),
        (
            vec![("TagSpecification.1.ResourceType", "vpc"), ("TagSpecification.1.Tag.1.Key", "a")],
            "InvalidParameterValue",
        ),
        (
            vec![("TagSpecification.1.ResourceType", "instance"), ("TagSpecification.1.Tag.1.Key", "aws:x")],
            "InvalidParameterValue",
        ),
        (vec![("CpuOptions.CoreCount", "64")], "UnsupportedOperation"),
        (vec![("ClientToken", "a".repeat(65).leak())], "InvalidParameterValue"),
    ] {
        let (found, message) = launch(&region.administrator, &ask).await.refused();
        assert_eq!(found, code, "{:?}: {message}", ask.iter().map(|(k, _)| k).collect::<Vec<_>>());
    }
    assert!(region.ok("DescribeInstances", &[]).await.xml("instanceId").is_none());
    assert!(region.ok("DescribeVolumes", &[]).await.xml("volumeId").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_address_is_one_instance_s_until_it_is_terminated() {
    let region = Region::new().await;
    let ask = [("PrivateIpAddress", "172.31.0.77"), ("Placement.AvailabilityZone", "us-east-1a")];
    let id = region.running(&ask).await;
    let (code, message) = launch(&region.administrator, &ask).await.refused();
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("InvalidIPAddress.InUse", "Address 172.31.0.77 is in use.")
    );
    region.ok("StopInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "stopped").await;
    assert_eq!(launch(&region.administrator, &ask).await.refused().0, "InvalidIPAddress.InUse");
    region.ok("TerminateInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "terminated").await;
    launch(&region.administrator, &ask).await.ok();
    for taken in ["172.31.0.0", "172.31.0.1", "172.31.0.2", "172.31.0.3", "172.31.15.255"] {
        let ask = [("PrivateIpAddress", taken), ("Placement.AvailabilityZone", "us-east-1a")];
        assert_eq!(launch(&region.administrator, &ask).await.refused().0, "InvalidParameterValue", "{taken}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_subnet_holds_as_many_as_it_has_addresses() {
    let region = Region::new().await;
    let vpc = region.ok("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await;
    let vpc = vpc.xml("vpcId").unwrap();
    let subnet = region.ok("CreateSubnet", &[("VpcId", vpc), ("CidrBlock", "10.0.1.0/28")]).await;
    let subnet = subnet.xml("subnetId").unwrap();
    let most = [("SubnetId", subnet), ("MinCount", "1"), ("MaxCount", "50")];
    let launched = launch(&region.administrator, &most).await.ok();
    assert_eq!(launched.xml_all("instanceId").len(), 11, "of sixteen, five are EC2's");
    let (code, _) = launch(&region.administrator, &[("SubnetId", subnet)]).await.refused();
    assert_eq!(code, "InsufficientFreeAddressesInSubnet");
}

#[tokio::test(start_paused = true)]
async fn a_region_has_a_limit_of_processors() {
    let region = Region::new().await;
    let eight = if cfg!(target_arch = "aarch64") { "t4g.2xlarge" } else { "t3.2xlarge" };
    let ask = [("MinCount", "1"), ("MaxCount", "1000"), ("InstanceType", eight)];
    let launched = launch(&region.administrator, &ask).await.ok();
    assert_eq!(launched.xml_all("amiLaunchIndex").len(), 1152 / 8, "as many as fit");
    let (code, _) = launch(&region.administrator, &[]).await.refused();
    assert_eq!(code, "VcpuLimitExceeded");
}

#[tokio::test(start_paused = true)]
async fn defaults_of_the_region_stand_under_what_the_launch_says() {
    let region = Region::new().await;
    let defaults =
        [("HttpTokens", "optional"), ("HttpPutResponseHopLimit", "7"), ("InstanceMetadataTags", "enabled")];
    region.ok("ModifyInstanceMetadataDefaults", &defaults).await;
    let launched =
        launch(&region.administrator, &[("MetadataOptions.HttpPutResponseHopLimit", "1")]).await.ok();
    assert_eq!(launched.xml("httpTokens"), Some("optional"));
    assert_eq!(launched.xml("httpPutResponseHopLimit"), Some("1"));
    assert_eq!(launched.xml("instanceMetadataTags"), Some("enabled"));
    region
        .ok(
            "ModifyInstanceMetadataDefaults",
            &[("HttpTokens", "no-preference"), ("HttpTokensEnforced", "enabled")],
        )
        .await;
    let refused =
        launch(&region.administrator, &[("MetadataOptions.HttpTokens", "optional")]).await.refused();
    assert_eq!(refused.0, "UnsupportedOperation", "{}", refused.1);
    let launched = launch(&region.administrator, &[]).await.ok();
    assert_eq!(launched.xml("httpTokens"), Some("required"));
}

#[tokio::test(start_paused = true)]
async fn volumes_go_or_stay_as_the_launch_said() {
    let region = Region::new().await;
    let devices = [
        ("BlockDeviceMapping.1.DeviceName", "/dev/sdf"),
        ("BlockDeviceMapping.1.Ebs.VolumeSize", "5"),
        ("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "false"),
        ("TagSpecification.1.ResourceType", "volume"),
        ("TagSpecification.1.Tag.1.Key", "a"),
        ("TagSpecification.1.Tag.1.Value", "b"),
    ];
    let id = region.running(&devices).await;
    let ask = [("Filter.1.Name", "attachment.instance-id"), ("Filter.1.Value.1", id.as_str())];
    let volumes = region.ok("DescribeVolumes", &ask).await;
    assert_eq!(volumes.xml_all("device").len(), 2);
    assert_eq!(volumes.xml_all("key"), ["a", "a"]);
    region.ok("TerminateInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "terminated").await;
    let left = region.ok("DescribeVolumes", &[]).await;
    assert_eq!((left.xml_all("size"), left.xml("status")), (vec!["5"], Some("available")));
}
