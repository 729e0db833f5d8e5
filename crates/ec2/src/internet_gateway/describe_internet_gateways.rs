//! `ec2:DescribeInternetGateways`.

use daypass_core::model::ec2::{DescribeInternetGatewaysRequest, DescribeInternetGatewaysResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::InternetGateway;
use crate::default_network;
use crate::filter::{self, Field, one, some};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_INTERNET_GATEWAYS, ops::DescribeInternetGateways, checks, run);

const FILTERS: &[Field<InternetGateway>] = &[
    ("attachment.state", |g| g.vpc_id.iter().map(|_| "available".to_owned()).collect()),
    ("attachment.vpc-id", |g| some(g.vpc_id.as_deref())),
    ("internet-gateway-id", |g| one(&g.id)),
    ("owner-id", |g| one(&g.home.account)),
];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeInternetGatewaysRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeInternetGateways").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeInternetGatewaysRequest,
) -> Result<DescribeInternetGatewaysResult, Error> {
    default_network::ensure(cx, tx)?;
    let gateways = InternetGateway::choose(tx, &Home::of(cx), &input.internet_gateway_ids)?;
    let gateways = filter::select(gateways, &input.filters, FILTERS)?;
    let (gateways, next_token) =
        Page::new(input.max_results, input.next_token.as_ref()).take(cx, gateways)?;
    let gateways = gateways.iter().map(InternetGateway::describe_as).collect();
    Ok(DescribeInternetGatewaysResult { internet_gateways: Some(gateways), next_token })
}
