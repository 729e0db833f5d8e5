//! `ec2:DescribeSecurityGroups`.

use daypass_core::model::ec2::{DescribeSecurityGroupsRequest, DescribeSecurityGroupsResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::rule::{part, parts};
use super::{Named, SecurityGroup};
use crate::filter::{self, Field, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};
use crate::{default_network, fault};

operation!(DESCRIBE_SECURITY_GROUPS, ops::DescribeSecurityGroups, checks, run);

const FILTERS: &[Field<SecurityGroup>] = &[
    ("description", |g| one(&g.description)),
    ("egress.ip-permission.cidr", |g| parts(g, true, part::cidr)),
    ("egress.ip-permission.from-port", |g| parts(g, true, part::from_port)),
    ("egress.ip-permission.group-id", |g| parts(g, true, part::group_id)),
    ("egress.ip-permission.group-name", |_| vec![]),
    ("egress.ip-permission.ipv6-cidr", |g| parts(g, true, part::ipv6_cidr)),
    ("egress.ip-permission.prefix-list-id", |_| vec![]),
    ("egress.ip-permission.protocol", |g| parts(g, true, part::protocol)),
    ("egress.ip-permission.to-port", |g| parts(g, true, part::to_port)),
    ("egress.ip-permission.user-id", |g| parts(g, true, part::user_id)),
    ("group-id", |g| one(&g.id)),
    ("group-name", |g| one(&g.name)),
    ("ip-permission.cidr", |g| parts(g, false, part::cidr)),
    ("ip-permission.from-port", |g| parts(g, false, part::from_port)),
    ("ip-permission.group-id", |g| parts(g, false, part::group_id)),
    ("ip-permission.group-name", |_| vec![]),
    ("ip-permission.ipv6-cidr", |g| parts(g, false, part::ipv6_cidr)),
    ("ip-permission.prefix-list-id", |_| vec![]),
    ("ip-permission.protocol", |g| parts(g, false, part::protocol)),
    ("ip-permission.to-port", |g| parts(g, false, part::to_port)),
    ("ip-permission.user-id", |g| parts(g, false, part::user_id)),
    ("owner-id", |g| one(&g.home.account)),
    ("vpc-id", |g| one(&g.vpc_id)),
];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeSecurityGroupsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeSecurityGroups").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeSecurityGroupsRequest,
) -> Result<DescribeSecurityGroupsResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    if input.max_results.is_some() && !input.group_ids.is_empty() {
        let words = "The parameter groupIds cannot be used with the parameter maxResults";
        return Err(fault::invalid_combination(words).into());
    }
    let mut groups = vec![];
    for name in &input.group_names {
        groups.push(Named { id: None, name: Some(name) }.load(tx, &home)?);
    }
    if !input.group_ids.is_empty() || input.group_names.is_empty() {
        groups.extend(SecurityGroup::choose(tx, &home, &input.group_ids)?);
    }
    groups.sort_by(|a, b| a.id.cmp(&b.id));
    groups.dedup_by(|a, b| a.id == b.id);
    let groups = filter::select(groups, &input.filters, FILTERS)?;
    let (groups, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, groups)?;
    let groups = groups.iter().map(SecurityGroup::describe_as).collect();
    Ok(DescribeSecurityGroupsResult { next_token, security_groups: Some(groups) })
}
