//! `ec2:DescribeRouteTables`.

use daypass_core::model::ec2::{DescribeRouteTablesRequest, DescribeRouteTablesResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{RouteTable, Seen, Target};
use crate::default_network;
use crate::filter::{self, Field, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_ROUTE_TABLES, ops::DescribeRouteTables, checks, run);

const FILTERS: &[Field<Seen>] = &[
    ("association.gateway-id", |_| vec![]),
    ("association.main", |s| {
        s.table.associations.iter().map(|a| a.subnet_id.is_none().to_string()).collect()
    }),
    ("association.route-table-association-id", |s| {
        s.table.associations.iter().map(|a| a.id.clone()).collect()
    }),
    ("association.route-table-id", |s| s.table.associations.iter().map(|_| s.table.id.clone()).collect()),
    ("association.subnet-id", |s| s.table.associations.iter().filter_map(|a| a.subnet_id.clone()).collect()),
    ("owner-id", |s| one(&s.table.home.account)),
    ("route-table-id", |s| one(&s.table.id)),
    ("route.destination-cidr-block", |s| destinations(s, false)),
    ("route.destination-ipv6-cidr-block", |s| destinations(s, true)),
    ("route.destination-prefix-list-id", |_| vec![]),
    ("route.egress-only-internet-gateway-id", |_| vec![]),
    ("route.gateway-id", |s| {
        let gateway = |target: &Target| match target {
            Target::Local => Some("local".to_owned()),
            Target::Gateway(id) => Some(id.clone()),
            Target::NetworkInterface(_) => None,
        };
        s.table.routes.iter().filter_map(|r| gateway(&r.target)).collect()
    }),
    ("route.instance-id", |s| s.routes.iter().filter_map(|(_, _, instance)| instance.clone()).collect()),
    ("route.nat-gateway-id", |_| vec![]),
    ("route.origin", |s| {
        let origin = |own| if own { "CreateRouteTable" } else { "CreateRoute" };
        s.table.routes.iter().map(|r| origin(r.own).to_owned()).collect()
    }),
    ("route.state", |s| {
        let state = |there| if there { "active" } else { "blackhole" };
        s.routes.iter().map(|(_, there, _)| state(*there).to_owned()).collect()
    }),
    ("route.transit-gateway-id", |_| vec![]),
    ("route.vpc-peering-connection-id", |_| vec![]),
    ("vpc-id", |s| one(&s.table.vpc_id)),
];

fn destinations(seen: &Seen, ipv6: bool) -> Vec<String> {
    let destinations = seen.table.routes.iter().map(|r| &r.destination);
    destinations.filter(|d| d.contains(':') == ipv6).cloned().collect()
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeRouteTablesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeRouteTables").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeRouteTablesRequest,
) -> Result<DescribeRouteTablesResult, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let tables = RouteTable::choose(tx, &home, &input.route_table_ids)?;
    let see = |table| Seen::new(tx, &home, table);
    let tables = tables.into_iter().map(see).collect::<Result<Vec<_>, _>>()?;
    let tables = filter::select(tables, &input.filters, FILTERS)?;
    let page = Page::new(input.max_results, input.next_token.as_ref()).within(5..=100);
    let (tables, next_token) = page.take(cx, tables)?;
    let tables = tables.iter().map(Seen::describe_as).collect();
    Ok(DescribeRouteTablesResult { route_tables: Some(tables), next_token })
}
