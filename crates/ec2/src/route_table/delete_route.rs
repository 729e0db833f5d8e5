//! `ec2:DeleteRoute`.

use daypass_core::model::ec2::{DeleteRouteRequest, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{RouteTable, destination};
use crate::resource::{Home, Resource};
use crate::{default_network, fault};

operation!(DELETE_ROUTE, ops::DeleteRoute, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteRouteRequest) -> Result<Checks, StoreError> {
    Ok(RouteTable::ask(cx, tx, "ec2:DeleteRoute", &input.route_table_id)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteRouteRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let mut table = RouteTable::load(tx, &Home::of(cx), &input.route_table_id)?;
    let destination = destination(
        input.destination_cidr_block.as_deref(),
        input.destination_ipv6_cidr_block.as_deref(),
        input.destination_prefix_list_id.as_deref(),
    )?;
    let route = table.routes.iter().find(|r| r.destination == destination);
    let route = route.ok_or_else(|| not_found(&destination, &table.id))?;
    if route.own {
        let words = format!("cannot remove local route {destination} in route table {}", table.id);
        return Err(fault::invalid_value(words).into());
    }
    table.routes.retain(|r| r.destination != destination);
    tx.put(&table)?;
    Ok(())
}

/// The refusal of a block that no route is for.
pub(super) fn not_found(destination: &str, table_id: &str) -> Fault {
    let kind =
        if destination.contains(':') { "destination-ipv6-cidr-block" } else { "destination-cidr-block" };
    let words = format!("no route with {kind} {destination} in route table {table_id}");
    Fault::new(&errors::INVALID_ROUTE_NOT_FOUND, words)
}
