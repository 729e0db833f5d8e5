//! `ec2:DeleteInternetGateway`: one that is attached to no VPC.

use daypass_core::model::ec2::{DeleteInternetGatewayRequest, ops};
use daypass_core::store::{Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::InternetGateway;
use crate::resource::{Home, Resource};
use crate::{default_network, fault};

operation!(DELETE_INTERNET_GATEWAY, ops::DeleteInternetGateway, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteInternetGatewayRequest) -> Result<Checks, StoreError> {
    Ok(InternetGateway::ask(cx, tx, "ec2:DeleteInternetGateway", &input.internet_gateway_id)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteInternetGatewayRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let gateway = InternetGateway::load(tx, &Home::of(cx), &input.internet_gateway_id)?;
    if gateway.vpc_id.is_some() {
        let words = format!("The internetGateway '{}' has dependencies and cannot be deleted.", gateway.id);
        return Err(fault::in_use(words).into());
    }
    tx.delete(&gateway.key());
    Ok(())
}
