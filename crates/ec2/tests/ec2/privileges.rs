//! What nobody may get by a second way: a role that may not be passed, an instance that may not be had.

use crate::support::{Region, ami, launch, policy, refused, small, statement};

const DENIED: &str = "UnauthorizedOperation";

/// May launch anything, and pass no role.
fn launcher() -> String {
    statement(r#""ec2:*""#, r#""*""#, "")
}

#[tokio::test(start_paused = true)]
async fn who_may_not_pass_a_role_puts_it_on_no_instance_by_any_way() {
    let region = Region::new().await;
    let arn = region.profile("admin").await;
    region.profile("app").await;
    let pass_app = statement(r#""iam:PassRole""#, r#""arn:aws:iam::123456789012:role/app""#, "");
    let bob = region.server.user("bob", &[("p", &policy(&[launcher(), pass_app]))]).await;

    let plain = region.running(&[]).await;
    let with_app = launch(&bob, &[("IamInstanceProfile.Name", "app")]).await.ok();
    let association = {
        let answer = region.ok("DescribeIamInstanceProfileAssociations", &[]).await;
        answer.xml("associationId").unwrap().to_owned()
    };
    for (name, data) in [("by-name", ("Name", "admin")), ("by-arn", ("Arn", arn.as_str()))] {
        let key = format!("LaunchTemplateData.IamInstanceProfile.{}", data.0);
        let ami = ami();
        let template = [
            ("LaunchTemplateName", name),
            ("LaunchTemplateData.ImageId", ami.as_str()),
            ("LaunchTemplateData.InstanceType", small()),
            (key.as_str(), data.1),
        ];
        bob.query("ec2", "CreateLaunchTemplate", &template).await.ok();
    }
    let before = region.ok("DescribeInstances", &[]).await.xml_all("instanceId").len();
    for ask in [
        vec![("IamInstanceProfile.Name", "admin")],
        vec![("IamInstanceProfile.Arn", arn.as_str())],
        vec![("LaunchTemplate.LaunchTemplateName", "by-name")],
        vec![("LaunchTemplate.LaunchTemplateName", "by-arn"), ("LaunchTemplate.Version", "$Latest")],
        // A name of the request does not stand over an ARN of the template unseen.
        vec![("LaunchTemplate.LaunchTemplateName", "by-arn"), ("IamInstanceProfile.Arn", arn.as_str())],
    ] {
        let (code, message) = launch(&bob, &ask).await.refused();
        assert_eq!(code, DENIED, "{ask:?}");
        assert!(
            message.contains("iam:PassRole on resource: arn:aws:iam::123456789012:role/admin"),
            "{message}"
        );
    }
    for (action, ask) in [
        (
            "AssociateIamInstanceProfile",
            vec![("InstanceId", plain.as_str()), ("IamInstanceProfile.Name", "admin")],
        ),
        (
            "AssociateIamInstanceProfile",
            vec![("InstanceId", plain.as_str()), ("IamInstanceProfile.Arn", arn.as_str())],
        ),
        (
            "ReplaceIamInstanceProfileAssociation",
            vec![("AssociationId", association.as_str()), ("IamInstanceProfile.Name", "admin")],
        ),
    ] {
        let (_, code, message) = refused(&bob, action, &ask).await;
        assert_eq!(code, DENIED, "{action}");
        assert!(message.contains("iam:PassRole"), "{message}");
    }
    assert_eq!(region.ok("DescribeInstances", &[]).await.xml_all("instanceId").len(), before);
    assert!(region.record(&plain).unwrap().profile.is_none());
    let kept = region.record(with_app.xml("instanceId").unwrap()).unwrap().profile.unwrap();
    assert_eq!(kept.profile_name, "app");
}

#[tokio::test(start_paused = true)]
async fn a_network_that_the_launch_itself_makes_is_no_way_around_the_questions() {
    // Its ids follow from account and region: somebody may know them before it is there.
    let elsewhere = Region::new().await;
    let subnet = elsewhere.ok("DescribeSubnets", &[]).await.xml("subnetId").unwrap().to_owned();
    let region = Region::new().await;
    region.profile("admin").await;
    let bob = region.server.user("bob", &[("p", &policy(&[launcher()]))]).await;
    let ask = [("SubnetId", subnet.as_str()), ("IamInstanceProfile.Name", "admin")];
    let (code, message) = launch(&bob, &ask).await.refused();
    assert_eq!(code, DENIED);
    assert!(message.contains("iam:PassRole"), "{message}");
    assert!(region.ok("DescribeInstances", &[]).await.xml("instanceId").is_none());
    launch(&bob, &[("SubnetId", subnet.as_str())]).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_denial_holds_for_a_network_that_is_not_there_yet() {
    let elsewhere = Region::new().await;
    let subnets = elsewhere.ok("DescribeSubnets", &[]).await;
    let subnet = subnets.xml("subnetId").unwrap();
    let vpc = format!("arn:aws:ec2:us-east-1:123456789012:vpc/{}", subnets.xml("vpcId").unwrap());
    let deny = format!(
        r#"{{"Effect":"Deny","Action":"ec2:DeleteSubnet","Resource":"*","Condition":{{"ArnEquals":{{"ec2:Vpc":"{vpc}"}}}}}}"#
    );
    let region = Region::new().await;
    let bob = region.server.user("bob", &[("p", &policy(&[launcher(), deny]))]).await;
    assert_eq!(refused(&bob, "DeleteSubnet", &[("SubnetId", subnet)]).await.1, DENIED);
    region.ok("DescribeSubnets", &[("SubnetId.1", subnet)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_role_is_passed_to_ec2_for_instances_and_policies_can_say_so() {
    let region = Region::new().await;
    region.profile("app").await;
    for (name, condition, allowed) in [
        ("a", r#""StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}"#, true),
        ("b", r#""StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}"#, false),
        (
            "c",
            r#""ArnLike":{"iam:AssociatedResourceArn":"arn:aws:ec2:us-east-1:123456789012:instance/*"}"#,
            true,
        ),
        (
            "d",
            r#""ArnLike":{"iam:AssociatedResourceArn":"arn:aws:ec2:eu-west-1:123456789012:instance/*"}"#,
            false,
        ),
        ("e", r#""StringEquals":{"iam:ResourceTag/team":"app"}"#, true),
        ("f", r#""StringEquals":{"aws:ResourceTag/team":"other"}"#, false),
    ] {
        let condition = format!(r#","Condition":{{{condition}}}"#);
        let pass = statement(r#""iam:PassRole""#, r#""*""#, &condition);
        let client = region.server.user(name, &[("p", &policy(&[launcher(), pass]))]).await;
        let launched = launch(&client, &[("IamInstanceProfile.Name", "app")]).await;
        assert_eq!(launched.status == 200, allowed, "{condition}: {}", launched.body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_launch_is_asked_about_everything_that_it_makes_and_uses() {
    let region = Region::new().await;
    region.ok("CreateKeyPair", &[("KeyName", "k")]).await;
    let kinds = ["image", "instance", "volume", "network-interface", "subnet", "security-group", "key-pair"];
    for missing in kinds {
        let resources: Vec<String> = kinds
            .iter()
            .filter(|kind| **kind != missing)
            .map(|kind| {
                let account = if *kind == "image" { "" } else { "123456789012" };
                format!(r#""arn:aws:ec2:us-east-1:{account}:{kind}/*""#)
            })
            .collect();
        let allow = statement(r#""ec2:RunInstances""#, &format!("[{}]", resources.join(",")), "");
        let user = format!("no{}", missing.replace('-', ""));
        let client = region.server.user(&user, &[("p", &policy(&[allow]))]).await;
        let (code, message) = launch(&client, &[("KeyName", "k")]).await.refused();
        assert_eq!(code, DENIED, "{missing}");
        assert!(message.contains(&format!(":{missing}/")), "{missing}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn conditions_on_a_launch_hold_by_every_way() {
    let region = Region::new().await;
    region.profile("app").await;
    let ami = ami();
    let template = [
        ("LaunchTemplateName", "open"),
        ("LaunchTemplateData.ImageId", ami.as_str()),
        ("LaunchTemplateData.InstanceType", small()),
        ("LaunchTemplateData.MetadataOptions.HttpTokens", "optional"),
    ];
    region.ok("CreateLaunchTemplate", &template).await;
    let big = if cfg!(target_arch = "aarch64") { "t4g.large" } else { "t3.large" };
    let small_only = format!(r#""StringEquals":{{"ec2:InstanceType":"{}"}}"#, small());
    let tagged = "TagSpecification.1.ResourceType";
    let (key, value) = ("TagSpecification.1.Tag.1.Key", "TagSpecification.1.Tag.1.Value");
    for (name, condition, right, wrong) in [
        (
            "tokens",
            r#""StringEquals":{"ec2:MetadataHttpTokens":"required"}"#,
            vec![],
            vec![
                vec![("MetadataOptions.HttpTokens", "optional")],
                vec![("LaunchTemplate.LaunchTemplateName", "open")],
            ],
        ),
        (
            "hops",
            r#""NumericLessThan":{"ec2:MetadataHttpPutResponseHopLimit":"3"}"#,
            vec![],
            vec![vec![("MetadataOptions.HttpPutResponseHopLimit", "3")]],
        ),
        ("kind", small_only.as_str(), vec![], vec![vec![("InstanceType", big)]]),
        (
            "profile",
            r#""ArnLike":{"ec2:InstanceProfile":"arn:aws:iam::123456789012:instance-profile/app/app"}"#,
            vec![("IamInstanceProfile.Name", "app")],
            vec![vec![]],
        ),
        (
            "tag",
            r#""StringEquals":{"aws:RequestTag/team":"blue"}"#,
            vec![(tagged, "instance"), (key, "team"), (value, "blue")],
            vec![
                vec![],
                vec![(tagged, "instance"), (key, "team"), (value, "red")],
                vec![(tagged, "volume"), (key, "team"), (value, "blue")],
                vec![
                    (tagged, "instance"),
                    (key, "team"),
                    (value, "blue"),
                    ("TagSpecification.1.Tag.2.Key", "Team"),
                    ("TagSpecification.1.Tag.2.Value", "red"),
                ],
            ],
        ),
    ] {
        let instance = statement(
            r#""ec2:RunInstances""#,
            r#""arn:aws:ec2:*:*:instance/*""#,
            &format!(r#","Condition":{{{condition}}}"#),
        );
        let rest = r#"["arn:aws:ec2:*:*:volume/*","arn:aws:ec2:*:*:network-interface/*","arn:aws:ec2:*:*:subnet/*","arn:aws:ec2:*:*:security-group/*","arn:aws:ec2:*::image/*","arn:aws:ec2:*:*:launch-template/*"]"#;
        let rest = statement(r#""ec2:RunInstances""#, rest, "");
        let others = statement(r#"["iam:PassRole","ec2:CreateTags"]"#, r#""*""#, "");
        let client = region.server.user(name, &[("p", &policy(&[instance, rest, others]))]).await;
        launch(&client, &right).await.ok();
        for ask in wrong {
            assert_eq!(launch(&client, &ask).await.refused().0, DENIED, "{name} {ask:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tags_at_launch_need_the_permission_to_tag_at_launch() {
    let region = Region::new().await;
    let launcher = statement(r#""ec2:RunInstances""#, r#""*""#, "");
    let at_launch = statement(
        r#""ec2:CreateTags""#,
        r#""*""#,
        r#","Condition":{"StringEquals":{"ec2:CreateAction":"RunInstances"}}"#,
    );
    let untagged = region.server.user("untagged", &[("p", &policy(std::slice::from_ref(&launcher)))]).await;
    let tagging = region.server.user("tagging", &[("p", &policy(&[launcher, at_launch]))]).await;
    let tags = [
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "team"),
        ("TagSpecification.1.Tag.1.Value", "blue"),
    ];
    let (code, message) = launch(&untagged, &tags).await.refused();
    assert_eq!(code, DENIED);
    assert!(
        message.contains("ec2:CreateTags on resource: arn:aws:ec2:us-east-1:123456789012:instance/*"),
        "{message}"
    );
    let id = launch(&tagging, &tags).await.ok().xml("instanceId").unwrap().to_owned();
    // And not later.
    let later = [("ResourceId.1", id.as_str()), ("Tag.1.Key", "team"), ("Tag.1.Value", "red")];
    assert_eq!(refused(&tagging, "CreateTags", &later).await.1, DENIED);
}

#[tokio::test(start_paused = true)]
async fn who_may_act_on_tagged_instances_acts_on_no_others() {
    let region = Region::new().await;
    let blue = [
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "Team"),
        ("TagSpecification.1.Tag.1.Value", "blue"),
    ];
    let mine = region.running(&blue).await;
    let other = region.running(&[]).await;
    let on_blue = statement(
        r#""ec2:*""#,
        r#""arn:aws:ec2:us-east-1:123456789012:instance/*""#,
        r#","Condition":{"StringEquals":{"ec2:ResourceTag/Team":"blue"}}"#,
    );
    let bob = region.server.user("bob", &[("p", &policy(&[on_blue]))]).await;
    for action in ["RebootInstances", "StopInstances", "StartInstances", "TerminateInstances"] {
        let asked = [("InstanceId.1", mine.as_str()), ("InstanceId.2", other.as_str())];
        assert_eq!(refused(&bob, action, &asked).await.1, DENIED, "{action}");
        assert_eq!(refused(&bob, action, &[("InstanceId.1", other.as_str())]).await.1, DENIED, "{action}");
        // What is not there is not told from what is.
        let unknown = [("InstanceId.1", "i-0123456789abcdef0")];
        assert_eq!(refused(&bob, action, &unknown).await.1, DENIED, "{action}");
    }
    for (action, more) in [
        ("ModifyInstanceMetadataOptions", ("HttpTokens", "optional")),
        ("ModifyInstanceAttribute", ("DisableApiStop.Value", "true")),
        ("DescribeInstanceAttribute", ("Attribute", "userData")),
        ("GetConsoleOutput", ("Latest", "false")),
    ] {
        bob.query("ec2", action, &[("InstanceId", &mine), more]).await.ok();
        assert_eq!(refused(&bob, action, &[("InstanceId", &other), more]).await.1, DENIED, "{action}");
    }
    // Nor by a tag of one's own making, or one that differs in case alone.
    let make_mine = [("ResourceId.1", other.as_str()), ("Tag.1.Key", "Team"), ("Tag.1.Value", "blue")];
    assert_eq!(refused(&bob, "CreateTags", &make_mine).await.1, DENIED);
    for key in ["team", "TEAM"] {
        region.ok("CreateTags", &[("ResourceId.1", &mine), ("Tag.1.Key", key), ("Tag.1.Value", "red")]).await;
        assert_eq!(refused(&bob, "RebootInstances", &[("InstanceId.1", &mine)]).await.1, DENIED, "{key}");
        region.ok("DeleteTags", &[("ResourceId.1", &mine), ("Tag.1.Key", key)]).await;
        bob.query("ec2", "RebootInstances", &[("InstanceId.1", &mine)]).await.ok();
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_can_name_the_attribute_that_may_change_and_no_other_changes_beside_it() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    let hops_only = statement(
        r#""ec2:ModifyInstanceMetadataOptions""#,
        r#""*""#,
        r#","Condition":{"StringEquals":{"ec2:Attribute":"HttpPutResponseHopLimit"}}"#,
    );
    let bob = region.server.user("bob", &[("p", &policy(&[hops_only]))]).await;
    let hops = ("HttpPutResponseHopLimit", "5");
    let tokens = ("HttpTokens", "optional");
    bob.query("ec2", "ModifyInstanceMetadataOptions", &[("InstanceId", &id), hops]).await.ok();
    for wrong in [vec![tokens], vec![tokens, hops], vec![hops, tokens]] {
        let mut ask = vec![("InstanceId", id.as_str())];
        ask.extend(wrong);
        assert_eq!(refused(&bob, "ModifyInstanceMetadataOptions", &ask).await.1, DENIED);
    }
    let keep_tokens = format!(
        r#"{{"Version":"2012-10-17","Statement":[{},{{"Effect":"Deny","Action":"ec2:ModifyInstanceMetadataOptions","Resource":"*","Condition":{{"StringNotEquals":{{"ec2:Attribute/HttpTokens":"required"}},"Null":{{"ec2:Attribute/HttpTokens":"false"}}}}}}]}}"#,
        launcher()
    );
    let eve = region.server.user("eve", &[("p", &keep_tokens)]).await;
    let ask = [("InstanceId", id.as_str()), tokens, hops];
    assert_eq!(refused(&eve, "ModifyInstanceMetadataOptions", &ask).await.1, DENIED);
    eve.query(
        "ec2",
        "ModifyInstanceMetadataOptions",
        &[("InstanceId", &id), hops, ("HttpTokens", "required")],
    )
    .await
    .ok();
}

#[tokio::test(start_paused = true)]
async fn another_account_or_region_is_another_world() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    let mut elsewhere = region.server.administrator().await;
    elsewhere.region = "eu-west-1".to_owned();
    let (_, code, _) = refused(&elsewhere, "TerminateInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!(code, "InvalidInstanceID.NotFound");
    assert!(elsewhere.query("ec2", "DescribeInstances", &[]).await.ok().xml("instanceId").is_none());
    let only_here =
        statement(r#""ec2:*""#, r#""*""#, r#","Condition":{"StringEquals":{"ec2:Region":"us-east-1"}}"#);
    let mut bob = region.server.user("bob", &[("p", &policy(&[only_here]))]).await;
    bob.query("ec2", "DescribeInstances", &[]).await.ok();
    bob.region = "eu-west-1".to_owned();
    assert_eq!(refused(&bob, "DescribeInstances", &[]).await.1, DENIED);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_what_would_be_and_does_nothing() {
    let region = Region::new().await;
    let id = region.running(&[]).await;
    let stranger = region.server.user("stranger", &[]).await;
    for (action, ask) in [
        ("TerminateInstances", vec![("InstanceId.1", id.as_str()), ("DryRun", "true")]),
        ("CreateVpc", vec![("CidrBlock", "10.0.0.0/16"), ("DryRun", "true")]),
        ("DescribeInstances", vec![("DryRun", "true")]),
    ] {
        let (status, code, message) = region.refused(action, &ask).await;
        assert_eq!((status, code.as_str()), (412, "DryRunOperation"), "{action}");
        assert_eq!(message, "Request would have succeeded, but DryRun flag is set.");
        assert_eq!(refused(&stranger, action, &ask).await.1, DENIED);
    }
    let (code, _) = launch(&region.administrator, &[("DryRun", "true")]).await.refused();
    assert_eq!(code, "DryRunOperation");
    region.settle().await;
    assert_eq!(region.state(&id).await, "running");
    assert_eq!(region.ok("DescribeInstances", &[]).await.xml_all("instanceId"), [id]);
}
