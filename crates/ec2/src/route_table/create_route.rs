//! `ec2:CreateRoute`.

use daypass_core::model::ec2::{CreateRouteRequest, CreateRouteResult, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{Asked, Route, RouteTable, asked, destination};
use crate::resource::{Home, Resource};
use crate::{default_network, fault};

operation!(CREATE_ROUTE, ops::CreateRoute, checks, run);

/// So many a table may have (VPC User Guide, Amazon VPC quotas).
const MAX_ROUTES: usize = 500;

fn checks(cx: &Cx, tx: &Tx<'_>, input: &CreateRouteRequest) -> Result<Checks, StoreError> {
    Ok(RouteTable::ask(cx, tx, "ec2:CreateRoute", &input.route_table_id)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateRouteRequest) -> Result<CreateRouteResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let mut table = RouteTable::load(tx, &home, &input.route_table_id)?;
    let destination = destination(
        input.destination_cidr_block.as_deref(),
        input.destination_ipv6_cidr_block.as_deref(),
        input.destination_prefix_list_id.as_deref(),
    )?;
    let target = asked(&input).target(tx, &home, &table)?;
    if let Some(route) = table.routes.iter().find(|r| r.destination == destination) {
        if route.target == target && !route.own {
            return Ok(CreateRouteResult { return_: Some(true) });
        }
        let words = format!("The route identified by {destination} already exists.");
        return Err(Fault::new(&errors::ROUTE_ALREADY_EXISTS, words).into());
    }
    if table.routes.len() >= MAX_ROUTES {
        let words = format!("The maximum number of routes has been reached for route table '{}'.", table.id);
        return Err(fault::coded("RouteLimitExceeded", words).into());
    }
    table.routes.push(Route { destination, target, own: false });
    tx.put(&table)?;
    Ok(CreateRouteResult { return_: Some(true) })
}

fn asked(input: &CreateRouteRequest) -> Asked<'_> {
    asked!(input, input.gateway_id.as_deref())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server, vpc};

    #[tokio::test]
    async fn a_route_lives_and_dies_with_its_gateway() {
        let server = server().await;
        let admin = server.administrator().await;
        let vpc = vpc(&admin).await;
        let table = ec2(&admin, "CreateRouteTable", &[("VpcId", &vpc)])
            .await
            .ok()
            .xml("routeTableId")
            .unwrap()
            .to_owned();
        let gateway =
            ec2(&admin, "CreateInternetGateway", &[]).await.ok().xml("internetGatewayId").unwrap().to_owned();
        let ask = [
            ("RouteTableId", table.as_str()),
            ("DestinationCidrBlock", "0.0.0.0/0"),
            ("GatewayId", &gateway),
        ];
        let (code, words) = ec2(&admin, "CreateRoute", &ask).await.refused();
        assert_eq!(code, "InvalidParameterValue");
        assert_eq!(
            words,
            format!("route table {table} and network gateway {gateway} belong to different networks")
        );
        let both = [("InternetGatewayId", gateway.as_str()), ("VpcId", vpc.as_str())];
        ec2(&admin, "AttachInternetGateway", &both).await.ok();
        assert_eq!(ec2(&admin, "CreateRoute", &ask).await.ok().xml("return"), Some("true"));
        // The same again is the same; another for the same block is not.
        ec2(&admin, "CreateRoute", &ask).await.ok();
        let other = [
            ("RouteTableId", table.as_str()),
            ("DestinationCidrBlock", "10.0.0.0/16"),
            ("GatewayId", &gateway),
        ];
        let refused = ec2(&admin, "CreateRoute", &other).await.refused();
        assert_eq!(
            refused,
            ("RouteAlreadyExists".into(), "The route identified by 10.0.0.0/16 already exists.".into())
        );
        let states = async || {
            let read = ec2(&admin, "DescribeRouteTables", &[("RouteTableId.1", &table)]).await.ok();
            let (_, routes) = read.body.split_once("<routeSet>").unwrap();
            let routes = routes.split_once("</routeSet>").unwrap().0;
            routes
                .split("<state>")
                .skip(1)
                .map(|r| r.split_once('<').unwrap().0.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(states().await, ["active", "active"]);
        ec2(&admin, "DetachInternetGateway", &both).await.ok();
        assert_eq!(states().await, ["active", "blackhole"]);
        let gone = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "0.0.0.0/0")];
        ec2(&admin, "DeleteRoute", &gone).await.ok();
        let (code, words) = ec2(&admin, "DeleteRoute", &gone).await.refused();
        assert_eq!(code, "InvalidRoute.NotFound");
        assert_eq!(words, format!("no route with destination-cidr-block 0.0.0.0/0 in route table {table}"));
        let local = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "10.0.0.0/16")];
        assert_eq!(ec2(&admin, "DeleteRoute", &local).await.refused().0, "InvalidParameterValue");
    }

    #[tokio::test]
    async fn targets_that_daypass_does_not_have_are_told_so() {
        let server = server().await;
        let admin = server.administrator().await;
        let table =
            ec2(&admin, "DescribeRouteTables", &[]).await.ok().xml("routeTableId").unwrap().to_owned();
        for (target, code) in [
            (("NatGatewayId", "nat-01234567"), "UnsupportedOperation"),
            (("GatewayId", "vgw-01234567"), "UnsupportedOperation"),
            (("GatewayId", "igw-01234567"), "InvalidGatewayID.NotFound"),
            (("InstanceId", "i-01234567"), "InvalidInstanceID.NotFound"),
            (("NetworkInterfaceId", "eni-01234567"), "InvalidNetworkInterfaceID.NotFound"),
        ] {
            let ask = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "10.9.0.0/16"), target];
            assert_eq!(ec2(&admin, "CreateRoute", &ask).await.refused().0, code, "{target:?}");
        }
        for destination in [("DestinationCidrBlock", "10.9.0.0"), ("DestinationIpv6CidrBlock", "10.9.0.0/16")]
        {
            let ask = [("RouteTableId", table.as_str()), destination, ("GatewayId", "igw-01234567")];
            assert_eq!(ec2(&admin, "CreateRoute", &ask).await.refused().0, "InvalidParameterValue");
        }
    }
}
