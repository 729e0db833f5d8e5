//! `ec2:DescribeVpcs`.

use daypass_core::model::ec2::{DescribeVpcsRequest, DescribeVpcsResult, VpcState, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::Vpc;
use crate::default_network;
use crate::filter::{self, Field, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_VPCS, ops::DescribeVpcs, checks, run);

const FILTERS: &[Field<Vpc>] = &[
    ("cidr", |v| one(v.cidr)),
    ("cidr-block", |v| one(v.cidr)),
    ("cidrBlock", |v| one(v.cidr)),
    ("cidr-block-association.association-id", |v| one(&v.cidr_association_id)),
    ("cidr-block-association.cidr-block", |v| one(v.cidr)),
    ("cidr-block-association.state", |_| one("associated")),
    ("dhcp-options-id", |v| one(&v.dhcp_options_id)),
    ("dhcpOptionsId", |v| one(&v.dhcp_options_id)),
    ("ipv6-cidr-block-association.association-id", |_| vec![]),
    ("ipv6-cidr-block-association.ipv6-cidr-block", |_| vec![]),
    ("ipv6-cidr-block-association.ipv6-pool", |_| vec![]),
    ("ipv6-cidr-block-association.state", |_| vec![]),
    ("is-default", |v| one(v.is_default)),
    ("isDefault", |v| one(v.is_default)),
    ("owner-id", |v| one(&v.home.account)),
    ("state", |_| one("available")),
    ("vpc-id", |v| one(&v.id)),
];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeVpcsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeVpcs").into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DescribeVpcsRequest) -> Result<DescribeVpcsResult, Error> {
    default_network::ensure(cx, tx)?;
    let vpcs = Vpc::choose(tx, &Home::of(cx), &input.vpc_ids)?;
    let vpcs = filter::select(vpcs, &input.filters, FILTERS)?;
    let (vpcs, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, vpcs)?;
    let vpcs = vpcs.iter().map(|vpc| vpc.describe_as(VpcState::Available)).collect();
    Ok(DescribeVpcsResult { next_token, vpcs: Some(vpcs) })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn the_first_who_looks_finds_the_default_vpc_and_so_does_everybody_after() {
        let server = server().await;
        let admin = server.administrator().await;
        let first =
            ec2(&admin, "DescribeVpcs", &[("Filter.1.Name", "isDefault"), ("Filter.1.Value.1", "true")])
                .await
                .ok();
        assert_eq!(first.xml("cidrBlock"), Some("172.31.0.0/16"));
        let again = ec2(&admin, "DescribeVpcs", &[("VpcId.1", first.xml("vpcId").unwrap())]).await.ok();
        assert_eq!(again.xml_all("vpcId"), first.xml_all("vpcId"));
        // Another region is another place.
        let mut elsewhere = server.administrator().await;
        elsewhere.region = "eu-west-1".to_owned();
        let other = ec2(&elsewhere, "DescribeVpcs", &[]).await.ok();
        assert_ne!(other.xml("vpcId"), first.xml("vpcId"));
        let missing = ec2(&elsewhere, "DescribeVpcs", &[("VpcId.1", first.xml("vpcId").unwrap())]).await;
        assert_eq!(missing.refused().0, "InvalidVpcID.NotFound");
    }

    #[tokio::test]
    async fn pages_go_on_where_the_last_ended_and_end() {
        let server = server().await;
        let admin = server.administrator().await;
        let all = ec2(&admin, "DescribeSubnets", &[]).await.ok();
        let mut seen = vec![];
        let mut token: Option<String> = None;
        for size in [5, 1] {
            let mut ask = vec![("MaxResults", "5")];
            if let Some(token) = &token {
                ask.push(("NextToken", token));
            }
            let page = ec2(&admin, "DescribeSubnets", &ask).await.ok();
            assert_eq!(page.xml_all("subnetId").len(), size);
            seen.extend(page.xml_all("subnetId").into_iter().map(str::to_owned));
            token = page.xml("nextToken").map(str::to_owned);
        }
        assert_eq!(token, None);
        assert_eq!(seen, all.xml_all("subnetId"));
    }

    #[tokio::test]
    async fn sizes_of_a_page_and_tokens_are_checked() {
        let server = server().await;
        let admin = server.administrator().await;
        let (code, words) = ec2(&admin, "DescribeVpcs", &[("MaxResults", "4")]).await.refused();
        assert_eq!(code, "InvalidParameterValue", "{words}");
        let page = ec2(&admin, "DescribeSubnets", &[("MaxResults", "5")]).await.ok();
        let token = page.xml("nextToken").unwrap();
        // A token is good for the operation and the region that it was given for.
        assert_eq!(
            ec2(&admin, "DescribeVpcs", &[("NextToken", token)]).await.refused().0,
            "InvalidNextToken"
        );
        let mut elsewhere = server.administrator().await;
        elsewhere.region = "eu-west-1".to_owned();
        assert_eq!(
            ec2(&elsewhere, "DescribeSubnets", &[("NextToken", token)]).await.refused().0,
            "InvalidNextToken"
        );
        assert_eq!(
            ec2(&admin, "DescribeSubnets", &[("NextToken", "x")]).await.refused().0,
            "InvalidNextToken"
        );
    }
}
