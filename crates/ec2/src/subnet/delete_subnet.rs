//! `ec2:DeleteSubnet`: one in which nothing has an address.

use daypass_core::model::ec2::{DeleteSubnetRequest, ops};
use daypass_core::store::{Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::Subnet;
use crate::network_acl::NetworkAcl;
use crate::resource::{Home, Resource};
use crate::route_table::RouteTable;
use crate::{address, default_network, fault};

operation!(DELETE_SUBNET, ops::DeleteSubnet, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteSubnetRequest) -> Result<Checks, StoreError> {
    Ok(Subnet::ask(cx, tx, "ec2:DeleteSubnet", &input.subnet_id)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteSubnetRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let subnet = Subnet::load(tx, &home, &input.subnet_id)?;
    if !address::is_unused(tx, &home, &subnet.id)? {
        let words = format!("The subnet '{}' has dependencies and cannot be deleted.", subnet.id);
        return Err(fault::in_use(words).into());
    }
    NetworkAcl::let_go(tx, &home, &subnet.id)?;
    RouteTable::let_go(tx, &home, &subnet.id)?;
    tx.delete(&subnet.key());
    Ok(())
}
