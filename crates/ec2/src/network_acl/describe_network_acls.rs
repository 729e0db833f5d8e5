//! `ec2:DescribeNetworkAcls`.

use daypass_core::model::ec2::{DescribeNetworkAclsRequest, DescribeNetworkAclsResult, RuleAction, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{ENTRIES, NetworkAcl};
use crate::default_network;
use crate::filter::{self, Field, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_NETWORK_ACLS, ops::DescribeNetworkAcls, checks, run);

const FILTERS: &[Field<NetworkAcl>] = &[
    ("association.association-id", |a| a.associations.iter().map(|x| x.id.clone()).collect()),
    ("association.network-acl-id", |a| one(&a.id)),
    ("association.subnet-id", |a| a.associations.iter().map(|x| x.subnet_id.clone()).collect()),
    ("default", |_| one(true)),
    ("entry.cidr", |_| one("0.0.0.0/0")),
    ("entry.egress", |_| vec!["true".to_owned(), "false".to_owned()]),
    ("entry.icmp.code", |_| vec![]),
    ("entry.icmp.type", |_| vec![]),
    ("entry.ipv6-cidr", |_| vec![]),
    ("entry.port-range.from", |_| vec![]),
    ("entry.port-range.to", |_| vec![]),
    ("entry.protocol", |_| one("-1")),
    ("entry.rule-action", |_| {
        ENTRIES
            .map(|(_, _, action)| if action == RuleAction::Allow { "allow" } else { "deny" }.to_owned())
            .into()
    }),
    ("entry.rule-number", |_| ENTRIES.map(|(number, _, _)| number.to_string()).into()),
    ("network-acl-id", |a| one(&a.id)),
    ("owner-id", |a| one(&a.home.account)),
    ("vpc-id", |a| one(&a.vpc_id)),
];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeNetworkAclsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeNetworkAcls").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeNetworkAclsRequest,
) -> Result<DescribeNetworkAclsResult, Error> {
    default_network::ensure(cx, tx)?;
    let acls = NetworkAcl::choose(tx, &Home::of(cx), &input.network_acl_ids)?;
    let acls = filter::select(acls, &input.filters, FILTERS)?;
    let (acls, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, acls)?;
    let acls = acls.iter().map(NetworkAcl::describe_as).collect();
    Ok(DescribeNetworkAclsResult { network_acls: Some(acls), next_token })
}
