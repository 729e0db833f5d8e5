//! Launches from templates.

use crate::support::{Region, ami, launch, small};

#[tokio::test(start_paused = true)]
async fn what_the_template_says_stands_under_what_the_request_says() {
    let region = Region::new().await;
    region.profile("app").await;
    let ami = ami();
    let data = [
        ("LaunchTemplateName", "web"),
        ("LaunchTemplateData.ImageId", ami.as_str()),
        ("LaunchTemplateData.InstanceType", small()),
        ("LaunchTemplateData.IamInstanceProfile.Name", "app"),
        ("LaunchTemplateData.UserData", "IyEvYmluL3NoCg=="),
        ("LaunchTemplateData.MetadataOptions.HttpTokens", "optional"),
        ("LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit", "4"),
        ("LaunchTemplateData.TagSpecification.1.ResourceType", "instance"),
        ("LaunchTemplateData.TagSpecification.1.Tag.1.Key", "from"),
        ("LaunchTemplateData.TagSpecification.1.Tag.1.Value", "template"),
    ];
    let made = region.ok("CreateLaunchTemplate", &data).await;
    let template = made.xml("launchTemplateId").unwrap();
    let by_id = ("LaunchTemplate.LaunchTemplateId", template);
    let plain = region.running(&[by_id]).await;
    let record = region.record(&plain).unwrap();
    assert_eq!(record.profile.as_ref().unwrap().profile_name, "app");
    assert_eq!(record.user_data.as_deref(), Some("IyEvYmluL3NoCg=="));
    let tags: Vec<_> = record.tags.iter().map(|t| (t.key.as_str(), t.value.as_str())).collect();
    let of_template = [("aws:ec2launchtemplate:id", template), ("aws:ec2launchtemplate:version", "1")];
    assert_eq!(tags, [of_template[0], of_template[1], ("from", "template")]);
    let changed =
        launch(&region.administrator, &[by_id, ("MetadataOptions.HttpTokens", "required")]).await.ok();
    assert_eq!(changed.xml("httpTokens"), Some("required"));
    assert_eq!(changed.xml("httpPutResponseHopLimit"), Some("4"));
}

#[tokio::test(start_paused = true)]
async fn a_launch_takes_the_version_that_it_names() {
    let region = Region::new().await;
    let (ami, second) = (ami(), if cfg!(target_arch = "aarch64") { "t4g.small" } else { "t3.small" });
    let data = [
        ("LaunchTemplateName", "web"),
        ("LaunchTemplateData.ImageId", ami.as_str()),
        ("LaunchTemplateData.InstanceType", small()),
    ];
    region.ok("CreateLaunchTemplate", &data).await;
    let next =
        [("LaunchTemplateName", "web"), ("SourceVersion", "1"), ("LaunchTemplateData.InstanceType", second)];
    region.ok("CreateLaunchTemplateVersion", &next).await;
    let named = ("LaunchTemplate.LaunchTemplateName", "web");
    for (version, kind) in
        [("", small()), ("$Default", small()), ("1", small()), ("2", second), ("$Latest", second)]
    {
        let launched =
            launch(&region.administrator, &[named, ("LaunchTemplate.Version", version)]).await.ok();
        assert_eq!(launched.xml("instanceType"), Some(kind), "{version}");
    }
    region.ok("ModifyLaunchTemplate", &[("LaunchTemplateName", "web"), ("SetDefaultVersion", "2")]).await;
    let launched = launch(&region.administrator, &[named]).await.ok();
    assert_eq!(launched.xml("instanceType"), Some(second));
    for version in ["3", "x", "0"] {
        let (code, _) =
            launch(&region.administrator, &[named, ("LaunchTemplate.Version", version)]).await.refused();
        assert!(
            code.starts_with("InvalidLaunchTemplateId.VersionNotFound")
                || code == "InvalidParameterValue"
                || code == "InvalidLaunchTemplateVersion.NotFound",
            "{version}: {code}"
        );
    }
}
