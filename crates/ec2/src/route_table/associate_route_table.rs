//! `ec2:AssociateRouteTable`: a subnet follows a table of its own.

use daypass_core::model::ec2::{AssociateRouteTableRequest, AssociateRouteTableResult, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{Association, RouteTable, associated};
use crate::resource::{Home, Resource};
use crate::subnet::Subnet;
use crate::{default_network, fault};

operation!(ASSOCIATE_ROUTE_TABLE, ops::AssociateRouteTable, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &AssociateRouteTableRequest) -> Result<Checks, StoreError> {
    let checks = Checks::from(RouteTable::ask(cx, tx, "ec2:AssociateRouteTable", &input.route_table_id)?);
    Ok(match &input.subnet_id {
        Some(subnet) => checks.and(Subnet::ask(cx, tx, "ec2:AssociateRouteTable", subnet)?),
        None => checks,
    })
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: AssociateRouteTableRequest,
) -> Result<AssociateRouteTableResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    if input.gateway_id.is_some() || input.public_ipv4_pool.is_some() {
        return Err(fault::unsupported("Route tables of Daypass are associated with subnets alone.").into());
    }
    let mut table = RouteTable::load(tx, &home, &input.route_table_id)?;
    let subnet = input.subnet_id.as_deref().ok_or_else(|| fault::missing("subnetId"))?;
    let subnet = Subnet::load(tx, &home, subnet)?;
    if subnet.vpc_id != table.vpc_id {
        let words = format!("Route table {} and subnet {} belong to different networks", table.id, subnet.id);
        return Err(fault::invalid_value(words).into());
    }
    let follows = |t: &RouteTable| t.associations.iter().any(|a| a.subnet_id.as_ref() == Some(&subnet.id));
    if RouteTable::list(tx, &home)?.iter().any(follows) {
        let words = format!(
            "the specified association for route table {} conflicts with an existing association",
            table.id
        );
        return Err(Fault::new(&errors::RESOURCE_ALREADY_ASSOCIATED, words).into());
    }
    let id = cx.ids().resource_id("rtbassoc");
    table.associations.push(Association { id: id.clone(), subnet_id: Some(subnet.id) });
    tx.put(&table)?;
    Ok(AssociateRouteTableResult { association_id: Some(id), association_state: Some(associated()) })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server, subnet, vpc};

    #[tokio::test]
    async fn a_subnet_follows_one_table_then_another_then_the_main_one() {
        let server = server().await;
        let admin = server.administrator().await;
        let vpc = vpc(&admin).await;
        let subnet = subnet(&admin, &vpc).await;
        let mut tables = vec![];
        for _ in 0..2 {
            let made = ec2(&admin, "CreateRouteTable", &[("VpcId", &vpc)]).await.ok();
            tables.push(made.xml("routeTableId").unwrap().to_owned());
        }
        let ask = [("RouteTableId", tables[0].as_str()), ("SubnetId", &subnet)];
        let made = ec2(&admin, "AssociateRouteTable", &ask).await.ok();
        let association = made.xml("associationId").unwrap();
        assert_eq!(made.xml("state"), Some("associated"));
        assert_eq!(ec2(&admin, "AssociateRouteTable", &ask).await.refused().0, "Resource.AlreadyAssociated");
        let by = |id: &'_ str| {
            [
                ("Filter.1.Name", "association.route-table-association-id".to_owned()),
                ("Filter.1.Value.1", id.to_owned()),
            ]
        };
        let table_of = async |id: &str| {
            let by = by(id);
            let by: Vec<(&str, &str)> = by.iter().map(|(k, v)| (*k, v.as_str())).collect();
            let read = ec2(&admin, "DescribeRouteTables", &by).await.ok();
            read.xml("routeTableId").map(str::to_owned)
        };
        assert_eq!(table_of(association).await.as_ref(), Some(&tables[0]));
        let refused = ec2(&admin, "DeleteRouteTable", &[("RouteTableId", &tables[0])]).await.refused();
        let words = format!("The routeTable '{}' has dependencies and cannot be deleted.", tables[0]);
        assert_eq!(refused, ("DependencyViolation".to_owned(), words));
        let ask = [("AssociationId", association), ("RouteTableId", &tables[1])];
        let replaced = ec2(&admin, "ReplaceRouteTableAssociation", &ask).await.ok();
        let association = replaced.xml("newAssociationId").unwrap();
        assert_eq!(table_of(association).await.as_ref(), Some(&tables[1]));
        ec2(&admin, "DeleteRouteTable", &[("RouteTableId", &tables[0])]).await.ok();
        ec2(&admin, "DisassociateRouteTable", &[("AssociationId", association)]).await.ok();
        assert_eq!(table_of(association).await, None);
        let refused =
            ec2(&admin, "DisassociateRouteTable", &[("AssociationId", association)]).await.refused();
        assert_eq!(refused.0, "InvalidAssociationID.NotFound");
    }

    #[tokio::test]
    async fn the_main_table_can_be_another_but_not_none() {
        let server = server().await;
        let admin = server.administrator().await;
        let vpc = vpc(&admin).await;
        let made = ec2(&admin, "CreateRouteTable", &[("VpcId", &vpc)]).await.ok();
        let table = made.xml("routeTableId").unwrap();
        let main = [
            ("Filter.1.Name", "association.main"),
            ("Filter.1.Value.1", "true"),
            ("Filter.2.Name", "vpc-id"),
            ("Filter.2.Value.1", &vpc),
        ];
        let read = ec2(&admin, "DescribeRouteTables", &main).await.ok();
        let (old, association) =
            (read.xml("routeTableId").unwrap(), read.xml("routeTableAssociationId").unwrap());
        assert_ne!(old, table);
        let refused =
            ec2(&admin, "DisassociateRouteTable", &[("AssociationId", association)]).await.refused();
        assert_eq!(refused.0, "InvalidParameterValue");
        ec2(
            &admin,
            "ReplaceRouteTableAssociation",
            &[("AssociationId", association), ("RouteTableId", table)],
        )
        .await
        .ok();
        let read = ec2(&admin, "DescribeRouteTables", &main).await.ok();
        assert_eq!(read.xml_all("routeTableId")[0], table);
        ec2(&admin, "DeleteRouteTable", &[("RouteTableId", old)]).await.ok();
    }

    #[tokio::test]
    async fn tables_and_subnets_of_different_vpcs_do_not_meet() {
        let server = server().await;
        let admin = server.administrator().await;
        let subnet = subnet(&admin, &vpc(&admin).await).await;
        let made = ec2(&admin, "CreateRouteTable", &[("VpcId", &vpc(&admin).await)]).await.ok();
        let table = made.xml("routeTableId").unwrap();
        let refused = ec2(&admin, "AssociateRouteTable", &[("RouteTableId", table), ("SubnetId", &subnet)])
            .await
            .refused();
        let words = format!("Route table {table} and subnet {subnet} belong to different networks");
        assert_eq!(refused, ("InvalidParameterValue".to_owned(), words));
    }
}
