//! Lists of instances: filtered and paged.

use crate::support::{Region, ami, small};

#[tokio::test(start_paused = true)]
async fn filters_find_what_they_name() {
    let region = Region::new().await;
    region.profile("app").await;
    region.ok("CreateKeyPair", &[("KeyName", "k")]).await;
    let blue = region
        .running(&[
            ("KeyName", "k"),
            ("IamInstanceProfile.Name", "app"),
            ("Placement.AvailabilityZone", "us-east-1b"),
            ("ClientToken", "tok"),
            ("TagSpecification.1.ResourceType", "instance"),
            ("TagSpecification.1.Tag.1.Key", "team"),
            ("TagSpecification.1.Tag.1.Value", "blue"),
        ])
        .await;
    let other = region.running(&[("Placement.AvailabilityZone", "us-east-1a")]).await;
    region.ok("StopInstances", &[("InstanceId.1", &other)]).await;
    region.becomes(&other, "stopped").await;
    let record = region.record(&blue).unwrap();
    let (image, address) = (ami(), record.network.private_ip.to_string());
    let (only_blue, only_other, both, none) = (1, 2, 3, 0);
    for (name, value, expected) in [
        ("instance-state-name", "running", only_blue),
        ("instance-state-name", "stopped", only_other),
        ("instance-state-name", "*", both),
        ("instance-state-code", "16", only_blue),
        ("tag:team", "blue", only_blue),
        ("tag:team", "b*", only_blue),
        ("tag:team", "bl?e", only_blue),
        ("tag:Team", "blue", none),
        ("tag:team", "red", none),
        ("tag-key", "team", only_blue),
        ("tag-value", "blue", only_blue),
        ("availability-zone", "us-east-1a", only_other),
        ("iam-instance-profile.arn", "arn:aws:iam::123456789012:instance-profile/app/app", only_blue),
        ("key-name", "k", only_blue),
        ("client-token", "tok", only_blue),
        ("image-id", image.as_str(), both),
        ("instance-type", small(), both),
        ("instance-type", "T3.micro", none),
        ("private-ip-address", address.as_str(), only_blue),
        ("network-interface.addresses.private-ip-address", address.as_str(), only_blue),
        ("vpc-id", record.network.vpc_id.as_str(), both),
        ("subnet-id", record.network.subnet_id.as_str(), only_blue),
        ("instance-id", blue.as_str(), only_blue),
        ("instance.group-name", "default", both),
        ("metadata-options.http-tokens", "required", both),
        ("ip-address", "*", none),
    ] {
        let ask = [("Filter.1.Name", name), ("Filter.1.Value.1", value)];
        let found = region.ok("DescribeInstances", &ask).await;
        let has = |id: &str| found.body.contains(&format!("<instanceId>{id}</instanceId>"));
        assert_eq!(i32::from(has(&blue)) + 2 * i32::from(has(&other)), expected, "{name}={value}");
    }
    let several = [
        ("Filter.1.Name", "instance-state-name"),
        ("Filter.1.Value.1", "running"),
        ("Filter.1.Value.2", "stopped"),
        ("Filter.2.Name", "availability-zone"),
        ("Filter.2.Value.1", "us-east-1b"),
    ];
    assert_eq!(region.ok("DescribeInstances", &several).await.xml_all("amiLaunchIndex").len(), 1);
    let wrong = [("Filter.1.Name", "colour"), ("Filter.1.Value.1", "x")];
    let refused = region.refused("DescribeInstances", &wrong).await;
    assert_eq!(
        refused,
        (400, "InvalidParameterValue".to_owned(), "The filter 'colour' is invalid".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn pages_hold_every_instance_once() {
    let mut region = Region::new().await;
    region.pause().await;
    for _ in 0..12 {
        region.launch(&[]).await;
    }
    let (mut ids, mut token) = (vec![], String::new());
    loop {
        let mut ask = vec![("MaxResults", "5")];
        if !token.is_empty() {
            ask.push(("NextToken", token.as_str()));
        }
        let page = region.ok("DescribeInstances", &ask).await;
        let of_instances = page.xml_all("amiLaunchIndex").len();
        assert!(of_instances <= 5);
        let mut on_page = page.xml_all("instanceId");
        on_page.dedup();
        ids.extend(on_page.into_iter().map(str::to_owned));
        match page.xml("nextToken") {
            Some(next) if !next.is_empty() => token = next.to_owned(),
            _ => break,
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 12);
    for (ask, code) in [
        (vec![("MaxResults", "4")], "InvalidParameterValue"),
        (vec![("MaxResults", "1001")], "InvalidParameterValue"),
        (vec![("NextToken", "made-up")], "InvalidNextToken"),
        (vec![("MaxResults", "5"), ("InstanceId.1", ids[0].as_str())], "InvalidParameterCombination"),
    ] {
        assert_eq!(region.refused("DescribeInstances", &ask).await.1, code, "{ask:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_is_shown_of_what_runs_or_of_all() {
    let region = Region::new().await;
    let (up, down) = (region.running(&[]).await, region.running(&[]).await);
    region.ok("StopInstances", &[("InstanceId.1", &down)]).await;
    region.becomes(&down, "stopped").await;
    let running = region.ok("DescribeInstanceStatus", &[]).await;
    assert_eq!(running.xml_all("instanceId"), [&up]);
    assert!(running.body.contains("<systemStatus><details><item><name>reachability</name><status>passed</status></item></details><status>ok</status></systemStatus>") || running.body.contains("<status>ok</status>"));
    let all = region.ok("DescribeInstanceStatus", &[("IncludeAllInstances", "true")]).await;
    let mut ids = all.xml_all("instanceId");
    ids.sort_unstable();
    let mut expected = [up.as_str(), down.as_str()];
    expected.sort_unstable();
    assert_eq!(ids, expected);
}
