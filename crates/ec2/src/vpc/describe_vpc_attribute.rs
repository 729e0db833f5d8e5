//! `ec2:DescribeVpcAttribute`: one attribute of one VPC.

use daypass_core::model::ec2::{
    AttributeBooleanValue, DescribeVpcAttributeRequest, DescribeVpcAttributeResult, VpcAttributeName, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::Vpc;
use crate::default_network;
use crate::resource::{Home, Resource};

operation!(DESCRIBE_VPC_ATTRIBUTE, ops::DescribeVpcAttribute, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DescribeVpcAttributeRequest) -> Result<Checks, StoreError> {
    Ok(super::ask_about(cx, tx, "ec2:DescribeVpcAttribute", &input.vpc_id)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeVpcAttributeRequest,
) -> Result<DescribeVpcAttributeResult, Error> {
    default_network::ensure(cx, tx)?;
    let vpc = Vpc::load(tx, &Home::of(cx), &input.vpc_id)?;
    let mut answer = DescribeVpcAttributeResult { vpc_id: Some(vpc.id.clone()), ..Default::default() };
    let value = |value| Some(AttributeBooleanValue { value: Some(value) });
    match input.attribute {
        VpcAttributeName::EnableDnsSupport => answer.enable_dns_support = value(vpc.dns_support),
        VpcAttributeName::EnableDnsHostnames => answer.enable_dns_hostnames = value(vpc.dns_hostnames),
        VpcAttributeName::EnableNetworkAddressUsageMetrics => {
            answer.enable_network_address_usage_metrics = value(vpc.usage_metrics);
        }
    }
    Ok(answer)
}
