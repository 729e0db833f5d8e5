//! `ec2:CreateRouteTable`.

use daypass_core::model::ec2::{CreateRouteTableRequest, CreateRouteTableResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{RouteTable, Seen};
use crate::idempotency::Token;
use crate::resource::{Home, Resource};
use crate::vpc::Vpc;
use crate::{default_network, fault, tag};

operation!(CREATE_ROUTE_TABLE, ops::CreateRouteTable, checks, run);

/// So many a VPC may have (VPC User Guide, Amazon VPC quotas).
const MAX_TABLES: usize = 200;

fn checks(cx: &Cx, tx: &Tx<'_>, input: &CreateRouteTableRequest) -> Result<Checks, StoreError> {
    let of_vpc = Vpc::KIND.arn(&Home::of(cx), &input.vpc_id);
    let make =
        tag::ask_to_make(cx, "ec2:CreateRouteTable", RouteTable::KIND, &input.tag_specifications, |check| {
            check.with("ec2:Vpc", of_vpc)
        });
    Ok(make.and(Vpc::ask(cx, tx, "ec2:CreateRouteTable", &input.vpc_id)?))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateRouteTableRequest) -> Result<CreateRouteTableResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let token = Token::of(input.client_token.as_ref(), input.clone());
    let table = match token.made(cx, tx)? {
        Some(id) => RouteTable::load(tx, &home, &id)?,
        None => {
            let table = make(cx, tx, &home, &input)?;
            token.remember(cx, tx, &table.id)?;
            table
        }
    };
    let table = Seen::new(tx, &home, table)?.describe_as();
    Ok(CreateRouteTableResult { route_table: Some(table), client_token: input.client_token })
}

fn make(cx: &Cx, tx: &mut Tx<'_>, home: &Home, input: &CreateRouteTableRequest) -> Result<RouteTable, Error> {
    let vpc = Vpc::load(tx, home, &input.vpc_id)?;
    if RouteTable::list(tx, home)?.iter().filter(|t| t.vpc_id == vpc.id).count() >= MAX_TABLES {
        let words = format!("The maximum number of route tables has been reached for VPC '{}'.", vpc.id);
        return Err(fault::coded("RouteTableLimitExceeded", words).into());
    }
    let mut table = RouteTable::new(home, cx.ids().resource_id("rtb"), &vpc.id, vpc.cidr);
    table.tags = tag::of_new(&input.tag_specifications, RouteTable::KIND, &[RouteTable::KIND])?;
    tx.put(&table)?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server, vpc};

    #[tokio::test]
    async fn makes_a_table_with_the_local_route() {
        let server = server().await;
        let admin = server.administrator().await;
        let vpc = vpc(&admin).await;
        let made = ec2(&admin, "CreateRouteTable", &[("VpcId", &vpc)]).await.ok();
        for (element, expected) in [
            ("destinationCidrBlock", "10.0.0.0/16"),
            ("gatewayId", "local"),
            ("origin", "CreateRouteTable"),
            ("state", "active"),
            ("associationSet", ""),
        ] {
            assert_eq!(made.xml(element), Some(expected), "{element}");
        }
    }

    #[tokio::test]
    async fn a_token_makes_one_table() {
        let server = server().await;
        let admin = server.administrator().await;
        let vpc = vpc(&admin).await;
        let ask = [("VpcId", vpc.as_str()), ("ClientToken", "t-1")];
        let first = ec2(&admin, "CreateRouteTable", &ask).await.ok();
        let again = ec2(&admin, "CreateRouteTable", &ask).await.ok();
        assert_eq!(first.xml("routeTableId"), again.xml("routeTableId"));
        let other = crate::testing::vpc(&admin).await;
        let refused =
            ec2(&admin, "CreateRouteTable", &[("VpcId", &other), ("ClientToken", "t-1")]).await.refused();
        assert_eq!(refused.0, "IdempotentParameterMismatch");
        // After a day the token is like new.
        server.clock.advance(24 * 3600 + 1);
        let later = server.administrator().await;
        let later = ec2(&later, "CreateRouteTable", &ask).await.ok();
        assert_ne!(first.xml("routeTableId"), later.xml("routeTableId"));
    }
}
