//! `ec2:DetachInternetGateway`.

use daypass_core::model::ec2::{DetachInternetGatewayRequest, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::InternetGateway;
use crate::default_network;
use crate::resource::{Home, Resource};
use crate::vpc::Vpc;

operation!(DETACH_INTERNET_GATEWAY, ops::DetachInternetGateway, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DetachInternetGatewayRequest) -> Result<Checks, StoreError> {
    let action = "ec2:DetachInternetGateway";
    let gateway = InternetGateway::ask(cx, tx, action, &input.internet_gateway_id)?;
    Ok(Checks::from(gateway).and(Vpc::ask(cx, tx, action, &input.vpc_id)?))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DetachInternetGatewayRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let mut gateway = InternetGateway::load(tx, &home, &input.internet_gateway_id)?;
    let vpc = Vpc::load(tx, &home, &input.vpc_id)?;
    if gateway.vpc_id.as_ref() != Some(&vpc.id) {
        let words = format!("resource {} is not attached to network {}", gateway.id, vpc.id);
        return Err(Fault::new(&errors::GATEWAY_NOT_ATTACHED, words).into());
    }
    gateway.vpc_id = None;
    tx.put(&gateway)?;
    Ok(())
}
