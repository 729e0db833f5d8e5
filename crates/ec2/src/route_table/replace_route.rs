//! `ec2:ReplaceRoute`: another target for the same block.

use daypass_core::model::ec2::{ReplaceRouteRequest, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{Asked, RouteTable, asked, delete_route, destination};
use crate::default_network;
use crate::resource::{Home, Resource};

operation!(REPLACE_ROUTE, ops::ReplaceRoute, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ReplaceRouteRequest) -> Result<Checks, StoreError> {
    Ok(RouteTable::ask(cx, tx, "ec2:ReplaceRoute", &input.route_table_id)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ReplaceRouteRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let mut table = RouteTable::load(tx, &home, &input.route_table_id)?;
    let destination = destination(
        input.destination_cidr_block.as_deref(),
        input.destination_ipv6_cidr_block.as_deref(),
        input.destination_prefix_list_id.as_deref(),
    )?;
    let target = asked(&input).target(tx, &home, &table)?;
    let missing = delete_route::not_found(&destination, &table.id);
    let route = table.routes.iter_mut().find(|r| r.destination == destination).ok_or(missing)?;
    route.target = target;
    tx.put(&table)?;
    Ok(())
}

fn asked(input: &ReplaceRouteRequest) -> Asked<'_> {
    let local = (input.local_target == Some(true)).then_some("local");
    asked!(input, input.gateway_id.as_deref().or(local))
}
