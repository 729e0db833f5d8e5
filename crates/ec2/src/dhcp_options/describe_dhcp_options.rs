//! `ec2:DescribeDhcpOptions`.

use daypass_core::model::ec2::{DescribeDhcpOptionsRequest, DescribeDhcpOptionsResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::DhcpOptions;
use crate::default_network;
use crate::filter::{self, Field, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_DHCP_OPTIONS, ops::DescribeDhcpOptions, checks, run);

const FILTERS: &[Field<DhcpOptions>] = &[
    ("dhcp-options-id", |d| one(&d.id)),
    ("key", |d| d.configuration().map(|(key, _)| key.to_owned()).into()),
    ("owner-id", |d| one(&d.home.account)),
    ("value", |d| d.configuration().map(|(_, value)| value).into()),
];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeDhcpOptionsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeDhcpOptions").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeDhcpOptionsRequest,
) -> Result<DescribeDhcpOptionsResult, Error> {
    default_network::ensure(cx, tx)?;
    let options = DhcpOptions::choose(tx, &Home::of(cx), &input.dhcp_options_ids)?;
    let options = filter::select(options, &input.filters, FILTERS)?;
    let (options, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, options)?;
    let options = options.iter().map(DhcpOptions::describe_as).collect();
    Ok(DescribeDhcpOptionsResult { next_token, dhcp_options: Some(options) })
}
