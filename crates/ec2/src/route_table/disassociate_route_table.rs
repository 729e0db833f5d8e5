//! `ec2:DisassociateRouteTable`: the subnet follows the main table again.

use daypass_core::model::ec2::{DisassociateRouteTableRequest, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::load_association;
use crate::resource::Home;
use crate::{default_network, fault};

operation!(DISASSOCIATE_ROUTE_TABLE, ops::DisassociateRouteTable, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DisassociateRouteTableRequest) -> Result<Checks, StoreError> {
    super::ask_about_association(cx, tx, "ec2:DisassociateRouteTable", &input.association_id)
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DisassociateRouteTableRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let (mut table, association) = load_association(tx, &Home::of(cx), &input.association_id)?;
    if association.subnet_id.is_none() {
        let words = format!("cannot disassociate the main route table association {}", association.id);
        return Err(fault::invalid_value(words).into());
    }
    table.associations.retain(|a| a.id != association.id);
    tx.put(&table)?;
    Ok(())
}
