//! `ec2:DeleteRouteTable`: one that no subnet follows.

use daypass_core::model::ec2::{DeleteRouteTableRequest, ops};
use daypass_core::store::{Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::RouteTable;
use crate::resource::{Home, Resource};
use crate::{default_network, fault};

operation!(DELETE_ROUTE_TABLE, ops::DeleteRouteTable, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteRouteTableRequest) -> Result<Checks, StoreError> {
    Ok(RouteTable::ask(cx, tx, "ec2:DeleteRouteTable", &input.route_table_id)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteRouteTableRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let table = RouteTable::load(tx, &Home::of(cx), &input.route_table_id)?;
    if !table.associations.is_empty() {
        let words = format!("The routeTable '{}' has dependencies and cannot be deleted.", table.id);
        return Err(fault::in_use(words).into());
    }
    tx.delete(&table.key());
    Ok(())
}
