//! `ec2:DeleteSecurityGroup`: one that nothing is in and no other group refers to.

use daypass_core::model::ec2::{DeleteSecurityGroupRequest, DeleteSecurityGroupResult, ops};
use daypass_core::store::records::Instance;
use daypass_core::store::{Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{Named, rule};
use crate::resource::{Home, Resource};
use crate::{default_network, fault, instance};

operation!(DELETE_SECURITY_GROUP, ops::DeleteSecurityGroup, checks, run);

fn named(input: &DeleteSecurityGroupRequest) -> Named<'_> {
    Named { id: input.group_id.as_deref(), name: input.group_name.as_deref() }
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteSecurityGroupRequest) -> Result<Checks, StoreError> {
    Ok(named(input).ask(cx, tx, "ec2:DeleteSecurityGroup")?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DeleteSecurityGroupRequest,
) -> Result<DeleteSecurityGroupResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let group = named(&input).load(tx, &home)?;
    if group.is_default() {
        let words =
            format!("the specified group: \"{}\" name: \"default\" cannot be deleted by a user", group.id);
        return Err(fault::coded("CannotDelete", words).into());
    }
    let holds = |i: &Instance| instance::is_on(i) && i.network.security_groups.contains(&group.id);
    if Instance::list(tx, &home)?.iter().any(holds) || rule::is_referred_to(tx, &home, &group.id)? {
        return Err(fault::in_use(format!("resource {} has a dependent object", group.id)).into());
    }
    tx.delete(&group.key());
    Ok(DeleteSecurityGroupResult { return_: Some(true), group_id: Some(group.id) })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, group, server};

    #[tokio::test]
    async fn the_default_group_and_what_others_refer_to_stay() {
        let server = server().await;
        let admin = server.administrator().await;
        let default = ec2(&admin, "DescribeSecurityGroups", &[("GroupName.1", "default")]).await.ok();
        let default = default.xml("groupId").unwrap();
        let refused = ec2(&admin, "DeleteSecurityGroup", &[("GroupId", default)]).await.refused();
        let words =
            format!("the specified group: \"{default}\" name: \"default\" cannot be deleted by a user");
        assert_eq!(refused, ("CannotDelete".to_owned(), words));
        let (web, db) = (group(&admin, "web").await, group(&admin, "db").await);
        let rule = [
            ("GroupId", db.as_str()),
            ("IpPermissions.1.IpProtocol", "tcp"),
            ("IpPermissions.1.FromPort", "5432"),
            ("IpPermissions.1.ToPort", "5432"),
            ("IpPermissions.1.Groups.1.GroupId", &web),
        ];
        ec2(&admin, "AuthorizeSecurityGroupIngress", &rule).await.ok();
        let refused = ec2(&admin, "DeleteSecurityGroup", &[("GroupId", &web)]).await.refused();
        assert_eq!(refused, ("DependencyViolation".into(), format!("resource {web} has a dependent object")));
        ec2(&admin, "DeleteSecurityGroup", &[("GroupName", "db")]).await.ok();
        let gone = ec2(&admin, "DeleteSecurityGroup", &[("GroupId", &web)]).await.ok();
        assert_eq!(gone.xml("groupId"), Some(web.as_str()));
        let refused = ec2(&admin, "DescribeSecurityGroups", &[("GroupId.1", &web)]).await.refused();
        let words = format!("The security group '{web}' does not exist");
        assert_eq!(refused, ("InvalidGroup.NotFound".to_owned(), words));
    }
}
