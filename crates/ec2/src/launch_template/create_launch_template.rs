//! `ec2:CreateLaunchTemplate`: a template with its first version. What it says of its instances is used, and asked about,
//! at a launch.

use daypass_core::model::ec2::{CreateLaunchTemplateRequest, CreateLaunchTemplateResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{LaunchTemplate, MAX_TEMPLATES, Version, data};
use crate::idempotency::Token;
use crate::resource::{Home, Resource};
use crate::{fault, tag};

operation!(CREATE_LAUNCH_TEMPLATE, ops::CreateLaunchTemplate, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateLaunchTemplateRequest) -> Result<Checks, StoreError> {
    let (kind, tags) = (LaunchTemplate::KIND, &input.tag_specifications);
    Ok(tag::ask_to_make(cx, "ec2:CreateLaunchTemplate", kind, tags, |check| check))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateLaunchTemplateRequest,
) -> Result<CreateLaunchTemplateResult, Error> {
    let (home, kind) = (Home::of(cx), LaunchTemplate::KIND);
    let token = Token::of(input.client_token.as_ref(), input.clone());
    if let Some(id) = token.made(cx, tx)? {
        let template = LaunchTemplate::load(tx, &home, &id)?;
        return Ok(CreateLaunchTemplateResult {
            launch_template: Some(template.describe_as()),
            warning: None,
        });
    }
    let templates = LaunchTemplate::list(tx, &home)?;
    if templates.iter().any(|template| template.name == input.launch_template_name) {
        let words = "Launch template name already in use.";
        return Err(fault::coded("InvalidLaunchTemplateName.AlreadyExistsException", words).into());
    }
    if templates.len() >= MAX_TEMPLATES {
        return Err(fault::coded(
            "LaunchTemplateLimitExceeded",
            "The maximum number of launch templates has been reached.",
        )
        .into());
    }
    let template = LaunchTemplate {
        home: home.clone(),
        id: cx.ids().resource_id(kind.prefix),
        name: input.launch_template_name,
        created: cx.now(),
        created_by: cx.caller().arn().to_owned(),
        default_version: 1,
        latest_version: 1,
        tags: tag::of_new(&input.tag_specifications, kind, &[kind])?,
    };
    let version = Version {
        home,
        template_id: template.id.clone(),
        number: 1,
        created: cx.now(),
        created_by: cx.caller().arn().to_owned(),
        description: input.version_description,
        data: data(input.launch_template_data)?,
    };
    tx.put(&template)?;
    tx.put(&version)?;
    token.remember(cx, tx, &template.id)?;
    Ok(CreateLaunchTemplateResult { launch_template: Some(template.describe_as()), warning: None })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    const DATA: [(&str, &str); 6] = [
        ("LaunchTemplateName", "web"),
        ("VersionDescription", "first"),
        ("LaunchTemplateData.InstanceType", "t3.micro"),
        ("LaunchTemplateData.MetadataOptions.HttpTokens", "required"),
        ("LaunchTemplateData.TagSpecification.1.ResourceType", "instance"),
        ("LaunchTemplateData.TagSpecification.1.Tag.1.Key", "team"),
    ];

    #[tokio::test]
    async fn keeps_what_it_is_given_version_by_version() {
        let server = server().await;
        let admin = server.administrator().await;
        let made = ec2(&admin, "CreateLaunchTemplate", &DATA).await.ok();
        let id = made.xml("launchTemplateId").unwrap();
        assert_eq!(
            (made.xml("latestVersionNumber"), made.xml("defaultVersionNumber")),
            (Some("1"), Some("1"))
        );
        assert!(made.xml("createdBy").unwrap().contains("tester"));
        let read = ec2(&admin, "DescribeLaunchTemplateVersions", &[("LaunchTemplateId", id)]).await.ok();
        for (element, expected) in [
            ("instanceType", "t3.micro"),
            ("httpTokens", "required"),
            ("key", "team"),
            ("versionDescription", "first"),
        ] {
            assert_eq!(read.xml(element), Some(expected), "{}", read.body);
        }
        let next = [
            ("LaunchTemplateName", "web"),
            ("SourceVersion", "1"),
            ("LaunchTemplateData.InstanceType", "t3.small"),
        ];
        let next = ec2(&admin, "CreateLaunchTemplateVersion", &next).await.ok();
        assert_eq!((next.xml("versionNumber"), next.xml("defaultVersion")), (Some("2"), Some("false")));
        assert_eq!((next.xml("instanceType"), next.xml("httpTokens")), (Some("t3.small"), Some("required")));
        let set = [("LaunchTemplateId", id), ("SetDefaultVersion", "2")];
        let changed = ec2(&admin, "ModifyLaunchTemplate", &set).await.ok();
        assert_eq!(changed.xml("defaultVersionNumber"), Some("2"));
        let by = |version| [("LaunchTemplateId", id), ("LaunchTemplateVersion.1", version)];
        for (version, expected) in [("$Latest", "t3.small"), ("$Default", "t3.small"), ("1", "t3.micro")] {
            let read = ec2(&admin, "DescribeLaunchTemplateVersions", &by(version)).await.ok();
            assert_eq!(read.xml_all("instanceType"), [expected], "{version}");
        }
        let refused = ec2(&admin, "DescribeLaunchTemplateVersions", &by("7")).await.refused();
        let words = format!("Could not find the specified version 7 for the launch template with ID {id}.");
        assert_eq!(refused, ("InvalidLaunchTemplateId.VersionNotFound".to_owned(), words));
        ec2(&admin, "DeleteLaunchTemplate", &[("LaunchTemplateId", id)]).await.ok();
        let refused = ec2(&admin, "DescribeLaunchTemplates", &[("LaunchTemplateId.1", id)]).await.refused();
        let words = format!("The specified launch template, with template ID {id}, does not exist.");
        assert_eq!(refused, ("InvalidLaunchTemplateId.NotFound".to_owned(), words));
    }

    #[tokio::test]
    async fn names_are_unique_and_user_data_is_base64() {
        let server = server().await;
        let admin = server.administrator().await;
        ec2(&admin, "CreateLaunchTemplate", &DATA).await.ok();
        let refused = ec2(&admin, "CreateLaunchTemplate", &DATA).await.refused();
        assert_eq!(
            refused,
            (
                "InvalidLaunchTemplateName.AlreadyExistsException".into(),
                "Launch template name already in use.".into()
            )
        );
        let bad = [("LaunchTemplateName", "bad"), ("LaunchTemplateData.UserData", "#!/bin/sh")];
        assert_eq!(ec2(&admin, "CreateLaunchTemplate", &bad).await.refused().0, "InvalidUserData.Malformed");
        let named = [("LaunchTemplateName.1", "nothing")];
        assert_eq!(
            ec2(&admin, "DescribeLaunchTemplates", &named).await.refused().0,
            "InvalidLaunchTemplateName.NotFoundException"
        );
    }
}
