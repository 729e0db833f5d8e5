//! `ec2:CreateInternetGateway`.

use daypass_core::model::ec2::{CreateInternetGatewayRequest, CreateInternetGatewayResult, ops};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::InternetGateway;
use crate::resource::{Home, Resource};
use crate::{default_network, fault, tag};

operation!(CREATE_INTERNET_GATEWAY, ops::CreateInternetGateway, checks, run);

/// So many a region may have (VPC User Guide, Amazon VPC quotas).
const MAX_GATEWAYS: usize = 5;

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateInternetGatewayRequest) -> Result<Checks, StoreError> {
    let (kind, tags) = (InternetGateway::KIND, &input.tag_specifications);
    Ok(tag::ask_to_make(cx, "ec2:CreateInternetGateway", kind, tags, |check| check))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateInternetGatewayRequest,
) -> Result<CreateInternetGatewayResult, Error> {
    default_network::ensure(cx, tx)?;
    let (home, kind) = (Home::of(cx), InternetGateway::KIND);
    let tags = tag::of_new(&input.tag_specifications, kind, &[kind])?;
    if tx.keys(&home.all(kind.name), None, MAX_GATEWAYS)?.len() >= MAX_GATEWAYS {
        let words = "The maximum number of internet gateways has been reached.";
        return Err(fault::coded("InternetGatewayLimitExceeded", words).into());
    }
    let gateway = InternetGateway { home, id: cx.ids().resource_id(kind.prefix), vpc_id: None, tags };
    tx.put(&gateway)?;
    Ok(CreateInternetGatewayResult { internet_gateway: Some(gateway.describe_as()) })
}
