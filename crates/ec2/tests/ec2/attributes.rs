//! Attributes of instances: read one by one, changed one by one.

use crate::support::Region;

async fn read(region: &Region, id: &str, attribute: &str) -> String {
    let ask = [("InstanceId", id), ("Attribute", attribute)];
    let answer = region.ok("DescribeInstanceAttribute", &ask).await;
    let (_, rest) = answer.body.split_once("</requestId>").unwrap();
    let (rest, _) = rest.split_once("</DescribeInstanceAttributeResponse>").unwrap();
    rest.replace(&format!("<instanceId>{id}</instanceId>"), "")
}

#[tokio::test(start_paused = true)]
async fn attributes_change_and_read_back() {
    let region = Region::new().await;
    let id = region.running(&[("UserData", "IyEvYmluL3NoCg==")]).await;
    for (attribute, before, change, after) in [
        (
            "disableApiTermination",
            "<disableApiTermination><value>false</value></disableApiTermination>",
            ("DisableApiTermination.Value", "true"),
            "<disableApiTermination><value>true</value></disableApiTermination>",
        ),
        (
            "disableApiStop",
            "<disableApiStop><value>false</value></disableApiStop>",
            ("DisableApiStop.Value", "true"),
            "<disableApiStop><value>true</value></disableApiStop>",
        ),
        (
            "instanceInitiatedShutdownBehavior",
            "<instanceInitiatedShutdownBehavior><value>stop</value></instanceInitiatedShutdownBehavior>",
            ("InstanceInitiatedShutdownBehavior.Value", "terminate"),
            "<instanceInitiatedShutdownBehavior><value>terminate</value></instanceInitiatedShutdownBehavior>",
        ),
        (
            "sourceDestCheck",
            "<sourceDestCheck><value>true</value></sourceDestCheck>",
            ("SourceDestCheck.Value", "false"),
            "<sourceDestCheck><value>false</value></sourceDestCheck>",
        ),
    ] {
        assert_eq!(read(&region, &id, attribute).await, before);
        region.ok("ModifyInstanceAttribute", &[("InstanceId", &id), change]).await;
        assert_eq!(read(&region, &id, attribute).await, after);
    }
    assert_eq!(read(&region, &id, "userData").await, "<userData><value>IyEvYmluL3NoCg==</value></userData>");
    let plain = region.running(&[]).await;
    assert_eq!(read(&region, &plain, "userData").await, "<userData></userData>");
}

#[tokio::test(start_paused = true)]
async fn type_and_user_data_change_while_the_instance_is_stopped() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    let (kind, foreign) =
        if cfg!(target_arch = "aarch64") { ("t4g.large", "t3.micro") } else { ("t3.large", "t4g.micro") };
    let changes = [("InstanceType.Value", kind), ("UserData.Value", "IyEvYmluL3NoCg==")];
    for change in changes {
        let refused = region.refused("ModifyInstanceAttribute", &[("InstanceId", &id), change]).await;
        let words = format!("The instance '{id}' is not in the 'stopped' state.");
        assert_eq!(refused, (400, "IncorrectInstanceState".to_owned(), words));
    }
    region.ok("StopInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "stopped").await;
    for change in changes {
        region.ok("ModifyInstanceAttribute", &[("InstanceId", &id), change]).await;
    }
    for (change, code) in [
        (("InstanceType.Value", "t9.huge"), "InvalidParameterValue"),
        (("InstanceType.Value", foreign), "InvalidParameterValue"),
        (("Kernel.Value", "aki-1"), "UnsupportedOperation"),
        (("EnaSupport.Value", "false"), "UnsupportedOperation"),
        (("InstanceInitiatedShutdownBehavior.Value", "explode"), "InvalidParameterValue"),
        (("GroupId.1", "sg-0123456789abcdef0"), "InvalidGroup.NotFound"),
    ] {
        let (_, found, _) = region.refused("ModifyInstanceAttribute", &[("InstanceId", &id), change]).await;
        assert_eq!(found, code, "{change:?}");
    }
    let two =
        [("InstanceId", id.as_str()), ("DisableApiStop.Value", "true"), ("SourceDestCheck.Value", "true")];
    assert_eq!(region.refused("ModifyInstanceAttribute", &two).await.1, "InvalidParameterCombination");
    assert_eq!(
        region.refused("ModifyInstanceAttribute", &[("InstanceId", &id)]).await.1,
        "InvalidParameterCombination"
    );
    region.ok("StartInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "running").await;
    let launch = region.machines.launches().pop().unwrap();
    assert_eq!((launch.memory_mib, launch.instance.user_data.as_deref()), (8192, Some("IyEvYmluL3NoCg==")));
}

#[tokio::test(start_paused = true)]
async fn metadata_options_change_at_once_and_only_where_they_are_named() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    let options = async || {
        let shown = region.ok("DescribeInstances", &[("InstanceId.1", &id)]).await;
        let names = ["httpTokens", "httpPutResponseHopLimit", "httpEndpoint", "instanceMetadataTags"];
        names.map(|name| shown.xml(name).unwrap().to_owned())
    };
    assert_eq!(options().await, ["required", "2", "enabled", "disabled"]);
    for (change, expected) in [
        (("HttpTokens", "optional"), ["optional", "2", "enabled", "disabled"]),
        (("HttpPutResponseHopLimit", "64"), ["optional", "64", "enabled", "disabled"]),
        (("InstanceMetadataTags", "enabled"), ["optional", "64", "enabled", "enabled"]),
        (("HttpEndpoint", "disabled"), ["optional", "64", "disabled", "enabled"]),
        (("HttpTokens", "required"), ["required", "64", "disabled", "enabled"]),
    ] {
        let answer = region.ok("ModifyInstanceMetadataOptions", &[("InstanceId", &id), change]).await;
        assert_eq!(answer.xml("state"), Some("pending"));
        assert_eq!(options().await, expected, "{change:?}");
    }
    for (ask, code) in [
        (vec![], "InvalidParameterCombination"),
        (vec![("HttpPutResponseHopLimit", "0")], "InvalidParameterValue"),
        (vec![("HttpPutResponseHopLimit", "65")], "InvalidParameterValue"),
        (vec![("HttpTokens", "maybe")], "InvalidParameterValue"),
    ] {
        let mut all = vec![("InstanceId", id.as_str())];
        all.extend(ask.clone());
        assert_eq!(region.refused("ModifyInstanceMetadataOptions", &all).await.1, code, "{ask:?}");
    }
    region.ok("TerminateInstances", &[("InstanceId.1", &id)]).await;
    region.becomes(&id, "terminated").await;
    let late = [("InstanceId", id.as_str()), ("HttpTokens", "optional")];
    assert_eq!(region.refused("ModifyInstanceMetadataOptions", &late).await.1, "IncorrectInstanceState");
}
