//! `ec2:CreateSecurityGroup`.

use daypass_core::model::ec2::{CreateSecurityGroupRequest, CreateSecurityGroupResult, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{DEFAULT, SecurityGroup};
use crate::resource::{Home, Resource};
use crate::security_group::rule::Rule;
use crate::vpc::Vpc;
use crate::{default_network, fault, tag};

operation!(CREATE_SECURITY_GROUP, ops::CreateSecurityGroup, checks, run);

/// So many a region may have (VPC User Guide, Amazon VPC quotas).
const MAX_GROUPS: usize = 2500;
/// The longest name and description.
const MAX_TEXT: usize = 255;

fn checks(cx: &Cx, tx: &Tx<'_>, input: &CreateSecurityGroupRequest) -> Result<Checks, StoreError> {
    let (home, action) = (Home::of(cx), "ec2:CreateSecurityGroup");
    let vpc = match &input.vpc_id {
        Some(id) => Some(Vpc::ask(cx, tx, action, id)?),
        None => match default_network::view(tx, &home)? {
            Some(view) => Some(Vpc::ask(cx, tx, action, &view.vpc.id)?),
            None => None,
        },
    };
    let make = tag::ask_to_make(cx, action, SecurityGroup::KIND, &input.tag_specifications, |check| check);
    Ok(make.and_all(vpc))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateSecurityGroupRequest,
) -> Result<CreateSecurityGroupResult, Error> {
    default_network::ensure(cx, tx)?;
    let (home, kind) = (Home::of(cx), SecurityGroup::KIND);
    check_text(&input.group_name, "name")?;
    check_text(&input.description, "description")?;
    if input.group_name.starts_with("sg-") {
        let why = "Group names may not be in the format sg-*";
        return Err(fault::invalid_parameter(&input.group_name, "groupName", why).into());
    }
    if input.group_name == DEFAULT {
        return Err(fault::invalid_value("Cannot use reserved security group name: default").into());
    }
    let vpc = match &input.vpc_id {
        Some(id) => Vpc::load(tx, &home, id)?,
        None => Vpc::default_of(tx, &home)?
            .ok_or_else(|| fault::coded("VPCIdNotSpecified", "No default VPC for this user"))?,
    };
    let groups = SecurityGroup::list(tx, &home)?;
    if groups.iter().any(|g| g.vpc_id == vpc.id && g.name == input.group_name) {
        let words = format!("The security group '{}' already exists for VPC '{}'", input.group_name, vpc.id);
        return Err(Fault::new(&errors::INVALID_GROUP_DUPLICATE, words).into());
    }
    if groups.len() >= MAX_GROUPS {
        let words = "The maximum number of security groups has been reached.";
        return Err(Fault::new(&errors::SECURITY_GROUP_LIMIT_EXCEEDED, words).into());
    }
    let group = SecurityGroup {
        id: cx.ids().resource_id(kind.prefix),
        vpc_id: vpc.id,
        name: input.group_name,
        description: input.description,
        rules: vec![Rule::all_out(cx.ids().resource_id("sgr"))],
        tags: tag::of_new(&input.tag_specifications, kind, &[kind])?,
        home,
    };
    tx.put(&group)?;
    Ok(CreateSecurityGroupResult {
        group_id: Some(group.id.clone()),
        tags: tag::some(&group.tags),
        security_group_arn: Some(group.home.arn(kind.name, &group.id)),
    })
}

/// Names and descriptions (EC2 API Reference, CreateSecurityGroup).
fn check_text(text: &str, what: &str) -> Result<(), Fault> {
    let parameter = if what == "name" { "groupName" } else { "GroupDescription" };
    if text.is_empty() {
        return Err(fault::missing(parameter));
    }
    if !text.is_ascii() {
        return Err(fault::invalid_parameter(
            text,
            parameter,
            "Character sets beyond ASCII are not supported.",
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if text.len() > MAX_TEXT || !text.chars().all(allowed) {
        let words = format!(
            "Invalid security group {what}. Valid {what}s are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*"
        );
        return Err(fault::invalid_value(words));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server, vpc};

    #[tokio::test]
    async fn makes_a_group_that_lets_everything_out_and_nothing_in() {
        let server = server().await;
        let admin = server.administrator().await;
        let vpc = vpc(&admin).await;
        let ask = [("GroupName", "web"), ("GroupDescription", "front end"), ("VpcId", vpc.as_str())];
        let made = ec2(&admin, "CreateSecurityGroup", &ask).await.ok();
        let id = made.xml("groupId").unwrap();
        assert_eq!(
            made.xml("securityGroupArn"),
            Some(format!("arn:aws:ec2:us-east-1:123456789012:security-group/{id}").as_str())
        );
        let read = ec2(&admin, "DescribeSecurityGroups", &[("GroupId.1", id)]).await.ok();
        assert_eq!(read.xml("ipPermissions"), Some(""));
        assert_eq!(read.xml_all("cidrIp"), ["0.0.0.0/0"]);
        assert_eq!(read.xml_all("ipProtocol"), ["-1"]);
        let refused = ec2(&admin, "CreateSecurityGroup", &ask).await.refused();
        let words = format!("The security group 'web' already exists for VPC '{vpc}'");
        assert_eq!(refused, ("InvalidGroup.Duplicate".to_owned(), words));
        // In the default VPC, the name is free.
        ec2(&admin, "CreateSecurityGroup", &ask[..2]).await.ok();
    }

    #[tokio::test]
    async fn names_and_descriptions_have_their_rules() {
        let server = server().await;
        let admin = server.administrator().await;
        for (name, description, words) in [
            (
                "sg-web",
                "d",
                "Value (sg-web) for parameter groupName is invalid. Group names may not be in the format sg-*",
            ),
            ("default", "d", "Cannot use reserved security group name: default"),
            (
                "web",
                "é",
                "Value (é) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.",
            ),
            (
                "w|b",
                "d",
                "Invalid security group name. Valid names are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
            ),
        ] {
            let ask = [("GroupName", name), ("GroupDescription", description)];
            let refused = ec2(&admin, "CreateSecurityGroup", &ask).await.refused();
            assert_eq!(refused, ("InvalidParameterValue".to_owned(), words.to_owned()));
        }
    }
}
