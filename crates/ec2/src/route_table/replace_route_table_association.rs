//! `ec2:ReplaceRouteTableAssociation`: a subnet follows another table; or, of the main association, another table is
//! the main one.

use daypass_core::model::ec2::{
    ReplaceRouteTableAssociationRequest, ReplaceRouteTableAssociationResult, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{Association, RouteTable, associated, load_association};
use crate::resource::{Home, Resource};
use crate::{default_network, fault};

operation!(REPLACE_ROUTE_TABLE_ASSOCIATION, ops::ReplaceRouteTableAssociation, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ReplaceRouteTableAssociationRequest) -> Result<Checks, StoreError> {
    let action = "ec2:ReplaceRouteTableAssociation";
    let checks = super::ask_about_association(cx, tx, action, &input.association_id)?;
    Ok(checks.and(RouteTable::ask(cx, tx, action, &input.route_table_id)?))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ReplaceRouteTableAssociationRequest,
) -> Result<ReplaceRouteTableAssociationResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let (mut old, association) = load_association(tx, &home, &input.association_id)?;
    let new = RouteTable::load(tx, &home, &input.route_table_id)?;
    if new.vpc_id != old.vpc_id {
        let words = format!("Route tables {} and {} belong to different networks", old.id, new.id);
        return Err(fault::invalid_value(words).into());
    }
    let id = cx.ids().resource_id("rtbassoc");
    old.associations.retain(|a| a.id != association.id);
    tx.put(&old)?;
    // Read again: it may be the same table.
    let mut new = RouteTable::load(tx, &home, &new.id)?;
    new.associations.push(Association { id: id.clone(), subnet_id: association.subnet_id });
    tx.put(&new)?;
    Ok(ReplaceRouteTableAssociationResult {
        new_association_id: Some(id),
        association_state: Some(associated()),
    })
}
