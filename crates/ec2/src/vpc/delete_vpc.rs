//! `ec2:DeleteVpc`: a VPC that holds nothing but what it was made with.

use daypass_core::model::ec2::{DeleteVpcRequest, ops};
use daypass_core::store::records::Instance;
use daypass_core::store::{Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::Vpc;
use crate::internet_gateway::InternetGateway;
use crate::network_acl::NetworkAcl;
use crate::resource::{Home, Resource};
use crate::route_table::RouteTable;
use crate::security_group::SecurityGroup;
use crate::subnet::Subnet;
use crate::{default_network, fault};

operation!(DELETE_VPC, ops::DeleteVpc, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteVpcRequest) -> Result<Checks, StoreError> {
    Ok(super::ask_about(cx, tx, "ec2:DeleteVpc", &input.vpc_id)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteVpcRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let vpc = Vpc::load(tx, &home, &input.vpc_id)?;
    let of_vpc = |id: &str| id == vpc.id;
    let groups: Vec<_> = SecurityGroup::list(tx, &home)?.into_iter().filter(|g| of_vpc(&g.vpc_id)).collect();
    let tables: Vec<_> = RouteTable::list(tx, &home)?.into_iter().filter(|t| of_vpc(&t.vpc_id)).collect();
    let needed = Subnet::list(tx, &home)?.iter().any(|s| of_vpc(&s.vpc_id))
        || InternetGateway::list(tx, &home)?.iter().any(|g| g.vpc_id.as_deref().is_some_and(of_vpc))
        || Instance::list(tx, &home)?.iter().any(|i| crate::instance::is_on(i) && of_vpc(&i.network.vpc_id))
        || groups.iter().any(|g| !g.is_default())
        || tables.iter().any(|t| !t.is_main());
    if needed {
        let words = format!("The vpc '{}' has dependencies and cannot be deleted.", vpc.id);
        return Err(fault::in_use(words).into());
    }
    for acl in NetworkAcl::list(tx, &home)?.into_iter().filter(|a| of_vpc(&a.vpc_id)) {
        tx.delete(&acl.key());
    }
    groups.iter().for_each(|group| tx.delete(&group.key()));
    tables.iter().for_each(|table| tx.delete(&table.key()));
    tx.delete(&vpc.key());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn goes_with_all_that_it_was_made_with() {
        let server = server().await;
        let admin = server.administrator().await;
        let before = ec2(&admin, "DescribeSecurityGroups", &[]).await.ok().xml_all("groupId").len();
        let made = ec2(&admin, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await.ok();
        let id = made.xml("vpcId").unwrap();
        let answer = ec2(&admin, "DeleteVpc", &[("VpcId", id)]).await.ok();
        assert_eq!(answer.xml("return"), Some("true"));
        let (code, words) = ec2(&admin, "DeleteVpc", &[("VpcId", id)]).await.refused();
        assert_eq!(
            (code.as_str(), words),
            ("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist"))
        );
        assert_eq!(ec2(&admin, "DescribeSecurityGroups", &[]).await.ok().xml_all("groupId").len(), before);
        assert_eq!(ec2(&admin, "DescribeNetworkAcls", &[]).await.ok().xml_all("networkAclId").len(), 1 + 6);
    }

    #[tokio::test]
    async fn is_refused_while_something_stands_in_it() {
        let server = server().await;
        let admin = server.administrator().await;
        let made = ec2(&admin, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await.ok();
        let vpc = made.xml("vpcId").unwrap();
        let subnet = ec2(&admin, "CreateSubnet", &[("VpcId", vpc), ("CidrBlock", "10.0.1.0/24")]).await.ok();
        let refused = ec2(&admin, "DeleteVpc", &[("VpcId", vpc)]).await.refused();
        let words = format!("The vpc '{vpc}' has dependencies and cannot be deleted.");
        assert_eq!(refused, ("DependencyViolation".to_owned(), words));
        ec2(&admin, "DeleteSubnet", &[("SubnetId", subnet.xml("subnetId").unwrap())]).await.ok();
        let group = [("GroupName", "web"), ("GroupDescription", "d"), ("VpcId", vpc)];
        let group = ec2(&admin, "CreateSecurityGroup", &group).await.ok();
        assert_eq!(ec2(&admin, "DeleteVpc", &[("VpcId", vpc)]).await.refused().0, "DependencyViolation");
        ec2(&admin, "DeleteSecurityGroup", &[("GroupId", group.xml("groupId").unwrap())]).await.ok();
        ec2(&admin, "DeleteVpc", &[("VpcId", vpc)]).await.ok();
    }
}
